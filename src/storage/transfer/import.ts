/**
 * Writes the records of an export into a tenant, a batch at a time. From the first batch to the last the tenant is
 * "importing" and refuses its clients. Each batch also stores the progress of the import and a digest of the imported
 * lines. An interruption therefore leaves the tenant unchanged, or with an import that can be continued or undone.
 */
import { type SQL, sql } from 'drizzle-orm'
import { ScimError } from '../../scim/error.ts'
import { TENANT_IMPORTED } from '../../scim/events.ts'
import { MIN_TOKEN_LIFETIME_SECONDS } from '../../scim/limits.ts'
import {
  type Database,
  GuardError,
  MAX_ROW_BYTES,
  type Statement,
  statement,
  UniqueError,
} from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { tenantEventStatement } from '../events/outbox.ts'
import { preparedByTable } from '../tables/prepared-by-table.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { type Documents, encodeResource, STALE_GUARD } from '../tables/stored-resources.ts'
import {
  type ClientRecord,
  type DirectoryRecord,
  isClient,
  isMembership,
  isResource,
  type MembershipRecord,
  type ResourceRecord,
  recordKind,
  recordKinds,
} from './export.ts'
import { pause } from './pause.ts'

/** The imported part of a file. */
export interface ImportProgress {
  readonly lines: number
  /** The state of a RunningSha256 over the imported lines. */
  readonly digest: string
}

/** The contents of a tenant during an import. */
export interface ImportStatus {
  /** Undefined when no import is in progress. */
  readonly progress: ImportProgress | undefined
  /** By the kind of record. */
  readonly counts: Readonly<Record<string, number>>
}

/** How far the import into a tenant is. */
export function importStatusQuery(
  types: readonly StoredResourceType[],
  tenantId: string,
): Query<ImportStatus> {
  const counts = types.map((type) => sql.raw(`${type.table.counters.count} AS "${recordKind(type)}"`))
  const select = statement(sql`SELECT ${sql.join(counts, sql`, `)}, membership_count AS membership,
      imported_lines AS lines, import_digest AS digest
      FROM tenants WHERE id = ${tenantId} AND state = 'importing'`)
  const kinds = recordKinds(types)
  return {
    statements: [select],
    read: ([found]) => {
      const row = found?.rows[0]
      return {
        progress: row && { lines: Number(row.lines), digest: String(row.digest) },
        counts: Object.fromEntries(kinds.map((kind) => [kind, Number(row?.[kind] ?? 0)])),
      }
    },
  }
}

export interface ImportBatch {
  /** Undefined for the first batch: then the tenant must be empty. */
  readonly before: ImportProgress | undefined
  /** Undefined for the last batch: then the tenant is ready. */
  readonly after: ImportProgress | undefined
  readonly records: readonly DirectoryRecord[]
  /** A job's part in the transaction. */
  readonly job?: ImportJobBatch | undefined
}

export interface ImportJobBatch {
  /** Nothing is written unless it holds. */
  readonly condition: SQL
  /** Statements for the end of the last batch. */
  readonly onLast: readonly Statement[]
}

/**
 * Writes a batch as one transaction.
 *
 * @returns the number of statements
 * @throws {GuardError} "stale version" when the tenant is not at `before`: another import, a client, an undo or a
 *   deletion was first; or a rule of the database
 * @throws {UniqueError} an id, a userName or a displayName exists already
 * @throws {ScimError} a resource is larger than a row may be
 */
export async function writeImportBatch(
  db: Database,
  types: readonly StoredResourceType[],
  tenantId: string,
  batch: ImportBatch,
): Promise<number> {
  const first = advance(types, tenantId, batch)
  const statements = [
    // Before the guard, which needs the number of changed rows.
    batch.before === undefined ? { ...first, act: { when: sql`true` } } : first,
    STALE_GUARD,
    ...(await insertRecords(types, tenantId, batch.records)),
    ...(batch.after === undefined ? [tenantEventStatement(tenantId, TENANT_IMPORTED)] : []),
    ...(batch.after === undefined ? (batch.job?.onLast ?? []) : []),
  ]
  await db.batch(statements)
  return statements.length
}

