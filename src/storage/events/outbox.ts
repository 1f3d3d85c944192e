/**
 * The outbox: stores the events of a write in the batch of the write, so an event exists if and only if its write does.
 * The numbers follow the order of the commits, because a database has one writer: a reader that has seen number n never
 * misses a smaller one.
 */
import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import { eventType, type NewEvent, nativeObjectIdPath, type TenantEventType } from '../../scim/events.ts'
import type { Credentials } from '../access/token-conditions.ts'
import { prepared, type Slots, type SqlValue, type Statement, statement } from '../database/database.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { clientOfToken, type DeletedResource } from '../tables/stored-resources.ts'

/** The request that causes events. */
export interface EventSource {
  readonly credentials: Credentials
  readonly requestId: string
}

/** An event with its request. */
export interface SourcedEvent {
  readonly source: EventSource
  readonly event: NewEvent
}

/** As JSON. A character takes at most three bytes, so a statement stays below MAX_ROW_BYTES. */
const MAX_EVENTS_CHARACTERS = 600_000

const encoder = new TextEncoder()

export const INSERT_EVENTS = sql`INSERT INTO events
  (tenant_id, seq, type, time, client_id, request_id, resource_id, data, previous, total_bytes)`

/** The newest event, after which the new ones are numbered; a row of NULLs if there is none. */
export function newest(tenantId: SqlValue | Placeholder): SQL {
  return sql`(SELECT 1) LEFT JOIN (
    SELECT seq, total_bytes FROM events WHERE tenant_id = ${tenantId} ORDER BY seq DESC LIMIT 1) AS newest ON true`
}

/** Each element is a NewEvent with its request, and `bytes`: those of its documents and of the documents of all before it. */
const insertFromJson = prepared(({ tenantId, events }: Slots<'tenantId' | 'events'>) => {
  const member = (name: string) => sql.raw(`e.value ->> '$.${name}'`)
  return sql`${INSERT_EVENTS}
    SELECT ${tenantId}, coalesce(newest.seq, 0) + e.key + 1, ${member('type')}, ${member('time')},
      (SELECT client_id FROM tokens WHERE hash = ${member('tokenHash')}), ${member('requestId')}, ${member('resourceId')},
      e.value -> '$.data', e.value -> '$.previous', coalesce(newest.total_bytes, 0) + ${member('bytes')}
    FROM ${newest(tenantId)} CROSS JOIN json_each(${events}) AS e`
})

/**
 * The statements that store the events of a batch, in their order: as few as possible, because a plan of Cloudflare
 * limits the statements of an invocation. The batch must have checked the tokens.
 */
export function eventStatements(tenantId: string, events: readonly SourcedEvent[]): readonly Statement[] {
  const statements: Statement[] = []
  let rows: string[] = []
  let [characters, bytes] = [0, 0]
  const flush = () => {
    if (rows.length > 0)
      statements.push({ ...insertFromJson({ tenantId, events: `[${rows.join(',')}]` }), act: {} })
    rows = []
    characters = 0
    bytes = 0
  }
  for (const { source, event } of events) {
    const { tokenHash, now: time } = source.credentials
    const { type, resourceId, data, previous } = event
    const json = JSON.stringify(data)
    const previousJson = previous === undefined ? '' : JSON.stringify(previous)
    if (characters + json.length + previousJson.length > MAX_EVENTS_CHARACTERS) flush()
    bytes += encoder.encode(json).length + encoder.encode(previousJson).length
    const head = JSON.stringify({ type, resourceId, tokenHash, time, requestId: source.requestId, bytes })
    const row = `${head.slice(0, -1)},"data":${json}${previousJson && `,"previous":${previousJson}`}}`
    rows.push(row)
    characters += row.length
  }
  flush()
  return statements
}

/** The values of a deletion. */
export type DeletionSlot = keyof Credentials | 'requestId' | 'goneId'

/**
 * Stores the events of a deletion: the resource leaves each of its groups, and is then deleted. It runs after the groups got
 * their new versions and before the resource is deleted.
 *
 * @param deleted.groups the type of the groups that it may be a member of
 * @param slots.native the path of the nativeObjectId of the resource; `groupNative`: of its groups
 */
export function insertDeletionEvents(
  { type, isWanted, groups }: DeletedResource & { readonly groups: StoredResourceType | undefined },
  slots: Slots<DeletionSlot | 'native' | 'groupNative'>,
): SQL {
  const { tenantId, tokenHash, now, requestId, goneId } = slots
  const gone = sql`FROM ${sql.raw(type.table.name)} AS gone WHERE ${isWanted}`
  const left =
    groups &&
    sql`SELECT g.id AS position, ${typeText(groups, 'members_removed')} AS type, g.id,
        json_object(${identityAt(groups, 'g', slots.groupNative)}, 'version', g.version, 'members', json_array(${goneId})) AS data
      FROM memberships AS m CROSS JOIN groups AS g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
      WHERE m.tenant_id = ${tenantId} AND m.member_id = ${goneId} AND m.group_id <> ${goneId} AND EXISTS (SELECT 1 ${gone})
      UNION ALL`
  // "~" sorts after every id.
  const rows = sql`${left} SELECT '~' AS position, ${typeText(type, 'deleted')} AS type, gone.id,
    json_object(${identityAt(type, 'gone', slots.native)}, 'version', gone.version) AS data ${gone}`
  return sql`${INSERT_EVENTS}
    SELECT ${tenantId}, coalesce(newest.seq, 0) + row_number() OVER up_to_here, type, ${now},
      ${clientOfToken(tokenHash)}, ${requestId}, id, data, NULL,
      coalesce(newest.total_bytes, 0) + sum(octet_length(data)) OVER up_to_here
    FROM ${newest(tenantId)} CROSS JOIN (${rows})
    WINDOW up_to_here AS (ORDER BY position ROWS UNBOUNDED PRECEDING)`
}

function typeText(type: StoredResourceType, kind: Parameters<typeof eventType>[1]): SQL {
  return sql.raw(`'${eventType(type, kind)}'`)
}

/** The path of the nativeObjectId in the document of a resource; null if its type has none. */
export function nativeJsonPath(type: StoredResourceType): string | null {
  const native = nativeObjectIdPath(type)
  return native === undefined ? null : `$."${native[0]}".${native[1]}`
}

/** The identifiers of a resource, as in `identityOf`: arguments of json_object. @param alias of its table */
export function identitySql(type: StoredResourceType, alias: string): SQL {
  const native = nativeJsonPath(type)
  return identityAt(type, alias, native === null ? sql`NULL` : sql.raw(`'${native}'`))
}

function identityAt({ nameAttribute }: StoredResourceType, alias: string, native: SQL | Placeholder): SQL {
  const data = sql.raw(`${alias}.data`)
  const name = sql.raw(nameAttribute)
  return sql`'externalId', ${data} ->> '$.externalId', '${name}', ${data} ->> '$.${name}', 'nativeObjectId', ${data} ->> ${native}`
}

/**
 * An event about the whole tenant that an administrator caused.
 *
 * @param condition of the event, as the statements before it in the batch have left the database
 */
export function tenantEventStatement(
  tenantId: string,
  type: TenantEventType,
  condition: SQL = sql`true`,
): Statement {
  return statement(sql`${INSERT_EVENTS}
    SELECT ${tenantId}, coalesce(newest.seq, 0) + 1, ${type}, CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER),
      NULL, NULL, NULL, '{}', NULL, coalesce(newest.total_bytes, 0) + 2
    FROM ${newest(tenantId)} WHERE ${condition}`)
}
