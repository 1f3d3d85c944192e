/**
 * The provisioning log for an administrator: pages, downloads and the admin API, newest first, with filters.
 *
 * Indexes answer filters by time, resource and refusals. Any other filter scans a bounded number of entries for each
 * page. If it finds too few, the page says how far the scan went, and the next page continues there.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { AttributeChange } from '../../scim/changes.ts'
import type { KeptRequest } from '../../scim/kept-request.ts'
import { administratorIdBeside } from '../access/administrator.ts'
import { type Database, type Row, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { selection } from '../tables/selection.ts'
import { provisioningLog } from '../tables/tables.ts'
import type { LOG_ACTIONS, LogEntry } from './log-entry.ts'

/** The number of entries that one page scans if its filters have no index. */
const SCAN_LENGTH = 1_000
/** The most characters of changes as JSON on a page of 50; longer ones are only in the entry itself. */
const MAX_CHANGES_OF_PAGE = 4_000

/** The bytes of complete entries that are read at a time, exceeded by at most one entry: small enough for the memory. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024

/** For an entry `l` with its token `t` or its secret `s`: see provisioningLog in log-tables.ts. */
const CLIENT_ID = sql`coalesce(l.client_id, t.client_id)`
const ACTOR = sql`LEFT JOIN tokens AS t ON t.id = l.token_id
  LEFT JOIN client_secrets AS s ON t.id IS NULL AND s.id = l.token_id LEFT JOIN clients AS c ON c.id = ${CLIENT_ID}`

/** An entry must match all given filters. Times in milliseconds since 1970; `to` is exclusive. */
export interface LogFilters {
  readonly action?: string | undefined
  readonly outcome?: string | undefined
  readonly resourceType?: string | undefined
  readonly clientId?: string | undefined
  readonly tokenId?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
  /** Text in the name, the id, the detail or the request id. */
  readonly text?: string | undefined
  readonly resourceId?: string | undefined
}

/** A log entry with the names of its client and its credential. */
export interface ListedEntry extends Omit<LogEntry, 'changes' | 'action'> {
  /** The resource type of "authenticate" and "warn" is "Client". */
  readonly action: (typeof LOG_ACTIONS)[number]
  /** Undefined when the list is too long for a page. */
  readonly changes: readonly AttributeChange[] | undefined
  /** The number of further refusals of this kind, in the same minute and of the same client, that have no entry. */
  readonly repeated: number
  /** Null if the client is unknown. */
  readonly clientId: string | null
  readonly clientName: string | null
  /** A token; or the secret, or the client with the trust, that an access token was issued for. */
  readonly tokenId: string | null
  /** "Federation" for a trust. Null for an administrator, and if the token or the secret was deleted. */
  readonly tokenName: string | null
  /** Of the token or secret; null if they are not stored. */
  readonly tokenLastCharacters: string | null
  /** What the client sent in a refused write; null if it is not kept, undefined if it is only in the entry itself. */
  readonly request: KeptRequest | null | undefined
}

export interface LogPage {
  readonly entries: readonly ListedEntry[]
  /** The id after which the next page begins; undefined at the end of the log. */
  readonly next: string | undefined
  /** True when the page is short because the scan stopped, not because the log ended. */
  readonly hasStopped: boolean
}

export interface LogPageRequest {
  readonly tenantId: string
  readonly filters: LogFilters
  /** The cursor of the previous page; undefined for the first page. */
  readonly before?: string | undefined
  readonly size: number
  /** Whether the entries are complete. By default, requests and changes of more than MAX_CHANGES_OF_PAGE are left out. */
  readonly areComplete?: boolean
}

/** A page of the log. */
export function logPageQuery({
  tenantId,
  filters,
  before,
  size,
  areComplete = false,
}: LogPageRequest): Query<LogPage> {
  const rest = unindexedConditions(filters)
  const length = rest.length === 0 ? size + 1 : SCAN_LENGTH
  const stretch = (columns: SQL) => logStretch({ tenantId, filters, before }, columns)
  const matching = sql`SELECT * FROM (${stretch(sql`*`)} LIMIT ${length}) AS l
    ${rest.length === 0 ? sql`` : sql`WHERE ${allOf(rest)}`} ORDER BY l.id DESC LIMIT ${size + 1}`
  const found = statement(
    areComplete
      ? sql`SELECT ${entryColumns()}, l.found FROM (
            SELECT *, count(*) OVER () AS found, bytes AS size,
              sum(bytes) OVER (ORDER BY id DESC ROWS UNBOUNDED PRECEDING) AS total FROM (${matching})) AS l
          ${ACTOR} WHERE total - size < ${MAX_PAGE_BYTES} ORDER BY l.id DESC`
      : sql`SELECT ${entryColumns(false)} FROM (${matching}) AS l ${ACTOR} ORDER BY l.id DESC`,
  )
  if (rest.length === 0)
    return { statements: [found], read: ([result]) => logPage(result?.rows, size, undefined) }
  const end = statement(sql`${stretch(sql`l.id`)} LIMIT 1 OFFSET ${SCAN_LENGTH - 1}`)
  return {
    statements: [found, end],
    read: ([result, last]) => logPage(result?.rows, size, last?.rows[0]?.id as string | undefined),
  }
}

