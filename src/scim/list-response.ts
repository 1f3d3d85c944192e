/**
 * The ListResponse message and the arithmetic of startIndex and count (RFC 7644 §3.4.2, §3.4.2.4).
 */
import { badRequest, kindOf, quote, ScimError } from './error.ts'
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from './limits.ts'
import { LIST_RESPONSE } from './urn.ts'

/** The part of the result that was asked for. `startIndex` is 1-based. */
export interface PageRequest {
  readonly startIndex: number
  /** 0 asks for the total alone. */
  readonly count: number
}

export interface Page {
  readonly totalResults: number
  /** Each as JSON text. */
  readonly resources: readonly string[]
  /** Of a page by index; 1-based. */
  readonly startIndex?: number
  /** Of a page by cursor; missing on the last one. */
  readonly nextCursor?: string | undefined
  /** Of a page by cursor; missing on the first one. */
  readonly previousCursor?: string | undefined
}

/**
 * RFC 7644 §3.4.2.4: a startIndex below 1 is 1, a negative count is 0; more than we return is less.
 *
 * @throws {ScimError} invalidValue when one of them is no integer
 */
export function parsePageRequest(startIndex: unknown, count: unknown): PageRequest {
  return {
    startIndex: Math.max(1, integer('startIndex', startIndex) ?? 1),
    count: Math.min(MAX_PAGE_SIZE, Math.max(0, integer('count', count) ?? DEFAULT_PAGE_SIZE)),
  }
}

/**
 * The count of a walk by cursor (RFC 9865 §2): as of a page by index, a negative count is 0, which asks for
 * the total alone, and more than we return is less.
 *
 * @throws {ScimError} invalidCount when it is no integer
 */
export function parseCursorCount(count: unknown): number {
  try {
    return parsePageRequest(undefined, count).count
  } catch (error) {
    if (!(error instanceof ScimError)) throw error
    throw new ScimError(error.status, 'invalidCount', error.detail)
  }
}

function integer(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  const isInteger = typeof value === 'string' ? /^\s*[+-]?\d+\s*$/.test(value) : Number.isInteger(value)
  // Any number of digits is an integer: a client that wants everything may send more than we can count.
  if (isInteger) return Math.min(Number(value), Number.MAX_SAFE_INTEGER)
  const found = typeof value === 'string' ? quote(value) : kindOf(value)
  throw badRequest('invalidValue', `"${name}" must be an integer, found ${found}`)
}

/**
 * The ListResponse message as JSON text. "Resources" is there also when it is empty: clients read it unasked.
 */
export function listResponse({
  totalResults,
  resources,
  startIndex,
  nextCursor,
  previousCursor,
}: Page): string {
  const message = JSON.stringify({
    schemas: [LIST_RESPONSE],
    totalResults,
    ...(startIndex === undefined ? {} : { startIndex }),
    itemsPerPage: resources.length,
    ...(previousCursor === undefined ? {} : { previousCursor }),
    ...(nextCursor === undefined ? {} : { nextCursor }),
  })
  return `${message.slice(0, -1)},"Resources":[${resources.join(',')}]}`
}
