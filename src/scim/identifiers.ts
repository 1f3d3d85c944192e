/**
 * The identifiers by which two resources of different sources turn out to be one identity. Pure: storage looks them up.
 */
import { type Complex, comparisonKey, isComplex, sameValue } from './comparison.ts'
import { nativeObjectIdPath } from './events.ts'
import { fold } from './fold.ts'
import { guidOf, spellingsOf } from './guid.ts'
import type { ResourceType } from './schema/definition.ts'
import { hasMembers, uniqueAttribute } from './schema/resource-type.ts'

/** An index in which a value is looked up: that of an identifier, or of the name of a group. */
export type IdentifierColumn = 'externalId' | 'nativeObjectId' | 'name'

/** A value to look up. Its JSON is the parameter of the statement. */
export interface IdentifierLookup {
  /** The kind of conflict if another resource has the value. */
  readonly kind: 'externalId' | 'nativeObjectId' | 'groupName'
  /** The identity: equal for all spellings of a GUID. */
  readonly key: string
  readonly column: IdentifierColumn
  /** In the comparison form of the column. */
  readonly value: string
}

/** The values of a resource to look up that it did not have before. @param before empty for a new resource */
export function newLookups(before: Complex, after: Complex, type: ResourceType): readonly IdentifierLookup[] {
  const known = lookupsOf(before, type)
  return lookupsOf(after, type).filter((lookup) => !known.some((one) => sameValue(one, lookup)))
}

function lookupsOf(resource: Complex, type: ResourceType): readonly IdentifierLookup[] {
  const { externalId } = resource
  const nativeObjectId = nativeObjectIdOf(resource, type)
  const name = hasMembers(type) ? resource[type.nameAttribute] : undefined
  return [
    ...(typeof externalId === 'string' ? lookupsOfExternalId(externalId) : []),
    ...(typeof nativeObjectId === 'string' ? lookupsOfNativeObjectId(nativeObjectId) : []),
    ...(typeof name === 'string'
      ? [{ kind: 'groupName', key: fold(name), column: 'name', value: fold(name) } as const]
      : []),
  ]
}

/** The nativeObjectId of a resource; undefined if its type has none. */
function nativeObjectIdOf(resource: Complex, type: ResourceType): unknown {
  const path = nativeObjectIdPath(type)
  const extension = path === undefined ? undefined : resource[path[0]]
  return path !== undefined && isComplex(extension) ? extension[path[1]] : undefined
}

function lookupsOfExternalId(externalId: string): readonly IdentifierLookup[] {
  const guid = guidOf(externalId)
  if (guid === undefined)
    return [{ kind: 'externalId', key: externalId, column: 'externalId', value: externalId }]
  return [...inExternalIds('externalId', guid), ...inNativeObjectIds(guid)]
}

function lookupsOfNativeObjectId(nativeObjectId: string): readonly IdentifierLookup[] {
  const guid = guidOf(nativeObjectId)
  if (guid !== undefined) return [...inNativeObjectIds(guid), ...inExternalIds('nativeObjectId', guid)]
  const key = fold(nativeObjectId)
  return [{ kind: 'nativeObjectId', key, column: 'nativeObjectId', value: key }]
}

function inExternalIds(kind: IdentifierLookup['kind'], guid: string): readonly IdentifierLookup[] {
  return spellingsOf(guid).map((value) => ({ kind, key: guid, column: 'externalId', value }))
}

/** Folded, as nativeObjectId is not caseExact: two spellings may be the same then. */
function inNativeObjectIds(guid: string): readonly IdentifierLookup[] {
  const values = new Set(spellingsOf(guid).map(fold))
  return Array.from(values, (value) => ({
    kind: 'nativeObjectId',
    key: guid,
    column: 'nativeObjectId',
    value,
  }))
}

/** The keys of a resource by which a conflict of a kind is found: see IdentifierLookup. */
export function identityKeys(
  resource: Complex,
  type: ResourceType,
  kind: IdentifierLookup['kind'] | 'uniqueness' | 'email',
): readonly string[] {
  if (kind === 'email') return primaryEmails(resource).map(fold)
  if (kind === 'uniqueness') {
    const unique = uniqueAttribute(type)
    const value = unique && resource[unique.name]
    return unique !== undefined && typeof value === 'string' ? [String(comparisonKey(unique, value))] : []
  }
  const keys = lookupsOf(resource, type).filter((lookup) => kind !== 'groupName' || lookup.kind === kind)
  return keys.map(({ key }) => key)
}

/** The primary e-mail address, or the first one; empty if there is none. */
function primaryEmails({ emails }: Complex): readonly string[] {
  const all = Array.isArray(emails) ? emails.filter(isComplex) : []
  const email = (all.find(({ primary }) => primary === true) ?? all[0])?.value
  return typeof email === 'string' ? [email] : []
}
