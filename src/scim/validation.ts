/**
 * A resource sent by a client, checked against its resource type (RFC 7643 §2, RFC 7644 §3.3, §3.5.1):
 * types, required attributes, canonical form. Values stay as they were sent; names take the spelling of
 * the schema. What a client may not set, or what we do not know, is left out.
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
import { distinct, isPrimary, requireRoom } from './elements.ts'
import { badRequest, kindOf, quote } from './error.ts'
import type { Profile } from './profile.ts'
import type { CollectingReading, Reading } from './reading.ts'
import type { Attribute, ResourceType } from './schema/definition.ts'
import { findAttribute } from './schema/lookup.ts'
import { isExtension } from './schema/resource-type.ts'
import type { Work } from './work.ts'

/** A checked resource without `id`, `meta` and other read-only attributes. */
export interface Validated {
  readonly resource: Complex
  /** Paths of attributes, and URNs of schemas, that we do not know: named in the provisioning log. */
  readonly ignored: readonly string[]
}

/**
 * Checks a whole resource: the body of POST and PUT.
 *
 * @throws {ScimError} invalidSyntax when the body is not an object; invalidValue naming attribute, what was
 *   found and what is expected; invalidPath for a key that selects values
 */
export function validateResource(body: unknown, reading: Reading): Validated {
  if (!isComplex(body))
    throw badRequest('invalidSyntax', `the body must be a JSON object, found ${kindOf(body)}`)
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
 * Refuses a key that selects values of a multi-valued attribute, as a PATCH may: `emails.value`, or with a filter. A whole
 * resource has nothing to select from, and without the key the attribute would be cleared in silence.
 */
function refuseSelection(key: string, type: ResourceType): void {
  const [name = ''] = key.split('[', 1)
  const attribute = resolveAttributePath(name.trim(), type)?.steps[0]
  if (attribute?.multiValued !== true || attribute.mutability === 'readOnly') return
  const detail = `key ${quote(key)} selects values, which only a PATCH can: send "${attribute.name}" as an array`
  throw badRequest('invalidPath', detail)
}

/**
 * The rules that hold for a resource as a whole, also after a PATCH: required attributes are there, and
 * "primary" is true at most once in each attribute (RFC 7643 §2.4). Sets "schemas".
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
 * A value in canonical form: of the attribute's type, names in the spelling of the schema, without nulls,
 * unknown and read-only sub-attributes.
 *
 * @param path as the client wrote it, for messages
 * @param reading receives the paths of unknown sub-attributes
 * @returns undefined when nothing is left: RFC 7643 §2.5 makes null and an empty array "unassigned"
 * @throws {ScimError} invalidValue naming the path, what was found and what is expected; the same for what is longer
 *   than the attribute allows
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
  requireRoom(attribute, value.length, path)
  const elements = value.map((sent, i) => {
    const elementPath = `${path}[${i}]`
    const element = sent === null ? undefined : canonicalElement(attribute, sent, elementPath, reading)
    return requireElement(attribute, element, elementPath, sent)
  })
  return elements.length === 0 ? undefined : distinct(attribute, elements, reading.work)
}

/**
 * Refuses an element of which nothing is left. Left out in silence it would empty the attribute, or change nothing,
 * and the client would be told that all is done. One with a type alone is an element: a client may fill it later.
 *
 * @param sent what the client sent for it
 */
function requireElement(attribute: Attribute, element: unknown, path: string, sent: unknown): unknown {
  const value = findAttribute(attribute.subAttributes ?? [], 'value')
  // RFC 7643 §7: an immutable value cannot be given later, so a member without its id would stay nobody.
  const isNobody = value?.mutability === 'immutable' && isComplex(element) && !element.value
  if (element !== undefined && !isNobody) return element
  const found = isComplex(sent) ? sent.value : sent
  const name = value === undefined ? path : `${path}.value`
  const what = found === '' ? 'an empty string' : kindOf(found)
  throw badRequest('invalidValue', `attribute "${name}" must have a value, found ${what}`)
}

/** One element of a multi-valued attribute, or the value of a single one, as canonicalValue has it. */
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
    // Without the index: a thousand elements with the same unknown sub-attribute are one finding.
    if (subAttribute === undefined) ignoreUnknown(subPath.replace(/\[\d+\]/, ''), reading)
    else assign(result, subAttribute, canonicalValue(subAttribute, sub, subPath, reading))
  }
  return Object.keys(result).length === 0 ? undefined : result
}

function assign(object: Complex, attribute: Attribute, value: unknown): void {
  if (value === undefined) return
  object[attribute.name] = merge(object[attribute.name], value)
}

/** A complex attribute can arrive in parts: flat keys beside, or instead of, the object. */
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

/** Before anything looks at the text. */
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

/** SQLite ends a text at U+0000, and a lone surrogate cannot be stored as UTF-8. */
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
  const known = new Set([type.schema, ...type.extensions].map((schema) => schema.id.toLowerCase()))
  if (!value.some((urn) => urn.toLowerCase() === type.schema.id.toLowerCase())) {
    throw badRequest(
      'invalidValue',
      `attribute "schemas" must hold "${type.schema.id}", found ${quote(value.join(', '))}`,
    )
  }
  requireDistinctSchemas(value, reading.profile)
  for (const urn of value) if (!known.has(urn.toLowerCase())) ignoreUnknownSchema(urn, reading)
}

/**
 * A resource that takes the place of another one, with what that one holds of removed extensions: a client that knows
 * nothing of it must not delete it.
 *
 * @param resource a checked one
 * @throws {ScimError} mutability for an immutable attribute with another value, or without one (RFC 7644 §3.5.1)
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
    throw badRequest('mutability', `attribute "${path}" is immutable and has a value already`)
  }
  if (attribute.multiValued || !isComplex(before)) return
  const now = isComplex(after) ? after : {}
  for (const sub of attribute.subAttributes ?? []) {
    const subPath = isExtension(attribute) ? `${path}:${sub.name}` : `${path}.${sub.name}`
    requireUnchanged(sub, before[sub.name], now[sub.name], subPath)
  }
}

/** RFC 7643 §3: "schemas" names the core schema and each extension that has a value. */
function schemasOf(resource: Complex, type: ResourceType): readonly string[] {
  const all = [...type.extensions, ...type.removed]
  const extensions = all.filter((extension) => resource[extension.id] !== undefined)
  return [type.schema.id, ...extensions.map((extension) => extension.id)]
}
