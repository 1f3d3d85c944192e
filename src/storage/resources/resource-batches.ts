/**
 * Reads and writes of resources of any type. Each function is one batch that also checks the token. Groups are read
 * here and written in groups.ts.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { LostAccess } from '../../scim/deprovisioning.ts'
import type { NewEvent } from '../../scim/events.ts'
import type { IdentifierLookup } from '../../scim/identifiers.ts'
import { hasMembers, showsGroups } from '../../scim/schema/resource-type.ts'
import type { Work } from '../../scim/work.ts'
import { knownClient } from '../access/known-tokens.ts'
import { credentialsOf } from '../access/token-conditions.ts'
import { readAs, readAsWriters, writeGuarded } from '../access/tokens.ts'
import {
  type Database,
  madeOf,
  type Slots,
  type SqlValue,
  type Statement,
  statement,
} from '../database/database.ts'
import { deprovisionStatements } from '../guard/deprovisioning.ts'
import type { LogEntry } from '../log/log-entry.ts'
import { guardingStatement } from '../log/provisioning-log.ts'
import { identifierStatements, mayTurn, turnStatements } from '../sources/conflicts.ts'
import { preparedByTable } from '../tables/prepared-by-table.ts'
import type { ResourceTable, StoredResourceType } from '../tables/resource-tables.ts'
import {
  clientOfToken,
  type Documents,
  encodeResource,
  type Stored,
  StoredRow,
  sourceColumns,
  storedColumns,
} from '../tables/stored-resources.ts'
import { changedValues } from '../tables/user-values.ts'
import type { TenantContext } from '../tenants/context.ts'
import { noteMembersRead, readsManyMembers } from './member-reads.ts'
import {
  groupsFromRow,
  groupsOfResource,
  memberFromRow,
  rememberedRow,
  requireFewMembers,
  selectMembersOf,
} from './memberships.ts'
import { rememberResource } from './recent-resources.ts'

function rememberAndReturn(tenant: TenantContext, type: StoredResourceType, resource: StoredRow): StoredRow {
  rememberResource(tenant, type, resource)
  return resource
}

type IdSlot = 'tenantId' | 'id'

function selectOf(table: ResourceTable, { tenantId, id }: Slots<IdSlot>, more: SQL = sql``): SQL {
  return sql`SELECT ${rememberedRow(table, tenantId)} ${storedColumns(table)}, ${sourceColumns(table)}${more} FROM ${sql.raw(table.name)}
    WHERE tenant_id = ${tenantId} AND id = ${id}`
}

const selectResource = preparedByTable<IdSlot>((table, slots) => selectOf(table, slots))

const selectWithGroups = preparedByTable<IdSlot>((table, slots) =>
  selectOf(table, slots, sql`, ${groupsOfResource(table)} AS groups`),
)

const selectWithMemberCount = preparedByTable<IdSlot>((table, slots) =>
  selectOf(table, slots, sql`, member_count AS memberCount`),
)

/** Selects the resource and, if they are needed, the rows of its references. */
function selectStatements(
  type: StoredResourceType,
  tenantId: string,
  id: string,
  withReferences: boolean,
): readonly Statement[] {
  const { table } = type
  if (withReferences && showsGroups(type)) return [selectWithGroups(table, { tenantId, id })]
  if (!withReferences || !hasMembers(type)) return [selectResource(table, { tenantId, id })]
  return [selectWithMemberCount(table, { tenantId, id }), statement(selectMembersOf(tenantId, id))]
}

/**
 * @param withReferences whether its groups or its members are needed: they cost a read for each
 * @throws {ScimError} tooMany when it has more members than an answer can show
 */
export async function getResource(
  tenant: TenantContext,
  type: StoredResourceType,
  id: string,
  withReferences: boolean,
): Promise<Stored | undefined> {
  const statements = selectStatements(type, tenant.tenantId, id, withReferences)
  const isLong = statements.length > 1 && readsManyMembers(tenant.tenantId, id)
  const [found, memberRows] = await readAs(tenant, statements, { isLong })
  const row = found?.rows[0]
  if (found === undefined || row === undefined) return undefined
  const resource = madeOf(found, () => {
    const members = (memberRows?.rows ?? []).map(memberFromRow)
    noteMembersRead(tenant.tenantId, id, members.length)
    requireFewMembers(row, members.length)
    return new StoredRow(row, { ...groupsFromRow(row), ...(members.length > 0 && { members }) })
  })
  return rememberAndReturn(tenant, type, resource)
}

