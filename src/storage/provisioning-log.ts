/**
 * The provisioning log: what a client asked and what was answered. An accepted write is logged by a
 * statement in its own batch; a refused one, which has no batch, by one of its own.
 */
import { type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import type { AttributeChange } from '../scim/changes.ts'
import { type Database, prepared, type Slots, type SqlValue, type Statement, statement } from './database.ts'
import type { StoredRow } from './resources.ts'
import { type Credentials, isAdmittedToken, NOT_WRITERS, runAs, writeAs, writerToken } from './tokens.ts'

export type LogAction = 'create' | 'update' | 'disable' | 'enable' | 'delete' | 'add member' | 'remove member'

/** One write that a client tried. Values of attributes that are never returned are not in it. */
export interface LogEntry {
  /** UUIDv7: the order of ids is the order of time. */
  readonly id: string
  /** Milliseconds since 1970. */
  readonly time: number
  readonly action: LogAction
  readonly outcome: 'accepted' | 'refused'
  readonly resourceType: 'User' | 'Group'
  readonly resourceId: string | null
  /** userName or displayName: what an administrator looks for. */
  readonly resourceName: string | null
  /** The HTTP status that was answered. */
  readonly status: number
  readonly scimType: string | null
  readonly detail: string | null
  readonly changes: readonly AttributeChange[]
  /** Attributes and schemas that were sent and not understood. */
  readonly ignored: readonly string[]
  readonly requestId: string
}

/** What the database itself adds to an entry: a resource that must be there, and its name. */
export interface LogSource {
  /** `JOIN … ON …`: nothing is logged when it finds no row. */
  readonly join: SQL
  readonly resourceName: SQL
}

type EntryValue = Exclude<keyof LogEntry, 'resourceName'> | 'tenantId'

/** @param values the values themselves, or slots or SQL for them @param source what the rest is made of, and FROM where */
function insertEntry(
  values: Readonly<Record<EntryValue, SqlValue | SQLWrapper>>,
  source: { readonly token: SQL; readonly resourceName: SQLWrapper; readonly from: SQL },
): SQL {
  return sql`INSERT INTO provisioning_log (tenant_id, id, time, token_id, action, outcome, resource_type,
      resource_id, resource_name, status, scim_type, detail, changes, ignored, request_id)
    SELECT ${values.tenantId}, ${values.id}, ${values.time}, ${source.token}, ${values.action}, ${values.outcome},
      ${values.resourceType}, ${values.resourceId}, ${source.resourceName}, ${values.status}, ${values.scimType},
      ${values.detail}, ${values.changes}, ${values.ignored}, ${values.requestId} FROM ${source.from}`
}

const insertNamedEntry = prepared((slots: Slots<EntryValue | 'resourceName' | keyof Credentials>) =>
  insertEntry(slots, {
    token: sql`tokens.id`,
    resourceName: slots.resourceName,
    from: sql`tokens WHERE ${isAdmittedToken(slots)}`,
  }),
)

/** The statement that logs a write. Logs nothing when the token is not valid. */
export function logStatement(credentials: Credentials, entry: LogEntry, source?: LogSource): Statement {
  const values = valuesOf(credentials, entry)
  if (source === undefined) return insertNamedEntry(values)
  const from = sql`tokens ${source.join} WHERE ${isAdmittedToken(values)}`
  return statement(insertEntry(values, { token: sql`tokens.id`, resourceName: source.resourceName, from }))
}

function valuesOf(credentials: Credentials, entry: LogEntry) {
  const changes = loggedChanges(entry.changes)
  return { ...credentials, ...entry, changes, ignored: JSON.stringify(entry.ignored) }
}

type GuardSlot = EntryValue | 'resourceName' | keyof Credentials

/** @param token names the token, or the rule that is broken: see migrations/0006_log_guards.sql */
function insertGuard(slots: Slots<GuardSlot>, token: SQL): SQL {
  const from = sql`(SELECT ${writerToken(slots)} AS writer)`
  return insertEntry(slots, { token, resourceName: slots.resourceName, from })
}

const insertTokenGuard = prepared((slots: Slots<GuardSlot>) => insertGuard(slots, sql`writer`))

const insertRowGuard = prepared((slots: Slots<GuardSlot | 'version' | 'createdAt' | 'data'>) => {
  const isThere = sql`EXISTS (SELECT 1 FROM users
    WHERE tenant_id = ${slots.tenantId} AND id = ${slots.resourceId} AND version = ${slots.version}
      AND created_at = ${slots.createdAt} AND data = ${slots.data})`
  return insertGuard(slots, sql`iif(writer IN ${NOT_WRITERS} OR ${isThere}, writer, 'stale')`)
})

/**
 * Logs a write of a user and guards it: the first statement of its batch, which ends it when the token may not write, or
 * when the user is not the one that is to be changed. The version alone does not tell: after an import, a restore or SQL
 * by hand another content may be at the same number.
 *
 * @param before the row that the change was decided on
 */
export function guardingLogStatement(
  credentials: Credentials,
  entry: LogEntry,
  before?: Pick<StoredRow, 'version' | 'createdAt' | 'json'>,
): Statement {
  const values = valuesOf(credentials, entry)
  if (before === undefined) return insertTokenGuard(values)
  const { version, createdAt, json: data } = before
  return insertRowGuard({ ...values, version, createdAt, data })
}

/** An entry, and whose token wrote. */
export interface WrittenEntry {
  readonly credentials: Credentials
  readonly entry: LogEntry
}

/** As JSON: three bytes each at most, so a statement stays below MAX_ROW_BYTES. */
const MAX_ENTRIES_CHARACTERS = 600_000

/** The guards of the batch have checked the tokens; CROSS JOIN keeps SQLite from looking through all of the tenant. */
const insertEntries = prepared(({ tenantId, entries }: Slots<'tenantId' | 'entries'>) => {
  const value = (name: keyof LogEntry | 'tokenHash') => sql`e.value ->> ${sql.raw(`'$.${name}'`)}`
  const values = {
    tenantId,
    id: value('id'),
    time: value('time'),
    action: value('action'),
    outcome: value('outcome'),
    resourceType: value('resourceType'),
    resourceId: value('resourceId'),
    status: value('status'),
    scimType: value('scimType'),
    detail: value('detail'),
    changes: value('changes'),
    ignored: value('ignored'),
    requestId: value('requestId'),
  }
  return insertEntry(values, {
    token: sql`tokens.id`,
    resourceName: value('resourceName'),
    from: sql`json_each(${entries}) AS e CROSS JOIN tokens ON tokens.hash = ${value('tokenHash')}
      WHERE tokens.tenant_id = ${tenantId}`,
  })
})

/**
 * The statements that log writes which go together: one for as many as it can hold, because a plan of Cloudflare
 * limits the statements in an invocation.
 */
export function logStatements(tenantId: string, log: readonly WrittenEntry[]): readonly Statement[] {
  const [first] = log
  if (log.length === 1 && first !== undefined) return [logStatement(first.credentials, first.entry)]
  const entries = log.map(({ credentials, entry }) => JSON.stringify(valuesOf(credentials, entry)))
  return lotsOf(entries).map((lot) => insertEntries({ tenantId, entries: `[${lot.join(',')}]` }))
}

function lotsOf(entries: readonly string[]): readonly (readonly string[])[] {
  const lots: string[][] = []
  let characters = Number.POSITIVE_INFINITY
  for (const entry of entries) {
    characters += entry.length
    if (characters > MAX_ENTRIES_CHARACTERS) {
      lots.push([])
      characters = entry.length
    }
    lots.at(-1)?.push(entry)
  }
  return lots
}

/** An entry is one row, with an old and a new value of each attribute: far below MAX_ROW_BYTES in all. */
const MAX_CHANGES_CHARACTERS = 400_000
/** Of values that are left out then, those that are longer. */
const MAX_VALUE_CHARACTERS = 1_000

/** The changes as JSON; of very long ones only the short values. */
function loggedChanges(changes: readonly AttributeChange[]): string {
  const json = JSON.stringify(changes)
  if (json.length <= MAX_CHANGES_CHARACTERS) return json
  const shown = (value: unknown) => {
    const length = JSON.stringify(value).length
    return length > MAX_VALUE_CHARACTERS ? `(${length} characters, not logged)` : value
  }
  return JSON.stringify(
    changes.map((change) => ({
      attribute: change.attribute,
      ...('old' in change && { old: shown(change.old) }),
      ...('new' in change && { new: shown(change.new) }),
    })),
  )
}

/** Logs a refused write in a batch of its own. @throws {ScimError} 401: then nothing is logged */
export async function logRefused(db: Database, credentials: Credentials, entry: LogEntry): Promise<void> {
  await runAs(db, credentials, [logStatement(credentials, entry)])
}

/** Logs an accepted write that changed nothing. */
export async function logUnchanged(db: Database, credentials: Credentials, entry: LogEntry): Promise<void> {
  await writeAs(db, credentials, [logStatement(credentials, entry)])
}

/** What a page of the log is made of. All filters must hold. */
export interface LogQuery {
  readonly resourceType?: string | undefined
  readonly resourceId?: string | undefined
  readonly outcome?: string | undefined
  /** Text in the name, the id or the detail. */
  readonly text?: string | undefined
  /** The id of the last entry of the page before. */
  readonly before?: string | undefined
  readonly limit: number
}

/** Entries of a tenant, newest first, with the token that made them. */
export async function listLog(
  db: Database,
  tenantId: string,
  query: LogQuery,
): Promise<readonly (LogEntry & { tokenId: string; tokenName: string | null })[]> {
  const contains = (column: SQL, text: string) => sql`instr(lower(${column}), lower(${text})) > 0`
  const conditions = [
    sql`l.tenant_id = ${tenantId}`,
    query.before === undefined ? undefined : sql`l.id < ${query.before}`,
    query.resourceType === undefined ? undefined : sql`l.resource_type = ${query.resourceType}`,
    query.resourceId === undefined ? undefined : sql`l.resource_id = ${query.resourceId}`,
    query.outcome === undefined ? undefined : sql`l.outcome = ${query.outcome}`,
    query.text === undefined
      ? undefined
      : sql`(${sql.join(
          [sql`l.resource_name`, sql`l.resource_id`, sql`l.detail`].map((column) =>
            contains(column, query.text ?? ''),
          ),
          sql` OR `,
        )})`,
  ].filter((condition) => condition !== undefined)
  const [result] = await db.batch([
    statement(sql`SELECT l.id, l.time, l.action, l.outcome, l.resource_type AS resourceType,
      l.resource_id AS resourceId, l.resource_name AS resourceName, l.status, l.scim_type AS scimType, l.detail,
      l.changes, l.ignored, l.request_id AS requestId, l.token_id AS tokenId, t.name AS tokenName
      FROM provisioning_log AS l LEFT JOIN tokens AS t ON t.id = l.token_id
      WHERE ${sql.join(conditions, sql` AND `)} ORDER BY l.id DESC LIMIT ${query.limit}`),
  ])
  return (result?.rows ?? []).map((row) => ({
    ...(row as unknown as LogEntry & { tokenId: string; tokenName: string | null }),
    changes: JSON.parse(String(row.changes)),
    ignored: JSON.parse(String(row.ignored)),
  }))
}

/**
 * Deletes old entries, at most `limit` at a time so that no batch runs long. CROSS JOIN keeps the order: SQLite would
 * rather read the whole log and look for the tenant of each entry.
 *
 * @param before entries with a smaller id go: a UUIDv7 of the moment up to which to prune
 * @returns how many were deleted
 */
export async function pruneLog(db: Database, before: string, limit: number): Promise<number> {
  const [result] = await db.batch([
    statement(sql`DELETE FROM provisioning_log WHERE rowid IN (
      SELECT l.rowid FROM tenants AS t CROSS JOIN provisioning_log AS l ON l.tenant_id = t.id AND l.id < ${before}
      LIMIT ${limit})`),
  ])
  return result?.changes ?? 0
}
