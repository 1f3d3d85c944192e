/**
 * Looks up the ids that clients name as members: which of them exist, and as what; which are members already; and their
 * names, if those are shown or selected by.
 */
import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import { MAX_MEMBER_DOCUMENT_BYTES } from '../../scim/limits.ts'
import type { Member } from '../../scim/patch/members.ts'
import { prepared, type Row, type Slots } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { NESTED_MEMBER, USER_MEMBER } from '../tables/member-types.ts'
import { GROUPS_TABLE, USERS_TABLE } from '../tables/resource-tables.ts'
import { memberOf } from './memberships.ts'

/** Ids of one group, each once. */
export interface NamedIds {
  readonly groupId: string
  readonly ids: readonly string[]
  /** Whether all members of the group are loaded as well: then the ids are not looked up among them. */
  readonly isWhole: boolean
}

/** The result of a look-up of named ids. */
export interface FoundMembers {
  /** Users and groups of the tenant among the named ids, by id. */
  readonly directory: Map<string, Member>
  /** Named ids that are members already, by the id of their group; none if the whole list is loaded. */
  readonly members: Map<string, Map<string, Member>>
}

/**
 * Ids in a row of the result that has their names: the documents that hold the names have 1 MB together, and the limit of
 * a text is 2 MB. A tenant with large documents gets a row for each name instead, which takes twice as long.
 */
const IDS_WITH_NAMES = 256

/** @param named each group once @param withNames whether `display` is needed */
export function namedMembersQuery(
  tenantId: string,
  named: readonly NamedIds[],
  withNames: boolean,
): Query<FoundMembers> {
  const pieces = withNames ? named.flatMap(split) : named
  // The keys of the rows: one more list, which has the groups of numbered pieces, would cost one more row.
  const byKey = new Map(pieces.map((piece, i) => [withNames ? String(i) : groupOf(piece), piece]))
  const read: Query<FoundMembers>['read'] = ([found, large]) =>
    foundMembers(byKey, found?.rows ?? [], large?.rows ?? [])
  const lists = JSON.stringify(Object.fromEntries(Array.from(byKey, ([key, { ids }]) => [key, ids])))
  if (!withNames) return { statements: [selectNamed({ tenantId, lists })], read }
  const groups = JSON.stringify(
    Object.fromEntries(Array.from(byKey, ([key, piece]) => [key, groupOf(piece)])),
  )
  return {
    statements: [selectWithNames({ tenantId, lists, groups }), selectLargeNames({ tenantId, lists })],
    read,
  }
}

function split(named: NamedIds): readonly NamedIds[] {
  const count = Math.ceil(named.ids.length / IDS_WITH_NAMES)
  return Array.from({ length: count }, (_, i) => ({
    ...named,
    ids: named.ids.slice(i * IDS_WITH_NAMES, (i + 1) * IDS_WITH_NAMES),
  }))
}

/** The group whose members the ids are looked up among. No id begins with a blank. */
function groupOf({ groupId, isWhole }: NamedIds): string {
  return isWhole ? ` ${groupId}` : groupId
}

type Slot = 'tenantId' | 'lists' | 'groups'

const selectNamed = prepared(({ tenantId, lists }: Slots<Exclude<Slot, 'groups'>>) =>
  lookUp(tenantId, { from: sql`json_each(${lists}) AS n`, group: sql`n.key` }),
)

const selectWithNames = prepared(({ tenantId, lists, groups }: Slots<Slot>) =>
  lookUp(tenantId, {
    from: sql`json_each(${lists}) AS n CROSS JOIN json_each(${groups}) AS h ON h.key = n.key`,
    group: sql`h.value`,
    more: sql`, 'names', json_group_array(CASE WHEN ${hasLarge(tenantId)} THEN NULL WHEN u.id IS NULL
      THEN (SELECT g.data ->> '$.displayName' FROM groups AS g WHERE g.tenant_id = ${tenantId} AND g.id = j.value)
      ELSE ${USER_NAME} END)`,
  }),
)

const USER_NAME = sql`coalesce(u.data ->> '$.displayName', u.data ->> '$.userName')`

/**
 * A row for each piece. It holds positions in the list of ids, because a row for each id would take longer
 * than the look-up.
 *
 * @param source has `n.value`, the ids of a piece, and their `group`
 */
