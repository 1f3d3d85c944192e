/**
 * Users and groups as an administrator browses them: in the order of their names, or those whose name or
 * identifier begins with a text. Every list is a range of one index, so a page reads what it shows,
 * however large the directory is. Only a small directory is looked through for what contains a text.
 */
import { type SQL, sql } from 'drizzle-orm'
import { fold } from '../scim/comparison.ts'
import { type Row, statement } from './database.ts'
import { type Page, pageOfItems, type Query } from './query.ts'

export type DirectoryTable = 'users' | 'groups'

/** A row of a list. Times in milliseconds since 1970. */
export interface DirectoryItem {
  readonly id: string
  /** Undefined for a group. */
  readonly userName: string | undefined
  readonly displayName: string | undefined
  readonly externalId: string | undefined
  readonly nativeObjectId: string | undefined
  /** Undefined for a group, and for a user that says nothing of it. */
  readonly isActive: boolean | undefined
  /** Undefined for a user. */
  readonly memberCount: number | undefined
  readonly lastModified: number
}

/** What can be searched by its beginning: attributes with an index. */
export const SEARCH_FIELDS = ['userName', 'displayName', 'externalId', 'nativeObjectId'] as const
export type SearchField = (typeof SEARCH_FIELDS)[number]

/** Where a page of a list begins: after the row with this key and, among equal keys, this rowid or id. */
export interface ListCursor {
  readonly key: string
  readonly row: string
}

const COLUMNS: Readonly<Record<SearchField, string>> = {
  userName: 'user_name_key',
  displayName: 'display_name_key',
  externalId: 'external_id',
  nativeObjectId: 'native_object_id_key',
}

/** Directories up to this size can be looked through as a whole. */
export const MAX_LOOKED_THROUGH = 2_000

/** The greatest character: a text that begins with x is from x on and before x followed by this. */
const LAST_CHARACTER = '\u{10ffff}'

/** The fields by which a list can be searched: a group has no userName. */
export function searchFieldsOf(table: DirectoryTable): readonly SearchField[] {
  return table === 'users' ? SEARCH_FIELDS : SEARCH_FIELDS.filter((field) => field !== 'userName')
}

/** All users by userName, or all groups by displayName. */
export function listQuery(
  table: DirectoryTable,
  tenantId: string,
  after: ListCursor | undefined,
  size: number,
): Query<Page<DirectoryItem, ListCursor>> {
  return rangeQuery(table, tenantId, table === 'users' ? 'userName' : 'displayName', '', after, size)
}

/** Those whose field begins with the text, in the order of that field. */
export function searchQuery(
  table: DirectoryTable,
  tenantId: string,
  field: SearchField,
  text: string,
  after: ListCursor | undefined,
  size: number,
): Query<Page<DirectoryItem, ListCursor>> {
  // externalId is caseExact, so its column is not folded.
  const prefix = field === 'externalId' ? text : fold(text)
  return rangeQuery(table, tenantId, field, prefix, after, size)
}

/** The beginning of each field's matches, in one query. */
export function searchAllQuery(
  table: DirectoryTable,
  tenantId: string,
  text: string,
  size: number,
): Query<readonly { readonly field: SearchField; readonly page: Page<DirectoryItem, ListCursor> }[]> {
  const queries = searchFieldsOf(table).map((field) => ({
    field,
    query: searchQuery(table, tenantId, field, text, undefined, size),
  }))
  return {
    statements: queries.flatMap(({ query }) => query.statements),
    read: (results) =>
      queries.map(({ field, query }, i) => ({ field, page: query.read(results.slice(i, i + 1)) })),
  }
}

/**
 * Those whose userName or displayName contains the text. Reads the whole directory, so it is for those of
 * at most MAX_LOOKED_THROUGH.
 */
export function containsQuery(
  table: DirectoryTable,
  tenantId: string,
  text: string,
  size: number,
): Query<readonly DirectoryItem[]> {
  const name = table === 'users' ? sql`user_name_key` : sql`display_name_key`
  const contains = (column: SQL) => sql`instr(coalesce(${column}, ''), ${fold(text)}) > 0`
  return {
    statements: [
      statement(sql`SELECT ${itemColumns(table)} FROM ${sql.raw(table)}
        WHERE tenant_id = ${tenantId} AND (${contains(name)} OR ${contains(sql`display_name_key`)})
        ORDER BY ${name} LIMIT ${size}`),
    ],
    read: ([result]) => (result?.rows ?? []).map(itemFromRow),
  }
}

function rangeQuery(
  table: DirectoryTable,
  tenantId: string,
  field: SearchField,
  prefix: string,
  after: ListCursor | undefined,
  size: number,
): Query<Page<DirectoryItem, ListCursor>> {
  const column = sql.raw(COLUMNS[field])
  const range =
    prefix === '' ? sql`` : sql`AND ${column} >= ${prefix} AND ${column} < ${prefix + LAST_CHARACTER}`
  // An index ends with the rowid, that of the names of groups with the id: equal keys are in that order without
  // sorting, however many there are.
  const row = table === 'groups' && field === 'displayName' ? sql`id` : sql`rowid`
  const select = (condition: SQL) =>
    statement(sql`SELECT ${itemColumns(table)}, ${column} AS cursorKey, ${row} AS cursorRow
      FROM ${sql.raw(table)} WHERE tenant_id = ${tenantId} AND ${condition} ${range}
      ORDER BY ${column}, ${row} LIMIT ${size + 1}`)
  return {
    statements:
      after === undefined
        ? [select(sql`${column} IS NOT NULL`)]
        : [
            select(sql`${column} = ${after.key} AND ${row} > ${after.row}`),
            select(sql`${column} > ${after.key}`),
          ],
    read: (results) => {
      const rows = results.flatMap((result) => result.rows)
      const page = pageOfItems(rows, size, (row) => ({
        key: String(row.cursorKey),
        row: String(row.cursorRow),
      }))
      return { items: page.items.map(itemFromRow), next: page.next }
    },
  }
}

function itemColumns(table: DirectoryTable): SQL {
  const own =
    table === 'users'
      ? sql`data ->> '$.userName' AS userName, active, NULL AS memberCount`
      : sql`NULL AS userName, NULL AS active, member_count AS memberCount`
  return sql`id, data ->> '$.displayName' AS displayName, external_id AS externalId,
    native_object_id_key AS nativeObjectId, last_modified AS lastModified, ${own}`
}

function itemFromRow(row: Row): DirectoryItem {
  const text = (name: string) => (row[name] == null ? undefined : String(row[name]))
  return {
    id: String(row.id),
    userName: text('userName'),
    displayName: text('displayName'),
    externalId: text('externalId'),
    nativeObjectId: text('nativeObjectId'),
    isActive: row.active == null ? undefined : row.active === 1,
    memberCount: row.memberCount == null ? undefined : Number(row.memberCount),
    lastModified: Number(row.lastModified),
  }
}
