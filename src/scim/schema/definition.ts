/**
 * Types of a schema, its attributes and their characteristics (RFC 7643 §2.2, §7), and the small
 * constructors that the schemas are written with. The same objects validate input, drive filters,
 * PATCH and projection, and are served by /Schemas.
 */

import { MAX_ELEMENTS, MAX_NAME_CHARACTERS, MAX_TEXT_CHARACTERS } from '../limits.ts'

export type AttributeType =
  | 'string'
  | 'boolean'
  | 'decimal'
  | 'integer'
  | 'dateTime'
  | 'binary'
  | 'reference'
  | 'complex'

/** One attribute with all its characteristics. @see RFC 7643 §7 */
export interface Attribute {
  readonly name: string
  readonly type: AttributeType
  readonly multiValued: boolean
  readonly description: string
  readonly required: boolean
  readonly caseExact: boolean
  readonly canonicalValues?: readonly string[]
  readonly mutability: 'readOnly' | 'readWrite' | 'immutable' | 'writeOnly'
  readonly returned: 'always' | 'never' | 'default' | 'request'
  readonly uniqueness: 'none' | 'server' | 'global'
  readonly referenceTypes?: readonly string[]
  readonly subAttributes?: readonly Attribute[]
  /** The most UTF-16 code units in a value that a client sends; what is stored may be older, and longer. */
  readonly maxLength?: number
  /** The most elements of a multi-valued attribute. */
  readonly maxElements?: number
  /** True when the administrator wants an index for it: of an attribute of a tenant's extension. */
  readonly indexed?: true
}

/** A schema as data. `id` is its URN. */
export interface Schema {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly attributes: readonly Attribute[]
}

/** A resource type with its schemas in place. @see RFC 7643 §6 */
export interface ResourceType {
  readonly name: string
  /** Relative to the Tenant URL, with the leading slash. */
  readonly endpoint: `/${string}`
  readonly description: string
  /** The attribute that people know a resource by. It has a single value, and the provisioning log shows it. */
  readonly nameAttribute: string
  /**
   * The attribute whose values are memberships, which are no part of the stored resource: the members of a group, or the
   * groups that the resource is in. Undefined for a type that shows none.
   */
  readonly references?: 'groups' | 'members' | undefined
  /** Whether groups may have such resources as members. */
  readonly isMember: boolean
  readonly schema: Schema
  readonly extensions: readonly Schema[]
  /** Extensions that the administrator removed: no client sees or sends them, and what is stored of them is kept. */
  readonly removed: readonly Schema[]
  /**
   * Everything a resource can hold: common attributes, those of the schema, and for each extension
   * one complex attribute that is named by the URN of the extension, as on the wire.
   */
  readonly attributes: readonly Attribute[]
  /** The same, and what is stored of removed extensions. */
  readonly storedAttributes: readonly Attribute[]
  /** Whether each of them is returned without being asked for. */
  readonly returnsAll: boolean
  /** Of attributes of a tenant's extensions. */
  readonly indexes: readonly AttributeIndex[]
}

/** The index of an attribute of a tenant's extension: one of a few columns that the tables have for that. */
export interface AttributeIndex {
  /** The URN of the extension, and the name of the attribute. */
  readonly path: readonly [urn: string, name: string]
  /** 1 to MAX_INDEXED_ATTRIBUTES. */
  readonly slot: number
  /** False while resources that are older than the index are still taken into it: until then it finds nothing. */
  readonly isReady: boolean
}

type Characteristics = Partial<Omit<Attribute, 'name' | 'type' | 'description'>>

/** An attribute with the default characteristics of RFC 7643 §2.2 where none are given. */
export function attribute(
  name: string,
  type: AttributeType,
  description: string,
  characteristics: Characteristics = {},
): Attribute {
  return {
    name,
    type,
    multiValued: false,
    description,
    required: false,
    // RFC 7643 §2.3.6, §2.3.7: binary and reference values are case exact.
    caseExact: type === 'binary' || type === 'reference',
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    ...MAX_LENGTHS[type],
    ...(characteristics.multiValued && { maxElements: MAX_ELEMENTS }),
    ...characteristics,
  }
}

/** Most texts are names. Certificates are long. */
const MAX_LENGTHS: { readonly [type in AttributeType]?: Pick<Attribute, 'maxLength'> } = {
  string: { maxLength: MAX_NAME_CHARACTERS },
  reference: { maxLength: MAX_NAME_CHARACTERS },
  dateTime: { maxLength: MAX_NAME_CHARACTERS },
  binary: { maxLength: MAX_TEXT_CHARACTERS },
}

/** The characteristic of values that are read, not looked up: addresses, pictures as data URLs, roles as JSON text. */
export const LONG = { maxLength: MAX_TEXT_CHARACTERS } as const

/** A complex attribute. Sub-attributes keep the order in which they are given. */
export function complex(
  name: string,
  description: string,
  subAttributes: readonly Attribute[],
  characteristics: Characteristics = {},
): Attribute {
  return attribute(name, 'complex', description, { ...characteristics, subAttributes })
}

/**
 * A multi-valued attribute with the sub-attributes of RFC 7643 §2.4: value, display, type, primary.
 *
 * @param value the `value` sub-attribute, which differs from attribute to attribute
 */
export function multiValued(
  name: string,
  description: string,
  value: Attribute,
  types: readonly string[] = [],
): Attribute {
  return complex(
    name,
    description,
    [
      value,
      attribute('display', 'string', 'A human-readable name, primarily used for display purposes.'),
      attribute(
        'type',
        'string',
        'A label that tells the function of the value.',
        types.length === 0 ? {} : { canonicalValues: types },
      ),
      attribute('primary', 'boolean', 'True for the preferred value. It may be true for one value only.'),
    ],
    { multiValued: true },
  )
}
