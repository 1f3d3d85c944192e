/**
 * Deviations in the values of a resource, both in the body of a POST or PUT and in a PATCH (RFC 7643 §2, §3, §8). Each has
 * one function, whose comment names the client, what it sends, and the source. Tested in
 * test/scim/compatibility/values.test.ts.
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
import { ACTIVE, UNSUPPORTED_ATTRIBUTES, USER } from '../schema/user.ts'
import { ERROR_UNITS, IGNORED_UNITS, JSON_UNITS, type Work } from '../work.ts'

/**
 * `readsBooleansFromText`: Entra sends `active` as the strings "True" and "False". Applies to all boolean attributes,
 * because the expressions of attribute mappings return strings.
 *
 * @returns the boolean, or the unchanged value
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility
 */
export function booleanFromText(value: unknown, { deviations }: Profile): unknown {
  if (!deviations.readsBooleansFromText || typeof value !== 'string') return value
  const lower = value.toLowerCase()
  return lower === 'true' ? true : lower === 'false' ? false : value
}

/**
 * Short forms of a complex value. Entra sends `manager` as a string (`readsReferencesFromText`), as `{"value": ""}` to
 * clear it (`readsEmptyTextAsNoReference`), or as an array with one element (`readsComplexFromList`). Microsoft's test
 * collection sends a member as a string, and Entra sends app role assignments as JSON text (`readsObjectsFromJsonText`).
 *
 * @returns an object, null for an empty reference, or the unchanged value if none of these applies
 * @see https://github.com/pond/scimitar/issues/48
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/customize-application-attributes
 */
export function complexFromShorthand(
  attribute: Attribute,
  value: unknown,
  reading: Pick<Reading, 'profile' | 'work'>,
): unknown {
  const { deviations } = reading.profile
  const hasValue = findAttribute(attribute.subAttributes, 'value') !== undefined
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
 * `readsObjectsFromJsonText`: Entra sends app role assignments as `roles`, with the role as JSON text in the value of each
 * element: `[{"value": "{\"id\":…,\"value\":\"Admin\",…}"}]`. JSON text in other attributes is not parsed.
 *
 * @returns the element merged with the role, or the unchanged element
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/customize-application-attributes
 */
export function roleFromText(element: Complex, reading: Pick<Reading, 'profile' | 'work'>): Complex {
  const role = typeof element.value === 'string' ? objectFromText(element.value, reading) : undefined
  return typeof role?.value === 'string' ? { ...element, ...role } : element
}

/** Applies the JSON limits of request bodies, so that a text cannot bypass them. */
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
    return undefined // The text is not JSON or exceeds the limits, so it is the value itself.
  }
}

/**
 * `readsExternalIdFromNumber`: clients whose keys are numbers send `externalId` as a number. RFC 7643 §3.1 specifies a
 * string. A number that JSON does not represent exactly is not converted and is rejected later, because it could be
 * another key.
 *
 * @returns the number as text, or the unchanged value
 */
export function externalIdFromNumber(attribute: Attribute, value: unknown, { deviations }: Profile): unknown {
  if (!deviations.readsExternalIdFromNumber || attribute.name !== 'externalId') return value
  return Number.isSafeInteger(value) ? String(value) : value
}

/**
 * `ignoresRepeatedKeys`: an object with the same name twice, in different case, such as "userName" and "username". Scripts
 * that rename attributes keep both. Names are case-insensitive (RFC 7643 §2.1) and should be unique in an object (RFC 8259
 * §4), so that a client cannot tell which value is stored.
 *
 * @param body as parsed. Of two names in the same case, the parser keeps the last
 * @throws {ScimError} invalidSyntax
 */
export function requireDistinctKeys(body: unknown, { deviations }: Profile, work: Work): void {
  if (deviations.ignoresRepeatedKeys) return
  const objects: unknown[] = [body]
  for (const value of objects) {
    // An empty object counts, too.
    work.visit()
    if (Array.isArray(value)) {
      work.visit(value.length)
      for (const inner of value) if (typeof inner === 'object') objects.push(inner)
    } else if (isComplex(value)) {
      const names = new Set<string>()
      for (const [key, inner] of Object.entries(value)) {
        work.visit()
        const lower = key.toLowerCase()
        if (names.has(lower)) {
          throw badRequest('invalidSyntax', `an object must not have the member ${quote(key)} twice`)
        }
        names.add(lower)
        if (typeof inner === 'object') objects.push(inner)
      }
    }
  }
}

/**
 * A key of a whole resource: an attribute name or the URN of an extension. `readsQualifiedKeys`: with the flag
 * `aadOptscim062020`, Entra also sends paths, such as `name.givenName` and `urn:…:User:nativeObjectId`.
 *
 * @returns the top-level attribute, and `wrap`, which nests a value below it; undefined for an unknown key
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
  // A path into a multi-valued attribute does not identify an element.
  if (attribute.multiValued && inner.length > 0) return undefined
  const wrap = (value: unknown) => inner.reduceRight((wrapped, step) => ({ [step.name]: wrapped }), value)
  return { attribute, wrap }
}

/** RFC 7643 §2.1, §3.3: a key is the name of an attribute or the URN of an extension. */
export function namedAttribute(
  key: string,
  type: ResourceType,
): { steps: readonly [Attribute, ...Attribute[]] } | undefined {
  const attribute = findAttribute(type.attributes, key)
  return attribute && { steps: [attribute] }
}

