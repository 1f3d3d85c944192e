/**
 * The audit trail: who did what, when, and with which outcome.
 */
import type { AuditEntry } from '../../storage/administrators/audit-trail.ts'
import type { Page } from '../../storage/database/query.ts'
import { Badge, EmptyState, PageHead } from '../components/blocks.tsx'
import { ChangeTable } from '../components/change-table.tsx'
import { Fact } from '../components/fact.tsx'
import { LogTabs } from '../components/log-tabs.tsx'
import { number } from '../components/number.ts'
import { Pagination, withQuery } from '../components/pagination.tsx'
import { AUDIT_PATH, tenantPaths } from '../components/paths.ts'
import { Time } from '../components/time.tsx'
import type { Administrator } from '../env.ts'
import { Layout, type PageTenant } from '../layout.tsx'
import { changesOf, operationName, operationText } from '../people/audit-text.ts'

export interface AuditProps {
  readonly administrator: Administrator
  /** Undefined: the trail of the installation. */
  readonly tenant?: PageTenant | undefined
  readonly page: Page<AuditEntry, number>
  readonly isFirst: boolean
}

export function AuditPage({ administrator, tenant, page, isFirst }: AuditProps) {
  const path = tenant === undefined ? AUDIT_PATH : tenantPaths(tenant.id).audit
  const lead =
    tenant === undefined
      ? 'What administrators did or tried, newest first.'
      : 'What administrators did or tried in this tenant, newest first.'
  return (
    <Layout
      title="Audit trail"
      administrator={administrator}
      tenant={tenant}
      current={tenant === undefined ? 'audit' : 'log'}
    >
      <PageHead title="Audit trail" lead={lead}>
        <a class="button quiet" href={`${path}.csv`}>
          Download CSV
        </a>
      </PageHead>
      {tenant && <LogTabs tenantId={tenant.id} current="administrators" />}
      <section class="panel" aria-label="Entries">
        {page.items.length === 0 ? (
          <EmptyState title="No entries.">
            <p>Each change by an administrator, and each sign-in, makes one.</p>
          </EmptyState>
        ) : (
          <ul class="entries">
            {page.items.map((entry) => (
              <Entry entry={entry} showsTenant={tenant === undefined} />
            ))}
          </ul>
        )}
        <Pagination
          first={isFirst ? undefined : path}
          next={page.next === undefined ? undefined : withQuery(path, { before: String(page.next) })}
          label="the audit trail"
        />
      </section>
    </Layout>
  )
}

function Entry({ entry, showsTenant }: { entry: AuditEntry; showsTenant: boolean }) {
  const { seq, time, administrator, via, operation, source, tenantId, outcome, detail, repeated } = entry
  return (
    <li>
      <details id={`entry-${seq}`}>
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
  const facts: readonly (readonly [string, string | null])[] = [
    ['Operation', operationText(entry.operation)],
    ['Tenant', entry.tenantId],
    ['Target', entry.target],
    ['Status', entry.outcome === 'begun' ? null : String(entry.status)],
    ['Request id', entry.requestId],
  ]
  const changes = changesOf(entry).map(({ field, before, after }) => ({
    attribute: field,
    old: before,
    new: after,
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
