/**
 * Users and Groups: the cards of identity providers, search, and the list of users or of groups.
 */
import type { DirectoryItem, DirectoryTable, SearchField } from '../../storage/directory-lists.ts'
import { searchFieldsOf } from '../../storage/directory-lists.ts'
import type { TenantSummary } from '../../storage/tenant-queries.ts'
import { EmptyState, PageHead } from '../components/blocks.tsx'
import { DirectoryRows } from '../components/directory-table.tsx'
import { Select } from '../components/form.tsx'
import { counted, number } from '../components/number.ts'
import { Pagination, withQuery } from '../components/pagination.tsx'
import { tenantPaths } from '../components/paths.ts'
import { ProviderCards, type ProviderId } from '../components/provider-cards.tsx'
import type { Administrator } from '../env.ts'
import { Layout } from '../layout.tsx'

export const FIELD_LABELS: Readonly<Record<SearchField, string>> = {
  userName: 'User name',
  displayName: 'Display name',
  externalId: 'External id',
  nativeObjectId: 'Native object id',
}

export interface DirectoryProps {
  readonly administrator: Administrator
  readonly tenant: TenantSummary
  readonly tenantUrl: string
  readonly table: DirectoryTable
  /** The card to show open. */
  readonly open: ProviderId | undefined
  readonly search: { readonly text: string; readonly field: SearchField | undefined }
  readonly items: readonly DirectoryItem[]
  /** Nothing begins with the text: these only contain it. */
  readonly isContaining: boolean
  readonly first: string | undefined
  readonly next: string | undefined
  /** Fields with more matches than are shown. */
  readonly more: readonly SearchField[]
}

export function DirectoryPage(props: DirectoryProps) {
  const { administrator, tenant, tenantUrl, table, open } = props
  const paths = tenantPaths(tenant.id)
  return (
    <Layout title="Users and Groups" administrator={administrator} tenant={tenant} current="directory">
      <PageHead
        title="Users and Groups"
        lead="Connect an identity provider, and look up what it provisioned."
      />
      <h2 class="minor">Identity providers</h2>
      <ProviderCards
        open={open}
        tenantUrl={tenantUrl}
        apiKeysPath={paths.apiKeys}
        groupLimit={tenant.groupLimit}
      />
      <nav class="tabs" aria-label="Kind of resource">
        <Tab href={paths.users} isCurrent={table === 'users'} label="Users" count={tenant.userCount} />
        <Tab href={paths.groups} isCurrent={table === 'groups'} label="Groups" count={tenant.groupCount} />
      </nav>
      <section class="panel" aria-label={table === 'users' ? 'Users' : 'Groups'}>
        <SearchForm {...props} />
        <Results {...props} />
      </section>
    </Layout>
  )
}

function Tab(props: { href: string; isCurrent: boolean; label: string; count: number }) {
  return (
    <a href={props.href} {...(props.isCurrent ? { 'aria-current': 'page' } : {})}>
      {props.label} <span class="number count">{number(props.count)}</span>
    </a>
  )
}

function SearchForm({ tenant, table, search }: DirectoryProps) {
  const paths = tenantPaths(tenant.id)
  const fields = searchFieldsOf(table)
  return (
    <search>
      <form class="search" method="get" action={paths[table]}>
        <div class="field grow">
          <label for="q">Search {table}</label>
          <input id="q" name="q" type="search" value={search.text} aria-describedby="q-hint" />
        </div>
        <div class="field">
          <label for="in">In</label>
          <Select
            attributes={{ id: 'in', name: 'in' }}
            value={search.field}
            options={[['', 'All of these'], ...fields.map((field) => [field, FIELD_LABELS[field]] as const)]}
          />
        </div>
        <button type="submit" class="quiet">
          Search
        </button>
        <p class="hint" id="q-hint">
          Finds what begins with the text:{' '}
          {fields.map((field) => FIELD_LABELS[field].toLowerCase()).join(', ')}.
        </p>
      </form>
    </search>
  )
}

function Results(props: DirectoryProps) {
  const { tenant, table, search, items, isContaining, more, first, next } = props
  if (items.length === 0) return search.text === '' ? <NothingYet {...props} /> : <NothingFound {...props} />
  const paths = tenantPaths(tenant.id)
  return (
    <>
      {isContaining && (
        <p class="muted" role="status">
          None begins with “{search.text}”. These have it in their name:
        </p>
      )}
      <DirectoryRows table={table} tenantId={tenant.id} items={items} />
      {more.length > 0 && (
        <p class="more">
          There are more. All that begin with “{search.text}” by{' '}
          {more.map((field, i) => (
            <>
              {i > 0 && ', '}
              <a href={withQuery(paths[table], { q: search.text, in: field })}>
                {FIELD_LABELS[field].toLowerCase()}
              </a>
            </>
          ))}
          .
        </p>
      )}
      <Pagination first={first} next={next} label={table} />
    </>
  )
}

function NothingYet({ tenant, table, first }: DirectoryProps) {
  if (first !== undefined) {
    return (
      <EmptyState title="This is the end of the list.">
        <p>
          <a href={first}>Go to the first page</a>
        </p>
      </EmptyState>
    )
  }
  const paths = tenantPaths(tenant.id)
  return (
    <EmptyState title={`No ${table} yet.`}>
      <p>
        {table === 'users' ? 'Users' : 'Groups'} appear here when an identity provider sends them.{' '}
        <a href={`${paths.users}?open=entra`}>Connect Microsoft Entra ID</a>, or look into the{' '}
        <a href={paths.log}>provisioning log</a> when it is connected already.
      </p>
    </EmptyState>
  )
}

function NothingFound({ tenant, table, search }: DirectoryProps) {
  const { log } = tenantPaths(tenant.id)
  const total = table === 'users' ? counted(tenant.userCount, 'user') : counted(tenant.groupCount, 'group')
  return (
    <EmptyState title={`None of ${total} begins with “${search.text}”.`}>
      <p>
        Did a client try to create it, and was it refused?{' '}
        <a href={withQuery(log, { q: search.text })}>Search the provisioning log for “{search.text}”</a>. When
        the log knows nothing of it either, the identity provider has not sent it: check there whether it is
        assigned to the application and in scope.
      </p>
    </EmptyState>
  )
}