/**
 * `readsEmptyTextAsUnassigned`: Entra clears an attribute by replacing it with an empty string. RFC 7643 §2.5 specifies
 * null and [], which all profiles accept. Multi-valued attributes and extensions cannot be cleared by an empty string.
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
 * `readsEmptyTextAsUnassigned` for `active` in the body of a PUT: "" keeps the stored value, like null (see active.ts). A
 * POST with "" is rejected, because there is no stored value.
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
 * `allowsLineBreaksInBinary`: certificates are pasted with the line breaks of PEM and MIME. RFC 7643 §2.3.6 specifies the
 * base64 of RFC 4648, whose §3.1 forbids line breaks.
 *
 * @returns the text without line breaks, or the unchanged text
 */
export function withoutLineBreaks(text: string, { deviations }: Profile): string {
  return deviations.allowsLineBreaksInBinary ? text.replace(/[\r\n]/g, '') : text
}

/**
 * `allowsLooseBase64`: the URL-safe alphabet, as in JSON Web Keys, and lengths that no byte sequence has. RFC 7643 §2.3.6
 * specifies the base64 of RFC 4648 §4, with optional padding.
 */
export function isBase64(text: string, { deviations }: Profile): boolean {
  if (deviations.allowsLooseBase64) return /^[A-Za-z0-9+/_-]*={0,2}$/.test(text)
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return false
  return text.endsWith('=') ? text.length % 4 === 0 : text.length % 4 !== 1
}

/**
 * `ignoresUnknownAttributes`: Entra's default mappings contain attributes that a service provider need not support.
 * RFC 7644 §3.3 allows a service provider to ignore attributes. Without the deviation they are rejected, so that the
 * client learns that the value is not stored.
 *
 * @param name the path of the attribute, which is added to the ignored names
 * @throws {ScimError} invalidValue: the value is not compatible with the resource schema (RFC 7644 §3.12 table 9)
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups
 */
export function ignoreUnknown(name: string, { type, profile, work, ignored }: CollectingReading): void {
  work.spend(IGNORED_UNITS)
  const isLeftOut = type.schema === USER && UNSUPPORTED_ATTRIBUTES.has(name.toLowerCase())
  if (!profile.deviations.ignoresUnknownAttributes && !isLeftOut) {
    throw badRequest('invalidValue', `${type.name} has no attribute ${quote(name)}`)
  }
  noteIgnored(ignored, name)
}

/**
 * `ignoresUnknownSchemas`: `schemas` may contain URNs that are not schemas of the resource type. Microsoft's sample group
 * has `http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group`.
 *
 * @throws {ScimError} invalidValue
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups
 */
export function ignoreUnknownSchema(urn: string, { type, profile, work, ignored }: CollectingReading): void {
  work.spend(IGNORED_UNITS)
  if (!profile.deviations.ignoresUnknownSchemas) {
    throw badRequest(
      'invalidValue',
      `attribute "schemas" must contain only schemas of ${type.name}, found ${quote(urn)}`,
    )
  }
  noteIgnored(ignored, urn)
}

/**
 * `ignoresRepeatedSchemas`: clients that add the URN of an extension to `schemas` although it is already there.
 * RFC 7643 §3: "Duplicate values MUST NOT be included."
 *
 * @param urns as sent, in any case
 * @throws {ScimError} invalidValue
 */
export function requireDistinctSchemas(urns: readonly string[], { deviations }: Profile): void {
  if (deviations.ignoresRepeatedSchemas) return
  const seen = new Set<string>()
  const repeated = urns.find((urn) => seen.size === seen.add(urn.toLowerCase()).size)
  if (repeated === undefined) return
  throw badRequest(
    'invalidValue',
    `attribute "schemas" must not have duplicates, found ${quote(repeated)} twice`,
  )
}

/**
 * `allowsMissingSchemas` for a message: scripts and small clients omit `schemas`. RFC 7644 §3.4.3, §3.5.2 and §3.7 require
 * it, but the endpoint already determines the message.
 */
export function allowsMissingSchemas({ deviations }: Profile): boolean {
  return deviations.allowsMissingSchemas
}

/**
 * RFC 7643 §3: `schemas` is required and contains the URN of each extension that has a value. `allowsMissingSchemas`:
 * scripts and small clients omit it. `allowsUndeclaredExtensions`: Entra sends the attributes of an extension without its
 * URN in `schemas`.
 *
 * @param sent "schemas" as the client sent it; undefined if missing
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
    throw badRequest('invalidValue', `attribute "schemas" is required and must contain "${type.schema.id}"`)
  }
  if (deviations.allowsUndeclaredExtensions || !Array.isArray(sent)) return
  const declared = new Set(sent.map((urn) => String(urn).toLowerCase()))
  const undeclared = type.extensions.find(
    ({ id }) => resource[id] !== undefined && !declared.has(id.toLowerCase()),
  )
  if (undeclared === undefined) return
  throw badRequest(
    'invalidValue',
    `attribute "schemas" must contain "${undeclared.id}", because the resource has attributes of that schema`,
  )
}
