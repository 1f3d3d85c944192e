/**
 * Lists of resources for the dashboard: in an order that an index has, those whose value in one field begins with a text, or
 * those that an index finds by their state, their group or their conflicts. A page reads only the rows that it shows, however
 * large the directory is.
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
  readonly createdAt: number
  readonly lastModified: number
}

/** An attribute that can be searched by prefix: an index holds its values. */
export interface SearchField {
  /** The name of the attribute, without the URN of an extension. */
  readonly name: string
  /** Its canonical path. */
  readonly path: string
}

/** An order of a list: an index has it. */
export interface ListOrder {
  /** The name of its attribute. */
  readonly name: 'name' | 'displayName' | 'created' | 'modified'
  /** The canonical path of the attribute. Ids have the time of creation. */
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
  /** By name if undefined. */
  readonly order?: ListOrder | undefined
  readonly isDescending?: boolean | undefined
  /** Only active ones: see MAX_LOOKED_AT. */
  readonly isActive?: boolean | undefined
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

/**
 * The resources that a page of active ones looks at. No index has them in the order of the list. Most users are active; where
 * they are not, a page has fewer than it could.
 */
export const MAX_LOOKED_AT = 80

/** The greatest character: a text with the prefix x is at least x and less than x followed by this character. */
export const LAST_CHARACTER = '\u{10ffff}'

/** The attributes in `user_values` that can be searched: the names and addresses of a user. */
const SEARCHED_VALUES = ['name.familyName', 'name.givenName', 'emails.value']

/** The fields that can be searched: names before identifiers. */
export function searchFieldsOf({ table, nameAttribute }: StoredResourceType): readonly SearchField[] {
  const paths = Object.entries(table.columns).flatMap(([path, { index }]) =>
    index === 'value' || index === 'order' ? [path] : [],
  )
  const values = SEARCHED_VALUES.filter((path) => table.values?.[path] !== undefined)
  const names = [...new Set([nameAttribute, 'displayName'])].filter((name) => paths.includes(name))
  const others = paths.filter((path) => !names.includes(path) && path !== 'id')
  return [...names, ...values, ...others, 'id'].map((path) => ({ name: nameOf(path), path }))
}

/** "email", "familyName", or the name of the attribute. */
function nameOf(path: string): string {
  if (path === 'emails.value') return 'email'
  return path.slice(Math.max(path.lastIndexOf(':'), path.lastIndexOf('.')) + 1)
}

/** The orders in which resources can be listed. */
export function listOrdersOf({ table, nameAttribute }: StoredResourceType): readonly ListOrder[] {
  const orders: readonly ListOrder[] = [
    { name: 'name', path: nameAttribute },
    { name: 'displayName', path: 'displayName' },
    { name: 'created', path: 'id' },
    { name: 'modified', path: 'meta.lastModified' },
  ]
  return orders.filter(
    ({ name, path }) =>
      table.columns[path]?.index !== undefined && !(name === 'displayName' && path === nameAttribute),
  )
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

/** All resources of a type that have the attribute of the order. */
export function listQuery(page: ListPage): Query<ListedPage> {
  const path = page.order?.path ?? page.type.nameAttribute
  const index = columnIndex(page.type, page.tenantId, path)
  return rangeQuery(page, index, sql`${index.key} IS NOT NULL`)
}

/** Resources whose field begins with the text, in the order of that field. */
export function fieldQuery(page: ListPage, field: SearchField, text: string): Query<ListedPage> {
  const index = indexOf(page.type, page.tenantId, field)
  return rangeQuery(page, index, text === '' ? sql`true` : beginsWith(page.type, field, text))
}

/** An index to select from. */
export interface ListIndex {
  readonly table: SQL
  /** Joins the resources; empty if the index is one of their table. */
  readonly join: SQL
  readonly where: SQL
  /** The id of the resource. */
  readonly id: SQL
  readonly key: SQL
  /** Orders equal keys as the index does, so that the rows need no sort; undefined if keys are never equal. */
  readonly row: SQL | undefined
  /** The key as text, and text as the key. */
  readonly toText: (key: SQL) => SQL
  readonly fromText: (text: string) => SQL
}

/** The index of a field. */
export function indexOf(type: StoredResourceType, tenantId: string, { path }: SearchField): ListIndex {
  const attribute = type.table.values?.[path]
  return type.table.columns[path] === undefined && attribute !== undefined
    ? valueIndex(type, tenantId, attribute.number)
    : columnIndex(type, tenantId, path)
}

function columnIndex({ table }: StoredResourceType, tenantId: string, path: string): ListIndex {
  const { sql: column = 'NULL', index } = table.columns[path] ?? {}
  const hasId = (index === 'order' && column !== table.uniqueColumn) || index === 'time'
  return {
    table: sql.raw(table.name),
    join: sql``,
    where: sql`tenant_id = ${tenantId}`,
    id: sql`id`,
    key: sql.raw(column),
    row: path === 'id' ? undefined : sql.raw(hasId ? 'id' : 'rowid'),
    toText: (key) => key,
    fromText: (text) => sql`${text}`,
  }
}

/** Bytes: hexadecimal as text, because a cut value may not be UTF-8. */
function valueIndex({ table }: StoredResourceType, tenantId: string, attribute: number): ListIndex {
  const resources = sql.raw(table.name)
  return {
    table: sql`user_values AS v`,
    join: sql`CROSS JOIN ${resources} ON ${resources}.tenant_id = v.tenant_id AND id = user_id`,
    where: sql`v.tenant_id = ${tenantId} AND attribute = ${attribute}`,
    id: sql`user_id`,
    key: sql`value`,
    row: sql`user_id`,
    toText: (key) => sql`hex(${key})`,
    fromText: (text) => sql`unhex(${text})`,
  }
}

/** The condition that a field begins with a text. */
export function beginsWith(type: StoredResourceType, { path }: SearchField, text: string): SQL {
  const column = type.table.columns[path]?.sql
  if (column === undefined) {
    const bytes = sql`CAST(${fold(text)} AS BLOB)`
    // No byte of UTF-8 is FF.
    return sql`value >= ${bytes} AND value < CAST(${bytes} || x'ff' AS BLOB)`
  }
  const attribute = resolveAttributePath(path, type)
  const prefix = attribute === undefined ? text : String(comparisonKey(target(attribute), text))
  return sql`${sql.raw(column)} >= ${prefix} AND ${sql.raw(column)} < ${prefix + LAST_CHARACTER}`
}

/** A page of an index. @param condition of the rows: a range of the index */
export function rangeQuery(page: ListPage, index: ListIndex, condition: SQL): Query<ListedPage> {
  const { type, after, before, isDescending = false } = page
  const { table, join, where, key, row, toText, fromText } = index
  const isBackward = (before !== undefined) !== isDescending
  const [beyond, direction] = isBackward ? ([sql`<`, sql`DESC`] as const) : ([sql`>`, sql``] as const)
  const most = lookedAt(page) + 1
  const order = row === undefined ? sql`${key} ${direction}` : sql`${key} ${direction}, ${row} ${direction}`
  const part = (range: SQL) => sql`SELECT * FROM (
    SELECT ${itemColumns(type)}, ${toText(key)} AS cursorKey, ${row ?? key} AS cursorRow
    FROM ${table} ${join} WHERE ${where} AND ${condition} AND ${range} ORDER BY ${order} LIMIT ${most})`
  const edge = before ?? after
  const parts =
    edge === undefined
      ? [part(sql`true`)]
      : [
          ...(row ? [part(sql`${key} = ${fromText(edge.key)} AND ${row} ${beyond} ${edge.row}`)] : []),
          part(sql`${key} ${beyond} ${fromText(edge.key)}`),
        ]
  return {
    statements: [statement(sql`${sql.join(parts, sql` UNION ALL `)} LIMIT ${most}`)],
    read: ([result]) => pageOf(page, result?.rows ?? []),
  }
}

/** The most rows that a page looks at. */
function lookedAt({ size, isActive }: ListPage): number {
  return isActive ? Math.max(size, MAX_LOOKED_AT) : size
}

/** @param rows up to one more than the page looks at, from its edge on */
function pageOf(page: ListPage, rows: readonly Row[]): ListedPage {
  const { size, after, before, isActive } = page
  const isShown = (row: Row) => !isActive || row.active === 1
  const shown = rows.slice(0, lookedAt(page)).filter(isShown).slice(0, size)
  const isFull = shown.length === size
  // A page that is not full has looked at the other rows as well.
  const [nearest, furthest] = [
    rows.at(0),
    isFull ? shown.at(-1) : (rows.at(lookedAt(page) - 1) ?? rows.at(-1)),
  ]
  const hasMore = isFull ? rows.at(-1) !== furthest : rows.length > lookedAt(page)
  const items = shown.map(itemFromRow)
  if (before === undefined) {
    return {
      items,
      next: hasMore && furthest ? cursorOf(furthest) : undefined,
      previous: after && nearest ? cursorOf(nearest) : undefined,
    }
  }
  return {
    items: items.reverse(),
    next: nearest && cursorOf(nearest),
    previous: hasMore && furthest ? cursorOf(furthest) : undefined,
  }
}

function cursorOf({ cursorKey, cursorRow }: Row): ListCursor {
  return { key: String(cursorKey), row: String(cursorRow) }
}

/** The rows that a download reads at a time: about 1 MB, so that a million resources need 200 queries. */
const STREAMED_ROWS = 5_000

/** All pages of a list, read one after another. */
export async function* streamDirectory(
  db: Database,
  queryOf: (page: Pick<ListPage, 'size' | 'after'>) => Query<ListedPage>,
): AsyncGenerator<readonly DirectoryItem[], void, undefined> {
  for (let after: ListCursor | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const { page }: { page: ListedPage } = await readTogether(db, {
      page: queryOf({ size: STREAMED_ROWS, after }),
    })
    yield page.items
    after = page.next
  }
}

/** The columns of an item, in a SELECT from the table of the type. */
export function itemColumns(type: StoredResourceType): SQL {
  const attribute = (name: string) => sql.raw(`data ->> '$.${name}'`)
  return sql`id, ${attribute(type.nameAttribute)} AS name, ${attribute('displayName')} AS displayName,
    ${attribute('externalId')} AS externalId, created_at AS createdAt, last_modified AS lastModified,
    ${canBeDisabled(type) ? attribute('active') : sql`NULL`} AS active,
    ${hasMembers(type) ? sql`member_count` : sql`NULL`} AS memberCount`
}

export function itemFromRow(row: Row): DirectoryItem {
  const text = (name: string) => (row[name] == null ? undefined : String(row[name]))
  return {
    id: String(row.id),
    name: text('name'),
    displayName: text('displayName'),
    externalId: text('externalId'),
    isActive: row.active == null ? undefined : row.active === 1,
    memberCount: row.memberCount == null ? undefined : Number(row.memberCount),
    createdAt: Number(row.createdAt),
    lastModified: Number(row.lastModified),
  }
}
