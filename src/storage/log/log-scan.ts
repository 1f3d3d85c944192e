/**
 * A page of the provisioning log for filters that no index answers: a scan of a bounded number of entries, and the names in those
 * that match. A log of about SMALL_LOG_BYTES at most is scanned in stretches of SMALL_SCAN entries; in a larger one, a page reads
 * about LARGE_SCAN rows, and says how far it has looked.
 */
import { type SQL, sql } from 'drizzle-orm'
import { administratorId } from '../access/administrator.ts'
import { type Database, type Row, statement } from '../database/database.ts'
import { type Query, readTogether } from '../database/query.ts'
import {
  entryColumns,
  entryFromRow,
  type ListedEntry,
  type LogPage,
  type LogPageRequest,
  logStretch,
  unindexedConditions,
} from './log-pages.ts'

/** The bytes of about 1,500 entries. */
const SMALL_LOG_BYTES = 1024 * 1024
const SMALL_SCAN = 1_000
/** So many that a page with the names of its entries reads at most 200 rows. */
const LARGE_SCAN = 150

/** The entries of a stretch that match, without the names of clients and credentials. */
export function logScanQuery(request: Omit<LogPageRequest, 'areComplete'>): Query<LogPage> {
  const { tenantId, filters, size } = request
  const isMatch = sql.join([...unindexedConditions(filters)], sql` AND `)
  const most = sql`(SELECT iif(log_bytes <= ${SMALL_LOG_BYTES}, ${SMALL_SCAN}, ${LARGE_SCAN}) FROM tenants WHERE id = ${tenantId})`
  return {
    statements: [
      statement(sql`SELECT ${entryColumns(false, sql`l.isMatch`)}, l.isMatch, ${most} AS most
        FROM (${logStretch(request, sql`*, (${isMatch}) AS isMatch`)} LIMIT ${most}) AS l
          LEFT JOIN tokens AS t ON t.id = NULL LEFT JOIN client_secrets AS s ON s.id = NULL LEFT JOIN clients AS c ON c.id = NULL`),
    ],
    read: ([result]) => pageOf(result?.rows ?? [], size),
  }
}

function pageOf(rows: readonly Row[], size: number): LogPage {
  const matches = rows.filter((row) => row.isMatch === 1)
  const entries = matches.slice(0, size).map(entryFromRow)
  if (matches.length > size) return { entries, next: entries.at(-1)?.id, hasStopped: false }
  const hasStopped = rows.length > 0 && rows.length === Number(rows[0]?.most)
  return { entries, next: hasStopped ? String(rows.at(-1)?.id) : undefined, hasStopped }
}

/** Adds the names that the entries lack, in another round trip if there are any entries. */
export async function withNames(db: Database, tenantId: string, page: LogPage): Promise<LogPage> {
  if (page.entries.length === 0) return page
  const { tokens, clients } = await readTogether(db, namesQueries(tenantId, page.entries))
  const entries = page.entries.map((entry) => {
    const token = tokens.get(entry.tokenId ?? '')
    const clientId = entry.clientId ?? token?.clientId ?? null
    const isTrust =
      entry.tokenId !== null && entry.tokenId === clientId && clientId !== administratorId(tenantId)
    return {
      ...entry,
      clientId,
      clientName: clients.get(clientId ?? '') ?? token?.clientName ?? null,
      tokenName: token?.name ?? (isTrust ? 'Federation' : null),
      tokenLastCharacters: token?.lastCharacters ?? null,
    }
  })
  return { ...page, entries }
}

function namesQueries(tenantId: string, entries: readonly ListedEntry[]) {
  const ids = (values: readonly (string | null)[]) =>
    sql`(SELECT value FROM json_each(${JSON.stringify([...new Set(values.filter((value) => value !== null))])}))`
  const tokenIds = ids(entries.map(({ tokenId }) => tokenId))
  const clientIds = ids(entries.map(({ clientId }) => clientId))
  const credential = (
    table: SQL,
  ) => sql`SELECT id, name, last_characters AS lastCharacters, client_id AS clientId,
    (SELECT name FROM clients WHERE clients.id = client_id) AS clientName FROM ${table} WHERE tenant_id = ${tenantId} AND id IN ${tokenIds}`
  const tokens: Query<ReadonlyMap<string, Credential>> = {
    statements: [statement(credential(sql`client_secrets`)), statement(credential(sql`tokens`))],
    read: (results) =>
      new Map(results.flatMap(({ rows }) => rows.map((row) => [String(row.id), credentialOf(row)] as const))),
  }
  const clients: Query<ReadonlyMap<string, string>> = {
    statements: [
      statement(sql`SELECT id, name FROM clients WHERE tenant_id = ${tenantId} AND id IN ${clientIds}`),
    ],
    read: ([result]) => new Map((result?.rows ?? []).map(({ id, name }) => [String(id), String(name)])),
  }
  return { tokens, clients }
}

interface Credential {
  readonly name: string
  readonly lastCharacters: string | null
  readonly clientId: string
  readonly clientName: string | null
}

function credentialOf({ name, lastCharacters = null, clientId, clientName = null }: Row): Credential {
  const text = (value: Row[string]) => (value === null ? null : String(value))
  return {
    name: String(name),
    lastCharacters: text(lastCharacters),
    clientId: String(clientId),
    clientName: text(clientName),
  }
}
