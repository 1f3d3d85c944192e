/**
 * The audit trail: who did what, when, and with which outcome.
 */
import type { Child } from 'hono/jsx'
import { type AuditEntry, type FieldChange, MAX_LOOKED_AT } from '../../storage/administrators/audit-trail.ts'
import { type AuditFilterForm, AuditFilters } from '../components/audit-filters.tsx'
import { Badge, EmptyState, PageHead } from '../components/blocks.tsx'
import { ChangeTable } from '../components/change-table.tsx'
import { Fact } from '../components/fact.tsx'
import type { FormError } from '../components/form.tsx'
import { LogTabs } from '../components/log-tabs.tsx'
import { number } from '../components/number.ts'
import { Pagination, withQuery } from '../components/pagination.tsx'
import { AUDIT_PATH, tenantPaths } from '../components/paths.ts'
import { Time } from '../components/time.tsx'
import type { Administrator } from '../env.ts'
import { Layout, type PageTenant } from '../layout.tsx'
import type { FoundEntries } from '../people/audit-pages.ts'
import { changesOf, operationName, operationText } from '../people/audit-text.ts'
import { isoTime } from '../read-models.ts'

export interface AuditProps {
  readonly administrator: Administrator
  /** Undefined: the trail of the installation. */
  readonly tenant?: PageTenant | undefined
  readonly page: FoundEntries
  /** The values of the filter form. */
  readonly form: AuditFilterForm
  readonly error: FormError | undefined
  readonly isFirst: boolean
  /** The id of the request or the job whose entry is shown alone. */
  readonly cause?: string | undefined
}

export function AuditPage(props: AuditProps) {
  const { administrator, tenant, form, error, cause } = props
  const path = tenant === undefined ? AUDIT_PATH : tenantPaths(tenant.id).audit
  return (
    <Layout
      title="Audit trail"
      administrator={administrator}
      tenant={tenant}
      current={tenant === undefined ? 'audit' : 'log'}
    >
      <PageHead {...headOf(tenant, cause)}>
        <a class="button quiet" href={withQuery(`${path}.csv`, form)}>
          Download CSV
        </a>
      </PageHead>
      {tenant && <LogTabs tenantId={tenant.id} current="administrators" />}
      {cause === undefined && <AuditFilters path={path} form={form} error={error} />}
      <section class="panel" aria-label="Entries">
        <Entries {...props} path={path} />
      </section>
    </Layout>
  )
}

function Entries({ tenant, page, form, isFirst, cause, path }: AuditProps & { readonly path: string }) {
  const { items, next, lookedTo } = page
  const older = next === undefined ? undefined : withQuery(path, { ...form, before: String(next) })
  const first = withQuery(path, cause === undefined ? form : {})
  return (
    <>
      {items.length > 0 && (
        <ul class="entries">
          {items.map((entry) => (
            <Entry entry={entry} tenantId={tenant?.id} isOpen={cause !== undefined} />
          ))}
        </ul>
      )}
      {lookedTo !== undefined && (
        <p class="notice off">
          {items.length === 0 ? 'No match' : 'No more matches'} down to the entry of <Time at={lookedTo} />.{' '}
          <a href={older}>Search older entries</a>, choose a time, or download all matches as a file.
        </p>
      )}
      {items.length === 0 && lookedTo === undefined && <NoEntries cause={cause} form={form} path={path} />}
      <Pagination
        first={isFirst ? undefined : first}
        firstLabel={cause === undefined ? undefined : 'All entries'}
        next={lookedTo === undefined ? older : undefined}
        label="the audit trail"
      />
    </>
  )
}

/** Of a tenant, the trail is a part of the page of its provisioning log. */
function headOf(tenant: PageTenant | undefined, cause: string | undefined) {
  if (tenant === undefined) {
    return { title: 'Audit trail', lead: 'What administrators did or tried, newest first.' }
  }
  const lead =
    cause === undefined
      ? 'What administrators did or tried in this tenant, newest first.'
      : 'Who made a change, or started the job that made it.'
  return { title: 'Provisioning log', lead }
}

