/**
 * Lists of direct memberships, in the order of group ids and then member ids. An index leads to each page by position,
 * however many memberships the tenant has; a page by index also passes over the entries before it.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { MembershipFilter, MembershipKey } from '../../scim/group-membership.ts'
import { MAX_MEMBER_DOCUMENT_BYTES } from '../../scim/limits.ts'
import type { Member } from '../../scim/patch/members.ts'
import { readAs } from '../access/tokens.ts'
import { type Row, type SqlValue, statement } from '../database/database.ts'
import { isOfGroup } from '../resources/deleted-groups.ts'
import { MEMBER_DISPLAY, MEMBER_RESOURCES, memberFromRow } from '../resources/memberships.ts'
import type { TenantContext } from '../tenants/context.ts'
import { toSql } from './columns.ts'
import type { Position, Slice } from './list-request.ts'
import { largestBytes } from './page-size.ts'
import { skipsMany } from './scan-budget.ts'

/** A membership with the names of its ends. */
export interface ListedMembership {
  readonly group: { readonly value: string; readonly display?: string }
  readonly member: Member
  readonly position: Position
}

export interface MembershipPage {
  readonly total: number
  /** In reading order: from last to first if the page is read backwards. */
  readonly listed: readonly ListedMembership[]
  readonly hasMore: boolean
}

/** Reads a page of memberships in one batch. Documents hold the names, so a page ends before it reads too many bytes. */
export async function listMemberships(
  tenant: TenantContext,
  filter: MembershipFilter,
  slice: Slice,
): Promise<MembershipPage> {
  const known = 'from' in slice ? slice.total : undefined
  const { tenantId } = tenant
  const counted = known === undefined ? [statement(totalOf(tenantId, filter))] : []
  const isLong = skipsMany(slice)
  const results = await readAs(tenant, [...counted, statement(pageOf(tenantId, filter, slice))], { isLong })
  const rows = results.at(-1)?.rows ?? []
  const shown = rows.slice(0, Number(rows[0]?.most ?? 0))
  return {
    total: known ?? Number(results[0]?.rows[0]?.total ?? 0),
    listed: shown.map(listedFromRow),
    hasMore: rows.length > shown.length,
  }
}

/** @returns undefined if there is no such membership */
export async function getMembership(
  tenant: TenantContext,
  key: MembershipKey,
): Promise<ListedMembership | undefined> {
  const slice = { from: undefined, isBackwards: false, limit: 1, total: 1 }
  return (await listMemberships(tenant, key, slice)).listed[0]
}

/** The database counts the members of each group, and those of all groups. */
function totalOf(tenantId: string, { groupId, memberId }: MembershipFilter): SQL {
  if (memberId !== undefined) return sql`SELECT count(*) AS total ${found(tenantId, { groupId, memberId })}`
  return groupId === undefined
    ? sql`SELECT membership_count AS total FROM tenants WHERE id = ${tenantId}`
    : sql`SELECT member_count AS total FROM groups WHERE tenant_id = ${tenantId} AND id = ${groupId}`
}

/** A parameter would be a REAL, and so would the quotient. */
const BYTES = sql.raw(String(MAX_MEMBER_DOCUMENT_BYTES))

/** One more row than `most` tells whether there are more. The page is found in an index before any document is read. */
function pageOf(tenantId: string, filter: MembershipFilter, slice: Slice): SQL {
  const direction = sql.raw('from' in slice && slice.isBackwards ? 'DESC' : 'ASC')
  const order = sql`ORDER BY m.group_id ${direction}, m.member_id ${direction}`
  const { start, condition, offset } = beginningOf(tenantId, filter, slice)
  return sql`WITH ${start}bound(most) AS MATERIALIZED (
      SELECT min(${slice.limit}, max(1, ${BYTES} / max(1, ${largestBytes(tenantId)})))),
    m AS MATERIALIZED (SELECT m.tenant_id, m.group_id, m.member_id, m.member_type
      ${found(tenantId, filter)}${condition} ${order} LIMIT (SELECT most + 1 FROM bound) OFFSET ${offset})
    SELECT bound.most, m.group_id AS groupId, h.data ->> '$.displayName' AS groupDisplay, m.member_id AS id,
      m.member_type AS type, ${MEMBER_DISPLAY}
    FROM bound CROSS JOIN m CROSS JOIN groups AS h ON h.tenant_id = m.tenant_id AND h.id = m.group_id
    ${MEMBER_RESOURCES} ${order}`
}

/** Where a page begins: a common table expression, a condition, and the number of entries to pass over. */
function beginningOf(tenantId: string, filter: MembershipFilter, slice: Slice) {
  const none = sql``
  if ('from' in slice) {
    const { from, isBackwards } = slice
    const condition = from === undefined ? none : sql` AND ${isAfter(filter, from, isBackwards)}`
    return { start: none, condition, offset: sql`0` }
  }
  const isFiltered = filter.groupId !== undefined || filter.memberId !== undefined
  if (isFiltered || !skipsMany(slice)) return { start: none, condition: none, offset: sql`${slice.offset}` }
  // The database counts the members of each group.
  const before = sql`SELECT id, sum(member_count) OVER (ORDER BY id) - member_count AS before
    FROM groups WHERE tenant_id = ${tenantId}`
  return {
    start: sql`start(id, before) AS MATERIALIZED (
      SELECT id, before FROM (${before}) WHERE before <= ${slice.offset} ORDER BY id DESC LIMIT 1), `,
    condition: sql` AND m.group_id >= (SELECT id FROM start)`,
    offset: sql`${slice.offset} - coalesce((SELECT before FROM start), 0)`,
  }
}

/** The memberships `m`. A deleted group may have left some, which are not looked through one by one if it is named. */
function found(tenantId: string, { groupId, memberId }: MembershipFilter): SQL {
  const ofMember = memberId === undefined ? sql`` : sql` AND m.member_id = ${memberId}`
  if (groupId === undefined) {
    // SQLite would prefer the primary key for its order, and look through all memberships of the tenant.
    const index = sql.raw(memberId === undefined ? '' : ' INDEXED BY memberships_by_member')
    return sql`FROM memberships AS m${index} WHERE m.tenant_id = ${tenantId} AND ${toSql(isOfGroup(tenantId))}${ofMember}`
  }
  return sql`FROM groups AS o CROSS JOIN memberships AS m ON m.tenant_id = o.tenant_id AND m.group_id = o.id
    WHERE o.tenant_id = ${tenantId} AND o.id = ${groupId}${ofMember}`
}

/** Tests the columns that follow the filtered ones in an index, so that the page begins there. */
function isAfter({ groupId, memberId }: MembershipFilter, { key, id }: Position, isBackwards: boolean): SQL {
  const operator = sql.raw(isBackwards ? '<' : '>')
  if (groupId !== undefined) return sql`m.member_id ${operator} ${id}`
  if (memberId !== undefined) return sql`m.group_id ${operator} ${key}`
  return sql`(m.group_id, m.member_id) ${operator} (${key}, ${id})`
}

function listedFromRow(row: Row): ListedMembership {
  const { groupId = null, groupDisplay = null, id } = row
  return {
    group: { value: String(groupId), ...displayOf(groupDisplay) },
    member: memberFromRow(row),
    position: { key: groupId, id: String(id) },
  }
}

function displayOf(display: SqlValue): { display?: string } {
  return display === null ? {} : { display: String(display) }
}
