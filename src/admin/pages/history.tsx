/** The history of a user or a group, and the resource as it was at a time. */
import type { HistoryEntry, HistoryView, PastResource } from '../../provider/history/history.ts'
import { pathSegment } from '../../scim/path-segment.ts'
import { Attributes } from '../components/attributes.tsx'
import { EmptyState, PageHead, Section } from '../components/blocks.tsx'
import { Field, type FormError } from '../components/form.tsx'
import { counted } from '../components/number.ts'
import { Pagination, withQuery } from '../components/pagination.tsx'
import { tenantPaths } from '../components/paths.ts'
import { Time } from '../components/time.tsx'
import type { Administrator } from '../env.ts'
import { visibleName } from '../hidden-characters.ts'
import { Layout, type PageTenant } from '../layout.tsx'

export interface HistoryProps {
  readonly administrator: Administrator
  readonly tenant: PageTenant
  readonly id: string
  readonly view: HistoryView
  /** The position of the page; undefined for the first one. */
  readonly before: number | undefined
  /** The time in the form: UTC, without its zone. */
  readonly at: string
  readonly past: PastResource | undefined
  readonly error: FormError | undefined
}

export function HistoryPage(props: HistoryProps) {
  const { administrator, tenant, id, view, before } = props
  const paths = tenantPaths(tenant.id)
  const { resource, entries, next, keptSince } = view
  const name = visibleName(resource?.name, id)
  const current =
    resource && !resource.isDeleted ? `${paths.listOf(resource.type)}/${pathSegment(id)}` : undefined
  return (
    <Layout title={`History of ${name}`} administrator={administrator} tenant={tenant} current="directory">
      <PageHead
        title={`History of ${name}`}
        lead={resource?.isDeleted ? 'It was deleted.' : undefined}
        parent={current === undefined ? ['Deleted', paths.deleted] : [name, current]}
      />
      <AsItWas {...props} />
      <Section id="changes" title="Changes">
        {entries.length === 0 ? (
          <EmptyState title={next === undefined ? 'No changes.' : 'No changes on this page.'}>
            <p>
              {next === undefined
                ? 'No stored change concerns it.'
                : 'The history continues on the next page.'}
            </p>
          </EmptyState>
        ) : (
          <Changes entries={entries} tenant={tenant} />
        )}
        {next === undefined && keptSince !== undefined && (
          <p class="muted">
            Changes before <Time at={keptSince} /> are no longer stored.
          </p>
        )}
        <Pagination
          first={before === undefined ? undefined : paths.historyOf(id)}
          next={next === undefined ? undefined : withQuery(paths.historyOf(id), { before: String(next) })}
          label="the history"
        />
      </Section>
    </Layout>
  )
}

function AsItWas({ tenant, id, at, past, error }: HistoryProps) {
  const path = tenantPaths(tenant.id).historyOf(id)
  return (
    <Section id="as-it-was" title="At an earlier time">
      <form method="get" action={path}>
        <Field
          id="at"
          name="at"
          label="Time (UTC)"
          error={error}
          control={(attributes) => (
            <input {...attributes} type="datetime-local" step="1" value={at} required />
          )}
        />
        <button type="submit" class="primary">
          Show
        </button>
      </form>
      {past && !past.exists && <p>It did not exist at that time.</p>}
      {past?.attributes && <Attributes resource={past.attributes} />}
      {past?.members && (
        <details open={past.members.length <= 20}>
          <summary>
            {past.nextMember === undefined
              ? counted(past.members.length, 'member')
              : `The first ${past.members.length} members`}
          </summary>
          <ul>
            {past.members.map((member) => (
              <li>
                <a href={tenantPaths(tenant.id).historyOf(member)}>{member}</a>
              </li>
            ))}
          </ul>
        </details>
      )}
    </Section>
  )
}

function Changes({
  entries,
  tenant,
}: {
  readonly entries: readonly HistoryEntry[]
  readonly tenant: PageTenant
}) {
  return (
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Change</th>
          <th scope="col">By</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr>
            <td data-label="Time">
              <Time at={entry.time} />
            </td>
            <td data-label="Change">
              <div>
                <Change entry={entry} tenantId={tenant.id} />
              </div>
            </td>
            <td data-label="By">
              {entry.requestId === null ? (
                visibleName(entry.clientName, entry.clientId, 'Administrator')
              ) : (
                <a href={withQuery(tenantPaths(tenant.id).log, { q: entry.requestId })}>
                  {visibleName(entry.clientName, entry.clientId, 'Unknown')}
                </a>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Change({ entry, tenantId }: { readonly entry: HistoryEntry; readonly tenantId: string }) {
  const { kind, changes, group, members } = entry
  const paths = tenantPaths(tenantId)
  const text = kind.charAt(0).toUpperCase() + kind.slice(1)
  if (group !== null) {
    return (
      <>
        {text} <a href={paths.historyOf(group.id)}>{visibleName(group.name, group.id)}</a>
      </>
    )
  }
  return (
    <>
      {text}
      {members.length > 0 && `: ${members.length}`}
      {changes.length > 0 && kind !== 'created' && (
        <ul>
          {changes.map((change) => (
            <li>
              <code>{change.attribute}</code>
              {'old' in change || 'new' in change
                ? `: ${shown(change.old)} → ${shown(change.new)}`
                : ' (values not kept)'}
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

const MAX_SHOWN = 200

/** A value as a short text. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  const text = typeof value === 'string' ? `“${value}”` : JSON.stringify(value)
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}
