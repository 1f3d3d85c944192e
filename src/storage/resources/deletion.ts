/**
 * Deletes a resource with its memberships in one batch, except those of a large group: see deleted-groups.ts.
 */
import { sql } from 'drizzle-orm'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import type { Preconditions } from '../../scim/version.ts'
import { administratorId } from '../access/administrator.ts'
import { credentialsOf } from '../access/token-conditions.ts'
import { writeAs, writeAsAll } from '../access/tokens.ts'
import { GuardError, inBackground, type Statement, statement } from '../database/database.ts'
import { deletionEventsStatement } from '../events/outbox.ts'
import { deletionStatements } from '../guard/deprovisioning.ts'
import type { LogEntry } from '../log/log-entry.ts'
import { logStatement } from '../log/provisioning-log.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { clientOfToken, meetsPreconditions } from '../tables/stored-resources.ts'
import { countOfValues } from '../tables/user-values.ts'
import type { TenantContext } from '../tenants/context.ts'
import { hasRoomForDeletion } from './deleted-groups.ts'
import { tombstoneStatements } from './tombstones.ts'

/** The result of a deletion. */
export interface DeletionResult {
  /** The version of the resource; undefined when there was no such resource. */
  readonly found: number | undefined
  readonly isDeleted: boolean
  /** The number of its members. */
  readonly members: number
  /** The bytes of its documents. */
  readonly bytes: number
  /** The number of its values that have rows of their own. */
  readonly values: number
  /** The client that owns it, if another client may not delete it: see SourceMode. */
  readonly ownerName: string | undefined
}

/** The most memberships of a resource that its deletion ends without taking long: some tens of milliseconds. */
const FEW_MEMBERSHIPS = 2_000

/** Ends its batch if a resource is a member of many groups. See `checkStatement` in tenants/identity.ts for the error. */
function hasFewMemberships(tenantId: string, id: string): Statement {
  const count = sql`(SELECT count(*) FROM (SELECT 1 FROM memberships
    WHERE tenant_id = ${tenantId} AND member_id = ${id} LIMIT ${FEW_MEMBERSHIPS + 1}))`
  return statement(
    sql`SELECT json_extract('{}', iif(${count} <= ${FEW_MEMBERSHIPS}, '$', 'guard: many memberships'))`,
  )
}

/**
 * Writes, or if that would take long, writes in the background.
 *
 * @param check ends the batch if it would take long
 * @returns the results of the statements
 */
async function writeOrWriteInBackground(
  tenant: TenantContext,
  check: Statement,
  statements: readonly Statement[],
) {
  try {
    return (await writeAs(tenant, [check, ...statements])).slice(1)
  } catch (error) {
    if (!(error instanceof GuardError) || error.rule !== 'many memberships') throw error
  }
  return await writeAsAll(inBackground(tenant.database), [credentialsOf(tenant)], statements)
}

/** The condition on the resource `gone` that the client of a token may write it in the mode "owner". */
function isOwnedBy(tenantId: string, tokenHash: string) {
  const client = clientOfToken(tokenHash)
  return sql`(gone.created_by IS NULL OR gone.created_by = ${client} OR ${client} = ${administratorId(tenantId)})`
}

/**
 * Deletes a resource with its memberships. The groups that contained it get a new version.
 *
 * @param what is not deleted unless the preconditions hold, nor while too many deletions of large groups are pending
 */
export async function deleteResource(
  tenant: TenantContext,
  type: StoredResourceType,
  {
    id,
    preconditions,
    log,
    isKept,
  }: {
    readonly id: string
    readonly preconditions: Preconditions
    readonly log: LogEntry
    /** Whether the resource can be restored for a while. */
    readonly isKept: boolean
  },
): Promise<DeletionResult> {
  const credentials = credentialsOf(tenant)
  const { tenantId, tokenHash, now } = credentials
  // With an alias, because the subquery on memberships changes rows of the same table.
  const from = sql.raw(type.table.name)
  const members = sql.raw(hasMembers(type) ? 'member_count' : '0')
  const isResource = sql`gone.tenant_id = ${tenantId} AND gone.id = ${id}`
  const hasRoom = hasMembers(type) ? hasRoomForDeletion(tenantId) : sql`true`
  const isOwned = tenant.sourceMode === 'owner' ? isOwnedBy(tenantId, tokenHash) : sql`true`
  const isAllowed = sql`${isOwned} AND ${meetsPreconditions(sql`gone.version`, preconditions)} AND ${hasRoom}`
  const isWanted = sql`${isResource} AND ${isAllowed}`
  const lost = deletionStatements(tenant, { from, isWanted, isGroup: hasMembers(type) })
  const results = await writeOrWriteInBackground(tenant, hasFewMemberships(tenantId, id), [
    statement(sql`SELECT version, ${members} AS members, octet_length(data) + octet_length(keys) AS bytes,
        ${countOfValues(sql`keys`)} AS valueCount, iif(${isAllowed}, 1, 0) AS isDeleted,
        iif(${isOwned}, NULL, (SELECT name FROM clients WHERE id = gone.created_by)) AS ownerName
      FROM ${from} AS gone WHERE ${isResource}`),
    logStatement(credentials, log, {
      join: sql`JOIN ${from} AS gone ON ${isWanted}`,
      resourceName: sql`gone.data ->> ${sql.raw(`'$.${type.nameAttribute}'`)}`,
    }),
    ...(type.isMember ? [changedGroups()] : []),
    deletionEventsStatement(
      { credentials, requestId: log.requestId },
      { type, id, isWanted, groups: type.isMember ? tenant.resourceTypes.find(hasMembers) : undefined },
    ),
    lost.before,
    ...(isKept ? tombstoneStatements({ credentials, requestId: log.requestId }, { type, id, isWanted }) : []),
    // The triggers delete its memberships, on both sides, or note those that are left.
    statement(sql`DELETE FROM ${from} AS gone WHERE ${isWanted}`),
    lost.after,
  ])
  const {
    version = null,
    members: count,
    bytes,
    valueCount,
    isDeleted,
    ownerName,
  } = results[0]?.rows[0] ?? {}
  return {
    found: version === null ? undefined : Number(version),
    isDeleted: isDeleted === 1,
    members: Number(count ?? 0),
    bytes: Number(bytes ?? 0),
    values: Number(valueCount ?? 0),
    ownerName: ownerName == null ? undefined : String(ownerName),
  }

  /**
   * Excludes the resource itself if it is its own member: otherwise its version would no longer be the one to delete.
   */
  function changedGroups(): Statement {
    return statement(sql`UPDATE groups SET version = version + 1, last_modified = max(last_modified, ${now}),
        member_count = member_count - 1, modified_by = ${clientOfToken(tokenHash)}
      WHERE tenant_id = ${tenantId} AND id <> ${id}
        AND id IN (SELECT group_id FROM memberships WHERE tenant_id = ${tenantId} AND member_id = ${id})
        AND EXISTS (SELECT 1 FROM ${from} AS gone WHERE ${isWanted})`)
  }
}
