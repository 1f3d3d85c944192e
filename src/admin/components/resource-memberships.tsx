/**
 * The memberships of a resource: the groups that contain it, and the members of a group.
 */
import { pathSegment } from '../../scim/path-segment.ts'
import { hasMembers, pluralOf, showsGroups } from '../../scim/schema/resource-type.ts'
import type { Page } from '../../storage/database/query.ts'
import {
  type IndirectGroup,
  MAX_INDIRECT_GROUPS,
  type NamedReference,
  type StoredResource,
} from '../../storage/resources/directory-details.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { visibleName } from '../hidden-characters.ts'
import type { PageTenant } from '../layout.tsx'
import { EmptyState, Section } from './blocks.tsx'
import { counted } from './number.ts'
import { Pagination, withQuery } from './pagination.tsx'
import { tenantPaths } from './paths.ts'
import { References } from './references.tsx'

interface MembershipsProps {
  readonly tenant: PageTenant
  readonly type: StoredResourceType
  readonly resource: StoredResource
}

export interface GroupsProps extends MembershipsProps {
  /** The groups of which it is a direct member. */
  readonly groups: Page<NamedReference>
  readonly groupsAfter: string
  /** Those that contain them. */
  readonly indirect: readonly IndirectGroup[]
}

/** The groups of a resource: direct ones, and those through which others contain it. */
export function Groups({ tenant, type, resource, groups, groupsAfter, indirect }: GroupsProps) {
  if (!showsGroups(type) && groups.items.length === 0) return null
  const path = `${tenantPaths(tenant.id).listOf(type)}/${pathSegment(resource.id)}`
  return (
    <Section id="groups" title={showsGroups(type) ? 'Groups' : 'Member of'}>
      {groups.items.length === 0 ? (
        <EmptyState title="Not in any group." />
      ) : (
        <References
          tenantId={tenant.id}
          types={tenant.resourceTypes}
          references={groups.items}
          areMixed={false}
        />
      )}
      <Pagination
        first={groupsAfter === '' ? undefined : `${path}#groups`}
        next={groups.next && `${withQuery(path, { groups: groups.next })}#groups`}
        label="groups"
      />
      {indirect.length > 0 && <IndirectGroups tenant={tenant} indirect={indirect} />}
    </Section>
  )
}

function IndirectGroups({ tenant, indirect }: Pick<GroupsProps, 'tenant' | 'indirect'>) {
  const groupType = tenant.resourceTypes.find(hasMembers)
  const list = groupType && tenantPaths(tenant.id).listOf(groupType)
  const link = ({ id, name }: NamedReference) =>
    list === undefined ? (
      visibleName(name, id)
    ) : (
      <a href={`${list}/${pathSegment(id)}`}>{visibleName(name, id)}</a>
    )
  return (
    <>
      <h3>Through these groups</h3>
      <ul class="references single">
        {indirect.slice(0, MAX_INDIRECT_GROUPS).map((group) => (
          <li>
            {link(group)} <span class="muted">through</span> {link(group.through)}
          </li>
        ))}
      </ul>
      {indirect.length > MAX_INDIRECT_GROUPS && (
        <p class="muted">There are more. Open a group to see what contains it.</p>
      )}
    </>
  )
}

export interface MembersProps extends MembershipsProps {
  readonly members: Page<NamedReference>
  readonly membersAfter: string
  /** The members that are groups. */
  readonly nested: Page<NamedReference>
}

/** The members of a group, with a search among them. */
export function Members(props: MembersProps) {
  const { tenant, type, resource, members, membersAfter } = props
  const path = `${tenantPaths(tenant.id).listOf(type)}/${pathSegment(resource.id)}`
  return (
    <Section
      id="members"
      title="Members"
      aside={<span class="muted number">{counted(resource.memberCount, 'member')}</span>}
    >
      {resource.memberCount > 0 && <MemberSearch {...props} />}
      {membersAfter === '' && <NestedGroups {...props} />}
      {members.items.length === 0 ? (
        <EmptyState title={membersAfter === '' ? 'No members.' : 'No more members.'}>
          {membersAfter === '' && <p>Entra creates a group first, and then sends its members.</p>}
        </EmptyState>
      ) : (
        <References tenantId={tenant.id} types={tenant.resourceTypes} references={members.items} areMixed />
      )}
      <Pagination
        first={membersAfter === '' ? undefined : `${path}#members`}
        next={members.next && `${withQuery(path, { members: members.next })}#members`}
        label="members"
      />
    </Section>
  )
}

/** Searches the list of users, reduced to the members. */
function MemberSearch({ tenant, resource }: MembersProps) {
  const type = tenant.resourceTypes.find(showsGroups)
  if (type === undefined) return null
  const list = tenantPaths(tenant.id).listOf(type)
  const plural = pluralOf(type).toLowerCase()
  return (
    <search>
      <form class="search" method="get" action={list}>
        <input type="hidden" name="group" value={resource.id} />
        <div class="field grow">
          <label for="member-q">Search the {plural} among the members</label>
          <input id="member-q" name="q" type="search" />
        </div>
        <button type="submit" class="quiet">
          Search
        </button>
        <p class="hint">
          <a href={withQuery(list, { group: resource.id })}>Show these {plural} as a table</a>
        </p>
      </form>
    </search>
  )
}

function NestedGroups({ tenant, nested }: MembersProps) {
  if (nested.items.length === 0) return null
  return (
    <div>
      <h3>Groups in this group</h3>
      <References
        tenantId={tenant.id}
        types={tenant.resourceTypes}
        references={nested.items}
        areMixed={false}
      />
      {nested.next !== undefined && <p class="muted">There are more, among all members below.</p>}
      <h3>All members</h3>
    </div>
  )
}
