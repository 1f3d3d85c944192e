/**
 * The directory of a tenant as a stream of records, for a backup or a move to another database. Ids, versions and
 * times are kept. Tokens and the provisioning log are not exported; clients are, if requested. import.ts is the
 * counterpart.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { Complex } from '../../scim/comparison.ts'
import { MIN_TOKEN_LIFETIME_SECONDS } from '../../scim/limits.ts'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import type { TokenScope } from '../access/tokens.ts'
import { type Database, type Row, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { BLOCK_BYTES, type StoredResourceType } from '../tables/resource-tables.ts'
import { selection } from '../tables/selection.ts'
import { clients, memberships } from '../tables/tables.ts'
import type { Tenant } from '../tenants/tenants.ts'

/** A resource of the directory. Times in milliseconds since 1970. */
export interface ResourceRecord {
  /** The kind of its type: see recordKind. */
  readonly kind: string
  readonly id: string
  readonly version: number
  readonly createdAt: number
  readonly lastModified: number
  readonly resource: Complex
}

export interface MembershipRecord {
  readonly kind: typeof MEMBERSHIP_KIND
  readonly groupId: string
  readonly memberId: string
  readonly memberType: string
}

/** A client of the tenant, without its credentials. The id begins with that of the original tenant. */
export interface ClientRecord {
  readonly kind: typeof CLIENT_KIND
  readonly clientId: string
  readonly name: string
  readonly scope: TokenScope
  readonly createdAt: number
  /** Omitted if it is the default, so that earlier versions can import the file. */
  readonly tokenLifetime?: number
}

export type DirectoryRecord = ResourceRecord | MembershipRecord | ClientRecord

export function isClient(record: DirectoryRecord): record is ClientRecord {
  return 'clientId' in record
}

export function isResource(record: DirectoryRecord): record is ResourceRecord {
  return 'resource' in record
}

export function isMembership(record: DirectoryRecord): record is MembershipRecord {
  return 'memberId' in record
}

export const CLIENT_KIND = 'client'
export const MEMBERSHIP_KIND = 'membership'

/** The kind of the records of a type, such as "user". */
export function recordKind({ name }: Pick<StoredResourceType, 'name'>): string {
  return name.toLowerCase()
}

/** The kinds of the records of a directory, without its clients, in the order of an export. */
export function recordKinds(types: readonly StoredResourceType[]): readonly string[] {
  return [...types.map(recordKind), MEMBERSHIP_KIND]
}

/**
 * Rows in one batch: well below the limit of a D1 response, but many, because D1 answers only 1,000 queries in a
 * request: https://developers.cloudflare.com/d1/platform/limits/
 */
const RESOURCES_IN_A_PAGE = 500
/**
 * Bytes of the documents in one batch, unless a single resource is larger. The process needs five times as much
 * memory meanwhile, and Node.js answers no other request while it parses them.
 */
export const MAX_EXPORT_PAGE_BYTES = 4 * 1024 * 1024
const MEMBERSHIPS_IN_A_PAGE = 5_000

/** A tenant at the start of its export: a tenant that is created later under the same id is another one. */
export type ExportedTenant = Pick<Tenant, 'id' | 'createdAt'>

/** The tenant was deleted, or an import began, while it was read. The export is incomplete. */
class ExportInterrupted extends Error {}

/** The position of an export: it continues after the record with this key. Plain data. */
export interface ExportPosition {
  /** The kind of the next records: "client", those of the types in their order, "membership". */
  readonly kind: string
  /** Empty before the first record. */
  readonly after: readonly string[]
  /** The id of the last exported resource of each kind that is complete; empty if there is none. */
  readonly lastIds: Readonly<Record<string, string>>
}

export interface ExportPage {
  readonly records: readonly DirectoryRecord[]
  /** Undefined at the end of the directory. */
  readonly next: ExportPosition | undefined
}

/** The position before the first record. */
export function exportStart(types: readonly StoredResourceType[], withClients: boolean): ExportPosition {
  const [first] = withClients ? [CLIENT_KIND] : recordKinds(types)
  return { kind: first ?? MEMBERSHIP_KIND, after: [], lastIds: {} }
}

/**
 * Reads the next page of a directory with one statement: clients, resources by their type, then memberships. That order
 * can be imported. Each record is in the state of some moment of the export. Resources that are created or deleted
 * meanwhile may be missing or included. A membership is left out if one of its ends comes after the last exported
 * resource of its type: ids rise with time, so such a resource was created meanwhile.
 *
 * @param types in their order
 * @throws {ExportInterrupted}
 */
