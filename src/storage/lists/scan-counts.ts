/**
 * The rows that a list scans, counted in SQL: the number of resources and memberships and their sizes, from the
 * counters of the tenant.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { AttributePath } from '../../scim/attribute-path.ts'
import type { Filter } from '../../scim/filter/ast.ts'
import { compileFilter } from '../../scim/filter/compile.ts'
import { MAX_SCAN_MILLISECONDS } from '../../scim/limits.ts'
import { hasMembers, showsGroups } from '../../scim/schema/resource-type.ts'
import { IS_NESTED } from '../tables/member-types.ts'
import {
  GROUPS_TABLE,
  type ResourceTable,
  type StoredResourceType,
  USERS_TABLE,
} from '../tables/resource-tables.ts'
import { columnsOf } from './column-map.ts'
import { isMembershipOfKnown, toSql } from './columns.ts'
import type { ListPart } from './list-request.ts'
import { membersReached } from './membership-columns.ts'
import { candidatesOf, isOfOne, leavesOf } from './scan-conditions.ts'
import { MEASURE, MEMBERSHIP, MOST_BLOCKS, type Reached, type Time, workTimes } from './scan-times.ts'
import { valueLookupOf } from './value-lookups.ts'

export const LIMIT = MAX_SCAN_MILLISECONDS * 1e6

/** Beyond this number of conditions, each is assumed to find everything. */
const MOST_COUNTED = 8

/** Nanoseconds, as an expression over `t`, the row of the tenant, in which `name` is the `count` of scanned rows. */
export function workOf(
  part: ListPart,
  tenantId: string,
  passes: number,
  name: string,
): { readonly work: SQL; readonly count: SQL } {
  const { type } = part
  const work = workTimes(part)
  // The count stops where the limit is exceeded.
  const most = Math.ceil(LIMIT / (passes * work.own.row)) + 1
  const withElements = isOfElements(part)
  const { n: count, b: size } = lookedThrough(part, tenantId, most, withElements)
  const n = sql.raw(`t.${name}`)
  const nested = sql`(SELECT count(*) FROM memberships WHERE tenant_id = t.id AND ${sql.raw(IS_NESTED)})`
  const counted = work.reached.slice(0, MOST_COUNTED)
  const rest = work.reached.slice(MOST_COUNTED)
  const users = all(USERS_TABLE)
  const groups = all(GROUPS_TABLE)
  const other = hasMembers(type) ? users : groups
  const terms = [
    ...times(work.users, users.n, users.b),
    ...times(work.groups, groups.n, groups.b),
    ...times(work.ownGroups, sql`${n} * ${groups.n}`, sql`${n} * ${groups.b}`),
    ...times(work.other, n, sql`${n} * min(${other.b}, ${sql.raw(String(MOST_BLOCKS))})`),
    ...product(work.memberships + MEMBERSHIP * rest.length, sql`t.membership_count`),
    ...product(work.left, leftMemberships(work.left)),
    ...product(work.steps, sql`${n} * ${nested}`),
    ...counted.map((one) => reachedWork(one, type, tenantId)),
  ]
  const own = ownWork({ row: passes * work.own.row, block: passes * work.own.block }, n, {
    most: mostBlocks(type.table, n, withElements),
    exact: size,
  })
  return { work: sql`(${own} + ${sql.raw(String(passes))} * ${plus(terms)})`, count }
}

/** Memberships that deleted groups have left, up to the number that takes longer than the limit. */
function leftMemberships(nanoseconds: number): SQL {
  const most = sql.raw(String(Math.ceil(LIMIT / Math.max(1, nanoseconds)) + 1))
  return sql`(SELECT count(*) FROM (SELECT 1 FROM deleted_groups AS d
    CROSS JOIN memberships AS m ON m.tenant_id = d.tenant_id AND m.group_id = d.id WHERE d.tenant_id = t.id LIMIT ${most}))`
}

/** The blocks of resources: the most that the counters of the tenant allow, and the exact number, if it is measured. */
interface Sizes {
  readonly most: SQL
  readonly exact: SQL | undefined
}

/**
 * The most blocks of `n` resources: a block has 16 pieces, and a resource less than one beyond those that are counted.
 *
 * @param withElements whether each object from the fifth on counts as a piece
 */
function mostBlocks({ counters: { pieces, objects } }: ResourceTable, n: SQL, withElements: boolean): SQL {
  const counted = withElements ? `t.${pieces} + t.${objects}` : `t.${pieces}`
  return sql`((${sql.raw(counted)} + ${n}) / 16.0)`
}

/** The work to scan `n` resources. Those that an index finds are measured if that makes a difference. */
function ownWork({ row, block }: Time, n: SQL, { most, exact }: Sizes): SQL {
  const [each, perBlock] = [row, block].map((time) => sql.raw(String(Math.round(time))))
  const unmeasured = sql`(${each} * ${n} + ${perBlock} * ${most})`
  if (exact === undefined) return unmeasured
  const measured = sql`(${sql.raw(String(Math.round(row + MEASURE.row)))} * ${n}
    + ${sql.raw(String(Math.round(block + MEASURE.block)))} * ${exact})`
  return sql`CASE WHEN ${unmeasured} <= ${sql.raw(String(LIMIT / 2))} THEN ${unmeasured}
    WHEN ${each} * ${n} > ${sql.raw(String(LIMIT))} THEN ${each} * ${n} ELSE ${measured} END`
}

