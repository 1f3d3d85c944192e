/**
 * Parses bulk requests (RFC 7644 §3.7) and resolves the references between their operations. Operations run in
 * http/bulk.ts.
 *
 * An operation runs after the operations that it refers to by `bulkId:…`. For circular references, the attribute that
 * closes the circle is omitted from the POST and added by a PATCH once all ids are known (RFC 7644 §3.7.1).
 */
import { type Complex, isComplex } from './comparison.ts'
import { errorLimit, isNotSet, upperCaseMethod } from './compatibility/bulk.ts'
import { badRequest, kindOf, quote, ScimError } from './error.ts'
import { MAX_BULK_OPERATIONS, MAX_BULK_PATH_CHARACTERS } from './limits.ts'
import { member, requireMessage } from './message.ts'
import type { Profile } from './profile.ts'
import { BULK_REQUEST } from './urn.ts'

const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'] as const
const REFERENCE_PREFIX = 'bulkId:'

export interface BulkOperation {
  readonly method: (typeof METHODS)[number]
  readonly path: string
  readonly bulkId: string | undefined
  /** The ETag that the resource must have, as in If-Match. */
  readonly version: string | undefined
  readonly data: unknown
}

export interface BulkRequest {
  readonly operations: readonly BulkOperation[]
  /** The number of errors after which the remaining operations are not run; undefined for no limit. */
  readonly failOnErrors: number | undefined
}

/**
 * Parses a BulkRequest message.
 *
 * @throws {ScimError} invalidSyntax, invalidValue; 413 for more than MAX_BULK_OPERATIONS operations
 */
export function parseBulkRequest(body: unknown, profile: Profile): BulkRequest {
  const message = requireMessage(body, BULK_REQUEST, profile)
  if (member(message, 'schemas') === undefined) {
    throw badRequest('invalidSyntax', `"schemas" must contain "${BULK_REQUEST}", found nothing`)
  }
  const list = member(message, 'Operations')
  const failOnErrors = errorLimit(member(message, 'failOnErrors'), profile)
  if (!Array.isArray(list))
    throw badRequest('invalidSyntax', `"Operations" must be an array, found ${kindOf(list)}`)
  if (list.length > MAX_BULK_OPERATIONS) {
    throw new ScimError(
      413,
      undefined,
      `the request has ${list.length} operations, the limit is ${MAX_BULK_OPERATIONS}`,
    )
  }
  if (failOnErrors !== undefined && !(Number.isInteger(failOnErrors) && Number(failOnErrors) >= 1)) {
    throw badRequest(
      'invalidValue',
      `"failOnErrors" must be an integer greater than 0, found ${typeof failOnErrors === 'number' ? failOnErrors : kindOf(failOnErrors)}`,
    )
  }
  const operations = list.map((operation, i) => parseOperation(operation, `Operations[${i}]`, profile))
  requireUniqueBulkIds(operations)
  return { operations, failOnErrors: failOnErrors === undefined ? undefined : Number(failOnErrors) }
}

function parseOperation(operation: unknown, where: string, profile: Profile): BulkOperation {
  if (!isComplex(operation))
    throw badRequest('invalidSyntax', `${where} must be an object, found ${kindOf(operation)}`)
  const [sentMethod, path, data] = [
    member(operation, 'method'),
    member(operation, 'path'),
    member(operation, 'data'),
  ]
  const [bulkId, version] = [
    optionalText(operation, 'bulkId', where, profile),
    optionalText(operation, 'version', where, profile),
  ]
  const upper = typeof sentMethod === 'string' ? upperCaseMethod(sentMethod, profile) : ''
  const method = METHODS.find((candidate) => candidate === upper)
  if (method === undefined) {
    const found = typeof sentMethod === 'string' ? quote(sentMethod) : kindOf(sentMethod)
    throw badRequest('invalidSyntax', `${where}.method must be one of ${METHODS.join(', ')}, found ${found}`)
  }
  if (typeof path !== 'string')
    throw badRequest('invalidSyntax', `${where}.path must be a string, found ${kindOf(path)}`)
  // RFC 7644 §3.7: "bulkId" is REQUIRED when "method" is "POST".
  if (method === 'POST' && bulkId === undefined) {
    throw badRequest('invalidSyntax', `${where}.bulkId is required for POST, found nothing`)
  }
  return { method, path, bulkId, version, data }
}

/** @throws {ScimError} invalidSyntax for a value of another type: ignoring it would drop a precondition */
function optionalText(
  operation: Complex,
  name: 'bulkId' | 'version',
  where: string,
  profile: Profile,
): string | undefined {
  const value = member(operation, name)
  if (isNotSet(value, profile)) return undefined
  if (typeof value === 'string' && value !== '') return value
  const found = value === '' ? 'an empty string' : kindOf(value)
  throw badRequest('invalidSyntax', `${where}.${name} must be a string, found ${found}`)
}

