/**
 * A table of resources of one type, with one line for each. On a narrow screen, each row becomes a block with labels.
 */
import { canBeDisabled } from '../../scim/active.ts'
import { pathSegment } from '../../scim/path-segment.ts'
import type { ResourceType } from '../../scim/schema/definition.ts'
import { findAttribute } from '../../scim/schema/lookup.ts'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import type { DirectoryItem } from '../../storage/resources/directory-lists.ts'
import { visibleName } from '../hidden-characters.ts'
import { Badge } from './blocks.tsx'
import { number } from './number.ts'
import { tenantPaths } from './paths.ts'
import { labelOf } from './resource-names.ts'
import { Time } from './time.tsx'

interface RowsProps {
  readonly type: ResourceType
  readonly tenantId: string
  readonly items: readonly DirectoryItem[]
  /** Whether the time of creation is shown, instead of that of the last change. */
  readonly isCreated?: boolean
}

export function DirectoryRows({ type, tenantId, items, isCreated = false }: RowsProps) {
  const path = tenantPaths(tenantId).listOf(type)
  const hasDisplayName =
    type.nameAttribute !== 'displayName' && findAttribute(type.attributes, 'displayName') !== undefined
  const timeLabel = isCreated ? 'Created' : 'Last changed'
  return (
    <table class="stack lines">
      <colgroup>
        <col class="name" />
        {hasDisplayName && <col />}
        {canBeDisabled(type) && <col class="state" />}
        {hasMembers(type) && <col class="members" />}
        <col class="identifier" />
        <col class="moment" />
      </colgroup>
      <thead>
        <tr>
          <th scope="col">{labelOf(type.nameAttribute)}</th>
          {hasDisplayName && <th scope="col">Display name</th>}
          {canBeDisabled(type) && <th scope="col">State</th>}
          {hasMembers(type) && (
            <th scope="col" class="number">
              Members
            </th>
          )}
          <th scope="col" class="identifier">
            External id
          </th>
          <th scope="col">{timeLabel}</th>
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr>
            <th scope="row" dir="auto">
              <a href={`${path}/${pathSegment(item.id)}`}>
                {visibleName(item.name, item.displayName, item.id)}
              </a>
            </th>
            {hasDisplayName && (
              <td data-label="Display name" dir="auto">
                <span>{visibleName(item.displayName, '—')}</span>
              </td>
            )}
            {canBeDisabled(type) && (
              <td data-label="State">
                <ActiveBadge isActive={item.isActive} />
              </td>
            )}
            {hasMembers(type) && (
              <td class="number" data-label="Members">
                {number(item.memberCount ?? 0)}
              </td>
            )}
            <td class="identifier" data-label="External id">
              <span class={item.externalId === undefined ? 'muted' : 'mono'}>{item.externalId ?? '—'}</span>
            </td>
            <td data-label={timeLabel}>
              <Time at={isCreated ? item.createdAt : item.lastModified} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** The state of a user. RFC 7643 does not define the state of a user without `active`, so the badge says "Not set". */
export function ActiveBadge({ isActive }: { isActive: boolean | undefined }) {
  if (isActive === undefined) return <Badge tone="off">Not set</Badge>
  return isActive ? <Badge tone="ok">Active</Badge> : <Badge tone="off">Inactive</Badge>
}
