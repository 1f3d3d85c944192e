/**
 * A body that is read from the database while it is sent.
 */

/**
 * Reads a part when the client is ready for it. When that fails, the connection breaks: the client must not take what it
 * got for all of it. For that the part must not be read ahead of its use: on Node.js, `@hono/node-server` ends an answer in
 * good order when its stream fails while nobody reads it.
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
