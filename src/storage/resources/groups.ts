/**
 * Writes of groups, which are resources with members. Each function is one batch that also checks the tokens. The
 * members of a group are read only if they are needed.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { ScimError } from '../../scim/error.ts'
import type { NewEvent } from '../../scim/events.ts'
import type { IdentifierLookup } from '../../scim/identifiers.ts'
import { MAX_LOADED_MEMBERS } from '../../scim/limits.ts'
import { type Member, union } from '../../scim/patch/members.ts'
import type { Credentials } from '../access/token-conditions.ts'
import { readAsWriters, writeAsAll, writeGuarded } from '../access/tokens.ts'
import {
  type Database,
  inBackground,
  prepared,
  type Row,
  type Slots,
  type Statement,
} from '../database/database.ts'
import { eventStatements } from '../events/outbox.ts'
import { guardingStatement, logStatements, type WrittenEntry } from '../log/provisioning-log.ts'
import { identifierStatements, mayTurn, turnStatements } from '../sources/conflicts.ts'
import { GROUPS_TABLE, type StoredResourceType } from '../tables/resource-tables.ts'
import {
  clientOfToken,
  type Documents,
  STALE_GUARD,
  type Stored,
  StoredRow,
  sourceColumns,
  storedColumns,
} from '../tables/stored-resources.ts'
import type { SourceMode, StaleTenant, TenantElsewhere } from '../tenants/context.ts'
import {
  deleteAllMembers,
  deleteMembers,
  FEW_MEMBERSHIPS,
  inIndexOrder,
  insertMembers,
  isInGroups,
  memberFromRow,
  selectMembers,
} from './memberships.ts'
import { type FoundMembers, type NamedIds, namedMembersQuery } from './named-members.ts'

/** The data that a group write needs for its decision. */
export interface GroupNeeds {
  /** Empty for a new group. */
  readonly id: string
  /** The folded displayName that the write would give the group, if any. */
  readonly displayNameKey?: string | undefined
  /** Ids that the write names as members, each once. */
  readonly memberIds: readonly string[]
  /** Whether all members are needed: to replace them, to select from them, or to show them. */
  readonly allMembers: boolean
  /**
   * The members whose `display` is needed, to show or select them. Reading it takes as long as looking a member up. "all"
   * requires `allMembers`.
   */
  readonly names: 'none' | 'named' | 'all'
}

/** The client that created a group. */
export interface GroupOwner {
  /** Null if it is unknown. */
  readonly clientId: string | null
  /** Undefined if it is deleted. */
  readonly name: string | undefined
}

/** The loaded data of the groups of a tenant: as much as was needed. */
export interface LoadedGroups {
  /** By id, without members. */
  readonly groups: ReadonlyMap<string, StoredRow>
  /** The number of members of a group when it was loaded, by its id. */
  readonly memberCounts: ReadonlyMap<string, number>
  /** The owner of a group, by its id; only in the mode "owner". */
  readonly owners: ReadonlyMap<string, GroupOwner>
  /** Whether no two groups may share a displayName. */
  readonly uniqueNames: boolean
  /** Ids of groups by folded displayName; one of them if several share it. */
  readonly nameOwners: Map<string, string>
  readonly groupCount: number
  readonly groupLimit: number
  /** Users and groups that can be members, by id. */
  readonly directory: Map<string, Member>
  /** Members by the id of their group: all of them, or only the named ones. */
  readonly members: Map<string, Map<string, Member>>
}

// Lists travel as JSON. CROSS JOIN looks up each of their elements; IN would read them twice, to sort them first.
const selectGroups = prepared(
  ({ tenantId, ids }: Slots<'tenantId' | 'ids'>) =>
    sql`SELECT ${storedColumns(GROUPS_TABLE)}, ${sourceColumns(GROUPS_TABLE)}, groups.member_count AS memberCount FROM json_each(${ids}) AS j
      CROSS JOIN groups ON groups.tenant_id = ${tenantId} AND groups.id = j.value`,
)

/** The clients that created groups. */
const selectOwners = prepared(
  ({ tenantId, ids }: Slots<'tenantId' | 'ids'>) =>
    sql`SELECT groups.id, created_by AS clientId, c.name FROM json_each(${ids}) AS j
      CROSS JOIN groups ON groups.tenant_id = ${tenantId} AND groups.id = j.value
      LEFT JOIN clients AS c ON c.id = created_by`,
)

