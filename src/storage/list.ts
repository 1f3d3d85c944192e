/**
 * Lists of resources: of one type or across types, filtered, sorted, in pages by index or by position.
 * One batch, whatever is asked for.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { Filter } from '../scim/filter/ast.ts'
import { compileFilter, compileSortKey } from '../scim/filter/compile.ts'
import { isUnique, type Sort } from '../scim/sort.ts'
import { groupColumns, toSql, userColumns } from './columns.ts'
import { type Database, type Row, type Statement, statement } from './database.ts'
import { memberFromRow, selectMembers } from './memberships.ts'
import { type Stored, storedColumns, storedFromRow } from './resources.ts'
import { type Credentials, readAs } from './tokens.ts'
import { groupsFromRow, USER_GROUPS } from './users.ts'

/** The part of a list that comes from one table. */
export interface ListPart {
  readonly type: 'User' | 'Group'
  readonly filter: Filter | undefined
  readonly sort: Sort | undefined
  /** Whether `groups` of a User, or `members` of a Group, are wanted: they cost a read for each. */
  readonly withReferences: boolean
}

/** Where a resource stands in the order of a list. */
export interface Position {
  /** What it is sorted by, in comparison form; null without a value, or without a sort. */
  readonly key: string | number | null
  readonly id: string
}

/** Which part of the list: by number, or from a position on, forwards or backwards. */
export type Slice =
  | { readonly offset: number; readonly limit: number }
  | { readonly from: Position | undefined; readonly isBackwards: boolean; readonly limit: number }

export interface Listed {
  readonly type: 'User' | 'Group'
  readonly stored: Stored
  readonly position: Position
}

/**
 * Reads a list.
 *
 * @param slice with `from`, one resource more than `limit` is returned when there are more
 * @returns resources in the order in which they were read, so from last to first when backwards
 */
export async function listResources(
  db: Database,
  credentials: Credentials,
  parts: readonly ListPart[],
  slice: Slice,
): Promise<{ total: number; listed: readonly Listed[] }> {
  const { tenantId } = credentials
  const list = { parts, tenantId, slice }
  const isWithMembers = parts.some((part) => part.type === 'Group' && part.withReferences)
  const [total, page, memberRows] = await readAs(db, credentials, [
    totalStatement(parts, tenantId),
    statement(pageOf(list, 'from' in slice ? slice.limit + 1 : slice.limit)),
    ...(isWithMembers ? [membersStatement(list)] : []),
  ])
  const members = Map.groupBy(memberRows?.rows ?? [], (row) => row.groupId)
  return {
    total: Number(total?.rows[0]?.total ?? 0),
    listed: (page?.rows ?? []).map((row) => listedFromRow(row, members.get(row.id ?? '') ?? [])),
  }
}

interface List {
  readonly parts: readonly ListPart[]
  readonly tenantId: string
  readonly slice: Slice
}

/** How many match. Without a filter the number is kept with the tenant. */
function totalStatement(parts: readonly ListPart[], tenantId: string): Statement {
  const counts = parts.map((part) => {
    if (part.filter !== undefined)
      return sql`(SELECT count(*) FROM ${table(part)} WHERE ${matching(part, tenantId)})`
    const count = sql.raw(part.type === 'User' ? 'user_count' : 'group_count')
    return sql`(SELECT ${count} FROM tenants WHERE id = ${tenantId})`
  })
  return statement(sql`SELECT ${sql.join(counts, sql` + `)} AS total`)
}

function pageOf(list: List, limit: number): SQL {
  const { parts, slice } = list
  const selects = parts.map((part) => selectPart(list, part))
  const union = sql.join(selects, sql` UNION ALL `)
  // The terms of ORDER BY must be those of the table itself for an index to serve them.
  const from = selects.length === 1 ? union : sql`SELECT * FROM (${union})`
  const offset = 'offset' in slice ? slice.offset : 0
  return sql`${from} ORDER BY ${orderOf(list)} LIMIT ${limit} OFFSET ${offset}`
}

