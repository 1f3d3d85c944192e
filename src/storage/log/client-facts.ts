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
import { type Row, type Statement, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { firstIdAt } from './log-pages.ts'

/** Entries of the log of a tenant that are read for the facts: twice as many rows in all. */
const MAX_ENTRIES = sql.raw('100')

/** A client that may write, with the facts about it. */
export interface ClientWithFacts {
  readonly tenantId: string
  readonly clientId: string
  readonly name: string
  readonly facts: ClientFacts
}

/** The clients of a tenant that may write, by id, without deleted ones. @param now milliseconds since 1970 */
export function clientFactsQuery(tenantId: string, now: number): Query<ReadonlyMap<string, ClientFacts>> {
  return {
    statements: factsStatements(sql`c.tenant_id = ${tenantId}`, sql`t.id = ${tenantId}`, now),
    read: (results) =>
      new Map(clientsOf(results.map(({ rows }) => rows)).map(({ clientId, facts }) => [clientId, facts])),
  }
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
    statements: factsStatements(those, theirTenants, now),
    read: (results) => clientsOf(results.map(({ rows }) => rows)),
  }
}

const MAY_WRITE = sql`c.scope = 'provision' AND c.deleted_at IS NULL`

const IS_ENTRA = sql`(c.name LIKE '%entra%' OR c.name LIKE '%azure%'
  OR EXISTS (SELECT 1 FROM client_trusts AS k WHERE k.client_id = c.id AND k.tid IS NOT NULL))`

/** The clients, and what the logs of their tenants have about all clients. */
function factsStatements(ofClients: SQL, ofTenants: SQL, now: number): readonly Statement[] {
  const first = firstIdAt(now - HEALTH_WINDOW_MS)
  const entries = (
    condition: SQL,
  ) => sql`SELECT client_id, time, action, outcome, repeated FROM provisioning_log
    WHERE tenant_id = t.id AND id >= ${first}${condition} ORDER BY id DESC LIMIT ${MAX_ENTRIES}`
  const isRefused = sql` AND outcome = 'refused'`
  // Without a refusal, the share is 0, whatever the number of writes.
  const writes = sql`SELECT client_id,
      sum((1 + repeated) * (action NOT IN ('authenticate', 'warn'))) AS writes,
      sum((1 + repeated) * (action <> 'authenticate' AND outcome = 'refused')) AS refused
    FROM (${entries(sql` AND EXISTS (SELECT 1 FROM provisioning_log AS r WHERE r.tenant_id = t.id AND r.id >= ${first}
      AND r.outcome = 'refused')`)}) WHERE client_id IS NOT NULL GROUP BY client_id`
  const failures = sql`SELECT client_id, sum((1 + repeated) * (action = 'authenticate')) AS failed,
      max(iif(action = 'authenticate', time, NULL)) AS last
    FROM (${entries(isRefused)}) WHERE client_id IS NOT NULL GROUP BY client_id`
  return [
    statement(sql`SELECT c.id, c.tenant_id AS tenantId, c.name, c.last_provisioning_at AS lastProvisioningAt, c.contacts,
        c.health, c.health_since AS healthSince, ${IS_ENTRA} AS isEntra
      FROM clients AS c WHERE ${ofClients} AND ${MAY_WRITE} ORDER BY c.id`),
    statement(sql`SELECT (SELECT json_group_array(json_array(client_id, writes, refused)) FROM (${writes})) AS writes,
        (SELECT json_group_array(json_array(client_id, failed, last)) FROM (${failures})) AS failures
      FROM tenants AS t WHERE ${ofTenants}`),
  ]
}

type Counted = readonly (readonly [clientId: string, first: number, second: number | null])[]

function clientsOf([clients = [], logs = []]: readonly (readonly Row[])[]): readonly ClientWithFacts[] {
  const byClient = (column: 'writes' | 'failures') => {
    const counted = logs.flatMap((row) => JSON.parse(String(row[column])) as Counted)
    return new Map(counted.map(([clientId, ...counts]) => [clientId, counts]))
  }
  const [writes, failures] = [byClient('writes'), byClient('failures')]
  return clients.map((row) => {
    const clientId = String(row.id)
    const [all = 0, refused] = writes.get(clientId) ?? []
    const [failedSignIns = 0, lastFailedAt = null] = failures.get(clientId) ?? []
    return {
      tenantId: String(row.tenantId),
      clientId,
      name: String(row.name),
      facts: { ...contactsOf(row), writes: all, refused: refused ?? 0, failedSignIns, lastFailedAt },
    }
  })
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
