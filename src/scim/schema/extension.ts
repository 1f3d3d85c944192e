/**
 * Parses and validates a tenant's extension schema, which an administrator provides in the form of RFC 7643 §7. A valid
 * schema works like a shipped one. An invalid one is rejected with the field and the reason. The other schemas of the
 * tenant and stored values are checked elsewhere: tenant-extensions.ts, extension-change.ts.
 */
import type { Complex } from '../comparison.ts'
import { kindOf, quote } from '../error.ts'
import { MAX_ATTRIBUTE_NAME_CHARACTERS } from '../limits.ts'
import { SCHEMA_SCHEMA } from '../urn.ts'
import type { Attribute, ResourceType, Schema } from './definition.ts'
import { parseAttributes } from './extension-attributes.ts'
import { type Fields, fieldsOf, SCHEMA_MEMBERS, SchemaRefused, shown, text } from './extension-members.ts'

/** An extension schema and the name of the resource type that it extends. */
export interface ExtensionSchema extends Schema {
  readonly resourceType: string
}

/** Information about a schema that is not in its document. */
export interface ExtensionOptions {
  /** The URN, for a document without an id. */
  readonly id?: string | undefined
  /** The resource type, for documents that do not name it. */
  readonly resourceType?: string | undefined
  /** For the message about a missing resource type: what to add, such as a query parameter. */
  readonly resourceTypeHint?: string | undefined
  /** True for a document of another service provider, whose unknown members are ignored instead of rejected. */
  readonly isForeign?: boolean
}

/**
 * Parses an extension schema.
 *
 * @param body a Schema resource as JSON (RFC 7643 §7)
 * @param types the shipped resource types, whose schemas and attributes cannot be shadowed
 * @throws {SchemaRefused}
 */
export function parseExtension(
  body: unknown,
  types: readonly ResourceType[],
  options: ExtensionOptions = {},
): ExtensionSchema {
  const { isForeign = false } = options
  const fields = fieldsOf(body, '', SCHEMA_MEMBERS, isForeign)
  requireSchemas(fields.get('schemas'))
  const id = parseUrn(fields.get('id') ?? options.id, types)
  const type = parseResourceType(fields, id, types, options)
  const { name, description } = SCHEMA_MEMBERS
  return {
    id,
    resourceType: type.name,
    name: text(fields.get('name') ?? nameFrom(id), 'name', name.maxCharacters),
    description: text(fields.get('description') ?? '', 'description', description.maxCharacters),
    attributes: parseAttributes(fields.get('attributes'), type, { isForeign }),
  }
}

function requireSchemas(schemas: unknown): void {
  if (schemas === undefined) return
  const isSchema =
    Array.isArray(schemas) &&
    schemas.some((urn) => typeof urn === 'string' && urn.toLowerCase() === SCHEMA_SCHEMA.toLowerCase())
  if (!isSchema) throw new SchemaRefused('schemas', `must contain "${SCHEMA_SCHEMA}"`)
}

/**
 * A subset of RFC 8141 §2. A URN is part of attribute paths and filters, where quotes, brackets and spaces have a meaning,
 * and of JSON paths in SQL.
 */
const URN = /^urn:[a-z0-9][a-z0-9-]{0,30}[a-z0-9]:[\w.~-]+(?::[\w.~-]+)*$/i

/** @throws {SchemaRefused} for an invalid URN, or one that overlaps a shipped schema */
function parseUrn(id: unknown, types: readonly ResourceType[]): string {
  if (typeof id !== 'string') throw new SchemaRefused('id', `must be a URN, found ${kindOf(id)}`)
  const { maxCharacters } = SCHEMA_MEMBERS.id
  if (id.length > maxCharacters) {
    throw new SchemaRefused('id', `has ${id.length} characters, the limit is ${maxCharacters}`)
  }
  if (!URN.test(id) || !id.startsWith('urn:')) {
    throw new SchemaRefused(
      'id',
      `must be a URN such as "urn:ietf:params:scim:schemas:extension:acme:2.0:User", in letters, digits and "-._~:", with 2 to 32 characters after "urn:", found ${quote(id)}`,
    )
  }
  const shipped = types
    .flatMap((type) => [type.schema, ...type.extensions])
    .find((schema) => overlaps(schema.id, id))
  if (shipped !== undefined) {
    throw new SchemaRefused('id', `is ${quote(id)}, which would shadow the built-in schema "${shipped.id}"`)
  }
  if (/^urn:ietf:params:scim:(?:schemas:core|api):/i.test(id)) {
    throw new SchemaRefused(
      'id',
      `is ${quote(id)}, in a namespace of RFC 7643, which an extension cannot use`,
    )
  }
  return id
}

/**
 * True if the URNs are equal regardless of case, or one is the beginning of the other. Paths would then be ambiguous:
 * `urn:x:User:level` could mean the attribute "level" of `urn:x:User` or another schema.
 */
export function overlaps(a: string, b: string): boolean {
  const [short, long] = [a.toLowerCase(), b.toLowerCase()].sort((x, y) => x.length - y.length) as [
    string,
    string,
  ]
  return long === short || long.startsWith(`${short}:`)
}

function parseResourceType(
  fields: Fields<keyof typeof SCHEMA_MEMBERS>,
  id: string,
  types: readonly ResourceType[],
  { resourceType, resourceTypeHint: hint }: ExtensionOptions,
): ResourceType {
  const found = fields.get('resourceType') ?? resourceType
  const stated = found ?? id.slice(id.lastIndexOf(':') + 1)
  const lower = typeof stated === 'string' ? stated.toLowerCase() : undefined
  const type = types.find(({ name }) => name.toLowerCase() === lower)
  if (type !== undefined) return type
  const names = types.map(({ name }) => name).join(', ')
  if (found !== undefined)
    throw new SchemaRefused('resourceType', `must be one of ${names}, found ${shown(found)}`)
  const add = hint === undefined ? '' : `; ${hint}`
  throw new SchemaRefused(
    'resourceType',
    `is required if the URN does not end with it, and must be one of ${names}${add}`,
  )
}

/** The default name of a schema: "acmeUser" for `urn:ietf:params:scim:schemas:extension:acme:2.0:User`. */
function nameFrom(id: string): string {
  const parts = id.split(':').slice(2)
  const own = parts.filter(
    (part) => /^[a-z]/i.test(part) && !/^(?:params|scim|schemas|extension)$/i.test(part),
  )
  return own.slice(-2).join('').slice(0, MAX_ATTRIBUTE_NAME_CHARACTERS) || 'Extension'
}

/** The schema in the form that administrators read and write: RFC 7643 §7 with `resourceType`, and `indexed` if it is set. */
export function extensionJson(schema: ExtensionSchema): Complex {
  const { id, name, description, resourceType, attributes } = schema
  return {
    schemas: [SCHEMA_SCHEMA],
    id,
    name,
    description,
    resourceType,
    attributes: attributes.map(attributeJson),
  }
}

function attributeJson({ maxLength: _, maxElements: __, subAttributes, ...rest }: Attribute): Complex {
  return { ...rest, ...(subAttributes && { subAttributes: subAttributes.map(attributeJson) }) }
}
