/**
 * Deletes a resource with its memberships in one batch, except those of a large group: see deleted-groups.ts.
 */
import { type SQL, sql } from 'drizzle-orm'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import type { Preconditions } from '../../scim/version.ts'
import { administratorIdBeside } from '../access/administrator.ts'
import { credentialsOf } from '../access/token-conditions.ts'
import { writeGuarded } from '../access/tokens.ts'
import {
  type Database,
  GuardError,
  inBackground,
  preparedAll,
  type Slots,
  type SqlValue,
  type Statement,
  type StatementResult,
} from '../database/database.ts'
import { type DeletionSlot, insertDeletionEvents, nativeJsonPath } from '../events/outbox.ts'
import { type CountSlot, countDeletion, deletionCounts } from '../guard/deprovisioning.ts'
import type { LogEntry } from '../log/log-entry.ts'
import { type EntrySlot, entryValues, insertDeletionEntry } from '../log/provisioning-log.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import {
  type AllowedVersions,
  allowedVersions,
  clientOfToken,
  type DeletedResource,
  isAllowedVersion,
} from '../tables/stored-resources.ts'
import { countOfValues } from '../tables/user-values.ts'
import type { TenantContext } from '../tenants/context.ts'
import { hasRoomForDeletion } from './deleted-groups.ts'
import { jointly } from './resource-batches.ts'
import { keepDeleted } from './tombstones.ts'

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

/** The values of a deletion. */
type Slot =
  | DeletionSlot
  | EntrySlot
  | CountSlot
  | keyof AllowedVersions
  | 'native'
  | 'groupNative'
  | 'mayTakeLong'

type Values = Readonly<Record<Slot, SqlValue>>

/** What the statements of a deletion depend on, beside its values. */
interface DeletionKind {
  /** What they take from it is the same in every tenant, and so is the type of the groups that it may be a member of. */
  readonly type: StoredResourceType
  readonly groups: StoredResourceType | undefined
  /** Whether only its owner may delete it. */
  readonly isByOwner: boolean
  readonly hasPreconditions: boolean
  readonly isKept: boolean
}

/** The statements of each kind. To render them takes a tenth of the time of a deletion. */
const kinds = new Map<string, (values: Values) => readonly Statement[]>()

function deletionStatements(kind: DeletionKind, values: Values): readonly Statement[] {
  const { type, isByOwner, hasPreconditions, isKept } = kind
  const key = [type.table.name, isByOwner, hasPreconditions, isKept].join(' ')
  const known = kinds.get(key) ?? prepareDeletion(kind)
  kinds.set(key, known)
  return known(values)
}

/** @returns the statements: a guard, one that selects the row of DeletionResult, and the others */
function prepareDeletion(kind: DeletionKind): (values: Values) => readonly Statement[] {
  const { type, groups, isKept } = kind
  const queries = (slots: Slots<Slot>): readonly SQL[] => {
    const isWanted = sql`${isResource(slots)} AND ${isAllowed(kind, slots)}`
    const deleted = { type, isWanted }
    return [
      insertDeletionEntry(type, isWanted, slots),
      selectDeleted(kind, slots),
      ...(type.isMember ? [updateGroups(deleted, slots)] : []),
      insertDeletionEvents({ ...deleted, groups }, slots),
      countDeletion(deleted, slots),
      ...(isKept ? keepDeleted(deleted, slots) : []),
      // The triggers delete its memberships, on both sides, or note those that are left.
      sql`DELETE FROM ${sql.raw(type.table.name)} AS gone WHERE ${isWanted}`,
    ]
  }
  return preparedAll(queries)
}

// With an alias, because the subquery on memberships changes rows of the same table.
function isResource({ tenantId, goneId }: Slots<Slot>): SQL {
  return sql`gone.tenant_id = ${tenantId} AND gone.id = ${goneId}`
}

/** The condition on the resource `gone` that it may be deleted. */
function isAllowed({ type, isByOwner, hasPreconditions }: DeletionKind, slots: Slots<Slot>): SQL {
  const conditions = [
    ...(isByOwner ? [isOwned(slots)] : []),
    ...(hasPreconditions ? [isAllowedVersion(sql`gone.version`, slots)] : []),
    ...(hasMembers(type) ? [hasRoomForDeletion(slots.tenantId)] : []),
  ]
  return conditions.length === 0 ? sql`true` : sql.join(conditions, sql` AND `)
}

