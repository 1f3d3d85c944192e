/**
 * The dashboard's search: users or groups with a value, or a word of a value, that begins with the text. Every look-up is a
 * range of one index and has a limit, so a search reads no more rows in a large directory than in a small one, and it says
 * whether it has looked at everything. A small directory is also scanned for what is within a word.
 */
import { type SQL, sql } from 'drizzle-orm'
import { fold } from '../../scim/fold.ts'
import { type Statement, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import {
  beginsWith,
  type DirectoryItem,
  indexOf,
  itemColumns,
  itemFromRow,
  LAST_CHARACTER,
  type SearchField,
  searchFieldsOf,
} from '../resources/directory-lists.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { MAX_VALUE_BYTES } from '../tables/user-values.ts'
import { cutWord, jsonPathOf, wordsOf } from '../tables/words.ts'
import { areWordsMissing } from './missing-words.ts'

/** The most bytes of a text in comparison form: `user_values` has no more of a value. */
const MAX_SEARCH_BYTES = MAX_VALUE_BYTES
/** The largest directory that is scanned as a whole. */
const MAX_SCANNED = 2_000
/** The most resources that a search shows. */
export const MAX_FOUND = 20
/** The words of the text that are looked up, the longest ones. All of them are compared. */
const MAX_LOOKED_UP_WORDS = 3
/** The resources that are looked at for these words together, and for the text among the members of a group. */
const MAX_CANDIDATES = 36

/** What is searched. */
export interface SearchRequest {
  readonly type: StoredResourceType
  readonly tenantId: string
  readonly text: string
  /** Only members of this group. */
  readonly groupId?: string | undefined
}

export interface SearchResult {
  /** Resources that begin with the text, then those with its words, then those that contain it. */
  readonly items: readonly DirectoryItem[]
  /** Whether more than MAX_FOUND match. */
  readonly hasMore: boolean
  /** Whether others may match: more than MAX_FOUND do, or more begin with each word than were looked at. */
  readonly isCut: boolean
  /** Whether the directory is so small that all of it was looked at, also within words. */
  readonly isScanned: boolean
  /** Whether the words or the values of some resources are not filled in yet. */
  readonly isIncomplete: boolean
}

/** @returns undefined if the text is longer than MAX_SEARCH_BYTES */
export function searchQuery(request: SearchRequest): Query<SearchResult> | undefined {
  const key = fold(request.text)
  if (new TextEncoder().encode(key).length > MAX_SEARCH_BYTES) return undefined
  const words = wordsOf(key)
  // A text of one word is looked up as it is, unless it has other characters around the word.
  const lookedUp = words.length === 1 && words[0] === key ? [] : longest(words)
  const mostOfWord = Math.floor(MAX_CANDIDATES / Math.max(lookedUp.length, 1))
  const mostBeginning = request.groupId === undefined ? MAX_FOUND + 1 : MAX_CANDIDATES
  return {
    statements: [
      stateStatement(request),
      candidates(
        request,
        beginningWith(request, request.text, searchFieldsOf(request.type)),
        mostBeginning,
        [],
      ),
      scanStatement(request, words.length === 0 ? [key] : words),
      ...lookedUp.map((word) =>
        candidates(request, beginningWith(request, word, namesOf(request.type)), mostOfWord, words),
      ),
    ],
    read: ([state, beginning, scanned, ...ofWords]) => {
      const [isScanned, isIncomplete] = [state?.rows[0]?.isSmall === 1, state?.rows[0]?.isMissing === 1]
      const all = [beginning, ...ofWords, scanned].flatMap((result) => result?.rows ?? [])
      const found = new Map(all.filter((row) => row.isMatch === 1).map((row) => [row.id, row]))
      // If one of the words has few candidates, every match is among them.
      const areWordsCut = ofWords.every(({ rows }) => rows.length >= mostOfWord)
      const isBeginningCut = (beginning?.rows.length ?? 0) >= mostBeginning
      const isCut = isBeginningCut || (ofWords.length > 0 && areWordsCut)
      return {
        items: [...found.values()].slice(0, MAX_FOUND).map(itemFromRow),
        hasMore: found.size > MAX_FOUND,
        isCut: found.size > MAX_FOUND || (isCut && !isScanned),
        isScanned,
        isIncomplete,
      }
    },
  }
}

function longest(words: readonly string[]): readonly string[] {
  return [...new Set(words)].sort((a, b) => b.length - a.length).slice(0, MAX_LOOKED_UP_WORDS)
}

/** The fields that have words: identifiers are searched as a whole. */
function namesOf(type: StoredResourceType): readonly SearchField[] {
  return searchFieldsOf(type).filter(
    ({ path }) =>
      path === type.nameAttribute || path === 'displayName' || type.table.values?.[path] !== undefined,
  )
}

function stateStatement({ type, tenantId }: SearchRequest): Statement {
  const { values, counters } = type.table
  const areValuesMissing = sql.raw(
    values === undefined ? '0' : `configuration ->> '$.valuesMissing' IS NOT NULL`,
  )
  return statement(sql`SELECT ${sql.raw(counters.count)} <= ${MAX_SCANNED} AS isSmall,
      ${areWordsMissing(type, tenantId)} OR ${areValuesMissing} AS isMissing FROM tenants WHERE id = ${tenantId}`)
}

/**
 * The first resources that are found by look-ups, one look-up after the other, until there are enough.
 *
 * @param words that must all be in the resource
 */
function candidates(
  { type, tenantId, groupId }: SearchRequest,
  lookUps: readonly SQL[],
  most: number,
  words: readonly string[],
): Statement {
  const each = lookUps.map((lookUp) => sql`SELECT found FROM (${lookUp} LIMIT ${most})`)
  const conditions = [...contains(type, words), ...isMember(tenantId, groupId)]
  return statement(sql`SELECT ${itemColumns(type)}, ${all(conditions)} AS isMatch
    FROM (SELECT DISTINCT found FROM (${union(each)}) LIMIT ${most})
    CROSS JOIN ${sql.raw(type.table.name)} ON tenant_id = ${tenantId} AND id = found`)
}

/** D1 refuses a compound SELECT of more terms: SQLITE_LIMIT_COMPOUND_SELECT in workerd's sqlite.c++. */
const MAX_TERMS = 5

/** The rows of all parts, in their order. SQLite reads them only as far as they are needed. */
function union(parts: readonly SQL[]): SQL {
  if (parts.length <= MAX_TERMS) return sql.join([...parts], sql` UNION ALL `)
  const [first, others] = [parts.slice(0, MAX_TERMS), parts.slice(MAX_TERMS)]
  return sql`SELECT found FROM (${union(first)}) UNION ALL SELECT found FROM (${union(others)})`
}

/** Look-ups of a text in each index: each selects ids as `found`, in the order of the index. */
function beginningWith(
  { type, tenantId }: SearchRequest,
  text: string,
  fields: readonly SearchField[],
): readonly SQL[] {
  const inFields = fields.map((field) => {
    const { table, where, id, key } = indexOf(type, tenantId, field)
    return sql`SELECT ${id} AS found FROM ${table} WHERE ${where} AND ${beginsWith(type, field, text)} ORDER BY ${key}`
  })
  const word = cutWord(fold(text))
  const inWords = sql`SELECT resource_id AS found FROM search_words WHERE tenant_id = ${tenantId}
    AND resource_type = ${type.name} AND word >= ${word} AND word < ${word + LAST_CHARACTER} ORDER BY word`
  return [...inFields, inWords]
}

/** Scans a small directory. A larger one has no row with the tenant that the query then asks for. */
function scanStatement({ type, tenantId, groupId }: SearchRequest, words: readonly string[]): Statement {
  const { name, counters } = type.table
  const conditions = [...contains(type, words), ...isMember(tenantId, groupId)]
  return statement(sql`SELECT ${itemColumns(type)}, 1 AS isMatch FROM ${sql.raw(name)}
    WHERE tenant_id = (SELECT id FROM tenants WHERE id = ${tenantId} AND ${sql.raw(counters.count)} <= ${MAX_SCANNED})
      AND ${all(conditions)} LIMIT ${MAX_FOUND + 1}`)
}

/** One condition for each word: the searched values of a resource contain it. */
function contains(type: StoredResourceType, words: readonly string[]): readonly SQL[] {
  const { columns, texts = { indexed: [], others: [] } } = type.table
  const inColumns = Object.values(columns).flatMap(({ sql: column, index }) =>
    index === 'value' || index === 'order' ? [column] : [],
  )
  const inDocument = [...texts.indexed, ...texts.others].flatMap((path) =>
    columns[path.join('.')] === undefined ? [`keys ->> '${jsonPathOf(path)}'`] : [],
  )
  const text = sql.raw([...inColumns, ...inDocument].map((one) => `coalesce(${one}, '')`).join(` || ' ' || `))
  return [...new Set(words)].map((word) => sql`instr(${text}, ${word}) > 0`)
}

function isMember(tenantId: string, groupId: string | undefined): readonly SQL[] {
  if (groupId === undefined) return []
  return [
    sql`EXISTS (SELECT 1 FROM memberships AS m WHERE m.tenant_id = ${tenantId} AND m.group_id = ${groupId} AND m.member_id = id)`,
  ]
}

function all(conditions: readonly SQL[]): SQL {
  return conditions.length === 0 ? sql`1` : sql`(${sql.join([...conditions], sql` AND `)})`
}
