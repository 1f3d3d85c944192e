/**
 * Where SCIM attributes are found in the tables, for each resource type, and the bridge from the core's
 * SqlFragment to drizzle's `sql`.
 */
import { type SQL, sql } from 'drizzle-orm'
import { pathText } from '../scim/attribute-path.ts'
import type { ComparisonOperator, Filter } from '../scim/filter/ast.ts'
import { type ColumnMap, compileFilter, type RowSource } from '../scim/filter/compile.ts'
import { knownAnswer, mentions, valuesOf } from '../scim/filter/simplify.ts'
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
  return isFoundBy(filter, type, ['eq', 'sw'])
}

/** True when the filter names values that an index knows: what has one of them is few, however large the tenant is. */
export function isLookup(filter: Filter, type: ResourceTypeName): boolean {
  return isFoundBy(filter, type, ['eq'])
}

function isFoundBy(
  filter: Filter,
  type: ResourceTypeName,
  operators: readonly ComparisonOperator[],
): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.operands.some((operand) => isFoundBy(operand, type, operators))
    case 'or':
      return filter.operands.every((operand) => isFound(operand, type))
    case 'comparison':
      return operators.includes(filter.operator) && INDEXED.test(COLUMNS[type][pathText(filter.path)] ?? '')
    default:
      return false
  }
}

/** True when it costs no more to go through all that matches than what it is, be it many members of a group. */
export function isFound(filter: Filter, type: ResourceTypeName): boolean {
  if (filter.kind === 'never') return true
  return isMembershipOfKnown(filter, type) || isIndexed(filter, type)
}

/** True of a test of one column that is a range of an index: a value, a prefix, a time. */
export function isRange(filter: Filter, type: ResourceTypeName): boolean {
  if (filter.kind !== 'comparison') return false
  const column = COLUMNS[type][pathText(filter.path)]
  return isIndexed(filter, type) || (column === 'users.last_modified' && filter.operator !== 'ne')
}

/** True when the filter names the groups that a user is to be in, or the members that a group is to have. */
export function isMembershipOfKnown(filter: Filter, type: ResourceTypeName): boolean {
  const values = valuesOf(filter)
  if (values?.path.steps[0].name !== (type === 'User' ? 'groups' : 'members')) return false
  // Whether somebody is in a group indirectly is another question than who is in it.
  return isByValue(values.operand) && !(type === 'User' && mentions(values.operand, 'type'))
}

