/** Reads what a client did between two times, as far as it can be undone. */
import { type SQL, sql } from 'drizzle-orm'
import { MAX_COUNTED_EVENTS } from '../../scim/limits.ts'
import { statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { eventAt, isChange, MEMBER_EVENTS } from './history.ts'

/** Whose changes are undone, and from when. */
export interface UndoWindow {
  readonly clientId: string
  /** Milliseconds since 1970, both included. */
  readonly from: number
  readonly to: number
}

/** A window, and the numbers of the events between which its events are. */
export interface LocatedWindow extends UndoWindow {
  readonly firstSeq: number
  readonly lastSeq: number
}

/** Times may be that much out of the order of the commits: a request begins before its commit. */
const TOLERANCE_MS = 2 * 60_000

/** The bounds of a window, the oldest event that is kept, and the name of the client. */
export function windowQuery(
  tenantId: string,
  { clientId, from, to }: UndoWindow,
): Query<{
  readonly window: LocatedWindow
  readonly oldest: { readonly seq: number; readonly time: number } | undefined
  /** Undefined if the tenant has had no such client. */
  readonly clientName: string | undefined
}> {
  return {
    statements: [
      statement(sql`SELECT ${eventAt(tenantId, from - TOLERANCE_MS)} + 1 AS firstSeq, ${eventAt(tenantId, to + TOLERANCE_MS)} AS lastSeq,
        (SELECT name FROM clients WHERE tenant_id = ${tenantId} AND id = ${clientId}) AS name`),
      statement(sql`SELECT seq, time FROM events WHERE tenant_id = ${tenantId} ORDER BY seq LIMIT 1`),
    ],
    read: ([bounds, first]) => {
      const { firstSeq, lastSeq, name } = bounds?.rows[0] ?? {}
      const row = first?.rows[0]
      return {
        window: { clientId, from, to, firstSeq: Number(firstSeq), lastSeq: Number(lastSeq) },
        oldest: row && { seq: Number(row.seq), time: Number(row.time) },
        clientName: name == null ? undefined : String(name),
      }
    },
  }
}

function isInWindow(alias: string, tenantId: string, { clientId, from, to, lastSeq }: LocatedWindow): SQL {
  const column = (name: string) => sql.raw(`${alias}.${name}`)
  return sql`${column('tenant_id')} = ${tenantId} AND ${column('seq')} <= ${lastSeq}
    AND ${isChange(alias)} AND ${column('client_id')} = ${clientId} AND ${column('time')} BETWEEN ${from} AND ${to}`
}

/** Events that a page looks at. */
const SCANNED = 2_000

/** A page of the resources that a client changed, those that it changed last first. */
export interface ChangedResources {
  readonly resources: readonly { readonly id: string; readonly type: string; readonly seq: number }[]
  /** The number of the event before which the next page begins; undefined on the last one. */
  readonly next: number | undefined
}

/**
 * A page of the resources that a client changed in a window. Each is on one page.
 *
 * @param kind only those that it created, or deleted
 */
export function changedResourcesQuery(
  tenantId: string,
  window: LocatedWindow,
  {
    before,
    size,
    kind,
  }: {
    readonly before?: number | undefined
    readonly size: number
    readonly kind?: 'created' | 'deleted' | undefined
  },
): Query<ChangedResources> {
  const end = Math.min(before ?? Number.MAX_SAFE_INTEGER, window.lastSeq + 1)
  const start = Math.max(window.firstSeq, end - SCANNED)
  const ofResource = (
    alias: string,
  ) => sql`(SELECT 1 FROM events AS ${sql.raw(alias)} INDEXED BY events_by_resource
    WHERE ${isInWindow(alias, tenantId, window)} AND ${sql.raw(alias)}.resource_id = e.resource_id`
  const isOfKind =
    kind === undefined ? sql`true` : sql`EXISTS ${ofResource('k')} AND k.type LIKE ${`%.${kind}`})`
  return {
    statements: [
      statement(sql`SELECT e.resource_id AS id, e.type, e.seq FROM events AS e
        WHERE ${isInWindow('e', tenantId, window)} AND e.seq >= ${start} AND e.seq < ${end} AND e.resource_id IS NOT NULL
          AND NOT EXISTS ${ofResource('n')} AND n.seq > e.seq) AND ${isOfKind}
        ORDER BY e.seq DESC LIMIT ${size}`),
    ],
    read: ([found]) => {
      const resources = (found?.rows ?? []).map((row) => {
        const type = String(row.type)
        const name = type.slice(0, type.indexOf('.'))
        return {
          id: String(row.id),
          type: name.charAt(0).toUpperCase() + name.slice(1),
          seq: Number(row.seq),
        }
      })
      if (resources.length === size) return { resources, next: resources.at(-1)?.seq }
      return { resources, next: start > window.firstSeq ? start : undefined }
    },
  }
}

/** The number of changes of a client in a window. */
export interface ChangeCounts {
  readonly created: number
  readonly changed: number
  readonly enabled: number
  readonly disabled: number
  readonly deleted: number
  /** Memberships. */
  readonly joined: number
  readonly left: number
  /** Whether all of them are counted. */
  readonly isComplete: boolean
}

export function changeCountsQuery(tenantId: string, window: LocatedWindow): Query<ChangeCounts> {
  const ends = (kind: string) => sql.raw(`type LIKE '%.${kind}'`)
  const of = (kind: string) => sql`count(*) FILTER (WHERE ${ends(kind)})`
  const members = (kind: string) =>
    sql`coalesce(sum(json_array_length(data, '$.members')) FILTER (WHERE ${ends(kind)}), 0)`
  return {
    statements: [
      statement(sql`SELECT ${of('created')} AS created, ${of('updated')} AS changed, ${of('activated')} AS enabled,
          ${of('deactivated')} AS disabled, ${of('deleted')} AS deleted, ${members('members_added')} AS joined,
          ${members('members_removed')} AS "left", count(*) AS "all"
        FROM (SELECT type, CASE WHEN type IN ${MEMBER_EVENTS} THEN data END AS data FROM events AS e
          WHERE ${isInWindow('e', tenantId, window)} AND e.seq >= ${window.firstSeq} ORDER BY e.seq LIMIT ${MAX_COUNTED_EVENTS})`),
    ],
    read: ([found]) => {
      const row = found?.rows[0] ?? {}
      const number = (name: keyof ChangeCounts) => Number(row[name] ?? 0)
      return {
        created: number('created'),
        changed: number('changed'),
        enabled: number('enabled'),
        disabled: number('disabled'),
        deleted: number('deleted'),
        joined: number('joined'),
        left: number('left'),
        isComplete: Number(row.all) < MAX_COUNTED_EVENTS,
      }
    },
  }
}

/** Whoever may have changed something: the clients of a tenant, the deleted ones and the administrator included. */
export interface Actor {
  readonly id: string
  readonly name: string
}

const MAX_ACTORS = 500

export function actorsQuery(tenantId: string): Query<readonly Actor[]> {
  return {
    statements: [
      statement(
        sql`SELECT id, name FROM clients WHERE tenant_id = ${tenantId} ORDER BY name, id LIMIT ${MAX_ACTORS}`,
      ),
    ],
    read: ([found]) => (found?.rows ?? []).map(({ id, name }) => ({ id: String(id), name: String(name) })),
  }
}
