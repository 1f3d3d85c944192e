/**
 * Parses and validates a tenant's extension schema, which an administrator provides in the form of RFC 7643 §7. A valid
 * schema works like a shipped one. An invalid one is rejected with the field and the reason. The other schemas of the
 * tenant and stored values are checked elsewhere: tenant-extensions.ts, extension-change.ts.
 */
import { type Complex, isComplex } from '../comparison.ts'
import { kindOf, quote } from '../error.ts'
import {
  MAX_ATTRIBUTE_NAME_CHARACTERS,
  MAX_CANONICAL_VALUES,
  MAX_DESCRIPTION_CHARACTERS,
  MAX_EXTENSION_ATTRIBUTES,
  MAX_NAME_CHARACTERS,
  MAX_SCHEMA_URN_CHARACTERS,
  MAX_SUB_ATTRIBUTES,
} from '../limits.ts'
import { SCHEMA_SCHEMA } from '../urn.ts'
import {
  type Attribute,
  type AttributeType,
  attribute,
  type ResourceType,
  type Schema,
} from './definition.ts'
import { findAttribute } from './lookup.ts'

/** An extension schema and the name of the resource type that it extends. */
export interface ExtensionSchema extends Schema {
  readonly resourceType: string
}

/** An invalid schema. `field` is the path of the invalid field, such as `attributes[2].type`. */
export class SchemaRefused extends Error {
  readonly field: string

  constructor(field: string, reason: string) {
    super(`"${field}" ${reason}`)
    this.name = 'SchemaRefused'
    this.field = field
  }
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
 * Parses an extension schema. Member names are case-insensitive (RFC 7643 §2.1), and missing characteristics have the
 * defaults of RFC 7643 §2.2. Two members are additions to the RFC: `resourceType`, which defaults to the last part of the
 * URN, and `indexed` of an attribute.
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
  const fields = fieldsOf(body, '', SCHEMA_FIELDS, options.isForeign)
  requireSchemas(fields.get('schemas'))
  const id = parseUrn(fields.get('id') ?? options.id, types)
  const type = parseResourceType(
    fields.get('resourceType') ?? options.resourceType,
    id,
    types,
    options.resourceTypeHint,
  )
  return {
    id,
    resourceType: type.name,
    name: text(fields.get('name') ?? nameFrom(id), 'name', MAX_ATTRIBUTE_NAME_CHARACTERS),
    description: text(fields.get('description') ?? '', 'description', MAX_DESCRIPTION_CHARACTERS),
    attributes: parseAttributes(fields.get('attributes'), type, options.isForeign),
  }
}

const SCHEMA_FIELDS = ['schemas', 'id', 'name', 'description', 'attributes', 'meta', 'resourceType'] as const

const ATTRIBUTE_FIELDS = [
  'name',
  'type',
  'subAttributes',
  'multiValued',
  'description',
  'required',
  'canonicalValues',
  'caseExact',
  'mutability',
  'returned',
  'uniqueness',
  'referenceTypes',
  'indexed',
] as const

type Fields<Name extends string> = ReadonlyMap<Name, unknown>
type AttributeFields = Fields<(typeof ATTRIBUTE_FIELDS)[number]>

/** The members of an object, with names spelled as in RFC 7643 and without nulls (§2.5). */
function fieldsOf<Name extends string>(
  value: unknown,
  at: string,
  known: readonly Name[],
  isForeign = false,
): Fields<Name> {
  if (!isComplex(value))
    throw new SchemaRefused(at || 'body', `must be a JSON object, found ${kindOf(value)}`)
  const fields = new Map<Name, unknown>()
  for (const [key, member] of Object.entries(value)) {
    const name = known.find((candidate) => candidate.toLowerCase() === key.toLowerCase())
    if (name === undefined) {
      if (isForeign) continue
      throw new SchemaRefused(fieldAt(at, key), `is not a known member; use one of ${known.join(', ')}`)
    }
    if (fields.has(name)) throw new SchemaRefused(fieldAt(at, key), 'must not be given twice')
    if (member !== null) fields.set(name, member)
  }
  return fields
}

