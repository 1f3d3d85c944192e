/**
 * Runs the tasks of extension schemas (tasks.ts) in chunks: as many as fit into the request of the administrator, the rest
 * by the cron trigger or by the same request once more.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { AttributeIndex } from '../../scim/schema/definition.ts'
import {
  isSamePath,
  type TenantExtensions,
  withIndexReady,
  withoutExtension,
} from '../../scim/schema/tenant-extensions.ts'
import { countStatements, type Statement, statement } from '../database/database.ts'
import { indexColumn } from '../tables/resource-tables.ts'
import { selection } from '../tables/selection.ts'
import { extensionTasks } from '../tables/tables.ts'
import type { ExtendedTenant } from './extended-tenant.ts'
import { loadExtensions, MAX_TRIES, storeExtensions } from './stored-extensions.ts'
import type { Task } from './tasks.ts'
import { jsonPath, tableFor } from './value-search.ts'

/**
 * The most resources that one batch changes, and the most bytes of their documents; the next resource then waits for the
 * next batch. At about 100 µs for each resource, no request waits much longer than 60 ms on Node.js.
 */
const CHUNK = 600
const CHUNK_BYTES = 1024 * 1024

/** The statements of a chunk, and the most statements of the change after the last chunk. */
const CHUNK_STATEMENTS = 2
const END_STATEMENTS = 8

const TASK = selection(extensionTasks, ['tenantId', 'resourceType', 'kind', 'path', 'slot'], {
  alias: 'task',
})

/**
 * Continues the tasks of earlier changes of extension schemas.
 *
 * @param tenantId undefined for all tenants of the database
 * @param maxStatements the limit for all tasks together; the rest is left to the next call
 * @returns the ids of the tenants with a finished task
 */
export async function continueTasks(
  { db, types, tenantId }: Omit<ExtendedTenant, 'tenantId'> & { readonly tenantId: string | undefined },
  maxStatements: number,
): Promise<readonly string[]> {
  const counted = countStatements(db)
  const hasRoom = () => counted.statements + CHUNK_STATEMENTS + END_STATEMENTS <= maxStatements
  const isOfTenant = tenantId === undefined ? sql`1` : sql`task.tenant_id = ${tenantId}`
  const done: string[] = []
  // A task that cannot be completed now does not delay other tenants.
  let after: readonly string[] = ['', '', '']
  while (hasRoom()) {
    const [next] = await counted.batch([
      statement(sql`SELECT ${TASK.columns}
        FROM extension_tasks AS task JOIN tenants ON tenants.id = task.tenant_id AND tenants.state = 'ready'
        WHERE ${isOfTenant} AND (task.tenant_id, kind, path) > (${sql.join(
          after.map((key) => sql`${key}`),
          sql`, `,
        )})
        ORDER BY task.tenant_id, kind, path LIMIT 1`),
    ])
    const found = TASK.first(next)
    if (found === undefined) break
    const { tenantId: owner, path, ...task } = found
    after = [owner, task.kind, path]
    if (
      await finishTask({ db: counted, types, tenantId: owner }, { ...task, path: JSON.parse(path) }, hasRoom)
    )
      done.push(owner)
  }
  return [...new Set(done)]
}

/** @returns whether the task has ended: completed, or withdrawn meanwhile */
async function finishTask(tenant: ExtendedTenant, task: Task, hasRoom: () => boolean): Promise<boolean> {
  while (hasRoom()) {
    const [, moved] = await tenant.db.batch(chunkStatements(tenant, task))
    const [row] = moved?.rows ?? []
    if (row === undefined) return true
    if (row.hasMore !== 0) continue
    if (task.kind === 'purge' && !(await purgeTombstones(tenant, task, hasRoom))) return false
    return await complete(tenant, task)
  }
  return false
}

/**
 * Processes the next resources in the order of their ids. A concurrent write already uses the configuration of the
 * task. The last statement tells whether there are more.
 */
