/**
 * What a database has still to do, over all tenants: running jobs, and events that webhooks have not got. For operators. Costs
 * one or two index lookups for each tenant and each webhook.
 */
import { sql } from 'drizzle-orm'
import { type Row, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { lagColumns } from '../events/feed-readers.ts'

/** Times in milliseconds since 1970. */
export interface Backlog {
  /** Running jobs by kind. The first database has them all. */
  readonly jobs: readonly RunningJobs[]
  readonly webhooks: WebhookBacklog
  /** The time of the newest event; null if there is none. */
  readonly newestEventAt: number | null
}

export interface RunningJobs {
  readonly kind: string
  readonly running: number
  /** Those whose last attempt failed. */
  readonly failing: number
  readonly oldestAt: number
}

export interface WebhookBacklog {
  readonly active: number
  readonly disabled: number
  /** Active ones whose last attempt failed. */
  readonly failing: number
  /** The sum over the active ones. */
  readonly eventsBehind: number
  /** The time of the oldest event that an active one has not got; null if there is none. */
  readonly behindSince: number | null
}

/** The running jobs and the events that wait for webhooks, in one database. */
export function backlogQuery(): Query<Backlog> {
  const lag = lagColumns(sql`w.tenant_id`, sql`w.seq`)
  const isActive = sql`w.state = 'active'`
  return {
    statements: [
      statement(sql`SELECT kind, count(*) AS running, count(failing_since) AS failing, min(created_at) AS oldestAt
        FROM jobs WHERE state = 'running' GROUP BY kind`),
      statement(sql`SELECT count(*) FILTER (WHERE ${isActive}) AS active, count(*) FILTER (WHERE NOT (${isActive})) AS disabled,
          count(w.failing_since) FILTER (WHERE ${isActive}) AS failing,
          coalesce(sum(${lag.eventsBehind}) FILTER (WHERE ${isActive}), 0) AS eventsBehind,
          min(${lag.behindSince}) FILTER (WHERE ${isActive}) AS behindSince
        FROM webhooks AS w JOIN tenants AS t ON t.id = w.tenant_id WHERE t.state = 'ready'`),
      statement(sql`SELECT max((SELECT e.time FROM events AS e WHERE e.tenant_id = t.id ORDER BY e.seq DESC LIMIT 1)) AS time
        FROM tenants AS t`),
    ],
    read: ([jobs, webhooks, events]) => ({
      jobs: (jobs?.rows ?? []).map(runningJobsOf),
      webhooks: webhookBacklogOf(webhooks?.rows[0] ?? {}),
      newestEventAt: timeOf(events?.rows[0]?.time),
    }),
  }
}

function runningJobsOf({ kind, running, failing, oldestAt }: Row): RunningJobs {
  return {
    kind: String(kind),
    running: Number(running),
    failing: Number(failing),
    oldestAt: Number(oldestAt),
  }
}

function webhookBacklogOf({ active, disabled, failing, eventsBehind, behindSince }: Row): WebhookBacklog {
  return {
    active: Number(active),
    disabled: Number(disabled),
    failing: Number(failing),
    eventsBehind: Number(eventsBehind),
    behindSince: timeOf(behindSince),
  }
}

function timeOf(value: Row[string] | undefined): number | null {
  return value == null ? null : Number(value)
}
