/**
 * Conflicts between sources: what met, both sides, and what to do.
 */
import type { ResourceType } from '../../scim/schema/definition.ts'
import type { Conflict, ConflictKind } from '../../storage/sources/open-conflicts.ts'
import { visibleName } from '../hidden-characters.ts'
import { Fact } from './fact.tsx'
import { withQuery } from './pagination.tsx'
import { tenantPaths } from './paths.ts'
import { ChangeForm } from './permitted.tsx'
import { Time } from './time.tsx'

/** A conflict with the id that its form sends. */
export type ConflictView = Conflict & { readonly id: string }

interface ConflictListProps {
  readonly tenantId: string
  readonly types: readonly ResourceType[]
  readonly conflicts: readonly ConflictView[]
}

export function ConflictList(props: ConflictListProps) {
  return (
    <ul class="conflicts">
      {props.conflicts.map((conflict) => (
        <li>
          <ConflictItem {...props} conflict={conflict} />
        </li>
      ))}
    </ul>
  )
}

function ConflictItem({
  tenantId,
  types,
  conflict,
}: ConflictListProps & { readonly conflict: ConflictView }) {
  const { id, resourceType, resourceId, otherResourceId, seen, firstSeenAt } = conflict
  const type = types.find(({ name }) => name === resourceType)
  const common = { tenantId, type }
  return (
    <article aria-labelledby={`conflict-${id}`}>
      <h3 id={`conflict-${id}`}>{titleOf(conflict)}</h3>
      <p class="hint">
        {WHAT_TO_DO[conflict.kind]} Seen {seen === 1 ? 'once' : `${seen} times`}, first{' '}
        <Time at={firstSeenAt} />.
      </p>
      <div class="sides">
        <Side
          {...common}
          label="First"
          resource={[resourceId, conflict.resourceName]}
          client={[conflict.clientId, conflict.clientName]}
          at={conflict.time}
          requestId={conflict.requestId}
        />
        <Side
          {...common}
          label="Other"
          resource={otherResourceId === null ? undefined : [otherResourceId, conflict.otherResourceName]}
          client={[conflict.otherClientId, conflict.otherClientName]}
          at={conflict.lastSeenAt}
          requestId={conflict.otherRequestId}
        />
      </div>
      <ChangeForm action={`${tenantPaths(tenantId).sources}/conflicts/${id}/dismiss`}>
        <button type="submit" class="quiet small" aria-label={`Dismiss: ${titleOf(conflict)}`}>
          Dismiss
        </button>
      </ChangeForm>
    </article>
  )
}

function titleOf({ kind, attribute, value, resourceType, resourceName, memberName }: Conflict): string {
  const one = resourceType.toLowerCase()
  switch (kind) {
    case 'uniqueness':
      return `A second ${one} with the ${attribute} “${value}” was refused`
    case 'groupName':
      return `Two sources have a ${one} named “${value}”`
    case 'email':
      return `Two ${one}s have the e-mail address “${value}”`
    case 'attribute':
      return `“${attribute}” of ${visibleName(resourceName, one)} is turned back and forth`
    case 'membership':
      return `The member ${visibleName(memberName, value ?? one)} of ${visibleName(resourceName, one)} is added and removed in turn`
    case 'externalId':
    case 'nativeObjectId':
      return `Two ${one}s have the ${kind} “${value}”`
  }
}

/** What an administrator can do. Nothing is merged by the server. */
const WHAT_TO_DO: Readonly<Record<ConflictKind, string>> = {
  uniqueness: 'Take it out of the scope of one of the clients, or turn that client off.',
  groupName: 'Rename one of the groups at its source, or take it out of scope.',
  externalId: 'If both are the same, delete one of them at its source. The server does not merge them.',
  nativeObjectId:
    'Rules that name this identity apply to both. Delete one of them at its source; turn off the client that should not write it.',
  email:
    'If both are one person, take one of them out of scope. The server does not merge users by e-mail address.',
  attribute: 'Remove the attribute from the mappings of one of the clients.',
  membership: 'Let one of the clients manage this group.',
}

function Side(props: {
  readonly label: string
  readonly tenantId: string
  readonly type: ResourceType | undefined
  /** The id and the name; undefined if there is no resource. */
  readonly resource: readonly [id: string, name: string | null] | undefined
  readonly client: readonly [id: string | null, name: string | null]
  readonly at: number
  readonly requestId: string | null
}) {
  const { label, tenantId, type, resource, client, at, requestId } = props
  const paths = tenantPaths(tenantId)
  const [clientId, clientName] = client
  return (
    <dl class="side">
      <Fact name={label}>
        {resource === undefined ? (
          'refused'
        ) : type === undefined || resource[1] === null ? (
          <span class="mono">{resource[0]}</span>
        ) : (
          <a href={`${paths.listOf(type)}/${resource[0]}`}>{visibleName(resource[1], resource[0])}</a>
        )}
      </Fact>
      <Fact name="By">{visibleName(clientName, clientId, 'Import, or unknown')}</Fact>
      <Fact name="At">
        <Time at={at} />
      </Fact>
      <Fact name="Request">
        {requestId === null ? (
          'no longer in the log'
        ) : (
          <a href={withQuery(paths.log, { q: requestId })}>
            log entry<span class="visually-hidden"> of the side “{label}”</span>
          </a>
        )}
      </Fact>
    </dl>
  )
}
