/**
 * One resource for the dashboard, with a page of its members and of the groups that contain it. Each page is a range
 * of a primary key or an index.
 */
import { sql } from 'drizzle-orm'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import { type SqlValue, statement } from '../database/database.ts'
import { type Page, pageOfItems, type Query } from '../database/query.ts'
import { IS_NESTED, NESTED_MEMBER } from '../tables/member-types.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import {
  type Sources,
  type Stored,
  StoredRow,
  sourceColumns,
  storedColumns,
} from '../tables/stored-resources.ts'
import { groupName } from './group-names.ts'
import { selectMembers } from './memberships.ts'

/** A member of a group, or a group of a member. */
export interface NamedReference {
  readonly id: string
  /** The name of its type. */
  readonly type: string
  /** Its displayName or userName; undefined when it has none. */
  readonly name: string | undefined
  /** The name of the client that added a member; undefined if that is unknown, or if it was not asked for. */
  readonly addedBy: string | undefined
}

/** A resource with the number of its members, which is 0 if its type has none. */
export interface StoredResource extends Stored {
  readonly memberCount: number
  readonly sources: Sources | undefined
  /** The names of the clients that created it and wrote it last; undefined if they are unknown. */
  readonly createdByName: string | undefined
  readonly modifiedByName: string | undefined
}

/** @returns undefined when the tenant has no such resource */
export function resourceQuery(
  type: StoredResourceType,
  tenantId: string,
  id: string,
): Query<StoredResource | undefined> {
  const count = sql.raw(hasMembers(type) ? 'member_count' : '0')
  return {
    statements: [
      statement(sql`SELECT ${storedColumns(type.table)}, ${sourceColumns(type.table)}, ${count} AS memberCount,
          (SELECT name FROM clients WHERE id = created_by) AS createdByName,
          (SELECT name FROM clients WHERE id = modified_by) AS modifiedByName
        FROM ${sql.raw(type.table.name)}
        WHERE tenant_id = ${tenantId} AND id = ${id}`),
    ],
    read: ([result]) => {
      const row = result?.rows[0]
      if (row === undefined) return undefined
      const text = (value: SqlValue | undefined) => (value == null ? undefined : String(value))
      return Object.assign(new StoredRow(row), {
        memberCount: Number(row.memberCount),
        createdByName: text(row.createdByName),
        modifiedByName: text(row.modifiedByName),
      })
    },
  }
}

/** The name of a group and the number of its members. @returns undefined if the tenant has no such group */
export function groupNameQuery(
  tenantId: string,
  id: string,
): Query<{ id: string; name: string | undefined; memberCount: number } | undefined> {
  return {
    statements: [
      statement(sql`SELECT data ->> '$.displayName' AS name, member_count AS memberCount FROM groups
        WHERE tenant_id = ${tenantId} AND id = ${id}`),
    ],
    read: ([result]) => {
      const row = result?.rows[0]
      if (row === undefined) return undefined
      const name = row.name == null ? undefined : String(row.name)
      return { id, name, memberCount: Number(row.memberCount) }
    },
  }
}

/** Members of a group in the order of their ids. @param after the last id of the previous page */
export function membersQuery(
  tenantId: string,
  groupId: string,
  after: string,
  size: number,
): Query<Page<NamedReference>> {
  const range = sql`= ${groupId} AND m.member_id > ${after} ORDER BY m.member_id LIMIT ${size + 1}`
  return {
    statements: [
      statement(sql`SELECT s.*, (SELECT c.name FROM memberships AS a CROSS JOIN clients AS c ON c.id = a.added_by
          WHERE a.tenant_id = ${tenantId} AND a.group_id = ${groupId} AND a.member_id = s.id) AS addedBy
        FROM (${selectMembers(tenantId, range)}) AS s`),
    ],
    read: ([result]) => pageOfItems((result?.rows ?? []).map(referenceFromRow), size, ({ id }) => id),
  }
}

