/**
 * The entries of the provisioning log that tell the state of connections: the newest ones, the newest refused ones, and the
 * first ones since a time. Each read is a range of an index with a limit, however long the log is.
 */
import { sql } from 'drizzle-orm'
import { HEALTH_WINDOW_MS } from '../../scim/client-health.ts'
import { statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { selection } from '../tables/selection.ts'
import { provisioningLog } from '../tables/tables.ts'
import { firstIdAt } from './log-pages.ts'

/** The newest entries that are read of a tenant. With the refused ones, they are what the health of its clients rests on. */
export const NEWEST_ENTRIES = 60
export const REFUSED_ENTRIES = 40
/** The first entries that are read since a time. */
export const FIRST_ENTRIES = 40

const SEEN = selection(provisioningLog, [
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
  'repeated',
  'clientId',
])

/** An entry without its changes. Its client is null if it is unknown, and in entries of older versions. */
export type SeenEntry = ReturnType<typeof SEEN.fromRow>

/** Entries within HEALTH_WINDOW_MS, newest first. */
export interface RecentEntries {
  /** At most NEWEST_ENTRIES. */
  readonly newest: readonly SeenEntry[]
  /** At most REFUSED_ENTRIES, failed access included. */
  readonly refused: readonly SeenEntry[]
}

/** @param now milliseconds since 1970 */
export function recentEntriesQuery(tenantId: string, now: number): Query<RecentEntries> {
  const first = firstIdAt(now - HEALTH_WINDOW_MS)
  const since = sql`tenant_id = ${tenantId} AND id >= ${first}`
  return {
    statements: [
      SEEN.where(sql`${since} ORDER BY id DESC LIMIT ${NEWEST_ENTRIES}`),
      statement(sql`SELECT ${SEEN.columns} FROM provisioning_log INDEXED BY provisioning_log_refused
        WHERE ${since} AND outcome = 'refused' ORDER BY id DESC LIMIT ${REFUSED_ENTRIES}`),
    ],
    read: ([newest, refused]) => ({ newest: SEEN.all(newest), refused: SEEN.all(refused) }),
  }
}

/** The first entries of a tenant since a time, oldest first. */
export function firstEntriesQuery(tenantId: string, from: number): Query<readonly SeenEntry[]> {
  return {
    statements: [
      SEEN.where(
        sql`tenant_id = ${tenantId} AND id >= ${firstIdAt(from)} ORDER BY id LIMIT ${FIRST_ENTRIES}`,
      ),
    ],
    read: ([result]) => SEEN.all(result),
  }
}
