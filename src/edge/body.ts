/**
 * Reads bodies as text. Size and time are limited, buffered bytes are counted, and the text must be UTF-8. Bodies are
 * read only after authentication.
 */
import type { Runtime } from '../runtime.ts'
import { badRequest, ScimError } from '../scim/error.ts'
import { BODY_TIMEOUT_SECONDS } from '../scim/limits.ts'

/** The part of a Hono context that is used here. */
interface Incoming {
  readonly env: Pick<Runtime, 'heldBodies' | 'turn'>
  readonly req: { readonly raw: Request; header(name: string): string | undefined }
}

/**
 * Where requests take turns, a longer body is read in chunks, each of them in a turn. Otherwise, Node.js would read all that
 * has arrived on all connections before the next request runs.
 */
const MAX_BYTES_AT_ONCE = 64 * 1024

// A byte order mark is ignored, as RFC 8259 §8.1 allows.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/**
 * Reads the whole body.
 *
 * @param owner the tenant or the part of the administration that the bytes are counted for
 * @throws {ScimError} 413 for more than maxBytes, with or without Content-Length; 408 if the body is too slow;
 *   400 invalidSyntax if it is not UTF-8 or is incomplete; 429 or 503 if too many bodies are buffered
 */
export async function readText(c: Incoming, maxBytes: number, owner: string): Promise<string> {
  const bytes = await withTimeout(readBytes(c, maxBytes, owner))
  await c.env.turn?.(owner)
  try {
    return decoder.decode(bytes)
  } catch {
    throw badRequest('invalidSyntax', 'the request body must be UTF-8')
  }
}

/**
 * Reads a body of any length in chunks. Each chunk is read on demand.
 *
 * @throws {ScimError} 408 if no chunk arrives for BODY_TIMEOUT_SECONDS, 400 invalidSyntax if the body is incomplete
 */
export async function* readChunks({ body }: Pick<Request, 'body'>): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader()
  while (reader !== undefined) {
    const { done, value } = await withTimeout(reader.read().catch(throwIncomplete))
    if (done) return
    yield value
  }
}

async function readBytes(c: Incoming, maxBytes: number, owner: string): Promise<ArrayBuffer | Uint8Array> {
  const { raw } = c.req
  const declared =
    c.req.header('Transfer-Encoding') === undefined ? c.req.header('Content-Length') : undefined
  if (declared === undefined || !/^\d+$/.test(declared)) return await readStream(c, maxBytes, owner)
  if (Number(declared) > maxBytes) throw tooLarge(maxBytes)
  // Counted before it arrives: the runtime reads at most the declared length, and `arrayBuffer` is faster than a stream.
  c.env.heldBodies?.take(owner, Number(declared))
  if (c.env.turn !== undefined && Number(declared) > MAX_BYTES_AT_ONCE)
    return await readStream(c, maxBytes, owner, Number(declared))
  const bytes = await raw.arrayBuffer().catch(throwIncomplete)
  if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes)
  return bytes
}

/**
 * Reads a body chunk by chunk.
 *
 * @param counted the bytes that are counted already, because their number was declared
 */
async function readStream(
  { env, req }: Incoming,
  maxBytes: number,
  owner: string,
  counted = 0,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = req.raw.body?.getReader()
  while (reader !== undefined) {
    await env.turn?.(owner)
    const { done, value } = await reader.read().catch(throwIncomplete)
    if (done) break
    size += value.byteLength
    if (size > maxBytes) throw tooLarge(maxBytes)
    if (size > counted) env.heldBodies?.take(owner, Math.min(value.byteLength, size - counted))
    chunks.push(value)
  }
  return concatenate(chunks, size)
}

function concatenate(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [first] = chunks
  if (first !== undefined && chunks.length === 1) return first
  const whole = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.byteLength
  }
  return whole
}

/** After a timeout the runtime discards the rest of the body and closes the connection after the response. */
async function withTimeout<Result>(reading: Promise<Result>): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const detail = `the request body did not arrive within the limit of ${BODY_TIMEOUT_SECONDS} seconds`
      reject(new ScimError(408, undefined, detail))
    }, BODY_TIMEOUT_SECONDS * 1000)
  })
  try {
    return await Promise.race([reading, expiry])
  } finally {
    if (timer !== undefined) clearTimeout(timer)
  }
}

function tooLarge(maxBytes: number): ScimError {
  return new ScimError(413, undefined, `the request body is larger than the limit of ${maxBytes} bytes`)
}

/** The client disconnected or sent malformed chunks, so this is a client error. */
function throwIncomplete(cause: unknown): never {
  throw new ScimError(400, 'invalidSyntax', 'the request body is incomplete or incorrectly framed', { cause })
}
