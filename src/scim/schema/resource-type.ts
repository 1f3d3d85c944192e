/**
 * The User and Group resource types as data (RFC 7643 §6). Which types a tenant has is a value that is handed on, never
 * one of these: storage/tables/resource-tables.ts has those that are shipped, each with its table.
 */
import { CISCO_UMBRELLA_GROUP, CISCO_UMBRELLA_USER } from './cisco-umbrella.ts'
import { COMMON_ATTRIBUTES } from './common-attributes.ts'
import { type Attribute, type AttributeIndex, complex, type ResourceType, type Schema } from './definition.ts'
import { ENTERPRISE_USER } from './enterprise-user.ts'
import { GROUP } from './group.ts'
import { USER } from './user.ts'

export const USER_RESOURCE_TYPE: ResourceType = resourceType(
  {
    name: 'User',
    endpoint: '/Users',
    description: 'User Account',
    nameAttribute: 'userName',
    references: 'groups',
    isMember: true,
  },
  USER,
  [ENTERPRISE_USER, CISCO_UMBRELLA_USER],
)

export const GROUP_RESOURCE_TYPE: ResourceType = resourceType(
  {
    name: 'Group',
    endpoint: '/Groups',
    description: 'Group',
    nameAttribute: 'displayName',
    references: 'members',
    isMember: true,
  },
  GROUP,
  [CISCO_UMBRELLA_GROUP],
)

/**
 * A resource type with the attributes that its resources can hold.
 *
 * @param identity its name is made of letters and digits, as RFC 7643 §2.1 has it for attributes: it becomes SQL
 */
export function resourceType(
  identity: Pick<
    ResourceType,
    'name' | 'endpoint' | 'description' | 'nameAttribute' | 'references' | 'isMember'
  >,
  schema: Schema,
  extensions: readonly Schema[] = [],
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
export function extendedType<Type extends ResourceType>(type: Type, more: TypeExtensions): Type {
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

/** Every schema of some resource types, each once, in the order in which /Schemas lists them. */
export function schemasOf(types: readonly ResourceType[]): readonly Schema[] {
  const all = types.flatMap((type) => [type.schema, ...type.extensions])
  return [...new Map(all.map((schema) => [schema.id, schema])).values()]
}

/** True of the type whose resources have members: those of Group. A directory has one such type at most. */
export function hasMembers({ references }: Pick<ResourceType, 'references'>): boolean {
  return references === 'members'
}

/** True of a type whose resources show the groups that they are in, as User does. */
export function showsGroups({ references }: Pick<ResourceType, 'references'>): boolean {
  return references === 'groups'
}

/** The attribute that no two resources of the type share, beside `id`: `userName`. Undefined when there is none. */
export function uniqueAttribute({ schema }: Pick<ResourceType, 'schema'>): Attribute | undefined {
  return schema.attributes.find(({ uniqueness }) => uniqueness === 'server')
}

/** True for the complex attribute that stands for an extension: only those are named by a URN. */
export function isExtension(attribute: Attribute): boolean {
  return attribute.name.startsWith('urn:')
}

/** True of an attribute that is returned with all of its sub-attributes when the client does not say what it wants. */
export function isReturnedByDefault({ returned, subAttributes = [] }: Attribute): boolean {
  return (returned === 'always' || returned === 'default') && subAttributes.every(isReturnedByDefault)
}
