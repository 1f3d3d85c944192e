/**
 * Reads the file of a form (multipart/form-data, RFC 7578) while it arrives, so that a file of any size fits. The form has
 * one file. Its other fields are passed over.
 */
import { badRequest } from '../scim/error.ts'

/** The headers of a part: its name, the name of its file, and its type. */
const MAX_HEADER_BYTES = 8 * 1024
/** Bytes of the fields before the file, with their headers. */
const MAX_SKIPPED_BYTES = 64 * 1024

/**
 * Opens the first file of a form.
 *
 * @param chunks the body of the request
 * @param contentType its header, which has the boundary
 * @returns the bytes of the file, read on demand; undefined if no file was chosen
 * @throws {ScimError} 400 if the body is not such a form; the bytes throw it if the form ends before the file
 */
export async function openFormFile(
  chunks: AsyncIterable<Uint8Array>,
  contentType: string,
): Promise<AsyncGenerator<Uint8Array> | undefined> {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType) ?? []
  const boundary = quoted ?? plain
  if (boundary === undefined) throw incomplete()
  // Each boundary but the first follows a line end, so one is put before the body.
  const reader = new ByteReader(chunks, bytesOf('\r\n'))
  const delimiter = bytesOf(`\r\n--${boundary}`)
  let skipped = 0
  const skip = (bytes: number) => {
    skipped += bytes
    if (skipped > MAX_SKIPPED_BYTES) throw badRequest('invalidSyntax', 'the form must begin with the file')
  }
  for (;;) {
    for await (const part of reader.until(delimiter)) skip(part.length)
    const head = await headOf(reader)
    const name = head === undefined ? undefined : fileNameOf(head)
    if (name === undefined) return undefined
    if (name !== '') return reader.until(delimiter)
    skip(delimiter.length + (head?.length ?? 0))
  }
}

/** The headers of a part. @returns undefined at the end of the form */
async function headOf(reader: ByteReader): Promise<string | undefined> {
  const decoder = new TextDecoder()
  let head = ''
  for await (const part of reader.until(bytesOf('\r\n\r\n'), bytesOf('--'))) {
    head += decoder.decode(part, { stream: true })
    if (head.length > MAX_HEADER_BYTES) throw incomplete()
  }
  return reader.hasEnded ? undefined : head
}

/** @returns '' for a part without a file; undefined for a file that was not chosen */
function fileNameOf(head: string): string | undefined {
  const [found, name] = /;\s*filename="([^"]*)"/i.exec(head) ?? []
  if (found === undefined) return ''
  return name || undefined
}

/** Bytes of chunks, read up to a delimiter. */
class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>
  #bytes: Uint8Array
  /** Whether the end mark was found. */
  hasEnded = false

  constructor(chunks: AsyncIterable<Uint8Array>, first: Uint8Array) {
    this.#chunks = chunks[Symbol.asyncIterator]()
    this.#bytes = first
  }

  /**
   * The bytes before the delimiter, which is passed over.
   *
   * @param end what may stand here instead: then nothing more is read
   * @throws {ScimError} 400 without a delimiter
   */
  async *until(delimiter: Uint8Array, end?: Uint8Array): AsyncGenerator<Uint8Array> {
    if (end !== undefined) {
      while (this.#bytes.length < end.length) await this.#more()
      this.hasEnded = indexOf(this.#bytes.subarray(0, end.length), end) === 0
      if (this.hasEnded) return
    }
    for (;;) {
      const at = indexOf(this.#bytes, delimiter)
      if (at >= 0) {
        const found = this.#bytes.subarray(0, at)
        this.#bytes = this.#bytes.subarray(at + delimiter.length)
        if (found.length > 0) yield found
        return
      }
      // The last bytes may be the beginning of the delimiter.
      const safe = Math.max(0, this.#bytes.length - delimiter.length + 1)
      const known = this.#bytes.subarray(0, safe)
      this.#bytes = this.#bytes.subarray(safe)
      if (known.length > 0) yield known
      await this.#more()
    }
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#chunks.next()
    if (done) throw incomplete()
    const joined = new Uint8Array(this.#bytes.length + value.length)
    joined.set(this.#bytes)
    joined.set(value, this.#bytes.length)
    this.#bytes = joined
  }
}

/** The position of `part` in `bytes`; -1 if it is not there. */
function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  const [first = 0] = part
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (at + part.length > bytes.length) return -1
    if (isAt(bytes, at, part)) return at
  }
  return -1
}

function isAt(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let i = 1; i < part.length; i++) if (bytes[at + i] !== part[i]) return false
  return true
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function incomplete() {
  return badRequest('invalidSyntax', 'the form is incomplete')
}
