/**
 * The provisioning log: what a client asked and what was answered. An accepted write is logged by a
 * statement in its own batch; a refused one, which has no batch, by one of its own.
 */
import { type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { MAX_LOGGED_NAME_CHARACTERS, MAX_REFUSED_ENTRIES_PER_MINUTE } from '../scim/limits.ts'
import { type Database, prepared, type Slots, type SqlValue, type Statement, statement } from './database.ts'
import type { LogEntry } from './log-entry.ts'
import { preparedByTable } from './prepared-by-table.ts'
import type { ResourceTable } from './resource-tables.ts'
import type { StoredRow } from './resources.ts'
import { shortenedEntry } from './shortened-entry.ts'
import { type Credentials, IS_NOT_WRITER, isAdmittedToken, runAsWriter, writeAs, writer } from './tokens.ts'

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
  source: {
    readonly token: SQL
    readonly client: SQL
    readonly resourceName: SQLWrapper
    readonly from: SQL
    readonly foldKey?: SQL
  },
): SQL {
  return sql`INSERT INTO provisioning_log (tenant_id, id, time, token_id, client_id, action, outcome, resource_type,
      resource_id, resource_name, status, scim_type, detail, changes, ignored, request_id, fold_key)
    SELECT ${values.tenantId}, ${values.id}, ${values.time}, ${source.token}, ${source.client}, ${values.action}, ${values.outcome},
      ${values.resourceType}, ${values.resourceId}, ${source.resourceName}, ${values.status}, ${values.scimType},
      ${values.detail}, ${values.changes}, ${values.ignored}, ${values.requestId}, ${source.foldKey ?? sql`NULL`}
    FROM ${source.from}`
}

/** Who wrote, of a statement that selects from `tokens`. */
const TOKEN = { token: sql`tokens.id`, client: sql`tokens.client_id` }

const insertNamedEntry = prepared((slots: Slots<EntryValue | 'resourceName' | keyof Credentials>) =>
  insertEntry(slots, {
    ...TOKEN,
    resourceName: slots.resourceName,
    from: sql`tokens WHERE ${isAdmittedToken(slots)}`,
  }),
)

/** The statement that logs a write. Logs nothing when the token is not valid. */
export function logStatement(credentials: Credentials, entry: LogEntry, source?: LogSource): Statement {
  const values = valuesOf(credentials, entry)
  if (source === undefined) return insertNamedEntry(values)
  const from = sql`tokens ${source.join} WHERE ${isAdmittedToken(values)}`
  const resourceName = sql`substr(${source.resourceName}, 1, ${MAX_LOGGED_NAME_CHARACTERS})`
  return statement(insertEntry(values, { ...TOKEN, resourceName, from }))
}

function valuesOf(credentials: Credentials, entry: LogEntry) {
  const short = shortenedEntry(entry)
  const [changes, ignored] = [JSON.stringify(short.changes), JSON.stringify(short.ignored)]
  return { ...credentials, ...short, changes, ignored }
}

const MINUTE_MS = 60_000

/**
 * Logs a refused write. The first ones of a client in a minute have an entry each, numbered by their key; those beyond,
 * and all of a client that may only read, find the entry of their kind by its key and count in it. The database decides,
 * so that any number of isolates counts as one.
 */
const insertRefusedEntry = prepared(
  (slots: Slots<EntryValue | 'resourceName' | keyof Credentials | 'minute' | 'kind'>) => {
    const start = sql`tokens.client_id || ' ' || ${slots.minute} || ' '`
    // A digit is less than ":", a kind begins with a letter. An aggregate is computed once, and max() by the index.
    const ownKey = sql`(SELECT iif(count < ${MAX_REFUSED_ENTRIES_PER_MINUTE}, printf('%04d', count + 1), ${slots.kind})
      FROM (SELECT coalesce(CAST(substr(max(fold_key), -4) AS INTEGER), 0) AS count FROM provisioning_log
        WHERE tenant_id = ${slots.tenantId} AND fold_key > ${start} AND fold_key < ${start} || ':'))`
    const entry = insertEntry(slots, {
      ...TOKEN,
      resourceName: slots.resourceName,
      from: sql`tokens WHERE ${isAdmittedToken(slots)}`,
      foldKey: sql`${start} || iif(tokens.scope = 'read', ${slots.kind}, ${ownKey})`,
    })
    return sql`${entry} ON CONFLICT (tenant_id, fold_key) WHERE fold_key IS NOT NULL
      DO UPDATE SET repeated = repeated + 1`
  },
)

function refusedStatement(credentials: Credentials, entry: LogEntry): Statement {
  const { time, action, resourceType, status, scimType } = entry
  return insertRefusedEntry({
    ...valuesOf(credentials, entry),
    minute: String(Math.floor(time / MINUTE_MS)),
    kind: `${action} ${resourceType} ${status} ${scimType ?? ''}`,
  })
}

type GuardSlot = EntryValue | 'resourceName' | keyof Credentials

/** @param token names the token, or the rule that is broken: see migrations/0006_log_guards.sql */
function insertGuard(slots: Slots<GuardSlot>, token: SQL): SQL {
  return insertEntry(slots, {
    token,
    client: sql`client`,
    resourceName: slots.resourceName,
    from: writer(slots),
  })
}

const insertTokenGuard = prepared((slots: Slots<GuardSlot>) => insertGuard(slots, sql`writer`))

const insertRowGuard = preparedByTable<GuardSlot | 'version' | 'createdAt' | 'data'>((table, slots) => {
  const isThere = sql`EXISTS (SELECT 1 FROM ${sql.raw(table.name)}
    WHERE tenant_id = ${slots.tenantId} AND id = ${slots.resourceId} AND version = ${slots.version}
      AND created_at = ${slots.createdAt} AND data = ${slots.data})`
  return insertGuard(slots, sql`iif(${IS_NOT_WRITER} OR ${isThere}, writer, 'stale')`)
})

/**
 * Logs a write of a resource and guards it: the first statement of its batch, which ends it when the token may not write,
 * or when the resource is not the one that is to be changed. The version alone does not tell: after an import, a restore or SQL
 * by hand another content may be at the same number.
 *
 * @param before the row that the change was decided on, and its table
 */
export function guardingLogStatement(
  credentials: Credentials,
  entry: LogEntry,
  before?: { readonly table: ResourceTable; readonly row: Pick<StoredRow, 'version' | 'createdAt' | 'json'> },
): Statement {
  const values = valuesOf(credentials, entry)
  if (before === undefined) return insertTokenGuard(values)
  const { version, createdAt, json: data } = before.row
  return insertRowGuard(before.table, { ...values, version, createdAt, data })
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
    ...TOKEN,
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

/** Logs a refused write in a batch of its own. @throws {ScimError|StaleTenant} 401: then nothing is logged */
export async function logRefused(db: Database, credentials: Credentials, entry: LogEntry): Promise<void> {
  await runAsWriter(db, credentials, [refusedStatement(credentials, entry)])
}

/** Logs an accepted write that changed nothing. */
export async function logUnchanged(db: Database, credentials: Credentials, entry: LogEntry): Promise<void> {
  await writeAs(db, credentials, [logStatement(credentials, entry)])
}
