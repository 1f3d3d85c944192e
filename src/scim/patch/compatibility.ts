/**
 * What identity providers send that RFC 7643 and RFC 7644 do not have: one named function for each
 * deviation, with who sends it and where that is documented or was seen. Nothing else in the core knows
 * of any client.
 */
import { resolveAttributePath } from '../attribute-path.ts'
import { type Complex, isComplex } from '../comparison.ts'
import type { Filter } from '../filter/ast.ts'
import { parseJson } from '../json.ts'
import type { Attribute, ResourceType } from '../schema/definition.ts'
import { findAttribute } from '../schema/lookup.ts'
import { isExtension } from '../schema/resource-type.ts'
import { ERROR_UNITS, JSON_UNITS, Work } from '../work.ts'

/**
 * Entra's old dialect writes `Add`, `Replace`, `Remove`; RFC 7644 §3.5.2 has them in lower case.
 *
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility
 */
export function lowerCaseOp(op: string): string {
  return op.toLowerCase()
}

/**
 * Entra sends `active` as the strings "True" and "False". Any boolean is read in this form, since the
 * expressions of attribute mappings yield strings.
 *
 * @returns the boolean, or the value as it was
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility
 */
export function booleanFromText(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const lower = value.toLowerCase()
  return lower === 'true' ? true : lower === 'false' ? false : value
}

/**
 * A complex attribute given in short: Entra sends `manager` as a plain string, as `{"value": ""}` to
 * clear it, or as an array of one; Microsoft's test collection sends a member as a plain string, and
 * app role assignments arrive as JSON text.
 *
 * @param work counts what JSON texts cost: they are read again here
 * @returns an object, null for an empty reference, or the value as it was when none of these applies
 * @see https://github.com/pond/scimitar/issues/48 and https://learn.microsoft.com/entra/identity/app-provisioning/customize-application-attributes
 */
export function complexFromShorthand(attribute: Attribute, value: unknown, work = new Work()): unknown {
  const hasValue = findAttribute(attribute.subAttributes ?? [], 'value') !== undefined
  if (!hasValue) return value
  if (!attribute.multiValued && Array.isArray(value) && value.length <= 1) {
    return complexFromShorthand(attribute, value[0] ?? null, work)
  }
  if (typeof value === 'string') return value === '' ? null : (objectFromText(value, work) ?? { value })
  if (isComplex(value) && attribute.name === 'roles') return roleFromText(value, work)
  // A single reference with an empty value is an empty reference.
  if (!attribute.multiValued && isComplex(value) && value.value === '') return null
  return value
}

/**
 * Entra's app role assignments, which are sent as `roles` with the role as JSON text inside the value of each element:
 * `[{"value": "{\"id\":…,\"value\":\"Admin\",…}"}]`. Other attributes keep a text that happens to be JSON.
 *
 * @returns the role with what else the element holds, or the element as it was
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/customize-application-attributes
 */
export function roleFromText(element: Complex, work = new Work()): Complex {
  const role = typeof element.value === 'string' ? objectFromText(element.value, work) : undefined
  return typeof role?.value === 'string' ? { ...element, ...role } : element
}

/** Within the bounds of a body, or the text would be a way around them. */
function objectFromText(text: string, work: Work): Complex | undefined {
  if (!text.startsWith('{')) return undefined
  work.spend(text.length * JSON_UNITS)
  try {
    const parsed = parseJson(text)
    return isComplex(parsed) ? parsed : undefined
  } catch {
    work.spend(ERROR_UNITS)
    return undefined // No JSON, or more than JSON of a client may be: then the text is the value itself.
  }
}

/**
 * The key of a whole resource in the forms that are sent: the name of an attribute; `name.givenName` and
 * `urn:…:User:nativeObjectId`, Entra's flat keys with the flag `aadOptscim062020`.
 *
 * @returns the top-level attribute, and `wrap` which puts a value under it; undefined when unknown
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility
 */
export function qualifiedKey(
  key: string,
  type: ResourceType,
): { attribute: Attribute; wrap: (value: unknown) => unknown } | undefined {
  const path = resolveAttributePath(key, type)
  if (path === undefined) return undefined
  const [attribute, ...inner] = path.steps
  // A flat key into a multi-valued attribute names no element of it.
  if (attribute.multiValued && inner.length > 0) return undefined
  const wrap = (value: unknown) => inner.reduceRight((wrapped, step) => ({ [step.name]: wrapped }), value)
  return { attribute, wrap }
}

