/**
 * The directory of a tenant as a stream of records: to keep a copy, and to move it to another database.
 * Ids, versions and times are kept. Tokens and the provisioning log stay where they are; clients go along if that is asked for. import.ts is the way back.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { Complex } from '../scim/comparison.ts'
import { type Database, type Row, statement } from './database.ts'
import type { StoredResourceType } from './resource-tables.ts'
import type { Tenant } from './tenants.ts'
import type { TokenScope } from './tokens.ts'

/** A resource of the directory. Times in milliseconds since 1970. */
export interface ResourceRecord {
  /** Of its type: see recordKind. */
  readonly kind: string
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
  readonly memberType: string
}

/** A client of the tenant, without what it signs in with. The id begins with that of its tenant, whichever that is. */
export interface ClientRecord {
  readonly kind: 'client'
  readonly clientId: string
  readonly name: string
  readonly scope: TokenScope
  readonly createdAt: number
}

export type DirectoryRecord = ResourceRecord | MembershipRecord | ClientRecord

export function isClient(record: DirectoryRecord): record is ClientRecord {
  return 'clientId' in record
}

export function isMembership(record: DirectoryRecord): record is MembershipRecord {
  return 'memberId' in record
}

/** What the records of a type are called: "user". */
export function recordKind({ name }: Pick<StoredResourceType, 'name'>): string {
  return name.toLowerCase()
}

/**
 * Rows in one batch: far below what a D1 response may hold. As many as that allows, because D1 answers 1,000 queries of a
 * request and no more: https://developers.cloudflare.com/d1/platform/limits/
 */
const RESOURCES_IN_A_PAGE = 500
/**
 * Bytes of their documents in one batch, but for a resource that is larger: five times as much is in memory meanwhile, and
 * nobody else is answered on Node.js while it is read and parsed.
 */
export const MAX_EXPORT_PAGE_BYTES = 4 * 1024 * 1024
const MEMBERSHIPS_IN_A_PAGE = 5_000

/** A tenant at the moment when its export began: one that is made anew under the same id is another one. */
export type ExportedTenant = Pick<Tenant, 'id' | 'createdAt'>

/** The tenant was deleted, or a directory is being imported into it, while it was read: what was read is not whole. */
export class ExportInterrupted extends Error {}

/**
 * Reads the directory, page by page: resources by their type, then memberships, in an order that can be imported. Each record is as it
 * was at some moment of the export. What is made or deleted meanwhile may be in it or not; a membership whose ends are
 * not both in it is left out.
 *
 * @param types in their order
 * @throws {ExportInterrupted} after the pages that were read until then
 */
export async function* exportDirectory(
  db: Database,
  tenant: ExportedTenant,
  types: readonly StoredResourceType[],
): AsyncGenerator<readonly DirectoryRecord[]> {
  const seen = new Set<string>()
  for (const type of types) {
    for (let after = ''; ; ) {
      const rows = await resourcePage(db, tenant, type, after)
      for (const row of rows) seen.add(String(row.id))
      if (rows.length > 0) yield rows.map((row) => resourceRecord(recordKind(type), row))
      if (rows.length < Number(rows[0]?.most ?? 1)) break
      after = String(rows.at(-1)?.id)
    }
  }
  for (let [group, member] = ['', '']; ; ) {
    const rows = await membershipPage(db, tenant, group, member)
    const records = rows
      .map(membershipRecord)
      .filter(({ groupId, memberId }) => seen.has(groupId) && seen.has(memberId))
    if (records.length > 0) yield records
    if (rows.length < MEMBERSHIPS_IN_A_PAGE) return
    ;[group, member] = [String(rows.at(-1)?.groupId), String(rows.at(-1)?.memberId)]
  }
}

