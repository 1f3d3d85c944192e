/**
 * The approximate size of a database in bytes, from the counts that it keeps, so that the query is cheap at any size.
 */
import { type SQL, sql } from 'drizzle-orm'
import { type Database, statement } from '../database/database.ts'
import { BLOCK_BYTES, type StoredResourceType } from '../tables/resource-tables.ts'

/** A membership with its indexes, as `npm run bench -- cost` measures it: docs/operate/growth.md. */
const MEMBERSHIP_BYTES = 210

function bytesOf(types: readonly StoredResourceType[]): SQL {
  const resources = types.map(
    ({ table: { counters, rowBytes } }) =>
      `${counters.count} * ${rowBytes} + ${counters.blocks} * ${BLOCK_BYTES}`,
  )
  return sql.raw([...resources, `membership_count * ${MEMBERSHIP_BYTES}`, 'max(log_bytes, 0)'].join(' + '))
}

export interface DatabaseSize {
  readonly bytes: number
  readonly tenantCount: number
}

/** The bytes that the tenants of a database take, by an estimate from counters, and their number. */
export async function databaseSize(
  db: Database,
  types: readonly StoredResourceType[],
): Promise<DatabaseSize> {
  const [found] = await db.batch([
    statement(sql`SELECT coalesce(sum(${bytesOf(types)}), 0) AS bytes, count(*) AS tenantCount FROM tenants`),
  ])
  return { bytes: Number(found?.rows[0]?.bytes), tenantCount: Number(found?.rows[0]?.tenantCount) }
}

/** What a tenant would add to another database. */
export async function tenantSize(
  db: Database,
  types: readonly StoredResourceType[],
  tenantId: string,
): Promise<number> {
  const [found] = await db.batch([
    statement(sql`SELECT ${bytesOf(types)} AS bytes FROM tenants WHERE id = ${tenantId}`),
  ])
  return Number(found?.rows[0]?.bytes ?? 0)
}
