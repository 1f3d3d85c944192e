/**
 * The provisioning log: what a client asked for and what it was answered. The batch of an accepted write also logs
 * it. A refused write has no batch, so it is logged by one of its own; a refused read, by the batch that checks its token.
 */
import { type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { MINUTE_MS } from '../../scim/duration.ts'
import type { NewEvent } from '../../scim/events.ts'
import type { KeptRequest } from '../../scim/kept-request.ts'
import {
  MAX_KEPT_REQUESTS_PER_MINUTE,
  MAX_LOG_BYTES_WITH_REQUESTS,
  MAX_LOGGED_NAME_CHARACTERS,
  MAX_REFUSED_ENTRIES_PER_MINUTE,
} from '../../scim/limits.ts'
import {
  type Credentials,
  credentialsOf,
  IS_NOT_WRITER,
  isAdmittedToken,
  writer,
} from '../access/token-conditions.ts'
import { readAs, runAsWriter, writeAs } from '../access/tokens.ts'
import { prepared, type Slots, type SqlValue, type Statement } from '../database/database.ts'
import { preparedByTable } from '../tables/prepared-by-table.ts'
import type { ResourceTable, StoredResourceType } from '../tables/resource-tables.ts'
import type { StoredRow } from '../tables/stored-resources.ts'
import type { TenantContext } from '../tenants/context.ts'
import type { LogEntry } from './log-entry.ts'
import { shortenedEntry } from './shortened-entry.ts'

type EntryValue = Exclude<keyof LogEntry, 'resourceName'> | 'tenantId'

/** @param values the values, or slots or SQL for them @param source the other columns, and FROM */
function insertEntry(
  values: Readonly<Record<EntryValue, SqlValue | SQLWrapper>>,
  source: {
    readonly token: SQL
    readonly client: SQL
    readonly resourceName: SQLWrapper
    readonly from: SQL
    readonly foldKey?: SQL
    readonly request?: SQL
  },
): SQL {
  return sql`INSERT INTO provisioning_log (tenant_id, id, time, token_id, client_id, action, outcome, resource_type,
      resource_id, resource_name, status, scim_type, detail, changes, ignored, request_id, fold_key, request)
    SELECT ${values.tenantId}, ${values.id}, ${values.time}, ${source.token}, ${source.client}, ${values.action}, ${values.outcome},
      ${values.resourceType}, ${values.resourceId}, ${source.resourceName}, ${values.status}, ${values.scimType},
      ${values.detail}, ${values.changes}, ${values.ignored}, ${values.requestId}, ${source.foldKey ?? sql`NULL`},
      ${source.request ?? sql`NULL`}
    FROM ${source.from}`
}

/**
 * The actor, in a statement that selects from `tokens`. An access token lives an hour, so the credential that it was issued
 * for stands for it.
 */
const TOKEN = { token: sql`coalesce(tokens.credential_id, tokens.id)`, client: sql`tokens.client_id` }

const insertNamedEntry = prepared((slots: Slots<EntryValue | 'resourceName' | keyof Credentials>) =>
  insertEntry(slots, {
    ...TOKEN,
    resourceName: slots.resourceName,
    from: sql`tokens WHERE ${isAdmittedToken(slots)}`,
  }),
)

/** The statement that logs a write. It logs nothing if the token is not valid. */
export function logStatement(credentials: Credentials, entry: LogEntry): Statement {
  return insertNamedEntry(entryValues(credentials, entry))
}

/** The values of an entry whose name the database adds. */
export type EntrySlot = EntryValue | keyof Credentials

/**
 * Logs a deletion with the name of the resource. It also ends its batch when the token may not write.
 *
 * @param isWanted the condition on the resource, `gone`: nothing is logged if there is no such row
 */
export function insertDeletionEntry(
  { table, nameAttribute }: StoredResourceType,
  isWanted: SQL,
  slots: Slots<EntrySlot>,
): SQL {
  const name = sql.raw(`gone.data ->> '$.${nameAttribute}', 1, ${MAX_LOGGED_NAME_CHARACTERS}`)
  return insertEntry(slots, {
    token: sql`writer`,
    client: sql`client`,
    resourceName: sql`substr(${name})`,
    from: sql`${writer(slots)} LEFT JOIN ${sql.raw(table.name)} AS gone ON ${isWanted}
      WHERE gone.id IS NOT NULL OR ${IS_NOT_WRITER}`,
  })
}

/** The values of an entry in its stored form. */
export function entryValues(credentials: Credentials, entry: LogEntry) {
  const short = shortenedEntry(entry)
  const [changes, ignored] = [JSON.stringify(short.changes), JSON.stringify(short.ignored)]
  return { ...credentials, ...short, changes, ignored }
}

/**
 * Logs a refused write. The first refusals of a client in a minute have an entry each, numbered by their key. Further
 * ones, all refused reads, and all refusals of a client that may only read, increment the count of the entry of their
 * kind. The database decides, so all isolates share one count. It keeps the requests of the first ones, except of a client
 * that may only read.
 */
const insertRefusedEntry = prepared(
  (slots: Slots<EntryValue | 'resourceName' | keyof Credentials | 'minute' | 'kind' | 'request'>) => {
    const start = sql`tokens.client_id || ' ' || ${slots.minute} || ' '`
    // A digit sorts before ":", and a kind begins with a letter. The aggregate is computed once; an index answers
    // max().
    const fromCount = sql`FROM (SELECT coalesce(CAST(substr(max(fold_key), -4) AS INTEGER), 0) AS count FROM provisioning_log
        WHERE tenant_id = ${slots.tenantId} AND fold_key > ${start} AND fold_key < ${start} || ':')`
    const ownKey = sql`(SELECT iif(count < ${MAX_REFUSED_ENTRIES_PER_MINUTE}, printf('%04d', count + 1), ${slots.kind})
      ${fromCount})`
    // The first of the combined ones is kept too. SQLite evaluates only the branch that it needs.
    const isFull = sql`(SELECT log_bytes FROM tenants WHERE id = ${slots.tenantId}) >= ${MAX_LOG_BYTES_WITH_REQUESTS}`
    const request = sql`iif(tokens.scope = 'read' OR ${slots.request} IS NULL OR ${isFull}, NULL,
      (SELECT iif(count < ${MAX_KEPT_REQUESTS_PER_MINUTE} OR count >= ${MAX_REFUSED_ENTRIES_PER_MINUTE}, ${slots.request}, NULL)
        ${fromCount}))`
    const entry = insertEntry(slots, {
      ...TOKEN,
      resourceName: slots.resourceName,
      from: sql`tokens WHERE ${isAdmittedToken(slots)}`,
      foldKey: sql`${start} || iif(tokens.scope = 'read' OR ${slots.action} = 'read', ${slots.kind}, ${ownKey})`,
      request,
    })
    return sql`${entry} ON CONFLICT (tenant_id, fold_key) WHERE fold_key IS NOT NULL
      DO UPDATE SET repeated = repeated + 1`
  },
)

function refusedStatement(
  credentials: Credentials,
  entry: LogEntry,
  request: KeptRequest | undefined,
): Statement {
  const { time, action, resourceType, status, scimType } = entry
  return insertRefusedEntry({
    ...entryValues(credentials, entry),
    minute: String(Math.floor(time / MINUTE_MS)),
    kind: `${action} ${resourceType} ${status} ${scimType ?? ''}`,
    request: request === undefined ? null : JSON.stringify(request),
  })
}

/** The values of an event that is stored with its entry. */
interface EventValues {
  readonly eventType: string
  readonly eventResourceId: string
  readonly eventData: string
  readonly previous: string | null
}

function eventValues({ type, resourceId, data, previous }: NewEvent): EventValues {
  return {
    eventType: type,
    eventResourceId: resourceId,
    eventData: JSON.stringify(data),
    previous: previous === undefined ? null : JSON.stringify(previous),
  }
}

type GuardSlot = EntryValue | 'resourceName' | keyof Credentials | keyof EventValues

/**
 * Stores an entry and the event of its write: see migrations/0037_told_writes.sql.
 *
 * @param token the token, or the rule that is broken: see migrations/0006_log_guards.sql
 */
function insertGuard(slots: Slots<GuardSlot>, token: SQL): SQL {
  return sql`INSERT INTO told_writes (tenant_id, id, time, token_id, client_id, action, outcome, resource_type, resource_id,
      resource_name, status, scim_type, detail, changes, ignored, request_id, event_type, event_resource_id, event_data, previous)
    SELECT ${slots.tenantId}, ${slots.id}, ${slots.time}, ${token}, client, ${slots.action}, ${slots.outcome},
      ${slots.resourceType}, ${slots.resourceId}, ${slots.resourceName}, ${slots.status}, ${slots.scimType}, ${slots.detail},
      ${slots.changes}, ${slots.ignored}, ${slots.requestId}, ${slots.eventType}, ${slots.eventResourceId}, ${slots.eventData},
      ${slots.previous}
    FROM ${writer(slots)}`
}

const insertTokenGuard = prepared((slots: Slots<GuardSlot>) => insertGuard(slots, sql`writer`))

type RowSlot = GuardSlot | 'version' | 'createdAt' | 'lastModified' | 'data'

function rowGuard(table: ResourceTable, slots: Slots<RowSlot>, andOwner: SQL): SQL {
  const isThere = sql`EXISTS (SELECT 1 FROM ${sql.raw(table.name)}
    WHERE tenant_id = ${slots.tenantId} AND id = ${slots.resourceId} AND version = ${slots.version}
      AND created_at = ${slots.createdAt} AND last_modified = ${slots.lastModified} AND data = ${slots.data}${andOwner})`
  return insertGuard(slots, sql`iif(${IS_NOT_WRITER} OR ${isThere}, writer, 'stale')`)
}

const insertRowGuard = preparedByTable<RowSlot>((table, slots) => rowGuard(table, slots, sql``))

const insertOwnedRowGuard = preparedByTable<RowSlot | 'owner'>((table, slots) =>
  rowGuard(table, slots, sql` AND created_by IS ${slots.owner}`),
)

/**
 * Logs a write of a resource, stores its event and guards it. It must be the first statement of its batch. It ends the batch
 * when the token may not write, or when the stored resource is not the expected one. The version alone is not sufficient:
 * after an import, a restore or SQL by hand, another content may have the same number.
 *
 * @param before the row that the change is based on, its table, and the client that owns it, if that matters
 */
export function guardingStatement(
  credentials: Credentials,
  { entry, event }: { readonly entry: LogEntry; readonly event: NewEvent },
  before?: {
    readonly table: ResourceTable
    readonly row: Pick<StoredRow, 'version' | 'createdAt' | 'lastModified' | 'json'>
    readonly owner?: string | null | undefined
  },
): Statement {
  const values = { ...entryValues(credentials, entry), ...eventValues(event) }
  if (before === undefined) return insertTokenGuard(values)
  const { version, createdAt, lastModified, json: data } = before.row
  const row = { ...values, version, createdAt, lastModified, data }
  const { owner } = before
  return owner === undefined
    ? insertRowGuard(before.table, row)
    : insertOwnedRowGuard(before.table, { ...row, owner })
}

/** An entry and the credentials of its writer. */
export interface WrittenEntry {
  readonly credentials: Credentials
  readonly entry: LogEntry
}

/** As JSON. A character takes at most three bytes, so a statement stays below MAX_ROW_BYTES. */
const MAX_ENTRIES_CHARACTERS = 600_000

/** The guards of the batch have checked the tokens. CROSS JOIN prevents a scan of all tokens of the tenant. */
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
 * The statements that log the writes of one batch: as few as possible, because a plan of Cloudflare limits the
 * statements of an invocation.
 */
export function logStatements(tenantId: string, log: readonly WrittenEntry[]): readonly Statement[] {
  const [first] = log
  if (log.length === 1 && first !== undefined) return [logStatement(first.credentials, first.entry)]
  const entries = log.map(({ credentials, entry }) => JSON.stringify(entryValues(credentials, entry)))
  return chunksOf(entries).map((chunk) => insertEntries({ tenantId, entries: `[${chunk.join(',')}]` }))
}

function chunksOf(entries: readonly string[]): readonly (readonly string[])[] {
  const chunks: string[][] = []
  let characters = Number.POSITIVE_INFINITY
  for (const entry of entries) {
    characters += entry.length
    if (characters > MAX_ENTRIES_CHARACTERS) {
      chunks.push([])
      characters = entry.length
    }
    chunks.at(-1)?.push(entry)
  }
  return chunks
}

interface RefusedWrite {
  readonly entry: LogEntry
  /** What the client sent, if it is to be kept. */
  readonly request?: KeptRequest | undefined
  /** Statements of the batch, which test `isAdmittedToken` if they write. */
  readonly also?: readonly Statement[]
}

/**
 * Logs a refused write in a separate batch.
 *
 * @throws {ScimError|StaleTenant} 401: nothing is logged then
 */
export async function logRefused(
  tenant: TenantContext,
  { entry, request, also = [] }: RefusedWrite,
): Promise<void> {
  await runAsWriter(tenant, [refusedStatement(credentialsOf(tenant), entry, request), ...also])
}

/**
 * Logs a refused read in the batch that checks its token. While the tenant is being moved, the read is refused without an
 * entry.
 *
 * @throws {ScimError|StaleTenant} 401: nothing is logged then
 */
export async function logRefusedRead(tenant: TenantContext, entry: LogEntry): Promise<void> {
  await readAs(tenant, [], { notes: [refusedStatement(credentialsOf(tenant), entry, undefined)] })
}

/** Logs an accepted write that changed nothing. */
export async function logUnchanged(tenant: TenantContext, entry: LogEntry): Promise<void> {
  await writeAs(tenant, [logStatement(credentialsOf(tenant), entry)])
}