function advance(
  types: readonly StoredResourceType[],
  tenantId: string,
  { before, after, job }: ImportBatch,
): Statement {
  const isEmpty = types.map(({ table }) => sql.raw(`${table.counters.count} = 0`))
  const isBefore = before
    ? sql`state = 'importing' AND imported_lines = ${before.lines} AND import_digest = ${before.digest}`
    : sql`state = 'ready' AND ${sql.join(isEmpty, sql` AND `)}`
  return statement(sql`UPDATE tenants SET state = ${after ? 'importing' : 'ready'},
    imported_lines = ${after?.lines ?? null}, import_digest = ${after?.digest ?? null}
    WHERE id = ${tenantId} AND ${isBefore} AND ${job?.condition ?? sql`1`}`)
}

/**
 * The index of the first record that the database refuses, among records that it refused together. Writes nothing:
 * each attempt ends in a guard.
 */
export async function firstRefused(
  db: Database,
  types: readonly StoredResourceType[],
  tenantId: string,
  records: readonly DirectoryRecord[],
): Promise<number> {
  let taken = 0
  let refused = records.length
  while (refused - taken > 1) {
    const middle = Math.ceil((taken + refused) / 2)
    if (await wouldTake(db, types, tenantId, records.slice(0, middle))) taken = middle
    else refused = middle
  }
  return refused - 1
}

const TAKE_BACK = statement(sql`INSERT INTO guards (rule) VALUES ('stale')`)

async function wouldTake(
  db: Database,
  types: readonly StoredResourceType[],
  tenantId: string,
  records: readonly DirectoryRecord[],
): Promise<boolean> {
  try {
    await db.batch([...(await insertRecords(types, tenantId, records)), TAKE_BACK])
  } catch (error) {
    if (error instanceof UniqueError || error instanceof ScimError) return false
    if (error instanceof GuardError) return error.rule === 'stale version'
    throw error
  }
  return true
}

async function insertRecords(
  types: readonly StoredResourceType[],
  tenantId: string,
  records: readonly DirectoryRecord[],
): Promise<readonly Statement[]> {
  const of = (type: StoredResourceType) =>
    records.filter(isResource).filter(({ kind }) => kind === recordKind(type))
  const statements = [...insertClients(tenantId, records.filter(isClient))]
  for (const type of types) statements.push(...(await insertResources(tenantId, type, of(type))))
  return [...statements, ...insertMemberships(tenantId, records.filter(isMembership))]
}

/** Inserts clients as clients of this tenant, whatever their original tenant was. An existing client stays as it is. */
function insertClients(tenantId: string, clients: readonly ClientRecord[]): readonly Statement[] {
  const rows = clients.map(
    ({ clientId, name, scope, createdAt, tokenLifetime = MIN_TOKEN_LIFETIME_SECONDS }) => {
      return JSON.stringify([importedId(tenantId, clientId), name, scope, createdAt, tokenLifetime])
    },
  )
  return listsOf(rows).map((list) =>
    statement(sql`INSERT INTO clients (id, tenant_id, name, scope, created_at, token_lifetime)
      SELECT value ->> 0, ${tenantId}, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(${list}) WHERE true
      ON CONFLICT (id) DO NOTHING`),
  )
}

/**
 * The id of a resource that a resource of another type has already. The tables of two types do not exclude each other's ids.
 *
 * @returns undefined if there is none
 */
export async function findSharedId(
  db: Database,
  types: readonly StoredResourceType[],
  tenantId: string,
  resources: readonly ResourceRecord[],
): Promise<string | undefined> {
  const ids = JSON.stringify(resources.map(({ kind, id }) => [kind, id]))
  const isShared = types.map(
    (
      type,
    ) => sql`(value ->> 0 <> ${recordKind(type)} AND EXISTS (SELECT 1 FROM ${sql.raw(type.table.name)} AS other
      WHERE other.tenant_id = ${tenantId} AND other.id = value ->> 1))`,
  )
  const [found] = await db.batch([
    statement(
      sql`SELECT value ->> 1 AS id FROM json_each(${ids}) WHERE ${sql.join(isShared, sql` OR `)} LIMIT 1`,
    ),
  ])
  const row = found?.rows[0]
  return row && String(row.id)
}

