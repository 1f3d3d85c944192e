/**
 * Plain lists: of one type, in the order of ids, by index, and either all of it or what has one value in one
 * column. Identity providers ask for hardly any other, so their statements are written once for each kind.
 */
import { type SQL, sql } from 'drizzle-orm'
import { pathText, target } from '../scim/attribute-path.ts'
import { COLUMNS, isIndexed } from './columns.ts'
import { prepared, type Slots, type SqlValue, type Statement } from './database.ts'
import type { ListPart, Slice } from './list.ts'
import { allOf, type List, membersOf, pageOf, totalOf } from './list-sql.ts'
import { selectNestedGroups } from './nested-groups.ts'

/** A plain list that was asked for. */
export interface PlainList {
  /** At most one resource has the value. */
  readonly isUnique: boolean
  /**
   * What to run: the total, the page, and the members of its groups, or the nested groups, where they are wanted. Of a
   * unique value there is the page alone, which is not cut, and the members: there is one resource or none.
   */
  readonly statements: readonly Statement[]
}

type PlanSlot = 'tenantId' | 'key' | 'offset' | 'limit'
type PlanValues = Readonly<Record<PlanSlot, SqlValue>>
type Plan = readonly ((values: PlanValues) => Statement)[]

/** By kind: there are as many as there are resource types and columns, with and without references. */
const plans = new Map<string, Plan>()

/** @returns undefined for a list of any other kind */
export function plainListOf(
  parts: readonly ListPart[],
  tenantId: string,
  slice: Slice,
): PlainList | undefined {
  const [part] = parts
  if (part === undefined || parts.length > 1 || part.sort !== undefined || 'from' in slice) return undefined
  const lookup = lookupOf(part)
  if (lookup === undefined) return undefined
  const { column, isUnique, key } = lookup
  const kind = `${part.type} ${part.withReferences} ${column}`
  const plan = plans.get(kind) ?? planOf(part, lookup)
  plans.set(kind, plan)
  const values = { tenantId, key, offset: slice.offset, limit: slice.limit }
  return { isUnique, statements: plan.map((statementOf) => statementOf(values)) }
}

/** The value that a filter looks for, and the column. */
interface Lookup {
  /** Whether an index finds it. */
  readonly isIndexed: boolean
  /** Undefined without a filter. */
  readonly column: string | undefined
  readonly isUnique: boolean
  readonly key: SqlValue
}

function lookupOf({ type, filter }: ListPart): Lookup | undefined {
  if (filter === undefined) return { column: undefined, isIndexed: false, isUnique: false, key: null }
  if (filter.kind !== 'comparison' || filter.operator !== 'eq') return undefined
  const { path, key } = filter
  const column = COLUMNS[type][pathText(path)]
  if (column === undefined) return undefined
  const isUnique = target(path).uniqueness === 'server'
  return {
    column,
    isIndexed: isIndexed(filter, type),
    isUnique,
    key: typeof key === 'boolean' ? Number(key) : key,
  }
}

function planOf({ type, withReferences }: ListPart, { column, isIndexed, isUnique }: Lookup): Plan {
  const plan = (query: (list: List) => SQL) =>
    prepared((slots: Slots<PlanSlot>) => {
      const condition = column === undefined ? undefined : sql`${sql.raw(column)} = ${slots.key}`
      const source = { type, withReferences, sort: undefined, sortKey: sql`NULL`, condition, isIndexed }
      return query({ tenantId: slots.tenantId, offset: slots.offset, limit: slots.limit, sources: [source] })
    })
  const page = isUnique ? allOf : pageOf
  const members = plan((list) => membersOf(list, page(list)))
  const hasMembers = type === 'Group' && withReferences
  const hasNested = type === 'User' && withReferences && !isUnique
  return [
    ...(isUnique ? [] : [plan(totalOf)]),
    plan(page),
    ...(hasMembers ? [members] : []),
    ...(hasNested ? [selectNestedGroups] : []),
  ]
}