/** Another resource with the same value of the unique attribute. */
const selectNamesake = preparedByTable<IdSlot | 'key'>(
  ({ name, uniqueColumn = 'NULL' }, { tenantId, id, key }) =>
    sql`SELECT id FROM ${sql.raw(name)} WHERE tenant_id = ${tenantId} AND ${sql.raw(uniqueColumn)} = ${key} AND id <> ${id}`,
)

const selectOwnerName = preparedByTable<IdSlot>(
  ({ name }, { tenantId, id }) =>
    sql`SELECT c.name FROM ${sql.raw(name)} AS r CROSS JOIN clients AS c ON c.id = r.created_by
      WHERE r.tenant_id = ${tenantId} AND r.id = ${id}`,
)

/**
 * Loads a resource in order to change it.
 *
 * @param uniqueKey the comparison form of the new value of the unique attribute, if the change sets it
 * @returns the resource with its groups, whether another resource has that value, and the name of the client that created
 *   it, in the mode "owner"
 * @throws {ScimError} 401, or 403 when the token may only read
 */
export async function loadResource(
  tenant: TenantContext,
  type: StoredResourceType,
  id: string,
  uniqueKey: SqlValue | undefined,
): Promise<{ resource: StoredRow | undefined; isTaken: boolean; ownerName: string | undefined }> {
  const { tenantId, sourceMode } = tenant
  const select = showsGroups(type) ? selectWithGroups : selectResource
  const { results, refusals } = await readAsWriters(
    tenant.database,
    [credentialsOf(tenant)],
    [
      select(type.table, { tenantId, id }),
      ...(uniqueKey === undefined ? [] : [selectNamesake(type.table, { tenantId, id, key: uniqueKey })]),
      ...(sourceMode === 'owner' ? [selectOwnerName(type.table, { tenantId, id })] : []),
    ],
  )
  if (refusals[0] !== undefined) throw refusals[0]
  const [found, ...rest] = results
  const taken = uniqueKey === undefined ? undefined : rest[0]
  const owner = sourceMode === 'owner' ? rest.at(-1)?.rows[0] : undefined
  const row = found?.rows[0]
  return {
    resource: row && new StoredRow(row, groupsFromRow(row)),
    isTaken: (taken?.rows.length ?? 0) > 0,
    ownerName: owner && String(owner.name),
  }
}

type InsertSlot = IdSlot | 'data' | 'keys' | 'version' | 'createdAt' | 'lastModified' | 'tokenHash'

/** The batch has checked the token, so it has a client. */
const insert = preparedByTable<InsertSlot>(
  ({ name }, { tenantId, id, data, keys, version, createdAt, lastModified, tokenHash }) =>
    sql`INSERT INTO ${sql.raw(name)}
        (tenant_id, id, data, keys, version, created_at, last_modified, created_by, modified_by)
      SELECT ${tenantId}, ${id}, ${data}, ${keys}, ${version}, ${createdAt}, ${lastModified}, client_id, client_id
      FROM tokens WHERE hash = ${tokenHash}`,
)

/** What a write tells others, in its own transaction. */
export interface Told {
  readonly log: LogEntry
  readonly event: NewEvent
  /** Identifiers that other resources may have. */
  readonly lookups: readonly IdentifierLookup[]
}

/** @param modifiedBy the client that wrote the resource last; null for a new one */
function toldStatements(
  tenant: TenantContext,
  type: StoredResourceType,
  { log: { id: entryId, requestId, changes }, event: { resourceId: id }, lookups }: Told,
  modifiedBy: string | null | undefined,
): readonly Statement[] {
  const credentials = credentialsOf(tenant)
  const write = { credentials, requestId, type }
  return [
    ...identifierStatements(write, id, lookups),
    ...(mayTurn(credentials, modifiedBy) ? turnStatements({ ...write, id, entryId, changes }) : []),
  ]
}

/** The database for the batch of a write, which has its guards and conditions in it. */
export function jointly({ tenantId, database }: TenantContext, resourceId: string): Database {
  return database.jointly?.({ tenantId, resourceId }) ?? database
}

/**
 * Stores a new resource at version 1, or one that was deleted at the version after that.
 *
 * @param what.restored its version and times
 * @param what.work of the request
 * @throws {UniqueError} when the value of its unique attribute is taken
 */
