/**
 * Fills `user_values` for the users that were there before its triggers: in chunks, each of which is one transaction and
 * stores how far it got. Until a tenant is complete, its configuration says so, and its filters do not use the table.
 */
import { sql } from 'drizzle-orm'
import { countStatements, type Database, type Statement, statement } from '../database/database.ts'
import { IS_FILLABLE } from '../tables/fillable.ts'
import { selection } from '../tables/selection.ts'
import { tenants } from '../tables/tables.ts'

/** The most users of a chunk, and the most bytes of their documents: about 40 ms on Node.js. */
const CHUNK = 1_000
const CHUNK_BYTES = 4 * 1024 * 1024
const CHUNK_STATEMENTS = 2

const INCOMPLETE = selection(tenants, ['id', 'valuesPosition'])

/**
 * Continues to fill in values, one tenant after the other.
 *
 * @param maxStatements the rest is left to the next call
 * @returns the ids of the tenants that are complete now
 */
export async function fillMissingValues(db: Database, maxStatements: number): Promise<readonly string[]> {
  const counted = countStatements(db)
  const hasRoom = () => counted.statements + CHUNK_STATEMENTS <= maxStatements
  const done: string[] = []
  while (counted.statements < maxStatements) {
    const [result] = await counted.batch([
      INCOMPLETE.where(
        sql`configuration ->> '$.valuesMissing' IS NOT NULL AND ${IS_FILLABLE} ORDER BY id LIMIT 1`,
      ),
    ])
    const next = INCOMPLETE.first(result)
    if (next === undefined) return done
    let position: string | undefined = next.valuesPosition ?? ''
    while (position !== undefined) {
      if (!hasRoom()) return done
      const [, moved] = await counted.batch(chunkStatements(next.id, position))
      const after = moved?.rows[0]?.position
      position = typeof after === 'string' ? after : undefined
    }
    done.push(next.id)
  }
  return done
}

/** Fills the values of the next users. The last statement returns the new position; NULL at the end. */
function chunkStatements(tenantId: string, position: string): readonly Statement[] {
  const chunk = sql`SELECT id FROM (SELECT id, sum(bytes) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - bytes AS before
    FROM (SELECT id, octet_length(keys) AS bytes FROM users WHERE tenant_id = ${tenantId} AND id > ${position}
      ORDER BY id LIMIT ${CHUNK})) WHERE before < ${CHUNK_BYTES}`
  const end = sql`(SELECT max(id) FROM (${chunk}))`
  const more = sql`(SELECT ${end} WHERE EXISTS (SELECT 1 FROM users WHERE tenant_id = ${tenantId} AND id > ${end}))`
  return [
    statement(sql`INSERT INTO changed_user_values SELECT tenant_id, id, NULL, looked_up FROM looked_up_users
      WHERE tenant_id = ${tenantId} AND id IN (${chunk})`),
    // The table has all users before the position, so a slower run that sets it back does no harm.
    statement(sql`UPDATE tenants SET values_position = ${more}, configuration = CASE WHEN ${more} IS NULL
        THEN nullif(json_remove(configuration, '$.valuesMissing'), '{}') ELSE configuration END
      WHERE id = ${tenantId} AND configuration ->> '$.valuesMissing' IS NOT NULL
      RETURNING values_position AS position`),
  ]
}
