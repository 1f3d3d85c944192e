/**
 * What secrets need wherever they are made and checked: a hash, text of random or sealed bytes, and a
 * comparison that tells nothing by its time.
 */
import { createHash } from 'node:crypto'

/**
 * SHA-256 of a text, hexadecimal. At once: Web Cryptography's digest does the same in another thread, and
 * in Deno and Node.js the way there and back takes forty times as long as the hash.
 */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Bytes as base64url without padding (RFC 4648 §5): unreserved characters only. */
export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

/** Takes the same time wherever the two differ. */
export function isSameSecret(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}
