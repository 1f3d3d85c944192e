/**
 * The attributes of resources that an export is compared with: looked up by a key, or in the order of the ids. Each function
 * is one statement, whose rows are found by an index.
 */
import { type SQL, sql } from 'drizzle-orm'
import { fold } from '../../scim/fold.ts'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import { ENTERPRISE_USER_SCHEMA } from '../../scim/urn.ts'
import { type Database, statement } from '../database/database.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'

export interface ComparedRow {
  readonly id: string
  /** JSON of a resource with the compared attributes alone. */
  readonly compared: string
}

export interface Lookup {
  readonly type: StoredResourceType
  readonly column: 'userName' | 'displayName' | 'externalId' | 'nativeObjectId'
  readonly values: readonly string[]
}

const RESOURCES_IN_A_PAGE = 1_000
const MEMBERS_IN_A_PAGE = 10_000

/** Long texts would make a page too large. */
const MAX_CHARACTERS = 2_000

/** @returns for each value a resource that has it */
export async function findCompared(
  db: Database,
  tenantId: string,
  { type, column, values }: Lookup,
): Promise<readonly (ComparedRow | undefined)[]> {
  // An externalId is caseExact; the other keys are stored folded.
  const keys = values.map((value) => (column === 'externalId' ? value : fold(value)))
  const name = sql.raw(type.table.name)
  const key = sql.raw(columnOf(type, column))
  const [found] = await db.batch([
    statement(sql`SELECT j.key AS number, ${name}.id AS id, ${comparedOf(type)} AS compared
      FROM json_each(${JSON.stringify(keys)}) AS j CROSS JOIN ${name}
        ON ${name}.tenant_id = ${tenantId} AND ${key} = j.value AND ${key} IS NOT NULL`),
  ])
  const rows = new Map(found?.rows.map((row) => [Number(row.number), rowOf(row)]))
  return values.map((_, i) => rows.get(i))
}

/** Resources after an id, in the order of their ids; empty after the last one. */
export async function comparedPage(
  db: Database,
  tenantId: string,
  type: StoredResourceType,
  after: string,
): Promise<readonly ComparedRow[]> {
  const [found] = await db.batch([
    statement(sql`SELECT id, ${comparedOf(type)} AS compared FROM ${sql.raw(type.table.name)}
      WHERE tenant_id = ${tenantId} AND id > ${after} ORDER BY id LIMIT ${RESOURCES_IN_A_PAGE}`),
  ])
  return found?.rows.map(rowOf) ?? []
}

/** Ids of members of a group after an id, in their order; empty after the last one. */
export async function memberIdsPage(
  db: Database,
  tenantId: string,
  groupId: string,
  after: string,
): Promise<readonly string[]> {
  const [found] = await db.batch([
    statement(sql`SELECT member_id AS id FROM memberships WHERE tenant_id = ${tenantId} AND group_id = ${groupId}
      AND member_id > ${after} ORDER BY member_id LIMIT ${MEMBERS_IN_A_PAGE}`),
  ])
  return found?.rows.map(({ id }) => String(id)) ?? []
}

function rowOf({ id, compared }: { readonly [name: string]: unknown }): ComparedRow {
  return { id: String(id), compared: String(compared) }
}

/** @throws {Error} if the table has no such column */
function columnOf({ table, name }: StoredResourceType, column: Lookup['column']): string {
  const found = Object.entries(table.columns).find(([path]) => path === column || path.endsWith(`:${column}`))
  if (found === undefined) throw new Error(`${name} has no column for "${column}"`)
  return found[1].sql
}

function comparedOf(type: StoredResourceType): SQL {
  const text = (path: string) =>
    sql`substr(data ->> ${sql.raw(`'${path}'`)}, 1, ${sql.raw(String(MAX_CHARACTERS))})`
  if (hasMembers(type)) return sql`json_object('displayName', ${text('$.displayName')})`
  const short = sql`length(data -> '$.emails') <= ${sql.raw(String(MAX_CHARACTERS))}`
  return sql`json_object('userName', ${text('$.userName')}, 'displayName', ${text('$.displayName')},
    'name', json_object('givenName', ${text('$.name.givenName')}, 'familyName', ${text('$.name.familyName')}),
    'active', json(coalesce(data -> '$.active', 'true')), 'title', ${text('$.title')},
    'emails', json(iif(${short}, data -> '$.emails', NULL)),
    ${sql.raw(`'${ENTERPRISE_USER_SCHEMA}'`)}, json_object('department', ${text(`$."${ENTERPRISE_USER_SCHEMA}".department`)}))`
}
