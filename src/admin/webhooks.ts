/** Changes of webhooks, for the admin API and the dashboard. Refusals become AdminErrors. */
import type { Context } from 'hono'
import type * as v from 'valibot'
import { replayAfter } from '../provider/webhooks/replay.ts'
import { sendTestEvent } from '../provider/webhooks/test-event.ts'
import { webhookUrlProblem } from '../provider/webhooks/webhook-url.ts'
import type { HttpEnv } from '../runtime.ts'
import { quote } from '../scim/error.ts'
import { eventTypes } from '../scim/events.ts'
import { MAX_WEBHOOK_SECRETS, MAX_WEBHOOKS } from '../scim/limits.ts'
import { readTogether } from '../storage/database/query.ts'
import { tenantQuery } from '../storage/tenants/queries.ts'
import {
  activeWebhooksQuery,
  addSecret,
  type Delivery,
  deleteWebhook,
  insertWebhook,
  newSecret,
  removeSecret,
  updateWebhook,
  type Webhook,
  type WebhookSecret,
  webhookQuery,
} from '../storage/webhooks/webhooks.ts'
import { choice } from './contract/allowed.ts'
import { isPermitted } from './contract/permissions.ts'
import type { WEBHOOK_CHANGE, WEBHOOK_INPUT } from './contract/webhooks.ts'
import { AdminError, invalidField } from './errors.ts'
import { requireTenant } from './require-tenant.ts'
import { notReady } from './tenant-state.ts'

/** The part of a request's context that webhooks need, in the admin API and in the dashboard. */
export type WebhookContext = Pick<Context<HttpEnv>, 'env' | 'get'>

/** The webhook as the administrator may see it: the path and the query of its URL may hold a secret of the receiver. */
export function visibleWebhook(c: WebhookContext, tenantId: string, webhook: Webhook): Webhook {
  if (isPermitted(c.get('administrator').grants, 'change', tenantId)) return webhook
  return { ...webhook, url: `${new URL(webhook.url).origin}/` }
}

/**
 * @param id chosen when a form was shown, so that the form works once
 * @throws {AdminError} 400, 404, 409
 */
export async function createWebhookOf(
  c: WebhookContext,
  tenantId: string,
  { url, types }: v.InferOutput<typeof WEBHOOK_INPUT>,
  id = c.env.newId(),
): Promise<{ readonly webhook: Webhook; readonly secret: string }> {
  requireUrl(c, url)
  requireTypes(c, types)
  const createdAt = c.env.now()
  const secret = newSecret(c.env.newId(), createdAt)
  const fresh = { id, url, types, createdAt, secret }
  const webhook = await insertWebhook(c.get('db'), tenantId, fresh)
  if (webhook === undefined) throw await refusalOf(c, tenantId, id)
  return { webhook, secret: secret.secret }
}

/** A form was sent twice. Its secret was shown the first time. */
export class SentBefore extends AdminError {
  constructor() {
    super(409, 'conflict', 'this form was sent before')
  }
}

async function refusalOf(c: WebhookContext, tenantId: string, id: string): Promise<AdminError> {
  const { tenant, webhook } = await readTogether(c.get('db'), {
    tenant: tenantQuery(tenantId),
    webhook: webhookQuery(tenantId, id),
  })
  const found = requireTenant(tenant, tenantId)
  if (webhook !== undefined) return new SentBefore()
  if (found.state !== 'ready') return notReady(found)
  return new AdminError(409, 'conflict', `tenant ${quote(tenantId)} has ${MAX_WEBHOOKS} webhooks, the limit`)
}

/** @throws {AdminError} 400, 404 */
export async function changeWebhookOf(
  c: WebhookContext,
  tenantId: string,
  id: string,
  change: v.InferOutput<typeof WEBHOOK_CHANGE>,
): Promise<Webhook> {
  if (change.url !== undefined) requireUrl(c, change.url)
  if (change.types !== undefined) requireTypes(c, change.types)
  const webhook = requireWebhook(await updateWebhook(c.get('db'), tenantId, id, change), tenantId, id)
  const endsPause = change.state === 'active' || change.url !== undefined
  if (webhook.state === 'active') c.env.pokeWebhooks(tenantId, [id], endsPause)
  return webhook
}

/** @throws {AdminError} 404 */
export async function deleteWebhookOf(c: WebhookContext, tenantId: string, id: string): Promise<void> {
  if (!(await deleteWebhook(c.get('db'), tenantId, id))) throw noWebhook(tenantId, id)
  // Its sender finds it gone, and forgets it.
  c.env.pokeWebhooks(tenantId, [id], true)
}