/** One owner of each name, even if several groups share it. */
const selectNameOwners = prepared(
  ({ tenantId, names }: Slots<'tenantId' | 'names'>) =>
    sql`SELECT j.value AS name, (
      SELECT id FROM groups WHERE tenant_id = ${tenantId} AND display_name_key = j.value LIMIT 1
    ) AS id FROM json_each(${names}) AS j`,
)

const selectRules = prepared(
  ({ tenantId }: Slots<'tenantId'>) =>
    sql`SELECT group_count AS count, group_limit AS "limit", unique_group_names AS uniqueNames
      FROM tenants WHERE id = ${tenantId}`,
)

const FEW_MEMBERS = sql.raw(`groups.member_count <= ${MAX_LOADED_MEMBERS}`)

const selectAllMembers = prepared(({ tenantId, ids }: Slots<'tenantId' | 'ids'>) =>
  selectMembers(tenantId, isInGroups(tenantId, sql`json_each(${ids})`, FEW_MEMBERS)),
)

/** Ids only, as JSON: MAX_LOADED_MEMBERS of them take half of the limit of a string in D1. */
const selectAllMemberIds = prepared(
  ({ tenantId, ids }: Slots<'tenantId' | 'ids'>) =>
    sql`SELECT groups.id AS groupId, (SELECT json_group_array(m.member_id) FROM memberships AS m
        WHERE m.tenant_id = ${tenantId} AND m.group_id = groups.id) AS memberIds
      FROM json_each(${ids}) AS j CROSS JOIN groups ON groups.tenant_id = ${tenantId} AND groups.id = j.value
      WHERE ${FEW_MEMBERS}`,
)

/**
 * Loads the data for group writes of one tenant, in one batch.
 *
 * @param needs one for each writer
 * @param sourceMode whether the owners of the groups are needed
 * @returns the data, and for each writer the reason for a refusal
 */
export async function loadGroups(
  db: Database,
  writers: readonly Credentials[],
  needs: readonly GroupNeeds[],
  sourceMode: SourceMode,
): Promise<{
  readonly loaded: LoadedGroups
  readonly refusals: readonly (ScimError | StaleTenant | TenantElsewhere | undefined)[]
}> {
  const tenantId = writers[0]?.tenantId ?? ''
  const names = needs.flatMap(({ displayNameKey }) => displayNameKey ?? [])
  const whole = needs.filter(({ allMembers }) => allMembers)
  const selectAll = whole.some((need) => need.names === 'all') ? selectAllMembers : selectAllMemberIds
  const withNames = needs.some((need) => need.names !== 'none' && need.memberIds.length > 0)
  const lookUp = namedMembersQuery(tenantId, namedByGroup(needs), withNames)
  const named = needs.reduce((sum, { memberIds }) => sum + memberIds.length, 0)
  const database = named > FEW_MEMBERSHIPS ? inBackground(db) : db
  const { results, refusals } = await readAsWriters(database, writers, [
    selectGroups({ tenantId, ids: idsOf(needs) }),
    selectNameOwners({ tenantId, names: JSON.stringify(names) }),
    selectRules({ tenantId }),
    ...lookUp.statements,
    ...(sourceMode === 'owner' ? [selectOwners({ tenantId, ids: idsOf(needs) })] : []),
    ...(whole.length > 0 ? [selectAll({ tenantId, ids: idsOf(whole) })] : []),
  ])
  const [found = [], owners = [], tenant = []] = results.slice(0, 3).map(({ rows }) => rows)
  const rest = results.slice(3)
  const lookedUp = rest.splice(0, lookUp.statements.length)
  const created = sourceMode === 'owner' ? rest.shift() : undefined
  const [all] = rest
  const { directory, members } = lookUp.read(lookedUp)
  addMembers(members, directory, all?.rows)
  return {
    loaded: {
      groups: new Map(found.map((row) => [String(row.id), new StoredRow(row)])),
      memberCounts: new Map(found.map((row) => [String(row.id), Number(row.memberCount)])),
      owners: new Map((created?.rows ?? []).map((row) => [String(row.id), ownerOf(row)])),
      uniqueNames: tenant[0]?.uniqueNames !== 0,
      nameOwners: new Map(owners.flatMap(({ name, id }) => (id ? [[String(name), String(id)]] : []))),
      groupCount: Number(tenant[0]?.count ?? 0),
      groupLimit: Number(tenant[0]?.limit ?? 0),
      directory,
      members,
    },
    refusals,
  }
}

function ownerOf({ clientId = null, name }: Row): GroupOwner {
  return {
    clientId: clientId === null ? null : String(clientId),
    name: name == null ? undefined : String(name),
  }
}

