/**
 * Writes of groups: of resources that have members. Each function is one batch with the tokens checked in it. The members
 * of a group are read only when they are asked for.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { ScimError } from '../scim/error.ts'
import { MAX_LOADED_MEMBERS } from '../scim/limits.ts'
import { type Member, union } from '../scim/patch/members.ts'
import { type Database, prepared, type Row, type Slots, type Statement } from './database.ts'
import {
  deleteAllMembers,
  deleteMembers,
  type FoundMembers,
  foundMembers,
  inIndexOrder,
  insertMembers,
  isInGroups,
  memberFromRow,
  type NamedIds,
  selectMembers,
  selectNamedMembers,
  selectNames,
} from './memberships.ts'
import { logStatements, type WrittenEntry } from './provisioning-log.ts'
import { GROUPS_TABLE } from './resource-tables.ts'
import { type Documents, STALE_GUARD, type Stored, StoredRow, storedColumns } from './resources.ts'
import type { StaleTenant, TenantElsewhere } from './tenant-context.ts'
import { type Credentials, readAsWriters, writeAsAll } from './tokens.ts'

/** What a group write has to know before it can be decided. */
export interface GroupNeeds {
  /** Empty for a group that is to be created. */
  readonly id: string
  /** The folded displayName that the write would give the group, if any. */
  readonly displayNameKey?: string | undefined
  /** Ids that the write names as members, each once. */
  readonly memberIds: readonly string[]
  /** Whether the whole list is needed: to replace it, to select from it, or to show it. */
  readonly allMembers: boolean
  /**
   * Whose `display` is needed, to be shown or selected by: reading it takes four times as long as to look a member up.
   * "all" goes with `allMembers`.
   */
  readonly names: 'none' | 'named' | 'all'
}

/** What is known of the groups of a tenant after a load: as much as was needed. */
export interface LoadedGroups {
  /** By id, without members. */
  readonly groups: ReadonlyMap<string, StoredRow>
  /** How many members a group had when it was loaded, by its id. */
  readonly memberCounts: ReadonlyMap<string, number>
  /** Whether no two groups may share a displayName. */
  readonly uniqueNames: boolean
  /** Ids of groups by folded displayName; one of them where several may share it. */
  readonly nameOwners: Map<string, string>
  readonly groupCount: number
  readonly groupLimit: number
  /** Users and groups that may be members, by id. */
  readonly directory: Map<string, Member>
  /** Members by the id of their group: all, or those that were named for it. */
  readonly members: Map<string, Map<string, Member>>
}

// Lists travel as JSON. CROSS JOIN looks up each of their elements; IN would read them twice, to sort them first.
const selectGroups = prepared(
  ({ tenantId, ids }: Slots<'tenantId' | 'ids'>) =>
    sql`SELECT ${storedColumns(GROUPS_TABLE)}, groups.member_count AS memberCount FROM json_each(${ids}) AS j
      CROSS JOIN groups ON groups.tenant_id = ${tenantId} AND groups.id = j.value`,
)

/** One owner of each name, however many there are. */
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

/** The ids alone, as JSON: of MAX_LOADED_MEMBERS they have half of what D1 takes. */
const selectAllMemberIds = prepared(
  ({ tenantId, ids }: Slots<'tenantId' | 'ids'>) =>
    sql`SELECT groups.id AS groupId, (SELECT json_group_array(m.member_id) FROM memberships AS m
        WHERE m.tenant_id = ${tenantId} AND m.group_id = groups.id) AS memberIds
      FROM json_each(${ids}) AS j CROSS JOIN groups ON groups.tenant_id = ${tenantId} AND groups.id = j.value
      WHERE ${FEW_MEMBERS}`,
)

/**
 * Loads what group writes of one tenant need, in one batch.
 *
 * @param needs those of each writer
 * @returns also, for each writer, why it may not write
 */
