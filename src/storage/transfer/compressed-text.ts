/** Text that is stored compressed: gzip (RFC 1952) in base64, because D1 returns a BLOB as an array of numbers. */

export async function compressText(text: string): Promise<string> {
  return toBase64(await transformed(new TextEncoder().encode(text), new CompressionStream('gzip')))
}

/** @throws {Error} when the text is not complete */
export async function decompressText(compressed: string): Promise<Uint8Array> {
  return await transformed(fromBase64(compressed), new DecompressionStream('gzip'))
}

/** The output of a stream that is given these bytes. */
async function transformed(
  bytes: Uint8Array,
  { readable, writable }: CompressionStream | DecompressionStream,
): Promise<Uint8Array> {
  const writer = writable.getWriter()
  // A failure also ends the readable side, where it is reported.
  const written = writer.write(bytes as Uint8Array<ArrayBuffer>).then(() => writer.close())
  const [output] = await Promise.all([collected(readable), written])
  return output
}

async function collected(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  const reader = stream.getReader()
  for (let read = await reader.read(); !read.done; read = await reader.read()) parts.push(read.value)
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** The most arguments of one call of String.fromCharCode: engines limit them. */
const MAX_ARGUMENTS = 8_192

function toBase64(bytes: Uint8Array): string {
  let characters = ''
  for (let at = 0; at < bytes.length; at += MAX_ARGUMENTS) {
    characters += String.fromCharCode(...bytes.subarray(at, at + MAX_ARGUMENTS))
  }
  return btoa(characters)
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
