/**
 * A response body that is read from the database while it is sent.
 */
import type { Context } from 'hono'
import { attachment } from './attachment.ts'
import { JSON_LINES } from './contract/route.ts'

/**
 * Reads each part when the client is ready for it. If a read fails, the connection breaks, so that the client does not take
 * the parts that it has for the whole. The high-water mark is 0 for that reason: on Node.js, `@hono/node-server` ends the
 * response normally if its stream fails before the part is requested.
 */
export function streamOf(parts: AsyncGenerator<string | Uint8Array>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await parts.next()
        if (done) controller.close()
        else controller.enqueue(typeof value === 'string' ? encoder.encode(value) : value)
      },
      async cancel() {
        await parts.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

/** The file of an export as a response. */
export function fileResponse(
  c: Pick<Context, 'body'>,
  tenantId: string,
  parts: AsyncGenerator<string | Uint8Array>,
): Response {
  return c.body(streamOf(parts), 200, {
    'Content-Type': JSON_LINES,
    'Content-Disposition': attachment(`${tenantId}.jsonl`),
  })
}
