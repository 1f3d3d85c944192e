/**
 * The events of clients whose health has changed. A change and its event are one transaction, and the state before is its
 * condition: so two runs at the same time, and a run that is repeated, tell a change once.
 */
import { sql } from 'drizzle-orm'
import type { HealthState } from '../../scim/client-health.ts'
import type { ClientEventType } from '../../scim/events.ts'
import { type Statement, statement } from '../database/database.ts'

export interface HealthChange {
  readonly clientId: string
  readonly before: HealthState | null
  readonly after: HealthState
  /** Null if the change is not told, such as the first contact of a client. */
  readonly type: ClientEventType | null
  /** The data of the event. */
  readonly data: Readonly<Record<string, unknown>>
}

const ENCODER = new TextEncoder()

/** The statements that store changes and their events. @param now milliseconds since 1970 */
export function healthChangeStatements(changes: readonly HealthChange[], now: number): readonly Statement[] {
  const rows = changes.map(({ data, ...change }) => {
    const json = JSON.stringify(data)
    return { ...change, data: json, bytes: ENCODER.encode(json).length }
  })
  const value = (name: keyof (typeof rows)[number]) => sql`e.value ->> ${sql.raw(`'$.${name}'`)}`
  const changed = sql`json_each(${JSON.stringify(rows)}) AS e CROSS JOIN clients AS c ON c.id = ${value('clientId')}
    AND c.health IS ${value('before')} AND c.deleted_at IS NULL
    CROSS JOIN tenants AS t ON t.id = c.tenant_id AND t.state = 'ready'`
  const newest = (column: string) =>
    sql`coalesce((SELECT ${sql.raw(column)} FROM events WHERE tenant_id = c.tenant_id ORDER BY seq DESC LIMIT 1), 0)`
  return [
    statement(sql`INSERT INTO events (tenant_id, seq, type, time, client_id, request_id, resource_id, data, total_bytes)
      SELECT c.tenant_id, ${newest('seq')} + row_number() OVER up_to_here, ${value('type')}, ${now}, NULL, NULL, NULL,
        ${value('data')}, ${newest('total_bytes')} + sum(${value('bytes')}) OVER up_to_here
      FROM ${changed} WHERE ${value('type')} IS NOT NULL
      WINDOW up_to_here AS (PARTITION BY c.tenant_id ORDER BY e.key ROWS UNBOUNDED PRECEDING)`),
    statement(sql`UPDATE clients SET health = found.after, health_since = found.since
      FROM (SELECT c.id, ${value('after')} AS after, ${now} AS since FROM ${changed}) AS found
      WHERE clients.id = found.id`),
  ]
}
