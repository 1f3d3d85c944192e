/**
 * The overview of a tenant: counts and limits, provisioning activity, and warnings.
 */
import { canBeDisabled } from '../../scim/active.ts'
import type { ClientFacts } from '../../scim/client-health.ts'
import type { ResourceType } from '../../scim/schema/definition.ts'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import type { SecretInfo } from '../../storage/access/client-secrets.ts'
import type { Client } from '../../storage/access/clients.ts'
import type { ListedToken } from '../../storage/access/token-rotation.ts'
import type { Trust } from '../../storage/access/trusts.ts'
import type { Deprovisioning } from '../../storage/guard/releases.ts'
import type { ActivitySpan } from '../../storage/log/activity.ts'
import type { ListedEntry } from '../../storage/log/log-pages.ts'
import { ActivityChart } from '../components/activity-chart.tsx'
import { EmptyState, Notice, PageHead, Section } from '../components/blocks.tsx'
import { Connections } from '../components/connections.tsx'
import { DeprovisionNotices } from '../components/deprovision-notice.tsx'
import { ExpiryNotice } from '../components/expiry-notice.tsx'
import { LogEntries } from '../components/log-entry.tsx'
import { Meter } from '../components/meter.tsx'
import { number, percent } from '../components/number.ts'
import { tenantPaths } from '../components/paths.ts'
import { quarantineRisk } from '../components/quarantine-risk.ts'
import { allOf, pluralOf } from '../components/resource-names.ts'
import { isLive } from '../credentials.ts'
import type { Administrator } from '../env.ts'
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
  /** Of the clients that may write, by id. */
  readonly facts: ReadonlyMap<string, ClientFacts>
  /** By the id of the client. */
  readonly deprovisioning: ReadonlyMap<string, Deprovisioning>
  readonly tokens: readonly ListedToken[]
  readonly secrets: readonly SecretInfo[]
  readonly trusts: readonly Trust[]
  readonly hours: readonly ActivitySpan[]
  readonly days: readonly ActivitySpan[]
  readonly refused: readonly ListedEntry[]
}

export function OverviewPage(props: OverviewProps) {
  const { administrator, tenant, tokens, secrets, trusts, now, hours, days, refused } = props
  const types = tenant.resourceTypes
  const paths = tenantPaths(tenant.id)
  const live = [...[...tokens, ...secrets].filter((credential) => isLive(credential, now)), ...trusts]
  return (
    <Layout title="Overview" administrator={administrator} tenant={tenant} current="overview">
      <PageHead title="Overview" lead={tenant.name}>
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
        <QuarantineNotice hours={hours} logPath={paths.log} />
        <ExpiryNotice tokens={tokens} secrets={secrets} now={now} apiKeysPath={paths.apiKeys} />
      </div>
      {tokens.length + secrets.length + trusts.length === 0 && (
        <FirstSteps directoryPath={paths.directory} title={allOf(types)} />
      )}
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
      <Connections
        clients={props.clients}
        facts={props.facts}
        credentialCount={live.length}
        now={now}
        apiKeysPath={paths.apiKeys}
        logPath={paths.log}
      />
      <Section id="activity" title="Provisioning activity" live>
        <div class="charts">
          <ActivityChart id="hours" title="Last 24 hours" unit="hour" spans={hours} />
          <ActivityChart id="days" title="Last 30 days" unit="day" spans={days} />
        </div>
      </Section>
      <Section
        id="refused"
        title="Latest refused writes"
        aside={refused.length > 0 && <a href={`${paths.log}?outcome=refused`}>All refused writes</a>}
        live
      >
        {refused.length === 0 ? (
          <EmptyState title="No write was refused.">
            <p>If a client sends a write that is refused, the reason appears here.</p>
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

function QuarantineNotice({ hours, logPath }: { hours: readonly ActivitySpan[]; logPath: string }) {
  const risk = quarantineRisk(hours)
  if (risk === undefined) return null
  const { refused, total, isPast } = risk
  return (
    <Notice
      tone={isPast ? 'danger' : 'warn'}
      title={isPast ? 'Entra may have put the job into quarantine' : 'Many writes are refused'}
    >
      <p>
        {number(refused)} of {number(total)} writes of the last 24 hours were refused (
        {percent(refused / total)}). Microsoft Entra puts a provisioning job into quarantine if more than 40 %
        fail, after 5,000 failures, or if 40,000 fail in all. The job then runs only once a day.{' '}
        <a href={`${logPath}?outcome=refused`}>See the refused writes and their reasons</a>.
      </p>
    </Notice>
  )
}

function FirstSteps({ directoryPath, title }: { directoryPath: string; title: string }) {
  return (
    <Notice tone="off" title="Connect an identity provider">
      <p>
        This tenant has no token or client secret, so clients cannot connect yet. Go to{' '}
        <a href={`${directoryPath}?open=entra`}>{title}</a>, open the card of your identity provider, and
        follow its steps.
      </p>
    </Notice>
  )
}
