/**
 * GroupMembership resources (draft-zollner-scim-group-members): reads of memberships. The group writer adds and removes
 * them, as a PATCH of one member of the group: see groups/membership-write.ts.
 */
import { notFound } from '../scim/error.ts'
import { membershipFilter, membershipId, membershipKey } from '../scim/group-membership.ts'
import type { Page } from '../scim/list-response.ts'
import { type Projection, project } from '../scim/projection.ts'
import type { ResourceType } from '../scim/schema/definition.ts'
import { GROUP_MEMBERSHIP } from '../scim/schema/group-membership.ts'
import { hasMembers } from '../scim/schema/resource-type.ts'
import type { ListRequest } from '../scim/search-request.ts'
import { getMembership, type ListedMembership, listMemberships } from '../storage/lists/group-memberships.ts'
import { type Call, locationOf, type Rendered } from './call.ts'
import { pageOf } from './list.ts'

/** A page of memberships. @throws {ScimError} invalidFilter, invalidCursor, expiredCursor */
export async function listGroupMemberships(call: Call, request: ListRequest<ResourceType>): Promise<Page> {
  const [{ filter, projection } = { filter: undefined, projection: {} }] = request.sources
  const known = membershipFilter(filter)
  return await pageOf(call, request, async (slice) => {
    const { listed, ...page } = await listMemberships(call.tenant, known, slice)
    const rendered = listed.map((one) => ({
      json: renderMembership(call, one, projection).json,
      position: one.position,
    }))
    return { ...page, listed: rendered }
  })
}

/** @throws {ScimError} 404 */
export async function getGroupMembership(call: Call, id: string, projection: Projection) {
  const found = await getMembership(call.tenant, membershipKey(id))
  if (found === undefined) throw notFound(GROUP_MEMBERSHIP.name, id)
  return renderMembership(call, found, projection)
}

/**
 * A membership as the client sees it. It has no version: it never changes. The database does not keep the time of a
 * membership, so `meta` has none.
 */
export function renderMembership(
  { tenantUrl, tenant: { resourceTypes } }: Pick<Call, 'tenantUrl' | 'tenant'>,
  { group, member }: Pick<ListedMembership, 'group' | 'member'>,
  projection: Projection,
): Pick<Rendered, 'location'> & { readonly json: string } {
  const id = membershipId({ groupId: group.value, memberId: member.value })
  const refTo = (type: ResourceType | undefined, value: string) => type && locationOf(tenantUrl, type, value)
  const location = locationOf(tenantUrl, GROUP_MEMBERSHIP, id)
  const whole = {
    schemas: [GROUP_MEMBERSHIP.schema.id],
    id,
    group: { ...group, $ref: refTo(resourceTypes.find(hasMembers), group.value) },
    member: {
      ...member,
      $ref: refTo(
        resourceTypes.find(({ name }) => name === member.type),
        member.value,
      ),
    },
    meta: { resourceType: GROUP_MEMBERSHIP.name, location },
  }
  return { location, json: JSON.stringify(project(whole, projection, GROUP_MEMBERSHIP)) }
}