export async function insertResource(
  tenant: TenantContext,
  type: StoredResourceType,
  {
    id,
    resource,
    restored,
    work,
    ...told
  }: Pick<Stored, 'id' | 'resource'> & {
    readonly restored?: Pick<Stored, 'version' | 'createdAt' | 'lastModified'>
    readonly work: Work
  } & Told,
): Promise<Stored> {
  const credentials = credentialsOf(tenant)
  const { tenantId, tokenHash, now } = credentials
  work.writeValues(changedValues({}, resource))
  const { data, keys } = encodeResource(resource, type, {
    before: restored && resource,
    work,
    count: (json) => work.writeNew(json),
  })
  const guard = guardingStatement(credentials, { entry: told.log, event: told.event })
  const at = restored ?? { version: 1, createdAt: now, lastModified: now }
  const change = insert(type.table, { tenantId, id, data, keys, tokenHash, ...at })
  await writeGuarded(
    jointly(tenant, id),
    [credentials],
    [guard],
    [{ ...change, act: {} }, ...toldStatements(tenant, type, told, null)],
  )
  const client = knownClient(credentials)?.clientId
  const sources = client === undefined ? {} : { createdBy: client, modifiedBy: client }
  const row = new StoredRow({ id, data, ...at, ...sources })
  return rememberAndReturn(tenant, type, row)
}

type UpdateSlot = IdSlot | 'version' | 'data' | 'keys' | 'lastModified' | 'tokenHash'

function updateOf({ name }: ResourceTable, slots: Slots<UpdateSlot>, returning: SQL = sql``): SQL {
  const { tenantId, id, version, data, keys, lastModified, tokenHash } = slots
  return sql`UPDATE ${sql.raw(name)} SET data = ${data}, keys = ${keys}, version = version + 1, last_modified = ${lastModified},
        modified_by = ${clientOfToken(tokenHash)}
      WHERE tenant_id = ${tenantId} AND id = ${id} AND version = ${version}${returning}`
}

const update = preparedByTable<UpdateSlot>((table, slots) => updateOf(table, slots))

const updateWithGroups = preparedByTable<UpdateSlot>((table, slots) =>
  updateOf(table, slots, sql` RETURNING ${groupsOfResource(table)} AS groups`),
)

function updateReturningGroups(table: ResourceTable, values: Parameters<typeof updateWithGroups>[1]) {
  const { tenantId, id } = values
  return { ...updateWithGroups(table, values), returned: () => selectWithGroups(table, { tenantId, id }) }
}

/** A change of a resource that is to be stored. */
export interface ResourceUpdate extends Told {
  /** The resource as it was read, however long ago. */
  readonly before: StoredRow
  readonly after: Documents & Pick<Stored, 'lastModified'>
}

function lostBy({ action }: LogEntry): LostAccess {
  return { users: action === 'disable' ? 1 : 0, groups: 0, memberships: 0 }
}

/**
 * Stores a changed resource at the next version.
 *
 * @returns the resource with its groups
 * @throws {GuardError} "stale version" when the database holds another content, whatever its version is
 * @throws {UniqueError} when the value of its unique attribute is taken
 */
export async function updateResource(
  tenant: TenantContext,
  type: StoredResourceType,
  { before, after, ...told }: ResourceUpdate,
): Promise<Stored> {
  const credentials = credentialsOf(tenant)
  const { tenantId, tokenHash } = credentials
  const { id, version, createdAt, sources } = before
  const { data, keys, lastModified } = after
  const owner = tenant.sourceMode === 'owner' ? sources?.createdBy : undefined
  const what = { entry: told.log, event: told.event }
  const guard = guardingStatement(credentials, what, { table: type.table, row: before, owner })
  const write = showsGroups(type) ? updateReturningGroups : update
  const change = write(type.table, { tenantId, id, version, data, keys, lastModified, tokenHash })
  const [found] = await writeGuarded(
    jointly(tenant, id),
    [credentials],
    [guard],
    [
      { ...change, act: {} },
      ...toldStatements(tenant, type, told, sources?.modifiedBy),
      ...deprovisionStatements(tenant, lostBy(told.log)),
    ],
  )
  const client = knownClient(credentials)?.clientId
  const known = sources && client !== undefined && { createdBy: sources.createdBy, modifiedBy: client }
  const row = { id, version: version + 1, createdAt, lastModified, data, ...known }
  return rememberAndReturn(tenant, type, new StoredRow(row, groupsFromRow(found?.rows[0])))
}
