/**
 * What is known about the clients that provision: their contacts, and what the provisioning log has about their latest
 * writes and failed sign-ins. src/scim/client-health.ts tells their health from it.
 */
import { type SQL, sql } from 'drizzle-orm'
import {
  type ClientFacts,
  HEALTH_STATES,
  HEALTH_WINDOW_MS,
  type HealthState,
} from '../../scim/client-health.ts'
import { MAX_WATCHED } from '../access/clients.ts'
import { type Row, type Statement, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { firstIdAt } from './log-pages.ts'
import {
  NEWEST_ENTRIES,
  REFUSED_ENTRIES,
  type RecentEntries,
  recentEntriesQuery,
  type SeenEntry,
} from './recent-entries.ts'

/** A client that may write, with the facts about it. */
export interface ClientWithFacts {
  readonly tenantId: string
  readonly clientId: string
  readonly name: string
  readonly facts: ClientFacts
}

/** The clients of a tenant that may write, and the entries of the log that their facts come from. */
export interface Connections extends RecentEntries {
  /** By the id of the client, without deleted ones. */
  readonly facts: ReadonlyMap<string, ClientFacts>
}

/**
 * @param now milliseconds since 1970
 * @param watched the facts of the newest clients only, and of one more: its id, or a subquery of it
 */
export function connectionsQuery(
  tenantId: string,
  now: number,
  watched?: { readonly andId: string | SQL },
): Query<Connections> {
  const recent = recentEntriesQuery(tenantId, now)
  const newest = sql`SELECT id FROM clients WHERE tenant_id = ${tenantId} AND scope = 'provision' AND deleted_at IS NULL
    ORDER BY created_at DESC, id DESC LIMIT ${sql.raw(String(MAX_WATCHED))}`
  const ofClients =
    watched === undefined
      ? sql`c.tenant_id = ${tenantId}`
      : sql`+c.tenant_id = ${tenantId} AND c.id IN (SELECT id FROM (${newest}) UNION ALL SELECT ${watched.andId})`
  return {
    statements: [clientsStatement(ofClients), ...recent.statements],
    read: ([clients, ...results]) => {
      const entries = recent.read(results)
      const found = clientsOf(clients?.rows ?? [], [entries])
      return { ...entries, facts: new Map(found.map(({ clientId, facts }) => [clientId, facts])) }
    },
  }
}

/** The clients of a tenant that may write, by id, without deleted ones. @param now milliseconds since 1970 */
export function clientFactsQuery(tenantId: string, now: number): Query<ReadonlyMap<string, ClientFacts>> {
  const connections = connectionsQuery(tenantId, now)
  return { statements: connections.statements, read: (results) => connections.read(results).facts }
}

/**
 * The next clients that may write, in the order of their ids, of all tenants of the database that are ready.
 *
 * @param position the id of a client; it begins after it
 */
export function nextClientsQuery(
  position: string,
  limit: number,
  now: number,
): Query<readonly ClientWithFacts[]> {
  const next = sql`SELECT c.id, c.tenant_id FROM clients AS c JOIN tenants AS t ON t.id = c.tenant_id AND t.state = 'ready'
    WHERE c.id > ${position} AND ${MAY_WRITE} ORDER BY c.id LIMIT ${limit}`
  const those = sql`c.id IN (SELECT id FROM (${next}))`
  const theirTenants = sql`t.id IN (SELECT tenant_id FROM (${next}))`
  return {
    statements: [clientsStatement(those), entriesStatement(theirTenants, now)],
    read: ([clients, logs]) => clientsOf(clients?.rows ?? [], (logs?.rows ?? []).map(entriesOf)),
  }
}

const MAY_WRITE = sql`c.scope = 'provision' AND c.deleted_at IS NULL`

/** A word of its name begins so: "Central" is not Entra. */
const NAMED_ENTRA = sql`(c.name NOT LIKE '%okta%' AND
  (' ' || replace(c.name, '-', ' ') LIKE '% entra%' OR ' ' || replace(c.name, '-', ' ') LIKE '% azure%'))`
const IS_ENTRA = sql`(${NAMED_ENTRA}
  OR EXISTS (SELECT 1 FROM client_trusts AS k WHERE k.client_id = c.id AND k.tid IS NOT NULL))`

function clientsStatement(ofClients: SQL): Statement {
  return statement(sql`SELECT c.id, c.tenant_id AS tenantId, c.name, c.last_provisioning_at AS lastProvisioningAt, c.contacts,
      c.health, c.health_since AS healthSince, ${IS_ENTRA} AS isEntra
    FROM clients AS c WHERE ${ofClients} AND ${MAY_WRITE} ORDER BY c.id`)
}

/** The members of an entry that are counted. */
const COUNTED = ['clientId', 'time', 'action', 'outcome', 'repeated'] as const
type CountedEntry = Pick<SeenEntry, (typeof COUNTED)[number]>
type CountedEntries = Readonly<Record<keyof RecentEntries, readonly CountedEntry[]>>

/** As recentEntriesQuery, of several tenants. Those without a refusal have a share of 0 and need no entries. */
function entriesStatement(ofTenants: SQL, now: number): Statement {
  const first = firstIdAt(now - HEALTH_WINDOW_MS)
  const entries = (
    condition: SQL,
    limit: number,
  ) => sql`(SELECT json_group_array(json_array(client_id, time, action, outcome, repeated))
    FROM (SELECT client_id, time, action, outcome, repeated FROM provisioning_log
      WHERE tenant_id = t.id AND id >= ${first} AND ${condition} ORDER BY id DESC LIMIT ${limit}))`
  const hasRefusal = sql`EXISTS (SELECT 1 FROM provisioning_log AS r WHERE r.tenant_id = t.id AND r.id >= ${first}
    AND r.outcome = 'refused')`
  return statement(sql`SELECT ${entries(hasRefusal, NEWEST_ENTRIES)} AS newest,
      ${entries(sql`outcome = 'refused'`, REFUSED_ENTRIES)} AS refused
    FROM tenants AS t WHERE ${ofTenants}`)
}

function entriesOf({ newest, refused }: Row): CountedEntries {
  const parsed = (column: unknown) =>
    (JSON.parse(String(column)) as readonly (readonly unknown[])[]).map(
      (values) => Object.fromEntries(COUNTED.map((name, i) => [name, values[i]])) as CountedEntry,
    )
  return { newest: parsed(newest), refused: parsed(refused) }
}

/** @param logs of the tenants of the clients */
function clientsOf(clients: readonly Row[], logs: readonly CountedEntries[]): readonly ClientWithFacts[] {
  const byClient = (entries: readonly CountedEntry[]) => Map.groupBy(entries, ({ clientId }) => clientId)
  const newest = byClient(logs.flatMap((log) => log.newest))
  const refused = byClient(logs.flatMap((log) => log.refused))
  return clients.map((row) => {
    const clientId = String(row.id)
    const counts = countsOf(newest.get(clientId) ?? [], refused.get(clientId) ?? [])
    return {
      tenantId: String(row.tenantId),
      clientId,
      name: String(row.name),
      facts: { ...contactsOf(row), ...counts },
    }
  })
}

const NOT_WRITES: ReadonlySet<string> = new Set(['read', 'authenticate', 'warn'])

function countsOf(newest: readonly CountedEntry[], refused: readonly CountedEntry[]) {
  const writes = newest.filter(({ action }) => !NOT_WRITES.has(action))
  const failures = refused.filter(({ action }) => action === 'authenticate')
  return {
    writes: sumOf(writes),
    refused: sumOf(writes.filter(({ outcome }) => outcome === 'refused')),
    failedSignIns: sumOf(failures),
    lastFailedAt: failures[0]?.time ?? null,
  }
}

/** The number of requests that the entries stand for. */
export function sumOf(entries: readonly Pick<SeenEntry, 'repeated'>[]): number {
  return entries.reduce((sum, { repeated }) => sum + repeated + 1, 0)
}

function contactsOf({ lastProvisioningAt = null, contacts, health, healthSince, isEntra }: Row) {
  const state = HEALTH_STATES.find((one) => one === health)
  return {
    isEntra: isEntra === 1,
    lastProvisioningAt: lastProvisioningAt === null ? null : Number(lastProvisioningAt),
    contacts: contacts == null ? [] : (JSON.parse(String(contacts)) as number[]),
    noticed: state === undefined ? null : { state: state satisfies HealthState, since: Number(healthSince) },
  }
}
