/**
 * Pages of all resources in the order of an attribute whose values an index has: its entries are read up to the end of the page.
 * The index lacks resources without a value, which are last, or first in descending order. A page that may have some of them is
 * found by a scan. Whether there are any is known if all entries are counted.
 */
import { type SQL, sql } from 'drizzle-orm'
import { pathText } from '../../scim/attribute-path.ts'
import { MAX_VALUE_BYTES } from '../tables/user-values.ts'
import { columnOf } from './columns.ts'
import { isReadDescending, literal } from './list-clauses.ts'
import type { List, ListPosition, Source } from './list-source.ts'
import type { ScanBudget } from './scan-budget.ts'
import { SHOWN } from './scan-times.ts'
import { isAffordable, LIMIT } from './scan-work.ts'

/** Nanoseconds to count an entry of an index, and to read one. */
const COUNTED = 40
const ENTRY = 120
/** Nanoseconds to read the id of a resource and to sort it. */
const RESOURCE = 1_500
/** A page that is found within this time is read beside other requests. */
const LITTLE = 3_000_000

/** An index that has the values of an attribute in their order. */
interface OrderIndex {
  readonly table: SQL
  /** The condition of the entries of the tenant. */
  readonly all: SQL
  readonly key: SQL
  /** The sort key of a position in the form of `key`. */
  readonly keyOf: (sortKey: SQL) => SQL
  readonly id: SQL
  readonly row: SQL
  /** Whether equal keys are in the order of ids. Otherwise, their resources are read and sorted. */
  readonly hasIds: boolean
  /** Whether a key is the beginning of a longer one, so that its order is not known. */
  readonly isCut: SQL
}

/**
 * The same list, found by an index.
 *
 * @param budget of the list by a scan
 * @param isCounting whether all entries may be counted, which D1 bills
 * @returns undefined if no index has the order
 */
export function orderedListOf(list: List, budget: ScanBudget, isCounting: boolean): List | undefined {
  const [source, ...others] = list.sources
  if (source === undefined || others.length > 0 || source.condition !== undefined) return undefined
  const { from } = list
  if (from !== undefined && !isWhole(from)) return undefined
  const index = orderIndexOf(source, list)
  if (index === undefined || (!isCounting && beginsWithMissing(list))) return undefined
  const found = { list, source, index, isCounting }
  return {
    ...list,
    sources: [{ ...source, ordered: (page) => pageOf(page, source, index) }],
    budget: {
      ...budget,
      query: estimateOf(found, LIMIT),
      few: estimateOf(found, LITTLE),
      isOfValues: false,
    },
  }
}

/** True for a page that begins with resources without a value, if there are any. */
function beginsWithMissing(list: List): boolean {
  return isReadDescending(list) && list.from === undefined
}

/** True for a position after a value that the index has as a whole. A UTF-16 unit takes at most three bytes. */
function isWhole({ key, version }: ListPosition): boolean {
  return typeof key === 'string' && version === undefined && key.length * 3 < MAX_VALUE_BYTES
}

function orderIndexOf({ sort, type }: Source, { tenantId }: List): OrderIndex | undefined {
  if (sort?.path === undefined || sort.path.steps.some(({ multiValued }) => multiValued)) return undefined
  const users = sql.raw(type.table.name)
  const column = columnOf(sort.path, type)
  if (column?.index === 'value') {
    const key = sql.raw(column.sql)
    return {
      table: users,
      all: sql`${users}.tenant_id = ${tenantId} AND ${key} IS NOT NULL`,
      key,
      keyOf: (sortKey) => sortKey,
      id: sql`${users}.id`,
      row: sql`${users}.rowid`,
      hasIds: false,
      isCut: sql`0`,
    }
  }
  const attribute = type.table.values?.[pathText(sort.path)]
  if (attribute === undefined || attribute.only !== undefined) return undefined
  return {
    table: sql`user_values`,
    all: sql`user_values.tenant_id = ${tenantId} AND attribute = ${sql.raw(String(attribute.number))}`,
    key: sql`value`,
    keyOf: (sortKey) => sql`CAST(${sortKey} AS BLOB)`,
    id: sql`user_id`,
    row: sql`(SELECT ${users}.rowid FROM ${users} WHERE ${users}.tenant_id = ${tenantId} AND ${users}.id = user_id)`,
    hasIds: true,
    isCut: sql`octet_length(value) >= ${sql.raw(String(MAX_VALUE_BYTES))}`,
  }
}