/**
 * Whether a key of a PATCH value without a path names something. With the flag `aadOptscim062020` Entra sends flat keys,
 * which are paths: `name.givenName`, `urn:…:User:nativeObjectId`, `emails[type eq "work"].value`.
 *
 * @returns false for an attribute that the resource type does not have: unknown in a value, it is ignored
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility
 */
export function isKnownKey(key: string, type: ResourceType): boolean {
  const [name = ''] = key.split('[', 1)
  return resolveAttributePath(name.trim(), type) !== undefined
}

/**
 * A single value in a list of one: the client of SCIM-SDK wraps every value of a PATCH, that of an operation without a
 * path too. For single-valued attributes only. A longer list, and one of null or "", stays as it is, and is refused.
 *
 * @see https://github.com/Captain-P-Goldfish/SCIM-SDK/issues/968
 */
export function fromSingletonList(value: unknown): unknown {
  const isWrapped = Array.isArray(value) && value.length === 1 && value[0] !== null && value[0] !== ''
  return isWrapped ? value[0] : value
}

/**
 * `attributes` and `excludedAttributes` of a SearchRequest as one text, as the query parameters have them: names with
 * commas between them. The client of SCIM-SDK sent them so until July 2024, and Gluu's client did. RFC 7644 §3.4.3 has a
 * list.
 *
 * @returns the names, or the value as it was
 * @see https://github.com/Captain-P-Goldfish/SCIM-SDK/issues/690 and https://github.com/GluuFederation/SCIM-Client/issues/59
 */
export function namesFromText(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const names = value.split(',').map((name) => name.trim())
  return names.filter((name) => name !== '')
}

/**
 * `externalId` as a number: clients that use an employee number, or the key of a table, send it as they hold it. RFC 7643
 * §3.1 has a string. A number that JSON does not carry exactly stays as it is, and is refused: it would be another key.
 *
 * @returns the text, or the value as it was
 */
export function externalIdFromNumber(attribute: Attribute, value: unknown): unknown {
  return attribute.name === 'externalId' && Number.isSafeInteger(value) ? String(value) : value
}

/**
 * The `failOnErrors` of a bulk request. Clients that hold it as a plain integer send 0 where nobody set a limit, and WSO2
 * Charon reads it so; others send null. RFC 7644 §3.7 does not say what 0 means.
 *
 * @returns undefined for no limit, or the value as it was
 * @see https://github.com/wso2/charon
 */
export function errorLimit(failOnErrors: unknown): unknown {
  return failOnErrors === null || failOnErrors === 0 ? undefined : failOnErrors
}

/**
 * Entra adds or replaces `emails[type eq "work"].value` when there is no such element and expects it to
 * be made; RFC 7644 §3.5.2.3 answers `noTarget`. Made only for the filters that Entra writes: a
 * conjunction of `eq` on `type` with a canonical value, or on `primary`. Any other filter that selects
 * nothing stays a `noTarget`.
 *
 * @returns the sub-attributes of the new element, or undefined when the filter does not describe one
 * @see https://github.com/Captain-P-Goldfish/SCIM-SDK/issues/416
 */
export function elementFromFilter(filter: Filter): Complex | undefined {
  if (filter.kind === 'and') {
    const parts = filter.operands.map(elementFromFilter)
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
 * Old dialect: `Remove` with path `members` and the ids in `value` means these members. RFC 7644
 * §3.5.2.2 has no value here and would remove all of them, which would empty the group.
 *
 * @returns the elements to remove, or undefined when the operation means the whole attribute
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility
 */
export function removedElements(value: unknown): readonly unknown[] | undefined {
  if (value === undefined || value === null) return undefined
  return Array.isArray(value) ? value : [value]
}

/**
 * A multi-valued attribute with one value that is not in an array: Microsoft's test collection sends
 * members as an object or a string.
 *
 * @see https://github.com/AzureAD/SCIMReferenceCode
 */
export function arrayFromSingle(attribute: Attribute, value: unknown): unknown {
  return attribute.multiValued && value !== null && value !== undefined && !Array.isArray(value)
    ? [value]
    : value
}

/**
 * Entra clears an attribute by replacing it with an empty string; RFC 7643 §2.5 knows null and [] for it.
 * An extension or a complex attribute is cleared by null alone.
 *
 * @see https://github.com/Captain-P-Goldfish/SCIM-SDK/pull/653
 */
export function isUnassigned(attribute: Attribute, value: unknown): boolean {
  if (value === null || value === undefined) return true
  if (Array.isArray(value)) return attribute.multiValued && value.length === 0
  return value === '' && !attribute.multiValued && !isExtension(attribute)
}
