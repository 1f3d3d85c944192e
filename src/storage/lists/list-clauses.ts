/**
 * The clauses that the statements of a list share: what is selected, the condition, the order. Values may be slots: see
 * list-plans.ts.
 */
import { type SQL, sql } from 'drizzle-orm'
import { hasMembers, showsGroups } from '../../scim/schema/resource-type.ts'
import { isAlwaysPresent, isUnique } from '../../scim/sort.ts'
import { CHECKPOINT, ROWS_TO_CHECKPOINT } from '../database/checkpoint.ts'
import type { ResourceTable } from '../tables/resource-tables.ts'
import { storedColumns } from '../tables/stored-resources.ts'
import type { List, ListPosition, Source, Value } from './list-source.ts'
import { isAffordable } from './scan-work.ts'

/** The greatest character: a text with the prefix x is at least x and less than x followed by this character. */
const LAST_CHARACTER = '\u{10ffff}'

/** Without a filter, the tenant has the number. */
export function totalNumberOf(list: List): SQL {
  const { sources, tenantId } = list
  const counts = sources.map((source) => {
    if (source.total !== undefined) return source.total
    if (source.condition !== undefined) {
      const found = sql`FROM ${fromOf(list, source)} WHERE ${matching(source, tenantId)}`
      if (list.most === undefined) return sql`(SELECT count(*) ${found})`
      return sql`(SELECT count(*) FROM (SELECT 1 ${found} LIMIT ${sql.raw(String(list.most + 1))}))`
    }
    const count = sql.raw(source.type.table.counters.count)
    return sql`(SELECT ${count} FROM tenants WHERE id = ${tenantId})`
  })
  return sql`${sql.join(counts, sql` + `)}`
}

export function inOrder(list: List, select: SQL, limit: SQL): SQL {
  return sql`${select} ORDER BY ${orderOf(list)} LIMIT ${limit} OFFSET ${list.offset}`
}

/** The ids of all matches. */
export function idsOf(list: List): SQL {
  return unionOf(list, idColumns, (source) =>
    list.most !== undefined && source.areIdsApart ? fewOrWalked(list, source) : undefined,
  )
}

/**
 * Matches of which each is read to know its id, in up to 4 µs. If they are more than FEW_READ, and more than a share of the
 * directory, all ids are walked through instead, each of which takes 0.15 µs, and only the row numbers of the matches are collected.
 */
const FEW_READ = 1_000
const READ_SHARE = 20

function fewOrWalked(list: List, source: Source): SQL {
  const { tenantId } = list
  const name = table(source)
  const most = sql.raw(String(mostRead(list)))
  const matches = sql`FROM ${name} WHERE ${matching(source, tenantId)}`
  const count = sql`(SELECT count(*) AS n FROM (SELECT 1 ${matches} LIMIT ${most}))`
  const areFew = sql`(n <= ${sql.raw(String(FEW_READ))} OR n * ${sql.raw(String(READ_SHARE))} <=
    (SELECT ${sql.raw(source.type.table.counters.count)} FROM tenants WHERE id = ${tenantId}))`
  // The left sides of joins: without their row, nothing else is read.
  const ifFew = sql`(SELECT 1 FROM ${count} WHERE ${areFew}) AS few CROSS JOIN `
  const ifMany = sql`(SELECT 1 FROM ${count} WHERE NOT ${areFew}) AS many CROSS JOIN `
  const walked = sql`SELECT ${idColumns(source)} FROM ${ifMany}${name}
    WHERE ${name}.tenant_id = ${tenantId} AND ${name}.id > ''${afterStart(list, source)}
      AND +${name}.rowid IN (SELECT ${name}.rowid ${matches} LIMIT ${most})`
  return sql`SELECT * FROM (${foundOf(list, source, idColumns, sql`${ifFew}${name}`)} UNION ALL ${walked})`
}

export function idColumns(source: Source): SQL {
  const name = table(source)
  return sql`${literal(source.type)} AS type, ${name}.rowid AS row, ${name}.id AS id, ${source.sortKey} AS sortKey`
}

export function shownColumns(source: Source, groupsOf: (table: ResourceTable) => SQL): SQL {
  const { sortKey, type, withReferences } = source
  const groups = withReferences && showsGroups(type) ? groupsOf(type.table) : sql`NULL`
  const count = withReferences && hasMembers(type) ? sql`groups.member_count` : sql`NULL`
  return sql`${literal(type)} AS type, ${storedColumns(type.table)}, ${groups} AS groups,
    ${count} AS memberCount, ${sortKey} AS sortKey`
}

/** @param otherwise a source that is found in another way */
export function unionOf(
  list: List,
  columns: (source: Source) => SQL,
  otherwise: (source: Source) => SQL | undefined = () => undefined,
): SQL {
  return sql.join(
    list.sources.map((source) => otherwise(source) ?? foundOf(list, source, columns)),
    sql` UNION ALL `,
  )
}

