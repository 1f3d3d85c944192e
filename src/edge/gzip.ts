/** Decompresses bytes if they are gzip (RFC 1952), as their first two bytes tell. */
import { ScimError } from '../scim/error.ts'

/** @throws {ScimError} 400 if the compressed bytes are damaged or end too early */
export async function* decompressed(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = bytes[Symbol.asyncIterator]()
  let head: Uint8Array = new Uint8Array()
  while (head.length < 2) {
    const { done, value } = await chunks.next()
    if (done) break
    head = joined(head, value)
  }
  const all = withFirst(head, chunks)
  if (head[0] !== 0x1f || head[1] !== 0x8b) return yield* all
  const { body, failure } = streamWithFailure(all)
  const reader = body.pipeThrough(new DecompressionStream('gzip')).getReader()
  for (;;) {
    const { done, value } = await reader.read().catch((cause) => {
      throw (
        failure() ?? new ScimError(400, 'invalidSyntax', 'the gzip file is damaged or incomplete', { cause })
      )
    })
    if (done) return
    yield value
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
