/**
 * What a write leaves in the database: its log entries and its events. They are read at the end of the write's own batch,
 * and the same statement ends the batch with an error that carries them, so that nothing of the batch is stored.
 */
import { sql } from 'drizzle-orm'
import { type Statement, statement } from '../database/database.ts'
import type { LogEntry } from '../log/log-entry.ts'

/** The entry of a request that is explained. */
export type ExplainedEntry = Omit<LogEntry, 'id' | 'time' | 'requestId'>

export interface ExplainedEvent {
  readonly type: string
  readonly resourceId: string | null
  /** Null if it has more than MAX_DATA_CHARACTERS. */
  readonly data: unknown
}

/** The effects of one batch. */
export interface Effects {
  readonly log: readonly ExplainedEntry[]
  /** The first ones, in their order. */
  readonly events: readonly ExplainedEvent[]
  /** The number of all events. */
  readonly eventCount: number
}

/** The effects with the rows that the last statement changed. */
export interface BatchEffects extends Effects {
  readonly changes: number
}

export const NO_EFFECTS: Effects = { log: [], events: [], eventCount: 0 }

/** The most events that are shown. With MAX_DATA_CHARACTERS, the error has half of the length that D1 allows for a text. */
const MAX_SHOWN_EVENTS = 100
const MAX_DATA_CHARACTERS = 4_000

/** Identifies the effects of one request. */
export interface ExplainedRequest {
  readonly tenantId: string
  readonly requestId: string
  /** All ids that the request has made, among them those of its log entries. */
  readonly ids: readonly string[]
  /** The number of the newest event before the batch. */
  readonly seq: number
}

/**
 * Ends its batch with a RolledBack error, whose text is BatchEffects as JSON. A SELECT cannot raise an error of its own,
 * but json_extract names a path that it cannot parse.
 */
export function rollBackStatement({ tenantId, requestId, ids, seq }: ExplainedRequest): Statement {
  const events = sql`FROM events WHERE tenant_id = ${tenantId} AND seq > ${seq} AND request_id = ${requestId}`
  return statement(sql`SELECT json_extract('{}', 'rolled back: ' || json_object(
    'changes', changes(),
    'log', json((SELECT json_group_array(json_object('action', action, 'outcome', outcome, 'resourceType', resource_type,
        'resourceId', resource_id, 'resourceName', resource_name, 'status', status, 'scimType', scim_type,
        'detail', detail, 'changes', json(changes), 'ignored', json(ignored)))
      FROM provisioning_log WHERE tenant_id = ${tenantId} AND id IN (SELECT value FROM json_each(${JSON.stringify(ids)})))),
    'events', json((SELECT json_group_array(json_object('type', type, 'resourceId', resource_id,
        'data', iif(length(data) <= ${sql.raw(String(MAX_DATA_CHARACTERS))}, json(data), NULL)))
      FROM (SELECT * ${events} ORDER BY seq LIMIT ${sql.raw(String(MAX_SHOWN_EVENTS))}))),
    'eventCount', (SELECT count(*) ${events}))) AS explained`)
}

/** Reads the number of the newest event. */
export function newestEventStatement(tenantId: string): Statement {
  return statement(sql`SELECT coalesce(max(seq), 0) AS seq FROM events WHERE tenant_id = ${tenantId}`)
}
