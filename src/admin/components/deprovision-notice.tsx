/**
 * A warning for each client that takes unusually much access away, and the button that lets it pass the guard.
 */
import type { Client } from '../../storage/access/clients.ts'
import type { Deprovisioning } from '../../storage/guard/releases.ts'
import { Notice } from './blocks.tsx'
import { counted } from './number.ts'
import { withQuery } from './pagination.tsx'
import { tenantPaths } from './paths.ts'
import { ChangeForm } from './permitted.tsx'
import { Ago, Time } from './time.tsx'

interface NoticeProps {
  readonly tenantId: string
  readonly now: number
}

export function DeprovisionNotices(
  props: NoticeProps & {
    readonly clients: readonly Client[]
    /** By the id of the client. */
    readonly deprovisioning: ReadonlyMap<string, Deprovisioning>
  },
) {
  const { clients, deprovisioning } = props
  return (
    <>
      {clients.map((client) => {
        const found = deprovisioning.get(client.id)
        if (found === undefined || found.alarmedAt === null) return null
        return <DeprovisionNotice {...props} client={client} found={found} alarmedAt={found.alarmedAt} />
      })}
    </>
  )
}

function DeprovisionNotice({
  tenantId,
  now,
  client: { id, name },
  found: { held, releasedUntil },
  alarmedAt,
}: NoticeProps & {
  readonly client: Client
  readonly found: Deprovisioning
  readonly alarmedAt: number
}) {
  const { log, overview } = tenantPaths(tenantId)
  const isReleased = releasedUntil !== null && releasedUntil > now
  return (
    <Notice tone={held > 0 ? 'danger' : 'warn'} title={`“${name}” is removing an unusual amount of access`}>
      <p>
        Last noticed: <Ago at={alarmedAt} now={now} />. It disables or deletes users, deletes groups, or
        removes memberships. {heldText(held)} <a href={withQuery(log, { client: id })}>See what it does</a>.
      </p>
      {isReleased ? (
        <p>
          Its requests are let through until <Time at={releasedUntil} />.
        </p>
      ) : (
        held > 0 && (
          <ChangeForm action={`${overview}/clients/${id}/release`}>
            <button type="submit">
              Let its requests through for an hour<span class="visually-hidden">: {name}</span>
            </button>
          </ChangeForm>
        )
      )}
    </Notice>
  )
}

function heldText(held: number): string {
  return held === 0
    ? 'No request was held.'
    : `${counted(held, 'request')} ${held === 1 ? 'was' : 'were'} held in the last 24 hours. The client tries again by itself.`
}