/** The page in order: `type`, `row` and `id` of each resource. */
function pageOf(list: List, source: Source, index: OrderIndex): SQL {
  const direction = directionOf(list)
  // As a condition, it would keep SQLite from walking through the index.
  const limit = sql`iif(${isAffordable(sql`(SELECT work FROM estimate)`)}, ${list.limit}, 0)`
  return sql`SELECT ${literal(source.type)} AS type, ${index.row} AS row, ${index.id} AS id, NULL AS sortKey
    ${entriesOf(list, index)} ORDER BY ${index.key} ${direction}, ${index.id} ${direction} LIMIT ${limit} OFFSET ${list.offset}`
}

/** The entries after the position at which the page begins. */
function entriesOf({ from, ...list }: List, { table, all, key, keyOf, id }: OrderIndex): SQL {
  if (from === undefined) return sql`FROM ${table} WHERE ${all}`
  const operator = sql.raw(isReadDescending(list) ? '<' : '>')
  return sql`FROM ${table} WHERE ${all} AND (${key}, ${id}) ${operator} (${keyOf(sql`${from.key}`)}, ${from.id})`
}

function directionOf(list: List): SQL {
  return sql.raw(isReadDescending(list) ? 'DESC' : 'ASC')
}

interface Ordered {
  readonly list: List
  readonly source: Source
  readonly index: OrderIndex
  readonly isCounting: boolean
}

/**
 * One row: the estimate; NULL if the page may have resources that the index lacks, or if they take longer to find.
 *
 * @param most the longest time to find the page
 */
function estimateOf({ list, source, index, isCounting }: Ordered, most: number): SQL {
  const { all, key, keyOf, hasIds, isCut } = index
  const isDescending = isReadDescending(list)
  const number = (nanoseconds: number) => sql.raw(String(nanoseconds))
  const end = sql`(${list.offset} + ${list.limit})`
  // No more than can be read within the limit.
  const read = sql`(SELECT ${key} AS key, ${isCut} AS isCut ${entriesOf(list, index)}
    ORDER BY ${key} ${directionOf(list)} LIMIT min(${end}, ${number(Math.ceil(LIMIT / ENTRY))}) + 1)`
  const equal = (value: SQL) =>
    sql`(SELECT count(*) FROM (SELECT 1 FROM ${index.table} WHERE ${all} AND ${key} = ${value} LIMIT ${number(Math.ceil(LIMIT / RESOURCE))}))`
  const ties = [sql`last`, ...(list.from === undefined ? [] : [keyOf(sql`${list.from.key}`)])].map(equal)
  const time = hasIds
    ? sql`${number(ENTRY)} * ${end}`
    : sql`${number(RESOURCE)} * (${end} + ${sql.join(ties, sql` + `)})`
  const count = sql.raw(`t.${source.type.table.counters.count}`)
  const areAllThere = isCounting
    ? sql`(${number(COUNTED)} * ${count} <= ${number(most)}
      AND (SELECT count(*) FROM ${index.table} WHERE ${all}) = ${count})`
    : sql`0`
  // In ascending order, resources without a value follow the end of the index. In descending order, none does.
  const isComplete = beginsWithMissing(list)
    ? areAllThere
    : isDescending
      ? sql`1`
      : sql`(n > ${end} OR ${areAllThere})`
  return sql`SELECT iif(NOT cut AND ${time} <= ${number(most)} AND ${isComplete}, ${time} + ${number(SHOWN)} * min(${list.limit}, n), NULL) AS work
    FROM (SELECT count(*) AS n, coalesce(max(isCut), 0) AS cut, ${sql.raw(isDescending ? 'min' : 'max')}(key) AS last FROM ${read})
    CROSS JOIN tenants AS t WHERE t.id = ${list.tenantId}`
}
