/**
 * How a list is answered: by which index, how many resources are read, and which of its tests no index answers.
 */
import { simplifyFilter } from '../../scim/filter/simplify.ts'
import { type Statement, statement } from '../database/database.ts'
import type { TenantContext } from '../tenants/context.ts'
import { searchOf } from './list.ts'
import { plainListOf } from './list-plans.ts'
import type { ListPart, Slice } from './list-request.ts'
import { isIndexedTest, leavesOf } from './scan-conditions.ts'
import { indexedTests, testsIn } from './scan-refusals.ts'
import { LIMIT } from './scan-work.ts'

/** A test of the filter, such as "userName eq". */
export interface ExplainedTest {
  readonly resourceType: string
  readonly test: string
  readonly isIndexed: boolean
}

export interface ExplainedList {
  /** Whether indexes lead to all matches. If not, resources are looked through. */
  readonly isIndexed: boolean
  /** The indexes of the resource tables in which SQLite looks up more than the tenant. */
  readonly indexes: readonly string[]
  readonly tests: readonly ExplainedTest[]
  /** The number of resources that are looked through, counted up to the limit; null if an index leads to the matches. */
  readonly scanned: number | null
  /** The estimated time to look through them; null likewise. */
  readonly estimatedMs: number | null
  /** The longest estimated time that is allowed. */
  readonly allowedMs: number
  /** The tests that an index answers, for each type. */
  readonly indexed: readonly string[]
}

/** Explains a list. Reads no page of it. */
export async function explainList(
  tenant: Pick<TenantContext, 'tenantId' | 'database'>,
  parts: readonly ListPart[],
  slice: Slice,
): Promise<ExplainedList> {
  const { statements, budgets } = plainListOf(parts, tenant.tenantId, slice) ?? searchOf(parts, tenant, slice)
  // Values lead to all matches, which are only counted before.
  const isIndexed = budgets.every(({ isOfValues }) => isOfValues)
  const estimates = budgets.flatMap(({ query, scanned }) => [statement(query), statement(scanned)])
  const results = await tenant.database.batch([...estimates, ...statements.map(planOf)])
  const rows = results.map((result) => result.rows[0])
  const kept = budgets.findIndex((budget, i) => budget.isKept(rows[2 * i]))
  const shown = kept < 0 ? budgets.length - 1 : kept
  const [work, scanned] = rows.slice(2 * shown)
  const steps = results
    .slice(estimates.length)
    .flatMap(({ rows }) => rows.map(({ detail }) => String(detail)))
    .filter((step) => isIndexed || !WALK.test(step))
  return {
    isIndexed,
    indexes: indexesIn(steps, parts),
    tests: parts.flatMap(testsOf),
    scanned: isIndexed ? null : Number(scanned?.scanned ?? 0),
    estimatedMs: isIndexed ? null : Math.ceil(Number(work?.work ?? 0) / 1e6),
    allowedMs: (budgets[shown]?.limit ?? LIMIT) / 1e6,
    indexed: parts.map(({ type }) => `${type.name}: ${indexedTests(type)}`),
  }
}

/** A walk through all resources: the condition on the id gives it an order, and leaves none out. See byId in list-clauses.ts. */
const WALK = /^SEARCH \w+ USING INDEX sqlite_autoindex_\w+ \(tenant_id=\? AND id>\?\)$/

function planOf({ sql, params }: Statement): Statement {
  return { sql: `EXPLAIN QUERY PLAN ${sql}`, params }
}

/** @param steps such as "SEARCH users USING INDEX users_by_user_name (tenant_id=? AND user_name_key=?)" */
function indexesIn(steps: readonly string[], parts: readonly ListPart[]): readonly string[] {
  const tables = parts.map(({ type }) => type.table.name)
  const names = steps.flatMap((step) => {
    const [, table, index] =
      /^(?:SEARCH|SCAN) (\w+) USING (?:COVERING )?INDEX (\w+) \(tenant_id=\? AND /.exec(step) ?? []
    return table !== undefined && index !== undefined && tables.includes(table) ? [index] : []
  })
  return [...new Set(names)]
}

function testsOf({ type, filter }: ListPart): readonly ExplainedTest[] {
  if (filter === undefined) return []
  return leavesOf(simplifyFilter(filter)).flatMap((leaf) =>
    testsIn(leaf).map((test) => ({
      resourceType: type.name,
      test,
      isIndexed: isIndexedTest(leaf, type),
    })),
  )
}
