/**
 * Converts SCIM attributes to JSON Schema (draft 2020-12, as in OpenAPI 3.1). Validation and /Schemas use the same
 * definitions, so the document always matches the behaviour.
 */
import type { Attribute, ResourceType } from '../../scim/schema/definition.ts'
import { isExtension } from '../../scim/schema/resource-type.ts'

/** A JSON Schema, or any other part of an OpenAPI document. */
export type Json = { readonly [key: string]: unknown }

/** A reference to a component, as `#/components/<section>/<name>`. */
export function ref(section: 'schemas' | 'parameters' | 'responses' | 'headers', name: string): Json {
  return { $ref: `#/components/${section}/${name}` }
}

/** An object with these properties. Allows others unless `isClosed`. */
export function object(properties: Json, required: readonly string[] = [], isClosed = false): Json {
  return {
    type: 'object',
    properties,
    ...(required.length > 0 && { required }),
    ...(isClosed && { additionalProperties: false }),
  }
}

export function arrayOf(items: Json, more: Json = {}): Json {
  return { type: 'array', items, ...more }
}

/** The property "schemas" of a message, which contains the URN. */
export function messageSchemas(urn: string): Json {
  return arrayOf({ type: 'string' }, { contains: { const: urn }, examples: [[urn]] })
}

/**
 * The schema of a resource, with extensions under their URN. Only `schemas` is listed as required: the parameters
 * `attributes` and `excludedAttributes` remove attributes from responses, and requests do not contain `id` and `meta`.
 */
export function resourceSchema({ name, schema, attributes }: ResourceType): Json {
  return {
    title: name,
    description: schema.description,
    ...object(
      Object.fromEntries(attributes.map((attribute) => [attribute.name, attributeSchema(attribute)])),
      ['schemas'],
    ),
  }
}

/** The schema of one attribute. */
function attributeSchema(attribute: Attribute): Json {
  const description = { description: attribute.description }
  const readOnly = attribute.mutability === 'readOnly' && { readOnly: true }
  const one = { ...valueSchema(attribute), ...characteristics(attribute) }
  return attribute.multiValued
    ? { ...arrayOf(one), ...description, ...readOnly }
    : { ...one, ...description, ...readOnly }
}

function valueSchema({ type, name, subAttributes = [], canonicalValues }: Attribute): Json {
  switch (type) {
    case 'complex':
      return object(Object.fromEntries(subAttributes.map((sub) => [sub.name, attributeSchema(sub)])))
    case 'boolean':
      return { type: 'boolean' }
    case 'integer':
      return { type: 'integer' }
    case 'decimal':
      return { type: 'number' }
    case 'dateTime':
      return { type: 'string', format: 'date-time' }
    case 'binary':
      return { type: 'string', contentEncoding: 'base64' }
    case 'reference':
      return { type: 'string', ...(name !== 'schemas' && { format: 'uri-reference' }) }
    // RFC 7643 §2.3.1: canonical values are suggestions, so they are examples instead of an enum.
    default:
      return { type: 'string', ...(canonicalValues && { examples: canonicalValues }) }
  }
}

/** The characteristics that JSON Schema cannot express, by their names in RFC 7643 §7. */
function characteristics(attribute: Attribute): Json {
  const { caseExact, uniqueness, returned, mutability } = attribute
  if (attribute.type === 'complex' || isExtension(attribute)) return {}
  return {
    ...(caseExact && { 'x-scim-caseExact': true }),
    ...(uniqueness !== 'none' && { 'x-scim-uniqueness': uniqueness }),
    ...(returned !== 'default' && { 'x-scim-returned': returned }),
    ...(mutability === 'immutable' && { 'x-scim-mutability': mutability }),
  }
}
