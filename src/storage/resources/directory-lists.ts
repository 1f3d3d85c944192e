/**
 * Lists of resources for the dashboard: in the order of their names, or those whose name or identifier begins with a
 * text. Every list is a range of one index, so a page reads only the rows that it shows, however large the directory
 * is. Only a small directory is scanned for a text within a name.
 */
import { type SQL, sql } from 'drizzle-orm'
import { canBeDisabled } from '../../scim/active.ts'
import { resolveAttributePath, target } from '../../scim/attribute-path.ts'
import { comparisonKey } from '../../scim/comparison.ts'
import { fold } from '../../scim/fold.ts'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import { type Database, type Row, statement } from '../database/database.ts'
import { type Query, readTogether } from '../database/query.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'

/** A row of a list. Times in milliseconds since 1970. */
export interface DirectoryItem {
  readonly id: string
  /** The value of the name attribute of the type. */
  readonly name: string | undefined
  readonly displayName: string | undefined
  readonly externalId: string | undefined
  /** Undefined for a type that cannot be disabled, and for a user without the attribute. */
  readonly isActive: boolean | undefined
  /** Undefined for a type without members. */
  readonly memberCount: number | undefined
  readonly lastModified: number
}

/** An attribute that can be searched by prefix: an index holds its values. */
export interface SearchField {
  /** The name of the attribute, without the URN of an extension. */
  readonly name: string
  /** Its canonical path. */
  readonly path: string
}

/** The edge of a page: the row with this key and, among equal keys, this rowid or id. */
export interface ListCursor {
  readonly key: string
  readonly row: string
}

/** A page of the resources of one type in a tenant. */
export interface ListPage {
  readonly type: StoredResourceType
  readonly tenantId: string
  readonly size: number
  /** The page begins after this row. Undefined for the first page. */
  readonly after?: ListCursor | undefined
  /** The page ends before this row. Not together with `after`. */
  readonly before?: ListCursor | undefined
}

/** A page of a list, with the edges of the pages beside it, if there are any. */
export interface ListedPage {
  readonly items: readonly DirectoryItem[]
  /** The next page begins after this row. */
  readonly next: ListCursor | undefined
  /** The previous page ends before this row. */
  readonly previous: ListCursor | undefined
}

/** The largest directory that is scanned as a whole. */
export const MAX_LOOKED_THROUGH = 2_000

/** The rows that a download reads at a time: about 1 MB, so that a million resources need 200 queries. */
const STREAMED_ROWS = 5_000

/** The greatest character: a text with the prefix x is at least x and less than x followed by this character. */
const LAST_CHARACTER = '\u{10ffff}'

/** The fields that can be searched: names before identifiers. */
export function searchFieldsOf({ table, nameAttribute }: StoredResourceType): readonly SearchField[] {
  const paths = Object.entries(table.columns).flatMap(([path, { index }]) =>
    path !== 'id' && (index === 'value' || index === 'order') ? [path] : [],
  )
  const names = [...new Set([nameAttribute, 'displayName'])].filter((name) => paths.includes(name))
  return [...names, ...paths.filter((path) => !names.includes(path))].map((path) => ({
    name: path.startsWith('urn:') ? path.slice(path.lastIndexOf(':') + 1) : path,
    path,
  }))
}

/** The number of resources of each type in a tenant, by the name of the type. */
export function countsQuery(
  types: readonly StoredResourceType[],
  tenantId: string,
): Query<ReadonlyMap<string, number>> {
  const counts = types.map(({ name, table }) => sql.raw(`${table.counters.count} AS "${name}"`))
  return {
    statements: [statement(sql`SELECT ${sql.join(counts, sql`, `)} FROM tenants WHERE id = ${tenantId}`)],
    read: ([result]) => new Map(types.map(({ name }) => [name, Number(result?.rows[0]?.[name] ?? 0)])),
  }
}

/** All resources of a type in the order of their names. */
export function listQuery(page: ListPage): Query<ListedPage> {
  return rangeQuery(page, page.type.nameAttribute, '')
}

/** Resources whose field begins with the text, in the order of that field. */
export function searchQuery(page: ListPage, field: SearchField, text: string): Query<ListedPage> {
  const path = resolveAttributePath(field.path, page.type)
  const prefix = path === undefined ? text : String(comparisonKey(target(path), text))
  return rangeQuery(page, field.path, prefix)
}

/** The first matches of each field, in one query. */
export function searchAllQuery(
  { type, tenantId, size }: Omit<ListPage, 'after'>,
  text: string,
): Query<readonly { readonly field: SearchField; readonly page: ListedPage }[]> {
  const queries = searchFieldsOf(type).map((field) => ({
    field,
    query: searchQuery({ type, tenantId, size }, field, text),
  }))
  return {
    statements: queries.flatMap(({ query }) => query.statements),
    read: (results) =>
      queries.map(({ field, query }, i) => ({ field, page: query.read(results.slice(i, i + 1)) })),
  }
}

