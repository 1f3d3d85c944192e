/**
 * The directory of a tenant as a stream of records: to keep a copy, and to move it to another database.
 * Ids, versions and times are kept. Tokens and the provisioning log stay where they are.
 */
import { sql } from 'drizzle-orm'
import type { Complex } from '../scim/comparison.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../scim/schema/resource-type.ts'
import { type Database, type Row, type Statement, statement } from './database.ts'
import { encodeResource } from './resources.ts'

/** A resource of the directory. Times in milliseconds since 1970. */
export interface ResourceRecord {
  readonly kind: 'user' | 'group'
  readonly id: string
  readonly version: number
  readonly createdAt: number
  readonly lastModified: number
  readonly resource: Complex
}

export interface MembershipRecord {
  readonly kind: 'membership'
  readonly groupId: string
  readonly memberId: string
  readonly memberType: 'User' | 'Group'
}

export type DirectoryRecord = ResourceRecord | MembershipRecord

/**
 * Rows in one batch: far below what a D1 response may hold. As many as that allows, because D1 answers 1,000 queries of a
 * request and no more: https://developers.cloudflare.com/d1/platform/limits/
 */
const RESOURCES_IN_A_PAGE = 500
const MEMBERSHIPS_IN_A_PAGE = 5_000

/**
 * Reads the directory, page by page: users, groups, memberships, in an order that can be imported. What
 * changes meanwhile may be in it or not; a membership whose ends are missing is left out.
 */
export async function* exportDirectory(
  db: Database,
  tenantId: string,
): AsyncGenerator<readonly DirectoryRecord[]> {
  const seen = new Set<string>()
  for (const kind of ['user', 'group'] as const) {
    for (let after = ''; ; ) {
      const rows = await resourcePage(db, tenantId, kind, after)
      for (const row of rows) seen.add(String(row.id))
      if (rows.length > 0) yield rows.map((row) => resourceRecord(kind, row))
      if (rows.length < RESOURCES_IN_A_PAGE) break
      after = String(rows.at(-1)?.id)
    }
  }
  for (let [group, member] = ['', '']; ; ) {
    const rows = await membershipPage(db, tenantId, group, member)
    const records = rows
      .map(membershipRecord)
      .filter(({ groupId, memberId }) => seen.has(groupId) && seen.has(memberId))
    if (records.length > 0) yield records
    if (rows.length < MEMBERSHIPS_IN_A_PAGE) return
    ;[group, member] = [String(rows.at(-1)?.groupId), String(rows.at(-1)?.memberId)]
  }
}

async function resourcePage(db: Database, tenantId: string, kind: 'user' | 'group', after: string) {
  const table = sql.raw(`${kind}s`)
  const [result] = await db.batch([
    statement(sql`SELECT id, version, created_at AS createdAt, last_modified AS lastModified, data FROM ${table}
      WHERE tenant_id = ${tenantId} AND id > ${after} ORDER BY id LIMIT ${RESOURCES_IN_A_PAGE}`),
  ])
  return result?.rows ?? []
}

async function membershipPage(db: Database, tenantId: string, group: string, member: string) {
  const [result] = await db.batch([
    statement(sql`SELECT group_id AS groupId, member_id AS memberId, member_type AS memberType FROM memberships
      WHERE tenant_id = ${tenantId} AND (group_id, member_id) > (${group}, ${member})
      ORDER BY group_id, member_id LIMIT ${MEMBERSHIPS_IN_A_PAGE}`),
  ])
  return result?.rows ?? []
}

function resourceRecord(kind: ResourceRecord['kind'], row: Row): ResourceRecord {
  const { id, version, createdAt, lastModified, data } = row
  return {
    kind,
    id: String(id),
    version: Number(version),
    createdAt: Number(createdAt),
    lastModified: Number(lastModified),
    resource: JSON.parse(String(data)) as Complex,
  }
}

function membershipRecord({ groupId, memberId, memberType }: Row): MembershipRecord {
  return {
    kind: 'membership',
    groupId: String(groupId),
    memberId: String(memberId),
    memberType: memberType === 'Group' ? 'Group' : 'User',
  }
}

/**
 * Writes records into a tenant, in one batch: all of them or none.
 *
 * @throws {UniqueError} an id, a userName or a displayName is there already
 * @throws {GuardError} "group limit", "unknown member"
 */
export async function importRecords(
  db: Database,
  tenantId: string,
  records: readonly DirectoryRecord[],
): Promise<void> {
  const isResource = (record: DirectoryRecord): record is ResourceRecord => record.kind !== 'membership'
  const resources = records.filter(isResource)
  const memberships = records.filter((record) => record.kind === 'membership')
  const statements = [
    ...insertResources(tenantId, 'user', resources),
    ...insertResources(tenantId, 'group', resources),
    ...(memberships.length === 0 ? [] : insertMemberships(tenantId, memberships)),
  ]
  if (statements.length > 0) await db.batch(statements)
}

function insertResources(
  tenantId: string,
  kind: ResourceRecord['kind'],
  resources: readonly ResourceRecord[],
): readonly Statement[] {
  const type = kind === 'user' ? USER_RESOURCE_TYPE : GROUP_RESOURCE_TYPE
  const rows = resources
    .filter((record) => record.kind === kind)
    .map(({ id, version, createdAt, lastModified, resource }) => {
      const { data, keys } = encodeResource(resource, type)
      return [id, data, keys, version, createdAt, lastModified]
    })
  if (rows.length === 0) return []
  return [
    statement(sql`INSERT INTO ${sql.raw(`${kind}s`)} (tenant_id, id, data, keys, version, created_at, last_modified)
      SELECT ${tenantId}, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
      FROM json_each(${JSON.stringify(rows)})`),
  ]
}

function insertMemberships(tenantId: string, memberships: readonly MembershipRecord[]): readonly Statement[] {
  const rows = memberships.map(({ groupId, memberId, memberType }) => [groupId, memberId, memberType])
  const list = JSON.stringify(rows)
  return [
    statement(sql`INSERT INTO memberships (tenant_id, group_id, member_id, member_type)
      SELECT ${tenantId}, value ->> 0, value ->> 1, value ->> 2 FROM json_each(${list})`),
    statement(sql`UPDATE groups SET member_count = member_count + added.n
      FROM (SELECT value ->> 0 AS id, count(*) AS n FROM json_each(${list}) GROUP BY 1) AS added
      WHERE groups.tenant_id = ${tenantId} AND groups.id = added.id`),
  ]
}
