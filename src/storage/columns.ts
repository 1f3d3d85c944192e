/**
 * Where SCIM attributes are found in the tables, for each resource type, and the bridge from the core's
 * SqlFragment to drizzle's `sql`.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { ColumnMap } from '../scim/filter/compile.ts'
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
    'meta.resourceType': `'${type}'`,
    'meta.created': `${table}.created_at`,
    'meta.lastModified': `${table}.last_modified`,
    'meta.version': `('W/"' || ${table}.version || '"')`,
  }
}

/** The columns of users within a tenant; `groups` are the memberships seen from the member. */
export function userColumns(tenantId: string): ColumnMap {
  return {
    document: 'users.keys',
    columns: {
      ...resourceColumns('users', 'User'),
      userName: 'users.user_name_key',
      active: 'users.active',
      [`${CISCO_UMBRELLA_USER_SCHEMA}:nativeObjectId`]: 'users.native_object_id_key',
    },
    rows: {
      groups: {
        owner: 'users.id',
        select: fragment`${constant(
          `SELECT m.member_id FROM memberships AS m
           JOIN groups AS g ON g.tenant_id = m.tenant_id AND g.id = m.group_id`,
        )} WHERE m.tenant_id = ${tenantId}`,
        columns: { value: 'm.group_id', display: 'g.display_name_key', type: `'direct'` },
      },
    },
  }
}

/** The columns of groups within a tenant; `members` are the memberships seen from the group. */
export function groupColumns(tenantId: string): ColumnMap {
  return {
    document: 'groups.keys',
    columns: {
      ...resourceColumns('groups', 'Group'),
      [`${CISCO_UMBRELLA_GROUP_SCHEMA}:nativeObjectId`]: 'groups.native_object_id_key',
    },
    rows: {
      members: {
        owner: 'groups.id',
        select: fragment`${constant(
          `SELECT m.group_id FROM memberships AS m
           LEFT JOIN users AS u ON u.tenant_id = m.tenant_id AND u.id = m.member_id
           LEFT JOIN groups AS g ON g.tenant_id = m.tenant_id AND g.id = m.member_id`,
        )} WHERE m.tenant_id = ${tenantId}`,
        columns: {
          value: 'm.member_id',
          display: 'coalesce(u.display_name_key, u.user_name_key, g.display_name_key)',
          // The comparison form of a type: it is not caseExact.
          type: 'lower(m.member_type)',
        },
      },
    },
  }
}
