/**
 * Memberships as values of an attribute, in SQL: `groups` are memberships from the view of the member, `members` from
 * the view of the group. The cost of a filter on them is in scan-budget.ts.
 */
import type { Filter } from '../../scim/filter/ast.ts'
import type { ColumnMap, RowColumns, RowSource } from '../../scim/filter/compile.ts'
import { mentions, partialResult } from '../../scim/filter/simplify.ts'
import { constant, fragment, type SqlFragment } from '../../scim/filter/sql-fragment.ts'
import { isOfGroup } from '../resources/deleted-groups.ts'
import { IS_NESTED } from '../tables/member-types.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'

/** @param isOfFew whether another condition leads to few resources */
export function rowsOf(type: StoredResourceType, tenantId: string, isOfFew: boolean): ColumnMap['rows'] {
  switch (type.references) {
    case 'groups':
      return { groups: (isOfFew ? groupsOfFew : groupsOfAll)(type, tenantId) }
    case 'members':
      return { members: membersOfGroups(tenantId) }
    default:
      return {}
  }
}

// D1 refuses more. Measured: the limit is not documented.
const MAX_COMPOUND_TERMS = 5

/** All rows of several SELECTs with the column `id`, none of which is a union itself. @param columns all columns of theirs */
export function union(selects: readonly SqlFragment[], columns = 'id'): SqlFragment {
  if (selects.length > MAX_COMPOUND_TERMS) {
    const size = Math.ceil(selects.length / MAX_COMPOUND_TERMS)
    const parts = Array.from({ length: Math.ceil(selects.length / size) }, (_, i) =>
      union(selects.slice(i * size, (i + 1) * size), columns),
    )
    return union(
      parts.map((part) => fragment`SELECT ${constant(columns)} FROM (${part})`),
      columns,
    )
  }
  return selects.reduce((all, select) => fragment`${all} UNION ALL ${select}`)
}

/** Memberships of groups in groups, of which there are few: at most MAX_NESTED_MEMBERSHIPS in a tenant. */
const NESTED = constant('memberships AS m INDEXED BY memberships_nested')
const IS_NESTED_SQL = constant(IS_NESTED)

const GROUP: RowColumns = { value: 'g.id', display: 'g.display_name_key' }

/**
 * The groups of a resource: direct ones, and those that a direct one is nested in. The query goes from the groups
 * that meet the condition down to all of their members. Each group is visited once, whatever path leads to it, so a
 * cycle ends. CROSS JOIN prevents a scan of all memberships of the tenant.
 */
function groupsOfAll({ table }: StoredResourceType, tenantId: string): RowSource {
  const inTenant = fragment`m.tenant_id = ${tenantId}`
  const id = constant(`${table.name}.id`)
  return {
    some(filter) {
      if (filter === undefined) {
        const test = fragment`EXISTS (SELECT 1 FROM memberships AS m
          WHERE ${inTenant} AND m.member_id = ${id} AND ${isOfGroup(tenantId)})`
        return { columns: [], where: () => test }
      }
      if (!mentions(filter, 'type')) {
        return {
          columns: [GROUP],
          where: ([isMet = NEVER]) =>
            fragment`${id} IN (${membersWithin(tenantId, fragment`SELECT g.id FROM ${matching(tenantId, isMet)}`)})`,
        }
      }
      const ways = WAYS.filter(({ type }) => isPossible(filter, type))
      return {
        columns: ways.map(({ type }) => ({ ...GROUP, type: `'${type}'` })),
        where(conditions) {
          const ids = ways.map(({ idsOf }, i) => idsOf(tenantId, conditions[i] ?? NEVER))
          return ids.length === 0 ? NEVER : fragment`${id} IN (${union(ids)})`
        },
      }
    },
    first: (subAttribute) => fragment`(SELECT ${constant(columnNamed(DIRECT_GROUP, subAttribute))}
      FROM memberships AS m CROSS JOIN groups AS g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
      WHERE ${inTenant} AND m.member_id = ${id} ORDER BY m.group_id LIMIT 1)`,
  }
}

const NEVER = constant('0')

const DIRECT_GROUP: RowColumns = { value: 'm.group_id', display: 'g.display_name_key', type: `'direct'` }

/** The two ways to be in a group. */
const WAYS = [
  { type: 'direct', idsOf: directly },
  { type: 'indirect', idsOf: indirectly },
] as const

/** False when no group of that type meets the filter, whatever its other attributes are. */
export function isPossible(filter: Filter, type: (typeof WAYS)[number]['type']): boolean {
  return partialResult(filter, { type }) !== false
}

function directly(tenantId: string, isMet: SqlFragment): SqlFragment {
  return fragment`SELECT m.member_id AS id
      FROM (SELECT g.id FROM ${matching(tenantId, isMet)}) AS f
      CROSS JOIN memberships AS m ON m.tenant_id = ${tenantId} AND m.group_id = f.id`
}