function isByValue(filter: Filter): boolean {
  if (filter.kind === 'and') return filter.operands.some(isByValue)
  if (filter.kind === 'or') return filter.operands.every(isByValue)
  return filter.kind === 'comparison' && filter.operator === 'eq' && filter.path.steps[0].name === 'value'
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
  const isOfFew = filter !== undefined && isLookup(filter, 'User')
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

type Condition = Parameters<RowSource['some']>[0]

/** Memberships of groups in groups, of which there are few: MAX_NESTED_MEMBERSHIPS in a tenant. */
const NESTED = constant('memberships AS m INDEXED BY memberships_nested')

/**
 * The groups of a user: direct ones, and those that a direct one is nested in. From the groups that meet the condition
 * down to their members, whoever they are; a group is visited once, whichever way leads to it, so a cycle ends. CROSS
 * JOIN keeps SQLite from going through all memberships of the tenant instead.
 */
function groupsOfUsers(tenantId: string): RowSource {
  const inTenant = fragment`m.tenant_id = ${tenantId}`
  const columns = { value: 'g.id', display: 'g.display_name_key' }
  const matching = (condition: SqlFragment) =>
    fragment`groups AS g WHERE g.tenant_id = ${tenantId} AND ${condition}`
  const within = (first: SqlFragment) => fragment`${groupsWithin(tenantId, first)}
    SELECT m.member_id AS id FROM inside CROSS JOIN memberships AS m ON ${inTenant} AND m.group_id = inside.id`
  return {
    some(condition, filter) {
      if (filter === undefined) {
        return fragment`EXISTS (SELECT 1 FROM memberships AS m WHERE ${inTenant} AND m.member_id = users.id)`
      }
      if (!mentions(filter, 'type')) {
        return fragment`users.id IN (${within(fragment`SELECT g.id FROM ${matching(condition(columns))}`)})`
      }
      const ids = [
        ...(isPossible(filter, 'direct') ? [directly(condition)] : []),
        ...(isPossible(filter, 'indirect') ? [indirectly(condition)] : []),
      ]
      return ids.length === 0 ? constant('0') : fragment`users.id IN (${union(ids)})`
    },
    first: (subAttribute) => fragment`(SELECT ${constant(columnOf(DIRECT_GROUP, subAttribute))}
      FROM memberships AS m CROSS JOIN groups AS g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
      WHERE ${inTenant} AND m.member_id = users.id ORDER BY m.group_id LIMIT 1)`,
  }

  function directly(condition: Condition): SqlFragment {
    return fragment`SELECT m.member_id AS id
      FROM (SELECT g.id FROM ${matching(condition({ ...columns, type: `'direct'` }))}) AS f
      CROSS JOIN memberships AS m ON ${inTenant} AND m.group_id = f.id`
  }

  /** Below a group that meets the condition, and not its member: the second is asked of each that is below one. */
  function indirectly(condition: Condition): SqlFragment {
    const isMet = condition({ ...columns, type: `'indirect'` })
    const below = within(fragment`SELECT m.member_id FROM (SELECT g.id FROM ${matching(isMet)}) AS f
      CROSS JOIN ${NESTED} ON ${inTenant} AND m.group_id = f.id WHERE m.member_type = 'Group'`)
    return fragment`SELECT id FROM (SELECT DISTINCT id FROM (${below})) AS b WHERE ${above(tenantId, 'b.id')}
      WHERE ${isMet} AND NOT EXISTS (SELECT 1 FROM memberships AS d
        WHERE d.tenant_id = ${tenantId} AND d.group_id = g.id AND d.member_id = b.id))`
  }
}

/** A common table expression: `inside` are the ids of some groups, and of those nested in them. */
function groupsWithin(tenantId: string, ids: SqlFragment): SqlFragment {
  return fragment`WITH RECURSIVE inside(id) AS (${ids}
    UNION SELECT m.member_id FROM inside CROSS JOIN ${NESTED}
      ON m.tenant_id = ${tenantId} AND m.group_id = inside.id WHERE m.member_type = 'Group')`
}

/**
 * How many members groups have that a condition on `groups` selects, those nested in them included: so many rows are read
 * to find them.
 *
 * @param filter one test or value path, without "type"
 */
export function membersReached(filter: Filter, tenantId: string): SQL {
  const some: RowSource['some'] = (condition) => {
    const isMet = condition({ value: 'g.id', display: 'g.display_name_key' })
    const ids = fragment`SELECT g.id FROM groups AS g WHERE g.tenant_id = ${tenantId} AND ${isMet}`
    return fragment`(${groupsWithin(tenantId, ids)} SELECT coalesce(sum(g.member_count), 0)
      FROM inside CROSS JOIN groups AS g ON g.tenant_id = ${tenantId} AND g.id = inside.id)`
  }
  const columns = userColumns(tenantId, () => ({ some, first: () => constant('NULL') }))
  return toSql(compileFilter(filter, columns))
}

/**
 * How many users are in groups that a filter names: see isMembershipOfKnown. A membership of a user is one of a user that
 * exists, so the users are not looked at; only below nested groups somebody may be found twice.
 */
export function usersInGroups(filter: Filter, tenantId: string): SQL {
  const members = fragment`FROM inside CROSS JOIN memberships AS m ON m.tenant_id = ${tenantId} AND m.group_id = inside.id
      WHERE m.member_type = 'User'`
  const some: RowSource['some'] = (condition) => {
    const isMet = condition({ value: 'g.id', display: 'g.display_name_key' })
    const ids = fragment`SELECT g.id FROM groups AS g WHERE g.tenant_id = ${tenantId} AND ${isMet}`
    return fragment`(${groupsWithin(tenantId, ids)} SELECT CASE WHEN (SELECT count(*) FROM inside) > 1
      THEN (SELECT count(DISTINCT m.member_id) ${members}) ELSE (SELECT count(*) ${members}) END)`
  }
  const columns = userColumns(tenantId, () => ({ some, first: () => constant('NULL') }))
  return toSql(compileFilter(filter, columns))
}

const DIRECT_GROUP = { value: 'm.group_id', display: 'g.display_name_key', type: `'direct'` }

/** False when no group of that type meets the filter, whatever its other attributes are. */
export function isPossible(filter: Filter, type: 'direct' | 'indirect'): boolean {
  return knownAnswer(filter, { type }) !== false
}

/** The beginning of a condition on `g`, a group above the member, at any height; to be closed by a parenthesis. */
function above(tenantId: string, member: string): SqlFragment {
  const inTenant = fragment`m.tenant_id = ${tenantId}`
  return fragment`EXISTS (WITH RECURSIVE up(id) AS (
      SELECT m.group_id FROM memberships AS m WHERE ${inTenant} AND m.member_id = ${constant(member)}
      UNION SELECT m.group_id FROM up CROSS JOIN memberships AS m ON ${inTenant} AND m.member_id = up.id)
    SELECT 1 FROM up CROSS JOIN groups AS g ON g.tenant_id = ${tenantId} AND g.id = up.id`
}

/** The same for few users, found by something else: upwards from each, however large its groups are. */
function groupsOfUser(tenantId: string): RowSource {
  const columns = {
    value: 'g.id',
    display: 'g.display_name_key',
    type: `iif(EXISTS (SELECT 1 FROM memberships AS d WHERE d.tenant_id = g.tenant_id AND d.group_id = g.id
      AND d.member_id = users.id), 'direct', 'indirect')`,
  }
  return {
    some: (condition) => fragment`${above(tenantId, 'users.id')} WHERE ${condition(columns)})`,
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

/** A member is looked at once, however many groups it is in, and not at all unless its name matters. */
function membersOfGroups(tenantId: string): RowSource {
  const inTenant = fragment`m.tenant_id = ${tenantId}`
  // The comparison form of a type: it is not caseExact.
  const columns = { value: 'm.member_id', type: 'lower(m.member_type)' }
  const display = 'coalesce(u.display_name_key, u.user_name_key, g.display_name_key)'
  // A filter may hold a hundred of these, and a statement has a length. LIMIT keeps SQLite from writing the rest twice.
  const resources = fragment`SELECT id, coalesce(display_name_key, user_name_key) AS d, 'user' AS t FROM users
    WHERE tenant_id = ${tenantId} UNION ALL
    SELECT id, display_name_key, 'group' FROM groups WHERE tenant_id = ${tenantId} LIMIT -1`
  return {
    some(condition, filter) {
      if (filter === undefined) {
        return fragment`EXISTS (SELECT 1 FROM memberships AS m WHERE ${inTenant} AND m.group_id = groups.id)`
      }
      if (!mentions(filter, 'display') || isByValue(filter)) {
        return fragment`groups.id IN (
          SELECT m.group_id FROM ${MEMBER} WHERE ${inTenant} AND ${condition({ ...columns, display })})`
      }
      return fragment`groups.id IN (SELECT m.group_id FROM (${resources}) AS e
        CROSS JOIN memberships AS m ON ${inTenant} AND m.member_id = e.id
        WHERE ${condition({ value: 'e.id', display: 'e.d', type: 'e.t' })})`
    },
    first: (subAttribute) => fragment`(SELECT ${constant(columnOf({ ...columns, display }, subAttribute))}
      FROM ${MEMBER} WHERE ${inTenant} AND m.group_id = groups.id ORDER BY m.member_id LIMIT 1)`,
  }
}
