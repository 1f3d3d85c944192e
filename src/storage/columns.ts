/**
 * Where SCIM attributes are found in the tables, for each resource type, and the bridge from the core's
 * SqlFragment to drizzle's `sql`.
 */
import { type SQL, sql } from 'drizzle-orm'
import { pathText } from '../scim/attribute-path.ts'
import type { Filter } from '../scim/filter/ast.ts'
import { type ColumnMap, compileFilter, type RowSource } from '../scim/filter/compile.ts'
import { constant, fragment, type SqlFragment } from '../scim/filter/sql-fragment.ts'
import { CISCO_UMBRELLA_GROUP_SCHEMA, CISCO_UMBRELLA_USER_SCHEMA } from '../scim/urn.ts'

type ResourceTypeName = 'User' | 'Group'

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
export const COLUMNS: Readonly<Record<ResourceTypeName, Readonly<Record<string, string>>>> = {
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
const INDEXED =
  /\.(id|user_name_key|external_id|display_name_key|native_object_id_key)$|^users\.last_modified$/

/** True when an index leads to everything that matches, which then is little. */
export function isIndexed(filter: Filter, type: ResourceTypeName): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.operands.some((operand) => isIndexed(operand, type))
    case 'or':
      return filter.operands.every((operand) => isFound(operand, type))
    case 'comparison': {
      const isLookup = filter.operator === 'eq' || filter.operator === 'sw'
      return isLookup && INDEXED.test(COLUMNS[type][pathText(filter.path)] ?? '')
    }
    default:
      return false
  }
}

/** True when it costs no more to go through all that matches than what it is, be it many members of a group. */
export function isFound(filter: Filter, type: ResourceTypeName): boolean {
  if (filter.kind === 'never') return true
  if (filter.kind !== 'comparison' || filter.operator !== 'eq') return isIndexed(filter, type)
  const { steps } = filter.path
  const isMembership = steps[0]?.name === (type === 'User' ? 'groups' : 'members')
  return isMembership ? steps.length === 1 || steps[1]?.name === 'value' : isIndexed(filter, type)
}

// D1 refuses more: found by trying, it is not documented.
const MAX_COMPOUND_TERMS = 5

/**
 * Alternatives that are each found by an index, as a subquery of ids. With OR, SQLite does not use an index that holds
 * only rows with a value, and for the sake of the order it would rather go through the whole tenant.
 */
function oneOf(type: ResourceTypeName, tenantId: string): ColumnMap['oneOf'] {
  const table = constant(type === 'User' ? 'users' : 'groups')
  return (filters) => {
    if (!filters.every((filter) => isFound(filter, type))) return undefined
    const ids = filters.map((filter) => {
      const condition = compileFilter(filter, columnsOf(type, tenantId, filter))
      return fragment`SELECT id FROM ${table} WHERE ${table}.tenant_id = ${tenantId} AND ${condition}`
    })
    return fragment`${table}.id IN (${union(ids)})`
  }
}

function union(selects: readonly SqlFragment[]): SqlFragment {
  if (selects.length > MAX_COMPOUND_TERMS) {
    const size = Math.ceil(selects.length / MAX_COMPOUND_TERMS)
    const parts = Array.from({ length: Math.ceil(selects.length / size) }, (_, i) =>
      union(selects.slice(i * size, (i + 1) * size)),
    )
    return union(parts.map((part) => fragment`SELECT id FROM (${part})`))
  }
  return selects.reduce((all, select) => fragment`${all} UNION ALL ${select}`)
}

/** The columns of a resource type within a tenant, for a filter. */
export function columnsOf(type: ResourceTypeName, tenantId: string, filter: Filter | undefined): ColumnMap {
  if (type === 'Group') return groupColumns(tenantId)
  const isOfFew = filter !== undefined && isIndexed(filter, 'User')
  return userColumns(tenantId, isOfFew ? groupsOfUser : groupsOfUsers)
}

/** `groups` are the memberships seen from the member. */
function userColumns(tenantId: string, groups: (tenantId: string) => RowSource): ColumnMap {
  return {
    document: 'users.keys',
    columns: COLUMNS.User,
    rows: { groups: groups(tenantId) },
    oneOf: oneOf('User', tenantId),
  }
}

