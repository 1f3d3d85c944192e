/**
 * The health of each client that provisions, and what to do about it. Nothing is said that was not observed, except that
 * Microsoft Entra ID comes every 40 minutes, which is marked as an assumption.
 */
import { type ClientFacts, type ClientHealth, type HealthState, healthOf } from '../../scim/client-health.ts'
import type { Client } from '../../storage/access/clients.ts'
import { Badge, EmptyState, Section, type Tone } from './blocks.tsx'
import { counted, percent } from './number.ts'
import { withQuery } from './pagination.tsx'
import { Ago } from './time.tsx'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

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

export interface ConnectionsProps {
  readonly clients: readonly Client[]
  /** Of the clients that may write, by id. */
  readonly facts: ReadonlyMap<string, ClientFacts>
  /** The number of valid tokens and secrets, and of federations. */
  readonly credentialCount: number
  readonly now: number
  readonly apiKeysPath: string
  readonly logPath: string
}

/** A section with the clients that may write. */
export function Connections(props: ConnectionsProps) {
  const { clients, facts, credentialCount, apiKeysPath } = props
  const provisioning = clients.flatMap((client) => {
    const found = facts.get(client.id)
    return found === undefined ? [] : [{ client, facts: found }]
  })
  return (
    <Section id="connections" title="Connections" aside={<a href={apiKeysPath}>API Keys</a>} live>
      {credentialCount === 0 && (
        <p class="warn-text">
          No client can connect, because the tenant has no valid token, client secret or federation.
        </p>
      )}
      {provisioning.length === 0 ? (
        <EmptyState title="No client may provision.">
          <p>
            <a href={apiKeysPath}>Generate a token or client secret</a> with the scope “Provision”. The state
            of its client appears here.
          </p>
        </EmptyState>
      ) : (
        <ul class="connections">
          {provisioning.map((one) => (
            <Connection {...props} {...one} />
          ))}
        </ul>
      )}
    </Section>
  )
}

function Connection({
  client: { id, name },
  facts,
  now,
  logPath,
}: Pick<ConnectionsProps, 'now' | 'logPath'> & { readonly client: Client; readonly facts: ClientFacts }) {
  const health = healthOf(facts, now)
  return (
    <li>
      <p class="connection-head">
        <a href={withQuery(logPath, { client: id })}>
          <bdi>{name}</bdi>
        </a>
        <HealthBadge state={health.state} />
      </p>
      <p class="muted">
        <LastContact health={health} now={now} /> {cadenceText(health)}
      </p>
      <Advice
        health={health}
        isEntra={facts.isEntra}
        path={withQuery(logPath, { client: id, outcome: 'refused' })}
      />
    </li>
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

function Advice({ health, isEntra, path }: { health: ClientHealth; isEntra: boolean; path: string }) {
  const { state, cause, writes, refused, failedSignIns } = health
  if (state === 'new') return <p>Press “Test connection” in the client. Its first request appears here.</p>
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
        ? `It cannot sign in: ${counted(failedSignIns, 'failed attempt')} in the last 24 hours. `
        : cause === 'refused'
          ? `${percent(refused / writes)} of its latest ${counted(writes, 'write')} were refused. `
          : ''}
      <a href={path}>See the reasons</a>.
    </p>
  )
}

/** "40 minutes", "hour", "3 hours", "day": what follows "every". */
export function intervalText(ms: number): string {
  if (ms >= 1.5 * DAY_MS) return counted(ms / DAY_MS, 'day')
  if (ms >= 0.9 * DAY_MS) return 'day'
  if (ms >= 1.5 * HOUR_MS) return counted(ms / HOUR_MS, 'hour')
  if (ms >= 0.95 * HOUR_MS) return 'hour'
  return counted(Math.max(1, ms / MINUTE_MS), 'minute')
}