function requireUniqueBulkIds(operations: readonly BulkOperation[]): void {
  const seen = new Set<string>()
  for (const { method, bulkId } of operations) {
    if (method !== 'POST' || bulkId === undefined) continue
    if (seen.has(bulkId))
      throw badRequest('invalidSyntax', `bulkId ${quote(bulkId)} must be unique, found a duplicate`)
    seen.add(bulkId)
  }
}

/** True for a path that is too long to be split: no resource has it. */
export function isLongPath(path: string): boolean {
  return path.length > MAX_BULK_PATH_CHARACTERS
}

/**
 * The bulkIds that the path and the data of an operation refer to, and the number of values in them: each reference is looked
 * for in all values, and replaced in all of them.
 */
export function bulkReferences({ path, data }: BulkOperation): {
  readonly bulkIds: ReadonlySet<string>
  readonly values: number
} {
  return referencesIn([isLongPath(path) ? [] : path.split('/'), data])
}

/** The index of the operation that creates the resource of a bulkId. */
export function creatorsIn(operations: readonly BulkOperation[]): ReadonlyMap<string, number> {
  return new Map(
    operations.flatMap(({ method, bulkId }, index) =>
      method === 'POST' && bulkId !== undefined ? [[bulkId, index]] : [],
    ),
  )
}

/** The operations that create these resources: at most as many as there are, however many bulkIds refer to nothing. */
export function creatorsOf(
  bulkIds: ReadonlySet<string>,
  creators: ReadonlyMap<string, number>,
): readonly number[] {
  return [...bulkIds].flatMap((bulkId) => creators.get(bulkId) ?? [])
}

function referencesIn(value: unknown) {
  const bulkIds = new Set<string>()
  const values = walk(value, (text) => {
    const bulkId = referenceIn(text)
    if (bulkId !== undefined) bulkIds.add(bulkId)
  })
  return { bulkIds, values }
}

/** @returns the bulkId if the text is a reference */
function referenceIn(text: string): string | undefined {
  return text.startsWith(REFERENCE_PREFIX) ? text.slice(REFERENCE_PREFIX.length) : undefined
}

/** @returns the number of values, at all levels */
function walk(value: unknown, visit: (text: string) => void): number {
  if (typeof value === 'string') visit(value)
  let count = 1
  if (Array.isArray(value)) for (const element of value) count += walk(element, visit)
  else if (isComplex(value)) for (const element of Object.values(value)) count += walk(element, visit)
  return count
}

/** Replaces the references whose ids are known, in the path and the data of an operation. */
export function resolveReferences(operation: BulkOperation, ids: ReadonlyMap<string, string>): BulkOperation {
  const path = resolvePath(operation.path, ids)
  return { ...operation, path, data: replaceTexts(operation.data, (text) => resolveText(text, ids)) }
}

/** Replaces the references in a path whose ids are known. A long path has none. */
export function resolvePath(path: string, ids: ReadonlyMap<string, string>): string {
  if (isLongPath(path)) return path
  return path
    .split('/')
    .map((segment) => resolveText(segment, ids))
    .join('/')
}

function resolveText(text: string, ids: ReadonlyMap<string, string>): string {
  const bulkId = referenceIn(text)
  return (bulkId !== undefined && ids.get(bulkId)) || text
}

function replaceTexts(value: unknown, replace: (text: string) => string): unknown {
  if (typeof value === 'string') return replace(value)
  if (Array.isArray(value)) return value.map((element) => replaceTexts(element, replace))
  if (!isComplex(value)) return value
  // Unlike assignment, fromEntries defines an own property even for `__proto__`.
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, replaceTexts(inner, replace)]),
  )
}

/**
 * Splits the data of a POST into attributes that can be sent now and attributes that refer to one of the bulkIds.
 */
export function deferReferences(
  data: unknown,
  bulkIds: ReadonlySet<string>,
): { now: unknown; later: Complex } {
  if (!isComplex(data) || bulkIds.size === 0) return { now: data, later: {} }
  const entries = Object.entries(data)
  const later = entries.filter(([, value]) =>
    [...referencesIn(value).bulkIds].some((bulkId) => bulkIds.has(bulkId)),
  )
  const isLater = new Set(later.map(([name]) => name))
  const now = entries.filter(([name]) => !isLater.has(name))
  return { now: Object.fromEntries(now), later: Object.fromEntries(later) }
}