/**
 * @param secretId like the id of `createWebhookOf`
 * @throws {AdminError} 404, 409
 */
export async function addSecretOf(
  c: WebhookContext,
  tenantId: string,
  id: string,
  secretId = c.env.newId(),
): Promise<WebhookSecret> {
  const secret = newSecret(secretId, c.env.now())
  if (await addSecret(c.get('db'), tenantId, id, secret)) return secret
  const { secrets } = await loadWebhook(c, tenantId, id)
  if (secrets.some((present) => present.id === secretId)) throw new SentBefore()
  const problem = `webhook ${quote(id)} has ${MAX_WEBHOOK_SECRETS} secrets, the limit; remove one first`
  throw new AdminError(409, 'conflict', problem)
}

/** @throws {AdminError} 404, 409 */
export async function removeSecretOf(
  c: WebhookContext,
  tenantId: string,
  id: string,
  secretId: string,
): Promise<void> {
  if (await removeSecret(c.get('db'), tenantId, id, secretId)) return
  const { secrets } = await loadWebhook(c, tenantId, id)
  if (!secrets.some((secret) => secret.id === secretId)) {
    throw new AdminError(404, 'notFound', `webhook ${quote(id)} has no secret ${quote(secretId)}`)
  }
  throw new AdminError(409, 'conflict', 'the last secret of a webhook cannot be removed; add another first')
}

/** @throws {AdminError} 400, 404 */
export async function replayWebhookOf(
  c: WebhookContext,
  tenantId: string,
  id: string,
  after: string | null,
): Promise<Webhook> {
  const replay = await replayAfter(c.get('resourceTypes'), c.get('db'), { tenantId, webhookId: id }, after)
  switch (replay.outcome) {
    case 'no webhook':
      throw noWebhook(tenantId, id)
    case 'invalid':
      throw invalidField('after', 'a cursor or the id of an event of this tenant', after)
    case 'expired':
      throw invalidField('after', 'a position whose following events are all kept', after)
    case 'replayed':
      if (replay.webhook.state === 'active') c.env.pokeWebhooks(tenantId, [id], true)
      return replay.webhook
  }
}

/** @throws {AdminError} 404 */
export async function testWebhookOf(c: WebhookContext, tenantId: string, id: string): Promise<Delivery> {
  const { now, newId, postWebhook: post, settings } = c.env
  const { allowLoopbackWebhooks: allowLoopback } = settings
  const sender = { now, newId, post, allowLoopback, resourceTypes: c.get('resourceTypes') }
  const delivery = await sendTestEvent(sender, c.get('db'), { tenantId, webhookId: id })
  if (delivery === undefined) throw noWebhook(tenantId, id)
  return delivery
}

/** Has the webhooks of a tenant deliver what an administrator has changed in its directory. */
export async function pokeWebhooksOf(c: WebhookContext, tenantId: string): Promise<void> {
  const { active } = await readTogether(c.get('db'), { active: activeWebhooksQuery(tenantId) })
  c.env.pokeWebhooks(tenantId, active)
}

async function loadWebhook(c: WebhookContext, tenantId: string, id: string): Promise<Webhook> {
  const { webhook } = await readTogether(c.get('db'), { webhook: webhookQuery(tenantId, id) })
  return requireWebhook(webhook, tenantId, id)
}

/** @throws {AdminError} 404 */
export function requireWebhook<Found>(found: Found | undefined, tenantId: string, id: string): Found {
  if (found === undefined) throw noWebhook(tenantId, id)
  return found
}

function noWebhook(tenantId: string, id: string): AdminError {
  return new AdminError(404, 'notFound', `tenant ${quote(tenantId)} has no webhook ${quote(id)}`)
}

/** The message does not repeat the URL, because it may hold a credential. */
function requireUrl(c: WebhookContext, url: string): void {
  const problem = webhookUrlProblem(url, c.env.settings.allowLoopbackWebhooks)
  if (problem !== undefined) throw new AdminError(400, 'invalid', `"url" must be ${problem}`, 'url')
}

function requireTypes(c: WebhookContext, types: readonly string[] | null): void {
  const known = eventTypes(c.get('resourceTypes'))
  if (types === null) return
  const unknown = types.find((type, i) => !known.includes(type) || types.indexOf(type) < i)
  if (types.length > 0 && unknown === undefined) return
  throw invalidField(
    'types',
    `null for all, or a list without repetitions of ${choice(known.map((type) => `"${type}"`))}`,
    unknown ?? types,
  )
}