/** The groups that a user or a group is a direct member of, in the order of their ids. */
export function groupsOfQuery(
  tenantId: string,
  memberId: string,
  after: string,
  size: number,
): Query<Page<NamedReference>> {
  return {
    statements: [
      statement(sql`SELECT g.id AS id, ${NESTED_MEMBER} AS type, ${groupName('g')} AS display
        FROM memberships AS m JOIN groups AS g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
        WHERE m.tenant_id = ${tenantId} AND m.member_id = ${memberId} AND m.group_id > ${after}
        ORDER BY m.group_id LIMIT ${size + 1}`),
    ],
    read: ([result]) => pageOfItems((result?.rows ?? []).map(referenceFromRow), size, ({ id }) => id),
  }
}

/** A group that contains a resource through another group. */
export interface IndirectGroup extends NamedReference {
  /** The group in it that contains the resource. */
  readonly through: NamedReference
}

/** The most groups that are shown beyond the direct ones. */
export const MAX_INDIRECT_GROUPS = 20

/**
 * The groups that contain the groups of a page of groupsOfQuery: directly, or through others. Each is a pair with the group
 * through which it does, so a group may come several times.
 *
 * @returns up to MAX_INDIRECT_GROUPS + 1
 */
export function indirectGroupsQuery(
  tenantId: string,
  memberId: string,
  after: string,
  size: number,
): Query<readonly IndirectGroup[]> {
  const direct = sql`SELECT group_id, NULL FROM (SELECT group_id FROM memberships
    WHERE tenant_id = ${tenantId} AND member_id = ${memberId} AND group_id > ${after} ORDER BY group_id LIMIT ${size})`
  // Pairs, so that the traversal ends in a cycle.
  return {
    statements: [
      statement(sql`WITH RECURSIVE above (id, through) AS (${direct}
          UNION SELECT m.group_id, above.id FROM above CROSS JOIN memberships AS m
            ON m.tenant_id = ${tenantId} AND m.member_id = above.id
          LIMIT ${size + MAX_INDIRECT_GROUPS + 1})
        SELECT above.id, ${NESTED_MEMBER} AS type, ${groupName('g')} AS display,
          through, ${groupName('t')} AS throughDisplay
        FROM above CROSS JOIN groups AS g ON g.tenant_id = ${tenantId} AND g.id = above.id
          CROSS JOIN groups AS t ON t.tenant_id = ${tenantId} AND t.id = through`),
    ],
    read: ([result]) =>
      (result?.rows ?? []).map((row) => ({
        ...referenceFromRow(row),
        through: referenceFromRow({
          id: row.through ?? '',
          type: NESTED_MEMBER,
          display: row.throughDisplay ?? null,
        }),
      })),
  }
}

/** The groups in a group, in the order of their ids. An index holds nothing but such memberships. */
export function nestedGroupsQuery(
  tenantId: string,
  groupId: string,
  size: number,
): Query<Page<NamedReference>> {
  return {
    statements: [
      statement(sql`SELECT g.id, ${NESTED_MEMBER} AS type, ${groupName('g')} AS display
        FROM memberships AS m INDEXED BY memberships_nested CROSS JOIN groups AS g ON g.tenant_id = ${tenantId} AND g.id = m.member_id
        WHERE m.tenant_id = ${tenantId} AND m.group_id = ${groupId} AND m.${sql.raw(IS_NESTED)}
        ORDER BY m.member_id LIMIT ${size + 1}`),
    ],
    read: ([result]) => pageOfItems((result?.rows ?? []).map(referenceFromRow), size, ({ id }) => id),
  }
}

function referenceFromRow(row: Readonly<Record<string, unknown>>): NamedReference {
  return {
    id: String(row.id),
    type: String(row.type),
    name: row.display == null ? undefined : String(row.display),
    addedBy: row.addedBy == null ? undefined : String(row.addedBy),
  }
}