/**
 * Resources whose name or displayName contains the text. It scans the whole directory, so it is for directories of at
 * most MAX_LOOKED_THROUGH resources.
 */
export function containsQuery(
  { type, tenantId, size }: Omit<ListPage, 'after'>,
  text: string,
): Query<readonly DirectoryItem[]> {
  const { columns, name: table } = type.table
  const names = [...new Set([type.nameAttribute, 'displayName'])].flatMap((path) => columns[path]?.sql ?? [])
  const contains = names.map((column) => sql`instr(coalesce(${sql.raw(column)}, ''), ${fold(text)}) > 0`)
  return {
    statements: [
      statement(sql`SELECT ${itemColumns(type)} FROM ${sql.raw(table)}
        WHERE tenant_id = ${tenantId} AND (${sql.join(contains, sql` OR `)})
        ORDER BY ${sql.raw(names[0] ?? 'id')} LIMIT ${size}`),
    ],
    read: ([result]) => (result?.rows ?? []).map(itemFromRow),
  }
}

function rangeQuery(
  { type, tenantId, size, after, before }: ListPage,
  path: string,
  prefix: string,
): Query<ListedPage> {
  const { table } = type
  const found = table.columns[path]
  const column = sql.raw(found?.sql ?? 'NULL')
  const range =
    prefix === '' ? sql`` : sql`AND ${column} >= ${prefix} AND ${column} < ${prefix + LAST_CHARACTER}`
  // Equal keys are ordered as the index orders them, so that the rows need no sort: by id if the index has it, by rowid
  // otherwise. The keys of a unique index are never equal.
  const row = sql.raw(found?.index === 'order' && found.sql !== table.uniqueColumn ? 'id' : 'rowid')
  const [beyond, order] = before === undefined ? ([sql`>`, sql``] as const) : ([sql`<`, sql`DESC`] as const)
  const select = (condition: SQL) =>
    statement(sql`SELECT ${itemColumns(type)}, ${column} AS cursorKey, ${row} AS cursorRow
      FROM ${sql.raw(table.name)} WHERE tenant_id = ${tenantId} AND ${condition} ${range}
      ORDER BY ${column} ${order}, ${row} ${order} LIMIT ${size + 1}`)
  const edge = before ?? after
  return {
    statements:
      edge === undefined
        ? [select(sql`${column} IS NOT NULL`)]
        : [
            select(sql`${column} = ${edge.key} AND ${row} ${beyond} ${edge.row}`),
            select(sql`${column} ${beyond} ${edge.key}`),
          ],
    read: (results) => {
      const rows = results.flatMap((result) => result.rows)
      const [shown, hasMore] = [rows.slice(0, size), rows.length > size]
      if (before !== undefined) shown.reverse()
      const [first, last] = [shown.at(0), shown.at(-1)]
      const hasPrevious = before === undefined ? after !== undefined : hasMore
      return {
        items: shown.map(itemFromRow),
        next: (before !== undefined || hasMore) && last ? cursorOf(last) : undefined,
        previous: hasPrevious && first ? cursorOf(first) : undefined,
      }
    },
  }
}

function cursorOf({ cursorKey, cursorRow }: Row): ListCursor {
  return { key: String(cursorKey), row: String(cursorRow) }
}

/** All resources of a type in the order of their names, in parts that are read one after another. */
export async function* streamDirectory(
  db: Database,
  list: Pick<ListPage, 'type' | 'tenantId'>,
): AsyncGenerator<readonly DirectoryItem[], void, undefined> {
  for (let after: ListCursor | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const { page }: { page: ListedPage } = await readTogether(db, {
      page: listQuery({ ...list, size: STREAMED_ROWS, after }),
    })
    yield page.items
    after = page.next
  }
}

function itemColumns(type: StoredResourceType): SQL {
  const attribute = (name: string) => sql.raw(`data ->> '$.${name}'`)
  return sql`id, ${attribute(type.nameAttribute)} AS name, ${attribute('displayName')} AS displayName,
    ${attribute('externalId')} AS externalId, last_modified AS lastModified,
    ${canBeDisabled(type) ? attribute('active') : sql`NULL`} AS active,
    ${hasMembers(type) ? sql`member_count` : sql`NULL`} AS memberCount`
}

function itemFromRow(row: Row): DirectoryItem {
  const text = (name: string) => (row[name] == null ? undefined : String(row[name]))
  return {
    id: String(row.id),
    name: text('name'),
    displayName: text('displayName'),
    externalId: text('externalId'),
    isActive: row.active == null ? undefined : row.active === 1,
    memberCount: row.memberCount == null ? undefined : Number(row.memberCount),
    lastModified: Number(row.lastModified),
  }
}
