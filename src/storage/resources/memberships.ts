/**
 * Memberships: one row for each member of each group. Every function reads and writes only the members that it was
 * asked for. Lists of ids travel as one JSON parameter.
 */
import { is, Placeholder, type SQL, sql } from 'drizzle-orm'
import { badRequest } from '../../scim/error.ts'
import { MAX_LOADED_MEMBERS, MAX_MEMBER_DOCUMENT_BYTES } from '../../scim/limits.ts'
import type { Member } from '../../scim/patch/members.ts'
import { prepared, type Row, type Slots, type SqlValue, type Statement } from '../database/database.ts'
import { type ResultSource, remembered } from '../database/remembered.ts'
import { LARGE_USER_BYTES } from '../tables/large-documents.ts'
import { IS_NESTED, NESTED_MEMBER, USER_MEMBER } from '../tables/member-types.ts'
import { GROUPS_TABLE, type ResourceTable, USERS_TABLE } from '../tables/resource-tables.ts'
import { clientOfToken, type References } from '../tables/stored-resources.ts'
import { groupName } from './group-names.ts'
import type { NestedGroups } from './nested-groups.ts'

/** The name of a member, which is a user or a group. */
export const MEMBER_DISPLAY: SQL = sql`coalesce(u.data ->> '$.displayName', u.data ->> '$.userName', g.data ->> '$.displayName') AS display`

/** The resource of the membership `m`, by primary key. */
export const MEMBER_RESOURCES: SQL = sql`LEFT JOIN users AS u ON u.tenant_id = m.tenant_id AND u.id = m.member_id
    LEFT JOIN groups AS g ON g.tenant_id = m.tenant_id AND g.id = m.member_id`

/** Selects the members of the groups that match a condition on `m.group_id`: rows for memberFromRow. */
export function selectMembers(tenantId: SqlValue | Placeholder, condition: SQL): SQL {
  return sql`SELECT m.group_id AS groupId, m.member_id AS id, m.member_type AS type, ${MEMBER_DISPLAY}
    FROM memberships AS m ${MEMBER_RESOURCES}
    WHERE m.tenant_id = ${tenantId} AND m.group_id ${condition}`
}

/** The most memberships that a batch reads, looks up or changes without taking long: some milliseconds. */
export const FEW_MEMBERSHIPS = 1_000

export function memberFromRow({ id, type, display }: Row): Member {
  return memberOf(String(id), String(type), display)
}

/** @param display null or undefined if there is none, or if it was not asked for */
export function memberOf(value: string, type: string, display: SqlValue | undefined): Member {
  return display == null ? { value, type } : { value, type, display: String(display) }
}

/** The total bytes of the largest documents of the tenant, as many as a group may show. An index holds their sizes. */
const LARGEST_BYTES = sql.raw(
  [USERS_TABLE, GROUPS_TABLE]
    .map(
      ({
        name,
        largeBytes,
      }) => `(SELECT coalesce(sum(bytes), 0) FROM (SELECT octet_length(large.data) AS bytes
        FROM ${name} AS large WHERE large.tenant_id = groups.tenant_id AND octet_length(large.data) > ${largeBytes}
        ORDER BY octet_length(large.data) DESC LIMIT ${MAX_LOADED_MEMBERS}))`,
    )
    .join(' + '),
)
/**
 * Whether the smaller documents fit as well, by their number of blocks (see directory-tables.ts); relevant for groups with many
 * members.
 */
const ARE_OTHERS_SMALL =
  sql.raw(`(groups.member_count <= ${MAX_MEMBER_DOCUMENT_BYTES} / ${2 * LARGE_USER_BYTES}
  OR (SELECT t.user_blocks * ${LARGE_USER_BYTES} <= ${MAX_MEMBER_DOCUMENT_BYTES} FROM tenants AS t WHERE t.id = groups.tenant_id))`)
const MOST_BYTES = sql.raw(String(MAX_MEMBER_DOCUMENT_BYTES))

/**
 * The total bytes of the documents of a group's members, for a SELECT from `groups`: the documents hold the names.
 * They are only summed up if they may be too large.
 */
const MEMBER_BYTES = sql`CASE WHEN groups.member_count > ${sql.raw(String(MAX_LOADED_MEMBERS))} THEN 0
  WHEN ${LARGEST_BYTES} <= ${MOST_BYTES} AND ${ARE_OTHERS_SMALL} THEN 0
  ELSE (SELECT coalesce(sum(octet_length(coalesce(u.data, g.data))), 0) FROM memberships AS m ${MEMBER_RESOURCES}
    WHERE m.tenant_id = groups.tenant_id AND m.group_id = groups.id) END`