function idsOf(needs: readonly GroupNeeds[]): string {
  return JSON.stringify([...new Set(needs.map(({ id }) => id))])
}

function namedByGroup(needs: readonly GroupNeeds[]): readonly NamedIds[] {
  const named = Map.groupBy(needs, ({ id }) => id)
  return Array.from(named, ([groupId, list]) => ({
    groupId,
    ids: inIndexOrder(union(list.map(({ memberIds }) => memberIds))),
    isWhole: list.some(({ allMembers }) => allMembers),
  }))
}

/** @param rows of selectAllMembers or selectAllMemberIds; the latter adds members that are not named with their id only */
function addMembers(
  members: FoundMembers['members'],
  directory: FoundMembers['directory'],
  rows: readonly Row[] = [],
): void {
  for (const row of rows) {
    const groupId = String(row.groupId)
    const ofGroup = members.get(groupId) ?? new Map<string, Member>()
    members.set(groupId, ofGroup)
    if (row.memberIds == null) ofGroup.set(String(row.id), memberFromRow(row))
    else
      for (const value of JSON.parse(String(row.memberIds)))
        ofGroup.set(value, directory.get(value) ?? { value })
  }
}

/** What a write changes of a group. */
export interface GroupChange {
  /** The group after the write, without members. */
  readonly after: Stored
  /** The attributes in their stored form; undefined if only the members of an existing group change. */
  readonly documents: Documents | undefined
  readonly added: readonly Member[]
  readonly removed: readonly string[]
  /** Whether `removed` is known to contain all members. */
  readonly removesAll: boolean
  /** SHA-256 of the token of the write, hexadecimal. */
  readonly tokenHash: string
}

/** A change of a group that is stored only if the database still holds the row that it is based on. */
export interface GuardedChange extends GroupChange {
  /** Undefined for a new group. */
  readonly before: StoredRow | undefined
  /** The tokens that added members, by the id of the member, if they are not all of `tokenHash`. */
  readonly addedBy?: ReadonlyMap<string, string> | undefined
}

/** What a write of a group tells others, in its own transaction. */
export interface ToldWrite extends WrittenEntry {
  readonly events: readonly NewEvent[]
  /** Identifiers that other groups may have. */
  readonly lookups: readonly IdentifierLookup[]
}

/**
 * Stores changed groups, and the log entries and events of the writes that changed them, in one batch: all or nothing.
 *
 * @param changes each group once
 * @param writes in their order
 * @param guards statements at the end of the batch, which may end it
 * @throws {GuardError} "stale version" when the database holds a different group, whatever its version is; "group
 *   limit" and "unknown member", whatever the caller assumed
 * @throws {UniqueError} when a displayName is taken, in a tenant where names are unique
 */
export async function storeGroups(
  db: Database,
  type: StoredResourceType,
  changes: readonly GuardedChange[],
  { writes, guards }: { readonly writes: readonly ToldWrite[]; readonly guards: readonly Statement[] },
): Promise<void> {
  const writers = writes.map(({ credentials }) => credentials)
  const tenantId = writers[0]?.tenantId ?? ''
  const memberships = changes.reduce((sum, { added, removed }) => sum + added.length + removed.length, 0)
  const database = memberships > FEW_MEMBERSHIPS ? inBackground(db) : db
  const [alone] = writes
  const [change] = changes
  if (writes.length === 1 && alone && change) {
    await storeAlone(database, type, { change, write: alone, guards })
    return
  }
  await writeAsAll(database, writers, [
    ...changes.flatMap((one) => [
      changeStatement(tenantId, one),
      STALE_GUARD,
      ...memberStatements(tenantId, one),
    ]),
    ...logStatements(tenantId, writes),
    ...eventStatements(tenantId, writes.flatMap(sourcedEvents)),
    ...conflictStatements(type, changes, writes),
    ...guards,
  ])
}

/** The same for one write, as nearly all of them are: its entry also guards the batch, and has the first event with it. */
async function storeAlone(
  db: Database,
  type: StoredResourceType,
  {
    change,
    write,
    guards,
  }: { readonly change: GuardedChange; readonly write: ToldWrite; readonly guards: readonly Statement[] },
): Promise<void> {
  const { credentials, entry } = write
  const { tenantId } = credentials
  const [event, ...more] = sourcedEvents(write)
  if (event === undefined) throw new Error('a change of a group has no event')
  const { before } = change
  const guard = guardingStatement(
    credentials,
    { entry, event: event.event },
    before && { table: type.table, row: before, owner: before.sources?.createdBy ?? null },
  )
  await writeGuarded(
    db,
    [credentials],
    [guard],
    [
      { ...changeStatement(tenantId, change), act: {} },
      ...memberStatements(tenantId, change),
      ...eventStatements(tenantId, more),
      ...conflictStatements(type, [change], [write]),
      ...guards,
    ],
  )
}

