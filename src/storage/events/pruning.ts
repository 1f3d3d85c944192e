/**
 * Deletes events after their retention time. The newest event of a tenant stays, because its number is the one after
 * which the next event is numbered.
 */
import { sql } from 'drizzle-orm'
import { type Database, statement } from '../database/database.ts'

/**
 * Deletes the oldest events, as long as they are older than a time. From the oldest event of each tenant it goes from
 * number to number, so it reads what it deletes, and one more event of each tenant.
 *
 * @param before milliseconds since 1970
 * @param limit the most events that are deleted
 * @returns the number of deleted events
 */
export async function pruneEvents(db: Database, before: number, limit: number): Promise<number> {
  // Both sides of a move must stay equal, so old events are deleted after the tenant has arrived.
  const [deleted] = await db.batch([
    statement(sql`WITH RECURSIVE old(tenant_id, seq) AS (
        SELECT t.id, e.seq FROM tenants AS t CROSS JOIN events AS e
          ON e.tenant_id = t.id AND e.seq = (SELECT min(seq) FROM events WHERE tenant_id = t.id) AND e.time < ${before}
        WHERE t.state NOT IN ('moving', 'arriving', 'moved')
        UNION ALL SELECT old.tenant_id, e.seq FROM old CROSS JOIN events AS e
          ON e.tenant_id = old.tenant_id AND e.seq = old.seq + 1 AND e.time < ${before}
        LIMIT ${limit})
      DELETE FROM events WHERE (tenant_id, seq) IN (SELECT tenant_id, seq FROM old)
        AND EXISTS (SELECT 1 FROM events AS newer WHERE newer.tenant_id = events.tenant_id AND newer.seq > events.seq)`),
  ])
  return deleted?.changes ?? 0
}
