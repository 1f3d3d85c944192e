/**
 * The extension schemas of a tenant in the database. They are part of its configuration, so the batch of each request
 * verifies that it uses the current ones. A change may require work on stored resources. It is done in chunks: as
 * many as fit into the request of the administrator, the rest by the cron trigger or by the same request once more.
 *
 * - A new index takes in existing resources. Until it is complete, no filter uses it and every write fills it, so no
 *   filter misses a resource.
 * - A purge deletes the values of an extension. By then every write is handled without the schema, so no value comes
 *   back.
 */
import { type SQL, sql } from 'drizzle-orm'
import { MAX_SCAN_MILLISECONDS } from '../../scim/limits.ts'
import type { AttributeIndex } from '../../scim/schema/definition.ts'
import { type ExtensionSchema, SchemaRefused } from '../../scim/schema/extension.ts'
import { type Incompatibility, incompatibilities } from '../../scim/schema/extension-change.ts'
import {
  decodeExtensions,
  encodeExtensions,
  findExtension,
  isSamePath,
  NO_EXTENSIONS,
  type TenantExtension,
  type TenantExtensions,
  withIndexReady,
  withoutExtension,
  withSchema,
  withState,
} from '../../scim/schema/tenant-extensions.ts'
import { countStatements, type Database, type Statement, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { valueSearchTime } from '../lists/scan-times.ts'
import { indexColumn, RESOURCE_TYPES, type StoredResourceType } from '../tables/resource-tables.ts'
import { selection } from '../tables/selection.ts'
import { extensionTasks, tenants } from '../tables/tables.ts'
import type { TenantConfiguration } from '../tenants/context.ts'
import type { TenantState } from '../tenants/tenants.ts'

/** The extensions of a tenant cannot be changed now; the message says why. */
export class ExtensionConflict extends Error {}

/** The configuration of a tenant and its extensions. */
export interface StoredExtensions {
  readonly state: TenantState
  readonly version: number
  readonly configuration: TenantConfiguration
  readonly extensions: TenantExtensions
}

/** The extensions of a tenant; undefined if there is no such tenant. */
export function extensionsQuery(tenantId: string): Query<StoredExtensions | undefined> {
  return {
    statements: [CONFIGURATION.where(sql`id = ${tenantId}`)],
    read: ([result]) => {
      const found = CONFIGURATION.first(result)
      return found && storedExtensions(found)
    },
  }
}

const CONFIGURATION = selection(tenants, ['state', 'version', 'configuration'])

function storedExtensions({
  state,
  version,
  configuration: text,
}: Pick<typeof tenants.$inferSelect, 'state' | 'version' | 'configuration'>): StoredExtensions {
  const configuration: TenantConfiguration = JSON.parse(text ?? '{}')
  const { schemas } = configuration
  return {
    state,
    version,
    configuration,
    extensions: schemas === undefined ? NO_EXTENSIONS : decodeExtensions(schemas),
  }
}

async function load(db: Database, tenantId: string): Promise<StoredExtensions | undefined> {
  const { statements, read } = extensionsQuery(tenantId)
  return read(await db.batch(statements))
}

/** Attempts of one change: another request may change the configuration of the tenant at the same time. */
const MAX_TRIES = 5
/** Statements for tasks in one request. With the statements before and after them, they stay below MAX_QUERIES_FREE. */
const MAX_TASK_STATEMENTS = 36

/**
 * Adds schemas, or replaces those with the same URN: all of them or none.
 *
 * @returns undefined when there is no such tenant
 * @throws {SchemaRefused} when the tenant would exceed a limit, or stored values would change their meaning
 * @throws {ExtensionConflict}
 */
export async function putSchemas(
  db: Database,
  tenantId: string,
  schemas: readonly ExtensionSchema[],
): Promise<TenantExtensions | undefined> {
  return await change(db, tenantId, (all) => {
    const after = schemas.reduce((some, schema) => {
      const present = findExtension(some, schema.id)
      if (present?.state === 'purging') throw beingPurged(schema.id)
      return withSchema(some, schema)
    }, all)
    return { after, conditions: conditionsOf(all, schemas) }
  })
}

/** The attributes that no resource may have a value of, if the schemas are to be stored. */
function conditionsOf(all: TenantExtensions, schemas: readonly ExtensionSchema[]): readonly Condition[] {
  return schemas.flatMap((schema) => {
    const present = findExtension(all, schema.id)
    if (present === undefined) return []
    const { resourceType } = present.schema
    return incompatibilities(present.schema, schema).map((found) => ({ ...found, resourceType }))
  })
}

/**
 * Removes a schema, so that clients no longer see it. Its values are kept or purged.
 *
 * @returns the extensions; undefined when there is no such tenant
 */
export async function removeSchema(
  db: Database,
  tenantId: string,
  id: string,
  isPurged: boolean,
): Promise<TenantExtensions | undefined> {
  return await change(db, tenantId, (all) => {
    const present = findExtension(all, id)
    if (present === undefined || present.state === 'purging') return { after: all, conditions: [] }
    return { after: withState(all, present.schema.id, isPurged ? 'purging' : 'removed'), conditions: [] }
  })
}

/** Adds the schemas of an export, each in its exported state. @returns undefined when there is no such tenant */
export async function restoreSchemas(
  db: Database,
  tenantId: string,
  exported: readonly TenantExtension[],
): Promise<TenantExtensions | undefined> {
  return await change(db, tenantId, (all) => ({
    after: exported.reduce(
      (some, { schema, state }) => withState(withSchema(some, schema), schema.id, state),
      all,
    ),
    conditions: conditionsOf(
      all,
      exported.map(({ schema }) => schema),
    ),
  }))
}

function beingPurged(id: string): ExtensionConflict {
  return new ExtensionConflict(
    `what is stored of "${id}" is being deleted; put the schema again when that is done`,
  )
}

/** A condition of a change: no stored resource has a value at the path. */
interface Condition extends Incompatibility {
  readonly resourceType: string
}

interface Change {
  readonly after: TenantExtensions
  readonly conditions: readonly Condition[]
}

async function change(
  db: Database,
  tenantId: string,
  decide: (all: TenantExtensions) => Change,
): Promise<TenantExtensions | undefined> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const before = await load(db, tenantId)
    if (before === undefined) return undefined
    if (before.state !== 'ready')
      throw new ExtensionConflict(`tenant "${tenantId}" is not ready: it is ${before.state}`)
    const { after, conditions } = decide(before.extensions)
    if (conditions.length > 0) await requireSearchable(db, tenantId, before.extensions, conditions)
    if (await store(db, tenantId, before, after, conditions)) {
      await continueTasks(db, tenantId, MAX_TASK_STATEMENTS)
      return (await load(db, tenantId))?.extensions
    }
  }
  throw new ExtensionConflict(`the configuration of tenant "${tenantId}" is being changed; try again`)
}

