/**
 * Users or groups as rows of a table; on a narrow screen each row becomes a block with its labels.
 */
import type { DirectoryItem, DirectoryTable } from '../../storage/directory-lists.ts'
import { Badge } from './blocks.tsx'
import { number } from './number.ts'
import { tenantPaths } from './paths.ts'
import { Time } from './time.tsx'

export function DirectoryRows(props: {
  readonly table: DirectoryTable
  readonly tenantId: string
  readonly items: readonly DirectoryItem[]
}) {
  const { table, items } = props
  const path = tenantPaths(props.tenantId)[table]
  return (
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">{table === 'users' ? 'User name' : 'Display name'}</th>
          {table === 'users' && <th scope="col">Display name</th>}
          {table === 'users' && <th scope="col">State</th>}
          {table === 'groups' && (
            <th scope="col" class="number">
              Members
            </th>
          )}
          <th scope="col">External id</th>
          <th scope="col">Last changed</th>
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr>
            <th scope="row">
              <a href={`${path}/${item.id}`}>{item.userName ?? item.displayName ?? item.id}</a>
            </th>
            {table === 'users' && <td data-label="Display name">{item.displayName ?? '—'}</td>}
            {table === 'users' && (
              <td data-label="State">
                <ActiveBadge isActive={item.isActive} />
              </td>
            )}
            {table === 'groups' && (
              <td class="number" data-label="Members">
                {number(item.memberCount ?? 0)}
              </td>
            )}
            <td class="clip" data-label="External id">
              <span class="mono">{item.externalId ?? '—'}</span>
            </td>
            <td class="number" data-label="Last changed">
              <Time at={item.lastModified} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** The state of a user. RFC 7643 leaves open what a user without `active` is, so it is said as it is. */
export function ActiveBadge({ isActive }: { isActive: boolean | undefined }) {
  if (isActive === undefined) return <Badge tone="off">Not set</Badge>
  return isActive ? <Badge tone="ok">Active</Badge> : <Badge tone="off">Inactive</Badge>
}
