/**
 * Links to resources: the members of a group, the groups of a member.
 */
import { pathSegment } from '../../scim/path-segment.ts'
import type { ResourceType } from '../../scim/schema/definition.ts'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import type { NamedReference } from '../../storage/resources/directory-details.ts'
import { visibleName } from '../hidden-characters.ts'
import { tenantPaths } from './paths.ts'

export function References(props: {
  readonly tenantId: string
  readonly types: readonly ResourceType[]
  readonly references: readonly NamedReference[]
  /** Whether the list may have several types, so that groups are marked. */
  readonly areMixed: boolean
}) {
  const paths = tenantPaths(props.tenantId)
  return (
    <ul class="references">
      {props.references.map(({ id, type: typeName, name, addedBy }) => {
        const type = props.types.find((candidate) => candidate.name === typeName)
        return (
          <li>
            {type === undefined ? (
              visibleName(name, id)
            ) : (
              <a href={`${paths.listOf(type)}/${pathSegment(id)}`}>{visibleName(name, id)}</a>
            )}
            {props.areMixed && type && hasMembers(type) && (
              <span class="muted"> {type.name.toLowerCase()}</span>
            )}
            {addedBy !== undefined && <span class="hint block">added by {addedBy}</span>}
          </li>
        )
      })}
    </ul>
  )
}