function selectPart(list: List, part: ListPart): SQL {
  const { tenantId, slice } = list
  const key = keyOf(part, tenantId)
  const groups = part.type === 'User' && part.withReferences ? USER_GROUPS : sql`NULL`
  const after =
    'from' in slice && slice.from !== undefined ? sql` AND ${isAfter(list, part, slice.from)}` : sql``
  return sql`SELECT ${sql.raw(`'${part.type}'`)} AS type, ${storedColumns(tableName(part))}, ${groups} AS groups,
    ${key} AS sortKey FROM ${table(part)} WHERE ${matching(part, tenantId)}${after}`
}

/** The order: missing values last when ascending and first when descending; then the key; then the id. */
function orderOf(list: List): SQL {
  const direction = sql.raw(isReadDescending(list) ? 'DESC' : 'ASC')
  const terms = orderTerms(list, { key: sql`sortKey`, id: sql`id` })
  return sql.join(
    terms.map((term) => sql`${term} ${direction}`),
    sql`, `,
  )
}

/** True of rows that come after the position, in the order in which the list is read. */
function isAfter(list: List, part: ListPart, { key, id }: Position): SQL {
  const columns = orderTerms(list, { key: keyOf(part, list.tenantId), id: sql`${table(part)}.id` })
  const values = orderTerms(list, { key: sql`${key}`, id: sql`${id}` })
  const operator = sql.raw(isReadDescending(list) ? '<' : '>')
  return sql`(${sql.join(columns.map(withoutNull), sql`, `)}) ${operator} (${sql.join(values.map(withoutNull), sql`, `)})`
}

/** A row value with NULL in it compares as NULL; the term before it tells missing values apart already. */
function withoutNull(term: SQL, index: number, terms: readonly SQL[]): SQL {
  return terms.length === 3 && index === 1 ? sql`coalesce(${term}, '')` : term
}

/** What the list is ordered by: ids are UUIDv7, so their order is that of creation. */
function orderTerms({ parts }: List, { key, id }: { key: SQL; id: SQL }): readonly SQL[] {
  const [first] = parts
  if (first?.sort === undefined) return [id]
  return parts.length === 1 && isUnique(first.sort) ? [key] : [sql`(${key} IS NULL)`, key, id]
}

/** Backwards through an ascending list is the same as forwards through a descending one. */
function isReadDescending({ parts, slice }: List): boolean {
  const isDescending = parts[0]?.sort?.isDescending ?? false
  return isDescending !== ('from' in slice && slice.isBackwards)
}

function keyOf({ type, sort }: ListPart, tenantId: string): SQL {
  if (sort?.path === undefined) return sql`NULL`
  return toSql(compileSortKey(sort.path, columnsOf(type, tenantId)))
}

function matching(part: ListPart, tenantId: string): SQL {
  const { type, filter } = part
  const inTenant = sql`${table(part)}.tenant_id = ${tenantId}`
  if (filter === undefined) return inTenant
  return sql`${inTenant} AND ${toSql(compileFilter(filter, columnsOf(type, tenantId)))}`
}

function columnsOf(type: ListPart['type'], tenantId: string) {
  return type === 'User' ? userColumns(tenantId) : groupColumns(tenantId)
}

function tableName({ type }: ListPart): 'users' | 'groups' {
  return type === 'User' ? 'users' : 'groups'
}

function table(part: ListPart): SQL {
  return sql.raw(tableName(part))
}

/** The members of the groups on the page, and of no other. */
function membersStatement(list: List): Statement {
  const groups = sql`SELECT id FROM (${pageOf(list, list.slice.limit)}) WHERE type = 'Group'`
  return selectMembers(list.tenantId, sql`IN (${groups})`)
}

function listedFromRow(row: Row, memberRows: readonly Row[]): Listed {
  const members = memberRows.map(memberFromRow)
  const more = row.type === 'User' ? groupsFromRow(row) : members.length === 0 ? {} : { members }
  const { sortKey = null } = row
  return {
    type: row.type === 'User' ? 'User' : 'Group',
    stored: storedFromRow(row, more),
    position: { key: sortKey, id: String(row.id) },
  }
}
