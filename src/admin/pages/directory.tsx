/**
 * The directory: search, and the list of the resources of one type.
 */
import { pathSegment } from '../../scim/path-segment.ts'
import { pluralOf } from '../../scim/schema/resource-type.ts'
import type { Writer } from '../../storage/access/clients.ts'
import { MAX_LOOKED_AT } from '../../storage/resources/directory-lists.ts'
import { CREATED_TOLERANCE_MS } from '../../storage/tables/user-values.ts'
import { EmptyState, Notice, PageHead } from '../components/blocks.tsx'
import { DirectoryRows } from '../components/directory-table.tsx'
import { ListControls, SearchForm } from '../components/list-controls.tsx'
import { number } from '../components/number.ts'
import { Pagination, withQuery } from '../components/pagination.tsx'
import { tenantPaths } from '../components/paths.ts'
import { Permitted } from '../components/permitted.tsx'
import { allOf } from '../components/resource-names.ts'
import { SearchResults } from '../components/search-results.tsx'
import type { Administrator } from '../env.ts'
import { visibleName } from '../hidden-characters.ts'
import { Layout, type PageTenant } from '../layout.tsx'
import { addressOf, type Found, type ListView } from '../list-view.ts'

/** The group whose members are listed. */
export interface ListedGroup {
  readonly id: string
  readonly name: string | undefined
  readonly memberCount: number
}

export interface DirectoryProps {
  readonly administrator: Administrator
  readonly tenant: PageTenant
  /** The number of resources of each type, by its name. */
  readonly counts: ReadonlyMap<string, number>
  readonly view: ListView
  /** Undefined if the view has none, or if there is no such group. */
  readonly group: ListedGroup | undefined
  /** The clients whose resources can be listed, the newest first. */
  readonly writers: readonly Writer[]
  /** Undefined if the text is too long to search for. */
  readonly found: Found | undefined
  /** Whether users are missing in the list until the hourly run has taken them in. */
  readonly isIncomplete: boolean
  /** How many resources come before the items; undefined if it is not known. */
  readonly position: number | undefined
  readonly first: string | undefined
  readonly previous: string | undefined
  readonly next: string | undefined
}

export function DirectoryPage(props: DirectoryProps) {
  const { administrator, tenant, counts, view } = props
  const types = tenant.resourceTypes
  const paths = tenantPaths(tenant.id)
  const path = paths.listOf(view.type)
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
            isCurrent={each.name === view.type.name}
            label={pluralOf(each)}
            count={counts.get(each.name) ?? 0}
          />
        ))}
      </nav>
      <section class="panel" aria-label={pluralOf(view.type)}>
        {view.groupId !== undefined && <GroupLine {...props} />}
        <SearchForm view={view} path={path} />
        {view.text === '' && view.groupId === undefined && (
          <ListControls view={view} path={path} writers={props.writers} />
        )}
        {props.isIncomplete && <Incomplete view={view} />}
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

/** The group whose members are listed, and the way back to all. */
function GroupLine({ tenant, view, group }: DirectoryProps) {
  const paths = tenantPaths(tenant.id)
  const type = tenant.resourceTypes.find(({ attributes }) =>
    attributes.some(({ name }) => name === 'members'),
  )
  const name = visibleName(group?.name, view.groupId ?? '')
  return (
    <p class="list-head">
      <span>
        Members of{' '}
        {type && group ? <a href={`${paths.listOf(type)}/${pathSegment(group.id)}`}>{name}</a> : name}
      </span>
      <a href={paths.listOf(view.type)}>Show all {pluralOf(view.type).toLowerCase()}</a>
    </p>
  )
}

function Incomplete({ view }: { readonly view: ListView }) {
  return (
    <Notice tone="warn" title="The list is being prepared.">
      <p>
        The hourly run still takes in earlier {pluralOf(view.type).toLowerCase()}. Until then, some of them
        are missing here.
      </p>
    </Notice>
  )
}

function Results(props: DirectoryProps) {
  const { tenant, view, group, counts, found, first, previous, next } = props
  const paths = tenantPaths(tenant.id)
  const { type, text } = view
  const rows = found && (
    <>
      {found.search === undefined && <Position {...props} found={found} />}
      <DirectoryRows type={type} tenantId={tenant.id} items={found.items} isCreated={isByCreation(view)} />
      <Pagination first={first} previous={previous} next={next} label={pluralOf(type).toLowerCase()} />
    </>
  )
  if (text !== '') {
    return (
      <SearchResults
        view={view}
        path={paths.listOf(type)}
        found={found}
        count={group?.memberCount ?? counts.get(type.name) ?? 0}
        logPath={withQuery(paths.log, { q: text })}
      >
        {rows}
      </SearchResults>
    )
  }
  if (found?.items.length === 0) return <NothingListed {...props} />
  return rows ?? null
}