function chunkStatements({ types, tenantId }: ExtendedTenant, task: Task): readonly Statement[] {
  const table = tableFor(types, task.resourceType)
  const isTask = sql`tenant_id = ${tenantId} AND kind = ${task.kind} AND path = ${JSON.stringify(task.path)} AND slot IS ${task.slot}`
  const ids = sql`SELECT id FROM (SELECT id, sum(bytes) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - bytes AS before
    FROM (SELECT id, octet_length(data) + octet_length(keys) AS bytes FROM ${table} WHERE tenant_id = ${tenantId}
      AND id > (SELECT position FROM extension_tasks WHERE ${isTask}) ORDER BY id LIMIT ${CHUNK}))
    WHERE before < ${CHUNK_BYTES}`
  return [
    statement(sql`UPDATE ${table} SET ${task.kind === 'index' ? indexed(task) : purged(task)}
      WHERE tenant_id = ${tenantId} AND id IN (${ids}) AND ${task.kind === 'index' ? isNotIndexed(task) : isStored(task)}`),
    statement(sql`UPDATE extension_tasks SET position = coalesce((SELECT max(id) FROM (${ids})), position) WHERE ${isTask}
      RETURNING EXISTS (SELECT 1 FROM ${table} AS rest
        WHERE rest.tenant_id = ${tenantId} AND rest.id > extension_tasks.position) AS hasMore`),
  ]
}

/** Tombstones that one batch changes. */
const TOMBSTONES = 100

/** Purges deleted resources: a restore must not bring the values back. @returns whether all are done */
async function purgeTombstones(
  { db, tenantId }: ExtendedTenant,
  task: Task,
  hasRoom: () => boolean,
): Promise<boolean> {
  for (let after = ''; hasRoom(); ) {
    const [changed] = await db.batch([
      statement(sql`UPDATE tombstones SET data = ${withoutExtensionIn(sql`data`, task)}
        WHERE tenant_id = ${tenantId} AND id IN (
          SELECT id FROM tombstones WHERE tenant_id = ${tenantId} AND id > ${after} AND resource_type = ${task.resourceType}
            AND ${isStored(task)} ORDER BY id LIMIT ${TOMBSTONES})
        RETURNING id`),
    ])
    const ids = (changed?.rows ?? []).map(({ id }) => String(id)).sort()
    if (ids.length < TOMBSTONES) return true
    after = ids.at(-1) ?? ''
  }
  return false
}

/** The key of the attribute in the comparison document. */
function keyAt({ path }: Task): SQL {
  return sql`json_extract(keys, ${jsonPath(path)})`
}

function column({ slot }: Task): string {
  return indexColumn(Number(slot))
}

/** The column may still hold keys of the attribute that used it before. */
function isNotIndexed(task: Task): SQL {
  return sql`${sql.raw(column(task))} IS NOT ${keyAt(task)}`
}

function indexed(task: Task): SQL {
  const path = `$.${column(task)}`
  return sql`keys = iif(${keyAt(task)} IS NULL, json_remove(keys, ${path}), json_set(keys, ${path}, ${keyAt(task)}))`
}

function isStored({ path }: Task): SQL {
  return sql`json_type(data, ${jsonPath(path)}) IS NOT NULL`
}

function purged(task: Task): SQL {
  const [urn = ''] = task.path
  return sql`data = ${withoutExtensionIn(sql`data`, task)}, keys = ${withoutExtensionIn(sql`keys`, task, urn.toLowerCase())}`
}

/** @param name of the extension in the list "schemas" */
function withoutExtensionIn(document: SQL, { path }: Task, name = path[0] ?? ''): SQL {
  return sql`json_remove(json_set(${document}, '$.schemas',
    json((SELECT json_group_array(value) FROM json_each(${document}, '$.schemas') WHERE value <> ${name}))), ${jsonPath(path)})`
}

/** Changes the configuration after the last chunk of a task. @returns false when other requests keep changing it */
async function complete(tenant: ExtendedTenant, task: Task): Promise<boolean> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const before = await loadExtensions(tenant.db, tenant.tenantId)
    if (before === undefined) return true
    if (await storeExtensions(tenant, before, completed(before.extensions, task), [])) return true
  }
  return false
}

function completed(all: TenantExtensions, { kind, path, slot }: Task): TenantExtensions {
  const [urn = '', name = ''] = path
  if (kind === 'purge') return withoutExtension(all, urn)
  const index: AttributeIndex = { path: [urn, name], slot: slot ?? 0, isReady: true }
  const isWanted = all.indexes.some((one) => one.slot === slot && isSamePath(one.path, index.path))
  return isWanted ? withIndexReady(all, index) : all
}
