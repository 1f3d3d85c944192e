/**
 * Helpers for secrets: a hash, text encodings of bytes, and a comparison in constant time.
 */

/** SHA-256 of a text, hexadecimal. A runtime may have a faster one than Web Cryptography's. */
export type Sha256 = (text: string) => string | Promise<string>

export const sha256: Sha256 = async (text) => {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  let hex = ''
  for (const byte of new Uint8Array(digest)) hex += HEX[byte]
  return hex
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Bytes as base64 (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

/** Bytes as base64url without padding (RFC 4648 §5): unreserved characters only. */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** The text whose UTF-8 is in base64url. @throws if it is not in base64url */
export function fromBase64Url(text: string): string {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)))
}

/** The number of characters at the end of a token or secret that are stored, so that an administrator recognises it. */
const SHOWN_CHARACTERS = 4

/** The end of a token or secret that is stored and shown. */
export function lastCharactersOf(secret: string): string {
  return secret.slice(-SHOWN_CHARACTERS)
}

/** Compares in constant time: the duration does not depend on where the two differ. */
export function isSameSecret(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}
