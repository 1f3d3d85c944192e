/**
 * The ListResponse message and the arithmetic of startIndex and count (RFC 7644 §3.4.2, §3.4.2.4).
 */
import { isIntegerText } from './compatibility/lists.ts'
import { badRequest, kindOf, quote, ScimError } from './error.ts'
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from './limits.ts'
import type { Profile } from './profile.ts'
import { LIST_RESPONSE } from './urn.ts'

/** The requested part of the results. `startIndex` is 1-based. */
export interface PageRequest {
  readonly startIndex: number
  /** 0 requests only the total. */
  readonly count: number
}

export interface Page {
  readonly totalResults: number
  /** Each resource as JSON text. */
  readonly resources: readonly string[]
  /** 1-based. Only for index-based pagination. */
  readonly startIndex?: number
  /** Only for cursor-based pagination. Missing on the last page. */
  readonly nextCursor?: string | undefined
  /** Only for cursor-based pagination. Missing on the first page. */
  readonly previousCursor?: string | undefined
}

/**
 * Parses startIndex and count. RFC 7644 §3.4.2.4: a startIndex below 1 means 1, and a negative count means 0. A count
 * above MAX_PAGE_SIZE is lowered to it.
 *
 * @throws {ScimError} invalidValue if either is not an integer
 */
export function parsePageRequest(startIndex: unknown, count: unknown, profile: Profile): PageRequest {
  return {
    startIndex: Math.max(1, integer('startIndex', startIndex, profile) ?? 1),
    count: Math.min(MAX_PAGE_SIZE, Math.max(0, integer('count', count, profile) ?? DEFAULT_PAGE_SIZE)),
  }
}

/**
 * Parses the count of cursor-based pagination (RFC 9865 §2), with the same bounds as for index-based pagination.
 *
 * @throws {ScimError} invalidCount if it is not an integer
 */
export function parseCursorCount(count: unknown, profile: Profile): number {
  try {
    return parsePageRequest(undefined, count, profile).count
  } catch (error) {
    if (!(error instanceof ScimError)) throw error
    throw new ScimError(error.status, 'invalidCount', error.detail)
  }
}

function integer(name: string, value: unknown, profile: Profile): number | undefined {
  if (value === undefined || value === null) return undefined
  const isInteger = typeof value === 'string' ? isIntegerText(value, profile) : Number.isInteger(value)
  // A client that wants all results may send an integer beyond the safe range.
  if (isInteger) return Math.min(Number(value), Number.MAX_SAFE_INTEGER)
  const found = typeof value === 'string' ? quote(value) : kindOf(value)
  throw badRequest('invalidValue', `"${name}" must be an integer, found ${found}`)
}

/** The ListResponse message as JSON text. Contains an empty "Resources" too, because clients read it unconditionally. */
export function listResponse({
  totalResults,
  resources,
  startIndex,
  nextCursor,
  previousCursor,
}: Page): string {
  const start = startIndex === undefined ? '' : `"startIndex":${startIndex},`
  const previous = previousCursor === undefined ? '' : `,"previousCursor":${JSON.stringify(previousCursor)}`
  const next = nextCursor === undefined ? '' : `,"nextCursor":${JSON.stringify(nextCursor)}`
  return `{"schemas":["${LIST_RESPONSE}"],"totalResults":${totalResults},${start}"itemsPerPage":${resources.length}${previous}${next},"Resources":[${resources.join(',')}]}`
}
