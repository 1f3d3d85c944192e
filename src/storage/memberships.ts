/**
 * Memberships: one row for each member of each group. Nothing here reads or writes more members than it
 * was asked for; lists of ids travel as one JSON parameter.
 */
import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import type { Member } from '../scim/patch/members.ts'
import { type Row, type SqlValue, type Statement, statement } from './database.ts'

/** A member that was named by a client, as found. */
export interface NamedMember {
  readonly member: Member
  readonly isMember: boolean
}

// A member is a user or a group; both joins are by primary key.
const DISPLAY = sql`coalesce(u.data ->> '$.displayName', u.data ->> '$.userName', g.data ->> '$.displayName') AS display`

/** The members of the groups that a condition on `m.group_id` selects: rows for memberFromRow. */
export function selectMembers(tenantId: SqlValue | Placeholder, condition: SQL): SQL {
  return sql`SELECT m.group_id AS groupId, m.member_id AS id, m.member_type AS type, ${DISPLAY}
    FROM memberships AS m
    LEFT JOIN users AS u ON u.tenant_id = m.tenant_id AND u.id = m.member_id
    LEFT JOIN groups AS g ON g.tenant_id = m.tenant_id AND g.id = m.member_id
    WHERE m.tenant_id = ${tenantId} AND m.group_id ${condition}`
}

export function memberFromRow(row: Row): Member {
  return {
    value: String(row.id),
    type: String(row.type),
    ...(row.display === null ? {} : { display: String(row.display) }),
  }
}

/** Looks up ids that a client named: those that are no user and no group of the tenant have no row. */
export function selectNamedMembers(tenantId: string, groupId: string, ids: readonly string[]): Statement {
  return statement(sql`SELECT j.value AS id, iif(u.id IS NULL, 'Group', 'User') AS type, ${DISPLAY},
      m.member_id IS NOT NULL AS isMember
    FROM json_each(${JSON.stringify(ids)}) AS j
    LEFT JOIN users AS u ON u.tenant_id = ${tenantId} AND u.id = j.value
    LEFT JOIN groups AS g ON g.tenant_id = ${tenantId} AND g.id = j.value
    LEFT JOIN memberships AS m
      ON m.tenant_id = ${tenantId} AND m.group_id = ${groupId} AND m.member_id = j.value
    WHERE u.id IS NOT NULL OR g.id IS NOT NULL`)
}

export function namedMemberFromRow(row: Row): NamedMember {
  return { member: memberFromRow(row), isMember: row.isMember === 1 }
}

/**
 * Ids in one parameter: at 55 bytes each, with its type, far below the 2 MB that D1 takes. A body of the size
 * that we accept holds little more, but emptying a group can name any number.
 */
const IDS_PER_STATEMENT = 20_000

/** Adds members. A trigger ends the batch when one of them is gone by now. */
export function insertMembers(
  tenantId: string,
  groupId: string,
  members: readonly Member[],
): readonly Statement[] {
  return chunks(members).map((chunk) => {
    const rows = JSON.stringify(chunk.map(({ value, type }) => [value, type]))
    return statement(sql`INSERT INTO memberships (tenant_id, group_id, member_id, member_type)
      SELECT ${tenantId}, ${groupId}, value ->> 0, value ->> 1 FROM json_each(${rows})`)
  })
}

/** Removes members, by id. */
export function deleteMembers(
  tenantId: string,
  groupId: string,
  ids: readonly string[],
): readonly Statement[] {
  return chunks(ids).map((chunk) =>
    statement(sql`DELETE FROM memberships WHERE tenant_id = ${tenantId} AND group_id = ${groupId}
      AND member_id IN (SELECT value FROM json_each(${JSON.stringify(chunk)}))`),
  )
}

function chunks<Element>(list: readonly Element[]): readonly (readonly Element[])[] {
  const count = Math.ceil(list.length / IDS_PER_STATEMENT)
  return Array.from({ length: count }, (_, i) =>
    list.slice(i * IDS_PER_STATEMENT, (i + 1) * IDS_PER_STATEMENT),
  )
}
