/**
 * The overview of a tenant, the lists of its resources, and the pages of resources.
 */
import { Hono } from 'hono'
import { hasMembers, pluralOf } from '../../scim/schema/resource-type.ts'
import { secretsQuery } from '../../storage/access/client-secrets.ts'
import { clientsQuery, ownersQuery, writersQuery } from '../../storage/access/clients.ts'
import { tokensQuery } from '../../storage/access/token-rotation.ts'
import { trustsQuery } from '../../storage/access/trusts.ts'
import { NOTHING } from '../../storage/database/query.ts'
import { emergencyDisableQuery } from '../../storage/guard/emergency.ts'
import { deprovisioningQuery } from '../../storage/guard/releases.ts'
import { activityQuery } from '../../storage/log/activity.ts'
import { connectionsQuery } from '../../storage/log/client-facts.ts'
import { logPageQuery } from '../../storage/log/log-pages.ts'
import {
  groupNameQuery,
  groupsOfQuery,
  indirectGroupsQuery,
  membersQuery,
  nestedGroupsQuery,
  resourceQuery,
} from '../../storage/resources/directory-details.ts'
import {
  countsQuery,
  type DirectoryItem,
  type ListCursor,
  streamDirectory,
} from '../../storage/resources/directory-lists.ts'
import { areSourcesMissingQuery, areValuesMissingQuery } from '../../storage/search/filtered-lists.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { attachment } from '../attachment.ts'
import { withQuery } from '../components/pagination.tsx'
import { segmentOf, tenantPaths } from '../components/paths.ts'
import { type CsvColumns, csvOf } from '../csv.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import {
  addressOf,
  foundQuery,
  hasSourceList,
  isByValue,
  type ListView,
  listViewOf,
  pageQuery,
} from '../list-view.ts'
import { DirectoryPage } from '../pages/directory.tsx'
import { OverviewPage } from '../pages/overview.tsx'
import { ResourcePage } from '../pages/resource.tsx'
import { streamOf } from '../stream-of.ts'
import { loadWithTenant, PageNotFound } from './request.ts'

const PAGE_SIZE = 50
/** On the page of a resource. */
const [MEMBERS_SIZE, GROUPS_SIZE, NESTED_SIZE] = [30, 25, 10]
/** The clients in the list of sources. */
const WRITERS_SIZE = 30
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
  return c.html(<OverviewPage {...props} refused={refused.entries} page={c.req.query('connections')} />)
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
  const view = listViewOf(type, c.req.query())
  // A search in all fields has no file: it has 20 resources at most.
  const listed = view.field === undefined ? { ...view, text: '' } : view
  const day = new Date(c.env.now()).toISOString().slice(0, 10)
  const items = streamDirectory(c.get('db'), (page) => pageQuery(listed, { tenantId: tenant.id, ...page }))
  return c.body(streamOf(csvOf(DIRECTORY_COLUMNS, items)), 200, {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': attachment(`${segmentOf(type)}-${tenant.id}-${day}.csv`),
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
  const view = listViewOf(type, c.req.query())
  const [after, before] = [cursorOf(c, 'after'), cursorOf(c, 'before')]
  const edges = { size: PAGE_SIZE, ...(after ? { after } : { before }) }
  const types = c.get('resourceTypes')
  const { tenant, found, group, writers, counts, isIncomplete } = await loadWithTenant(c, (tenantId) => ({
    found: foundQuery(view, { tenantId, ...edges }) ?? NOTHING,
    group: view.groupId === undefined ? NOTHING : groupNameQuery(tenantId, view.groupId),
    counts: countsQuery(types, tenantId),
    writers: hasSourceList(view)
      ? writersQuery(tenantId, { size: WRITERS_SIZE, andId: view.sourceId })
      : NOTHING,
    isIncomplete: incompleteQuery(view, tenantId),
  }))
  const path = tenantPaths(tenant.id).listOf(type)
  const position = positionOf(c, after ?? before)
  const pageAt = (parameter: string, cursor: ListCursor | undefined, at: number | undefined) =>
    cursor && addressOf(path, view, { [parameter]: cursor.key, row: cursor.row, position: at?.toString() })
  // A page of active users may be short, so how many come before the previous one is not known.
  const beforePrevious = view.shown === 'active' ? undefined : Math.max(0, (position ?? 0) - PAGE_SIZE)
  return c.html(
    <DirectoryPage
      administrator={c.get('administrator')}
      tenant={tenant}
      counts={counts}
      view={view}
      group={group}
      writers={writers ?? []}
      found={found}
      isIncomplete={isIncomplete ?? false}
      position={position}
      first={(after ?? before) && addressOf(path, view)}
      previous={pageAt('before', found?.previous, beforePrevious)}
      next={pageAt('after', found?.next, (position ?? 0) + (found?.items.length ?? 0))}
    />,
  )
}

/** Whether the list lacks resources for a while. */
function incompleteQuery(view: ListView, tenantId: string) {
  if (view.sourceId !== undefined) return areSourcesMissingQuery(tenantId)
  return isByValue(view) ? areValuesMissingQuery(tenantId) : NOTHING
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
    groups: groupsOfQuery(tenantId, id, groupsAfter, GROUPS_SIZE),
    indirect: indirectGroupsQuery(tenantId, id, groupsAfter, GROUPS_SIZE),
    members: hasMembers(type) ? membersQuery(tenantId, id, membersAfter, MEMBERS_SIZE) : NOTHING,
    nested: hasMembers(type) ? nestedGroupsQuery(tenantId, id, NESTED_SIZE) : NOTHING,
    log: logPageQuery({ tenantId, filters: { resourceId: id }, size: LATEST_ENTRIES }),
    owners: ownersQuery(type, tenantId, id),
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
      indirect={loaded.indirect}
      members={loaded.members}
      nested={loaded.nested}
      membersAfter={membersAfter}
      log={loaded.log.entries}
      clients={loaded.owners}
      emergency={loaded.emergency}
    />,
  )
}

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
