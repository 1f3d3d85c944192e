/** The size of texts in UTF-8. */

/** Whether a text takes at most that many bytes. */
export function fitsInBytes(text: string, most: number): boolean {
  // A UTF-16 unit takes one to three bytes, so most texts need not be measured.
  if (text.length * 3 <= most) return true
  return text.length <= most && utf8Bytes(text) <= most
}

/** The bytes of a text in UTF-8. */
function utf8Bytes(text: string): number {
  let bytes = 0
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return bytes
}
