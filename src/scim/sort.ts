/**
 * Resolves `sortBy` and `sortOrder` for each resource type (RFC 7644 §3.4.2.3).
 */
import { type AttributePath, resolveAttributePath, target } from './attribute-path.ts'
import { lowerCaseSortOrder, trimmedPath, withoutEmpty } from './compatibility/lists.ts'
import { badRequest, quote } from './error.ts'
import type { Profile } from './profile.ts'
import type { ResourceType } from './schema/definition.ts'
import { findAttribute } from './schema/lookup.ts'

/** The sort order for one resource type. `path` is undefined if the type does not have the attribute. */
export interface Sort {
  readonly path: AttributePath | undefined
  readonly isDescending: boolean
}

/**
 * Resolves `sortBy` and `sortOrder` for the resource types of a query.
 *
 * @returns one Sort for each type; undefined if the client requested no order
 * @throws {ScimError} invalidValue if no type has the attribute, or the attribute has no single value to compare
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
    throw badRequest('invalidValue', `"sortBy" must be an attribute of ${names}, found ${quote(given)}`)
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

/** RFC 7644 §3.4.2.3: a complex attribute is sorted by a sub-attribute. The default is "value". */
function sortable(path: AttributePath, sortBy: string): AttributePath {
  const attribute = target(path)
  if (attribute.subAttributes === undefined) return path
  const value = findAttribute(attribute.subAttributes, 'value')
  if (value !== undefined) return { steps: [...path.steps, value] }
  const subAttributes = attribute.subAttributes.map(({ name }) => name).join(', ')
  throw badRequest(
    'invalidValue',
    `"sortBy" must name a sub-attribute of a complex attribute (${subAttributes}), found ${quote(sortBy)}`,
  )
}

/**
 * True if every resource has a value of the attribute: it is required, or part of `meta`, which the service provider
 * assigns (RFC 7643 §3.1).
 */
export function isAlwaysPresent({ path }: Sort): boolean {
  if (path === undefined) return false
  return path.steps[0].name === 'meta' || (path.steps.length === 1 && path.steps[0].required)
}

/** True if no two resources have the same value, so that the order needs no tie-breaker. */
export function isUnique({ path }: Sort): boolean {
  if (path === undefined || path.steps.length > 1) return false
  const attribute = target(path)
  return attribute.uniqueness === 'server' && (attribute.required || attribute.name === 'id')
}
