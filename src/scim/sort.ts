/**
 * Sorting (RFC 7644 §3.4.2.3): what the client asked for, resolved for each resource type.
 */
import { type AttributePath, resolveAttributePath, target } from './attribute-path.ts'
import { lowerCaseSortOrder, trimmedPath, withoutEmpty } from './compatibility/lists.ts'
import { badRequest, quote } from './error.ts'
import type { Profile } from './profile.ts'
import type { ResourceType } from './schema/definition.ts'
import { findAttribute } from './schema/lookup.ts'

/** How resources of one type are sorted. Undefined path: the type has no such attribute, so no value. */
export interface Sort {
  readonly path: AttributePath | undefined
  readonly isDescending: boolean
}

/**
 * Resolves `sortBy` and `sortOrder` for the resource types of a query.
 *
 * @returns one Sort for each type, undefined when the client did not ask for an order
 * @throws {ScimError} invalidValue when no type has the attribute, or it has no single value to compare
 */
export function parseSort(
  sortBy: string | undefined,
  sortOrder: string | undefined,
  types: readonly ResourceType[],
  profile: Profile,
): readonly Sort[] | undefined {
  const isDescending = parseSortOrder(sortOrder, profile)
  const given = withoutEmpty(sortBy, profile)
  if (given === undefined) return undefined
  const paths = types.map((type) => resolveAttributePath(trimmedPath(given, profile), type))
  if (paths.every((path) => path === undefined)) {
    const names = types.map((type) => type.name).join(' and ')
    throw badRequest('invalidValue', `"sortBy": ${names} has no attribute ${quote(given)}`)
  }
  return paths.map((path) => ({ path: path && sortable(path, given), isDescending }))
}

function parseSortOrder(sortOrder: string | undefined, profile: Profile): boolean {
  const given = withoutEmpty(sortOrder, profile)
  const lower = given && lowerCaseSortOrder(given, profile)
  if (lower === undefined || lower === 'ascending') return false
  if (lower === 'descending') return true
  throw badRequest(
    'invalidValue',
    `"sortOrder" must be "ascending" or "descending", found ${quote(sortOrder ?? '')}`,
  )
}

/** RFC 7644 §3.4.2.3: a complex attribute is sorted by a sub-attribute; "value" is taken where there is one. */
function sortable(path: AttributePath, sortBy: string): AttributePath {
  const attribute = target(path)
  if (attribute.subAttributes === undefined) return path
  const value = findAttribute(attribute.subAttributes, 'value')
  if (value !== undefined) return { steps: [...path.steps, value] }
  throw badRequest('invalidValue', `"sortBy": ${quote(sortBy)} is complex; name one of its sub-attributes`)
}

/**
 * True when no resource is without a value there: the attribute is required, or it is part of `meta`, which the service
 * provider assigns (RFC 7643 §3.1).
 */
export function isAlwaysPresent({ path }: Sort): boolean {
  if (path === undefined) return false
  return path.steps[0].name === 'meta' || (path.steps.length === 1 && path.steps[0].required)
}

/** True when every resource has a value of its own there: then the order needs nothing to break ties. */
export function isUnique({ path }: Sort): boolean {
  if (path === undefined || path.steps.length > 1) return false
  const attribute = target(path)
  return attribute.uniqueness === 'server' && (attribute.required || attribute.name === 'id')
}
