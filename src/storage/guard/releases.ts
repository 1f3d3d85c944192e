/**
 * What administrators see of the guard, and how they let a client pass.
 */
import { sql } from 'drizzle-orm'
import { DAY_MS } from '../../scim/duration.ts'
import { type Database, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'

/** What a client took away lately. Times in milliseconds since 1970. */
export interface Deprovisioning {
  /** The writes that were held in the last 24 hours. */
  readonly held: number
  /** When it was last told that the client takes unusually much away, within the last 24 hours. */
  readonly alarmedAt: number | null
  /** Until when an administrator lets the client pass; may be in the past. */
  readonly releasedUntil: number | null
}

export const NO_DEPROVISIONING: Deprovisioning = { held: 0, alarmedAt: null, releasedUntil: null }

/** By the id of the client, for those with any. */
export function deprovisioningQuery(
  tenantId: string,
  now: number,
): Query<ReadonlyMap<string, Deprovisioning>> {
  return {
    statements: [
      statement(sql`SELECT c.id, c.guard_released_until AS releasedUntil, total(d.held) AS held,
          max(d.alarmed_at) AS alarmedAt
        FROM clients AS c LEFT JOIN deprovisioning AS d ON d.tenant_id = c.tenant_id AND d.client_id = c.id
          AND d.bucket > ${now - DAY_MS}
        WHERE c.tenant_id = ${tenantId} AND c.deleted_at IS NULL GROUP BY c.id`),
    ],
    read: ([result]) =>
      new Map(
        (result?.rows ?? []).map(({ id, held, alarmedAt = null, releasedUntil = null }) => [
          String(id),
          {
            held: Number(held),
            alarmedAt: alarmedAt === null ? null : Number(alarmedAt),
            releasedUntil: releasedUntil === null ? null : Number(releasedUntil),
          },
        ]),
      ),
  }
}

/**
 * Lets a client pass the guard until a time. What it takes away until then does not count afterwards.
 *
 * @returns false if the tenant has no such client, or is not ready
 */
export async function releaseClient(
  db: Database,
  tenantId: string,
  clientId: string,
  until: number,
): Promise<boolean> {
  const release = statement(sql`UPDATE clients SET guard_released_until = ${until}
    WHERE tenant_id = ${tenantId} AND id = ${clientId} AND deleted_at IS NULL
      AND EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId} AND state = 'ready')`)
  const [updated] = await db.batch([{ ...release, act: {} }])
  return updated?.changes === 1
}
