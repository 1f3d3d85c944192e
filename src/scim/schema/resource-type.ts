/**
 * The User and Group resource types (RFC 7643 §6). The resource types of a tenant are passed as a value; code does not
 * refer to these constants. storage/tables/resource-tables.ts assigns tables to the shipped types.
 */
import { CISCO_UMBRELLA_GROUP, CISCO_UMBRELLA_USER } from './cisco-umbrella.ts'
import { COMMON_ATTRIBUTES } from './common-attributes.ts'
import { type Attribute, type AttributeIndex, complex, type ResourceType, type Schema } from './definition.ts'
import { ENTERPRISE_USER } from './enterprise-user.ts'
import { GROUP } from './group.ts'
import { USER } from './user.ts'

/** The name of the endpoint of a type: "Users". */
export function pluralOf({ endpoint }: Pick<ResourceType, 'endpoint'>): string {
  return endpoint.slice(1)
}

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
 * Defines a resource type.
 *
 * @param identity its name must consist of letters and digits, because it becomes part of SQL statements
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

/** The complex attribute that represents an extension. */
function attributeOf({ id, description, attributes }: Schema): Attribute {
  return complex(id, description, attributes)
}

/** The extensions of a resource type in one tenant. */
export interface TypeExtensions {
  readonly extensions: readonly Schema[]
  readonly removed: readonly Schema[]
  /** True if resources may still have values of an extension that is being purged. */
  readonly isPurging: boolean
  readonly indexes: readonly AttributeIndex[]
}

/** Adds a tenant's extensions to a resource type. */
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

/** The schemas of the resource types without duplicates, in the order of /Schemas. */
export function schemasOf(types: readonly ResourceType[]): readonly Schema[] {
  const all = types.flatMap((type) => [type.schema, ...type.extensions])
  return [...new Map(all.map((schema) => [schema.id, schema])).values()]
}

/** True for Group, the type whose resources have members. A directory has at most one such type. */
export function hasMembers({ references }: Pick<ResourceType, 'references'>): boolean {
  return references === 'members'
}

/** True for a type whose resources have "groups", such as User. */
export function showsGroups({ references }: Pick<ResourceType, 'references'>): boolean {
  return references === 'groups'
}

/** The unique attribute of the type, in addition to `id`: `userName` of User. Undefined if there is none. */
export function uniqueAttribute({ schema }: Pick<ResourceType, 'schema'>): Attribute | undefined {
  return schema.attributes.find(({ uniqueness }) => uniqueness === 'server')
}

/** True for the complex attribute that represents an extension. Only such attributes have a URN as their name. */
export function isExtension(attribute: Attribute): boolean {
  return attribute.name.startsWith('urn:')
}

/** True if the attribute and all its sub-attributes are returned by default. */
export function isReturnedByDefault({ returned, subAttributes = [] }: Attribute): boolean {
  return (returned === 'always' || returned === 'default') && subAttributes.every(isReturnedByDefault)
}
