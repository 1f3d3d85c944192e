/**
 * Bodies as text: bounded in bytes and in time, counted while they are held, and UTF-8 or refused. Comes after the
 * client is known; who is not known is refused without its body having been read.
 */
import type { Runtime } from '../runtime.ts'
import { badRequest, ScimError } from '../scim/error.ts'
import { BODY_TIMEOUT_SECONDS } from '../scim/limits.ts'

/** What is read of a request's context. */
interface Incoming {
  readonly env: Pick<Runtime, 'heldBodies' | 'turn'>
  readonly req: { readonly raw: Request; header(name: string): string | undefined }
}

// A BOM is left out, as RFC 8259 §8.1 allows.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/**
 * The whole body.
 *
 * @param owner whose bytes they are: a tenant, or a part of the administration
 * @throws {ScimError} 413 for more than maxBytes, with Content-Length or without; 408 for one that is too slow;
 *   400 invalidSyntax for what is not UTF-8 or breaks off; 429 or 503 when too many bodies are held
 */
export async function readText(c: Incoming, maxBytes: number, owner: string): Promise<string> {
  const bytes = await withinTime(readBytes(c, maxBytes, owner))
  await c.env.turn?.(owner)
  try {
    return decoder.decode(bytes)
  } catch {
    throw badRequest('invalidSyntax', 'the body must be UTF-8')
  }
}

/**
 * The body piece by piece, of any length: the next piece is fetched when it is asked for.
 *
 * @throws {ScimError} 408 when none comes for BODY_TIMEOUT_SECONDS, 400 invalidSyntax when the body breaks off
 */
export async function* readPieces({ raw }: Pick<Incoming['req'], 'raw'>): AsyncGenerator<Uint8Array> {
  const reader = raw.body?.getReader()
  while (reader !== undefined) {
    const { done, value } = await withinTime(reader.read().catch(brokenOff))
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
  // Before it arrives: the runtime takes no more than was declared, and reads it faster as a whole.
  c.env.heldBodies?.take(owner, Number(declared))
  const bytes = await raw.arrayBuffer().catch(brokenOff)
  if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes)
  return bytes
}

/** Nobody said how long it is. */
async function readStream({ env, req }: Incoming, maxBytes: number, owner: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let size = 0
  const reader = req.raw.body?.getReader()
  while (reader !== undefined) {
    const { done, value } = await reader.read().catch(brokenOff)
    if (done) break
    size += value.byteLength
    if (size > maxBytes) throw tooLarge(maxBytes)
    env.heldBodies?.take(owner, value.byteLength)
    pieces.push(value)
  }
  return concatenate(pieces, size)
}

function concatenate(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const [first] = pieces
  if (first !== undefined && pieces.length === 1) return first
  const whole = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.byteLength
  }
  return whole
}

/** What is given up here is let go of by the runtime, which closes the connection after the answer. */
async function withinTime<Result>(reading: Promise<Result>): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const detail = `the body did not arrive within ${BODY_TIMEOUT_SECONDS} seconds, the limit`
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
  return new ScimError(413, undefined, `the body is larger than ${maxBytes} bytes, the limit`)
}

/** The client has gone, or its chunks are malformed: nothing that is a fault of ours. */
function brokenOff(cause: unknown): never {
  throw new ScimError(400, 'invalidSyntax', 'the body breaks off or is not framed as HTTP asks', { cause })
}