/**
 * Stores the extensions with the tasks that they require, in one transaction.
 *
 * @returns false when the configuration was changed meanwhile
 * @throws {SchemaRefused} when a condition is not met; nothing is changed then
 */
async function store(
  db: Database,
  tenantId: string,
  { version, configuration, extensions: before }: StoredExtensions,
  after: TenantExtensions,
  conditions: readonly Condition[],
): Promise<boolean> {
  const searches = [...Map.groupBy(conditions, ({ path }) => path[0]).values()]
  const isMet = searches.reduce(
    (all, some) => sql`${all} AND NOT EXISTS (${valuesAt(tenantId, some)})`,
    sql`1`,
  )
  // Searched only if the first statement changed nothing, so that nothing is scanned twice.
  const found = searches.map(
    (some, i) => sql`CASE WHEN changes() = 0 THEN (${valuesAt(tenantId, some)}) END AS ${sql.raw(`c${i}`)}`,
  )
  const text = configurationText(configuration, after)
  const isStored = sql`EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId} AND configuration IS ${text})`
  const [updated, checked] = await db.batch([
    statement(sql`UPDATE tenants SET configuration = ${text}
      WHERE id = ${tenantId} AND version = ${version} AND state = 'ready' AND ${isMet}`),
    statement(sql`SELECT ${sql.join([sql`0 AS none`, ...found], sql`, `)}`),
    ...taskStatements(tenantId, before, after, isStored),
  ])
  for (const [i, some] of searches.entries()) {
    const index = checked?.rows[0]?.[`c${i}`] ?? null
    const failed = index === null ? undefined : some[Number(index)]
    if (failed === undefined) continue
    throw new SchemaRefused(
      failed.field,
      `changes ${failed.what}, but resources have values for it: purge the schema first, or use another URN`,
    )
  }
  // More than one change when triggers copy the version to other rows.
  return (updated?.changes ?? 0) > 0
}

