/**
 * Validates a resource that a client sent and converts it to canonical form (RFC 7643 §2, RFC 7644 §3.3, §3.5.1). Values
 * are kept as sent, and names are spelled as in the schema. Read-only and unknown attributes are omitted.
 */
import { resolveAttributePath } from './attribute-path.ts'
import { type Complex, instant, isComplex, sameValue } from './comparison.ts'
import {
  booleanFromText,
  complexFromShorthand,
  externalIdFromNumber,
  ignoreUnknown,
  ignoreUnknownSchema,
  isBase64,
  qualifiedKey,
  requireDeclaredSchemas,
  requireDistinctSchemas,
  withoutLineBreaks,
} from './compatibility/values.ts'
import { distinct, isPrimary, requireMaxElements } from './elements.ts'
import { badRequest, kindOf, quote } from './error.ts'
import { MAX_ELEMENTS } from './limits.ts'
import type { Profile } from './profile.ts'
import type { CollectingReading, Reading } from './reading.ts'
import type { Attribute, ResourceType } from './schema/definition.ts'
import { findAttribute } from './schema/lookup.ts'
import { isExtension } from './schema/resource-type.ts'
import type { Work } from './work.ts'

/** A validated resource, without `id`, `meta` and other read-only attributes. */
export interface Validated {
  readonly resource: Complex
  /** Paths of unknown attributes and URNs of unknown schemas, for the provisioning log. */
  readonly ignored: readonly string[]
}

/**
 * Validates a whole resource, the body of a POST or PUT.
 *
 * @throws {ScimError} invalidSyntax if the body is not an object; invalidValue for a value that does not fit the schema;
 *   invalidPath for a key that selects values
 */
export function validateResource(body: unknown, reading: Reading): Validated {
  if (!isComplex(body))
    throw badRequest('invalidSyntax', `the request body must be a JSON object, found ${kindOf(body)}`)
  const { type, profile, work } = reading
  const collecting: CollectingReading = { ...reading, ignored: [] }
  const resource: Complex = {}
  let schemas: unknown
  for (const [key, value] of Object.entries(body)) {
    work.visit()
    const named = qualifiedKey(key, type, profile)
    if (named === undefined) {
      refuseSelection(key, type)
      ignoreUnknown(key, collecting)
    } else if (named.attribute.name === 'schemas') {
      schemas = value
      checkSchemas(value, collecting)
    } else
      assign(
        resource,
        named.attribute,
        canonicalValue(named.attribute, named.wrap(value), named.attribute.name, collecting),
      )
  }
  requireDeclaredSchemas(schemas, resource, reading)
  return { resource: requireComplete(resource, type), ignored: collecting.ignored }
}

/**
 * Rejects a key that selects values of a multi-valued attribute: `emails.value`, or one with a filter. Such keys are
 * allowed only in a PATCH. Ignoring the key would silently clear the attribute.
 */
function refuseSelection(key: string, type: ResourceType): void {
  const [name = ''] = key.split('[', 1)
  const attribute = resolveAttributePath(name.trim(), type)?.steps[0]
  if (attribute?.multiValued !== true || attribute.mutability === 'readOnly') return
  const detail = `key ${quote(key)} selects values, which is allowed only in a PATCH; send "${attribute.name}" as an array`
  throw badRequest('invalidPath', detail)
}

/**
 * Checks the rules for a whole resource, also after a PATCH, and sets "schemas": required attributes have a value, and
 * "primary" is true for at most one value of an attribute (RFC 7643 §2.4).
 *
 * @throws {ScimError} invalidValue
 */
export function requireComplete(resource: Complex, type: ResourceType): Complex {
  for (const attribute of type.attributes) {
    const value = resource[attribute.name]
    if (attribute.required && attribute.name !== 'schemas' && (value === undefined || value === '')) {
      throw badRequest('invalidValue', `attribute "${attribute.name}" is required and must not be empty`)
    }
    requireOnePrimary(attribute, value, attribute.name)
  }
  return { ...resource, schemas: schemasOf(resource, type) }
}

function requireOnePrimary(attribute: Attribute, value: unknown, path: string): void {
  if (isExtension(attribute) && isComplex(value)) {
    for (const inner of attribute.subAttributes ?? []) {
      requireOnePrimary(inner, value[inner.name], `${path}:${inner.name}`)
    }
  }
  if (!Array.isArray(value) || value.filter(isPrimary).length <= 1) return
  throw badRequest(
    'invalidValue',
    `attribute "${path}" has more than one primary value, at most one is allowed`,
  )
}

