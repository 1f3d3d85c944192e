/**
 * How large a page of a list may be in bytes, in SQL (RFC 7644 §3.4.2.4 allows fewer resources than `count`). A page
 * whose resources cannot add up to more is read as it is. Any other is measured first, over rows that hold no
 * document, so that the database neither reads nor returns what is cut.
 */
import { type SQL, sql } from 'drizzle-orm'
import { MAX_MEMBER_DOCUMENT_BYTES, MAX_PAGE_BYTES } from '../../scim/limits.ts'
import { hasMembers, showsGroups } from '../../scim/schema/resource-type.ts'
import { directGroups } from '../resources/memberships.ts'
import { IS_NESTED } from '../tables/member-types.ts'
import { GROUPS_TABLE, type ResourceTable, USERS_TABLE } from '../tables/resource-tables.ts'
import type { List, Source } from './list-source.ts'

/** A member or a group in `members` or `groups`, with the usual name: an id, a type, a name, a location. */
export const REFERENCE_BYTES = 200

const PAGE_BYTES = sql.raw(String(MAX_PAGE_BYTES))
const REFERENCE = sql.raw(String(REFERENCE_BYTES))

/** SQL that is true when the page may be larger than MAX_PAGE_BYTES. It reads a row or two at most. */
export function mayBeLarge(list: List): SQL {
  const reasons = list.sources.flatMap((source) => [
    hasLarge(list, source.type.table, sql`${PAGE_BYTES} / ${list.limit}`),
    ...(source.withReferences ? referencesMayBeLarge(list, source) : []),
  ])
  return sql`(${sql.join(reasons, sql` OR `)})`
}

function referencesMayBeLarge(list: List, { type }: Source): readonly SQL[] {
  if (showsGroups(type)) {
    // Without nested groups, the groups of all resources are not more than the memberships of the tenant.
    const references = sql`(SELECT ${list.limit} * group_count * ${REFERENCE} > ${PAGE_BYTES}
      AND (membership_count * ${REFERENCE} > ${PAGE_BYTES} OR EXISTS (
        SELECT 1 FROM memberships AS n WHERE n.tenant_id = tenants.id AND n.${sql.raw(IS_NESTED)}))
    FROM tenants WHERE id = ${list.tenantId})`
    return [hasLarge(list, GROUPS_TABLE), references]
  }
  if (!hasMembers(type)) return []
  const members = sql`(SELECT membership_count * ${REFERENCE} > ${PAGE_BYTES}
    FROM tenants WHERE id = ${list.tenantId})`
  return [members, hasLarge(list, USERS_TABLE)]
}

type LargeTable = Pick<ResourceTable, 'name' | 'largeBytes'>

/** @param bytes the size that matters, when it is more than that of the index */
function hasLarge(list: List, table: LargeTable, bytes?: SQL): SQL {
  const size = sql`octet_length(large.data)`
  const isLarger = bytes === undefined ? sql`` : sql` AND ${size} > ${bytes}`
  return sql`EXISTS (SELECT 1 FROM ${sql.raw(table.name)} AS large
    WHERE large.tenant_id = ${list.tenantId} AND ${size} > ${sql.raw(String(table.largeBytes))}${isLarger})`
}

/** The bytes of the resource at `paged.row`: its document, and the references that are to be shown with it. */
function bytesOf({ tenantId }: List, { type, withReferences }: Source): SQL {
  const table = sql.raw(type.table.name)
  const references = !withReferences
    ? sql``
    : showsGroups(type)
      ? sql` + octet_length(${directGroups(type.table)}) + ${outerGroupBytes(tenantId)}`
      : hasMembers(type)
        ? sql` + groups.member_count * (${REFERENCE} + ${largestBytes(tenantId)} / ${DOCUMENTS_IN_A_BYTE})`
        : sql``
  return sql`(SELECT octet_length(${table}.data)${references} FROM ${table} WHERE ${table}.rowid = paged.row)`
}

/** The names of members are looked up in their documents, which is quick. See MAX_MEMBER_DOCUMENT_BYTES too. */
const DOCUMENTS_IN_A_BYTE = sql.raw(String(MAX_MEMBER_DOCUMENT_BYTES / MAX_PAGE_BYTES))

/** The size of the largest document of the tenant, of users and groups; 0 when none is large. It is read once for a statement. */
function largestBytes(tenantId: List['tenantId']): SQL {
  const largest = ({ name, largeBytes }: LargeTable) =>
    sql`(SELECT coalesce(max(octet_length(large.data)), 0) FROM ${sql.raw(name)} AS large
      WHERE large.tenant_id = ${tenantId} AND octet_length(large.data) > ${sql.raw(String(largeBytes))})`
  return sql`max(${largest(USERS_TABLE)}, ${largest(GROUPS_TABLE)})`
}

/** The bytes of all groups that hold groups: a user is in them indirectly, at most. It is read once for a statement. */
function outerGroupBytes(tenantId: List['tenantId']): SQL {
  return sql`(SELECT coalesce(sum(octet_length(g.data) + ${REFERENCE}), 0) FROM groups AS g
    WHERE g.tenant_id = ${tenantId} AND g.id IN (SELECT m.group_id FROM memberships AS m INDEXED BY memberships_nested
      WHERE m.tenant_id = ${tenantId} AND m.${sql.raw(IS_NESTED)}))`
}

/**
 * The page, cut: common table expressions for a SELECT, without their WITH. `sized` has a row for each resource on the page,
 * and for the one after it: `number`, `type`, `row` and `id` of the resource, its `bytes`, their `total` up to it, and how
 * many rows are `available`. What comes later is not measured: the groups of a thousand users can be 400 MB. A window
 * without an order of its own takes rows as they come, and a subquery with ORDER BY and LIMIT gives them in order.
 *
 * @param found selects `type`, `row` and `id` in the order of the list
 * @param isMeasured SQL that is false when all of it fits
 */
export function sizedPage(list: List, found: SQL, isMeasured = sql`1`): SQL {
  const bytes = bytesOfAny(list)
  const measured = sql`paged.number, paged.type, paged.row, paged.id, iif(${isMeasured}, ${bytes}, 0)`
  return sql`paged AS MATERIALIZED (SELECT *, row_number() OVER () AS number FROM (${found})),
    walked(number, type, row, id, bytes, before) AS (
      SELECT ${measured}, 0 FROM paged WHERE paged.number = 1
      UNION ALL SELECT ${measured}, walked.before + walked.bytes
        FROM walked CROSS JOIN paged ON paged.number = walked.number + 1
        WHERE walked.before + walked.bytes <= ${PAGE_BYTES}),
    sized AS (SELECT number, type, row, id, bytes, before + bytes AS total,
      (SELECT count(*) FROM paged) AS available FROM walked)`
}

/** The bytes of the resource at `paged.row`, which is of one of the types. */
function bytesOfAny(list: List): SQL {
  const all = list.sources.map((source) => ({ name: source.type.name, bytes: bytesOf(list, source) }))
  const last = all.at(-1)?.bytes ?? sql`0`
  if (all.length === 1) return last
  const cases = all.slice(0, -1).map(({ name, bytes }) => sql`WHEN ${sql.raw(`'${name}'`)} THEN ${bytes}`)
  return sql`CASE paged.type ${sql.join(cases, sql` `)} ELSE ${last} END`
}

/** True of the rows of `sized` that are on the page: the first whatever its size. */
export const FITS = sql`(sized.total <= ${PAGE_BYTES} OR sized.total = sized.bytes)`
