/**
 * The version of a resource as a weak ETag, and the preconditions on it (RFC 7644 §3.14, RFC 9110 §13).
 */
import { ScimError, shorten } from './error.ts'

/** `W/"3"` for version 3. The number rises with every change of the resource. */
export function etag(version: number): string {
  return `W/"${version}"`
}

/**
 * The versions that a list of entity tags names, compared weakly (RFC 9110 §8.8.3.2).
 *
 * @returns undefined when every version will do: no header, or `*`
 */
export function matchedVersions(header: string | undefined): readonly number[] | undefined {
  if (header === undefined || header.trim() === '*') return undefined
  return header.split(',').flatMap((tag) => {
    const version = /^\s*(?:W\/)?"(0|[1-9]\d{0,14})"\s*$/.exec(tag)?.[1]
    return version === undefined ? [] : [Number(version)]
  })
}

/** The preconditions of a request, as its headers have them. */
export interface Preconditions {
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
}

/**
 * Checks the preconditions of a write on a resource that is there.
 *
 * @throws {ScimError} 412 when `If-Match` names another version, or `If-None-Match` this one (RFC 9110 §13.2.2)
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

/** True when `If-None-Match` names the version: the client has it already (RFC 9110 §13.1.2). */
export function isNotModified(ifNoneMatch: string | undefined, version: number): boolean {
  return ifNoneMatch !== undefined && matchedVersions(ifNoneMatch)?.includes(version) !== false
}