/** The number of clients that a tenant has when those of some records are inserted. */
export async function countClientsWith(
  db: Database,
  tenantId: string,
  records: readonly DirectoryRecord[],
): Promise<number> {
  const ids = JSON.stringify(records.filter(isClient).map(({ clientId }) => importedId(tenantId, clientId)))
  const [found] = await db.batch([
    statement(sql`SELECT count(*) AS n FROM (SELECT id FROM clients WHERE tenant_id = ${tenantId} AND deleted_at IS NULL
      UNION SELECT value FROM json_each(${ids}))`),
  ])
  return Number(found?.rows[0]?.n)
}

/** The id in this tenant. */
function importedId(tenantId: string, clientId: string): string {
  return `${tenantId}${clientId.slice(clientId.indexOf('_'))}`
}

/** Rows travel together as JSON, which at most doubles their length. A longer row travels alone. */
const MAX_DOCUMENT_CHARACTERS = 100_000
/** The limit of the JSON of rows that travel together: a UTF-16 unit takes at most three bytes. */
const MAX_LIST_CHARACTERS = MAX_ROW_BYTES / 3

type ResourceRow = Omit<ResourceRecord, 'kind' | 'resource'> & Documents

/** Resources that are encoded at once, about 25 µs each. */
const PART_RESOURCES = 100

async function insertResources(
  tenantId: string,
  type: StoredResourceType,
  resources: readonly ResourceRecord[],
): Promise<readonly Statement[]> {
  const long: ResourceRow[] = []
  const short: string[] = []
  for (const [i, { kind: _, resource, ...record }] of resources.entries()) {
    if (i > 0 && i % PART_RESOURCES === 0) await pause()
    const row = { ...record, ...encodeResource(resource, type, { before: resource }) }
    if (row.data.length + row.keys.length > MAX_DOCUMENT_CHARACTERS) long.push(row)
    else short.push(JSON.stringify(row))
  }
  return [
    ...long.map((row) => insertLong(type.table, { tenantId, ...row })),
    ...listsOf(short).map((rowsAsJson) => insertList(type.table, { tenantId, rows: rowsAsJson })),
  ]
}

const COLUMNS = sql`(tenant_id, id, data, keys, version, created_at, last_modified)`

const insertLong = preparedByTable<'tenantId' | keyof ResourceRow>(
  ({ name }, { tenantId, id, data, keys, version, createdAt, lastModified }) =>
    sql`INSERT INTO ${sql.raw(name)} ${COLUMNS}
      VALUES (${tenantId}, ${id}, ${data}, ${keys}, ${version}, ${createdAt}, ${lastModified})`,
)

const insertList = preparedByTable<'tenantId' | 'rows'>((table, { tenantId, rows }) => {
  const value = (name: keyof ResourceRow) => sql`value ->> ${sql.raw(`'$.${name}'`)}`
  return sql`INSERT INTO ${sql.raw(table.name)} ${COLUMNS}
    SELECT ${tenantId}, ${value('id')}, ${value('data')}, ${value('keys')}, ${value('version')}, ${value('createdAt')},
      ${value('lastModified')} FROM json_each(${rows})`
})

/** @param rows as JSON @returns JSON arrays, each of which fits into a parameter */
function listsOf(rows: readonly string[]): readonly string[] {
  const lists: string[][] = []
  let characters = Number.POSITIVE_INFINITY
  for (const row of rows) {
    characters += row.length + 1
    if (characters > MAX_LIST_CHARACTERS) {
      lists.push([])
      characters = row.length + 1
    }
    lists.at(-1)?.push(row)
  }
  return lists.map((list) => `[${list.join(',')}]`)
}

function insertMemberships(tenantId: string, memberships: readonly MembershipRecord[]): readonly Statement[] {
  const rows = memberships.map(({ groupId, memberId, memberType }) =>
    JSON.stringify([groupId, memberId, memberType]),
  )
  return listsOf(rows).flatMap((list) => [
    statement(sql`INSERT INTO memberships (tenant_id, group_id, member_id, member_type)
      SELECT ${tenantId}, value ->> 0, value ->> 1, value ->> 2 FROM json_each(${list})`),
    statement(sql`UPDATE groups SET member_count = member_count + added.n
      FROM (SELECT value ->> 0 AS id, count(*) AS n FROM json_each(${list}) GROUP BY 1) AS added
      WHERE groups.tenant_id = ${tenantId} AND groups.id = added.id`),
  ])
}
