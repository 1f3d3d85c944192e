/**
 * The overview, users and groups.
 */
import { Hono } from 'hono'
import { activityQuery } from '../../storage/activity.ts'
import { groupsOfQuery, membersQuery, resourceQuery } from '../../storage/directory-details.ts'
import {
  containsQuery,
  type DirectoryItem,
  type DirectoryTable,
  type ListCursor,
  listQuery,
  MAX_LOOKED_THROUGH,
  type SearchField,
  searchAllQuery,
  searchFieldsOf,
  searchQuery,
} from '../../storage/directory-lists.ts'
import { logPageQuery } from '../../storage/log-pages.ts'
import { readTogether } from '../../storage/query.ts'
import type { TenantSummary } from '../../storage/tenant-queries.ts'
import { tokensQuery } from '../../storage/token-rotation.ts'
import { withQuery } from '../components/pagination.tsx'
import { tenantPaths } from '../components/paths.ts'
import { PROVIDERS, type ProviderId } from '../components/provider-cards.tsx'
import type { AdminContext, AdminEnv } from '../env.ts'
import { DirectoryPage } from '../pages/directory.tsx'
import { OverviewPage } from '../pages/overview.tsx'
import { ResourcePage } from '../pages/resource.tsx'
import { tenantUrl } from '../tenant-url.ts'
import { loadWithTenant, PageNotFound } from './request.ts'

const PAGE_SIZE = 50
/** Matches that are shown of each field when all are searched. */
const MATCHES_PER_FIELD = 25
const LATEST_REFUSED = 5
const LATEST_ENTRIES = 10
const UUID = /^[0-9a-f-]{36}$/

export const directory = new Hono<AdminEnv>()

directory.get('/:tenant', async (c) => {
  const now = c.env.now()
  const { tenant, tokens, activity, refused } = await loadWithTenant(c, (id) => ({
    tokens: tokensQuery(id),
    activity: activityQuery(id, now),
    refused: logPageQuery(id, { outcome: 'refused' }, undefined, LATEST_REFUSED),
  }))
  const props = { administrator: c.get('administrator'), now, tenant, tokens, ...activity }
  return c.html(<OverviewPage {...props} refused={refused.entries} />)
})

for (const table of ['users', 'groups'] as const) {
  directory.get(`/:tenant/${table}`, (c) => listPage(c, table))
  directory.get(`/:tenant/${table}/:id`, (c) => resourcePage(c, table))
}

async function listPage(c: AdminContext, table: DirectoryTable): Promise<Response> {
  const text = (c.req.query('q') ?? '').trim()
  const field = searchFieldsOf(table).find((name) => name === c.req.query('in'))
  const after = cursorOf(c)
  const { tenant, found } = await loadWithTenant(c, (id) => ({
    found: foundQuery(table, id, text, field, after),
  }))
  const path = tenantPaths(tenant.id)[table]
  const query = { q: text, in: field }
  const containing = found.items.length === 0 ? await containingItems(c, table, tenant, text) : []
  return c.html(
    <DirectoryPage
      administrator={c.get('administrator')}
      tenant={tenant}
      tenantUrl={tenantUrl(c)}
      table={table}
      open={providerOf(c.req.query('open'))}
      search={{ text, field }}
      items={[...found.items, ...containing]}
      isContaining={containing.length > 0}
      first={after && withQuery(path, query)}
      next={found.next && withQuery(path, { ...query, after: found.next.key, row: found.next.row })}
      more={found.more}
    />,
  )
}

/** What contains a text that nothing begins with: a surname, in a directory that can be looked through. */
async function containingItems(
  c: AdminContext,
  table: DirectoryTable,
  tenant: TenantSummary,
  text: string,
): Promise<readonly DirectoryItem[]> {
  const size = table === 'users' ? tenant.userCount : tenant.groupCount
  if (text === '' || size > MAX_LOOKED_THROUGH) return []
  const query = containsQuery(table, tenant.id, text, PAGE_SIZE)
  return (await readTogether(c.get('db'), { items: query })).items
}

interface Found {
  readonly items: readonly DirectoryItem[]
  readonly next: ListCursor | undefined
  readonly more: readonly SearchField[]
}

/** What a list shows: everything, what one field finds, or the beginning of what each field finds. */
function foundQuery(
  table: DirectoryTable,
  tenantId: string,
  text: string,
  field: SearchField | undefined,
  after: ListCursor | undefined,
) {
  if (text !== '' && field === undefined) {
    const query = searchAllQuery(table, tenantId, text, MATCHES_PER_FIELD)
    return { ...query, read: (results: Parameters<typeof query.read>[0]) => merged(query.read(results)) }
  }
  const query =
    text === '' || field === undefined
      ? listQuery(table, tenantId, after, PAGE_SIZE)
      : searchQuery(table, tenantId, field, text, after, PAGE_SIZE)
  return {
    ...query,
    read: (results: Parameters<typeof query.read>[0]): Found => ({ ...query.read(results), more: [] }),
  }
}

/** One that is found by several fields is shown once. */
function merged(all: ReturnType<ReturnType<typeof searchAllQuery>['read']>): Found {
  const items = new Map(all.flatMap(({ page }) => page.items).map((item) => [item.id, item]))
  const more = all.filter(({ page }) => page.next !== undefined).map(({ field }) => field)
  return { items: [...items.values()], next: undefined, more }
}

function cursorOf(c: AdminContext): ListCursor | undefined {
  const { after, row } = c.req.query()
  return after === undefined || !/^[\da-f-]{1,36}$/.test(row ?? '')
    ? undefined
    : { key: after, row: row as string }
}

export function providerOf(value: string | undefined): ProviderId | undefined {
  return PROVIDERS.find(({ id }) => id === value)?.id
}

async function resourcePage(c: AdminContext, table: DirectoryTable): Promise<Response> {
  const id = c.req.param('id') ?? ''
  const membersAfter = idCursor(c, 'members')
  const groupsAfter = idCursor(c, 'groups')
  const loaded = await loadWithTenant(c, (tenantId) => ({
    resource: resourceQuery(table, tenantId, id),
    groups: groupsOfQuery(tenantId, id, groupsAfter, PAGE_SIZE),
    members: table === 'users' ? noMembers : membersQuery(tenantId, id, membersAfter, PAGE_SIZE),
    log: logPageQuery(tenantId, { resourceId: id }, undefined, LATEST_ENTRIES),
  }))
  const { tenant, resource } = loaded
  if (resource === undefined) throw noResource(tenant.id, table, id)
  return c.html(
    <ResourcePage
      administrator={c.get('administrator')}
      tenant={tenant}
      table={table}
      resource={resource}
      groups={loaded.groups}
      groupsAfter={groupsAfter}
      members={loaded.members}
      membersAfter={membersAfter}
      log={loaded.log.entries}
    />,
  )
}

const noMembers = { statements: [], read: () => undefined }

function idCursor(c: AdminContext, name: string): string {
  const value = c.req.query(name) ?? ''
  return UUID.test(value) ? value : ''
}

/** The same for one that was deleted, never was, and is another tenant's. */
function noResource(tenantId: string, table: DirectoryTable, id: string): PageNotFound {
  const paths = tenantPaths(tenantId)
  const one = table === 'users' ? 'user' : 'group'
  return new PageNotFound(
    `There is no ${one} with the id “${id}” in this tenant. It may have been deleted.`,
    [
      [`All ${table}`, paths[table]],
      ['Its entries in the provisioning log', withQuery(paths.log, { resource: id })],
    ],
  )
}
