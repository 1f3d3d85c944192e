/**
 * Parses list requests: the query parameters of a GET, and the equivalent SearchRequest message of POST /.search
 * (RFC 7644 §3.4.2, §3.4.3; RFC 9865 §2 for cursors).
 */
import type { Complex } from './comparison.ts'
import {
  isAllowedNumber,
  namesFromText,
  requireNames,
  requireOneProjection,
  withoutEmpty,
} from './compatibility/lists.ts'
import { badRequest, kindOf } from './error.ts'
import type { Filter } from './filter/ast.ts'
import { parseFilter } from './filter/parser.ts'
import { resolveFilter } from './filter/resolve.ts'
import { type PageRequest, parseCursorCount, parsePageRequest } from './list-response.ts'
import { member, requireMessage } from './message.ts'
import type { Profile } from './profile.ts'
import { type Projection, parseProjection } from './projection.ts'
import type { ResourceType } from './schema/definition.ts'
import { parseSort, type Sort } from './sort.ts'
import { SEARCH_REQUEST } from './urn.ts'

/** The parameters as the client sent them. Numbers may be text. */
export interface ListParameters {
  readonly filter?: string | undefined
  readonly sortBy?: string | undefined
  readonly sortOrder?: string | undefined
  readonly startIndex?: unknown
  readonly count?: unknown
  /** Empty for the first page of cursor-based pagination; undefined for index-based pagination. */
  readonly cursor?: string | undefined
  readonly attributes?: readonly string[] | undefined
  readonly excludedAttributes?: readonly string[] | undefined
}

/** The part of a list that concerns one resource type. */
export interface ListSource<Type extends ResourceType> {
  readonly type: Type
  readonly filter: Filter | undefined
  readonly sort: Sort | undefined
  readonly projection: Projection
}

/** A validated list request. */
export interface ListRequest<Type extends ResourceType> {
  /** One for each resource type. All have the same sort order. */
  readonly sources: readonly ListSource<Type>[]
  readonly page: ({ readonly kind: 'index' } & PageRequest) | CursorPageRequest
}

export interface CursorPageRequest {
  readonly kind: 'cursor'
  readonly cursor: string
  readonly count: number
  /** Identifies the query. It must not change between the pages. */
  readonly identity: string
}

/**
 * Validates the parameters of a list request.
 *
 * @throws {ScimError} invalidFilter, invalidValue, invalidCount
 */
export function parseListRequest<Type extends ResourceType>(
  parameters: ListParameters,
  types: readonly Type[],
  profile: Profile,
): ListRequest<Type> {
  const { sortBy, sortOrder, cursor, attributes, excludedAttributes } = parameters
  requireOneProjection(attributes, excludedAttributes, profile)
  const filterText = withoutEmpty(parameters.filter, profile)
  const startIndex = withoutEmpty(parameters.startIndex, profile)
  const count = withoutEmpty(parameters.count, profile)
  const expression = filterText === undefined ? undefined : parseFilter(filterText, profile)
  const sorts = parseSort(sortBy, sortOrder, types, profile)
  // RFC 7644 §3.4.2.1: across types, an attribute that a type does not have counts as an attribute without a value.
  const unknown = types.length > 1 ? 'no-value' : 'refuse'
  return {
    sources: types.map((type, i) => ({
      type,
      filter: expression && resolveFilter(expression, type, profile, unknown),
      sort: sorts?.[i],
      projection: parseProjection(attributes, excludedAttributes, type),
    })),
    page:
      cursor === undefined
        ? { kind: 'index', ...parsePageRequest(startIndex, count, profile) }
        : {
            kind: 'cursor',
            cursor,
            count: parseCursorCount(count, profile),
            identity: JSON.stringify([types.map((type) => type.name), filterText, sortBy, sortOrder]),
          },
  }
}

/**
 * Reads the parameters from a SearchRequest message.
 *
 * @throws {ScimError} invalidSyntax if the body is not a SearchRequest; invalidValue if a member has the wrong type
 */
export function parseSearchRequest(body: unknown, profile: Profile): ListParameters {
  const message = requireMessage(body, SEARCH_REQUEST, profile)
  return {
    filter: text(message, 'filter'),
    sortBy: text(message, 'sortBy'),
    sortOrder: text(message, 'sortOrder'),
    startIndex: number(message, 'startIndex', profile),
    count: number(message, 'count', profile),
    cursor: text(message, 'cursor'),
    attributes: names(message, 'attributes', profile),
    excludedAttributes: names(message, 'excludedAttributes', profile),
  }
}

function text(message: Complex, name: string): string | undefined {
  const value = member(message, name)
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined
  throw badRequest('invalidValue', `"${name}" must be a string, found ${kindOf(value)}`)
}

/** @returns the value as sent, which parseListRequest validates */
function number(message: Complex, name: string, profile: Profile): unknown {
  const value = member(message, name)
  if (isAllowedNumber(value, profile)) return value
  throw badRequest('invalidValue', `"${name}" must be an integer, found ${kindOf(value)}`)
}

function names(message: Complex, name: string, profile: Profile): readonly string[] | undefined {
  const value = member(message, name)
  if (value === undefined || value === null) return undefined
  const list = namesFromText(value, profile)
  if (Array.isArray(list) && list.every((element) => typeof element === 'string')) {
    requireNames(name, list, profile)
    return list.length === 0 ? undefined : list
  }
  throw badRequest('invalidValue', `"${name}" must be an array of strings, found ${kindOf(value)}`)
}