/** A group whose writes have several tokens may turn within the batch. */
function conflictStatements(
  type: StoredResourceType,
  changes: readonly GuardedChange[],
  writes: readonly ToldWrite[],
): readonly Statement[] {
  const groups = new Map(changes.map((change) => [change.after.id, change]))
  return writes.flatMap(({ credentials, entry, lookups }) => {
    const group = groups.get(entry.resourceId ?? '')
    if (group === undefined) return []
    const { before, after, addedBy } = group
    const write = { credentials, requestId: entry.requestId, type }
    const isMixed = addedBy !== undefined && new Set(addedBy.values()).size > 1
    const modifiedBy = before === undefined ? null : before.sources?.modifiedBy
    return [
      ...identifierStatements(write, after.id, lookups),
      ...(isMixed || mayTurn(credentials, modifiedBy)
        ? turnStatements({ ...write, id: after.id, entryId: entry.id, changes: entry.changes })
        : []),
    ]
  })
}

function sourcedEvents({ credentials, entry: { requestId }, events }: ToldWrite) {
  return events.map((event) => ({ source: { credentials, requestId }, event }))
}

function changeStatement(tenantId: string, change: GuardedChange): Statement {
  const { before, after, documents, added, removed, tokenHash } = change
  const { id, version, createdAt, lastModified } = after
  const write = before === undefined ? insertGroup : documents === undefined ? updateMembers : updateGroup
  return write({
    tenantId,
    id,
    versionBefore: before?.version ?? null,
    modifiedBefore: before?.lastModified ?? null,
    dataBefore: before?.json ?? null,
    ownerBefore: before?.sources?.createdBy ?? null,
    version,
    createdAt,
    lastModified,
    memberCount: added.length - removed.length,
    data: documents?.data ?? null,
    keys: documents?.keys ?? null,
    tokenHash,
  })
}

function memberStatements(
  tenantId: string,
  { after: { id }, added, removed, removesAll, tokenHash, addedBy }: GuardedChange,
): readonly Statement[] {
  return [
    ...(removesAll ? [deleteAllMembers({ tenantId, groupId: id })] : deleteMembers(tenantId, id, removed)),
    ...Array.from(
      Map.groupBy(added, ({ value }) => addedBy?.get(value) ?? tokenHash),
      ([hash, members]) => insertMembers({ tenantId, groupId: id, tokenHash: hash }, members),
    ).flat(),
  ]
}

type BeforeSlot = 'versionBefore' | 'modifiedBefore' | 'dataBefore' | 'ownerBefore'
type ChangeSlots = Slots<
  | 'tenantId'
  | 'id'
  | BeforeSlot
  | 'version'
  | 'createdAt'
  | 'lastModified'
  | 'memberCount'
  | 'tokenHash'
  | keyof Documents
>

const insertGroup = prepared(
  ({ tenantId, id, data, keys, version, createdAt, lastModified, memberCount, tokenHash }: ChangeSlots) =>
    sql`INSERT INTO groups
        (tenant_id, id, data, keys, version, created_at, last_modified, member_count, created_by, modified_by)
      SELECT ${tenantId}, ${id}, ${data}, ${keys}, ${version}, ${createdAt}, ${lastModified}, ${memberCount},
        client_id, client_id FROM tokens WHERE hash = ${tokenHash}`,
)

const updateGroup = prepared((slots: ChangeSlots) =>
  updateOf(slots, sql`data = ${slots.data}, keys = ${slots.keys},`),
)

/** A change of members touches neither the documents of a group nor their indexes. */
const updateMembers = prepared((slots: ChangeSlots) => updateOf(slots))

/**
 * The version alone does not prove that the group is unchanged: after a restore, another content may have it. Members
 * are not part of the row, but a change of members also changes the time of the group.
 */
function updateOf(slots: ChangeSlots, documents?: SQL): SQL {
  return sql`UPDATE groups SET ${documents} version = ${slots.version}, last_modified = ${slots.lastModified},
      member_count = member_count + ${slots.memberCount}, modified_by = ${clientOfToken(slots.tokenHash)}
    WHERE tenant_id = ${slots.tenantId} AND id = ${slots.id} AND version = ${slots.versionBefore}
      AND last_modified = ${slots.modifiedBefore} AND data = ${slots.dataBefore}
      AND created_by IS ${slots.ownerBefore}`
}
