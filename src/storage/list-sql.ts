/**
 * The SQL of a list: how many match, a page in order, the members of the groups on it. Values may be slots,
 * so that the text can be written once: see list-plans.ts.
 */
import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import { compileFilter, compileSortKey } from '../scim/filter/compile.ts'
import { simplifyFilter } from '../scim/filter/simplify.ts'
import { isAlwaysPresent, isUnique } from '../scim/sort.ts'
import { columnsOf, isFound, isIndexed, toSql } from './columns.ts'
import type { SqlValue } from './database.ts'
import type { ListPart, Position, Slice } from './list.ts'
import { selectMembers } from './memberships.ts'
import { storedColumns } from './resources.ts'
import { DIRECT_GROUPS, USER_GROUPS } from './users.ts'

type Value = SqlValue | Placeholder

/** A list, or the part of it that a page is. */
export interface List {
  readonly sources: readonly Source[]
  readonly tenantId: Value
  readonly offset: Value
  readonly limit: Value
  /** Where a page by position begins, and whether it is read backwards. */
  readonly from?: Position | undefined
  readonly isBackwards?: boolean
}

/** A part of a list with its filter in SQL. */
export interface Source extends Pick<ListPart, 'type' | 'sort' | 'withReferences'> {
  /** Undefined: everything of the tenant. */
  readonly condition: SQL | undefined
  /** Whether an index finds what meets the condition, so that it is better sorted than looked for in order. */
  readonly isIndexed: boolean
  readonly sortKey: SQL
}

/** The list that was asked for. */
export function listOf(parts: readonly ListPart[], tenantId: string, slice: Slice): List {
  const sources = parts.map(({ filter: asked, ...part }) => {
    const filter = asked && simplifyFilter(asked)
    const columns = columnsOf(part.type, tenantId, filter)
    const path = part.sort?.path
    return {
      ...part,
      condition: filter && toSql(compileFilter(filter, columns)),
      // The members of a group are found in the order of their ids.
      isIndexed: filter !== undefined && (path ? isFound : isIndexed)(filter, part.type),
      sortKey: path === undefined ? sql`NULL` : toSql(compileSortKey(path, columns)),
    }
  })
  return { sources, tenantId, ...('offset' in slice ? slice : { offset: 0, ...slice }) }
}

/** One row: how many match. Without a filter the number is kept with the tenant. */
export function totalOf({ sources, tenantId }: List): SQL {
  const counts = sources.map((source) => {
    if (source.condition !== undefined)
      return sql`(SELECT count(*) FROM ${table(source)} WHERE ${matching(source, tenantId)})`
    const count = sql.raw(source.type === 'User' ? 'user_count' : 'group_count')
    return sql`(SELECT ${count} FROM tenants WHERE id = ${tenantId})`
  })
  return sql`SELECT ${sql.join(counts, sql` + `)} AS total`
}

/** A row for each resource on the page, of a User with its direct groups: see nested-groups.ts for the others. */
export function pageOf(list: List): SQL {
  // The terms of ORDER BY must be those of the table itself for an index to serve them.
  const all = selectSources(list, DIRECT_GROUPS)
  const from = list.sources.length === 1 ? all : sql`SELECT * FROM (${all})`
  // Of a bare parameter SQLite wants to know the value, and prepares the statement anew for each.
  return sql`${from} ORDER BY ${orderOf(list)} LIMIT ${list.limit} + 0 OFFSET ${list.offset} + 0`
}

/** All that match, in no order: for what there can be but one of. Of a User with all groups, not just the direct ones. */
export function allOf(list: List): SQL {
  return selectSources(list, USER_GROUPS)
}

function selectSources(list: List, groups: SQL): SQL {
  return sql.join(
    list.sources.map((source) => selectSource(list, source, groups)),
    sql` UNION ALL `,
  )
}

/** The members of the groups on a page, and of no other. */
export function membersOf({ tenantId }: List, page: SQL): SQL {
  return selectMembers(tenantId, sql`IN (SELECT id FROM (${page}) WHERE type = 'Group')`)
}

function selectSource(list: List, source: Source, groupsOfUser: SQL): SQL {
  const { sortKey, type } = source
  const groups = type === 'User' && source.withReferences ? groupsOfUser : sql`NULL`
  const after = list.from === undefined ? sql`` : sql` AND ${isAfter(list, source, list.from)}`
  return sql`SELECT ${sql.raw(`'${type}'`)} AS type, ${storedColumns(tableName(source))}, ${groups} AS groups,
    ${sortKey} AS sortKey FROM ${table(source)} WHERE ${matching(source, list.tenantId)}${after}`
}

/**
 * The order: missing values last when ascending and first when descending; then the key; then the id. For the sake of
 * a short page SQLite would rather go through the whole tenant in this order than sort the few rows that an index
 * finds; a plus sign hides the index that has the order.
 */
function orderOf(list: List): SQL {
  const direction = sql.raw(isReadDescending(list) ? 'DESC' : 'ASC')
  const plus = sql.raw(list.sources.every((source) => source.isIndexed) ? '+' : '')
  const terms = orderTerms(list, { key: sql`${plus}sortKey`, id: sql`${plus}id` })
  return sql.join(
    terms.map((term) => sql`${term} ${direction}`),
    sql`, `,
  )
}

/** True of rows that come after the position, in the order in which the list is read. */
function isAfter(list: List, source: Source, { key, id }: Position): SQL {
  const columns = orderTerms(list, { key: source.sortKey, id: sql`${table(source)}.id` })
  const values = orderTerms(list, { key: sql`${key}`, id: sql`${id}` })
  const operator = sql.raw(isReadDescending(list) ? '<' : '>')
  return sql`(${sql.join(columns.map(withoutNull), sql`, `)}) ${operator} (${sql.join(values.map(withoutNull), sql`, `)})`
}

/** A row value with NULL in it compares as NULL; the term before it tells missing values apart already. */
function withoutNull(term: SQL, index: number, terms: readonly SQL[]): SQL {
  return terms.length === 3 && index === 1 ? sql`coalesce(${term}, '')` : term
}

/** What the list is ordered by: ids are UUIDv7, so their order is that of creation. */
function orderTerms({ sources }: List, { key, id }: { key: SQL; id: SQL }): readonly SQL[] {
  const sort = sources[0]?.sort
  if (sort === undefined) return [id]
  if (sources.length === 1 && isUnique(sort)) return [key]
  // No index holds the first of three terms.
  return isAlwaysPresent(sort) ? [key, id] : [sql`(${key} IS NULL)`, key, id]
}

/** Backwards through an ascending list is the same as forwards through a descending one. */
function isReadDescending({ sources, isBackwards = false }: List): boolean {
  return (sources[0]?.sort?.isDescending ?? false) !== isBackwards
}

function matching({ condition, ...source }: Source, tenantId: Value): SQL {
  const inTenant = sql`${table(source)}.tenant_id = ${tenantId}`
  return condition === undefined ? inTenant : sql`${inTenant} AND ${condition}`
}

function tableName({ type }: Pick<Source, 'type'>): 'users' | 'groups' {
  return type === 'User' ? 'users' : 'groups'
}

function table(source: Pick<Source, 'type'>): SQL {
  return sql.raw(tableName(source))
}