export async function loadGroups(
  db: Database,
  writers: readonly Credentials[],
  needs: readonly GroupNeeds[],
): Promise<{
  readonly loaded: LoadedGroups
  readonly refusals: readonly (ScimError | StaleTenant | TenantElsewhere | undefined)[]
}> {
  const tenantId = writers[0]?.tenantId ?? ''
  const names = needs.flatMap(({ displayNameKey }) => displayNameKey ?? [])
  const named = namedByGroup(needs)
  const shown = new Set(needs.flatMap((need) => (need.names === 'none' ? [] : need.memberIds)))
  const whole = needs.filter(({ allMembers }) => allMembers)
  const selectAll = whole.some((need) => need.names === 'all') ? selectAllMembers : selectAllMemberIds
  const { results, refusals } = await readAsWriters(db, writers, [
    selectGroups({ tenantId, ids: idsOf(needs) }),
    selectNameOwners({ tenantId, names: JSON.stringify(names) }),
    selectRules({ tenantId }),
    selectNamedMembers(tenantId, named),
    ...(whole.length > 0 ? [selectAll({ tenantId, ids: idsOf(whole) })] : []),
    ...(shown.size > 0 ? [selectNames(tenantId, [...shown])] : []),
  ])
  const [found = [], owners = [], tenant = [], known = [], ...more] = results.map(({ rows }) => rows)
  const displays = shown.size > 0 ? more.pop() : []
  const { directory, members } = foundMembers(named, known, displays)
  addMembers(members, more[0])
  return {
    loaded: {
      groups: new Map(found.map((row) => [String(row.id), new StoredRow(row)])),
      memberCounts: new Map(found.map((row) => [String(row.id), Number(row.memberCount)])),
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

function idsOf(needs: readonly GroupNeeds[]): string {
  return JSON.stringify([...new Set(needs.map(({ id }) => id))])
}

function namedByGroup(needs: readonly GroupNeeds[]): NamedIds {
  const named = Map.groupBy(needs, ({ id }) => id)
  const idsIn = (list: readonly GroupNeeds[]) => inIndexOrder(union(list.map(({ memberIds }) => memberIds)))
  return new Map(Array.from(named, ([groupId, list]) => [groupId, idsIn(list)]))
}

/** @param rows of selectAllMembers, or of selectAllMemberIds: then of those that are not known yet the id alone is known */
function addMembers(members: FoundMembers['members'], rows: readonly Row[] = []): void {
  for (const row of rows) {
    const groupId = String(row.groupId)
    const ofGroup = members.get(groupId) ?? new Map<string, Member>()
    members.set(groupId, ofGroup)
    if (row.memberIds == null) ofGroup.set(String(row.id), memberFromRow(row))
    else
      for (const value of JSON.parse(String(row.memberIds)))
        if (!ofGroup.has(value)) ofGroup.set(value, { value })
  }
}

/** A group as it was and as it is to be. */
export interface GroupChange {
  /** Undefined for a new group. */
  readonly before: Stored | undefined
  /** Without members. */
  readonly after: Stored
  /** The attributes as the row holds them; undefined when the members of a known group change, and nothing else. */
  readonly documents: Documents | undefined
  readonly added: readonly Member[]
  readonly removed: readonly string[]
  /** Whether `removed` are known to be all members. */
  readonly removesAll: boolean
}

/** A change of a group that is stored when the database still holds the row that it was decided on. */
export interface GuardedChange extends Omit<GroupChange, 'before'> {
  /** Undefined for a new group. */
  readonly before: StoredRow | undefined
}

/**
 * Stores changed groups and logs the writes that changed them, in one batch: all or nothing.
 *
 * @param changes each group once
 * @param log the entries of the writes, each with who wrote
 * @throws {GuardError} "stale version" when the database holds another group by now, whatever its version says;
 *   "group limit" and "unknown member", whatever the caller believed
 * @throws {UniqueError} when a displayName is taken, in a tenant where names are unique
 */
export async function storeGroups(
  db: Database,
  changes: readonly GuardedChange[],
  log: readonly WrittenEntry[],
): Promise<void> {
  const writers = log.map(({ credentials }) => credentials)
  const tenantId = writers[0]?.tenantId ?? ''
  await writeAsAll(db, writers, [
    ...changes.flatMap((change) => changeStatements(tenantId, change)),
    ...logStatements(tenantId, log),
  ])
}

function changeStatements(tenantId: string, change: GuardedChange): readonly Statement[] {
  const { before, after, documents, added, removed, removesAll } = change
  const { id, version, createdAt, lastModified } = after
  const write = before === undefined ? insertGroup : documents === undefined ? updateMembers : updateGroup
  return [
    write({
      tenantId,
      id,
      versionBefore: before?.version ?? null,
      modifiedBefore: before?.lastModified ?? null,
      dataBefore: before?.json ?? null,
      version,
      createdAt,
      lastModified,
      memberCount: added.length - removed.length,
      data: documents?.data ?? null,
      keys: documents?.keys ?? null,
    }),
    STALE_GUARD,
    ...(removesAll ? [deleteAllMembers({ tenantId, groupId: id })] : deleteMembers(tenantId, id, removed)),
    ...insertMembers(tenantId, id, added),
  ]
}

type BeforeSlot = 'versionBefore' | 'modifiedBefore' | 'dataBefore'
type ChangeSlots = Slots<
  'tenantId' | 'id' | BeforeSlot | 'version' | 'createdAt' | 'lastModified' | 'memberCount' | keyof Documents
>

const insertGroup = prepared(
  ({ tenantId, id, data, keys, version, createdAt, lastModified, memberCount }: ChangeSlots) =>
    sql`INSERT INTO groups (tenant_id, id, data, keys, version, created_at, last_modified, member_count)
      VALUES (${tenantId}, ${id}, ${data}, ${keys}, ${version}, ${createdAt}, ${lastModified}, ${memberCount})`,
)

const updateGroup = prepared((slots: ChangeSlots) =>
  updateOf(slots, sql`data = ${slots.data}, keys = ${slots.keys},`),
)

/** A change of members alone touches neither the documents of a group nor their indexes. */
const updateMembers = prepared((slots: ChangeSlots) => updateOf(slots))

/**
 * The version alone does not tell that nobody else wrote: after a restore it can be that of another content. Members are
 * no part of the row; whoever changes them changes its time as well.
 */
function updateOf(slots: ChangeSlots, documents?: SQL): SQL {
  return sql`UPDATE groups SET ${documents} version = ${slots.version}, last_modified = ${slots.lastModified},
      member_count = member_count + ${slots.memberCount}
    WHERE tenant_id = ${slots.tenantId} AND id = ${slots.id} AND version = ${slots.versionBefore}
      AND last_modified = ${slots.modifiedBefore} AND data = ${slots.dataBefore}`
}
