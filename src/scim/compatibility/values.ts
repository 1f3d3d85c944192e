/**
 * Deviations in the values of a resource, in the body of POST and PUT and in the values of a PATCH alike (RFC 7643 §2,
 * §3, §8). One named function for each, with what is sent, by whom, and where that is documented or was seen.
 * test/scim/compatibility/values.test.ts has the cases.
 */
import { resolveAttributePath } from '../attribute-path.ts'
import { type Complex, isComplex } from '../comparison.ts'
import { badRequest, quote } from '../error.ts'
import { noteIgnored } from '../ignored.ts'
import { parseJson } from '../json.ts'
import type { Profile } from '../profile.ts'
import type { CollectingReading, Reading } from '../reading.ts'
import type { Attribute, ResourceType } from '../schema/definition.ts'
import { findAttribute } from '../schema/lookup.ts'
import { isExtension } from '../schema/resource-type.ts'
import { ACTIVE, LEFT_OUT, USER } from '../schema/user.ts'
import { ERROR_UNITS, JSON_UNITS, type Work } from '../work.ts'

/**
 * `readsBooleansFromText`: Entra sends `active` as the strings "True" and "False". Any boolean is read in this form,
 * since the expressions of attribute mappings yield strings.
 *
 * @returns the boolean, or the value as it was
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility
 */
export function booleanFromText(value: unknown, { deviations }: Profile): unknown {
  if (!deviations.readsBooleansFromText || typeof value !== 'string') return value
  const lower = value.toLowerCase()
  return lower === 'true' ? true : lower === 'false' ? false : value
}

/**
 * A complex attribute given in short. Entra sends `manager` as a plain string (`readsReferencesFromText`), as
 * `{"value": ""}` to clear it (`readsEmptyTextAsNoReference`), or as an array of one (`readsComplexFromList`).
 * Microsoft's test collection sends a member as a plain string, and app role assignments arrive as JSON text
 * (`readsObjectsFromJsonText`).
 *
 * @returns an object, null for an empty reference, or the value as it was when none of these applies
 * @see https://github.com/pond/scimitar/issues/48
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/customize-application-attributes
 */
export function complexFromShorthand(
  attribute: Attribute,
  value: unknown,
  reading: Pick<Reading, 'profile' | 'work'>,
): unknown {
  const { deviations } = reading.profile
  const hasValue = findAttribute(attribute.subAttributes ?? [], 'value') !== undefined
  if (!hasValue) return value
  if (!attribute.multiValued && Array.isArray(value) && value.length <= 1) {
    if (!deviations.readsComplexFromList) return value
    return complexFromShorthand(attribute, value[0] ?? null, reading)
  }
  if (typeof value === 'string') return complexFromText(value, reading)
  if (isComplex(value) && attribute.name === 'roles') return roleFromText(value, reading)
  // A single reference with an empty value is an empty reference.
  if (deviations.readsEmptyTextAsNoReference && !attribute.multiValued && isComplex(value)) {
    return value.value === '' ? null : value
  }
  return value
}

function complexFromText(text: string, reading: Pick<Reading, 'profile' | 'work'>): unknown {
  const { deviations } = reading.profile
  if (text === '') return deviations.readsEmptyTextAsNoReference ? null : text
  return objectFromText(text, reading) ?? (deviations.readsReferencesFromText ? { value: text } : text)
}

/**
 * `readsObjectsFromJsonText`: Entra's app role assignments, which are sent as `roles` with the role as JSON text inside
 * the value of each element: `[{"value": "{\"id\":…,\"value\":\"Admin\",…}"}]`. Other attributes keep a text that
 * happens to be JSON.
 *
 * @returns the role with what else the element holds, or the element as it was
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/customize-application-attributes
 */
export function roleFromText(element: Complex, reading: Pick<Reading, 'profile' | 'work'>): Complex {
  const role = typeof element.value === 'string' ? objectFromText(element.value, reading) : undefined
  return typeof role?.value === 'string' ? { ...element, ...role } : element
}

