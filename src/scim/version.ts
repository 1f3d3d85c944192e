/**
 * The version of a resource as a weak ETag, and the preconditions on it (RFC 7644 §3.14, RFC 9110 §13).
 */
import { badRequest, ScimError, shorten } from './error.ts'
import { MAX_ENTITY_TAGS_CHARACTERS } from './limits.ts'

/** `W/"3"` for version 3. Every change of the resource increments the version. */
export function etag(version: number): string {
  return `W/"${version}"`
}

/**
 * The versions in a list of entity tags, for weak comparison (RFC 9110 §8.8.3.2).
 *
 * @returns undefined if any version matches: no header, or `*`
 * @throws {ScimError} invalidValue for more than MAX_ENTITY_TAGS_CHARACTERS
 */
export function matchedVersions(header: string | undefined): readonly number[] | undefined {
  if (header === undefined || header.trim() === '*') return undefined
  if (header.length > MAX_ENTITY_TAGS_CHARACTERS) {
    throw badRequest(
      'invalidValue',
      `the entity tags have ${header.length} characters, the limit is ${MAX_ENTITY_TAGS_CHARACTERS}`,
    )
  }
  return header.split(',').flatMap((tag) => {
    const version = /^\s*(?:W\/)?"(0|[1-9]\d{0,14})"\s*$/.exec(tag)?.[1]
    return version === undefined ? [] : [Number(version)]
  })
}

/** The precondition headers of a request. */
export interface Preconditions {
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
}

/**
 * Checks the preconditions of a write to an existing resource.
 *
 * @throws {ScimError} as matchedVersions; 412 if `If-Match` does not contain the version, or `If-None-Match` does (RFC 9110 §13.2.2)
 */
export function requirePreconditions({ ifMatch, ifNoneMatch }: Preconditions, version: number): void {
  if (matchedVersions(ifMatch)?.includes(version) === false) {
    throw failed(`If-Match is ${shorten(ifMatch ?? '')}`, version)
  }
  if (isNotModified(ifNoneMatch, version))
    throw failed(`If-None-Match is ${shorten(ifNoneMatch ?? '')}`, version)
}

function failed(what: string, version: number): ScimError {
  return new ScimError(412, undefined, `${what}, but the resource is at version ${etag(version)}`)
}

/** True if `If-None-Match` contains the version, so the client already has it (RFC 9110 §13.1.2). */
export function isNotModified(ifNoneMatch: string | undefined, version: number): boolean {
  return ifNoneMatch !== undefined && matchedVersions(ifNoneMatch)?.includes(version) !== false
}
