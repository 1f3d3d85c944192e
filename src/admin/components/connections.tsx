/**
 * The health of each client that provisions, and what to do about it. Nothing is said that was not observed, except that
 * Microsoft Entra ID comes every 40 minutes, which is marked as an assumption.
 */
import { type ClientFacts, type ClientHealth, type HealthState, healthOf } from '../../scim/client-health.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../scim/duration.ts'
import type { Client } from '../../storage/access/clients.ts'
import { warningOf } from '../../storage/access/expiry.ts'
import type { ActivitySpan } from '../../storage/log/activity.ts'
import type { Connections as Seen } from '../../storage/log/client-facts.ts'
import { type Access, isLive } from '../credentials.ts'
import { visibleName } from '../hidden-characters.ts'
import { guideFor } from '../pages/connect/guides.ts'
import { Badge, EmptyState, Section, type Tone } from './blocks.tsx'
import { CycleText, cycleProgress } from './cycle-progress.tsx'
import { Expiry } from './expiry-notice.tsx'
import { FailureReasons } from './failure-reasons.tsx'
import { counted, percent } from './number.ts'
import { NumberedPages } from './numbered-pages.tsx'
import { withQuery } from './pagination.tsx'
import { tenantPaths } from './paths.ts'
import { Ago } from './time.tsx'

const STATES = {
  new: ['off', 'New'],
  healthy: ['ok', 'Healthy'],
  late: ['warn', 'Late'],
  silent: ['danger', 'Silent'],
  failing: ['danger', 'Failing'],
} as const satisfies Readonly<Record<HealthState, readonly [tone: Tone, text: string]>>

/** The state of a client as a word. */
export function HealthBadge({ state }: { readonly state: HealthState }) {
  const [tone, text] = STATES[state]
  return <Badge tone={tone}>{text}</Badge>
}

export interface ConnectionsProps extends Access {
  readonly tenantId: string
  readonly clients: readonly Client[]
  /** Of the clients that may write. */
  readonly seen: Seen
  /** The last 24 hours of all clients. */
  readonly hours: readonly ActivitySpan[]
  readonly now: number
  /** The page of the list, from 1 on. */
  readonly page: string | undefined
}

/** A section with the clients that may write. */
export function Connections(props: ConnectionsProps) {
  const { tenantId, clients, seen, now } = props
  const { apiKeys, connect, log, overview } = tenantPaths(tenantId)
  const provisioning = clients.flatMap((client) => {
    const facts = seen.facts.get(client.id)
    return facts === undefined ? [] : [{ client, facts }]
  })
  return (
    <Section id="connections" title="Connections" aside={<a href={connect}>Connect</a>} live>
      {credentialsOf(props, undefined).count === 0 && (
        <p class="warn-text">
          No client can connect, because the tenant has no valid token, client secret or federation.
        </p>
      )}
      {provisioning.length === 0 ? (
        <EmptyState title="No client may provision.">
          <p>
            <a href={connect}>Connect an identity provider</a>, or{' '}
            <a href={apiKeys}>generate a token or client secret</a> with the scope “Provision”. The state of
            its client appears here.
          </p>
        </EmptyState>
      ) : (
        <NumberedPages
          items={provisioning}
          path={overview}
          parameters={{ connections: props.page }}
          name="connections"
          label="connections"
        >
          {(shown: readonly (typeof provisioning)[number][]) => (
            <ul class="connections">
              {shown.map((one) => (
                <Connection {...props} {...one} />
              ))}
            </ul>
          )}
        </NumberedPages>
      )}
      <Strangers refused={seen.refused} now={now} logPath={log} />
    </Section>
  )
}

function Connection(props: ConnectionsProps & { readonly client: Client; readonly facts: ClientFacts }) {
  const { tenantId, client, facts, seen, hours, now } = props
  const { id, name } = client
  const health = healthOf(facts, now)
  const { log, connectTo } = tenantPaths(tenantId)
  const cycle = cycleProgress(id, facts, { newest: seen.newest, hours, now })
  return (
    <li>
      <h3 class="connection-head">
        <a href={withQuery(log, { client: id })}>
          <bdi>{visibleName(name, id)}</bdi>
        </a>
        <HealthBadge state={health.state} />
      </h3>
      <p class="muted">
        <LastContact health={health} now={now} /> {cadenceText(health)}
      </p>
      {cycle !== undefined && <CycleText cycle={cycle} now={now} />}
      <Advice
        health={health}
        isEntra={facts.isEntra}
        guidePath={withQuery(connectTo(guideFor(client, facts.isEntra).id), { client: id })}
      />
      <Credentials {...props} />
      <FailureReasons
        refused={seen.refused}
        isOf={({ clientId }) => clientId === id}
        now={now}
        logPath={log}
        allPath={withQuery(log, { client: id, outcome: 'refused' })}
      />
    </li>
  )
}

