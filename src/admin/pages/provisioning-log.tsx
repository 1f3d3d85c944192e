/**
 * The provisioning log: filters, entries, downloads.
 */
import type { OfferedClient } from '../../storage/access/clients.ts'
import type { ListedEntry, LogPage } from '../../storage/log/log-pages.ts'
import { EmptyState, PageHead } from '../components/blocks.tsx'
import type { FormError } from '../components/form.tsx'
import { LogEntries, LogEntryDetails, nameOf, Outcome } from '../components/log-entry.tsx'
import { type LogFilterForm, LogFilters } from '../components/log-filters.tsx'
import { LogTabs } from '../components/log-tabs.tsx'
import { Pagination, withQuery } from '../components/pagination.tsx'
import { tenantPaths } from '../components/paths.ts'
import { Permitted } from '../components/permitted.tsx'
import { Time } from '../components/time.tsx'
import type { Administrator } from '../env.ts'
import { Layout, type PageTenant } from '../layout.tsx'

export interface ProvisioningLogProps {
  readonly administrator: Administrator
  readonly tenant: PageTenant
  /** That the filter offers. */
  readonly clients: readonly OfferedClient[]
  /** The values of the filter form. */
  readonly form: LogFilterForm
  readonly error: FormError | undefined
  readonly page: LogPage
  readonly isFirst: boolean
}

export function ProvisioningLogPage(props: ProvisioningLogProps) {
  const { administrator, tenant, clients, form, error, isFirst } = props
  const { log, explain } = tenantPaths(tenant.id)
  const query = { ...form }
  return (
    <Layout title="Provisioning log" administrator={administrator} tenant={tenant} current="log">
      <PageHead title="Provisioning log" lead="The writes of clients and their results, newest first.">
        {isFirst && (
          <button type="button" class="quiet live" id="live" hidden>
            Live
          </button>
        )}
        <Permitted>
          <a class="button quiet" href={explain}>
            Explain a request
          </a>
        </Permitted>
        <a class="button quiet" href={withQuery(`${log}.csv`, query)}>
          Download CSV
        </a>
        <a class="button quiet" href={withQuery(`${log}.json`, query)}>
          Download JSON
        </a>
      </PageHead>
      <LogTabs tenantId={tenant.id} current="clients" />
      <LogFilters path={log} types={tenant.resourceTypes} clients={clients} form={form} error={error} />
      <section class="panel" aria-label="Entries" id="entries" {...(isFirst ? { 'data-live': '' } : {})}>
        <Entries {...props} />
      </section>
    </Layout>
  )
}

function Entries({ tenant, form, page, isFirst }: ProvisioningLogProps) {
  const { log } = tenantPaths(tenant.id)
  const next = page.next && withQuery(log, { ...form, before: page.next })
  return (
    <>
      {page.entries.length > 0 && (
        <LogEntries tenantId={tenant.id} types={tenant.resourceTypes} entries={page.entries} />
      )}
      {page.hasStopped && (
        <p class="notice off">
          {page.entries.length === 0 ? 'No match' : 'No more matches'} down to the entry of{' '}
          <Time at={timeOfId(page.next ?? '')} />. <a href={next}>Search older entries</a>, choose a time, or
          download all matches as a file.
        </p>
      )}
      {page.entries.length === 0 && !page.hasStopped && (
        <NoEntries form={form} isFirst={isFirst} path={log} />
      )}
      <Pagination
        first={isFirst ? undefined : withQuery(log, { ...form })}
        next={page.hasStopped ? undefined : next}
        label="the log"
      />
    </>
  )
}

function NoEntries({ form, isFirst, path }: { form: LogFilterForm; isFirst: boolean; path: string }) {
  const isFiltered = Object.values(form).some((value) => value !== undefined && value !== '')
  if (isFiltered) {
    return (
      <EmptyState title="No entry matches.">
        <p>
          If a user or group is missing, the identity provider has not sent it. Check in the identity provider
          whether it is assigned to the application and in scope. <a href={path}>Clear the filters</a>
        </p>
      </EmptyState>
    )
  }
  if (!isFirst) return <EmptyState title="No more entries." />
  return (
    <EmptyState title="No entries yet.">
      <p>Every write of a client appears here, accepted or refused.</p>
    </EmptyState>
  )
}

/** The page of one entry. */
export function LogEntryPage(props: {
  readonly administrator: Administrator
  readonly tenant: PageTenant
  readonly entry: ListedEntry
}) {
  const { administrator, tenant, entry } = props
  const { log } = tenantPaths(tenant.id)
  const name = nameOf(entry)
  return (
    <Layout title={`${entry.action} ${name}`} administrator={administrator} tenant={tenant} current="log">
      <PageHead
        title={name}
        parent={['Provisioning log', log]}
        lead={
          <>
            {entry.resourceType} · {entry.action} · <Time at={entry.time} />
          </>
        }
      >
        <Outcome entry={entry} />
      </PageHead>
      <section class="panel" aria-label="Entry">
        <LogEntryDetails tenantId={tenant.id} types={tenant.resourceTypes} entry={entry} />
      </section>
    </Layout>
  )
}

/** The first 48 bits of the id of an entry are its time. */
function timeOfId(id: string): number {
  return Number.parseInt(id.replace('-', '').slice(0, 12), 16)
}
