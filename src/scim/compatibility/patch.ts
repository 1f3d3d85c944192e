/**
 * Deviations in a PATCH (RFC 7644 §3.5.2). One named function for each, with what is sent, by whom, and where that is
 * documented or was seen. The deviations in the values of a PATCH are in values.ts, and that of a PATCH which disables
 * a user is in disabling.ts. test/scim/compatibility/patch.test.ts has the cases.
 */
import { resolveAttributePath } from '../attribute-path.ts'
import type { Complex } from '../comparison.ts'
import { badRequest, quote, type ScimError } from '../error.ts'
import type { Filter } from '../filter/ast.ts'
import { type PatchPath, parsePath } from '../path.ts'
import type { Profile } from '../profile.ts'
import type { CollectingReading } from '../reading.ts'
import type { Attribute } from '../schema/definition.ts'
import { ignoreUnknown, namedAttribute } from './values.ts'

/**
 * `readsOpInAnyCase`: Entra's old dialect writes `Add`, `Replace`, `Remove`. RFC 7644 §3.5.2 has them in lower case.
 *
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility
 */
export function lowerCaseOp(op: string, { deviations }: Profile): string {
  return deviations.readsOpInAnyCase ? op.toLowerCase() : op
}

/** `allowsNoOperations`: Microsoft's validator sends an empty list. RFC 7644 §3.5.2 has "one or more PATCH operations". */
export function lacksOperations(operations: readonly unknown[], { deviations }: Profile): boolean {
  return operations.length === 0 && !deviations.allowsNoOperations
}

/**
 * `readsEmptyPathAsNone`: serialisers write "" for a member that is not set. RFC 7644 §3.5.2 has no empty path; null is
 * the same as none (RFC 7643 §2.5).
 */
export function hasPath(path: string | null | undefined, { deviations }: Profile): path is string {
  return path !== undefined && path !== null && !(path === '' && deviations.readsEmptyPathAsNone)
}

/**
 * The key of a PATCH value without a path. RFC 7644 §3.5.2.1 has a set of attributes there, as in a whole resource. With
 * the flag `aadOptscim062020` Entra sends flat keys, which are paths (`readsPathsFromKeys`): `name.givenName`,
 * `urn:…:User:nativeObjectId`, `emails[type eq "work"].value`.
 *
 * @returns undefined for an attribute that the resource type does not have: unknown in a value, it is ignored
 * @throws {ScimError} invalidPath for a path; invalidValue for an unknown attribute; and what parsePath throws
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility
 */
export function pathFromKey(key: string, reading: CollectingReading): PatchPath | undefined {
  const { type, profile } = reading
  const [name = ''] = key.split('[', 1)
  if (resolveAttributePath(name.trim(), type) === undefined) {
    ignoreUnknown(key, reading)
    return undefined
  }
  if (!profile.deviations.readsPathsFromKeys && namedAttribute(key, type) === undefined) {
    throw badRequest('invalidPath', `key ${quote(key)} is a path, which only "path" may hold`)
  }
  return parsePath(key, reading)
}

/**
 * `ignoresReadOnlyKeys`: Okta renames a group by a value that holds its `id` beside the new name. RFC 7643 §2.2 has
 * read-only attributes ignored in a whole resource; RFC 7644 §3.5.2 answers `mutability` to a PATCH that modifies one.
 *
 * @returns whether the attribute is set
 * @throws {ScimError} mutability
 * @see https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20
 * @see https://github.com/Metatavu/keycloak-scim-server/pull/113
 */
export function isSetByKey(
  { text, path, subAttribute }: PatchPath,
  { profile: { deviations } }: CollectingReading,
): boolean {
  // What "schemas" holds follows from the other attributes.
  if (path.steps[0].name === 'schemas') return false
  const steps = subAttribute === undefined ? path.steps : [...path.steps, subAttribute]
  if (steps.every(({ mutability }) => mutability !== 'readOnly')) return true
  if (deviations.ignoresReadOnlyKeys) return false
  throw badRequest('mutability', `attribute "${text}" is read-only, so it cannot be changed`)
}