/** The entries that an index finds, newest first, without a LIMIT. */
export function logStretch(
  { tenantId, filters, before }: Pick<LogPageRequest, 'tenantId' | 'filters' | 'before'>,
  columns: SQL,
): SQL {
  return sql`SELECT ${columns} FROM provisioning_log AS l ${indexFor(filters)}
    WHERE ${allOf(indexedConditions(tenantId, filters, before))} ORDER BY l.id DESC`
}

/** @param lookedTo where the scan stopped; undefined when it reached the end of the log */
function logPage(rows: readonly Row[] = [], size: number, lookedTo: string | undefined): LogPage {
  const entries = rows.slice(0, size).map(entryFromRow)
  // A page of complete entries may end before `size`.
  const matches = Number(rows[0]?.found ?? rows.length)
  if (rows.length > size || rows.length < matches)
    return { entries, next: entries.at(-1)?.id, hasStopped: false }
  return { entries, next: lookedTo, hasStopped: lookedTo !== undefined }
}

/** The newest entries of failed access: their keys are in the order of minutes. */
export function failedAccessQuery(tenantId: string, size: number): Query<readonly ListedEntry[]> {
  return {
    statements: [
      statement(sql`SELECT ${entryColumns(false)}
        FROM (SELECT * FROM provisioning_log INDEXED BY provisioning_log_folded
          WHERE tenant_id = ${tenantId} AND fold_key >= 'authenticate ' AND fold_key < 'authenticate!'
          ORDER BY fold_key DESC LIMIT ${size}) AS l ${ACTOR} ORDER BY l.id DESC`),
    ],
    read: ([result]) => (result?.rows ?? []).map(entryFromRow),
  }
}

/** One complete entry. */
export function logEntryQuery(tenantId: string, id: string): Query<ListedEntry | undefined> {
  return {
    statements: [
      statement(sql`SELECT ${entryColumns()} FROM provisioning_log AS l ${ACTOR}
        WHERE l.tenant_id = ${tenantId} AND l.id = ${id}`),
    ],
    read: ([result]) => result?.rows[0] && entryFromRow(result.rows[0]),
  }
}

/** All entries that match, newest first, read in chunks on demand. */
export async function* streamLog(
  db: Database,
  tenantId: string,
  filters: LogFilters,
): AsyncGenerator<readonly ListedEntry[], void, undefined> {
  let before: string | undefined
  do {
    const conditions = indexedConditions(tenantId, filters, before)
    const [result] = await db.batch([
      statement(sql`SELECT ${entryColumns()} FROM (
          SELECT *, bytes AS size, sum(bytes) OVER (ORDER BY id DESC ROWS UNBOUNDED PRECEDING) AS total FROM (
            SELECT * FROM provisioning_log AS l ${indexFor(filters)}
            WHERE ${allOf(conditions)} ORDER BY l.id DESC LIMIT ${STREAM_LENGTH})) AS l
        ${ACTOR}
        WHERE total - size < ${MAX_PAGE_BYTES} ORDER BY l.id DESC`),
    ])
    const rows = result?.rows ?? []
    const matches = matcherOf(filters)
    if (rows.length > 0) yield rows.map(entryFromRow).filter(matches)
    before = rows.length === 0 ? undefined : String(rows.at(-1)?.id)
  } while (before !== undefined)
}

/** The number of entries that a download reads at a time: large enough for the query limit of a request. */
const STREAM_LENGTH = 1_000

/** Conditions that an index answers: ranges of ids, which are in the order of time. */
function indexedConditions(
  tenantId: string,
  filters: LogFilters,
  before: string | undefined,
): readonly SQL[] {
  return [
    sql`l.tenant_id = ${tenantId}`,
    before === undefined ? undefined : sql`l.id < ${before}`,
    filters.from === undefined ? undefined : sql`l.id >= ${firstIdAt(filters.from)}`,
    filters.to === undefined ? undefined : sql`l.id < ${firstIdAt(filters.to)}`,
    filters.resourceId === undefined ? undefined : sql`l.resource_id = ${filters.resourceId}`,
    filters.outcome === 'refused' ? sql`l.outcome = 'refused'` : undefined,
  ].filter((condition) => condition !== undefined)
}

