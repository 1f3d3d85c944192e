/**
 * The overview of a tenant: counts and limits, provisioning activity, and warnings.
 */
import { canBeDisabled } from '../../scim/active.ts'
import type { ResourceType } from '../../scim/schema/definition.ts'
import { hasMembers, pluralOf } from '../../scim/schema/resource-type.ts'
import type { SecretInfo } from '../../storage/access/client-secrets.ts'
import type { Client } from '../../storage/access/clients.ts'
import type { ListedToken } from '../../storage/access/token-rotation.ts'
import type { Trust } from '../../storage/access/trusts.ts'
import type { Deprovisioning } from '../../storage/guard/releases.ts'
import type { ActivitySpan } from '../../storage/log/activity.ts'
import type { Connections as Seen } from '../../storage/log/client-facts.ts'
import type { ListedEntry } from '../../storage/log/log-pages.ts'
import { ActivityChart } from '../components/activity-chart.tsx'
import { EmptyState, Notice, PageHead, Section } from '../components/blocks.tsx'
import { Connections } from '../components/connections.tsx'
import { DeprovisionNotices } from '../components/deprovision-notice.tsx'
import { ExpiryNotice } from '../components/expiry-notice.tsx'
import { LogEntries } from '../components/log-entry.tsx'
import { Meter } from '../components/meter.tsx'
import { number } from '../components/number.ts'
import { withQuery } from '../components/pagination.tsx'
import { tenantPaths } from '../components/paths.ts'
import { type QuarantineRisk, quarantineRisk } from '../components/quarantine-risk.ts'
import type { Administrator } from '../env.ts'
import { visibleName } from '../hidden-characters.ts'
import { Layout, type PageTenant } from '../layout.tsx'

/** The used share of the group limit from which the meter warns. */
const GROUPS_WARN_FROM = 0.9

export interface OverviewProps {
  readonly administrator: Administrator
  readonly now: number
  readonly tenant: PageTenant
  /** The number of resources of each type, by its name. */
  readonly counts: ReadonlyMap<string, number>
  readonly clients: readonly Client[]
  /** What was seen of the clients that may write. */
  readonly seen: Seen
  /** By the id of the client. */
  readonly deprovisioning: ReadonlyMap<string, Deprovisioning>
  readonly tokens: readonly ListedToken[]
  readonly secrets: readonly SecretInfo[]
  readonly trusts: readonly Trust[]
  readonly hours: readonly ActivitySpan[]
  readonly days: readonly ActivitySpan[]
  readonly refused: readonly ListedEntry[]
  /** The page of the connections, from 1 on. */
  readonly page: string | undefined
}

export function OverviewPage(props: OverviewProps) {
  const { administrator, tenant, tokens, secrets, trusts, now, hours, days, refused } = props
  const types = tenant.resourceTypes
  const paths = tenantPaths(tenant.id)
  return (
    <Layout title="Overview" administrator={administrator} tenant={tenant} current="overview">
      <PageHead title="Overview" lead={visibleName(tenant.name, tenant.id)}>
        <button type="button" class="quiet live" id="live" hidden>
          Live
        </button>
      </PageHead>
      <div id="warnings" data-live="">
        <DeprovisionNotices
          tenantId={tenant.id}
          clients={props.clients}
          deprovisioning={props.deprovisioning}
          now={now}
        />
        {props.clients.map((client) => (
          <QuarantineNotice {...props} client={client} />
        ))}
        <ExpiryNotice tokens={tokens} secrets={secrets} now={now} apiKeysPath={paths.apiKeys} />
      </div>
      {tokens.length + secrets.length + trusts.length === 0 && <FirstSteps connectPath={paths.connect} />}
      <div class="stats" id="stats" data-live="">
        {types.map((type) => (
          <ResourceStat tenant={tenant} type={type} count={props.counts.get(type.name) ?? 0} />
        ))}
        <div class="stat">
          <h2>Memberships</h2>
          <p class="big number">{number(tenant.membershipCount)}</p>
          <p class="muted">direct members of groups</p>
        </div>
      </div>
      <Connections {...props} tenantId={tenant.id} />
      <Section id="activity" title="Provisioning activity" live>
        <div class="charts">
          <ActivityChart id="hours" title="Last 24 hours" unit="hour" spans={hours} />
          <ActivityChart id="days" title="Last 30 days" unit="day" spans={days} />
        </div>
      </Section>
      <Section
        id="refused"
        title="Latest refused requests"
        aside={refused.length > 0 && <a href={`${paths.log}?outcome=refused`}>All refused requests</a>}
        live
      >
        {refused.length === 0 ? (
          <EmptyState title="No request was refused.">
            <p>If a client sends a request that is refused, the reason appears here.</p>
          </EmptyState>
        ) : (
          <LogEntries tenantId={tenant.id} types={types} entries={refused} />
        )}
      </Section>
    </Layout>
  )
}

