/**
 * The GroupMembership resource type: each resource tells one direct membership. It is an Internet-Draft,
 * draft-zollner-scim-group-members. Version -01 calls the type "GroupMember"; the names here are those of the later text:
 * https://github.com/Zollnerd/scim-group-membership. Memberships have no table of their own, so the type is not one of the
 * types that a directory stores.
 */
import { GROUP_MEMBERSHIP_SCHEMA } from '../urn.ts'
import { type Attribute, attribute, complex, type ResourceType } from './definition.ts'
import { hasMembers, resourceType } from './resource-type.ts'

const READ_ONLY = { mutability: 'readOnly' } as const
const KEY = { mutability: 'immutable', required: true } as const
const MEMBER_TYPES = ['User', 'Group']

function reference(name: string, referenceTypes: readonly string[], more: readonly Attribute[]): Attribute {
  const text = `The ${name} of the membership.`
  return complex(
    name,
    text,
    [
      attribute('value', 'string', `The id of the ${name}.`, { ...KEY, caseExact: true }),
      attribute('$ref', 'reference', `The URI of the ${name}.`, { ...READ_ONLY, referenceTypes }),
      attribute('display', 'string', `The displayName of the ${name}.`, READ_ONLY),
      ...more,
    ],
    KEY,
  )
}

export const GROUP_MEMBERSHIP: ResourceType = resourceType(
  {
    name: 'GroupMembership',
    endpoint: '/GroupMemberships',
    description: 'Membership of a user or a group in a group',
    nameAttribute: 'id',
    isMember: false,
  },
  {
    id: GROUP_MEMBERSHIP_SCHEMA,
    name: 'Group Membership',
    description: 'Membership of a user or a group in a group',
    attributes: [
      reference('group', ['Group'], []),
      reference('member', MEMBER_TYPES, [
        attribute('type', 'string', 'The resource type of the member.', {
          ...READ_ONLY,
          canonicalValues: MEMBER_TYPES,
        }),
      ]),
    ],
  },
)

/** The types that clients reach: the stored ones and, if one of them has members, GroupMembership. */
export function servedTypes(types: readonly ResourceType[]): readonly ResourceType[] {
  return types.some(hasMembers) ? [...types, GROUP_MEMBERSHIP] : types
}