/**
 * Below a group that meets the condition, but not its direct member. The second condition is tested for each resource
 * that meets the first.
 */
function indirectly(tenantId: string, isMet: SqlFragment): SqlFragment {
  const below = membersWithin(
    tenantId,
    fragment`SELECT m.member_id FROM (SELECT g.id FROM ${matching(tenantId, isMet)}) AS f
      CROSS JOIN ${NESTED} ON m.tenant_id = ${tenantId} AND m.group_id = f.id WHERE m.${IS_NESTED_SQL}`,
  )
  return fragment`SELECT id FROM (SELECT DISTINCT id FROM (${below})) AS b WHERE ${above(tenantId, 'b.id')}
      WHERE ${isMet} AND NOT EXISTS (SELECT 1 FROM memberships AS d
        WHERE d.tenant_id = ${tenantId} AND d.group_id = g.id AND d.member_id = b.id))`
}

function matching(tenantId: string, isMet: SqlFragment): SqlFragment {
  return fragment`groups AS g WHERE g.tenant_id = ${tenantId} AND ${isMet}`
}

/** The members of several groups, and of those nested in them. */
function membersWithin(tenantId: string, ids: SqlFragment): SqlFragment {
  return fragment`${groupsWithin(tenantId, ids)}
    SELECT m.member_id AS id FROM inside CROSS JOIN memberships AS m ON m.tenant_id = ${tenantId} AND m.group_id = inside.id`
}

/** A common table expression: `inside` are the ids of several groups, and of those nested in them. */
function groupsWithin(tenantId: string, ids: SqlFragment): SqlFragment {
  return fragment`WITH RECURSIVE inside(id) AS (${ids}
    UNION SELECT m.member_id FROM inside CROSS JOIN ${NESTED}
      ON m.tenant_id = ${tenantId} AND m.group_id = inside.id WHERE m.${IS_NESTED_SQL})`
}

/** Replaces `groups` in a filter without "type": a subquery of the ids of the groups that meet it. */
export function groupsFound(tenantId: string): ColumnMap['rows'] {
  return {
    groups: {
      some: () => ({
        columns: [GROUP],
        where: ([isMet = NEVER]) => fragment`SELECT g.id AS id FROM ${matching(tenantId, isMet)}`,
      }),
      first: () => constant('NULL'),
    },
  }
}

/**
 * What filters on `groups` read: `members`, the sum of the members of the groups that each of them finds, including those nested
 * in them, and `steps`, the number of these groups. It reads up to `most` groups, and one more if there are more.
 *
 * @param groups a subquery of ids for each filter: see groupsFound
 */
export function reachedBy(tenantId: string, groups: readonly SqlFragment[], most: number): SqlFragment {
  const found = union(
    groups.map((ids, i) => fragment`SELECT ${constant(String(i))} AS filter, id FROM (${ids})`),
    'filter, id',
  )
  return fragment`(WITH RECURSIVE inside(filter, id) AS (SELECT filter, id FROM (${found})
      UNION SELECT inside.filter, m.member_id FROM inside CROSS JOIN ${NESTED}
        ON m.tenant_id = ${tenantId} AND m.group_id = inside.id WHERE m.${IS_NESTED_SQL} LIMIT ${constant(String(most + 1))})
    SELECT count(*) AS steps, coalesce(sum(g.member_count), 0) AS members
      FROM inside LEFT JOIN groups AS g ON g.tenant_id = ${tenantId} AND g.id = inside.id)`
}

/**
 * Replaces `groups` in filters that name some (see isMembershipOfKnown): the number of resources of a type in those
 * groups, or in groups nested in them. A membership implies its resource, so the resources are not read. Only below
 * nested groups a resource may be found twice.
 */
export function inGroupsCounted({ name }: StoredResourceType, tenantId: string): ColumnMap['rows'] {
  const members = fragment`FROM inside CROSS JOIN memberships AS m ON m.tenant_id = ${tenantId} AND m.group_id = inside.id
      WHERE m.member_type = ${constant(`'${name}'`)}`
  return {
    groups: {
      some: () => ({
        columns: [GROUP],
        where: ([
          isMet = NEVER,
        ]) => fragment`(${groupsWithin(tenantId, fragment`SELECT g.id FROM ${matching(tenantId, isMet)}`)} SELECT CASE
      WHEN (SELECT count(*) FROM inside) > 1 THEN (SELECT count(DISTINCT m.member_id) ${members})
      ELSE (SELECT count(*) ${members}) END)`,
      }),
      first: () => constant('NULL'),
    },
  }
}

/** The beginning of a condition on `g`, a group above the member at any height. The caller closes the parenthesis. */
function above(tenantId: string, member: string): SqlFragment {
  const inTenant = fragment`m.tenant_id = ${tenantId}`
  return fragment`EXISTS (WITH RECURSIVE up(id) AS (
      SELECT m.group_id FROM memberships AS m WHERE ${inTenant} AND m.member_id = ${constant(member)}
      UNION SELECT m.group_id FROM up CROSS JOIN memberships AS m ON ${inTenant} AND m.member_id = up.id)
    SELECT 1 FROM up CROSS JOIN groups AS g ON g.tenant_id = ${tenantId} AND g.id = up.id`
}