function lookUp(
  tenantId: Placeholder,
  { from, group, more = sql`` }: { readonly from: SQL; readonly group: SQL; readonly more?: SQL },
): SQL {
  // Named ids are mostly users: a join would look for each of them among the groups.
  const isGroup = sql`EXISTS (SELECT 1 FROM groups AS g WHERE g.tenant_id = ${tenantId} AND g.id = j.value)`
  return sql`SELECT n.key AS piece, (
      SELECT json_object(
        'members', json_group_array(j.key) FILTER (WHERE m.member_id IS NOT NULL),
        'groups', json_group_array(j.key) FILTER (WHERE u.id IS NULL AND ${isGroup}),
        'unknown', json_group_array(j.key) FILTER (WHERE u.id IS NULL AND NOT ${isGroup})${more})
      FROM json_each(n.value) AS j
      LEFT JOIN users AS u ON u.tenant_id = ${tenantId} AND u.id = j.value
      LEFT JOIN memberships AS m ON m.tenant_id = ${tenantId} AND m.group_id = ${group} AND m.member_id = j.value
    ) AS found FROM ${from}`
}

/**
 * The names in a tenant with large documents: rows with `id` and `display`. Documents are measured before they are read, and
 * no more are read than to show a group.
 */
const selectLargeNames = prepared(
  ({ tenantId, lists }: Slots<'tenantId' | 'lists'>) =>
    sql`WITH named AS MATERIALIZED (SELECT j.value AS id, u.rowid AS user, g.rowid AS nested,
        coalesce(octet_length(u.data), octet_length(g.data)) AS bytes
      FROM json_each(${lists}) AS n CROSS JOIN json_each(n.value) AS j
      LEFT JOIN users AS u ON u.tenant_id = ${tenantId} AND u.id = j.value
      LEFT JOIN groups AS g ON u.id IS NULL AND g.tenant_id = ${tenantId} AND g.id = j.value
      WHERE ${hasLarge(tenantId)} AND (u.id IS NOT NULL OR g.id IS NOT NULL))
    SELECT r.id, coalesce(${USER_NAME}, g.data ->> '$.displayName') AS display
      FROM (SELECT *, sum(bytes) OVER (ROWS UNBOUNDED PRECEDING) AS read FROM named) AS r
      LEFT JOIN users AS u ON u.rowid = r.user LEFT JOIN groups AS g ON g.rowid = r.nested
      WHERE r.read <= ${sql.raw(String(MAX_MEMBER_DOCUMENT_BYTES))}`,
)

/** Whether the tenant has a large document, according to the indexes of those. */
function hasLarge(tenantId: Placeholder): SQL {
  const tests = [USERS_TABLE, GROUPS_TABLE].map(
    ({ name, largeBytes }) => sql`EXISTS (SELECT 1 FROM ${sql.raw(name)} AS large
      WHERE large.tenant_id = ${tenantId} AND octet_length(large.data) > ${sql.raw(String(largeBytes))})`,
  )
  return sql`(${sql.join(tests, sql` OR `)})`
}

/** The positions of ids in a piece. */
interface Found {
  readonly members: readonly number[]
  readonly groups: readonly number[]
  readonly unknown: readonly number[]
  /** The name of each id; null if it has none, or if it is in a row of its own. */
  readonly names?: readonly (string | null)[]
}

const NO_IDS: NamedIds = { groupId: '', ids: [], isWhole: false }

/** @param pieces by the key of their row */
function foundMembers(
  pieces: ReadonlyMap<string, NamedIds>,
  rows: readonly Row[],
  largeNames: readonly Row[],
): FoundMembers {
  const large = new Map(largeNames.map(({ id, display }) => [id, display]))
  const directory = new Map<string, Member>()
  const members = new Map(Array.from(pieces.values(), ({ groupId }) => [groupId, new Map<string, Member>()]))
  for (const row of rows) {
    const { groupId, ids } = pieces.get(String(row.piece)) ?? NO_IDS
    const found: Found = JSON.parse(String(row.found))
    const [groups, unknown] = [new Set(found.groups), new Set(found.unknown)]
    ids.forEach((id, at) => {
      if (unknown.has(at)) return
      const type = groups.has(at) ? NESTED_MEMBER : USER_MEMBER
      directory.set(id, memberOf(id, type, found.names?.[at] ?? large.get(id)))
    })
    const present = members.get(groupId)
    for (const at of found.members) {
      const member = directory.get(ids[at] ?? '')
      if (member !== undefined) present?.set(member.value, member)
    }
  }
  return { directory, members }
}
