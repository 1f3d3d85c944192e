/**
 * The types of schemas, attributes and their characteristics (RFC 7643 §2.2, §7), and functions to define them. Validation,
 * filters, PATCH, projection and /Schemas all use these definitions.
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
  /** The maximum length of a value in a request, in UTF-16 code units. Values stored before the limit existed may be longer. */
  readonly maxLength?: number
  /** The maximum number of elements of a multi-valued attribute. */
  readonly maxElements?: number
  /** True if the administrator requested an index. Only for attributes of a tenant's extension. */
  readonly indexed?: true
}

/** A schema. `id` is its URN. */
export interface Schema {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly attributes: readonly Attribute[]
}

/** A resource type with its schemas. @see RFC 7643 §6 */
export interface ResourceType {
  readonly name: string
  /** Relative to the Tenant URL, with the leading slash. */
  readonly endpoint: `/${string}`
  readonly description: string
  /** The single-valued attribute by which people recognise a resource. The provisioning log shows it. */
  readonly nameAttribute: string
  /**
   * The attribute whose values are memberships, which are not part of the stored resource: the members of a group, or the
   * groups of the resource. Undefined for a type without such an attribute.
   */
  readonly references?: 'groups' | 'members' | undefined
  /** True if resources of the type may be members of groups. */
  readonly isMember: boolean
  readonly schema: Schema
  readonly extensions: readonly Schema[]
  /** Extensions that the administrator removed. Clients cannot see or send them, and their stored values are kept. */
  readonly removed: readonly Schema[]
  /**
   * All attributes of a resource: common attributes, attributes of the schema, and for each extension one complex attribute
   * whose name is the URN of the extension, as in a request.
   */
  readonly attributes: readonly Attribute[]
  /** The same, including the stored attributes of removed extensions. */
  readonly storedAttributes: readonly Attribute[]
  /** True if all stored attributes are returned by default. */
  readonly returnsAll: boolean
  /** The indexes of attributes of a tenant's extensions. */
  readonly indexes: readonly AttributeIndex[]
}

/** The index of an attribute of a tenant's extension. It uses one of the columns that the tables have for that purpose. */
export interface AttributeIndex {
  /** The URN of the extension, and the name of the attribute. */
  readonly path: readonly [urn: string, name: string]
  /** The number of the column, 1 to MAX_INDEXED_ATTRIBUTES. */
  readonly slot: number
  /** False until all existing resources are in the index. Until then it is not used. */
  readonly isReady: boolean
}

type Characteristics = Partial<Omit<Attribute, 'name' | 'type' | 'description'>>

/** Defines an attribute. Missing characteristics have the defaults of RFC 7643 §2.2. */
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

/** The default maximum lengths. Most text is a name, and certificates are long. */
const MAX_LENGTHS: { readonly [type in AttributeType]?: Pick<Attribute, 'maxLength'> } = {
  string: { maxLength: MAX_NAME_CHARACTERS },
  reference: { maxLength: MAX_NAME_CHARACTERS },
  dateTime: { maxLength: MAX_NAME_CHARACTERS },
  binary: { maxLength: MAX_TEXT_CHARACTERS },
}

/** For values that are not used for look-ups: addresses, photos as data URLs, roles as JSON text. */
export const LONG = { maxLength: MAX_TEXT_CHARACTERS } as const

/** Defines a complex attribute. Sub-attributes keep the given order. */
export function complex(
  name: string,
  description: string,
  subAttributes: readonly Attribute[],
  characteristics: Characteristics = {},
): Attribute {
  return attribute(name, 'complex', description, { ...characteristics, subAttributes })
}

/**
 * Defines a multi-valued attribute with the sub-attributes of RFC 7643 §2.4: value, display, type, primary.
 *
 * @param types the canonical values of "type"
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
        'A label that indicates the function of the value.',
        types.length === 0 ? {} : { canonicalValues: types },
      ),
      attribute('primary', 'boolean', 'True for the preferred value. It may be true for one value only.'),
    ],
    { multiValued: true },
  )
}
