/** Decompresses files in gzip (RFC 1952) while they arrive. */
import { ScimError } from '../scim/error.ts'
import { MAX_GZIP_RATIO } from '../scim/limits.ts'

/** A file that becomes no longer than this may be compressed to any length. */
const ANY_RATIO_BYTES = 10 * 1024 * 1024

/**
 * Decompresses bytes if they are gzip, as the first two tell.
 *
 * @throws {ScimError} like `gunzipped`
 */
export async function* decompressed(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = bytes[Symbol.asyncIterator]()
  let head: Uint8Array = new Uint8Array()
  while (head.length < 2) {
    const { done, value } = await chunks.next()
    if (done) break
    head = joined(head, value)
  }
  const all = withFirst(head, chunks)
  yield* head[0] === 0x1f && head[1] === 0x8b ? gunzipped(all) : all
}

/** @throws {ScimError} 400 if the bytes are damaged or end too early, 413 if they become more than MAX_GZIP_RATIO allows */
export async function* gunzipped(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let [compressed, decompressed] = [0, 0]
  const { body, failure } = streamWithFailure(
    counted(bytes, (length) => {
      compressed += length
    }),
  )
  const reader = body.pipeThrough(new DecompressionStream('gzip')).getReader()
  for (;;) {
    const { done, value } = await reader.read().catch((cause) => {
      throw (
        failure() ?? new ScimError(400, 'invalidSyntax', 'the gzip file is damaged or incomplete', { cause })
      )
    })
    if (done) return
    decompressed += value.length
    if (decompressed > ANY_RATIO_BYTES && decompressed > compressed * MAX_GZIP_RATIO) {
      const problem = `the file is more than ${MAX_GZIP_RATIO} times as long as its compressed bytes`
      throw new ScimError(413, undefined, `${problem}: compress it less, or send it as it is`)
    }
    yield value
  }
}

async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  count: (length: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    count(chunk.length)
    yield chunk
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length)
  both.set(one)
  both.set(other, one.length)
  return both
}

async function* withFirst(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first
  for (;;) {
    const { done, value } = await rest.next()
    if (done) return
    yield value
  }
}

/** A stream of the chunks, and the error that they threw. */
function streamWithFailure(chunks: AsyncGenerator<Uint8Array>) {
  let thrown: unknown
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const { done, value } = await chunks.next()
        if (done) controller.close()
        else controller.enqueue(value as Uint8Array<ArrayBuffer>)
      } catch (error) {
        thrown = error
        throw error
      }
    },
    async cancel() {
      await chunks.return(undefined)
    },
  })
  return { body, failure: () => thrown }
}