/** The condition on `groups` that the members of a group can be shown: see requireFewMembers. */
export const HAS_FEW_MEMBERS = sql`(groups.member_count <= ${sql.raw(String(MAX_LOADED_MEMBERS))}
  AND ${MEMBER_BYTES} <= ${MOST_BYTES})`

/** The condition on a membership that its group has one of these ids and few enough members to read them at once. */
export function isInGroups(tenantId: SqlValue | Placeholder, ids: SQL, haveFewMembers: SQL): SQL {
  return sql`IN (SELECT groups.id FROM ${ids} AS j CROSS JOIN groups ON groups.tenant_id = ${tenantId} AND groups.id = j.value
    WHERE ${haveFewMembers})`
}

/** The members of one group; none if it has too many to show. */
export function selectMembersOf(tenantId: string, groupId: string): SQL {
  return selectMembers(tenantId, isInGroups(tenantId, sql`(SELECT ${groupId} AS value)`, HAS_FEW_MEMBERS))
}

/**
 * Refuses to show the members of a group that has too many, or too large ones. RFC 7644 §3.12: "tooMany" applies when
 * the result exceeds what the server is willing to process.
 *
 * @param row the `id` and `memberCount` of a group whose members are needed; null for any other resource
 * @param found the number of read members: 0 for a group without HAS_FEW_MEMBERS
 * @throws {ScimError} tooMany
 */
export function requireFewMembers({ id, memberCount = null }: Row, found: number): void {
  const count = Number(memberCount)
  if (count === 0 || found > 0) return
  const most =
    count > MAX_LOADED_MEMBERS
      ? `an answer shows ${MAX_LOADED_MEMBERS} at most`
      : `their documents have more than ${MAX_MEMBER_DOCUMENT_BYTES} bytes together`
  throw badRequest(
    'tooMany',
    `Group "${id}" has ${count} members, and ${most}: ask with excludedAttributes=members, and list them with /GroupMemberships?filter=group.value eq "${id}"`,
  )
}

/**
 * Ids in one parameter: at 39 bytes each, well below the 2 MB of D1. A request body holds few more, but emptying a
 * group can name any number.
 */
const IDS_PER_STATEMENT = 20_000

/** Adds members for the client of a token. A trigger ends the batch if one of them no longer exists. */
export function insertMembers(
  to: { readonly tenantId: string; readonly groupId: string; readonly tokenHash: string },
  members: readonly Member[],
): readonly Statement[] {
  return MEMBER_TYPES.flatMap((memberType) => {
    const ids = members.filter(({ type }) => type === memberType).map(({ value }) => value)
    return chunks(ids).map((chunk) => insertRows({ ...to, memberType, ids: chunk }))
  })
}

const MEMBER_TYPES = [USER_MEMBER, NESTED_MEMBER]

const insertRows = prepared(
  ({
    tenantId,
    groupId,
    tokenHash,
    memberType,
    ids,
  }: Slots<'tenantId' | 'groupId' | 'tokenHash' | 'memberType' | 'ids'>) =>
    sql`INSERT INTO memberships (tenant_id, group_id, member_id, member_type, added_by)
      SELECT ${tenantId}, ${groupId}, value, ${memberType}, ${clientOfToken(tokenHash)} FROM json_each(${ids})`,
)

/** Removes members, by id. */
export function deleteMembers(
  tenantId: string,
  groupId: string,
  ids: readonly string[],
): readonly Statement[] {
  return chunks(ids).map((chunk) => deleteRows({ tenantId, groupId, ids: chunk }))
}

const deleteRows = prepared(
  ({ tenantId, groupId, ids }: Slots<'tenantId' | 'groupId' | 'ids'>) =>
    sql`DELETE FROM memberships WHERE tenant_id = ${tenantId} AND group_id = ${groupId}
      AND member_id IN (SELECT value FROM json_each(${ids}))`,
)

/** Removes all members, in a third of the time of removing them by id. */
export const deleteAllMembers = prepared(
  ({ tenantId, groupId }: Slots<'tenantId' | 'groupId'>) =>
    sql`DELETE FROM memberships WHERE tenant_id = ${tenantId} AND group_id = ${groupId}`,
)

/** @returns JSON arrays */
function chunks(ids: readonly string[]): readonly string[] {
  const ordered = inIndexOrder(ids)
  const count = Math.ceil(ids.length / IDS_PER_STATEMENT)
  return Array.from({ length: count }, (_, i) =>
    JSON.stringify(ordered.slice(i * IDS_PER_STATEMENT, (i + 1) * IDS_PER_STATEMENT)),
  )
}