/** Whether the rows are in the order of creation, so that its time is shown. */
function isByCreation({ text, shown, groupId, sourceId, order }: ListView): boolean {
  if (text !== '' || shown === 'conflict') return false
  return shown === 'inactive' || groupId !== undefined || sourceId !== undefined || order.name === 'created'
}

/** "1–50 of 19,197 users", and the list as a file. */
function Position({ tenant, view, counts, group, found, position }: DirectoryProps & { found: Found }) {
  const { type, field } = view
  const plural = pluralOf(type).toLowerCase()
  const total = field === undefined ? totalOf(view, tenant, counts.get(type.name) ?? 0, group) : undefined
  const list = tenantPaths(tenant.id).listOf(type)
  return (
    <p class="list-head muted">
      <span class="number">
        {position !== undefined && `${number(position + 1)}–${number(position + found.items.length)}`}
        {total !== undefined && ` ${position === undefined ? '' : 'of '}${number(total)}`} {plural}
        {noteOf(view, found)}
      </span>
      <a href={addressOf(`${list}.csv`, view)}>Download {isWhole(view) ? 'all' : 'these'} as CSV</a>
    </p>
  )
}

/** What the order does not tell. */
function noteOf(view: ListView, { items }: Found): string {
  const { type, text, order } = view
  if (isByCreation(view)) {
    const isOther = items.some(isOtherwiseCreated)
    return isOther ? '. Sorted by id: some were created elsewhere before they came here' : ''
  }
  const isPartial = text === '' && order.name === 'displayName' && order.path !== type.nameAttribute
  return isPartial ? '. Those without a display name are not in this order' : ''
}

function isWhole({ text, shown, groupId, sourceId }: ListView): boolean {
  return text === '' && shown === undefined && groupId === undefined && sourceId === undefined
}

/** The number of resources in the list; undefined if it is not kept. */
function totalOf(
  { shown, groupId, sourceId, order, type }: ListView,
  tenant: PageTenant,
  count: number,
  group: ListedGroup | undefined,
): number | undefined {
  if (groupId !== undefined) return group?.memberCount
  if (shown === 'active') return order.name === 'displayName' ? undefined : tenant.activeUserCount
  if (shown !== undefined || sourceId !== undefined) return undefined
  // An index of display names lacks the resources without one.
  return order.name === 'displayName' && type.nameAttribute !== 'displayName' ? undefined : count
}

/** The first 48 bits of an id are the time when it was made. */
function isOtherwiseCreated({ id, createdAt }: { readonly id: string; readonly createdAt: number }): boolean {
  return Math.abs(Number.parseInt(id.replace('-', '').slice(0, 12), 16) - createdAt) > CREATED_TOLERANCE_MS
}

function NothingListed(props: DirectoryProps) {
  const { tenant, view, first, next } = props
  const { type, shown, groupId, sourceId } = view
  const plural = pluralOf(type).toLowerCase()
  const paths = tenantPaths(tenant.id)
  if (next !== undefined) {
    return (
      <EmptyState title={`None of the next ${MAX_LOOKED_AT} ${plural} is active.`}>
        <p>
          <a href={next}>Look at those after them</a>
        </p>
      </EmptyState>
    )
  }
  if (first !== undefined) {
    return (
      <EmptyState title="This is the end of the list.">
        <p>
          <a href={first}>Go to the first page</a>
        </p>
      </EmptyState>
    )
  }
  if (groupId !== undefined) return <EmptyState title={`This group has no ${plural} as members.`} />
  if (sourceId !== undefined) return <NothingOfSource {...props} />
  if (shown !== undefined) return <EmptyState title={EMPTY[shown](plural)} />
  return (
    <EmptyState title={`No ${plural} yet.`}>
      <p>
        {pluralOf(type)} appear here when an identity provider sends them.{' '}
        <a href={paths.connect}>Connect one</a>, or read the <a href={paths.log}>provisioning log</a> if it is
        connected already.
      </p>
    </EmptyState>
  )
}

function NothingOfSource({ view, writers, isIncomplete }: DirectoryProps) {
  const plural = pluralOf(view.type).toLowerCase()
  const writer = writers.find(({ id }) => id === view.sourceId)
  if (writer === undefined) return <EmptyState title="This client is not known." />
  if (isIncomplete) return <EmptyState title={`No ${plural} of this client so far.`} />
  return (
    <EmptyState title={`No ${plural} were created or last changed by this client.`}>
      <p>
        {pluralOf(view.type)} from imports, and from versions that did not store the source, belong to no
        client.
      </p>
    </EmptyState>
  )
}

const EMPTY = {
  active: (plural: string) => `No active ${plural}.`,
  inactive: (plural: string) => `No inactive ${plural}.`,
  conflict: (plural: string) => `No open conflict is about ${plural}.`,
} as const