/** Refused access whose client is unknown, such as with a token that was mistyped. */
function Strangers(props: Pick<Seen, 'refused'> & { readonly now: number; readonly logPath: string }) {
  const { refused, now, logPath } = props
  const isUnknown = ({ action, clientId }: Seen['refused'][number]) =>
    action === 'authenticate' && clientId === null
  if (!refused.some(isUnknown)) return null
  return (
    <div class="strangers">
      <h3>Unknown clients</h3>
      <FailureReasons
        refused={refused}
        isOf={isUnknown}
        now={now}
        logPath={logPath}
        allPath={withQuery(logPath, { outcome: 'refused', action: 'authenticate' })}
      />
    </div>
  )
}

/** The valid credentials of a client, or of all. */
function credentialsOf(
  { tokens, secrets, trusts, now }: ConnectionsProps,
  clientId: string | undefined,
): { readonly count: number; readonly isFederated: boolean; readonly expiresAt: number | null } {
  const isOf = (one: { readonly clientId: string }) => clientId === undefined || one.clientId === clientId
  const valid = [...tokens, ...secrets].filter((one) => isOf(one) && isLive(one, now))
  const isFederated = trusts.some(isOf)
  // The client goes on with the credential that expires last.
  const last = isFederated ? null : lastOf(valid.map(({ expiresAt }) => expiresAt))
  return { count: valid.length + (isFederated ? 1 : 0), isFederated, expiresAt: last }
}

/** @param times null for never */
function lastOf(times: readonly (number | null)[]): number | null {
  return times.length === 0 || times.includes(null) ? null : Math.max(...times.map(Number))
}

/** Says when a connection ends, because nothing that it authenticates with is valid any more. */
function Credentials(props: ConnectionsProps & { readonly client: Client }) {
  const { client, now, tenantId } = props
  const { count, expiresAt } = credentialsOf(props, client.id)
  const { apiKeys } = tenantPaths(tenantId)
  if (count === 0) {
    return (
      <p class="warn-text">
        It has no valid token or client secret. <a href={apiKeys}>Generate one</a>
      </p>
    )
  }
  if (expiresAt === null || warningOf(expiresAt, now) === undefined) return null
  return (
    <p>
      Its last valid credential expires: <Expiry at={expiresAt} now={now} />
    </p>
  )
}

function LastContact({ health: { lastProvisioningAt }, now }: { health: ClientHealth; now: number }) {
  if (lastProvisioningAt === null) return <>No provisioning request has been seen yet.</>
  return (
    <>
      Last provisioning request: <Ago at={lastProvisioningAt} now={now} />.
    </>
  )
}

function cadenceText({ cadence, usualIntervalMs, lastProvisioningAt }: ClientHealth): string {
  if (lastProvisioningAt === null) return ''
  if (usualIntervalMs === null) return 'How often it comes has not been observed yet.'
  const usual = intervalText(usualIntervalMs)
  return cadence === 'observed'
    ? `It usually comes every ${usual}.`
    : `Entra usually comes every ${usual}; this has not been observed yet.`
}

function Advice(props: { health: ClientHealth; isEntra: boolean; guidePath: string }) {
  const { health, isEntra, guidePath } = props
  const { state, cause, writes, refused, failedSignIns } = health
  if (state === 'new') {
    return (
      <p>
        Its guide shows what to enter, and what has arrived: <a href={guidePath}>Open the guide</a>
      </p>
    )
  }
  if (state === 'late' || state === 'silent') {
    return (
      <p class="warn-text">
        Check in the client whether provisioning is {isEntra ? 'on, or in quarantine' : 'still on'}.
      </p>
    )
  }
  if (state !== 'failing') return null
  return (
    <p class="warn-text">
      {cause === 'sign-in'
        ? `It cannot sign in: ${counted(failedSignIns, 'failed attempt')} in the last 24 hours.`
        : `${percent(refused / writes)} of its latest ${counted(writes, 'write')} were refused.`}
    </p>
  )
}

/** "40 minutes", "hour", "3 hours", "day": what follows "every". */
function intervalText(ms: number): string {
  if (ms >= 1.5 * DAY_MS) return counted(ms / DAY_MS, 'day')
  if (ms >= 0.9 * DAY_MS) return 'day'
  if (ms >= 1.5 * HOUR_MS) return counted(ms / HOUR_MS, 'hour')
  if (ms >= 0.95 * HOUR_MS) return 'hour'
  return counted(Math.max(1, ms / MINUTE_MS), 'minute')
}
