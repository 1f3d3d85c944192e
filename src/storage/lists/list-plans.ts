/**
 * Plain lists: resources of one type in the order of ids, either all of them, or those with one value in one column or in `user_values`.
 * Identity providers rarely ask for other lists, so the statements of each kind are rendered once.
 */
import { type SQL, sql } from 'drizzle-orm'
import { target } from '../../scim/attribute-path.ts'
import { hasMembers, showsGroups } from '../../scim/schema/resource-type.ts'
import { prepared, type Slots, type SqlValue, type Statement } from '../database/database.ts'
import { selectNestedGroups } from '../resources/nested-groups.ts'
import { columnOf, hasIds, isIndexed } from './columns.ts'
import { knownTotal, type ListPart, type Slice } from './list-request.ts'
import type { List, Source } from './list-source.ts'
import { allOf, cutPageOf, membersOf, membersOfOnly, pageOf, totalOf } from './list-sql.ts'
import { wholeTestOf } from './value-lookups.ts'

/** A requested plain list. */
export interface PlainList {
  /** Whether at most one resource has the value. */
  readonly isUnique: boolean
  /**
   * The statements: the total, the page, the page if it may be large, and, if they are needed, the members of its
   * groups or the nested groups. For a unique value, which has at most one resource: the page and its members.
   */
  readonly statements: readonly Statement[]
  /** An index answers the list. */
  readonly budgets: readonly []
  /** The most matches that are read, if any number may be found and put in order. */
  readonly most: number | undefined
  /** Whether the list is read again, with the usual `most`, if there are more matches. */
  readonly isTried: boolean
  /** Whether it may take long. */
  readonly isLong: boolean
}

type PlanSlot = 'tenantId' | 'key' | 'offset' | 'limit' | 'read' | 'from'
type PlanValues = Readonly<Record<PlanSlot, SqlValue>>
type Plan = readonly ((values: PlanValues) => Statement)[]

/**
 * By the name of the table, which is the same for all tenants, and by kind. The number of kinds is bounded: columns,
 * with and without references, and directions.
 */
const plans = new Map<string, Map<string, Plan>>()

/**
 * @param mayBeTried whether a list of resources that share a value is read beside other requests if they are few, as they nearly
 *   always are
 * @returns undefined for a list of any other kind
 */
export function plainListOf(
  parts: readonly ListPart[],
  tenantId: string,
  slice: Slice,
  mayBeTried = false,
): PlainList | undefined {
  const [part] = parts
  if (part === undefined || parts.length > 1 || part.sort !== undefined) return undefined
  const lookup = lookupOf(part)
  if (lookup === undefined) return undefined
  const { column, attribute, isUnique, key } = lookup
  const isByPosition = 'from' in slice
  if (isByPosition && isUnique) return undefined
  const direction = isByPosition ? { isBackwards: slice.isBackwards, isFrom: slice.from !== undefined } : {}
  const { name } = part.type.table
  const ofTable = plans.get(name) ?? new Map<string, Plan>()
  plans.set(name, ofTable)
  const shared = mostOf(lookup)
  const known = knownTotal(slice)
  // A later page does not count, so it would not know that there are more.
  const isTried = mayBeTried && shared !== undefined && known === undefined
  const most = isTried ? FEW_SHARED : shared
  const kind = [part.withReferences, column, attribute, most, ...Object.values(direction)].join(' ')
  const plan = ofTable.get(kind) ?? planOf(part, { ...lookup, most }, direction)
  ofTable.set(kind, plan)
  const statements = plan.map((statementOf) =>
    statementOf({
      tenantId,
      key,
      limit: slice.limit,
      // One more row tells whether there is another page.
      read: isByPosition ? slice.limit + 1 : slice.limit,
      offset: isByPosition ? 0 : slice.offset,
      from: isByPosition ? (slice.from?.id ?? null) : null,
    }),
  )
  return {
    isUnique,
    budgets: [],
    most,
    isTried,
    isLong: shared !== undefined && !isTried && (known ?? MOST_SHARED) > FEW_SHARED,
    statements: isByPosition && slice.total !== undefined ? statements.slice(1) : statements,
  }
}

/** For a page by position: whether it is read backwards, and whether it begins at a position. */
interface Direction {
  readonly isBackwards?: boolean
  readonly isFrom?: boolean
}

