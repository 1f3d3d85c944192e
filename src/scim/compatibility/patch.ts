/**
 * Deviations in a PATCH (RFC 7644 §3.5.2). Each has one function, whose comment names the client, what it sends, and the
 * source. Deviations in values are in values.ts, and the one for disabling a user is in disabling.ts. Tested in
 * test/scim/compatibility/patch.test.ts.
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
 * `readsOpInAnyCase`: Entra's old dialect sends `Add`, `Replace` and `Remove`. RFC 7644 §3.5.2 specifies lower case.
 *
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility
 */
export function lowerCaseOp(op: string, { deviations }: Profile): string {
  return deviations.readsOpInAnyCase ? op.toLowerCase() : op
}

/** `allowsNoOperations`: Microsoft's validator sends an empty list. RFC 7644 §3.5.2 requires "one or more PATCH operations". */
export function lacksOperations(operations: readonly unknown[], { deviations }: Profile): boolean {
  return operations.length === 0 && !deviations.allowsNoOperations
}

/**
 * `readsEmptyPathAsNone`: serializers write "" for a missing path. RFC 7644 §3.5.2 does not allow an empty path. Null means
 * no value (RFC 7643 §2.5).
 */
export function hasPath(path: string | null | undefined, { deviations }: Profile): path is string {
  return path !== undefined && path !== null && !(path === '' && deviations.readsEmptyPathAsNone)
}

/**
 * A key in the value of an operation without a path. RFC 7644 §3.5.2.1 specifies attribute names, as in a whole resource.
 * `readsPathsFromKeys`: with the flag `aadOptscim062020`, Entra sends paths as keys: `name.givenName`,
 * `urn:…:User:nativeObjectId`, `emails[type eq "work"].value`.
 *
 * @returns undefined for an unknown attribute, which is ignored
 * @throws {ScimError} invalidPath for a path; invalidValue for an unknown attribute; errors of parsePath
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
    throw badRequest(
      'invalidPath',
      `key ${quote(key)} is a path and must be sent as the "path" of an operation`,
    )
  }
  return parsePath(key, reading)
}

/**
 * `ignoresReadOnlyKeys`: Okta renames a group with a value that contains its `id` and the new name. RFC 7643 §2.2: read-only
 * attributes of a whole resource are ignored. RFC 7644 §3.5.2: a PATCH of one fails with `mutability`.
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
  // "schemas" is derived from the other attributes.
  if (path.steps[0].name === 'schemas') return false
  const steps = subAttribute === undefined ? path.steps : [...path.steps, subAttribute]
  if (steps.every(({ mutability }) => mutability !== 'readOnly')) return true
  if (deviations.ignoresReadOnlyKeys) return false
  throw badRequest('mutability', `attribute "${text}" is read-only and cannot be changed`)
}

/**
 * `unwrapsPatchValues`: a single value as a list with one element. The client of SCIM-SDK wraps all values of a PATCH,
 * including those of operations without a path. Applies only to single-valued attributes. A longer list, or a list of null
 * or "", is not unwrapped and is rejected later.
 *
 * @see https://github.com/Captain-P-Goldfish/SCIM-SDK/issues/968
 */
export function fromSingletonList(value: unknown, { deviations }: Profile): unknown {
  if (!deviations.unwrapsPatchValues || !Array.isArray(value) || value.length !== 1) return value
  return value[0] === null || value[0] === '' ? value : value[0]
}

/**
 * `wrapsSingleValues`: one value of a multi-valued attribute without an array. Microsoft's test collection sends a member
 * as an object or a string.
 *
 * @see https://github.com/AzureAD/SCIMReferenceCode
 */
export function arrayFromSingle(attribute: Attribute, value: unknown, { deviations }: Profile): unknown {
  if (!deviations.wrapsSingleValues || !attribute.multiValued) return value
  return value === null || value === undefined || Array.isArray(value) ? value : [value]
}

/**
 * `removesGivenValues`: in Entra's old dialect, `Remove` with the path `members` and ids in `value` removes these members.
 * RFC 7644 §3.5.2.2 specifies no value for remove. Without the deviation the operation is rejected: ignoring the value
 * would remove all members.
 *
 * @param text the path, for the error message
 * @returns the elements to remove; undefined if the operation removes the whole attribute
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
    throw badRequest('invalidValue', `"remove" of "${text}" must not have a value; select values in the path`)
  }
  return Array.isArray(value) ? value : [value]
}

/**
 * `removesAbsentValues`: Entra repeats a removal if it gets no response, and reports a failure if the repetition is
 * rejected. RFC 7644 §3.12 table 9 specifies `noTarget` for a path whose filter selects nothing.
 *
 * @throws {ScimError} noTarget
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups
 */
export function requireRemoved(count: number, text: string, { deviations }: Profile): void {
  if (count === 0 && !deviations.removesAbsentValues) throw noTarget(text)
}

/**
 * `createsSelectedValues`: Entra adds or replaces `emails[type eq "work"].value` and expects the element to be created if
 * it does not exist. RFC 7644 §3.5.2.3 specifies `noTarget`. Supported only for the filters that Entra sends: a
 * conjunction of `eq` on `type` with a canonical value, or on `primary`. Other filters that select nothing still fail.
 *
 * @returns the sub-attributes of the new element; undefined if the filter does not describe one
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
 * `mergesSelectedValues`: clients replace `emails[type eq "work"]` by `{"value": …}` and expect the type to be kept.
 * RFC 7644 §3.5.2.3: "all matching record values SHALL be replaced", so sub-attributes that are not sent are removed.
 */
export function isReplacedAsAWhole(op: string, { deviations }: Profile): boolean {
  return op === 'replace' && !deviations.mergesSelectedValues
}

/** RFC 7644 §3.12 table 9. @param text the path */
export function noTarget(text: string): ScimError {
  return badRequest('noTarget', `path "${text}" does not match any value`)
}
