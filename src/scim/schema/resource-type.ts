/**
 * The User and Group resource types as data (RFC 7643 §6).
 */
import { CISCO_UMBRELLA_GROUP, CISCO_UMBRELLA_USER } from './cisco-umbrella.ts'
import { COMMON_ATTRIBUTES } from './common-attributes.ts'
import { type Attribute, type AttributeIndex, complex, type ResourceType, type Schema } from './definition.ts'
import { ENTERPRISE_USER } from './enterprise-user.ts'
import { GROUP } from './group.ts'
import { USER } from './user.ts'

export const USER_RESOURCE_TYPE: ResourceType = resourceType(
  { name: 'User', endpoint: '/Users', description: 'User Account' },
  USER,
  [ENTERPRISE_USER, CISCO_UMBRELLA_USER],
)

export const GROUP_RESOURCE_TYPE: ResourceType = resourceType(
  { name: 'Group', endpoint: '/Groups', description: 'Group' },
  GROUP,
  [CISCO_UMBRELLA_GROUP],
)

export const RESOURCE_TYPES: readonly ResourceType[] = [USER_RESOURCE_TYPE, GROUP_RESOURCE_TYPE]

/** Every schema of a resource type, each once, in the order in which /Schemas lists them. */
export const SCHEMAS: readonly Schema[] = RESOURCE_TYPES.flatMap((type) => [type.schema, ...type.extensions])

/** True for the complex attribute that stands for an extension: only those are named by a URN. */
export function isExtension(attribute: Attribute): boolean {
  return attribute.name.startsWith('urn:')
}

function resourceType(
  identity: Pick<ResourceType, 'name' | 'endpoint' | 'description'>,
  schema: Schema,
  extensions: readonly Schema[],
): ResourceType {
  const attributes = [...COMMON_ATTRIBUTES, ...schema.attributes, ...extensions.map(attributeOf)]
  return {
    ...identity,
    schema,
    extensions,
    removed: [],
    attributes,
    storedAttributes: attributes,
    returnsAll: attributes.every(isReturnedByDefault),
    indexes: [],
  }
}

/** The complex attribute that stands for an extension. */
function attributeOf({ id, description, attributes }: Schema): Attribute {
  return complex(id, description, attributes)
}

/** What a tenant adds to a resource type. */
export interface TypeExtensions {
  readonly extensions: readonly Schema[]
  readonly removed: readonly Schema[]
  /** Whether resources may hold what is neither of these and is still being deleted. */
  readonly isPurging: boolean
  readonly indexes: readonly AttributeIndex[]
}

/** The resource type with the extensions of a tenant. */
export function extendedType(type: ResourceType, more: TypeExtensions): ResourceType {
  const attributes = [...type.attributes, ...more.extensions.map(attributeOf)]
  const isHidden = more.removed.length > 0 || more.isPurging
  return {
    ...type,
    extensions: [...type.extensions, ...more.extensions],
    removed: more.removed,
    attributes,
    storedAttributes: [...attributes, ...more.removed.map(attributeOf)],
    returnsAll: !isHidden && attributes.every(isReturnedByDefault),
    indexes: more.indexes,
  }
}

/** True of an attribute that is returned with all of its sub-attributes when the client does not say what it wants. */
export function isReturnedByDefault({ returned, subAttributes = [] }: Attribute): boolean {
  return (returned === 'always' || returned === 'default') && subAttributes.every(isReturnedByDefault)
}