/** Sorts ids as the indexes do. In this order, 20,000 ids are looked up, inserted and deleted in half of the time. */
export function inIndexOrder(ids: readonly string[]): readonly string[] {
  return ids.toSorted()
}

/**
 * The groups that directly contain a resource, as JSON, in the order of their ids, which is that of the index by
 * member.
 */
export function directGroups({ name }: ResourceTable): SQL {
  return sql`(
  SELECT json_group_array(json_object('value', g.id, 'display', ${groupName('g')}, 'type', 'direct'))
  ${fromDirectGroups(name)})`
}

/** The sum of an expression over `g`, the groups that directly contain a resource. */
export function sumOverDirectGroups({ name }: ResourceTable, expression: SQL): SQL {
  return sql`(SELECT coalesce(sum(${expression}), 0) ${fromDirectGroups(name)})`
}

function fromDirectGroups(table: string): SQL {
  return sql`FROM memberships AS m CROSS JOIN groups AS g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
    WHERE ${isMemberIn(table)}`
}

/**
 * Goes from the direct groups up through the groups that contain them. Each group is visited once, so a cycle ends,
 * and the number of groups bounds the cost. CROSS JOIN fixes the order: SQLite would otherwise scan all memberships
 * of the tenant for each step.
 */
function allGroups({ name }: ResourceTable): SQL {
  const table = sql.raw(name)
  return sql`(
  WITH RECURSIVE up(id) AS (
    SELECT m.group_id FROM memberships AS m WHERE ${isMemberIn(name)}
    UNION SELECT m.group_id FROM up CROSS JOIN memberships AS m ON m.tenant_id = ${table}.tenant_id AND m.member_id = up.id)
  SELECT json_group_array(json_object('value', g.id, 'display', ${groupName('g')}, 'type',
    iif(EXISTS (SELECT 1 FROM memberships AS d
      WHERE d.tenant_id = g.tenant_id AND d.group_id = g.id AND d.member_id = ${table}.id), 'direct', 'indirect'))
    ORDER BY g.id)
  FROM up CROSS JOIN groups AS g ON g.tenant_id = ${table}.tenant_id AND g.id = up.id)`
}

/**
 * The groups of one resource as JSON, in one column. Nested groups take four times as long, and
 * most tenants have none, which an index tells. For a page of resources see nested-groups.ts.
 */
export function groupsOfResource(table: ResourceTable): SQL {
  const { name } = table
  return sql`CASE WHEN NOT EXISTS (SELECT 1 FROM memberships AS m WHERE ${isMemberIn(name)}) THEN '[]'
  WHEN EXISTS (SELECT 1 FROM memberships AS n WHERE n.tenant_id = ${sql.raw(name)}.tenant_id AND n.${sql.raw(IS_NESTED)})
    THEN ${allGroups(table)}
  ELSE ${directGroups(table)} END`
}

/**
 * What a user with its groups follows from: the row; the memberships of the user, and those of groups in groups, with which it
 * may be in any group; and the names of groups, which are left out by the sizes of both documents of all groups.
 */
export const SOURCES_OF_USERS: readonly ResultSource[] = [
  { table: 'users', concerns: (row) => `${row}.tenant_id, ${row}.id` },
  {
    table: 'memberships',
    columns: 'tenant_id, group_id, member_id, member_type',
    concerns: (row) => `${row}.tenant_id, iif(${row}.${IS_NESTED}, NULL, ${row}.member_id)`,
  },
  { table: 'groups', columns: 'tenant_id, id, data, keys', concerns: (row) => `${row}.tenant_id, NULL` },
]

/** The mark of a SELECT that finds one row of the table, with its groups or without. Groups change too often. */
export function rememberedRow({ name }: ResourceTable, tenantId: SqlValue | Placeholder): SQL {
  return name === USERS_TABLE.name && is(tenantId, Placeholder) ? remembered(tenantId, 'id') : sql``
}

function isMemberIn(table: string): SQL {
  return sql.raw(`m.tenant_id = ${table}.tenant_id AND m.member_id = ${table}.id`)
}

/**
 * The attribute `groups` of a row; nothing if it has none.
 *
 * @param row has groupsOfResource, or directGroups together with `nested`
 */
export function groupsFromRow(row: Row | undefined, nested?: NestedGroups): References {
  if (typeof row?.groups !== 'string') return {}
  const groups = nested?.groupsOf(row.groups) ?? row.groups
  return groups === '[]' ? {} : { groups: groups.replaceAll(MISSING_NAME, '') }
}

/** Names may be left out: see group-names.ts. A quotation mark within a value is escaped, so no value contains this. */
const MISSING_NAME = '"display":null,'