function allOf(conditions: readonly SQL[]): SQL {
  return sql.join([...conditions], sql` AND `)
}

function indexFor({ resourceId, outcome }: LogFilters): SQL {
  if (resourceId !== undefined) return sql`INDEXED BY provisioning_log_by_resource`
  return outcome === 'refused' ? sql`INDEXED BY provisioning_log_refused` : sql``
}

/** The conditions for which a page scans entries. */
export function unindexedConditions(filters: LogFilters): readonly SQL[] {
  const text = filters.text === undefined ? undefined : asciiLower(filters.text)
  const columns = ['l.resource_name', 'l.resource_id', 'l.detail', 'l.request_id']
  return [
    filters.action === undefined ? undefined : sql`l.action = ${filters.action}`,
    filters.outcome === 'accepted' ? sql`l.outcome = 'accepted'` : undefined,
    filters.resourceType === undefined ? undefined : sql`l.resource_type = ${filters.resourceType}`,
    filters.clientId === undefined
      ? undefined
      : sql`coalesce(l.client_id, (SELECT client_id FROM tokens WHERE tokens.id = l.token_id)) = ${filters.clientId}`,
    filters.tokenId === undefined ? undefined : sql`l.token_id = ${filters.tokenId}`,
    text === undefined
      ? undefined
      : sql`(${sql.join(
          columns.map((column) => sql`instr(lower(${sql.raw(column)}), ${text}) > 0`),
          sql` OR `,
        )})`,
  ].filter((condition) => condition !== undefined)
}

/** The conditions that have no index, as a predicate of entries. */
function matcherOf({ action, outcome, resourceType, clientId, tokenId, text }: LogFilters) {
  const wanted = text === undefined ? undefined : asciiLower(text)
  return (entry: ListedEntry) =>
    (action === undefined || entry.action === action) &&
    (outcome === undefined || entry.outcome === outcome) &&
    (resourceType === undefined || entry.resourceType === resourceType) &&
    (clientId === undefined || entry.clientId === clientId) &&
    (tokenId === undefined || entry.tokenId === tokenId) &&
    (wanted === undefined ||
      [entry.resourceName, entry.resourceId, entry.detail, entry.requestId].some((value) =>
        value === null ? false : asciiLower(value).includes(wanted),
      ))
}

/** Equals lower() of SQLite, so that a page and a download find the same entries. */
function asciiLower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

/** The first digits of every UUIDv7 of that time: 48 bits of milliseconds (RFC 9562 §5.7). */
export function firstIdAt(time: number): string {
  const hex = Math.max(0, Math.trunc(time)).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}

/** All columns except the changes, which may be too long. */
const ENTRY = selection(
  provisioningLog,
  [
    'id',
    'time',
    'action',
    'outcome',
    'resourceType',
    'resourceId',
    'resourceName',
    'status',
    'scimType',
    'detail',
    'ignored',
    'requestId',
    'repeated',
  ],
  {
    alias: 'l',
    computed: {
      clientId: sql<string | null>`${CLIENT_ID}`,
      clientName: sql<string | null>`c.name`,
      tokenId: sql<string | null>`nullif(l.token_id, '')`,
      tokenName: sql<
        string | null
      >`coalesce(t.name, s.name, CASE WHEN l.token_id = ${CLIENT_ID} AND l.token_id <> ${administratorIdBeside('l.tenant_id')} THEN 'Federation' END)`,
      tokenLastCharacters: sql<string | null>`coalesce(t.last_characters, s.last_characters)`,
    },
  },
)

/**
 * The columns of an entry `l` with its token `t`, secret `s` and client `c`. A request that is left out is an empty text.
 *
 * @param isWanted whether changes and request of a row are selected at all
 */
export function entryColumns(isComplete = true, isWanted = sql`true`): SQL {
  const [changes, request] = isComplete
    ? [sql`l.changes`, sql`l.request`]
    : [
        sql`iif(${isWanted} AND length(l.changes) <= ${MAX_CHANGES_OF_PAGE}, l.changes, NULL)`,
        sql`iif(l.request IS NULL, NULL, '')`,
      ]
  return sql`${ENTRY.columns}, ${changes} AS changes, ${request} AS request`
}

export function entryFromRow(row: Row): ListedEntry {
  const { ignored, ...entry } = ENTRY.fromRow(row)
  return {
    ...entry,
    changes:
      row.changes == null ? undefined : (JSON.parse(String(row.changes)) as readonly AttributeChange[]),
    ignored: JSON.parse(ignored) as readonly string[],
    request: requestOf(row.request),
  }
}

function requestOf(text: Row[string] = null): KeptRequest | null | undefined {
  if (text === '') return undefined
  return text === null ? null : (JSON.parse(String(text)) as KeptRequest)
}
