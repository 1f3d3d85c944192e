/**
 * The version of a resource as a weak ETag, and the preconditions on it (RFC 7644 §3.14, RFC 9110 §13).
 */
import { ScimError } from './error.ts'

/** `W/"3"` for version 3. The number rises with every change of the resource. */
export function etag(version: number): string {
  return `W/"${version}"`
}

/** True when a list of entity tags names the version, or is `*`. Weak comparison (RFC 9110 §8.8.3.2). */
export function namesVersion(header: string, version: number): boolean {
  if (header.trim() === '*') return true
  return header.split(',').some((tag) => tag.trim().replace(/^W\//i, '') === `"${version}"`)
}

/** @throws {ScimError} 412 when `If-Match` was sent and names another version */
export function requireMatch(ifMatch: string | undefined, version: number): void {
  if (ifMatch === undefined || namesVersion(ifMatch, version)) return
  throw new ScimError(
    412,
    undefined,
    `If-Match names ${ifMatch}, but the resource is at version ${etag(version)}`,
  )
}
