/** Decodes the bytes of an export. Pure. */
import { DriftError } from './drift-error.ts'

/**
 * The text of a file, piece by piece. A byte order mark is left out.
 *
 * @throws {DriftError} the file is empty or is not UTF-8
 */
export async function* textOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
  let isEmpty = true
  for await (const piece of bytes) {
    if (isEmpty && isUtf16(piece)) throw new DriftError('the file is UTF-16; save it as UTF-8')
    const text = decode(decoder, piece)
    if (text.includes('\0')) throw new DriftError('the file has NUL characters; it is not a text in UTF-8')
    if (text.trim() !== '') isEmpty = false
    yield text
  }
  yield decode(decoder, undefined)
  if (isEmpty) throw new DriftError('the file is empty')
}

function decode(decoder: InstanceType<typeof TextDecoder>, piece: Uint8Array | undefined): string {
  try {
    return piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true })
  } catch (cause) {
    const message = 'the file is not UTF-8; save it as UTF-8 ("CSV UTF-8" in a spreadsheet)'
    throw Object.assign(new DriftError(message), { cause })
  }
}

/** True for the byte order marks of UTF-16. */
function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
}