/** The stored form of a configuration: null for the default one. */
function configurationText(
  { schemas: _, ...others }: TenantConfiguration,
  after: TenantExtensions,
): string | null {
  const configuration = {
    ...others,
    ...(after.extensions.length > 0 && { schemas: encodeExtensions(after) }),
  }
  return Object.keys(configuration).length === 0 ? null : JSON.stringify(configuration)
}

/**
 * Refuses a change that requires a scan of more resources than one statement may read.
 *
 * @throws {ExtensionConflict}
 */
async function requireSearchable(
  db: Database,
  tenantId: string,
  all: TenantExtensions,
  conditions: readonly Condition[],
): Promise<void> {
  const [found] = await db.batch([statement(sql`SELECT * FROM tenants WHERE id = ${tenantId}`)])
  const tenant = found?.rows[0]
  const searched = new Map(conditions.map((condition) => [condition.path[0], condition]))
  let nanoseconds = 0
  for (const { path, resourceType } of searched.values()) {
    const { count, blocks } = typeNamed(resourceType).table.counters
    const { row, block } = valueSearchTime(findExtension(all, path[0])?.schema.attributes.length ?? 0)
    nanoseconds += row * Number(tenant?.[count]) + block * Number(tenant?.[blocks])
  }
  if (nanoseconds <= MAX_SCAN_MILLISECONDS * 1e6) return
  const [first] = conditions
  throw new ExtensionConflict(
    `"${first?.field}" changes ${first?.what}, and the tenant has too many resources to look for values of it in one request: delete the schema with its values first (purge=true), or give the attribute another name`,
  )
}

/**
 * Finds a resource with a value at one of the paths, according to its comparison document: one row with the index of the
 * condition. Each resource is read once, however many conditions there are.
 *
 * @param conditions on one schema; at least one
 */
function valuesAt(tenantId: string, conditions: readonly Condition[]): SQL {
  const [
    {
      resourceType,
      path: [urn],
    } = { resourceType: '', path: [''] },
  ] = conditions
  const from = sql`FROM ${tableFor(resourceType)} AS resource`
  if (conditions.some(({ path }) => path.length === 1)) {
    return sql`SELECT 0 ${from}
      WHERE resource.tenant_id = ${tenantId} AND json_type(resource.keys, ${jsonPath([urn])}) IS NOT NULL LIMIT 1`
  }
  const names = JSON.stringify(conditions.map(({ path }) => path[1]))
  const wanted = JSON.stringify(conditions.map(({ path: [, name, sub = null] }) => [name, sub]))
  // The elements of a list, and the members of an object, are at the same distance from their sub-attributes.
  return sql`SELECT wanted.key ${from}
    CROSS JOIN json_each(json_extract(resource.keys, ${jsonPath([urn])})) AS attribute
    CROSS JOIN json_each(${wanted}) AS wanted
    WHERE resource.tenant_id = ${tenantId} AND attribute.key IN (SELECT value FROM json_each(${names}))
      AND attribute.key = wanted.value ->> 0 AND (wanted.value ->> 1 IS NULL OR EXISTS (
        SELECT 1 FROM json_tree(attribute.value) AS part WHERE part.key = wanted.value ->> 1)) LIMIT 1`
}

function tableFor(resourceType: string): SQL {
  return sql.raw(typeNamed(resourceType).table.name)
}

function typeNamed(resourceType: string): StoredResourceType {
  const type = RESOURCE_TYPES.find(({ name }) => name === resourceType)
  if (type === undefined) throw new Error(`there is no resource type "${resourceType}"`)
  return type
}

