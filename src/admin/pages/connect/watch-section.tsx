/**
 * The steps of a connection as they are seen, with what is wrong and what to do about it. The script refreshes the section;
 * without the script, a link does.
 */
import type { Child } from 'hono/jsx'
import { CONTACT_PAUSE_MS } from '../../../scim/client-health.ts'
import { MINUTE_MS } from '../../../scim/duration.ts'
import { pathSegment } from '../../../scim/path-segment.ts'
import type { ResourceType } from '../../../scim/schema/definition.ts'
import { pluralOf } from '../../../scim/schema/resource-type.ts'
import type { OfferedClient } from '../../../storage/access/clients.ts'
import { FIRST_ENTRIES, NEWEST_ENTRIES, type SeenEntry } from '../../../storage/log/recent-entries.ts'
import type { WrittenResource } from '../../../storage/sources/written-resources.ts'
import { Badge, type Tone } from '../../components/blocks.tsx'
import { FailureReasons, Refusal } from '../../components/failure-reasons.tsx'
import { withQuery } from '../../components/pagination.tsx'
import { tenantPaths } from '../../components/paths.ts'
import { Ago, Time } from '../../components/time.tsx'
import { providerViewOf } from '../../explain/provider-view.ts'
import { visibleName } from '../../hidden-characters.ts'
import type { PageTenant } from '../../layout.tsx'
import type { ConnectGuide } from './guide.ts'
import { MarkedText } from './marked-text.tsx'
import type { StepId, StepState, WatchStep } from './watch.ts'

export interface WatchProps {
  readonly tenant: PageTenant
  readonly guide: ConnectGuide
  readonly now: number
  /** The address of this page. */
  readonly path: string
  /** The client that is watched; undefined if there is none yet. */
  readonly client: OfferedClient | undefined
  /** The clients that could be watched instead. */
  readonly others: readonly OfferedClient[]
  readonly steps: readonly WatchStep[]
  /** Those of all clients: see RecentEntries. */
  readonly refused: readonly SeenEntry[]
}

const STATES: Readonly<Record<StepState, readonly [tone: Tone, text: string]>> = {
  done: ['ok', 'Seen'],
  waiting: ['warn', 'Waiting'],
  problem: ['danger', 'Refused'],
  later: ['off', 'Later'],
  unseen: ['off', 'Not known'],
}

const TITLES: Readonly<Record<StepId, string>> = {
  request: 'First request',
  test: 'Test of the connection',
  user: 'First user',
  group: 'First group',
  cycle: 'First full cycle',
}

export function WatchSection(props: WatchProps) {
  const { tenant, client, steps, refused, now, path } = props
  const { log } = tenantPaths(tenant.id)
  const isDone = steps.every(({ state }) => state === 'done')
  return (
    <section class="panel watch" aria-labelledby="watch-title" id="watch" data-live="">
      <div class="panel-head">
        <h2 id="watch-title">What has been seen</h2>
        <a href={path}>Refresh</a>
      </div>
      <p class="muted">
        <Watched {...props} />
      </p>
      <ol class="watch-steps">
        {steps.map((step) => (
          <li class={step.state}>
            <p class="watch-head">
              <b>{TITLES[step.id]}</b> <StateBadge state={step.state} />
            </p>
            <StepText {...props} step={step} />
          </li>
        ))}
      </ol>
      {isDone && (
        <p class="notice ok" role="status">
          <strong>Connected.</strong> The <a href={tenantPaths(tenant.id).overview}>overview</a> shows the
          state of the connection from now on.
        </p>
      )}
      {client !== undefined && !steps.some(({ state }) => state === 'problem') && (
        <FailureReasons
          refused={refused}
          isOf={({ clientId }) => clientId === client.id}
          now={now}
          logPath={log}
          allPath={withQuery(log, { client: client.id, outcome: 'refused' })}
        />
      )}
      <Others {...props} />
    </section>
  )
}

function StateBadge({ state }: { readonly state: StepState }) {
  const [tone, text] = STATES[state]
  return <Badge tone={tone}>{text}</Badge>
}

function Watched({ client }: WatchProps): Child {
  if (client === undefined) {
    return 'Generate a token or client secret first. Then the requests of its client appear here.'
  }
  return (
    <>
      Requests of the client{' '}
      <b>
        <bdi>{visibleName(client.name, client.id)}</bdi>
      </b>
      .
    </>
  )
}

const SHOWN_OTHERS = 5

/** Links to the same page about other clients, the newest first. */
function Others({ others, guide, tenant }: WatchProps) {
  const { connectTo } = tenantPaths(tenant.id)
  if (others.length === 0) return null
  return (
    <div class="others">
      <h3>Other clients</h3>
      <ul class="notes">
        {others
          .slice(-SHOWN_OTHERS)
          .toReversed()
          .map(({ id, name }) => (
            <li>
              <a href={withQuery(connectTo(guide.id), { client: id })}>
                <bdi>{visibleName(name, id)}</bdi>
              </a>
            </li>
          ))}
      </ul>
    </div>
  )
}