/**
 * Converts a value to canonical form: it has the attribute's type, names are spelled as in the schema, and nulls, unknown
 * and read-only sub-attributes are omitted.
 *
 * @param path as the client wrote it, for error messages
 * @param reading receives the paths of unknown sub-attributes
 * @returns undefined if no value remains: null and an empty array are "unassigned" (RFC 7643 §2.5)
 * @throws {ScimError} invalidValue for a value of the wrong type or beyond the limits of the attribute
 */
export function canonicalValue(
  attribute: Attribute,
  value: unknown,
  path: string,
  reading: CollectingReading,
): unknown {
  if (value === null || value === undefined || attribute.mutability === 'readOnly') return undefined
  if (!attribute.multiValued) return canonicalElement(attribute, value, path, reading)
  if (!Array.isArray(value)) throw wrongType(path, 'an array', value)
  requireMaxElements(attribute, value.length, path)
  const elements = value.map((sent, i) => {
    const elementPath = `${path}[${i}]`
    const element = sent === null ? undefined : canonicalElement(attribute, sent, elementPath, reading)
    return requireElement(attribute, element, elementPath, sent)
  })
  return elements.length === 0 ? undefined : distinct(attribute, elements, reading.work)
}

/**
 * Rejects an element without any value. Ignoring it would clear the attribute, or change nothing, although the client
 * gets a success response. An element with only a type is accepted, because a client may add its value later.
 *
 * @param sent the element as the client sent it
 */
function requireElement(attribute: Attribute, element: unknown, path: string, sent: unknown): unknown {
  const value = findAttribute(attribute.subAttributes, 'value')
  // RFC 7643 §7: an immutable value cannot be set later, so a member needs its id from the start.
  const lacksId = value?.mutability === 'immutable' && isComplex(element) && !element.value
  if (element !== undefined && !lacksId) return element
  const found = isComplex(sent) ? sent.value : sent
  const name = value === undefined ? path : `${path}.value`
  const what = found === '' ? 'an empty string' : kindOf(found)
  throw badRequest('invalidValue', `attribute "${name}" must have a value, found ${what}`)
}

/** The same as canonicalValue, for one element of a multi-valued attribute or the value of a single-valued one. */
export function canonicalElement(
  attribute: Attribute,
  value: unknown,
  path: string,
  reading: CollectingReading,
): unknown {
  const { work } = reading
  work.visit()
  if (attribute.subAttributes === undefined) return canonicalSimple(attribute, value, path, reading)
  const shorthand = complexFromShorthand(attribute, value, reading)
  if (shorthand === null) return undefined
  if (!isComplex(shorthand)) throw wrongType(path, 'an object', value)
  const result: Complex = {}
  for (const [key, sub] of Object.entries(shorthand)) {
    work.visit()
    const subAttribute = findAttribute(attribute.subAttributes, key)
    const subPath = isExtension(attribute) ? `${path}:${key}` : `${path}.${key}`
    // The index is removed, so that an unknown sub-attribute of many elements is reported once.
    if (subAttribute === undefined) ignoreUnknown(subPath.replace(/\[\d+\]/, ''), reading)
    else assign(result, subAttribute, canonicalValue(subAttribute, sub, subPath, reading))
  }
  return Object.keys(result).length === 0 ? undefined : result
}

function assign(object: Complex, attribute: Attribute, value: unknown): void {
  if (value === undefined) return
  object[attribute.name] = merge(object[attribute.name], value)
}

/** A complex attribute may be sent in parts: as an object, as flat keys, or as both. */
function merge(before: unknown, value: unknown): unknown {
  if (!isComplex(before) || !isComplex(value)) return value
  const merged: Complex = { ...before }
  for (const [name, part] of Object.entries(value)) merged[name] = merge(before[name], part)
  return merged
}

