/**
 * The webhooks of a tenant, as the administrator sees them. The ids of the active ones are part of the tenant's
 * configuration, which each request has in memory: a write knows whom to tell without a query.
 */
import { type SQL, sql } from 'drizzle-orm'
import { MAX_SHOWN_DELIVERIES, MAX_WEBHOOK_SECRETS, MAX_WEBHOOKS } from '../../scim/limits.ts'
import { toBase64 } from '../access/secrets.ts'
import { changedFields } from '../database/changed-fields.ts'
import { type Database, type Statement, type StatementResult, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { type Lag, lagColumns } from '../events/feed-readers.ts'
import { selection } from '../tables/selection.ts'
import { webhooks } from '../tables/tables.ts'

/** A secret that signs deliveries. */
export interface WebhookSecret {
  readonly id: string
  /** `whsec_` and 32 bytes in base64. */
  readonly secret: string
  readonly createdAt: number
}

/** Times in milliseconds since 1970. */
export interface Webhook {
  readonly id: string
  readonly url: string
  /** The wanted types of events; null for all. */
  readonly types: readonly string[] | null
  readonly state: 'active' | 'disabled'
  /** Why the sender disabled it; null if it is active, or an administrator did. */
  readonly disabledReason: string | null
  readonly createdAt: number
  /** Without the secrets themselves. */
  readonly secrets: readonly Omit<WebhookSecret, 'secret'>[]
  readonly health: WebhookHealth
}

/** Events of unwanted types count as well, until the sender has passed them. */
export interface WebhookHealth extends Lag {
  /** Consecutive failed attempts of the next event. */
  readonly attempts: number
  readonly failingSince: number | null
  readonly nextAttemptAt: number | null
  readonly lastAttemptAt: number | null
  readonly lastSuccessAt: number | null
  /** The reason for the latest failure; null after a success. */
  readonly lastError: string | null
}

/** One attempt, as it is shown. */
export interface Delivery {
  readonly time: number
  /** Null if events could not be sent because they are no longer kept. */
  readonly eventId: string | null
  readonly type: string | null
  /** Counted from 1. */
  readonly attempt: number
  /** The status of the answer; null without one. */
  readonly status: number | null
  /** Why it failed; null if it was delivered. */
  readonly error: string | null
  readonly durationMs: number
}

const WEBHOOK = selection(
  webhooks,
  [
    'id',
    'url',
    'types',
    'state',
    'disabledReason',
    'createdAt',
    'secrets',
    'attempts',
    'failingSince',
    'nextAttemptAt',
    'lastAttemptAt',
    'lastSuccessAt',
    'lastError',
  ],
  {
    alias: 'w',
    computed: lagColumns(sql`w.tenant_id`, sql`w.seq`),
  },
)

type WebhookRow = ReturnType<typeof WEBHOOK.fromRow>

function webhookOf(row: WebhookRow): Webhook {
  const { id, url, types, state, disabledReason, createdAt, secrets, ...health } = row
  return {
    id,
    url,
    types: types === null ? null : (JSON.parse(types) as string[]),
    state,
    disabledReason,
    createdAt,
    secrets: secretsOf(secrets).map(({ secret: _, ...shown }) => shown),
    health,
  }
}

export function secretsOf(json: string): readonly WebhookSecret[] {
  return JSON.parse(json) as WebhookSecret[]
}

/** The webhooks of a tenant, oldest first. */
export function webhooksQuery(tenantId: string): Query<readonly Webhook[]> {
  return {
    statements: [WEBHOOK.where(sql`tenant_id = ${tenantId} ORDER BY id`)],
    read: ([found]) => WEBHOOK.all(found).map(webhookOf),
  }
}

/** @returns undefined if the tenant has no such webhook */
export function webhookQuery(tenantId: string, id: string): Query<Webhook | undefined> {
  return {
    statements: [selectWebhook(tenantId, id)],
    read: ([found]) => readWebhook(found),
  }
}

function selectWebhook(tenantId: string, id: string): Statement {
  return WEBHOOK.where(sql`tenant_id = ${tenantId} AND id = ${id}`)
}

function readWebhook(found: StatementResult | undefined): Webhook | undefined {
  const row = WEBHOOK.first(found)
  return row && webhookOf(row)
}

/** The newest deliveries of a webhook, newest first. @returns undefined if the tenant has no such webhook */
export function deliveriesQuery(tenantId: string, id: string): Query<readonly Delivery[] | undefined> {
  return {
    statements: [
      statement(sql`SELECT deliveries FROM webhooks WHERE tenant_id = ${tenantId} AND id = ${id}`),
    ],
    read: ([found]) => {
      const row = found?.rows[0]
      return row && (JSON.parse(String(row.deliveries)) as Delivery[])
    },
  }
}

/** The ids of the active webhooks of a tenant. */
export function activeWebhooksQuery(tenantId: string): Query<readonly string[]> {
  return {
    statements: [
      statement(sql`SELECT id FROM webhooks WHERE tenant_id = ${tenantId} AND state = 'active' ORDER BY id`),
    ],
    read: ([found]) => (found?.rows ?? []).map(({ id }) => String(id)),
  }
}

/** The new deliveries, newest first, before those that are shown. */
export function withDeliveries(added: readonly Delivery[]): SQL {
  return sql`(SELECT json_group_array(json(value)) FROM (
    SELECT value FROM (SELECT 0 AS part, key, value FROM json_each(${JSON.stringify(added)})
      UNION ALL SELECT 1, key, value FROM json_each(deliveries)) ORDER BY part, key LIMIT ${sql.raw(String(MAX_SHOWN_DELIVERIES))}))`
}

/** Writes the ids of the active webhooks into the configuration: in the batch of each change of them. */
export function configureWebhooks(tenantId: string): Statement {
  return statement(sql`UPDATE tenants SET configuration = nullif(json_patch(coalesce(configuration, '{}'),
      (SELECT json_object('webhooks', json(CASE count(*) WHEN 0 THEN NULL ELSE json_group_array(id) END))
        FROM (SELECT id FROM webhooks WHERE tenant_id = ${tenantId} AND state = 'active' ORDER BY id))), '{}')
    WHERE id = ${tenantId}`)
}

export interface NewWebhook extends Pick<Webhook, 'id' | 'url' | 'types' | 'createdAt'> {
  readonly secret: WebhookSecret
}

/**
 * Stores a webhook, whose deliveries begin with the next event.
 *
 * @returns undefined if the tenant does not exist, is not ready, has MAX_WEBHOOKS, or has a webhook with this id
 */
export async function insertWebhook(
  db: Database,
  tenantId: string,
  { id, url, types, createdAt, secret }: NewWebhook,
): Promise<Webhook | undefined> {
  const hasRoom = sql`FROM tenants WHERE id = ${tenantId} AND state = 'ready'
    AND (SELECT count(*) FROM webhooks WHERE tenant_id = tenants.id) < ${MAX_WEBHOOKS}`
  const insert = statement(sql`INSERT INTO webhooks (id, tenant_id, url, types, secrets, created_at, seq)
    SELECT ${id}, id, ${url}, ${jsonOrNull(types)}, ${JSON.stringify([secret])}, ${createdAt},
      coalesce((SELECT seq FROM events WHERE tenant_id = tenants.id ORDER BY seq DESC LIMIT 1), 0)
    ${hasRoom} ON CONFLICT (id) DO NOTHING`)
  // The event of the creation comes before it: the webhook itself does not deliver it.
  const when = sql`EXISTS (SELECT 1 ${hasRoom}) AND NOT EXISTS (SELECT 1 FROM webhooks WHERE id = ${id})`
  const [inserted, , found] = await db.batch([
    { ...insert, act: { target: id, when } },
    configureWebhooks(tenantId),
    selectWebhook(tenantId, id),
  ])
  return inserted?.changes === 1 ? readWebhook(found) : undefined
}

/**
 * Changes by an administrator. An undefined member stays as it is. A new URL and the state "active" end the pause after a
 * failure.
 */
export interface WebhookChange {
  readonly url?: string | undefined
  readonly types?: readonly string[] | null | undefined
  readonly state?: Webhook['state'] | undefined
}

/** @returns undefined if the tenant has no such webhook */
export async function updateWebhook(
  db: Database,
  tenantId: string,
  id: string,
  { url, types, state }: WebhookChange,
): Promise<Webhook | undefined> {
  const endsPause = state === 'active' || url !== undefined
  const changes = [
    ...(url === undefined ? [] : [sql`url = ${url}`]),
    ...(types === undefined ? [] : [sql`types = ${jsonOrNull(types)}`]),
    ...(state === undefined ? [] : [sql`state = ${state}, disabled_reason = NULL`]),
    ...(endsPause ? [WITHOUT_PAUSE] : []),
    // A run in progress may have passed events of the types that are wanted now.
    ...(endsPause || types !== undefined ? [WITHOUT_RUN] : []),
  ]
  const changed = changedFields(
    [
      ...(url === undefined ? [] : [['url', sql`url <> ${url}`] as const]),
      ...(types === undefined ? [] : [['types', sql`types IS NOT ${jsonOrNull(types)}`] as const]),
      ...(state === undefined ? [] : [['state', sql`state <> ${state}`] as const]),
    ],
    sql`FROM webhooks WHERE tenant_id = ${tenantId} AND id = ${id}`,
  )
  const results = await db.batch([
    ...(changes.length > 0
      ? [{ ...updateOf(tenantId, id, sql.join(changes, sql`, `)), act: { changed } }]
      : []),
    configureWebhooks(tenantId),
    selectWebhook(tenantId, id),
  ])
  return readWebhook(results.at(-1))
}

const WITHOUT_PAUSE = sql`attempts = 0, failing_since = NULL, next_attempt_at = NULL`
/** A run in progress does not store what it has done: the next one begins with what is stored now. */
const WITHOUT_RUN = sql`revision = revision + 1`

function updateOf(tenantId: string, id: string, change: SQL): Statement {
  return statement(sql`UPDATE webhooks SET ${change} WHERE tenant_id = ${tenantId} AND id = ${id}`)
}

/** @returns false if the tenant has no such webhook */
export async function deleteWebhook(db: Database, tenantId: string, id: string): Promise<boolean> {
  const remove = statement(sql`DELETE FROM webhooks WHERE tenant_id = ${tenantId} AND id = ${id}`)
  const [deleted] = await db.batch([{ ...remove, act: {} }, configureWebhooks(tenantId)])
  return deleted?.changes === 1
}

/** Sets the position, and ends the pause after a failure. @param seq the number of the event after which it goes on */
export async function replayWebhook(
  db: Database,
  tenantId: string,
  id: string,
  seq: number,
): Promise<Webhook | undefined> {
  const [, found] = await db.batch([
    { ...updateOf(tenantId, id, sql`seq = ${seq}, ${WITHOUT_PAUSE}, ${WITHOUT_RUN}`), act: {} },
    selectWebhook(tenantId, id),
  ])
  return readWebhook(found)
}

/** Adds a delivery that has no position, such as a test event. */
export async function recordDelivery(
  db: Database,
  tenantId: string,
  id: string,
  delivery: Delivery,
): Promise<void> {
  await db.batch([updateOf(tenantId, id, sql`deliveries = ${withDeliveries([delivery])}`)])
}

/** @returns false if the tenant has no such webhook, or the webhook has the secret, or MAX_WEBHOOK_SECRETS */
export async function addSecret(
  db: Database,
  tenantId: string,
  id: string,
  secret: WebhookSecret,
): Promise<boolean> {
  const add =
    statement(sql`UPDATE webhooks SET secrets = json_insert(secrets, '$[#]', json(${JSON.stringify(secret)}))
      WHERE tenant_id = ${tenantId} AND id = ${id} AND json_array_length(secrets) < ${MAX_WEBHOOK_SECRETS}
        AND NOT EXISTS (SELECT 1 FROM json_each(secrets) WHERE value ->> '$.id' = ${secret.id})`)
  const [added] = await db.batch([{ ...add, act: { target: secret.id } }])
  return added?.changes === 1
}

/** @returns false if the webhook has no such secret, or no other one */
export async function removeSecret(
  db: Database,
  tenantId: string,
  id: string,
  secretId: string,
): Promise<boolean> {
  const remove = statement(sql`UPDATE webhooks SET secrets = (
      SELECT json_group_array(json(value)) FROM json_each(secrets) WHERE value ->> '$.id' <> ${secretId})
    WHERE tenant_id = ${tenantId} AND id = ${id} AND json_array_length(secrets) > 1
      AND EXISTS (SELECT 1 FROM json_each(secrets) WHERE value ->> '$.id' = ${secretId})`)
  const [removed] = await db.batch([{ ...remove, act: {} }])
  return removed?.changes === 1
}

const SECRET_BYTES = 32

/** A new secret, as Standard Webhooks writes it. */
export function newSecret(id: string, createdAt: number): WebhookSecret {
  const secret = `whsec_${toBase64(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)))}`
  return { id, secret, createdAt }
}

function jsonOrNull(value: readonly string[] | null): string | null {
  return value === null ? null : JSON.stringify(value)
}