/** Within the bounds of a body, or the text would be a way around them. */
function objectFromText(
  text: string,
  { profile, work }: { readonly profile: Profile; readonly work: Work },
): Complex | undefined {
  if (!profile.deviations.readsObjectsFromJsonText || !text.startsWith('{')) return undefined
  work.spend(text.length * JSON_UNITS)
  try {
    const parsed = parseJson(text)
    return isComplex(parsed) ? parsed : undefined
  } catch {
    work.spend(ERROR_UNITS)
    return undefined // Not JSON, or more than JSON of a client may be: then the text is the value itself.
  }
}

/**
 * `readsExternalIdFromNumber`: clients that use an employee number, or the key of a table, send `externalId` as they
 * hold it. RFC 7643 §3.1 has a string. A number that JSON does not carry exactly stays as it is, and is refused: it
 * would be another key.
 *
 * @returns the text, or the value as it was
 */
export function externalIdFromNumber(attribute: Attribute, value: unknown, { deviations }: Profile): unknown {
  if (!deviations.readsExternalIdFromNumber || attribute.name !== 'externalId') return value
  return Number.isSafeInteger(value) ? String(value) : value
}

/**
 * The key of a whole resource. An attribute name, or the URN of an extension; with `readsQualifiedKeys` also a path:
 * `name.givenName` and `urn:…:User:nativeObjectId`, Entra's flat keys with the flag `aadOptscim062020`.
 *
 * @returns the top-level attribute, and `wrap` which puts a value under it; undefined when unknown
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility
 */
export function qualifiedKey(
  key: string,
  type: ResourceType,
  { deviations }: Profile,
): { attribute: Attribute; wrap: (value: unknown) => unknown } | undefined {
  const path = deviations.readsQualifiedKeys ? resolveAttributePath(key, type) : namedAttribute(key, type)
  if (path === undefined) return undefined
  const [attribute, ...inner] = path.steps
  // A flat key into a multi-valued attribute names no element of it.
  if (attribute.multiValued && inner.length > 0) return undefined
  const wrap = (value: unknown) => inner.reduceRight((wrapped, step) => ({ [step.name]: wrapped }), value)
  return { attribute, wrap }
}

/** RFC 7643 §2.1, §3.3: a key is the name of an attribute, or the URN of an extension. */
export function namedAttribute(
  key: string,
  type: ResourceType,
): { steps: readonly [Attribute, ...Attribute[]] } | undefined {
  const attribute = findAttribute(type.attributes, key)
  return attribute && { steps: [attribute] }
}

/**
 * `readsEmptyTextAsUnassigned`: Entra clears an attribute by replacing it with an empty string. RFC 7643 §2.5 has null
 * and [] for it, which hold in every profile. An extension or a complex attribute is cleared by null alone.
 *
 * @see https://github.com/Captain-P-Goldfish/SCIM-SDK/pull/653
 */
export function isUnassigned(attribute: Attribute, value: unknown, { deviations }: Profile): boolean {
  if (value === null || value === undefined) return true
  if (Array.isArray(value)) return attribute.multiValued && value.length === 0
  if (!deviations.readsEmptyTextAsUnassigned) return false
  return value === '' && !attribute.multiValued && !isExtension(attribute)
}

/**
 * `readsEmptyTextAsUnassigned` for `active` in the body of a PUT: "" keeps what is stored, as active.ts has it for
 * null. POST refuses it: there is nothing to keep.
 */
export function withoutEmptyActive(
  body: unknown,
  { type, profile: { deviations } }: Pick<Reading, 'type' | 'profile'>,
): unknown {
  if (!deviations.readsEmptyTextAsUnassigned || !isComplex(body)) return body
  const namesActive = (key: string) => resolveAttributePath(key.trim(), type)?.steps[0] === ACTIVE
  return Object.fromEntries(Object.entries(body).filter(([key, value]) => value !== '' || !namesActive(key)))
}

/**
 * `allowsLineBreaksInBinary`: certificates are pasted as PEM and MIME have them, in lines. RFC 7643 §2.3.6 has base64 of
 * RFC 4648, whose §3.1 forbids line breaks.
 *
 * @returns the text without them, or as it was
 */
export function withoutLineBreaks(text: string, { deviations }: Profile): string {
  return deviations.allowsLineBreaksInBinary ? text.replace(/[\r\n]/g, '') : text
}

