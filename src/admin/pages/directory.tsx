/**
 * The directory: search, and the list of the resources of one type.
 */
import type { DirectoryItem, SearchField } from '../../storage/resources/directory-lists.ts'
import { MAX_LOOKED_THROUGH, searchFieldsOf } from '../../storage/resources/directory-lists.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { EmptyState, PageHead } from '../components/blocks.tsx'
import { DirectoryRows } from '../components/directory-table.tsx'
import { Select } from '../components/form.tsx'
import { number } from '../components/number.ts'
import { Pagination, withQuery } from '../components/pagination.tsx'
import { tenantPaths } from '../components/paths.ts'
import { Permitted } from '../components/permitted.tsx'
import { allOf, countedOf, labelOf, pluralOf } from '../components/resource-names.ts'
import type { Administrator } from '../env.ts'
import { Layout, type PageTenant } from '../layout.tsx'

export interface DirectoryProps {
  readonly administrator: Administrator
  readonly tenant: PageTenant
  /** The number of resources of each type, by its name. */
  readonly counts: ReadonlyMap<string, number>
  readonly type: StoredResourceType
  readonly search: { readonly text: string; readonly field: SearchField | undefined }
  readonly items: readonly DirectoryItem[]
  /** True if no value begins with the text, and `items` contain it instead. */
  readonly isContaining: boolean
  /** How many resources come before the items; undefined if it is not known. */
  readonly position: number | undefined
  readonly first: string | undefined
  readonly previous: string | undefined
  readonly next: string | undefined
  /** The fields with more matches than shown. */
  readonly more: readonly SearchField[]
}

export function DirectoryPage(props: DirectoryProps) {
  const { administrator, tenant, counts, type } = props
  const types = tenant.resourceTypes
  const paths = tenantPaths(tenant.id)
  const title = allOf(types)
  return (
    <Layout title={title} administrator={administrator} tenant={tenant} current="directory">
      <PageHead title={title} lead="What the identity providers have sent.">
        <Permitted>
          <a class="button quiet" href={paths.drift}>
            Compare an export
          </a>
        </Permitted>
      </PageHead>
      <nav class="tabs" aria-label="Resource type">
        {types.map((each) => (
          <Tab
            href={paths.listOf(each)}
            isCurrent={each.name === type.name}
            label={pluralOf(each)}
            count={counts.get(each.name) ?? 0}
          />
        ))}
      </nav>
      <section class="panel" aria-label={pluralOf(type)}>
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

function SearchForm({ tenant, type, search }: DirectoryProps) {
  const paths = tenantPaths(tenant.id)
  const fields = searchFieldsOf(type)
  return (
    <search>
      <form class="search" method="get" action={paths.listOf(type)}>
        <div class="field grow">
          <label for="q">Search {pluralOf(type).toLowerCase()}</label>
          <input id="q" name="q" type="search" value={search.text} aria-describedby="q-hint" />
        </div>
        <div class="field">
          <label for="in">In</label>
          <Select
            attributes={{ id: 'in', name: 'in' }}
            value={search.field?.name}
            options={[['', 'All fields'], ...fields.map(({ name }) => [name, labelOf(name)] as const)]}
          />
        </div>
        <button type="submit" class="quiet">
          Search
        </button>
        <p class="hint" id="q-hint">
          Finds values that begin with the text:{' '}
          {fields.map(({ name }) => labelOf(name).toLowerCase()).join(', ')}.
        </p>
      </form>
    </search>
  )
}

function Results(props: DirectoryProps) {
  const { tenant, type, search, items, isContaining, more, first, previous, next } = props
  if (items.length === 0) return search.text === '' ? <NothingYet {...props} /> : <NothingFound {...props} />
  const paths = tenantPaths(tenant.id)
  return (
    <>
      {isContaining && (
        <p class="muted" role="status">
          No value begins with “{search.text}”. These names contain it:
        </p>
      )}
      {search.text === '' && <Position {...props} />}
      <DirectoryRows type={type} tenantId={tenant.id} items={items} />
      {more.length > 0 && (
        <p class="more">
          There are more. Show all that begin with “{search.text}” by{' '}
          {more.map(({ name }, i) => (
            <>
              {i > 0 && ', '}
              <a href={withQuery(paths.listOf(type), { q: search.text, in: name })}>
                {labelOf(name).toLowerCase()}
              </a>
            </>
          ))}
          .
        </p>
      )}
      <Pagination first={first} previous={previous} next={next} label={pluralOf(type).toLowerCase()} />
    </>
  )
}

/** "1–50 of 19,197 users", and the list as a file. */
function Position({ tenant, type, counts, items, position }: DirectoryProps) {
  const total = countedOf(type, counts.get(type.name) ?? 0)
  const list = tenantPaths(tenant.id).listOf(type)
  return (
    <p class="list-head muted">
      <span class="number">
        {position !== undefined && `${number(position + 1)}–${number(position + items.length)} of `}
        {total}
      </span>
      <a href={`${list}.csv`}>Download all as CSV</a>
    </p>
  )
}

function NothingYet({ tenant, type, first }: DirectoryProps) {
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
    <EmptyState title={`No ${pluralOf(type).toLowerCase()} yet.`}>
      <p>
        {pluralOf(type)} appear here when an identity provider sends them.{' '}
        <a href={paths.connect}>Connect one</a>, or read the <a href={paths.log}>provisioning log</a> if it is
        connected already.
      </p>
    </EmptyState>
  )
}

function NothingFound({ tenant, type, counts, search }: DirectoryProps) {
  const { log } = tenantPaths(tenant.id)
  const count = counts.get(type.name) ?? 0
  const total = countedOf(type, count)
  const isLookedThrough = count <= MAX_LOOKED_THROUGH
  const fields = search.field === undefined ? searchFieldsOf(type) : [search.field]
  return (
    <EmptyState title={`No match for “${search.text}” among ${total}.`}>
      <p>
        Compared with the beginning of: {fields.map(({ name }) => labelOf(name).toLowerCase()).join(', ')}
        {isLookedThrough && ', and with all parts of the names'}. Other attributes are not searched.
      </p>
      <p>
        A client may have sent it and been refused:{' '}
        <a href={withQuery(log, { q: search.text })}>search the provisioning log for “{search.text}”</a>.
        Otherwise check in the identity provider whether it is assigned to the application and in scope.
      </p>
    </EmptyState>
  )
}