/** The same for few resources that another condition finds: upwards from each, however large its groups are. */
function groupsOfFew(type: StoredResourceType, tenantId: string): RowSource {
  const id = `${type.table.name}.id`
  const columns = {
    ...GROUP,
    type: `iif(EXISTS (SELECT 1 FROM memberships AS d WHERE d.tenant_id = g.tenant_id AND d.group_id = g.id
      AND d.member_id = ${id}), 'direct', 'indirect')`,
  }
  return {
    // Without a condition, any group matches.
    some: (filter) => ({
      columns: filter === undefined ? [] : [columns],
      where: ([isMet = constant('1')]) => fragment`${above(tenantId, id)} WHERE ${isMet})`,
    }),
    first: groupsOfAll(type, tenantId).first,
  }
}

function columnNamed(columns: RowColumns, subAttribute: string): string {
  return columns[subAttribute] ?? 'NULL'
}

const OF_MEMBER = `
  LEFT JOIN users AS u ON u.tenant_id = m.tenant_id AND u.id = m.member_id
  LEFT JOIN groups AS g ON g.tenant_id = m.tenant_id AND g.id = m.member_id`
const MEMBER = constant(`memberships AS m${OF_MEMBER}`)
/** For a filter that names members. SQLite would scan all memberships of the tenant in the primary key, which also has the types. */
const NAMED_MEMBER = constant(`memberships AS m INDEXED BY memberships_by_member${OF_MEMBER}`)

/** Each member is tested once, however many groups it is in, and its resource is read only if its name matters. */
function membersOfGroups(tenantId: string): RowSource {
  const inTenant = fragment`m.tenant_id = ${tenantId}`
  const columns: RowColumns = {
    value: 'm.member_id',
    // The comparison form of a type, which is not caseExact.
    type: 'lower(m.member_type)',
    display: 'coalesce(u.display_name_key, u.user_name_key, g.display_name_key)',
  }
  // A filter may hold a hundred of these, and the length of a statement is limited. LIMIT prevents SQLite from
  // expanding the rest twice.
  const resources = fragment`SELECT id, coalesce(display_name_key, user_name_key) AS d, 'user' AS t FROM users
    WHERE tenant_id = ${tenantId} UNION ALL
    SELECT id, display_name_key, 'group' FROM groups WHERE tenant_id = ${tenantId} LIMIT -1`
  return {
    some(filter) {
      if (filter === undefined) {
        const test = fragment`EXISTS (SELECT 1 FROM memberships AS m WHERE ${inTenant} AND m.group_id = groups.id)`
        return { columns: [], where: () => test }
      }
      if (!mentions(filter, 'display') || isByValue(filter)) {
        return {
          columns: [columns],
          where: ([isMet = NEVER]) => {
            const ids = namedValues(filter)
            const [from, isNamed] =
              ids === undefined
                ? [MEMBER, inTenant]
                : [NAMED_MEMBER, fragment`${inTenant} AND m.member_id IN (${list(ids)})`]
            return fragment`groups.id IN (SELECT m.group_id FROM ${from} WHERE ${isNamed} AND ${isMet})`
          },
        }
      }
      return {
        columns: [{ value: 'e.id', display: 'e.d', type: 'e.t' }],
        where: ([isMet = NEVER]) => fragment`groups.id IN (SELECT m.group_id FROM (${resources}) AS e
        CROSS JOIN memberships AS m ON ${inTenant} AND m.member_id = e.id
        WHERE ${isMet})`,
      }
    },
    first: (subAttribute) => fragment`(SELECT ${constant(columnNamed(columns, subAttribute))}
      FROM ${MEMBER} WHERE ${inTenant} AND m.group_id = groups.id ORDER BY m.member_id LIMIT 1)`,
  }
}

/** True if the filter names the ids of all groups or members that meet it. */
export function isByValue(filter: Filter): boolean {
  return namedValues(filter) !== undefined
}

/** The ids of all groups or members that may meet the filter. @returns undefined if it does not name them */
function namedValues(filter: Filter): readonly string[] | undefined {
  if (filter.kind === 'and') return filter.operands.map(namedValues).find((ids) => ids !== undefined)
  if (filter.kind === 'or') {
    const found = filter.operands.map(namedValues)
    return found.includes(undefined) ? undefined : found.flatMap((ids) => ids ?? [])
  }
  const isValue =
    filter.kind === 'comparison' && filter.operator === 'eq' && filter.path.steps[0].name === 'value'
  return isValue ? [String(filter.key)] : undefined
}

function list(values: readonly string[]): SqlFragment {
  return values.map((value) => fragment`${value}`).reduce((all, one) => fragment`${all}, ${one}`)
}