const GROUP_OF_MEMBERSHIP = constant(
  'memberships AS m JOIN groups AS g ON g.tenant_id = m.tenant_id AND g.id = m.group_id',
)

const NOT_DIRECT = `WHERE NOT EXISTS (SELECT 1 FROM memberships AS d
  WHERE d.tenant_id = m.tenant_id AND d.group_id = nested.origin AND d.member_id = m.member_id)`

/**
 * The groups of a user: direct ones, and those that a direct one is nested in. From the groups that meet
 * the condition down to their members, whoever they are; a group is visited once, so a cycle ends. CROSS JOIN keeps
 * SQLite from going through all memberships of the tenant instead.
 */
function groupsOfUsers(tenantId: string): RowSource {
  const columns = (type: 'direct' | 'indirect') => ({
    value: 'm.group_id',
    display: 'g.display_name_key',
    type: `'${type}'`,
  })
  const inTenant = fragment`m.tenant_id = ${tenantId}`
  return {
    some: (condition) => {
      const direct = condition(columns('direct'))
      const indirect = condition(columns('indirect'))
      const nested = fragment`SELECT m.group_id, m.member_id FROM ${GROUP_OF_MEMBERSHIP}
          WHERE ${inTenant} AND m.member_type = 'Group' AND ${indirect}
        UNION SELECT origin, m.member_id FROM nested CROSS JOIN memberships AS m
          ON ${inTenant} AND m.group_id = nested.id WHERE m.member_type = 'Group'`
      // Who is in a group directly is not in it indirectly as well; it matters to a condition on "type".
      const isType = direct.strings.join() !== indirect.strings.join()
      return fragment`users.id IN (
        SELECT m.member_id FROM ${GROUP_OF_MEMBERSHIP} WHERE ${inTenant} AND ${direct}
        UNION SELECT id FROM (WITH RECURSIVE nested(origin, id) AS (${nested})
          SELECT m.member_id AS id FROM nested CROSS JOIN memberships AS m ON ${inTenant} AND m.group_id = nested.id
          ${constant(isType ? NOT_DIRECT : '')}))`
    },
    first: (subAttribute) => fragment`(SELECT ${constant(columnOf(columns('direct'), subAttribute))}
      FROM ${GROUP_OF_MEMBERSHIP} WHERE ${inTenant} AND m.member_id = users.id ORDER BY m.group_id LIMIT 1)`,
  }
}

/** The same for few users, found by something else: upwards from each, however large its groups are. */
function groupsOfUser(tenantId: string): RowSource {
  const columns = {
    value: 'g.id',
    display: 'g.display_name_key',
    type: `iif(EXISTS (SELECT 1 FROM memberships AS d WHERE d.tenant_id = g.tenant_id AND d.group_id = g.id
      AND d.member_id = users.id), 'direct', 'indirect')`,
  }
  const inTenant = fragment`m.tenant_id = ${tenantId}`
  return {
    some: (condition) => fragment`EXISTS (
      WITH RECURSIVE up(id) AS (
        SELECT m.group_id FROM memberships AS m WHERE ${inTenant} AND m.member_id = users.id
        UNION SELECT m.group_id FROM up CROSS JOIN memberships AS m ON ${inTenant} AND m.member_id = up.id)
      SELECT 1 FROM up CROSS JOIN groups AS g ON g.tenant_id = ${tenantId} AND g.id = up.id
      WHERE ${condition(columns)})`,
    first: groupsOfUsers(tenantId).first,
  }
}

function columnOf(columns: Readonly<Record<string, string>>, subAttribute: string): string {
  return columns[subAttribute] ?? 'NULL'
}

/** `members` are the memberships seen from the group. */
function groupColumns(tenantId: string): ColumnMap {
  return {
    document: 'groups.keys',
    columns: COLUMNS.Group,
    rows: { members: membersOfGroups(tenantId) },
    oneOf: oneOf('Group', tenantId),
  }
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
    some: (condition) =>
      fragment`groups.id IN (SELECT m.group_id FROM ${MEMBER} WHERE ${inTenant} AND ${condition(columns)})`,
    first: (subAttribute) => fragment`(SELECT ${constant(columnOf(columns, subAttribute))} FROM ${MEMBER}
      WHERE ${inTenant} AND m.group_id = groups.id ORDER BY m.member_id LIMIT 1)`,
  }
}