interface StatProps {
  readonly tenant: PageTenant
  readonly type: ResourceType
  readonly count: number
}

/** The number of resources of a type: users with their states, groups with their limit. */
function ResourceStat(props: StatProps) {
  const { tenant, type, count } = props
  if (hasMembers(type)) return <GroupStat {...props} />
  return (
    <div class="stat">
      <StatTitle {...props} />
      <p class="big number">{number(count)}</p>
      {canBeDisabled(type) && (
        <p class="muted number">
          {number(tenant.activeUserCount)} active, {number(count - tenant.activeUserCount)} inactive
        </p>
      )}
    </div>
  )
}

function StatTitle({ tenant, type }: StatProps) {
  return (
    <h2>
      <a href={tenantPaths(tenant.id).listOf(type)}>{pluralOf(type)}</a>
    </h2>
  )
}

function GroupStat(props: StatProps) {
  const { groupLimit } = props.tenant
  const groupCount = props.count
  const share = groupLimit === 0 ? 1 : groupCount / groupLimit
  const free = groupLimit - groupCount
  return (
    <div class={share >= GROUPS_WARN_FROM ? 'stat warn' : 'stat'}>
      <StatTitle {...props} />
      <p class="big number">
        {number(groupCount)} <span class="of">of {number(groupLimit)}</span>
      </p>
      <Meter
        label="Groups used of the limit"
        value={groupCount}
        max={groupLimit}
        isHigh={share >= GROUPS_WARN_FROM}
      />
      {share >= GROUPS_WARN_FROM && (
        <p class="warn-text">
          {free > 0
            ? `Only ${number(free)} left. Groups beyond the limit are refused.`
            : 'The limit is reached. New groups are refused.'}
        </p>
      )}
    </div>
  )
}

const RISKS: Readonly<Record<QuarantineRisk, readonly ['warn' | 'danger', string]>> = {
  near: ['warn', 'Many writes are refused'],
  past: ['danger', 'Entra may have put the job into quarantine'],
}

function QuarantineNotice({ client, seen, hours, tenant }: OverviewProps & { readonly client: Client }) {
  const facts = seen.facts.get(client.id)
  const risk = facts && quarantineRisk(facts, hours)
  if (facts === undefined || risk === undefined) return null
  const { refused, writes } = facts
  const [tone, title] = RISKS[risk]
  const reasons = withQuery(tenantPaths(tenant.id).log, { client: client.id, outcome: 'refused' })
  return (
    <Notice tone={tone} title={title}>
      <p>
        {number(refused)} of the latest {number(writes)} writes of{' '}
        <b>
          <bdi>{visibleName(client.name, client.id)}</bdi>
        </b>{' '}
        were refused. Microsoft Entra puts a provisioning job into quarantine if more than 40 % fail, after
        5,000 failures, or if 40,000 fail in all. The job then runs only once a day.{' '}
        <a href={reasons}>See the refused writes and their reasons</a>.
      </p>
    </Notice>
  )
}

function FirstSteps({ connectPath }: { connectPath: string }) {
  return (
    <Notice tone="off" title="Connect an identity provider">
      <p>
        This tenant has no token or client secret, so clients cannot connect yet.{' '}
        <a href={connectPath}>Choose your identity provider</a>, and follow its guide.
      </p>
    </Notice>
  )
}