function fieldAt(at: string, key: string): string {
  // The key comes from the document. Quoting shortens it and makes it well-formed.
  const name = /^[\w$-]{1,64}$/.test(key) ? key : quote(key)
  return at === '' ? name : `${at}.${name}`
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
export function parseUrn(id: unknown, types: readonly ResourceType[]): string {
  if (typeof id !== 'string') throw new SchemaRefused('id', `must be a URN, found ${kindOf(id)}`)
  if (id.length > MAX_SCHEMA_URN_CHARACTERS) {
    throw new SchemaRefused('id', `has ${id.length} characters, the limit is ${MAX_SCHEMA_URN_CHARACTERS}`)
  }
  if (!URN.test(id) || !id.startsWith('urn:')) {
    throw new SchemaRefused(
      'id',
      `must be a URN such as "urn:ietf:params:scim:schemas:extension:acme:2.0:User", in letters, digits and "-._~:", found ${quote(id)}`,
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
  found: unknown,
  id: string,
  types: readonly ResourceType[],
  hint: string | undefined,
): ResourceType {
  const stated = found ?? id.slice(id.lastIndexOf(':') + 1)
  const lower = typeof stated === 'string' ? stated.toLowerCase() : undefined
  const type = types.find(({ name }) => name.toLowerCase() === lower)
  if (type !== undefined) return type
  const isMissing = found === undefined
  const what = isMissing ? 'is required if the URN does not end with it, and must be' : 'must be'
  const add = isMissing && hint !== undefined ? `; ${hint}` : ''
  throw new SchemaRefused('resourceType', `${what} one of ${types.map(({ name }) => name).join(', ')}${add}`)
}

/** The default name of a schema: "acmeUser" for `urn:ietf:params:scim:schemas:extension:acme:2.0:User`. */
function nameFrom(id: string): string {
  const parts = id.split(':').slice(2)
  const own = parts.filter(
    (part) => /^[a-z]/i.test(part) && !/^(?:params|scim|schemas|extension)$/i.test(part),
  )
  return own.slice(-2).join('').slice(0, MAX_ATTRIBUTE_NAME_CHARACTERS) || 'Extension'
}

function parseAttributes(
  attributes: unknown,
  type: ResourceType,
  isForeign: boolean | undefined,
): readonly Attribute[] {
  const list = arrayOf(attributes, 'attributes', 1, MAX_EXTENSION_ATTRIBUTES)
  const parsed = list.map((value, i) => {
    const at = `attributes[${i}]`
    const one = parseAttribute(value, at, isForeign)
    if (findAttribute(type.attributes, one.name) === undefined) return one
    throw new SchemaRefused(
      `${at}.name`,
      `is ${quote(one.name)}, which would shadow the attribute of ${type.name}`,
    )
  })
  requireDistinctNames(parsed, 'attributes')
  return parsed
}

function parseAttribute(
  value: unknown,
  at: string,
  isForeign: boolean | undefined,
  owner?: Attribute,
): Attribute {
  const fields = fieldsOf(value, at, ATTRIBUTE_FIELDS, isForeign)
  const type = oneOf(fields.get('type') ?? 'string', TYPES, `${at}.type`)
  const name = parseName(fields.get('name'), `${at}.name`, owner)
  const multiValued = flag(fields, 'multiValued', at)
  const description = text(fields.get('description') ?? '', `${at}.description`, MAX_DESCRIPTION_CHARACTERS)
  const plain = attribute(name, type, description, {
    multiValued,
    mutability: supported(fields.get('mutability') ?? 'readWrite', MUTABILITY, `${at}.mutability`),
    returned: supported(fields.get('returned') ?? 'default', RETURNED, `${at}.returned`),
    uniqueness: supported(fields.get('uniqueness') ?? 'none', UNIQUENESS, `${at}.uniqueness`),
    ...caseExactOf(fields, type, at),
    ...valuesOf(fields, type, at),
  })
  requireNotRequired(fields, at)
  requireSupportedMutability(plain, at, owner)
  return {
    ...plain,
    ...subAttributesOf(fields, plain, at, isForeign, owner),
    ...indexedOf(fields, plain, at, owner),
  }
}

/** RFC 7643 §2.1: ATTRNAME = ALPHA *(nameChar). "$ref" is the only name that begins with a dollar sign (§2.4). */
const NAME = /^[A-Za-z][\w$-]*$/

function parseName(name: unknown, field: string, owner: Attribute | undefined): string {
  if (typeof name !== 'string') throw new SchemaRefused(field, `must be a string, found ${kindOf(name)}`)
  if (name.length > MAX_ATTRIBUTE_NAME_CHARACTERS) {
    throw new SchemaRefused(
      field,
      `has ${name.length} characters, the limit is ${MAX_ATTRIBUTE_NAME_CHARACTERS}`,
    )
  }
  if (!NAME.test(name) && !(owner !== undefined && name === '$ref')) {
    throw new SchemaRefused(
      field,
      `must begin with a letter, followed by letters, digits, "$", "-" and "_", found ${quote(name)}`,
    )
  }
  // Names that every JavaScript object inherits, such as "constructor".
  if (name in {}) throw new SchemaRefused(field, `must not be ${quote(name)}, a reserved name`)
  return name
}

function requireDistinctNames(attributes: readonly Attribute[], at: string): void {
  const names = new Set<string>()
  for (const [i, { name }] of attributes.entries()) {
    // RFC 7643 §2.1: attribute names are case insensitive.
    if (names.has(name.toLowerCase()))
      throw new SchemaRefused(`${at}[${i}].name`, `must be unique, found ${quote(name)} twice`)
    names.add(name.toLowerCase())
  }
}

const TYPES: readonly AttributeType[] = [
  'string',
  'boolean',
  'decimal',
  'integer',
  'dateTime',
  'binary',
  'reference',
  'complex',
]

/** The values of a characteristic: true if the value is supported, otherwise the reason. */
type Support<Value extends string> = Readonly<Record<Value, true | string>>

const MUTABILITY: Support<Attribute['mutability']> = {
  readWrite: true,
  immutable: true,
  readOnly: 'the service provider does not assign values to extension attributes',
  writeOnly: 'values that cannot be read are not stored',
}

const RETURNED: Support<Attribute['returned']> = {
  always: true,
  default: true,
  request: true,
  never: 'values that cannot be read are not stored',
}

const UNIQUENESS: Support<Attribute['uniqueness']> = {
  none: true,
  server: 'the database has no unique index for extension attributes',
  global: 'the service provider does not know the values of other service providers',
}

function supported<Value extends string>(value: unknown, support: Support<Value>, field: string): Value {
  const values = Object.keys(support) as Value[]
  const found = values.find((candidate) => candidate === value)
  const reason = found === undefined ? undefined : support[found]
  if (found !== undefined && reason === true) return found
  const allowed = values.filter((candidate) => support[candidate] === true).join(', ')
  const why = typeof reason === 'string' ? `: ${reason}` : ''
  throw new SchemaRefused(field, `must be one of ${allowed}, found ${shown(value)}${why}`)
}

/** Existing resources have no value of a new extension, and a PATCH that disables a user must not fail because of that. */
function requireNotRequired(fields: AttributeFields, at: string): void {
  if (!flag(fields, 'required', at)) return
  const reason =
    'must be false, so that changes such as disabling a user do not fail because the attribute has no value'
  throw new SchemaRefused(`${at}.required`, reason)
}

function requireSupportedMutability(
  { name, type, multiValued, mutability }: Attribute,
  at: string,
  owner: Attribute | undefined,
): void {
  if (mutability !== 'immutable') return
  // RFC 7643 §7: the value is set only once. Several values cannot be matched with their earlier state.
  const isSimple = type !== 'complex' && !multiValued && owner?.multiValued !== true && name !== '$ref'
  if (isSimple) return
  const reason = 'must be readWrite: immutable is supported for single values that are not complex'
  throw new SchemaRefused(`${at}.mutability`, reason)
}

const TEXT_TYPES: readonly AttributeType[] = ['string', 'reference', 'binary']

function caseExactOf(fields: AttributeFields, type: AttributeType, at: string): { caseExact?: boolean } {
  if (!fields.has('caseExact') || !TEXT_TYPES.includes(type)) return {}
  const caseExact = flag(fields, 'caseExact', at)
  // RFC 7643 §2.3.6: binary values are case exact, because "QQ==" and "qq==" encode different bytes.
  if (type === 'binary' && !caseExact)
    throw new SchemaRefused(`${at}.caseExact`, 'must be true for type "binary"')
  return { caseExact }
}

function valuesOf(
  fields: AttributeFields,
  type: AttributeType,
  at: string,
): { canonicalValues?: readonly string[]; referenceTypes?: readonly string[] } {
  const strings = (name: 'canonicalValues' | 'referenceTypes') =>
    arrayOf(fields.get(name), `${at}.${name}`, 0, MAX_CANONICAL_VALUES).map((value, i) =>
      text(value, `${at}.${name}[${i}]`, MAX_NAME_CHARACTERS),
    )
  if (fields.has('canonicalValues') && type !== 'string' && type !== 'reference') {
    throw new SchemaRefused(
      `${at}.canonicalValues`,
      `are allowed only for type "string" or "reference", found "${type}"`,
    )
  }
  if (fields.has('referenceTypes') && type !== 'reference') {
    throw new SchemaRefused(`${at}.referenceTypes`, `are allowed only for type "reference", found "${type}"`)
  }
  const canonicalValues = fields.has('canonicalValues') ? strings('canonicalValues') : []
  return {
    ...(canonicalValues.length > 0 && { canonicalValues }),
    ...(type === 'reference' && {
      referenceTypes: fields.has('referenceTypes') ? strings('referenceTypes') : ['external'],
    }),
  }
}

function subAttributesOf(
  fields: AttributeFields,
  { type, multiValued }: Attribute,
  at: string,
  isForeign: boolean | undefined,
  owner: Attribute | undefined,
): { subAttributes?: readonly Attribute[] } {
  const field = `${at}.subAttributes`
  const given = fields.get('subAttributes')
  if (type !== 'complex') {
    // Some service providers give each attribute an empty array.
    if (given === undefined || (Array.isArray(given) && given.length === 0)) return {}
    throw new SchemaRefused(field, `are allowed only for type "complex", found "${type}"`)
  }
  // RFC 7643 §2.3.8: "A complex attribute MUST NOT contain sub-attributes that have sub-attributes".
  if (owner !== undefined) throw new SchemaRefused(`${at}.type`, 'must not be complex in a complex attribute')
  const self = { multiValued } as Attribute
  const subAttributes = arrayOf(given, field, 1, MAX_SUB_ATTRIBUTES).map((value, i) =>
    parseAttribute(value, `${field}[${i}]`, isForeign, self),
  )
  requireDistinctNames(subAttributes, field)
  const nested = subAttributes.findIndex((sub) => multiValued && sub.multiValued)
  if (nested >= 0) {
    throw new SchemaRefused(
      `${field}[${nested}].multiValued`,
      'must be false in a multi-valued attribute, because no path can select such a value',
    )
  }
  return { subAttributes }
}

/** Types for which an index is useful. Boolean is not among them, because an index would match half of the directory. */
const INDEXED_TYPES: readonly AttributeType[] = ['string', 'reference', 'integer', 'decimal', 'dateTime']

function indexedOf(
  fields: AttributeFields,
  { type, multiValued }: Attribute,
  at: string,
  owner: Attribute | undefined,
): { indexed?: true } {
  if (!flag(fields, 'indexed', at)) return {}
  const field = `${at}.indexed`
  if (owner !== undefined) throw new SchemaRefused(field, 'must be false for a sub-attribute')
  if (multiValued) throw new SchemaRefused(field, 'must be false for a multi-valued attribute')
  if (!INDEXED_TYPES.includes(type)) {
    throw new SchemaRefused(
      field,
      `must be false for type "${type}"; an index is allowed for ${INDEXED_TYPES.join(', ')}`,
    )
  }
  return { indexed: true }
}

function flag(
  fields: AttributeFields,
  name: 'multiValued' | 'required' | 'caseExact' | 'indexed',
  at: string,
): boolean {
  const value = fields.get(name) ?? false
  if (typeof value === 'boolean') return value
  throw new SchemaRefused(`${at}.${name}`, `must be true or false, found ${shown(value)}`)
}

function oneOf<Value extends string>(value: unknown, values: readonly Value[], field: string): Value {
  const found = values.find((candidate) => candidate === value)
  if (found !== undefined) return found
  throw new SchemaRefused(field, `must be one of ${values.join(', ')}, found ${shown(value)}`)
}

function arrayOf(value: unknown, field: string, least: number, most: number): readonly unknown[] {
  if (!Array.isArray(value)) throw new SchemaRefused(field, `must be an array, found ${kindOf(value)}`)
  if (value.length >= least && value.length <= most) return value
  throw new SchemaRefused(field, `must have ${least} to ${most} elements, found ${value.length}`)
}

function text(value: unknown, field: string, most: number): string {
  if (typeof value !== 'string') throw new SchemaRefused(field, `must be a string, found ${kindOf(value)}`)
  if (!value.isWellFormed() || value.includes('\0')) {
    throw new SchemaRefused(field, 'must be well-formed Unicode without U+0000')
  }
  if (value.length <= most) return value
  throw new SchemaRefused(field, `has ${value.length} characters, the limit is ${most}`)
}

function shown(value: unknown): string {
  return typeof value === 'string' ? quote(value) : kindOf(value)
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
