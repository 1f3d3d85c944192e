/**
 * The size of a page of a list in bytes, in SQL (RFC 7644 §3.4.2.4 allows fewer resources than `count`). A page that
 * is certainly small is read directly. Any other page is measured first, over rows without documents, so that the
 * database neither reads nor returns the part that is cut.
 */
import { type SQL, sql } from 'drizzle-orm'
import { MAX_MEMBER_DOCUMENT_BYTES, MAX_PAGE_BYTES } from '../../scim/limits.ts'
import { hasMembers, showsGroups } from '../../scim/schema/resource-type.ts'
import { groupNameBytes } from '../resources/group-names.ts'
import { sumOverDirectGroups } from '../resources/memberships.ts'
import { IS_NESTED } from '../tables/member-types.ts'
import { GROUPS_TABLE, type ResourceTable, USERS_TABLE } from '../tables/resource-tables.ts'
import type { List, Source } from './list-source.ts'

/** The bytes of a value of `members` or `groups` with a usual name: an id, a type, a name, a location. */
export const REFERENCE_BYTES = 200

const PAGE_BYTES = sql.raw(String(MAX_PAGE_BYTES))
const REFERENCE = sql.raw(String(REFERENCE_BYTES))

/** SQL that is true if the page may exceed MAX_PAGE_BYTES. It reads at most two rows. */
export function mayBeLarge(list: List): SQL {
  const reasons = list.sources.flatMap((source) => [
    hasLarge(list, source.type.table, sql`${PAGE_BYTES} / ${list.limit}`),
    ...(source.withReferences ? referencesMayBeLarge(list, source) : []),
  ])
  return sql`(${sql.join(reasons, sql` OR `)})`
}

function referencesMayBeLarge(list: List, { type }: Source): readonly SQL[] {
  if (showsGroups(type)) {
    // Without nested groups, the groups of all resources are at most the memberships of the tenant.
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

/** @param bytes the relevant size, if it is larger than that of the index */
function hasLarge(list: List, table: LargeTable, bytes?: SQL): SQL {
  const size = sql`octet_length(large.data)`
  const isLarger = bytes === undefined ? sql`` : sql` AND ${size} > ${bytes}`
  return sql`EXISTS (SELECT 1 FROM ${sql.raw(table.name)} AS large
    WHERE large.tenant_id = ${list.tenantId} AND ${size} > ${sql.raw(String(table.largeBytes))}${isLarger})`
}

/** The bytes of the resource at `paged.row`: its document, and the references that are shown with it. */
function bytesOf({ tenantId }: List, { type, withReferences }: Source): SQL {
  const table = sql.raw(type.table.name)
  const references = !withReferences
    ? sql``
    : showsGroups(type)
      ? sql` + ${directGroupBytes(type.table)} + ${outerGroupBytes(tenantId)}`
      : hasMembers(type)
        ? sql` + groups.member_count * (${REFERENCE} + ${largestBytes(tenantId)} / ${DOCUMENTS_IN_A_BYTE})`
        : sql``
  return sql`(SELECT octet_length(${table}.data)${references} FROM ${table} WHERE ${table}.rowid = paged.row)`
}

/** Names of members are looked up in their documents, which is fast. See also MAX_MEMBER_DOCUMENT_BYTES. */
const DOCUMENTS_IN_A_BYTE = sql.raw(String(MAX_MEMBER_DOCUMENT_BYTES / MAX_PAGE_BYTES))

/**
 * The size of the largest document of the tenant among users and groups; 0 if none is large. A statement reads it
 * once.
 */
export function largestBytes(tenantId: List['tenantId']): SQL {
  const largest = ({ name, largeBytes }: LargeTable) =>
    sql`(SELECT coalesce(max(octet_length(large.data)), 0) FROM ${sql.raw(name)} AS large
      WHERE large.tenant_id = ${tenantId} AND octet_length(large.data) > ${sql.raw(String(largeBytes))})`
  return sql`max(${largest(USERS_TABLE)}, ${largest(GROUPS_TABLE)})`
}

/** The bytes of the direct groups of a resource, as they are shown. */
function directGroupBytes(table: ResourceTable): SQL {
  return sumOverDirectGroups(table, sql`${REFERENCE} + ${groupNameBytes('g')}`)
}

/**
 * The bytes of all groups that contain groups, which are the most indirect groups of a user. A statement reads it
 * once.
 */
function outerGroupBytes(tenantId: List['tenantId']): SQL {
  return sql`(SELECT coalesce(sum(octet_length(g.data) + ${REFERENCE}), 0) FROM groups AS g
    WHERE g.tenant_id = ${tenantId} AND g.id IN (SELECT m.group_id FROM memberships AS m INDEXED BY memberships_nested
      WHERE m.tenant_id = ${tenantId} AND m.${sql.raw(IS_NESTED)}))`
}

/**
 * The cut page: common table expressions for a SELECT, without their WITH. `sized` has a row for each resource on the
 * page, and for the next one: `number`, `type`, `row` and `id` of the resource, its `bytes`, the running `total`, and
 * the number of `available` rows. Later resources are not measured: the groups of a thousand users can be 400 MB. A
 * window without an order takes rows as they come, and a subquery with ORDER BY and LIMIT returns them in order.
 *
 * @param found selects `type`, `row` and `id` in the order of the list
 * @param isMeasured SQL that is false if all of it fits
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

/** The bytes of the resource at `paged.row`, which has one of the types. */
function bytesOfAny(list: List): SQL {
  const all = list.sources.map((source) => ({ name: source.type.name, bytes: bytesOf(list, source) }))
  const last = all.at(-1)?.bytes ?? sql`0`
  if (all.length === 1) return last
  const cases = all.slice(0, -1).map(({ name, bytes }) => sql`WHEN ${sql.raw(`'${name}'`)} THEN ${bytes}`)
  return sql`CASE paged.type ${sql.join(cases, sql` `)} ELSE ${last} END`
}

/** True for the rows of `sized` on the page: the first one whatever its size. */
export const FITS = sql`(sized.total <= ${PAGE_BYTES} OR sized.total = sized.bytes)`
