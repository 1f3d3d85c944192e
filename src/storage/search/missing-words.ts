/**
 * Fills in the words of resources that were stored without them: before there were words, or by an earlier version that was
 * still serving. Those of the first kind are found by the position of their tenant, which each chunk moves on; the others have
 * the empty word in `search_words`. Until all are done, the dashboard says so.
 */
import { type SQL, sql } from 'drizzle-orm'
import {
  countStatements,
  type Database,
  MAX_ROW_BYTES,
  type Row,
  type Statement,
  statement,
} from '../database/database.ts'
import { IS_FILLABLE } from '../tables/fillable.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { selection } from '../tables/selection.ts'
import { tenants } from '../tables/tables.ts'
import { jsonPathOf, type SearchedTexts, storedWords, WORDS_KEY } from '../tables/words.ts'

/** The most resources of a chunk, and the most bytes of their documents. */
const CHUNK = 500
const CHUNK_BYTES = 2 * 1024 * 1024
/** The statements of a chunk. */
const CHUNK_STATEMENTS = 3
/** The most characters of a list of words, which is one parameter: a UTF-16 unit takes at most three bytes. */
const MAX_LIST_CHARACTERS = MAX_ROW_BYTES / 3

/** A type whose resources have words. */
interface WordedType {
  readonly name: string
  readonly table: string
  readonly texts: SearchedTexts
}

/** In the order of their tables, in which positions are compared. */
function wordedTypes(types: readonly StoredResourceType[]): readonly WordedType[] {
  return types
    .flatMap(({ name, table: { name: table, texts } }) =>
      texts === undefined ? [] : [{ name, table, texts }],
    )
    .sort((a, b) => (a.table < b.table ? -1 : 1))
}

/** The end of the positions in a table: ";" follows ":". */
function endOf(table: string): string {
  return `${table};`
}

/** The condition of a tenant, some of whose resources of a type lack words. */
export function areWordsMissing({ name, table }: StoredResourceType, tenantId: string): SQL {
  if (table.texts === undefined) return sql`0`
  return sql`(coalesce(words_position < ${endOf(table.name)}, 0)
    OR EXISTS (SELECT 1 FROM search_words WHERE tenant_id = ${tenantId} AND resource_type = ${name} AND word = ''))`
}

const NEXT = selection(tenants, ['id', 'wordsPosition'], {
  computed: { isFillable: sql<number>`${IS_FILLABLE}` },
})

/**
 * Continues to fill in words, one tenant after the other.
 *
 * @param maxStatements the rest is left to the next call
 * @returns the ids of the tenants that are complete now
 */
export async function fillMissingWords(
  db: Database,
  types: readonly StoredResourceType[],
  maxStatements: number,
): Promise<readonly string[]> {
  const counted = countStatements(db)
  const hasRoom = () => counted.statements + CHUNK_STATEMENTS <= maxStatements
  const done: string[] = []
  for (let after = ''; counted.statements < maxStatements; ) {
    const [found] = await counted.batch([nextTenant(after)])
    const next = NEXT.first(found)
    if (next === undefined) break
    after = next.id
    if (next.isFillable === 0) continue
    const tenant = { db: counted, tenantId: next.id, hasRoom }
    if (!(await fillTenant(tenant, wordedTypes(types), next.wordsPosition))) break
    done.push(next.id)
  }
  return done
}

function nextTenant(after: string): Statement {
  return NEXT.where(sql`id = (SELECT min(id) FROM (
    SELECT min(id) AS id FROM tenants WHERE words_position IS NOT NULL AND id > ${after}
    UNION ALL SELECT min(tenant_id) FROM search_words WHERE word = '' AND tenant_id > ${after}))`)
}

interface Tenant {
  readonly db: Database
  readonly tenantId: string
  /** Whether another chunk may be filled. */
  readonly hasRoom: () => boolean
}

/** @returns whether the tenant is complete */
async function fillTenant(
  tenant: Tenant,
  types: readonly WordedType[],
  position: string | null,
): Promise<boolean> {
  const { tenantId } = tenant
  for (const [i, type] of types.entries()) {
    const prefix = `${type.table}:`
    if (position === null || position >= endOf(type.table)) continue
    const following = types[i + 1]
    const end = following === undefined ? null : `${following.table}:`
    const source = {
      type,
      after: position.startsWith(prefix) ? position.slice(prefix.length) : '',
      found: (after: string) => sql`SELECT id FROM ${sql.raw(type.table)}
        WHERE tenant_id = ${tenantId} AND id > ${after} ORDER BY id LIMIT ${CHUNK}`,
      moveOn: ({ last, isEnd }: Chunk) => [positionStatement(tenantId, isEnd ? end : `${prefix}${last}`)],
    }
    if (!(await fill(tenant, source))) return false
  }
  for (const type of types) {
    const source = {
      type,
      after: '',
      found: (after: string) => sql`SELECT resource_id FROM search_words WHERE tenant_id = ${tenantId}
        AND resource_type = ${type.name} AND word = '' AND resource_id > ${after} ORDER BY resource_id LIMIT ${CHUNK}`,
      moveOn: () => [],
    }
    if (!(await fill(tenant, source))) return false
  }
  return true
}

