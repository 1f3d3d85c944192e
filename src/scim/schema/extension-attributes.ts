/**
 * Parses the attributes of an extension schema (RFC 7643 §7). Missing characteristics have the defaults of §2.2.
 */
import { kindOf, quote } from '../error.ts'
import { type Attribute, type AttributeType, attribute, type ResourceType } from './definition.ts'
import {
  ATTRIBUTE_MEMBERS,
  type AttributeFields,
  arrayOf,
  choice,
  fieldsOf,
  flag,
  SCHEMA_MEMBERS,
  SchemaRefused,
  text,
  texts,
} from './extension-members.ts'
import { findAttribute } from './lookup.ts'

/** How attributes are read. */
interface AttributeOptions {
  /** True for a document of another service provider, whose unknown members are ignored instead of refused. */
  readonly isForeign: boolean
  /** The complex attribute, for sub-attributes. */
  readonly owner?: Pick<Attribute, 'multiValued'>
}

/** An attribute in a document, and how it is read. */
type Source = AttributeFields & AttributeOptions

/**
 * Parses the attributes of a schema.
 *
 * @param type the resource type, whose attributes cannot be shadowed
 * @throws {SchemaRefused}
 */
export function parseAttributes(
  attributes: unknown,
  type: ResourceType,
  options: AttributeOptions,
): readonly Attribute[] {
  const list = arrayOf(attributes, 'attributes', { least: 1, most: SCHEMA_MEMBERS.attributes.maxItems })
  const parsed = list.map((value, i) => {
    const at = `attributes[${i}]`
    const one = parseAttribute(value, at, options)
    if (findAttribute(type.attributes, one.name) === undefined) return one
    throw new SchemaRefused(
      `${at}.name`,
      `is ${quote(one.name)}, which would shadow the attribute of ${type.name}`,
    )
  })
  requireDistinctNames(parsed, 'attributes')
  return parsed
}

function parseAttribute(value: unknown, at: string, options: AttributeOptions): Attribute {
  const fields = fieldsOf(value, at, ATTRIBUTE_MEMBERS, options.isForeign)
  const source = { ...options, fields, at }
  const type = choice(source, 'type')
  const name = parseName(source)
  const multiValued = flag(source, 'multiValued')
  const description = descriptionOf(source)
  const plain = attribute(name, type, description, {
    multiValued,
    mutability: choice(source, 'mutability'),
    returned: choice(source, 'returned'),
    uniqueness: choice(source, 'uniqueness'),
    ...caseExactOf(source, type),
    ...valuesOf(source, type),
    required: flag(source, 'required'),
  })
  requireSupportedMutability(source, plain)
  return { ...plain, ...subAttributesOf(source, plain), ...indexedOf(source, plain) }
}

/** RFC 7643 §2.1: ATTRNAME = ALPHA *(nameChar). "$ref" is the only name that begins with a dollar sign (§2.4). */
const NAME = /^[A-Za-z][\w$-]*$/

function parseName({ fields, at, owner }: Source): string {
  const [name, field] = [fields.get('name'), `${at}.name`]
  const { maxCharacters } = ATTRIBUTE_MEMBERS.name
  if (typeof name !== 'string') throw new SchemaRefused(field, `must be a string, found ${kindOf(name)}`)
  if (name.length > maxCharacters) {
    throw new SchemaRefused(field, `has ${name.length} characters, the limit is ${maxCharacters}`)
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

function descriptionOf({ fields, at }: Source): string {
  const { maxCharacters } = ATTRIBUTE_MEMBERS.description
  return text(fields.get('description') ?? '', `${at}.description`, maxCharacters)
}

function requireSupportedMutability(
  { at, owner }: Source,
  { name, type, multiValued, mutability }: Attribute,
): void {
  if (mutability !== 'immutable') return
  // RFC 7643 §7: the value is set only once. Several values cannot be matched with their earlier state.
  const isSimple = type !== 'complex' && !multiValued && owner?.multiValued !== true && name !== '$ref'
  if (isSimple) return
  const reason = 'must be readWrite: immutable is supported for single values that are not complex'
  throw new SchemaRefused(`${at}.mutability`, reason)
}

const TEXT_TYPES: readonly AttributeType[] = ['string', 'reference', 'binary']

function caseExactOf(source: Source, type: AttributeType): { caseExact?: boolean } {
  if (!source.fields.has('caseExact') || !TEXT_TYPES.includes(type)) return {}
  const caseExact = flag(source, 'caseExact')
  // RFC 7643 §2.3.6: binary values are case exact, because "QQ==" and "qq==" encode different bytes.
  if (type === 'binary' && !caseExact)
    throw new SchemaRefused(`${source.at}.caseExact`, 'must be true for type "binary"')
  return { caseExact }
}

function valuesOf(
  source: Source,
  type: AttributeType,
): { canonicalValues?: readonly string[]; referenceTypes?: readonly string[] } {
  const { fields, at } = source
  if (fields.has('canonicalValues') && type !== 'string' && type !== 'reference') {
    throw new SchemaRefused(
      `${at}.canonicalValues`,
      `are allowed only for type "string" or "reference", found "${type}"`,
    )
  }
  if (fields.has('referenceTypes') && type !== 'reference') {
    throw new SchemaRefused(`${at}.referenceTypes`, `are allowed only for type "reference", found "${type}"`)
  }
  const canonicalValues = fields.has('canonicalValues') ? texts(source, 'canonicalValues') : []
  return {
    ...(canonicalValues.length > 0 && { canonicalValues }),
    ...(type === 'reference' && {
      referenceTypes: fields.has('referenceTypes') ? texts(source, 'referenceTypes') : ['external'],
    }),
  }
}

function subAttributesOf(
  { fields, at, isForeign, owner }: Source,
  { type, multiValued }: Attribute,
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
  const list = arrayOf(given, field, { least: 1, most: ATTRIBUTE_MEMBERS.subAttributes.maxItems })
  const subAttributes = list.map((value, i) =>
    parseAttribute(value, `${field}[${i}]`, { isForeign, owner: { multiValued } }),
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

function indexedOf(source: Source, { type, multiValued }: Attribute): { indexed?: true } {
  if (!flag(source, 'indexed')) return {}
  const field = `${source.at}.indexed`
  if (source.owner !== undefined) throw new SchemaRefused(field, 'must be false for a sub-attribute')
  if (multiValued) throw new SchemaRefused(field, 'must be false for a multi-valued attribute')
  if (!INDEXED_TYPES.includes(type)) {
    throw new SchemaRefused(
      field,
      `must be false for type "${type}"; an index is allowed for ${INDEXED_TYPES.join(', ')}`,
    )
  }
  return { indexed: true }
}
