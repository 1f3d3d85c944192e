/**
 * Fills `search_words` for the resources that were there before its triggers: in chunks, each of which is one transaction and
 * stores how far it got. Until a tenant is complete, its `words_position` says so, and the dashboard tells it.
 */
import { type SQL, sql } from 'drizzle-orm'
import { countStatements, type Database, type Statement, statement } from '../database/database.ts'
import { selection } from '../tables/selection.ts'
import { tenants } from '../tables/tables.ts'

/** The most resources of a chunk, and the most bytes of their documents. */
const CHUNK = 1_000
const CHUNK_BYTES = 4 * 1024 * 1024
const CHUNK_STATEMENTS = 2

/** The tables with words, in the order in which they are filled, with the types of their resources and their views. */
const TABLES = [
  ['groups', 'Group', 'searched_groups'],
  ['users', 'User', 'searched_users'],
] as const

/** The condition of a tenant whose resources of a table lack words. */
export function areWordsMissing(table: string): SQL {
  const number = TABLES.findIndex(([name]) => name === table)
  const from = TABLES.slice(0, number + 1).map(([name]) => sql`words_position LIKE ${`${name}:%`}`)
  return from.length === 0 ? sql`0` : sql`(words_position IS NOT NULL AND (${sql.join(from, sql` OR `)}))`
}

const INCOMPLETE = selection(tenants, ['id', 'wordsPosition'])

/**
 * Continues to fill in words, one tenant after the other.
 *
 * @param maxStatements the rest is left to the next call
 * @returns the ids of the tenants that are complete now
 */
export async function fillMissingWords(db: Database, maxStatements: number): Promise<readonly string[]> {
  const counted = countStatements(db)
  const done: string[] = []
  while (counted.statements < maxStatements) {
    // A copy is filled by the triggers, and the rows of a deleted tenant go away.
    const [result] = await counted.batch([
      INCOMPLETE.where(sql`words_position IS NOT NULL
        AND state NOT IN ('moving', 'arriving', 'moved', 'deleting') ORDER BY id LIMIT 1`),
    ])
    const next = INCOMPLETE.first(result)
    if (next === undefined) return done
    for (let position = next.wordsPosition; position !== null; ) {
      if (counted.statements + CHUNK_STATEMENTS > maxStatements) return done
      const [, moved] = await counted.batch(chunkStatements(next.id, position))
      position = (moved?.rows[0]?.position ?? null) as string | null
    }
    done.push(next.id)
  }
  return done
}

/** Fills the words of the next resources of a table. The last statement returns the new position; NULL at the end. */
function chunkStatements(tenantId: string, position: string): readonly Statement[] {
  const name = position.slice(0, position.indexOf(':'))
  const after = position.slice(name.length + 1)
  const number = Math.max(
    TABLES.findIndex(([table]) => table === name),
    0,
  )
  const [table, type, view] = TABLES[number] as (typeof TABLES)[number]
  const following = TABLES[number + 1]
  const from = sql.raw(table)
  const chunk = sql`SELECT id FROM (SELECT id, sum(bytes) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - bytes AS before
    FROM (SELECT id, octet_length(keys) AS bytes FROM ${from} WHERE tenant_id = ${tenantId} AND id > ${after}
      ORDER BY id LIMIT ${CHUNK})) WHERE before < ${CHUNK_BYTES}`
  const end = sql`(SELECT max(id) FROM (${chunk}))`
  const more = sql`(SELECT ${`${table}:`} || ${end}
    WHERE EXISTS (SELECT 1 FROM ${from} WHERE tenant_id = ${tenantId} AND id > ${end}))`
  const next = following === undefined ? null : `${following[0]}:`
  return [
    statement(sql`INSERT INTO changed_words SELECT tenant_id, ${type}, id, NULL, texts FROM ${sql.raw(view)}
      WHERE tenant_id = ${tenantId} AND id IN (${chunk})`),
    // The table has all resources before the position, so a slower run that sets it back does no harm.
    statement(sql`UPDATE tenants SET words_position = coalesce(${more}, ${next})
      WHERE id = ${tenantId} AND words_position IS NOT NULL RETURNING words_position AS position`),
  ]
}