/** The path is made of names in schemas, which hold no quotes. */
function jsonPath(path: readonly string[]): string {
  return `$${path.map((name) => `."${name}"`).join('')}`
}

/** Work on the stored resources of one type. */
interface Task {
  readonly kind: (typeof extensionTasks.$inferSelect)['kind']
  readonly resourceType: string
  readonly path: readonly string[]
  /** The column of an index; null for a purge. */
  readonly slot: number | null
}

function tasksOf({ extensions, indexes }: TenantExtensions): readonly Task[] {
  return extensions.flatMap(({ schema: { id, resourceType }, state }): readonly Task[] => {
    if (state === 'purging') return [{ kind: 'purge', resourceType, path: [id], slot: null }]
    return indexes
      .filter(({ path, isReady }) => path[0] === id && !isReady)
      .map(({ path, slot }) => ({ kind: 'index', resourceType, path, slot }))
  })
}

/**
 * Tasks that are still needed continue at their position; an index in another column begins again. Another request may
 * have made the same change, with its tasks, a moment before.
 */
function taskStatements(
  tenantId: string,
  before: TenantExtensions,
  after: TenantExtensions,
  condition: SQL,
): readonly Statement[] {
  const [old, wanted] = [tasksOf(before), tasksOf(after)].map((tasks) =>
    tasks.map((task) => JSON.stringify(task)),
  )
  const parsed = (tasks: readonly string[] = []) => tasks.map((task): Task => JSON.parse(task))
  return [
    ...parsed(old?.filter((task) => !wanted?.includes(task))).map(({ kind, path }) =>
      statement(sql`DELETE FROM extension_tasks
        WHERE tenant_id = ${tenantId} AND kind = ${kind} AND path = ${JSON.stringify(path)} AND ${condition}`),
    ),
    ...parsed(wanted?.filter((task) => !old?.includes(task))).map(({ kind, resourceType, path, slot }) =>
      statement(sql`INSERT INTO extension_tasks (tenant_id, resource_type, kind, path, slot)
        SELECT ${tenantId}, ${resourceType}, ${kind}, ${JSON.stringify(path)}, ${slot} WHERE ${condition}
        ON CONFLICT DO NOTHING`),
    ),
  ]
}

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
 * @param tenantId undefined for all tenants
 * @param maxStatements the limit for all tasks together; the rest is left to the next call
 * @returns the ids of the tenants with a finished task
 */
export async function continueTasks(
  db: Database,
  tenantId: string | undefined,
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
    if (await finishTask(counted, owner, { ...task, path: JSON.parse(path) }, hasRoom)) done.push(owner)
  }
  return [...new Set(done)]
}

/** @returns whether the task has ended: completed, or withdrawn meanwhile */
async function finishTask(
  db: Database,
  tenantId: string,
  task: Task,
  hasRoom: () => boolean,
): Promise<boolean> {
  while (hasRoom()) {
    const [, moved] = await db.batch(chunkStatements(tenantId, task))
    const [row] = moved?.rows ?? []
    if (row === undefined) return true
    if (row.hasMore === 0) return await complete(db, tenantId, task)
  }
  return false
}

/**
 * Processes the next resources in the order of their ids. A concurrent write already uses the configuration of the
 * task. The last statement tells whether there are more.
 */
function chunkStatements(tenantId: string, task: Task): readonly Statement[] {
  const table = tableFor(task.resourceType)
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

function purged({ path }: Task): SQL {
  const [urn = ''] = path
  const without = (document: SQL, name: string) => sql`json_remove(json_set(${document}, '$.schemas',
    json((SELECT json_group_array(value) FROM json_each(${document}, '$.schemas') WHERE value <> ${name}))), ${jsonPath(path)})`
  return sql`data = ${without(sql`data`, urn)}, keys = ${without(sql`keys`, urn.toLowerCase())}`
}

/** Changes the configuration after the last chunk of a task. @returns false when other requests keep changing it */
async function complete(db: Database, tenantId: string, task: Task): Promise<boolean> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const before = await load(db, tenantId)
    if (before === undefined) return true
    if (await store(db, tenantId, before, completed(before.extensions, task), [])) return true
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
