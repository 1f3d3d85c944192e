/**
 * The members of an extension schema and of its attributes (RFC 7643 §7) as data: the parser reads a document by them, and
 * the OpenAPI document is derived from them. Two members are additions to the RFC: `resourceType`, and `indexed` of an
 * attribute.
 */
import { isComplex } from '../comparison.ts'
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
import type { Attribute, AttributeType } from './definition.ts'

/** An invalid schema. `field` is the path of the invalid field, such as `attributes[2].type`. */
export class SchemaRefused extends Error {
  readonly field: string

  constructor(field: string, reason: string) {
    super(`"${field}" ${reason}`)
    this.name = 'SchemaRefused'
    this.field = field
  }
}

/** What a member may hold. */
export type MemberRule = (
  | { readonly kind: 'text'; readonly maxCharacters: number }
  | { readonly kind: 'texts'; readonly maxItems?: number; readonly maxCharacters?: number }
  /** Without a default, it depends on the type. `mustBeFalse` is the reason why true is not supported. */
  | { readonly kind: 'flag'; readonly default?: false; readonly mustBeFalse?: string }
  | { readonly kind: 'choice'; readonly values: Support<string>; readonly default: string }
  | { readonly kind: 'attributes'; readonly maxItems: number }
  | { readonly kind: 'resource type' }
  /** Accepted, because service providers send it, and not read. */
  | { readonly kind: 'unused' }
) & { readonly isRequired?: true; readonly description?: string }

/** The values of a characteristic: true if the value is supported, otherwise the reason. */
type Support<Value extends string> = Readonly<Record<Value, true | string>>

type Members = Readonly<Record<string, MemberRule>>

export const SCHEMA_MEMBERS = {
  schemas: { kind: 'texts' },
  id: { kind: 'text', maxCharacters: MAX_SCHEMA_URN_CHARACTERS, description: 'The URN.' },
  name: { kind: 'text', maxCharacters: MAX_ATTRIBUTE_NAME_CHARACTERS },
  description: { kind: 'text', maxCharacters: MAX_DESCRIPTION_CHARACTERS },
  attributes: { kind: 'attributes', maxItems: MAX_EXTENSION_ATTRIBUTES, isRequired: true },
  meta: { kind: 'unused' },
  resourceType: { kind: 'resource type', description: 'The default is the last part of the URN.' },
} as const satisfies Members

const TYPES: Support<AttributeType> = {
  string: true,
  boolean: true,
  decimal: true,
  integer: true,
  dateTime: true,
  binary: true,
  reference: true,
  complex: true,
}

/** RFC 7643 §2.3.8: "A complex attribute MUST NOT contain sub-attributes that have sub-attributes". */
const SUB_ATTRIBUTE_TYPES: Support<AttributeType> = { ...TYPES, complex: 'the attribute is complex already' }

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

export const SUB_ATTRIBUTE_MEMBERS = {
  name: { kind: 'text', maxCharacters: MAX_ATTRIBUTE_NAME_CHARACTERS, isRequired: true },
  type: { kind: 'choice', values: SUB_ATTRIBUTE_TYPES, default: 'string' },
  multiValued: { kind: 'flag', default: false },
  description: { kind: 'text', maxCharacters: MAX_DESCRIPTION_CHARACTERS },
  required: {
    kind: 'flag',
    default: false,
    // Existing resources have no value of a new extension.
    mustBeFalse: 'so that changes such as disabling a user do not fail because the attribute has no value',
  },
  canonicalValues: {
    kind: 'texts',
    maxItems: MAX_CANONICAL_VALUES,
    maxCharacters: MAX_NAME_CHARACTERS,
    description: 'For the types "string" and "reference".',
  },
  caseExact: {
    kind: 'flag',
    description: 'Always true for "binary", and by default for "reference" (RFC 7643 §2.3.6, §2.3.7).',
  },
  mutability: { kind: 'choice', values: MUTABILITY, default: 'readWrite' },
  returned: { kind: 'choice', values: RETURNED, default: 'default' },
  uniqueness: { kind: 'choice', values: UNIQUENESS, default: 'none' },
  referenceTypes: {
    kind: 'texts',
    maxItems: MAX_CANONICAL_VALUES,
    maxCharacters: MAX_NAME_CHARACTERS,
    description: 'For the type "reference". The default is "external".',
  },
} as const satisfies Members

export const ATTRIBUTE_MEMBERS = {
  ...SUB_ATTRIBUTE_MEMBERS,
  type: { kind: 'choice', values: TYPES, default: 'string' },
  subAttributes: {
    kind: 'attributes',
    maxItems: MAX_SUB_ATTRIBUTES,
    description: 'For the type "complex".',
  },
  indexed: { kind: 'flag', default: false, description: 'Whether the attribute has an index for filters.' },
} as const satisfies Members