/** The clients of a tenant, page by page. @throws {ExportInterrupted} */
export async function* exportClients(
  db: Database,
  tenant: ExportedTenant,
): AsyncGenerator<readonly ClientRecord[]> {
  for (let after = ''; ; ) {
    const rows = await readPage(
      db,
      tenant,
      sql`SELECT id AS clientId, name, scope, created_at AS createdAt FROM clients
        WHERE tenant_id = ${tenant.id} AND deleted_at IS NULL AND id > ${after} ORDER BY id LIMIT ${RESOURCES_IN_A_PAGE}`,
      sql`page.clientId`,
    )
    if (rows.length > 0) yield rows.map((row) => ({ kind: 'client', ...row }) as unknown as ClientRecord)
    if (rows.length < RESOURCES_IN_A_PAGE) return
    after = String(rows.at(-1)?.clientId)
  }
}

/** @returns rows with `most`: how many there would be if the directory had more. As many are whole pages */
function resourcePage(
  db: Database,
  tenant: ExportedTenant,
  { table: of }: StoredResourceType,
  after: string,
) {
  const table = sql.raw(of.name)
  const rest = sql`FROM ${table} WHERE tenant_id = ${tenant.id} AND id > ${after} ORDER BY id`
  return readPage(
    db,
    tenant,
    sql`WITH page_size(most) AS MATERIALIZED (SELECT ${mostOnPage(tenant, of, rest)})
      SELECT id, version, created_at AS createdAt, last_modified AS lastModified, data,
        (SELECT most FROM page_size) AS most ${rest} LIMIT (SELECT most FROM page_size)`,
    sql`page.id`,
  )
}

/**
 * How many of the next resources are MAX_EXPORT_PAGE_BYTES at most, and one at least. They are only measured when an index
 * knows of one in the tenant that is so large that a page of its size would be more: see ResourceTable.
 */
function mostOnPage(tenant: ExportedTenant, table: StoredResourceType['table'], rest: SQL): SQL {
  const most = sql.raw(String(RESOURCES_IN_A_PAGE))
  return sql`CASE WHEN EXISTS (SELECT 1 FROM ${sql.raw(table.name)} AS large WHERE large.tenant_id = ${tenant.id}
      AND octet_length(large.data) > ${sql.raw(String(table.largeBytes))}
      AND octet_length(large.data) > ${sql.raw(String(MAX_EXPORT_PAGE_BYTES / RESOURCES_IN_A_PAGE))})
    THEN (SELECT max(count(*), 1) FROM (SELECT sum(bytes) OVER (ROWS UNBOUNDED PRECEDING) AS total
      FROM (SELECT octet_length(data) AS bytes ${rest} LIMIT ${most}))
      WHERE total <= ${sql.raw(String(MAX_EXPORT_PAGE_BYTES))})
    ELSE ${most} END`
}

function membershipPage(db: Database, tenant: ExportedTenant, group: string, member: string) {
  return readPage(
    db,
    tenant,
    sql`SELECT group_id AS groupId, member_id AS memberId, member_type AS memberType FROM memberships
      WHERE tenant_id = ${tenant.id} AND (group_id, member_id) > (${group}, ${member})
      ORDER BY group_id, member_id LIMIT ${MEMBERSHIPS_IN_A_PAGE}`,
    sql`page.groupId, page.memberId`,
  )
}

/** One statement, because D1 limits them: without any row the tenant is not there, with an empty one the page is empty. */
async function readPage(db: Database, { id, createdAt }: ExportedTenant, query: SQL, order: SQL) {
  const [result] = await db.batch([
    statement(sql`SELECT page.* FROM tenants AS t LEFT JOIN (${query}) AS page ON true
      WHERE t.id = ${id} AND t.created_at = ${createdAt} AND t.state IN ('ready', 'moving') ORDER BY ${order}`),
  ])
  const rows = result?.rows ?? []
  if (rows.length === 0) throw new ExportInterrupted(`the export of tenant "${id}" was interrupted`)
  return rows.filter((row) => Object.values(row).some((value) => value !== null))
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
    memberType: String(memberType),
  }
}
