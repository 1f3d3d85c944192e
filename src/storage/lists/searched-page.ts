/**
 * The statement of a list with a budget: a page and the number of matches, in one pass through the table, or nothing but the
 * estimate if that exceeds the limit.
 */
import { type SQL, sql } from 'drizzle-orm'
import { directGroups } from '../resources/memberships.ts'
import {
  affordable,
  byId,
  estimate,
  fromOf,
  idColumns,
  idsOf,
  inOrder,
  isAfter,
  isReadDescending,
  literal,
  matching,
  shownColumns,
  table,
  totalNumberOf,
} from './list-clauses.ts'
import type { List, Source } from './list-source.ts'
import { FITS, mayBeLarge, sizedPage } from './page-size.ts'
import { isAffordable } from './scan-work.ts'

/**
 * A page of a list with a budget, and the number of matches, in no order, in one pass through the table. Rows are
 * those of cutPageOf, and a last one with `work`, the estimate, and `matches`.
 */
export function searchedPageOf(list: List): SQL {
  const sparse = list.sources.flatMap((source) => candidatesOf(list, source))
  const isMaterialized =
    sparse.length > 0 ||
    list.sources.some(({ ids }) => ids !== undefined) ||
    (list.isCounted === true && list.sources.every(({ condition }) => condition !== undefined))
  const found = sql.join(
    list.sources.map((source) => {
      const type = sql`${literal(source.type)} AS type`
      if (source.ids !== undefined)
        return sql`SELECT DISTINCT ${type}, NULL AS row, ${source.ids.id} AS resource FROM ${affordable(list.budget?.limit)}${source.ids.rows}`
      const rows = sql`SELECT ${type}, ${table(source)}.rowid AS row, ${table(source)}.id AS resource`
      const matches = matching(source, list.tenantId)
      if (source.sparse === undefined)
        return sql`${rows} FROM ${fromOf(list, source)} WHERE ${matches}${byId(source)}`
      return sql`${rows} FROM candidates CROSS JOIN ${table(source)} ON ${table(source)}.rowid = candidates.row
        WHERE ${isAffordable(sql`(SELECT work FROM tested)`, list.budget?.limit)} AND ${matches}`
    }),
    sql` UNION ALL `,
  )
  const ids = isMaterialized ? foundIdsOf(list) : idsOf(list)
  const page =
    list.sources[0]?.ordered?.(list) ??
    inOrder(list, list.sources.length === 1 ? ids : sql`SELECT * FROM (${ids})`, sql`${list.limit}`)
  const isByIds = list.sources.some((source) => source.ids !== undefined)
  const shown = list.sources.map((source) => {
    const name = table(source)
    return sql`SELECT ${shownColumns(source, directGroups)}, sized.number AS total, sized.available AS available,
        NULL AS work, NULL AS matches
      FROM sized CROSS JOIN ${name} ON ${name}.rowid = sized.row
      WHERE sized.type = ${literal(source.type)} AND ${FITS}`
  })
  const matches = isMaterialized
    ? sql`(SELECT count(*) FROM found)`
    : list.isCounted === true
      ? totalNumberOf(list)
      : sql`NULL`
  return sql`${estimate(list)},
    ${sql.join(sparse, sql``)}
    ${isMaterialized ? sql`found AS MATERIALIZED (${found}),` : sql``}
    ${isByIds ? sql`on_page AS MATERIALIZED (${page}),` : sql``}
    ${sizedPage(list, isByIds ? rowsOnPage(list) : page, mayBeLarge(list))}
    ${sql.join(shown, sql` UNION ALL `)}
    UNION ALL SELECT ${sql.join(
      Array.from({ length: 11 }, () => sql`NULL`),
      sql`, `,
    )},
      (SELECT work FROM ${sql.raw(sparse.length > 0 ? 'tested' : 'estimate')}), ${matches}`
}

/** Common table expressions: the resources that are tested, and the work if they are, or would be if there are more. */
function candidatesOf(list: List, source: Source): readonly SQL[] {
  const { sparse } = source
  if (sparse === undefined) return []
  const { prefilter, work, workWithElements, most, otherwise } = sparse
  const all = matching({ ...source, condition: sql`(${prefilter})` }, list.tenantId)
  const estimated = sql`(SELECT work FROM estimate)`
  const least = sql`${estimated} + coalesce(sum(work), 0)`
  const measured =
    workWithElements === undefined
      ? least
      : sql`iif(${isAffordable(least, list.budget?.limit)}, (SELECT ${estimated} + coalesce(sum(${workWithElements}), 0)
          FROM candidates AS c CROSS JOIN ${table(source)} ON ${table(source)}.rowid = c.row), ${least})`
  return [
    sql`candidates(row, work) AS MATERIALIZED (SELECT ${table(source)}.rowid, ${work} FROM ${fromOf(list, source)}
      WHERE ${all}${byId(source)} LIMIT CAST(coalesce(${most}, 0) AS INTEGER) + 1),
    measured(work) AS MATERIALIZED (SELECT ${measured} FROM candidates),
    tested(work) AS MATERIALIZED (SELECT CASE WHEN ${isAffordable(sql`work`, list.budget?.limit)}
      OR NOT ${isAffordable(estimated, list.budget?.limit)} THEN work ELSE max(work, (${otherwise})) END
      FROM measured),`,
  ]
}

/** Adds the rows of resources that were found by their ids: only those of a page are looked up. */
function rowsOnPage(list: List): SQL {
  const rows = list.sources.map(
    (source) => sql`WHEN ${literal(source.type)} THEN (SELECT ${table(source)}.rowid FROM ${table(source)}
      WHERE ${table(source)}.tenant_id = ${list.tenantId} AND ${table(source)}.id = on_page.id)`,
  )
  return sql`SELECT type, coalesce(row, CASE type ${sql.join(rows, sql` `)} END) AS row, id, sortKey FROM on_page`
}

/** Like idsOf, for rows that were found already. Only for a sort key they are read again. */
function foundIdsOf(list: List): SQL {
  if (list.sources.every(({ sort }) => sort === undefined)) {
    const operator = sql.raw(isReadDescending(list) ? '<' : '>')
    const after = list.from === undefined ? sql`` : sql` WHERE resource ${operator} ${list.from.id}`
    return sql`SELECT type, row, resource AS id, NULL AS sortKey FROM found${after}`
  }
  return sql.join(
    list.sources.map((source) => {
      const name = table(source)
      const after = list.from === undefined ? sql`` : sql` AND ${isAfter(list, source, list.from)}`
      return sql`SELECT ${idColumns(source)} FROM found CROSS JOIN ${name} ON ${name}.rowid = found.row
        WHERE found.type = ${literal(source.type)}${after}`
    }),
    sql` UNION ALL `,
  )
}