/** The condition on the resource `gone` that the client of the token may write it in the mode "owner". */
function isOwned({ tokenHash }: Slots<Slot>): SQL {
  const client = clientOfToken(tokenHash)
  return sql`(gone.created_by IS NULL OR gone.created_by = ${client} OR ${client} = ${administratorIdBeside('gone.tenant_id')})`
}

/** Ends its batch if the resource is a member of many groups: see `checkStatement` in tenants/identity.ts for the error. */
function selectDeleted(kind: DeletionKind, slots: Slots<Slot>): SQL {
  const { type, isByOwner } = kind
  const few = sql.raw(String(FEW_MEMBERSHIPS))
  const count = sql`(SELECT count(*) FROM (SELECT 1 FROM memberships
    WHERE tenant_id = ${slots.tenantId} AND member_id = ${slots.goneId} LIMIT ${few} + 1))`
  const ownerName = isByOwner
    ? sql`iif(${isOwned(slots)}, NULL, (SELECT name FROM clients WHERE id = gone.created_by))`
    : sql`NULL`
  return sql`SELECT version, ${sql.raw(hasMembers(type) ? 'member_count' : '0')} AS members,
      octet_length(data) + octet_length(keys) AS bytes, ${countOfValues(sql`keys`)} AS valueCount,
      iif(${isAllowed(kind, slots)}, 1, 0) AS isDeleted, ${ownerName} AS ownerName,
      json_extract('{}', iif(${slots.mayTakeLong} OR ${count} <= ${few}, '$', 'guard: many memberships')) AS checked
    FROM ${sql.raw(type.table.name)} AS gone WHERE ${isResource(slots)}`
}

/** Excludes the resource itself if it is its own member: otherwise its version would no longer be the one to delete. */
function updateGroups(
  { type, isWanted }: DeletedResource,
  { tenantId, tokenHash, now, goneId }: Slots<Slot>,
): SQL {
  return sql`UPDATE groups SET version = version + 1, last_modified = max(last_modified, ${now}),
      member_count = member_count - 1, modified_by = ${clientOfToken(tokenHash)}
    WHERE tenant_id = ${tenantId} AND id <> ${goneId}
      AND id IN (SELECT group_id FROM memberships WHERE tenant_id = ${tenantId} AND member_id = ${goneId})
      AND EXISTS (SELECT 1 FROM ${sql.raw(type.table.name)} AS gone WHERE ${isWanted})`
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
  const versions = allowedVersions(preconditions)
  const groups = type.isMember ? tenant.resourceTypes.find(hasMembers) : undefined
  const counts = deletionCounts(tenant, type)
  const kind = {
    type,
    groups,
    isByOwner: tenant.sourceMode === 'owner',
    hasPreconditions: versions !== undefined,
    isKept,
  }
  const values = {
    ...counts.values,
    ...entryValues(credentials, log),
    goneId: id,
    matched: versions?.matched ?? null,
    excluded: versions?.excluded ?? null,
    native: nativeJsonPath(type),
    groupNative: groups === undefined ? null : nativeJsonPath(groups),
  }
  const statementsOf = (mayTakeLong: number) => [
    ...deletionStatements(kind, { ...values, mayTakeLong }),
    counts.check,
  ]
  const results = await writeOrWriteInBackground(tenant, id, statementsOf)
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
}

/** Writes, or if that would take long, writes in the background. @returns the results of the statements after the guard */
async function writeOrWriteInBackground(
  tenant: TenantContext,
  resourceId: string,
  statementsOf: (mayTakeLong: number) => readonly Statement[],
): Promise<readonly StatementResult[]> {
  const credentials = credentialsOf(tenant)
  const write = (database: Database, statements: readonly Statement[]) =>
    writeGuarded(database, [credentials], statements.slice(0, 1), statements.slice(1))
  try {
    return await write(jointly(tenant, resourceId), statementsOf(0))
  } catch (error) {
    if (!(error instanceof GuardError) || error.rule !== 'many memberships') throw error
  }
  return await write(inBackground(tenant.database), statementsOf(1))
}
