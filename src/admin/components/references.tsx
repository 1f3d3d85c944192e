/**
 * Links to users and groups: the members of a group, the groups of a member.
 */
import type { NamedReference } from '../../storage/directory-details.ts'
import { tenantPaths } from './paths.ts'

export function References(props: {
  readonly tenantId: string
  readonly references: readonly NamedReference[]
  /** Whether users are among them, so that groups have to be told apart. */
  readonly areMixed: boolean
}) {
  const paths = tenantPaths(props.tenantId)
  return (
    <ul class="references">
      {props.references.map(({ id, type, name }) => (
        <li>
          <a href={`${type === 'Group' ? paths.groups : paths.users}/${encodeURIComponent(id)}`}>
            {name ?? id}
          </a>
          {props.areMixed && type === 'Group' && <span class="muted"> group</span>}
        </li>
      ))}
    </ul>
  )
}
