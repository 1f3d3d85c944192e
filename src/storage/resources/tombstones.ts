/**
 * Tombstones: resources that clients deleted, kept for a while so that an administrator can restore them. The batch of the
 * deletion writes them in SQL, whatever their size. The memberships of a large group follow in the background, as they are
 * deleted: see deleted-groups.ts.
 */
import { type SQL, sql } from 'drizzle-orm'
import { MAX_DELETED_MEMBERSHIPS, TOMBSTONE_IDS } from '../../scim/limits.ts'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import { type Database, type Slots, type Statement, statement } from '../database/database.ts'
import { type Page, pageOfItems, type Query } from '../database/query.ts'
import type { DeletionSlot } from '../events/outbox.ts'
import { NESTED_MEMBER } from '../tables/member-types.ts'
import { selection } from '../tables/selection.ts'
import { clientOfToken, type DeletedResource } from '../tables/stored-resources.ts'
import { tombstones } from '../tables/tables.ts'

/** The bytes of an id in a list of ids. */
const ID_BYTES = sql.raw('40')
// Not a parameter: D1 binds numbers as REAL, and the division must be one of integers.
const IDS_IN_A_ROW = sql.raw(String(TOMBSTONE_IDS))

/** The queries that keep a resource. They run after its events are stored, and before it is deleted. */
export function keepDeleted(
  { type, isWanted }: DeletedResource,
  { tenantId, tokenHash, now, requestId, goneId }: Slots<DeletionSlot>,
): readonly SQL[] {
  const from = sql.raw(type.table.name)
  const gone = sql`FROM ${from} AS gone WHERE ${isWanted}`
  const members = sql.raw(hasMembers(type) ? 'gone.member_count' : '0')
  return [
    // Left by a restore that was not completed.
    sql`DELETE FROM tombstones WHERE tenant_id = ${tenantId} AND id = ${goneId} AND EXISTS (SELECT 1 ${gone})`,
    sql`INSERT INTO tombstones (tenant_id, id, seq, resource_type, name, data, version, created_at, last_modified,
        deleted_at, client_id, created_by, request_id, member_count, total_bytes)
      SELECT gone.tenant_id, gone.id, coalesce((SELECT max(seq) FROM events WHERE tenant_id = ${tenantId}), 0),
        ${sql.raw(`'${type.name}'`)}, gone.data ->> ${sql.raw(`'$.${type.nameAttribute}'`)}, gone.data, gone.version, gone.created_at,
        gone.last_modified, ${now}, ${clientOfToken(tokenHash)}, gone.created_by, ${requestId}, ${members},
        coalesce((SELECT total_bytes FROM tombstones WHERE tenant_id = ${tenantId} ORDER BY seq DESC LIMIT 1), 0)
          + octet_length(gone.data) + ${members} * ${ID_BYTES}
      ${gone}`,
    ...(type.isMember ? [keptGroups()] : []),
    ...(hasMembers(type) ? [keptMembers()] : []),
  ]

  function keptGroups(): SQL {
    const rows = sql`SELECT m.tenant_id, m.member_id AS id, m.group_id AS other FROM memberships AS m
      WHERE m.tenant_id = ${tenantId} AND m.member_id = ${goneId} AND m.group_id <> ${goneId} AND EXISTS (SELECT 1 ${gone})`
    return insertMemberships('groups', rows)
  }

  /** Of a large group only the groups: a trigger deletes them with it, and the users afterwards. */
  function keptMembers(): SQL {
    const isGoing = sql`(m.member_type = ${NESTED_MEMBER} OR gone.member_count <= ${sql.raw(String(MAX_DELETED_MEMBERSHIPS))})`
    const rows = sql`SELECT m.tenant_id, m.group_id AS id, m.member_id AS other
      FROM ${from} AS gone CROSS JOIN memberships AS m ON m.tenant_id = gone.tenant_id AND m.group_id = gone.id
      WHERE ${isWanted} AND ${isGoing}`
    return insertMemberships('members', rows)
  }
}

/**
 * The statement that keeps memberships of large groups before they are deleted.
 *
 * @param left `FROM memberships AS m …`, with a LIMIT
 */
export function keptMembersStatement(tenantId: string, left: SQL): Statement {
  const rows = sql`SELECT l.* FROM (SELECT m.tenant_id, m.group_id AS id, m.member_id AS other ${left}) AS l
    WHERE EXISTS (SELECT 1 FROM tombstones AS t WHERE t.tenant_id = ${tenantId} AND t.id = l.id)`
  return statement(insertMemberships('members', rows))
}

/** @param rows with `tenant_id`, `id` and `other`, the id on the other side */
function insertMemberships(kind: 'members' | 'groups', rows: SQL): SQL {
  return sql`INSERT OR REPLACE INTO tombstone_memberships (tenant_id, id, kind, first, ids)
    SELECT tenant_id, id, ${sql.raw(`'${kind}'`)}, min(other), json_group_array(other ORDER BY other)
    FROM (SELECT tenant_id, id, other, (row_number() OVER (PARTITION BY id ORDER BY other) - 1) / ${IDS_IN_A_ROW} AS part
      FROM (${rows})) GROUP BY id, part`
}

/** A deleted resource. Times in milliseconds since 1970. */
const TOMBSTONE = selection(
  tombstones,
  ['id', 'seq', 'resourceType', 'name', 'version', 'deletedAt', 'clientId', 'requestId', 'memberCount'],
  {
    alias: 't',
    computed: {
      clientName: sql<string | null>`(SELECT name FROM clients WHERE clients.id = t.client_id)`,
      /** Whether the resource exists: a restore that was interrupted has not restored all memberships. */
      isRestored: sql<number>`(EXISTS (SELECT 1 FROM users AS u WHERE u.tenant_id = t.tenant_id AND u.id = t.id)
        OR EXISTS (SELECT 1 FROM groups AS g WHERE g.tenant_id = t.tenant_id AND g.id = t.id))`,
    },
  },
)
export type Tombstone = ReturnType<typeof TOMBSTONE.fromRow>

