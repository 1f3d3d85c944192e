/** Handlers of the webhook routes. */
import { pathSegment } from '../../scim/path-segment.ts'
import { readTogether } from '../../storage/database/query.ts'
import { tenantQuery } from '../../storage/tenants/queries.ts'
import { deliveriesQuery, webhookQuery, webhooksQuery } from '../../storage/webhooks/webhooks.ts'
import { ADMIN_API_PATH } from '../contract/routes.ts'
import type { webhookRoutes } from '../contract/webhooks.ts'
import { deliveryJson, webhookJson, webhookSecretJson } from '../read-models.ts'
import { requireTenant } from '../require-tenant.ts'
import {
  addSecretOf,
  changeWebhookOf,
  createWebhookOf,
  deleteWebhookOf,
  removeSecretOf,
  replayWebhookOf,
  requireWebhook,
  testWebhookOf,
  visibleWebhook,
} from '../webhooks.ts'
import type { Handlers } from './serve.ts'

export const webhookHandlers: Handlers<typeof webhookRoutes> = {
  async listWebhooks({ db, parameters: { id }, c }) {
    const { tenant, webhooks } = await readTogether(db, {
      tenant: tenantQuery(id),
      webhooks: webhooksQuery(id),
    })
    requireTenant(tenant, id)
    const visible = webhooks.map((webhook) => visibleWebhook(c, id, webhook))
    return { status: 200, body: { webhooks: visible.map(webhookJson) } }
  },

  async createWebhook({ parameters: { id }, body, c }) {
    const { webhook, secret } = await createWebhookOf(c, id, body)
    const Location = `${ADMIN_API_PATH}/tenants/${pathSegment(id)}/webhooks/${webhook.id}`
    return { status: 201, body: { ...webhookJson(webhook), secret }, headers: { Location } }
  },

  async getWebhook({ db, parameters: { id, webhookId }, c }) {
    const { webhook } = await readTogether(db, { webhook: webhookQuery(id, webhookId) })
    const visible = visibleWebhook(c, id, requireWebhook(webhook, id, webhookId))
    return { status: 200, body: webhookJson(visible) }
  },

  async updateWebhook({ parameters: { id, webhookId }, body, c }) {
    return { status: 200, body: webhookJson(await changeWebhookOf(c, id, webhookId, body)) }
  },

  async deleteWebhook({ parameters: { id, webhookId }, c }) {
    await deleteWebhookOf(c, id, webhookId)
    return { status: 204 }
  },

  async createWebhookSecret({ parameters: { id, webhookId }, c }) {
    return { status: 201, body: webhookSecretJson(await addSecretOf(c, id, webhookId)) }
  },

  async deleteWebhookSecret({ parameters: { id, webhookId, secretId }, c }) {
    await removeSecretOf(c, id, webhookId, secretId)
    return { status: 204 }
  },

  async listDeliveries({ db, parameters: { id, webhookId } }) {
    const { deliveries } = await readTogether(db, { deliveries: deliveriesQuery(id, webhookId) })
    const found = requireWebhook(deliveries, id, webhookId)
    return { status: 200, body: { deliveries: found.map(deliveryJson) } }
  },

  async replayWebhook({ parameters: { id, webhookId }, body: { after }, c }) {
    return { status: 200, body: webhookJson(await replayWebhookOf(c, id, webhookId, after)) }
  },

  async testWebhook({ parameters: { id, webhookId }, c }) {
    return { status: 200, body: deliveryJson(await testWebhookOf(c, id, webhookId)) }
  },
}