function NoEntries({ cause, form, path }: Pick<AuditProps, 'cause' | 'form'> & { readonly path: string }) {
  if (cause === undefined && (form.q || form.to)) {
    return (
      <EmptyState title="No entry matches.">
        <p>
          Entries older than the retention time of the log are deleted. <a href={path}>Clear the filters</a>
        </p>
      </EmptyState>
    )
  }
  return cause === undefined ? (
    <EmptyState title="No entries.">
      <p>Each change by an administrator, and each sign-in, makes one.</p>
    </EmptyState>
  ) : (
    <EmptyState title="Its entry was not found.">
      <p>
        The {MAX_LOOKED_AT} entries before the change were looked at. The download has all entries that are
        kept: look for <code>{cause}</code> in it.
      </p>
    </EmptyState>
  )
}

/** @param props.tenantId undefined in the trail of the installation */
function Entry(props: {
  readonly entry: AuditEntry
  readonly tenantId: string | undefined
  readonly isOpen: boolean
}) {
  const { entry, isOpen } = props
  const showsTenant = props.tenantId === undefined
  const { seq, time, administrator, via, operation, source, tenantId, outcome, detail, repeated } = entry
  return (
    <li>
      <details id={`entry-${seq}`} open={isOpen}>
        <summary>
          <OutcomeBadge outcome={outcome} />
          <span class="entry-what">
            <span class="entry-name">{operationName(operation)}</span>
            <span class="hint block">
              <bdi>{administrator}</bdi>
              {via && ` · ${via}`}
              {showsTenant && tenantId && ` · tenant ${tenantId}`}
            </span>
            {detail && <span class="entry-reason">{detail}</span>}
            {outcome === 'begun' && (
              <span class="entry-reason">
                It changed something, and its outcome was not stored: it is under way, or the server ended.
              </span>
            )}
            {repeated > 0 && <span class="entry-reason">and {number(repeated)} more like this one</span>}
          </span>
          <span class="entry-action">{source}</span>
          <span class="entry-time">
            <Time at={time} />
          </span>
        </summary>
        <Details entry={entry} />
      </details>
    </li>
  )
}

const OUTCOMES = {
  accepted: ['ok', 'Accepted'],
  refused: ['danger', 'Refused'],
  begun: ['warn', 'Begun'],
} as const

function OutcomeBadge({ outcome }: Pick<AuditEntry, 'outcome'>) {
  const [tone, label] = OUTCOMES[outcome]
  return <Badge tone={tone}>{label}</Badge>
}

function Details({ entry }: { entry: AuditEntry }) {
  const facts: readonly (readonly [string, Child])[] = [
    ['Operation', operationText(entry.operation)],
    ['Tenant', entry.tenantId],
    ['Target', <Target entry={entry} />],
    ['Status', entry.outcome === 'begun' ? null : String(entry.status)],
    ['Request id', entry.requestId],
  ]
  const changes = changesOf(entry).map(({ field, before, after }) => ({
    attribute: field,
    old: shownValue(field, before),
    new: shownValue(field, after),
  }))
  return (
    <div class="entry-details">
      <dl class="facts">
        {facts.map(([name, value]) => (
          <Fact name={name}>{value ?? '—'}</Fact>
        ))}
      </dl>
      {changes.length > 0 && <ChangeTable changes={changes} />}
    </div>
  )
}

/** Operations whose target is a user or a group. */
const OF_RESOURCES: ReadonlySet<string> = new Set([
  'changeOwner',
  'disableUser',
  'enableUser',
  'eraseTombstone',
  'restoreTombstone',
])

function Target({ entry: { operation, tenantId, target } }: { entry: AuditEntry }): Child {
  if (target === null) return '—'
  const href = tenantId === null ? undefined : pageOf(operation, tenantId, target)
  return href === undefined ? target : <a href={href}>{target}</a>
}

/** Where the target of an operation is shown; undefined if nowhere. */
function pageOf(operation: string, tenantId: string, target: string): string | undefined {
  const { log, undo } = tenantPaths(tenantId)
  if (OF_RESOURCES.has(operation)) return withQuery(log, { resource: target })
  return operation === 'undo' ? `${undo}/${target}` : undefined
}

const TIMES: ReadonlySet<string> = new Set(['expiresAt', 'from', 'to'])

/** The admin API has read times as milliseconds. */
function shownValue(field: string, value: FieldChange['after'] | undefined) {
  return TIMES.has(field) && typeof value === 'number' ? isoTime(value) : value
}