const DELETED = selection(tombstones, ['data', 'createdAt', 'lastModified'])

/** A deleted resource with its document. */
export type WholeTombstone = Tombstone & ReturnType<typeof DELETED.fromRow>

/** The deleted resources of a tenant, the newest first. @param before the cursor: the `seq` of the last one before */
export function tombstonesQuery(
  tenantId: string,
  { before = Number.MAX_SAFE_INTEGER, size }: { readonly before?: number | undefined; readonly size: number },
): Query<Page<Tombstone, number>> {
  return {
    statements: [
      TOMBSTONE.where(
        sql`t.tenant_id = ${tenantId} AND t.seq < ${before} ORDER BY t.seq DESC LIMIT ${size + 1}`,
      ),
    ],
    read: ([found]) => pageOfItems(TOMBSTONE.all(found), size, ({ seq }) => seq),
  }
}

/** @returns undefined if no such resource was deleted, or if it is not kept any more */
export function tombstoneQuery(tenantId: string, id: string): Query<WholeTombstone | undefined> {
  return {
    statements: [
      TOMBSTONE.where(sql`t.tenant_id = ${tenantId} AND t.id = ${id}`),
      DELETED.where(sql`tenant_id = ${tenantId} AND id = ${id}`),
    ],
    read: ([found, document]) => {
      const [tombstone, deleted] = [TOMBSTONE.first(found), DELETED.first(document)]
      return tombstone && deleted && { ...tombstone, ...deleted }
    },
  }
}

/** Removes a tombstone with its memberships. @param seq that of a certain deletion; undefined: of any */
export function removeTombstone(tenantId: string, id: string, seq?: number): Statement {
  const isIt = seq === undefined ? sql`true` : sql`seq = ${seq}`
  return statement(sql`DELETE FROM tombstones WHERE tenant_id = ${tenantId} AND id = ${id} AND ${isIt}`)
}

/** Events whose previous values a statement removes. */
const MAX_FORGOTTEN_EVENTS = 5_000

/**
 * Erases a deleted resource: its tombstone, and the previous values in its history.
 *
 * @returns false if there is no such tombstone
 */
export async function eraseTombstone(db: Database, tenantId: string, id: string): Promise<boolean> {
  const [removed] = await db.batch([{ ...removeTombstone(tenantId, id), act: {} }])
  if ((removed?.changes ?? 0) === 0) return false
  for (let left = MAX_FORGOTTEN_EVENTS; left === MAX_FORGOTTEN_EVENTS; ) {
    const [forgotten] = await db.batch([
      statement(sql`UPDATE events SET previous = NULL WHERE tenant_id = ${tenantId} AND seq IN (
        SELECT seq FROM events INDEXED BY events_by_resource WHERE tenant_id = ${tenantId} AND resource_id = ${id}
          AND previous IS NOT NULL LIMIT ${MAX_FORGOTTEN_EVENTS})`),
    ])
    left = forgotten?.changes ?? 0
  }
  return true
}

/**
 * Deletes the oldest tombstones, as long as they are older than a time, and reads in proportion.
 *
 * @param before milliseconds since 1970
 * @param limit the most that are deleted
 * @returns the number of deleted ones
 */
export async function pruneTombstones(db: Database, before: number, limit: number): Promise<number> {
  const next = (after: string) => sql.raw(`(SELECT min(seq) FROM tombstones WHERE tenant_id = ${after})`)
  // Both sides of a move must stay equal.
  const [deleted] = await db.batch([
    statement(sql`WITH RECURSIVE old(tenant_id, seq) AS (
        SELECT t.id, s.seq FROM tenants AS t CROSS JOIN tombstones AS s
          ON s.tenant_id = t.id AND s.seq = ${next('t.id')} AND s.deleted_at < ${before}
        WHERE t.state NOT IN ('moving', 'arriving', 'moved')
        UNION ALL SELECT old.tenant_id, s.seq FROM old CROSS JOIN tombstones AS s
          ON s.tenant_id = old.tenant_id AND s.seq = ${next('old.tenant_id AND seq > old.seq')} AND s.deleted_at < ${before}
        LIMIT ${limit})
      DELETE FROM tombstones WHERE (tenant_id, seq) IN (SELECT tenant_id, seq FROM old)`),
  ])
  return deleted?.changes ?? 0
}

/** Deletes a part of the tombstones of a tenant. @returns the number of deleted ones */
export async function eraseTombstones(
  db: Database,
  tenantId: string,
  limit: number,
): Promise<readonly string[]> {
  const [found] = await db.batch([
    statement(sql`SELECT id FROM tombstones WHERE tenant_id = ${tenantId} ORDER BY seq LIMIT ${limit}`),
  ])
  const ids = (found?.rows ?? []).map(({ id }) => String(id))
  if (ids.length === 0) return ids
  const list = JSON.stringify(ids)
  const erase = statement(
    sql`DELETE FROM tombstones WHERE tenant_id = ${tenantId} AND id IN (SELECT value FROM json_each(${list}))`,
  )
  await db.batch([
    { ...erase, act: {} },
    statement(sql`UPDATE events SET previous = NULL WHERE tenant_id = ${tenantId} AND seq IN (
      SELECT e.seq FROM json_each(${list}) AS j CROSS JOIN events AS e INDEXED BY events_by_resource
        ON e.tenant_id = ${tenantId} AND e.resource_id = j.value AND e.previous IS NOT NULL)`),
  ])
  return ids
}
