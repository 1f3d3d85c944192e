/**
 * The overview of a tenant, the lists of its resources, and the pages of resources.
 */
import { Hono } from 'hono'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import { secretsQuery } from '../../storage/access/client-secrets.ts'
import { clientsQuery } from '../../storage/access/clients.ts'
import { tokensQuery } from '../../storage/access/token-rotation.ts'
import { trustsQuery } from '../../storage/access/trusts.ts'
import { readTogether } from '../../storage/database/query.ts'
import { emergencyDisableQuery } from '../../storage/guard/emergency.ts'
import { deprovisioningQuery } from '../../storage/guard/releases.ts'
import { activityQuery } from '../../storage/log/activity.ts'
import { connectionsQuery } from '../../storage/log/client-facts.ts'
import { logPageQuery } from '../../storage/log/log-pages.ts'
import { groupsOfQuery, membersQuery, resourceQuery } from '../../storage/resources/directory-details.ts'
import {
  containsQuery,
  countsQuery,
  type DirectoryItem,
  type ListCursor,
  type ListedPage,
  type ListPage,
  listQuery,
  MAX_LOOKED_THROUGH,
  type SearchField,
  searchAllQuery,
  searchFieldsOf,
  searchQuery,
  streamDirectory,
} from '../../storage/resources/directory-lists.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { withQuery } from '../components/pagination.tsx'
import { segmentOf, tenantPaths } from '../components/paths.ts'
import { pluralOf } from '../components/resource-names.ts'
import { type CsvColumns, csvOf } from '../csv.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { DirectoryPage } from '../pages/directory.tsx'
import { OverviewPage } from '../pages/overview.tsx'
import { ResourcePage } from '../pages/resource.tsx'
import { streamOf } from '../stream-of.ts'
import { loadWithTenant, PageNotFound } from './request.ts'

const PAGE_SIZE = 50
/** The most matches of each field in a search of all fields. */
const MATCHES_PER_FIELD = 25
const LATEST_REFUSED = 5
const LATEST_ENTRIES = 10
const UUID = /^[0-9a-f-]{36}$/

export const directory = new Hono<AdminEnv>()

directory.get('/:tenant', async (c) => {
  const now = c.env.now()
  const types = c.get('resourceTypes')
  const { tenant, counts, activity, refused, ...access } = await loadWithTenant(c, (id) => ({
    counts: countsQuery(types, id),
    clients: clientsQuery(id),
    seen: connectionsQuery(id, now),
    deprovisioning: deprovisioningQuery(id, now),
    tokens: tokensQuery(id),
    secrets: secretsQuery(id),
    trusts: trustsQuery(id),
    activity: activityQuery(id, now),
    refused: logPageQuery({ tenantId: id, filters: { outcome: 'refused' }, size: LATEST_REFUSED }),
  }))
  const props = { administrator: c.get('administrator'), now, tenant, counts, ...access, ...activity }
  return c.html(<OverviewPage {...props} refused={refused.entries} />)
})

// Other pages have paths of the same form. A segment that does not name a resource type is left to them.
directory.get('/:tenant/:segment', async (c, next) => {
  const file = c.get('resourceTypes').find((type) => `${segmentOf(type)}.csv` === c.req.param('segment'))
  if (file !== undefined) return await downloadList(c, file)
  const type = typeAt(c)
  return type === undefined ? await next() : await listPage(c, type)
})
directory.get('/:tenant/:segment/:id', async (c, next) => {
  const type = typeAt(c)
  return type === undefined ? await next() : await resourcePage(c, type)
})

function typeAt(c: AdminContext): StoredResourceType | undefined {
  return c.get('resourceTypes').find((type) => segmentOf(type) === c.req.param('segment'))
}

async function downloadList(c: AdminContext, type: StoredResourceType): Promise<Response> {
  const { tenant } = await loadWithTenant(c, () => ({}))
  const day = new Date(c.env.now()).toISOString().slice(0, 10)
  const parts = csvOf(DIRECTORY_COLUMNS, streamDirectory(c.get('db'), { type, tenantId: tenant.id }))
  return c.body(streamOf(parts), 200, {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': `attachment; filename="${segmentOf(type)}-${tenant.id}-${day}.csv"`,
  })
}

/** The columns of a list as a file. */
const DIRECTORY_COLUMNS = {
  name: ({ name = '' }) => name,
  displayName: ({ displayName = '' }) => displayName,
  active: ({ isActive }) => (isActive === undefined ? '' : String(isActive)),
  members: ({ memberCount }) => (memberCount === undefined ? '' : String(memberCount)),
  externalId: ({ externalId = '' }) => externalId,
  lastModified: ({ lastModified }) => new Date(lastModified).toISOString(),
  id: ({ id }) => id,
} as const satisfies CsvColumns<DirectoryItem>