export async function readExportPage(
  db: Database,
  tenant: ExportedTenant,
  types: readonly StoredResourceType[],
  position: ExportPosition,
): Promise<ExportPage> {
  const { kind, after, lastIds } = position
  const following = (last: string): ExportPosition => {
    const kinds = recordKinds(types)
    const next = kinds[kinds.indexOf(kind) + 1] ?? MEMBERSHIP_KIND
    return { kind: next, after: [], lastIds: { ...lastIds, [kind]: last } }
  }
  if (kind === MEMBERSHIP_KIND) {
    const rows = await membershipPage(db, tenant, after)
    const groups = types.filter(hasMembers).map((type) => lastIds[recordKind(type)] ?? '')
    const isExported = ({ groupId, memberId, memberType }: MembershipRecord) =>
      groups.some((last) => groupId <= last) && memberId <= (lastIds[memberType.toLowerCase()] ?? '')
    const end = rows.at(-1)
    const isLast = rows.length < MEMBERSHIPS_IN_A_PAGE
    const next = { ...position, after: [String(end?.groupId), String(end?.memberId)] }
    return { records: rows.map(membershipRecord).filter(isExported), next: isLast ? undefined : next }
  }
  const type = types.find((one) => recordKind(one) === kind)
  const [id = ''] = after
  const rows = type ? await resourcePage(db, tenant, type, id) : await clientPage(db, tenant, id)
  const records = rows.map((row) => (type ? resourceRecord(kind, row) : clientRecord(row)))
  const last = String(rows.at(-1)?.id ?? id)
  const isLast = rows.length < Number(rows[0]?.most ?? 1)
  return { records, next: isLast ? following(last) : { ...position, after: [last] } }
}

/**
 * The approximate number of statements that export a tenant, from its counts.
 *
 * @returns 0 if there is no such tenant
 */
export function exportStatementsQuery(types: readonly StoredResourceType[], tenantId: string): Query<number> {
  const pages = types.map(({ table: { counters } }) =>
    sql.raw(
      `${counters.count} / ${RESOURCES_IN_A_PAGE} + ${counters.blocks} * ${BLOCK_BYTES} / ${MAX_EXPORT_PAGE_BYTES} + 1`,
    ),
  )
  const memberships = sql.raw(`membership_count / ${MEMBERSHIPS_IN_A_PAGE} + 1`)
  return {
    statements: [
      statement(
        sql`SELECT ${sql.join([...pages, memberships], sql` + `)} AS n FROM tenants WHERE id = ${tenantId}`,
      ),
    ],
    read: ([found]) => Number(found?.rows[0]?.n ?? 0),
  }
}

const CLIENT = selection(clients, ['name', 'scope', 'createdAt', 'tokenLifetime'], {
  computed: { clientId: sql<string>`id` },
})

function clientPage(db: Database, tenant: ExportedTenant, after: string) {
  return readPage(
    db,
    tenant,
    sql`SELECT ${CLIENT.columns}, id, ${RESOURCES_IN_A_PAGE} AS most FROM clients
      WHERE tenant_id = ${tenant.id} AND deleted_at IS NULL AND id > ${after} ORDER BY id LIMIT ${RESOURCES_IN_A_PAGE}`,
    sql`page.id`,
  )
}

function clientRecord(row: Row): ClientRecord {
  const { tokenLifetime, ...client } = CLIENT.fromRow(row)
  return {
    kind: 'client',
    ...client,
    ...(tokenLifetime !== MIN_TOKEN_LIFETIME_SECONDS && { tokenLifetime }),
  }
}

/** @returns rows with `most`: the number of rows of a full page. A shorter page is the last one */
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
 * The number of next resources that fit into MAX_EXPORT_PAGE_BYTES, at least one. They are only measured if an index
 * finds a resource of the tenant that is so large that a page of its size would exceed the limit: see ResourceTable.
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

const MEMBERSHIP = selection(memberships, ['groupId', 'memberId', 'memberType'])

function membershipPage(
  db: Database,
  tenant: ExportedTenant,
  [group = '', member = '']: ExportPosition['after'],
) {
  return readPage(
    db,
    tenant,
    sql`SELECT ${MEMBERSHIP.columns} FROM memberships
      WHERE tenant_id = ${tenant.id} AND (group_id, member_id) > (${group}, ${member})
        AND EXISTS (SELECT 1 FROM groups AS g WHERE g.tenant_id = memberships.tenant_id AND g.id = memberships.group_id)
      ORDER BY group_id, member_id LIMIT ${MEMBERSHIPS_IN_A_PAGE}`,
    sql`page.groupId, page.memberId`,
  )
}

/**
 * One statement, because D1 limits their number. No row means that the tenant does not exist; an empty row means an
 * empty page.
 */
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

function membershipRecord(row: Row): MembershipRecord {
  return { kind: MEMBERSHIP_KIND, ...MEMBERSHIP.fromRow(row) }
}