/** Resources of a type that may lack words, in the order of their ids. */
interface Source {
  readonly type: WordedType
  readonly after: string
  /** SELECT of the next ids. */
  readonly found: (after: string) => SQL
  /** What is stored with a chunk. */
  readonly moveOn: (chunk: Chunk) => readonly Statement[]
}

/** Fills all resources of a source. @returns false if it was interrupted */
async function fill({ db, tenantId, hasRoom }: Tenant, { type, ...source }: Source): Promise<boolean> {
  for (let { after } = source; hasRoom(); ) {
    const [found] = await db.batch([textsStatement(type, tenantId, source.found(after))])
    const chunk = chunkOf(found?.rows ?? [], type)
    const statements = [
      ...(chunk.words.length > 0 ? [wordsStatement(type, tenantId, chunk.words)] : []),
      ...source.moveOn(chunk),
    ]
    if (statements.length > 0) await db.batch(statements)
    if (chunk.isEnd) return true
    after = chunk.last
  }
  return false
}

/** The texts of resources, in the order of their ids; NULL for those that have words. */
function textsStatement({ table, texts }: WordedType, tenantId: string, ids: SQL): Statement {
  const values = [...texts.indexed, ...texts.others].map(
    (path) => `json_extract(keys, '${jsonPathOf(path)}')`,
  )
  const from = sql.raw(table)
  const sizes = sql`SELECT id, octet_length(keys) AS bytes FROM ${from} WHERE tenant_id = ${tenantId} AND id IN (${ids})`
  return statement(sql`SELECT id, version, found,
      iif(json_type(keys, ${`$.${WORDS_KEY}`}) IS NULL, json_array(${sql.raw(values.join(', '))}), NULL) AS texts
    FROM (SELECT id AS chunk_id, found FROM (SELECT id, count(*) OVER () AS found,
        sum(bytes) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - bytes AS before FROM (${sizes}))
      WHERE before < ${CHUNK_BYTES})
    CROSS JOIN ${from} ON tenant_id = ${tenantId} AND id = chunk_id ORDER BY chunk_id`)
}

interface Chunk {
  /** As JSON, each with the id and the version of its resource. */
  readonly words: readonly string[]
  /** The last id; empty if nothing was found. */
  readonly last: string
  /** Whether nothing follows. */
  readonly isEnd: boolean
}

/** The first rows, as far as their words fit into a parameter. */
function chunkOf(rows: readonly Row[], { texts }: WordedType): Chunk {
  const words: string[] = []
  let last = ''
  let characters = 0
  for (const { id, version, texts: json } of rows) {
    if (json !== null) {
      const found = JSON.parse(String(json)) as readonly unknown[]
      const count = texts.indexed.length
      const row = JSON.stringify([id, version, storedWords(found.slice(0, count), found.slice(count))])
      characters += row.length + 1
      if (characters > MAX_LIST_CHARACTERS) return { words, last, isEnd: false }
      words.push(row)
    }
    last = String(id)
  }
  const found = Number(rows[0]?.found ?? 0)
  return { words, last, isEnd: rows.length === found && found < CHUNK }
}

/** Adds words to the resources that are as they were read. The triggers of the table do the rest. */
function wordsStatement({ table }: WordedType, tenantId: string, words: readonly string[]): Statement {
  const path = `$.${WORDS_KEY}`
  // Materialized, because SQLite would otherwise parse the list again for each resource of the tenant.
  return statement(sql`WITH found AS MATERIALIZED (
      SELECT value ->> 0 AS id, value ->> 1 AS version, value -> 2 AS words FROM json_each(${`[${words.join(',')}]`}))
    UPDATE ${sql.raw(table)} SET keys = json_set(keys, ${path}, json(found.words)) FROM found
    WHERE tenant_id = ${tenantId} AND ${sql.raw(table)}.id = found.id AND ${sql.raw(table)}.version = found.version
      AND json_type(keys, ${path}) IS NULL AND ${isFillable(tenantId)}`)
}

/**
 * A resource before the position that lacks words, because it was changed meanwhile, has the empty word. So a slower run that
 * sets the position back, or moves it on, does no harm.
 */
function positionStatement(tenantId: string, position: string | null): Statement {
  return statement(sql`UPDATE tenants SET words_position = ${position}
    WHERE id = ${tenantId} AND words_position IS NOT NULL AND ${IS_FILLABLE}`)
}

function isFillable(tenantId: string): SQL {
  return sql`EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId} AND ${IS_FILLABLE})`
}