async function listPage(c: AdminContext, type: StoredResourceType): Promise<Response> {
  const text = (c.req.query('q') ?? '').trim()
  const field = searchFieldsOf(type).find(({ name }) => name === c.req.query('in'))
  const [after, before] = [cursorOf(c, 'after'), cursorOf(c, 'before')]
  const types = c.get('resourceTypes')
  const { tenant, found, counts } = await loadWithTenant(c, (id) => ({
    found: foundQuery(
      { type, tenantId: id, size: PAGE_SIZE, ...(after ? { after } : { before }) },
      text,
      field,
    ),
    counts: countsQuery(types, id),
  }))
  const path = tenantPaths(tenant.id).listOf(type)
  const query = { q: text, in: field?.name }
  const position = positionOf(c, after ?? before)
  const pageAt = (parameter: string, cursor: ListCursor | undefined, at: number) =>
    cursor && withQuery(path, { ...query, [parameter]: cursor.key, row: cursor.row, position: String(at) })
  const isSmall = (counts.get(type.name) ?? 0) <= MAX_LOOKED_THROUGH
  const containing =
    found.items.length === 0 && isSmall ? await containingItems(c, type, tenant.id, text) : []
  return c.html(
    <DirectoryPage
      administrator={c.get('administrator')}
      tenant={tenant}
      counts={counts}
      type={type}
      search={{ text, field }}
      items={[...found.items, ...containing]}
      isContaining={containing.length > 0}
      position={position}
      first={(after ?? before) && withQuery(path, query)}
      previous={pageAt('before', found.previous, Math.max(0, (position ?? 0) - PAGE_SIZE))}
      next={pageAt('after', found.next, (position ?? 0) + found.items.length)}
      more={found.more}
    />,
  )
}

/** The resources whose name contains the text, such as a surname. Only for directories that are small enough for a scan. */
async function containingItems(
  c: AdminContext,
  type: StoredResourceType,
  tenantId: string,
  text: string,
): Promise<readonly DirectoryItem[]> {
  if (text === '') return []
  const query = containsQuery({ type, tenantId, size: PAGE_SIZE }, text)
  return (await readTogether(c.get('db'), { items: query })).items
}

interface Found extends ListedPage {
  readonly more: readonly SearchField[]
}

/** The items of a list: all resources, the matches of one field, or the first matches of each field. */
function foundQuery(page: ListPage, text: string, field: SearchField | undefined) {
  if (text !== '' && field === undefined) {
    const query = searchAllQuery({ ...page, size: MATCHES_PER_FIELD }, text)
    return { ...query, read: (results: Parameters<typeof query.read>[0]) => merged(query.read(results)) }
  }
  const query = text === '' || field === undefined ? listQuery(page) : searchQuery(page, field, text)
  return {
    ...query,
    read: (results: Parameters<typeof query.read>[0]): Found => ({ ...query.read(results), more: [] }),
  }
}

/** Merges the matches of all fields. A resource that several fields match appears once. */
function merged(all: ReturnType<ReturnType<typeof searchAllQuery>['read']>): Found {
  const items = new Map(all.flatMap(({ page }) => page.items).map((item) => [item.id, item]))
  const more = all.filter(({ page }) => page.next !== undefined).map(({ field }) => field)
  return { items: [...items.values()], next: undefined, previous: undefined, more }
}

function cursorOf(c: AdminContext, name: 'after' | 'before'): ListCursor | undefined {
  const { [name]: key, row = '' } = c.req.query()
  return key === undefined || !/^[\da-f-]{1,36}$/.test(row) ? undefined : { key, row }
}

/** How many resources come before the page, as the page before it counted them. */
function positionOf(c: AdminContext, cursor: ListCursor | undefined): number | undefined {
  if (cursor === undefined) return 0
  const counted = c.req.query('position') ?? ''
  return /^\d{1,9}$/.test(counted) ? Number(counted) : undefined
}

async function resourcePage(c: AdminContext, type: StoredResourceType): Promise<Response> {
  const id = c.req.param('id') ?? ''
  const membersAfter = idCursor(c, 'members')
  const groupsAfter = idCursor(c, 'groups')
  const loaded = await loadWithTenant(c, (tenantId) => ({
    resource: resourceQuery(type, tenantId, id),
    groups: groupsOfQuery(tenantId, id, groupsAfter, PAGE_SIZE),
    members: hasMembers(type) ? membersQuery(tenantId, id, membersAfter, PAGE_SIZE) : noMembers,
    log: logPageQuery({ tenantId, filters: { resourceId: id }, size: LATEST_ENTRIES }),
    clients: clientsQuery(tenantId),
    emergency: emergencyDisableQuery(tenantId, id),
  }))
  const { tenant, resource } = loaded
  if (resource === undefined) throw noResource(tenant.id, type, id)
  return c.html(
    <ResourcePage
      administrator={c.get('administrator')}
      tenant={tenant}
      type={type}
      resource={resource}
      groups={loaded.groups}
      groupsAfter={groupsAfter}
      members={loaded.members}
      membersAfter={membersAfter}
      log={loaded.log.entries}
      clients={loaded.clients}
      emergency={loaded.emergency}
    />,
  )
}

const noMembers = { statements: [], read: () => undefined }

function idCursor(c: AdminContext, name: string): string {
  const value = c.req.query(name) ?? ''
  return UUID.test(value) ? value : ''
}

/** The same error for a resource that was deleted, never existed, or belongs to another tenant. */
export function noResource(tenantId: string, type: StoredResourceType, id: string): PageNotFound {
  const paths = tenantPaths(tenantId)
  const one = type.name.toLowerCase()
  return new PageNotFound(
    `There is no ${one} with the id “${id}” in this tenant. It may have been deleted.`,
    [
      [`All ${pluralOf(type).toLowerCase()}`, paths.listOf(type)],
      ['Entries in the provisioning log', withQuery(paths.log, { resource: id })],
    ],
  )
}