function StepText({ step, ...props }: WatchProps & { readonly step: WatchStep }): Child {
  const { state, entry, id } = step
  const { log } = tenantPaths(props.tenant.id)
  if (state === 'problem' && entry !== undefined) return <Problem {...props} entry={entry} log={log} />
  if (state === 'done') return <Done {...props} step={step} />
  if (state === 'waiting') return <p class="muted">{WAITING[id](props)}</p>
  if (state === 'unseen') return <Unseen {...props} step={step} log={log} />
  return null
}

const WAITING: Readonly<Record<StepId, (props: WatchProps) => Child>> = {
  request: ({ guide, client }) => client !== undefined && <MarkedText text={guide.testStep} />,
  test: ({ guide }) => <MarkedText text={guide.testStep} />,
  user: ({ guide }) => (
    <>
      <MarkedText text={guide.sendsUser} /> A user who is here already, with the same values, is not sent.
    </>
  ),
  group: ({ guide }) => <MarkedText text={guide.sendsGroup ?? ''} />,
  cycle: () => `It is over when no request has come for ${CONTACT_PAUSE_MS / MINUTE_MS} minutes.`,
}

/** What was looked at in vain. */
function Unseen({
  tenant,
  client,
  step,
  log,
}: WatchProps & { readonly step: WatchStep; readonly log: string }) {
  if (step.id === 'cycle') return <p class="muted">It is known when the first user is.</p>
  const isWanted = ({ attributes }: ResourceType) =>
    attributes.some(({ name }) => name === 'members') === (step.id === 'group')
  const type = tenant.resourceTypes.find(isWanted)
  return (
    <p class="muted">
      None is here whose last change is of this client, and the {FIRST_ENTRIES} log entries since it was made
      and the newest {NEWEST_ENTRIES} have none of it. There may be one between them:{' '}
      <a href={withQuery(log, { client: client?.id, type: type?.name })}>search the log</a>.
    </p>
  )
}

function Problem(props: WatchProps & { entry: SeenEntry; log: string }) {
  const { entry, log, now, guide } = props
  const view = providerViewOf({ ...entry, clientName: guide.name })
  return (
    <div class="watch-problem">
      <p>
        <Ago at={entry.time} now={now} />
        {entry.repeated > 0 && ` (${entry.repeated + 1} times)`}:{' '}
        {entry.action !== 'authenticate' && entry.resourceName && (
          <>
            <bdi>{visibleName(entry.resourceName, '(no name)')}</bdi>,{' '}
          </>
        )}
        <Refusal entry={entry} logPath={log} />
      </p>
      {view !== null && <p class="muted">{view}</p>}
    </div>
  )
}

function Done({
  tenant,
  step: { id, at, entry, written },
  now,
}: WatchProps & { readonly step: WatchStep }): Child {
  if (id === 'test') return <p class="muted">Its requests were answered.</p>
  const time = at !== undefined && <Time at={at} />
  if (id === 'cycle') {
    return (
      <p class="muted">
        No request came for {CONTACT_PAUSE_MS / MINUTE_MS} minutes.{' '}
        {at !== undefined && <Ago at={at} now={now} />}
      </p>
    )
  }
  if (written !== undefined) return <Written tenant={tenant} written={written} />
  if (entry === undefined) return time && <p class="muted">{time}</p>
  const type = tenant.resourceTypes.find(({ name }) => name === entry.resourceType)
  const name = <bdi>{visibleName(entry.resourceName, entry.resourceId, '(no name)')}</bdi>
  const isThere = type !== undefined && entry.resourceId !== null && entry.action !== 'delete'
  return (
    <p class="muted">
      {isThere ? (
        <a
          href={`${tenantPaths(tenant.id).listOf(type)}/${pathSegment(entry.resourceId ?? '')}`}
          title={`In ${pluralOf(type)}`}
        >
          {name}
        </a>
      ) : (
        name
      )}
      , {time}
    </p>
  )
}

/** A resource that shows that the client has written one of its type. */
function Written({ tenant, written }: { readonly tenant: PageTenant; readonly written: WrittenResource }) {
  const type = tenant.resourceTypes.find(({ name }) => name === written.type)
  const name = <bdi>{visibleName(written.name, written.id)}</bdi>
  return (
    <p class="muted">
      {type ? <a href={`${tenantPaths(tenant.id).listOf(type)}/${pathSegment(written.id)}`}>{name}</a> : name}
      , last changed by this client <Time at={written.time} />
    </p>
  )
}
