/**
 * Where SCIM attributes are found in the tables, for each resource type, and the bridge from the core's
 * SqlFragment to drizzle's `sql`.
 */
import { type SQL, sql } from 'drizzle-orm'
import { pathText } from '../scim/attribute-path.ts'
import type { Filter } from '../scim/filter/ast.ts'
import type { ColumnMap, RowSource } from '../scim/filter/compile.ts'
import { constant, fragment, type SqlFragment } from '../scim/filter/sql-fragment.ts'
import { CISCO_UMBRELLA_GROUP_SCHEMA, CISCO_UMBRELLA_USER_SCHEMA } from '../scim/urn.ts'

/** drizzle's `sql` is a tag function, and a fragment has the shape of its arguments. */
export function toSql({ strings, values }: SqlFragment): SQL {
  return sql(strings as unknown as TemplateStringsArray, ...values)
}

/** What the two tables of resources have in common. */
function resourceColumns(table: 'users' | 'groups', type: 'User' | 'Group') {
  return {
    id: `${table}.id`,
    externalId: `${table}.external_id`,
    displayName: `${table}.display_name_key`,
    // Every resource has it; its sub-attributes are columns.
    meta: `'meta'`,
    'meta.resourceType': `'${type}'`,
    'meta.created': `${table}.created_at`,
    'meta.lastModified': `${table}.last_modified`,
    'meta.version': `('W/"' || ${table}.version || '"')`,
  }
}

/** Attributes with a column of their own, by canonical path. */
export const COLUMNS: Readonly<Record<'User' | 'Group', Readonly<Record<string, string>>>> = {
  User: {
    ...resourceColumns('users', 'User'),
    userName: 'users.user_name_key',
    active: 'users.active',
    [`${CISCO_UMBRELLA_USER_SCHEMA}:nativeObjectId`]: 'users.native_object_id_key',
  },
  Group: {
    ...resourceColumns('groups', 'Group'),
    [`${CISCO_UMBRELLA_GROUP_SCHEMA}:nativeObjectId`]: 'groups.native_object_id_key',
  },
}

/** Columns that an index finds within a tenant: those of tables.ts with one. */
const INDEXED = /\.(id|user_name_key|external_id|display_name_key|native_object_id_key)$/

/** True when an index leads to everything that matches, which then is little. */
export function isIndexed(filter: Filter, type: 'User' | 'Group'): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.operands.some((operand) => isIndexed(operand, type))
    case 'or':
      return filter.operands.every((operand) => isIndexed(operand, type))
    case 'comparison': {
      const isLookup = filter.operator === 'eq' || filter.operator === 'sw'
      return isLookup && INDEXED.test(COLUMNS[type][pathText(filter.path)] ?? '')
    }
    default:
      return false
  }
}

/** The columns of users within a tenant; `groups` are the memberships seen from the member. */
export function userColumns(tenantId: string): ColumnMap {
  return { document: 'users.keys', columns: COLUMNS.User, rows: { groups: groupsOfUsers(tenantId) } }
}

const GROUP_OF_MEMBERSHIP = constant(
  'memberships AS m JOIN groups AS g ON g.tenant_id = m.tenant_id AND g.id = m.group_id',
)

const NOT_DIRECT = `WHERE NOT EXISTS (SELECT 1 FROM memberships AS d
  WHERE d.tenant_id = m.tenant_id AND d.group_id = nested.origin AND d.member_id = m.member_id)`

/**
 * The groups of a user: direct ones, and those that a direct one is nested in. From the groups that meet
 * the condition down to their members; a group is visited once, so a cycle ends. CROSS JOIN keeps SQLite from
 * going through all memberships of the tenant instead.
 */
function groupsOfUsers(tenantId: string): RowSource {
  const columns = (type: 'direct' | 'indirect') => ({
    value: 'm.group_id',
    display: 'g.display_name_key',
    type: `'${type}'`,
  })
  const inTenant = fragment`m.tenant_id = ${tenantId}`
  return {
    owner: 'users.id',
    owners: (condition) => {
      const direct = condition(columns('direct'))
      const indirect = condition(columns('indirect'))
      const nested = fragment`SELECT m.group_id, m.member_id FROM ${GROUP_OF_MEMBERSHIP}
          WHERE ${inTenant} AND m.member_type = 'Group' AND ${indirect}
        UNION SELECT origin, m.member_id FROM nested CROSS JOIN memberships AS m
          ON ${inTenant} AND m.group_id = nested.id WHERE m.member_type = 'Group'`
      // Who is in a group directly is not in it indirectly as well; it matters to a condition on "type".
      const isType = direct.strings.join() !== indirect.strings.join()
      return fragment`SELECT m.member_id FROM ${GROUP_OF_MEMBERSHIP} WHERE ${inTenant} AND ${direct}
        UNION SELECT id FROM (WITH RECURSIVE nested(origin, id) AS (${nested})
          SELECT m.member_id AS id FROM nested CROSS JOIN memberships AS m ON ${inTenant} AND m.group_id = nested.id
          ${constant(isType ? NOT_DIRECT : '')})`
    },
    first: (subAttribute) => fragment`(SELECT ${constant(columnOf(columns('direct'), subAttribute))}
      FROM ${GROUP_OF_MEMBERSHIP} WHERE ${inTenant} AND m.member_id = users.id ORDER BY m.group_id LIMIT 1)`,
  }
}

function columnOf(columns: Readonly<Record<string, string>>, subAttribute: string): string {
  return columns[subAttribute] ?? 'NULL'
}

/** The columns of groups within a tenant; `members` are the memberships seen from the group. */
export function groupColumns(tenantId: string): ColumnMap {
  return { document: 'groups.keys', columns: COLUMNS.Group, rows: { members: membersOfGroups(tenantId) } }
}

const MEMBER = constant(`memberships AS m
  LEFT JOIN users AS u ON u.tenant_id = m.tenant_id AND u.id = m.member_id
  LEFT JOIN groups AS g ON g.tenant_id = m.tenant_id AND g.id = m.member_id`)

function membersOfGroups(tenantId: string): RowSource {
  const columns = {
    value: 'm.member_id',
    display: 'coalesce(u.display_name_key, u.user_name_key, g.display_name_key)',
    // The comparison form of a type: it is not caseExact.
    type: 'lower(m.member_type)',
  }
  const inTenant = fragment`m.tenant_id = ${tenantId}`
  return {
    owner: 'groups.id',
    owners: (condition) =>
      fragment`SELECT m.group_id FROM ${MEMBER} WHERE ${inTenant} AND ${condition(columns)}`,
    first: (subAttribute) => fragment`(SELECT ${constant(columnOf(columns, subAttribute))} FROM ${MEMBER}
      WHERE ${inTenant} AND m.group_id = groups.id ORDER BY m.member_id LIMIT 1)`,
  }
}