function canonicalSimple(
  attribute: Attribute,
  value: unknown,
  path: string,
  { profile, work }: Reading,
): unknown {
  if (typeof value === 'string') requireLength(attribute, value, path, work)
  switch (attribute.type) {
    case 'boolean':
      return check(path, 'a boolean', booleanFromText(value, profile), value, (it) => typeof it === 'boolean')
    case 'integer':
      return check(path, 'an integer', value, value, Number.isSafeInteger)
    case 'decimal':
      return check(path, 'a number', value, value, Number.isFinite)
    case 'dateTime':
      return check(path, 'a dateTime such as "2011-08-01T21:32:44.882Z"', value, value, isDateTime)
    case 'binary':
      return check(path, 'a base64 string', value, value, (it) => isBinary(it, profile))
    default: {
      const text = externalIdFromNumber(attribute, value, profile)
      return check(path, 'a string of well-formed Unicode without U+0000', text, value, isText)
    }
  }
}

/** Called before any other processing of the text. */
function requireLength({ maxLength }: Attribute, text: string, path: string, work: Work): void {
  if (maxLength !== undefined && text.length > maxLength) {
    throw badRequest(
      'invalidValue',
      `attribute "${path}" has ${text.length} characters, the limit is ${maxLength}`,
    )
  }
  work.spend(text.length)
}

function check(
  path: string,
  expected: string,
  value: unknown,
  found: unknown,
  test: (value: unknown) => boolean,
) {
  if (!test(value)) throw wrongType(path, expected, found)
  return value
}

/** SQLite truncates text at U+0000, and a lone surrogate cannot be stored as UTF-8. */
function isText(value: unknown): boolean {
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
}

function isDateTime(value: unknown): boolean {
  return typeof value === 'string' && instant(value) !== undefined
}

function isBinary(value: unknown, profile: Profile): boolean {
  return typeof value === 'string' && isBase64(withoutLineBreaks(value, profile), profile)
}

function wrongType(path: string, expected: string, found: unknown) {
  return badRequest('invalidValue', `attribute "${path}" must be ${expected}, found ${kindOf(found)}`)
}

/** @throws {ScimError} invalidValue */
function checkSchemas(value: unknown, reading: CollectingReading): void {
  const { type } = reading
  if (!Array.isArray(value) || !value.every((urn) => typeof urn === 'string')) {
    throw wrongType('schemas', 'an array of strings', value)
  }
  requireMaxElements({ maxElements: MAX_ELEMENTS }, value.length, 'schemas')
  const known = new Set([type.schema, ...type.extensions].map((schema) => schema.id.toLowerCase()))
  if (!value.some((urn) => urn.toLowerCase() === type.schema.id.toLowerCase())) {
    throw badRequest(
      'invalidValue',
      `attribute "schemas" must contain "${type.schema.id}", found ${quote(value.join(', '))}`,
    )
  }
  requireDistinctSchemas(value, reading.profile)
  for (const urn of value) if (!known.has(urn.toLowerCase())) ignoreUnknownSchema(urn, reading)
}

/**
 * The new state of a resource that a PUT replaces. The values of removed extensions are kept: a client does not see them
 * and must not delete them.
 *
 * @param resource the validated body
 * @throws {ScimError} mutability if an immutable attribute is changed or removed (RFC 7644 §3.5.1)
 */
export function replacementOf(before: Complex, resource: Complex, type: ResourceType): Complex {
  for (const attribute of type.attributes.filter(isExtension)) {
    requireUnchanged(attribute, before[attribute.name], resource[attribute.name], attribute.name)
  }
  const kept = type.removed.filter(({ id }) => before[id] !== undefined)
  if (kept.length === 0) return resource
  const whole = { ...resource, ...Object.fromEntries(kept.map(({ id }) => [id, before[id]])) }
  return { ...whole, schemas: schemasOf(whole, type) }
}

function requireUnchanged(attribute: Attribute, before: unknown, after: unknown, path: string): void {
  if (attribute.mutability === 'immutable' && before !== undefined && !sameValue(before, after)) {
    throw badRequest('mutability', `attribute "${path}" is immutable and already has a value`)
  }
  if (attribute.multiValued || !isComplex(before)) return
  const now = isComplex(after) ? after : {}
  for (const sub of attribute.subAttributes ?? []) {
    const subPath = isExtension(attribute) ? `${path}:${sub.name}` : `${path}.${sub.name}`
    requireUnchanged(sub, before[sub.name], now[sub.name], subPath)
  }
}

/** RFC 7643 §3: "schemas" contains the core schema and each extension that has a value. */
function schemasOf(resource: Complex, type: ResourceType): readonly string[] {
  const all = [...type.extensions, ...type.removed]
  const extensions = all.filter((extension) => resource[extension.id] !== undefined)
  return [type.schema.id, ...extensions.map((extension) => extension.id)]
}
