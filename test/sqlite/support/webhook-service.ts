/** A self-hosted server with tenants, webhooks and receivers, in the test process. */
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { type Service, startService } from '../../../src/self-hosted/service.ts'
import { serverSettings } from '../../support/server-settings.ts'
import { USER } from '../../support/urns.ts'
import { type Answering, type Receiver, startReceiver } from '../../support/webhook-receiver.ts'
import { MIGRATIONS, temporaryFolder } from './files.ts'

const ORIGIN = 'http://scim.test'

let service: Service
const receivers: Receiver[] = []

beforeAll(() => {
  service = startService(serverSettings(temporaryFolder(), { allowLoopbackWebhooks: true }), MIGRATIONS)
})
afterAll(() => service.stop())
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.close()
})

async function send(method: string, path: string, token: string, body?: unknown) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  const request = new Request(`${ORIGIN}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const response = await service.fetch({ request, address: '192.0.2.1' })
  const text = await response.text()
  // biome-ignore lint/suspicious/noExplicitAny: -- tests assert on what they read
  return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as any }
}

/** Sends a text, such as a file to import. */
export async function sendText(path: string, body: string): Promise<number> {
  const headers = { Authorization: 'Bearer test-admin-token' }
  const request = new Request(`${ORIGIN}/admin/api${path}`, { method: 'POST', headers, body })
  return (await service.fetch({ request, address: '192.0.2.1' })).status
}

export const admin = (method: string, path: string, body?: unknown) =>
  send(method, `/admin/api${path}`, 'test-admin-token', body)

export async function receiverOf(answering?: Answering): Promise<Receiver> {
  const receiver = await startReceiver(answering)
  receivers.push(receiver)
  return receiver
}

/** A tenant with a token and a webhook. */
export async function tenantWith(url: string, types: readonly string[] | null = null) {
  const id = `t-${crypto.randomUUID()}`
  await admin('POST', '/tenants', { id, name: 'Test' })
  const { token } = (await admin('POST', `/tenants/${id}/tokens`, { name: 'Test' })).body
  const webhook = (await admin('POST', `/tenants/${id}/webhooks`, { url, types })).body
  const path = `/tenants/${id}/webhooks/${webhook.id}`
  const start = (await send('GET', '/events?after=now', token)).body.cursor
  return {
    id,
    path,
    secret: webhook.secret as string,
    addWebhook: (url: string) => admin('POST', `/tenants/${id}/webhooks`, { url, types }),
    createUser: async (userName = crypto.randomUUID()) => {
      const { status, body } = await send('POST', '/scim/v2/Users', token, { schemas: [USER], userName })
      expect(status).toBe(201)
      return body
    },
    bulk: (Operations: readonly unknown[]) =>
      send('POST', '/scim/v2/Bulk', token, {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
        Operations,
      }),
    /** Since the creation of the webhook. */
    events: async () =>
      (await send('GET', `/events?limit=500&after=${start}`, token)).body.events as { id: string }[],
    webhook: async () => (await admin('GET', path)).body,
    deliveries: async () => (await admin('GET', `${path}/deliveries`)).body.deliveries,
  }
}

export const SOON = { timeout: 5_000, interval: 20 } as const
export const idsOf = (all: readonly { readonly id: string }[]) => all.map(({ id }) => id)
