/**
 * The spellings of a GUID. Directories write one identity in different ways: as text, as text in braces, and in base64,
 * as provisioning clients send the objectGUID of Active Directory.
 */

const TEXT = /^\{?([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})\}?$/i
/** 16 bytes in base64 (RFC 4648 §4): the last character before the padding has four unused bits. */
const BASE64 = /^[A-Za-z0-9+/]{21}[AQgw]==$/

/** The first three fields are little-endian in the bytes of a GUID: [MS-DTYP] §2.3.4.2. */
const BYTE_ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15] as const

/**
 * The GUID that a text spells.
 *
 * @returns its text form in lower case, without braces; undefined if the text is not a GUID
 */
export function guidOf(text: string): string | undefined {
  const fields = TEXT.exec(text)
  if (fields !== null) return fields.slice(1).join('-').toLowerCase()
  return BASE64.test(text) ? textOf(bytesOf(text)) : undefined
}

/** The spellings of a GUID in which clients send it. @param guid as guidOf returns it */
export function spellingsOf(guid: string): readonly string[] {
  return [guid, guid.toUpperCase(), `{${guid}}`, `{${guid.toUpperCase()}}`, base64Of(guid)]
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The 16 bytes of 22 characters of base64, without its padding. */
function bytesOf(base64: string): readonly number[] {
  const bits = Array.from(base64.slice(0, 22), (character) =>
    ALPHABET.indexOf(character).toString(2).padStart(6, '0'),
  ).join('')
  return BYTE_ORDER.map((_, i) => Number.parseInt(bits.slice(8 * i, 8 * i + 8), 2))
}

function textOf(bytes: readonly number[]): string {
  const hex = BYTE_ORDER.map((i) => (bytes[i] ?? 0).toString(16).padStart(2, '0')).join('')
  const field = (from: number, to: number) => hex.slice(from, to)
  return [field(0, 8), field(8, 12), field(12, 16), field(16, 20), field(20, 32)].join('-')
}

function base64Of(guid: string): string {
  const hex = guid.replaceAll('-', '')
  const byte = (i: number) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  // The order is its own inverse.
  const bits = BYTE_ORDER.map((i) => byte(i).toString(2).padStart(8, '0')).join('')
  const characters = Array.from(
    { length: 22 },
    (_, i) => ALPHABET[Number.parseInt(bits.slice(6 * i, 6 * i + 6).padEnd(6, '0'), 2)],
  )
  return `${characters.join('')}==`
}
