/**
 * The words by which the search finds tenants: those of the name and of the id, which triggers copy into `tenant_words`. Those of
 * tenants that an earlier version has stored are filled in by the hourly maintenance.
 */
import { sql } from 'drizzle-orm'
import { fold } from '../../scim/fold.ts'
import { countStatements, type Database, statement } from '../database/database.ts'
import { IS_FILLABLE } from '../tables/fillable.ts'
import { selection } from '../tables/selection.ts'
import { tenants } from '../tables/tables.ts'
import { cutWord, wordsOf } from '../tables/words.ts'

/** As they are stored: a trigger forgets them when the tenant has another name than `of`. */
export interface NameWords {
  readonly of: string
  readonly words: readonly string[]
}

/** As JSON. A name has at most 100 characters and an id 40, so their words are few. */
export function nameWordsOf(id: string, name: string): string {
  const words = [...new Set([...wordsOf(fold(name)), ...wordsOf(id)].map(cutWord))]
  return JSON.stringify({ of: name, words } satisfies NameWords)
}

const CHUNK = 200
/** The statements of a chunk. */
const CHUNK_STATEMENTS = 2

const NAMED = selection(tenants, ['id', 'name'])

/**
 * Fills in the words of tenants without them.
 *
 * @param maxStatements the rest is left to the next call
 * @returns the number of tenants
 */
export async function fillNameWords(db: Database, maxStatements: number): Promise<number> {
  const counted = countStatements(db)
  let done = 0
  for (let after = ''; counted.statements + CHUNK_STATEMENTS <= maxStatements; ) {
    const [found] = await counted.batch([
      NAMED.where(sql`name_words IS NULL AND id > ${after} AND ${IS_FILLABLE}
        ORDER BY id LIMIT ${CHUNK}`),
    ])
    const chunk = NAMED.all(found)
    const last = chunk.at(-1)
    if (last === undefined) break
    after = last.id
    const words = chunk.map(({ id, name }) => ({ id, name, words: nameWordsOf(id, name) }))
    await counted.batch([
      // A tenant that has been renamed since has its words, or gets them in the next run.
      statement(sql`UPDATE tenants SET name_words = filled.value ->> '$.words' FROM json_each(${JSON.stringify(words)}) AS filled
        WHERE tenants.id = filled.value ->> '$.id' AND tenants.name = filled.value ->> '$.name' AND tenants.name_words IS NULL`),
    ])
    done += chunk.length
  }
  return done
}
