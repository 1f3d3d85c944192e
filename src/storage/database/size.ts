/**
 * The approximate size of a database in bytes, from the counts that it keeps, so that the query is cheap at any size.
 * The bytes of a row are those that `npm run bench -- cost` measures, indexes included: GROWTH.md.
 */
import { type SQL, sql } from 'drizzle-orm'
import { type Database, statement } from './database.ts'

const USER_BYTES = 3_400
const GROUP_BYTES = 1_500
const MEMBERSHIP_BYTES = 210
/** A block of a large document: see `blocks` in src/storage/tables/directory-tables.ts. */
const BLOCK_BYTES = 4_096

const bytesOf = (): SQL =>
  sql.raw(`user_count * ${USER_BYTES} + group_count * ${GROUP_BYTES} + membership_count * ${MEMBERSHIP_BYTES}
    + (user_blocks + group_blocks) * ${BLOCK_BYTES} + max(log_bytes, 0)`)

export interface DatabaseSize {
  readonly bytes: number
  readonly tenantCount: number
}

export async function databaseSize(db: Database): Promise<DatabaseSize> {
  const [found] = await db.batch([
    statement(sql`SELECT coalesce(sum(${bytesOf()}), 0) AS bytes, count(*) AS tenantCount FROM tenants`),
  ])
  return { bytes: Number(found?.rows[0]?.bytes), tenantCount: Number(found?.rows[0]?.tenantCount) }
}

/** What a tenant would add to another database. */
export async function tenantSize(db: Database, tenantId: string): Promise<number> {
  const [found] = await db.batch([
    statement(sql`SELECT ${bytesOf()} AS bytes FROM tenants WHERE id = ${tenantId}`),
  ])
  return Number(found?.rows[0]?.bytes ?? 0)
}