/**
 * `unwrapsPatchValues`: a single value in a list of one. The client of SCIM-SDK wraps every value of a PATCH, that of an
 * operation without a path too. For single-valued attributes only. A longer list, and one of null or "", stays as it
 * is, and is refused.
 *
 * @see https://github.com/Captain-P-Goldfish/SCIM-SDK/issues/968
 */
export function fromSingletonList(value: unknown, { deviations }: Profile): unknown {
  if (!deviations.unwrapsPatchValues || !Array.isArray(value) || value.length !== 1) return value
  return value[0] === null || value[0] === '' ? value : value[0]
}

/**
 * `wrapsSingleValues`: a multi-valued attribute with one value that is not in an array. Microsoft's test collection
 * sends members as an object or a string.
 *
 * @see https://github.com/AzureAD/SCIMReferenceCode
 */
export function arrayFromSingle(attribute: Attribute, value: unknown, { deviations }: Profile): unknown {
  if (!deviations.wrapsSingleValues || !attribute.multiValued) return value
  return value === null || value === undefined || Array.isArray(value) ? value : [value]
}

/**
 * `removesGivenValues`: in Entra's old dialect, `Remove` with path `members` and the ids in `value` means these members.
 * RFC 7644 §3.5.2.2 has no value here. It is refused without the deviation and not left out, because the operation
 * would then remove all members.
 *
 * @param text the path, for the message
 * @returns the elements to remove, or undefined when the operation means the whole attribute
 * @throws {ScimError} invalidValue: the value is not compatible with the operation (RFC 7644 §3.12 table 9)
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility
 */
export function removedElements(
  value: unknown,
  text: string,
  { deviations }: Profile,
): readonly unknown[] | undefined {
  if (value === undefined || value === null) return undefined
  if (!deviations.removesGivenValues) {
    throw badRequest('invalidValue', `"remove" of "${text}" takes no value: select values in the path`)
  }
  return Array.isArray(value) ? value : [value]
}

/**
 * `removesAbsentValues`: Entra repeats a removal that it got no answer to, and counts it as failed when it is refused. RFC 7644 §3.12 table 9 answers `noTarget` to a path whose filter selects nothing.
 *
 * @throws {ScimError} noTarget
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups
 */
export function requireRemoved(count: number, text: string, { deviations }: Profile): void {
  if (count === 0 && !deviations.removesAbsentValues) throw noTarget(text)
}

/**
 * `createsSelectedValues`: Entra adds or replaces `emails[type eq "work"].value` when there is no such element and
 * expects it to be made; RFC 7644 §3.5.2.3 answers `noTarget`. Made only for the filters that Entra writes: a
 * conjunction of `eq` on `type` with a canonical value, or on `primary`. Any other filter that selects nothing stays a
 * `noTarget`.
 *
 * @returns the sub-attributes of the new element, or undefined when the filter does not describe one
 * @see https://github.com/Captain-P-Goldfish/SCIM-SDK/issues/416
 */
export function elementFromFilter(filter: Filter, profile: Profile): Complex | undefined {
  return profile.deviations.createsSelectedValues ? describedBy(filter) : undefined
}

function describedBy(filter: Filter): Complex | undefined {
  if (filter.kind === 'and') {
    const parts = filter.operands.map(describedBy)
    return parts.includes(undefined) ? undefined : Object.assign({}, ...parts)
  }
  if (filter.kind !== 'comparison' || filter.operator !== 'eq') return undefined
  const [step] = filter.path.steps
  if (step.type === 'boolean' && filter.key === true) return { [step.name]: true }
  if (step.name !== 'type') return undefined
  const known = step.canonicalValues
  const type = known === undefined ? filter.value : known.find((value) => value === filter.key)
  return type === undefined ? undefined : { type }
}

/**
 * `mergesSelectedValues`: clients replace `emails[type eq "work"]` by `{"value": …}` and expect it to stay the one of
 * that type. RFC 7644 §3.5.2.3: "all matching record values SHALL be replaced", so what the value does not name goes.
 */
export function isReplacedAsAWhole(op: string, { deviations }: Profile): boolean {
  return op === 'replace' && !deviations.mergesSelectedValues
}

/** RFC 7644 §3.12 table 9. @param text the path */
export function noTarget(text: string): ScimError {
  return badRequest('noTarget', `path "${text}" selects no value`)
}