/**
 * `allowsLooseBase64`: the alphabet that is safe in URLs, as JSON Web Keys have it, and a length that no bytes have.
 * RFC 7643 §2.3.6 has base64 of RFC 4648 §4, of which the padding may be left out.
 */
export function isBase64(text: string, { deviations }: Profile): boolean {
  if (deviations.allowsLooseBase64) return /^[A-Za-z0-9+/_-]*={0,2}$/.test(text)
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return false
  return text.endsWith('=') ? text.length % 4 === 0 : text.length % 4 !== 1
}

/**
 * `ignoresUnknownAttributes`: Entra's default mappings and Okta's user profile hold attributes that a service provider
 * need not have. RFC 7644 §3.3 lets a service provider ignore what it is sent; without the deviation a client learns at
 * once that a value is not kept.
 *
 * @param name the path of the attribute, which is noted as ignored
 * @throws {ScimError} invalidValue: the value is not compatible with the resource schema (RFC 7644 §3.12 table 9)
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups
 */
export function ignoreUnknown(name: string, { type, profile, ignored }: CollectingReading): void {
  const isLeftOut = type.schema === USER && LEFT_OUT.has(name.toLowerCase())
  if (!profile.deviations.ignoresUnknownAttributes && !isLeftOut) {
    throw badRequest('invalidValue', `${type.name} has no attribute ${quote(name)}`)
  }
  noteIgnored(ignored, name)
}

/**
 * `ignoresUnknownSchemas`: URNs in `schemas` that the resource type does not have. Microsoft's sample of a group names
 * `http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group`.
 *
 * @throws {ScimError} invalidValue
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups
 */
export function ignoreUnknownSchema(urn: string, { type, profile, ignored }: CollectingReading): void {
  if (!profile.deviations.ignoresUnknownSchemas) {
    throw badRequest(
      'invalidValue',
      `attribute "schemas" holds ${quote(urn)}, which ${type.name} does not have`,
    )
  }
  noteIgnored(ignored, urn)
}

/**
 * `ignoresRepeatedSchemas`: a URN twice in `schemas`, by clients that add that of an extension to a list which has it.
 * RFC 7643 §3: "Duplicate values MUST NOT be included."
 *
 * @param urns as sent, in any case
 * @throws {ScimError} invalidValue
 */
export function requireDistinctSchemas(urns: readonly string[], { deviations }: Profile): void {
  if (deviations.ignoresRepeatedSchemas) return
  const lower = urns.map((urn) => urn.toLowerCase())
  const repeated = urns.find((_, i) => lower.indexOf(lower[i] ?? '') !== i)
  if (repeated === undefined) return
  throw badRequest('invalidValue', `attribute "schemas" holds ${quote(repeated)} twice`)
}

/**
 * `allowsMissingSchemas` for a message: scripts and small clients leave `schemas` out, and the endpoint says what is
 * meant. RFC 7644 §3.4.3, §3.5.2 and §3.7 require it.
 */
export function allowsMissing({ deviations }: Profile): boolean {
  return deviations.allowsMissingSchemas
}

/**
 * RFC 7643 §3: `schemas` is required, and names every extension that has a value. Left out altogether by scripts and
 * small clients, also of messages (`allowsMissingSchemas`); Entra sends the object of an extension whose URN it does not
 * name (`allowsUndeclaredExtensions`).
 *
 * @param sent as the client sent it, undefined when it did not
 * @param resource in canonical form
 * @throws {ScimError} invalidValue
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/customize-application-attributes
 */
export function requireDeclaredSchemas(
  sent: unknown,
  resource: Complex,
  { type, profile: { deviations } }: Reading,
): void {
  if (sent === undefined || sent === null) {
    if (deviations.allowsMissingSchemas) return
    throw badRequest('invalidValue', `attribute "schemas" is required and must hold "${type.schema.id}"`)
  }
  if (deviations.allowsUndeclaredExtensions || !Array.isArray(sent)) return
  const declared = new Set(sent.map((urn) => String(urn).toLowerCase()))
  const undeclared = type.extensions.find(
    ({ id }) => resource[id] !== undefined && !declared.has(id.toLowerCase()),
  )
  if (undeclared === undefined) return
  throw badRequest(
    'invalidValue',
    `attribute "schemas" must hold "${undeclared.id}", whose attributes are sent`,
  )
}