export type AttributeMember = keyof typeof ATTRIBUTE_MEMBERS
type MemberOfKind<Kind> = {
  [Name in AttributeMember]: (typeof ATTRIBUTE_MEMBERS)[Name]['kind'] extends Kind ? Name : never
}[AttributeMember]
type ValueOf<Name extends MemberOfKind<'choice'>> = keyof (typeof ATTRIBUTE_MEMBERS)[Name]['values']

/** The members that a document has. */
export type Fields<Name extends string> = ReadonlyMap<Name, unknown>

/** An attribute in a document: its members, and its path for messages. */
export interface AttributeFields {
  readonly fields: Fields<AttributeMember>
  readonly at: string
}

/**
 * The members of an object, with names spelled as in RFC 7643 and without nulls (§2.5). Names are case-insensitive (§2.1).
 *
 * @param at the path of the object; empty for the document itself
 * @param isForeign whether unknown members are ignored instead of refused
 * @throws {SchemaRefused}
 */
export function fieldsOf<Name extends string>(
  value: unknown,
  at: string,
  members: Readonly<Record<Name, MemberRule>>,
  isForeign = false,
): Fields<Name> {
  if (!isComplex(value))
    throw new SchemaRefused(at || 'body', `must be a JSON object, found ${kindOf(value)}`)
  const known = Object.keys(members) as Name[]
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

/** The value of a characteristic that is true or false. @throws {SchemaRefused} */
export function flag({ fields, at }: AttributeFields, name: MemberOfKind<'flag'>): boolean {
  const member: MemberRule = ATTRIBUTE_MEMBERS[name]
  const value = fields.get(name) ?? false
  if (typeof value !== 'boolean')
    throw new SchemaRefused(`${at}.${name}`, `must be true or false, found ${shown(value)}`)
  if (value && member.kind === 'flag' && member.mustBeFalse !== undefined)
    throw new SchemaRefused(`${at}.${name}`, `must be false, ${member.mustBeFalse}`)
  return value
}

/** The value of a characteristic with a few values. @throws {SchemaRefused} */
export function choice<Name extends MemberOfKind<'choice'>>(
  { fields, at }: AttributeFields,
  name: Name,
): ValueOf<Name> {
  const member: Extract<MemberRule, { kind: 'choice' }> = ATTRIBUTE_MEMBERS[name]
  const value = fields.get(name) ?? member.default
  const supported = supportedValues(member)
  if (typeof value === 'string' && supported.includes(value)) return value as ValueOf<Name>
  const values: Support<string> = member.values
  const reason = typeof value === 'string' && Object.hasOwn(values, value) ? `: ${values[value]}` : ''
  throw new SchemaRefused(
    `${at}.${name}`,
    `must be one of ${supported.join(', ')}, found ${shown(value)}${reason}`,
  )
}

/** The values of a choice that are supported. */
export function supportedValues({ values }: Extract<MemberRule, { kind: 'choice' }>): readonly string[] {
  return Object.keys(values).filter((value) => values[value] === true)
}

/** The strings of a member that holds several. @throws {SchemaRefused} */
export function texts({ fields, at }: AttributeFields, name: MemberOfKind<'texts'>): readonly string[] {
  const { maxItems, maxCharacters } = ATTRIBUTE_MEMBERS[name]
  const found = arrayOf(fields.get(name), `${at}.${name}`, { least: 0, most: maxItems })
  return found.map((value, i) => text(value, `${at}.${name}[${i}]`, maxCharacters))
}

/** @throws {SchemaRefused} */
export function arrayOf(
  value: unknown,
  field: string,
  { least, most }: { readonly least: number; readonly most: number },
): readonly unknown[] {
  if (!Array.isArray(value)) throw new SchemaRefused(field, `must be an array, found ${kindOf(value)}`)
  if (value.length >= least && value.length <= most) return value
  throw new SchemaRefused(field, `must have ${least} to ${most} elements, found ${value.length}`)
}

/** @throws {SchemaRefused} */
export function text(value: unknown, field: string, maxCharacters: number): string {
  if (typeof value !== 'string') throw new SchemaRefused(field, `must be a string, found ${kindOf(value)}`)
  if (!value.isWellFormed() || value.includes('\0')) {
    throw new SchemaRefused(field, 'must be well-formed Unicode without U+0000')
  }
  if (value.length <= maxCharacters) return value
  throw new SchemaRefused(field, `has ${value.length} characters, the limit is ${maxCharacters}`)
}

/** A value in a message. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? quote(value) : kindOf(value)
}
