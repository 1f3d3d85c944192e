/**
 * Compares a recorded answer with that of another endpoint by meaning: status, schemas, attribute values, and the
 * scimType of errors. Ids, times, versions, addresses, the order of values and the words of messages may differ. Pure.
 */
import { isObject, type JsonObject, parseJson } from '../problem.ts'
import { type IdMap, resourcesOf } from './id-map.ts'
import { isDiscovery } from './scim-path.ts'

export interface Answer {
  readonly status: number
  readonly text: string
}

export interface ValueDifference {
  /** The attribute, "status" or "body". */
  readonly path: string
  readonly recorded: unknown
  readonly actual: unknown
}

/** Attributes that each endpoint determines for itself. */
const IGNORED = new Set(['id', 'meta', '$ref', 'detail', 'itemsPerPage', 'startIndex', 'status', 'groups'])

/** Of a member, only its id has a meaning of its own: RFC 7643 §4.2 makes `display` and `type` optional. */
const REFERENCES = new Set(['members', 'manager'])

export function compareAnswers(
  { method, path }: { readonly method: string; readonly path: string },
  recorded: Answer,
  actual: Answer,
  ids: IdMap,
): ValueDifference[] {
  const status = compareStatus(method, recorded.status, actual.status)
  if (status.length > 0 && isSuccess(recorded.status) !== isSuccess(actual.status)) return status
  const [before, after] = [parse(recorded.text), parse(actual.text)]
  if (isDiscovery(path) || !isObject(before)) return status
  // A PATCH may be answered without the resource (RFC 7644 §3.5.2).
  if (after === undefined && method === 'PATCH' && actual.text === '') return status
  if (!isObject(after))
    return [...status, { path: 'body', recorded: 'a JSON object', actual: describeBody(actual.text) }]
  if (!isSuccess(recorded.status))
    return [...status, ...compareValue('scimType', before.scimType, after.scimType, ids)]
  return [...status, ...compareBodies(before, after, ids)]
}

function compareStatus(method: string, recorded: number, actual: number): ValueDifference[] {
  const same = recorded === actual || (method === 'PATCH' && isSuccess(recorded) && isSuccess(actual))
  return same ? [] : [{ path: 'status', recorded, actual }]
}

function compareBodies(before: JsonObject, after: JsonObject, ids: IdMap): ValueDifference[] {
  const { Resources: _before, ...recorded } = before
  const { Resources: _after, ...actual } = after
  return [...compareObjects('', recorded, actual, ids), ...compareLists(before, after, ids)]
}

/** Resources are compared with those of the same id, in any order. */
function compareLists(before: JsonObject, after: JsonObject, ids: IdMap): ValueDifference[] {
  const found = new Map(resourcesOf(after).map((resource) => [resource.id, resource]))
  return resourcesOf(before).flatMap((resource, index) => {
    const path = `Resources[${index}]`
    const other = found.get(ids.get(String(resource.id)) ?? resource.id)
    if (other === undefined)
      return [{ path, recorded: resource.userName ?? resource.displayName, actual: undefined }]
    return compareObjects(`${path}.`, resource, other, ids)
  })
}

function compareObjects(
  prefix: string,
  before: JsonObject,
  after: JsonObject,
  ids: IdMap,
): ValueDifference[] {
  const actual = new Map(Object.entries(after).map(([name, value]) => [name.toLowerCase(), value]))
  const known = new Set(Object.keys(before).map((name) => name.toLowerCase()))
  const names = [
    ...Object.keys(before),
    ...Object.keys(after).filter((name) => !known.has(name.toLowerCase())),
  ]
  const recorded = new Map(Object.entries(before).map(([name, value]) => [name.toLowerCase(), value]))
  return names
    .filter((name) => !IGNORED.has(name))
    .flatMap((name) => {
      const [a, b] = [recorded.get(name.toLowerCase()), actual.get(name.toLowerCase())]
      if (name === 'schemas')
        return compareValue(prefix + name, usedSchemas(a, before), usedSchemas(b, after), ids)
      if (REFERENCES.has(name)) return compareValue(prefix + name, references(a), references(b), ids)
      return compareValue(prefix + name, a, b, ids)
    })
}

/** RFC 7643 §2.5: null, an empty list and a missing attribute are the same. */
function compareValue(path: string, before: unknown, after: unknown, ids: IdMap): ValueDifference[] {
  if (isObject(before) && isObject(after)) return compareObjects(`${path}.`, before, after, ids)
  if (canonical(ids.inBody(before)) === canonical(after)) return []
  return [{ path, recorded: before, actual: after }]
}

/** Extensions without a value need not be listed. */
function usedSchemas(schemas: unknown, resource: JsonObject): unknown {
  if (!Array.isArray(schemas)) return schemas
  return schemas.filter((urn) => !String(urn).includes(':extension:') || isObject(resource[urn]))
}

function references(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((element) => references(element))
  return isObject(value) ? value.value : value
}

/** One text for all values of the same meaning. */
function canonical(value: unknown): string {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0))
    return 'unassigned'
  if (Array.isArray(value)) return `[${value.map(canonical).toSorted().join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const entries = Object.entries(value).map(([name, part]) => [name.toLowerCase(), canonical(part)] as const)
  const assigned = entries.filter(([name, part]) => name !== '$ref' && part !== 'unassigned')
  return `{${assigned
    .map(([name, part]) => `${name}:${part}`)
    .toSorted()
    .join(',')}}`
}

function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299
}

/** @returns undefined if the text is not JSON */
export function parse(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

function describeBody(text: string): string {
  if (text === '') return 'no body'
  return parse(text) === undefined ? 'not JSON' : 'JSON that is not an object'
}