const BYTES = 'max(octet_length(data) + octet_length(keys) - 1024, 0)'
const OBJECTS = `max(octet_length(keys) - octet_length(replace(keys, '{', '')) - 4, 0)`
/** The size of a row in blocks, with fractions: 4 KiB of its documents beyond the first. */
const SIZE = sql.raw(`${BYTES} / 4096.0`)
/** The same for a scan of elements: each object from the fifth on counts 256 extra bytes. */
const SIZE_WITH_ELEMENTS = sql.raw(`(${BYTES} + 256 * ${OBJECTS}) / 4096.0`)

/** True for a part that scans elements of a list in the documents. */
function isOfElements({ filter, sort }: ListPart): boolean {
  const paths = [
    ...(filter === undefined ? [] : leavesOf(filter).flatMap(leafPaths)),
    ...(sort?.path === undefined ? [] : [sort.path]),
  ]
  return paths.some(({ steps }) => steps.some(({ multiValued }) => multiValued))
}

function leafPaths(filter: Filter): readonly AttributePath[] {
  if (filter.kind === 'not') return leavesOf(filter.operand).flatMap(leafPaths)
  return 'path' in filter ? [filter.path] : []
}

/** A tree of depth log2(n): SQLite counts the depth of `a + b + c …` as n, and refuses more than 100. */
export function plus(terms: readonly SQL[]): SQL {
  const [only] = terms
  if (terms.length <= 1) return only ?? sql`0`
  const half = Math.ceil(terms.length / 2)
  return sql`(${plus(terms.slice(0, half))} + ${plus(terms.slice(half))})`
}

function times({ row, block }: Time, rows: SQL, blocks: SQL): readonly SQL[] {
  return [...product(row, rows), ...product(block, blocks)]
}

function product(nanoseconds: number, count: SQL): readonly SQL[] {
  return nanoseconds === 0 ? [] : [sql`${sql.raw(String(Math.round(nanoseconds)))} * ${count}`]
}

/** A number of resources, and their blocks. */
interface Counts {
  readonly n: SQL
  readonly b: SQL
}

function all({ counters: { count, blocks } }: Pick<ResourceTable, 'counters'>): Counts {
  return { n: sql.raw(`t.${count}`), b: sql.raw(`t.${blocks}`) }
}

/** A number of resources, and their blocks if they are measured. */
interface LookedThrough {
  readonly n: SQL
  readonly b: SQL | undefined
}

/**
 * The rows that a part scans: everything, or the matches of indexed conditions, counted up to `most` each. If there
 * are many conditions, each is assumed to find everything, because D1 limits the length of a statement and the memory
 * of SQLite.
 */
function lookedThrough(
  { type, filter }: ListPart,
  tenantId: string,
  most: number,
  withElements: boolean,
): LookedThrough {
  const table = sql.raw(type.table.name)
  const conditions = candidatesOf(filter, type)
  const size = withElements ? SIZE_WITH_ELEMENTS : SIZE
  if (conditions === undefined) return { n: all(type.table).n, b: undefined }
  const counted = conditions.filter((condition) => !isOfOne(condition))
  const ones = sql.raw(String(conditions.length - counted.length))
  if (counted.length > MOST_COUNTED) {
    const { n, b } = all(type.table)
    return { n: sql`${sql.raw(String(counted.length))} * ${n} + ${ones}`, b }
  }
  const countOf = (condition: Filter) =>
    showsGroups(type) && isMembershipOfKnown(condition, type)
      ? memberCount(condition, type, tenantId)
      : total([condition], sql`count(*)`, sql`1`)
  const total = (some: readonly Filter[], expression: SQL, column: SQL) =>
    plus(
      some.map((found) => {
        const condition = toSql(
          valueLookupOf(found, type, tenantId)?.condition ??
            compileFilter(found, columnsOf(type, tenantId, found)),
        )
        return sql`(SELECT ${expression} FROM (SELECT ${column} AS x FROM ${table}
          WHERE ${table}.tenant_id = ${tenantId} AND ${condition} LIMIT ${sql.raw(String(most))}))`
      }),
    )
  return {
    n: plus([...counted.map((one) => countOf(one)), ones]),
    b:
      conditions.length > MOST_COUNTED
        ? all(type.table).b
        : total(conditions, sql`coalesce(sum(x), 0)`, size),
  }
}

/** Nanoseconds. Up to this cost of finding the groups, their members are counted; above it, all memberships are assumed. */
const LITTLE = 5_000_000

function reachedWork({ filter, read }: Reached, type: StoredResourceType, tenantId: string): SQL {
  const isLittle = `${Math.round(read.row)} * t.${GROUPS_TABLE.counters.count} + ${Math.round(read.block)} * t.${GROUPS_TABLE.counters.blocks} <= ${LITTLE}`
  return sql`${sql.raw(String(MEMBERSHIP))} * iif(${sql.raw(isLittle)}, ${memberCount(filter, type, tenantId)}, t.membership_count)`
}

/**
 * The number of members of the groups that a filter on `groups` finds.
 *
 * @param filter one test or value path, without "type"
 */
function memberCount(filter: Filter, type: StoredResourceType, tenantId: string): SQL {
  const columns = { ...columnsOf(type, tenantId, filter), rows: membersReached(tenantId) }
  return toSql(compileFilter(filter, columns))
}