/** The value of a filter, and its column. */
interface Lookup {
  /** Undefined without a filter, and for a value in `user_values`. */
  readonly column: string | undefined
  /** The number of the attribute in `user_values`. */
  readonly attribute?: number
  readonly isUnique: boolean
  /** Whether the index of the column has the ids. */
  readonly hasIds?: boolean
  readonly key: SqlValue
}

function lookupOf({ type, filter }: ListPart): Lookup | undefined {
  if (filter === undefined) return { column: undefined, isUnique: false, key: null }
  const test = wholeTestOf(filter, type)
  if (test?.operator === 'eq')
    return { column: undefined, attribute: test.attribute.number, isUnique: false, key: test.key }
  if (filter.kind !== 'comparison' || filter.operator !== 'eq') return undefined
  const { path, key } = filter
  const { sql: column, index } = columnOf(path, type) ?? {}
  // Many resources may share the value, so the list is a range: see scan-budget.ts.
  if (column === undefined || index === 'range' || !isIndexed(filter, type)) return undefined
  const isUnique = target(path).uniqueness === 'server'
  return {
    column,
    isUnique,
    hasIds: hasIds(path, type),
    key: typeof key === 'boolean' ? Number(key) : key,
  }
}

/** Resources that share a value of a column. All of them are counted, and found in the order of their ids: see idsOf. */
const MOST_SHARED = 50_000
/** Of so many, the documents are read before they are put in order: up to 13 µs for each. */
const FEW_SHARED = 1_000

function mostOf({ column, isUnique }: Lookup): number | undefined {
  return column === undefined || isUnique ? undefined : MOST_SHARED
}

function planOf(
  { type, withReferences }: ListPart,
  lookup: Lookup & Pick<PlainList, 'most'>,
  { isBackwards = false, isFrom = false }: Direction,
): Plan {
  const { column, attribute, isUnique, most } = lookup
  const areMany = most === MOST_SHARED
  const found = (slots: Slots<PlanSlot>): Pick<Source, 'condition' | 'total'> => {
    if (attribute !== undefined) return withValue(slots, type, attribute, { isBackwards, isFrom })
    return { condition: column === undefined ? undefined : sql`${sql.raw(column)} = ${slots.key}` }
  }
  const plan = (query: (list: List) => SQL, limit: 'read' | 'limit' = 'read') =>
    prepared((slots: Slots<PlanSlot>) => {
      const source = {
        type,
        withReferences,
        sort: undefined,
        sortKey: sql`NULL`,
        ...found(slots),
        isIndexed: column !== undefined,
        isSorted: areMany,
        areIdsApart: areMany && !lookup.hasIds,
      }
      return query({
        tenantId: slots.tenantId,
        offset: slots.offset,
        limit: slots[limit],
        sources: [source],
        most,
        from: isFrom ? { key: null, id: slots.from } : undefined,
        isBackwards,
      })
    })
  const isWithMembers = hasMembers(type) && withReferences
  if (isUnique) return [plan(allOf), ...(isWithMembers ? [plan(membersOfOnly)] : [])]
  return [
    plan(totalOf),
    plan(pageOf),
    plan(cutPageOf),
    ...(isWithMembers ? [plan(membersOf, 'limit')] : []),
    ...(showsGroups(type) && withReferences ? [selectNestedGroups] : []),
  ]
}

/**
 * The users with a value in `user_values`, which has them in the order of their ids: a page reads those up to its end,
 * however many there are.
 */
function withValue(
  slots: Slots<PlanSlot>,
  { table }: ListPart['type'],
  attribute: number,
  { isBackwards, isFrom }: Required<Direction>,
): Pick<Source, 'condition' | 'total'> {
  const ids = sql`FROM user_values WHERE tenant_id = ${slots.tenantId}
    AND attribute = ${sql.raw(String(attribute))} AND value = CAST(${slots.key} AS BLOB)`
  const after = isFrom ? sql` AND user_id ${sql.raw(isBackwards ? '<' : '>')} ${slots.from}` : sql``
  const order = sql.raw(isBackwards ? 'DESC' : 'ASC')
  return {
    condition: sql`${sql.raw(table.name)}.id IN (SELECT user_id ${ids}${after}
      ORDER BY user_id ${order} LIMIT ${slots.offset} + ${slots.read})`,
    total: sql`(SELECT count(*) ${ids})`,
  }
}