function foundOf(
  list: List,
  source: Source,
  columns: (source: Source) => SQL,
  from = fromOf(list, source),
): SQL {
  const order = source.isSorted ? byId(source) : sql``
  const found = sql`SELECT ${columns(source)} FROM ${from}
    WHERE ${matching(source, list.tenantId)}${order}${afterStart(list, source)}`
  if (list.most === undefined || source.condition === undefined) return found
  return sql`SELECT * FROM (${found} LIMIT ${sql.raw(String(mostRead(list)))})`
}

/** The most matches that are read. The total of the previous page may be known, and a few more may match by now. */
function mostRead({ most = 0, isCounted }: List): number {
  return isCounted === true ? most + 1 : Math.ceil(most * 1.25)
}

function afterStart(list: List, source: Source): SQL {
  return list.from === undefined ? sql`` : sql` AND ${isAfter(list, source, list.from)}`
}

/** The table of a source. It is joined with one row that is missing beyond the budget; the table is not read then. */
export function fromOf({ budget }: List, source: Source): SQL {
  return budget === undefined || !source.isGated
    ? table(source)
    : sql`${affordable(budget.limit)}${table(source)}`
}

/** The left side of a join. */
export function affordable(limit: number | undefined): SQL {
  return sql`(SELECT work FROM estimate WHERE ${isAffordable(sql`work`, limit)}) AS affordable CROSS JOIN `
}

/** A common table expression for fromOf. */
export function estimate({ budget }: List): SQL {
  return budget === undefined ? sql`` : sql`WITH estimate(work) AS MATERIALIZED (${budget.query}) `
}

export function literal({ name }: Source['type']): SQL {
  return sql.raw(`'${name}'`)
}

/**
 * The order: missing values last when ascending and first when descending; then the key; then the id. For a short
 * page, SQLite would rather scan the whole tenant in this order than sort the few rows that an index finds. A plus
 * sign hides the index that has the order.
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

/** True for rows after the position, in the reading direction of the list. */
export function isAfter(list: List, source: Source, position: ListPosition): SQL {
  const columns = orderTerms(list, { key: source.sortKey, id: sql`${table(source)}.id` })
  const values = orderTerms(list, { key: keyAt(list, position), id: sql`${position.id}` })
  const operator = sql.raw(isReadDescending(list) ? '<' : '>')
  return sql`(${sql.join(columns.map(withoutNull), sql`, `)}) ${operator} (${sql.join(values.map(withoutNull), sql`, `)})`
}

/**
 * The sort key at a position. If the key is long, the position holds its beginning, and the rest is read from the
 * resource. If that was deleted or changed, the list continues at the first value with this beginning: some resources
 * may come again, and none is left out.
 */
function keyAt(list: List, { key, id, version }: ListPosition): SQL {
  if (version === undefined) return sql`${key}`
  const start = isReadDescending(list) ? `${key}${LAST_CHARACTER}` : key
  const keys = list.sources.map(
    (source) => sql`(SELECT ${source.sortKey} FROM ${table(source)}
      WHERE ${table(source)}.tenant_id = ${list.tenantId} AND ${table(source)}.id = ${id}
        AND ${table(source)}.version = ${version})`,
  )
  return sql`coalesce(${sql.join([...keys, sql`${start}`], sql`, `)})`
}

/** A row value that contains NULL compares as NULL. The first term distinguishes missing values already. */
function withoutNull(term: SQL, index: number, terms: readonly SQL[]): SQL {
  return terms.length === 3 && index === 1 ? sql`coalesce(${term}, '')` : term
}

/** The terms of the order. Ids are UUIDv7, so their order is that of creation. */
function orderTerms({ sources }: List, { key, id }: { key: SQL; id: SQL }): readonly SQL[] {
  const sorts = sources.flatMap(({ sort }) => sort ?? [])
  if (sorts.length === 0) return [id]
  if (sorts.length === 1 && sorts.every(isUnique)) return [key]
  // No index holds the first of the three terms.
  return sorts.every(isAlwaysPresent) ? [key, id] : [sql`(${key} IS NULL)`, key, id]
}

/** Backwards through an ascending list is the same as forwards through a descending one. */
export function isReadDescending({ sources, isBackwards = false }: List): boolean {
  return (sources[0]?.sort?.isDescending ?? false) !== isBackwards
}

export function matching({ condition, ...source }: Source, tenantId: Value): SQL {
  const inTenant = sql`${table(source)}.tenant_id = ${tenantId}${source.isGated ? mayEnd(source) : sql``}`
  return condition === undefined ? inTenant : sql`${inTenant} AND ${condition}`
}

/**
 * Every row meets it. Without it, SQLite would walk through all resources by the smallest index, which has them in the order of
 * their last change: each document would be on another page of the file.
 */
export function byId(source: Source): SQL {
  return source.isWalked ? sql` AND ${table(source)}.id > ''` : sql``
}

/** Every row meets it: see CHECKPOINT. */
function mayEnd(source: Pick<Source, 'type'>): SQL {
  return sql` AND (${table(source)}.rowid % ${sql.raw(String(ROWS_TO_CHECKPOINT))} OR ${sql.raw(CHECKPOINT)})`
}

export function table({ type }: Pick<Source, 'type'>): SQL {
  return sql.raw(type.table.name)
}
