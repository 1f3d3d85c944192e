/**
 * What the sender of a webhook reads and writes: the webhook with the next events in one batch, and the progress in one
 * statement. The revision of the webhook decides between two runs at the same time, so that none moves the position back.
 */
import { type SQL, sql } from 'drizzle-orm'
import { type Database, type Row, type SqlValue, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { type FeedPage, pageOf, pageSql, streamSql } from '../events/feed.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import type { TenantState } from '../tenants/tenants.ts'
import { configureWebhooks, type Delivery, secretsOf, withDeliveries } from './webhooks.ts'

export interface WebhookAddress {
  readonly tenantId: string
  readonly webhookId: string
}

/** What a run needs to know. Times in milliseconds since 1970. */
export interface DeliveryState {
  readonly tenantState: TenantState
  readonly url: string
  /** `whsec_…`, oldest first. */
  readonly secrets: readonly string[]
  readonly isActive: boolean
  /** The number of the last event that was delivered. */
  readonly seq: number
  readonly revision: number
  readonly attempts: number
  readonly failingSince: number | null
  readonly nextAttemptAt: number | null
}

export interface DueEvents {
  readonly state: DeliveryState
  /** The events after the position, of the types that the webhook wants. */
  readonly page: FeedPage
}

/** @returns undefined if there is no such webhook in this database */
export function dueEventsQuery(
  types: readonly StoredResourceType[],
  { tenantId, webhookId }: WebhookAddress,
  limit: number,
): Query<DueEvents | undefined> {
  const of = (column: string) => sql`(SELECT ${sql.raw(column)} FROM webhooks WHERE id = ${webhookId})`
  const tenant = sql`${tenantId}`
  const after = of('seq')
  return {
    statements: [
      statement(sql`SELECT url, secrets, w.state, seq, revision, attempts, failing_since AS failingSince,
          next_attempt_at AS nextAttemptAt, t.state AS tenantState
        FROM webhooks AS w JOIN tenants AS t ON t.id = w.tenant_id WHERE w.id = ${webhookId} AND w.tenant_id = ${tenantId}`),
      statement(streamSql({ tenantId: tenant, after })),
      statement(pageSql(types, { tenantId: tenant, after, more: sql`${limit + 1}`, types: of('types') })),
    ],
    read: ([found, stream, page]) => {
      const [row, streamRow] = [found?.rows[0], stream?.rows[0]]
      if (row === undefined || streamRow === undefined) return undefined
      const state = stateOf(row)
      return {
        state,
        page: pageOf(streamRow, page?.rows ?? [], { after: { seq: state.seq, time: 0 }, limit }),
      }
    },
  }
}

function stateOf(row: Row): DeliveryState {
  const time = (value: SqlValue | undefined) => (value == null ? null : Number(value))
  return {
    tenantState: String(row.tenantState) as TenantState,
    url: String(row.url),
    secrets: secretsOf(String(row.secrets)).map(({ secret }) => secret),
    isActive: row.state === 'active',
    seq: Number(row.seq),
    revision: Number(row.revision),
    attempts: Number(row.attempts),
    failingSince: time(row.failingSince),
    nextAttemptAt: time(row.nextAttemptAt),
  }
}

/** What a run has done. */
export interface Progress {
  readonly seq: number
  readonly attempts: number
  readonly failingSince: number | null
  readonly nextAttemptAt: number | null
  /** Undefined if nothing was sent, or nothing was delivered: the earlier time stays. */
  readonly lastAttemptAt: number | undefined
  readonly lastSuccessAt: number | undefined
  /** The reason for a failure; null after a success; undefined if nothing was sent. */
  readonly lastError: string | null | undefined
  /** Set if the webhook is to be disabled. */
  readonly disabledReason: string | undefined
  /** Newest first. */
  readonly deliveries: readonly Delivery[]
}

/**
 * Stores the progress of a run, unless another run or an administrator was first, or the tenant is being moved: both
 * sides of a move must stay equal.
 *
 * @param revision that the run began with
 * @returns whether it was stored
 */
export async function storeProgress(
  db: Database,
  { tenantId, webhookId }: WebhookAddress,
  revision: number,
  progress: Progress,
): Promise<boolean> {
  const { seq, attempts, failingSince, nextAttemptAt, disabledReason, deliveries } = progress
  const given = (column: string, value: SqlValue | undefined): readonly SQL[] =>
    value === undefined ? [] : [sql`${sql.raw(column)} = ${value}`]
  const changes = [
    sql`seq = ${seq}, attempts = ${attempts}, failing_since = ${failingSince}, next_attempt_at = ${nextAttemptAt}`,
    sql`revision = revision + 1`,
    ...given('last_attempt_at', progress.lastAttemptAt),
    ...given('last_success_at', progress.lastSuccessAt),
    ...given('last_error', progress.lastError),
    ...given('disabled_reason', disabledReason),
    ...(disabledReason === undefined ? [] : [sql`state = 'disabled'`]),
    ...(deliveries.length === 0 ? [] : [sql`deliveries = ${withDeliveries(deliveries)}`]),
  ]
  const [stored] = await db.batch([
    statement(sql`UPDATE webhooks SET ${sql.join(changes, sql`, `)}
      WHERE id = ${webhookId} AND tenant_id = ${tenantId} AND revision = ${revision}
        AND EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId} AND state = 'ready')`),
    ...(disabledReason === undefined ? [] : [configureWebhooks(tenantId)]),
  ])
  return stored?.changes === 1
}

/**
 * Webhooks of a database whose deliveries are due, those that have waited longest first: for them, a poke was lost.
 *
 * @param maxPauseMs a next attempt that is further away was planned before the clock was set back
 * @param limit the most webhooks
 */
export async function dueWebhooks(
  db: Database,
  { now, maxPauseMs, limit }: { readonly now: number; readonly maxPauseMs: number; readonly limit: number },
): Promise<readonly WebhookAddress[]> {
  const [found] = await db.batch([
    statement(sql`SELECT w.id, w.tenant_id AS tenantId FROM webhooks AS w JOIN tenants AS t ON t.id = w.tenant_id
      WHERE w.state = 'active' AND t.state = 'ready' AND coalesce(w.next_attempt_at, 0) NOT BETWEEN ${now + 1} AND ${now + maxPauseMs}
        AND w.seq < (SELECT e.seq FROM events AS e WHERE e.tenant_id = w.tenant_id ORDER BY e.seq DESC LIMIT 1)
      ORDER BY coalesce(w.last_attempt_at, 0) LIMIT ${limit}`),
  ])
  return (found?.rows ?? []).map(({ id, tenantId }) => ({
    webhookId: String(id),
    tenantId: String(tenantId),
  }))
}
