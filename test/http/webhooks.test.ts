/** Webhooks as an administrator manages them. What is sent, and when, is in test/sqlite/webhooks.test.ts and test/provider/webhooks.test.ts. */
import { describe, expect, it } from 'vitest'
import { eventsOf, everyEvent } from '../support/feed.ts'
import { admin, type Client, costOf, newClient, newName } from '../support/harness.ts'

const URL_OF_RECEIVER = 'https://receiver.example.com/events?key=secret-in-url'

const pathOf = (client: Client, more = '') => `/tenants/${client.tenantId}/webhooks${more}`

async function created(client: Client, attributes: Record<string, unknown> = {}) {
  const { status, body } = await admin('POST', pathOf(client), { url: URL_OF_RECEIVER, ...attributes })
  expect(status, JSON.stringify(body)).toBe(201)
  return body
}

describe('a webhook', () => {
  it('is created with a secret that is shown once, and listed with its health', async () => {
    const client = await newClient()
    await client.createUser()
    const { secret, ...webhook } = await created(client, { types: ['user.created'] })
    expect(atob(secret.replace(/^whsec_/, ''))).toHaveLength(32)
    expect(webhook).toMatchObject({
      url: URL_OF_RECEIVER,
      types: ['user.created'],
      state: 'active',
      disabledReason: null,
      secrets: [{ id: expect.any(String), createdAt: expect.any(String) }],
      // It begins at the head of the feed.
      eventsBehind: 0,
      behindSince: null,
      lastError: null,
    })
    const path = pathOf(client, `/${webhook.id}`)
    expect((await admin('GET', path)).body).toEqual(webhook)
    const listed = await admin('GET', pathOf(client))
    expect(listed.body).toEqual({ webhooks: [webhook] })
    expect(JSON.stringify(listed.body)).not.toContain('whsec_')
    expect((await admin('GET', `${path}/deliveries`)).body).toEqual({ deliveries: [] })
  })

  it('is changed, disabled and deleted', async () => {
    const client = await newClient()
    const { id } = await created(client)
    const path = pathOf(client, `/${id}`)
    const disabled = await admin('PATCH', path, { state: 'disabled', types: ['user.deleted'] })
    expect(disabled.body).toMatchObject({ state: 'disabled', disabledReason: null, types: ['user.deleted'] })
    await client.createUser()
    const url = 'https://other.example.com/'
    const changed = await admin('PATCH', path, { url, types: null })
    // Of the user and of both changes.
    expect(changed.body).toMatchObject({ url, types: null, eventsBehind: 3, state: 'disabled' })
    expect(Date.parse(changed.body.behindSince)).toBeGreaterThan(Date.now() - 60_000)
    expect((await admin('DELETE', path)).status).toBe(204)
    expect((await admin('DELETE', path)).status).toBe(404)
    expect((await admin('GET', pathOf(client))).body).toEqual({ webhooks: [] })
  })

  it('has several secrets while they are rotated, and keeps the last one', async () => {
    const client = await newClient()
    const { id, secrets } = await created(client)
    const path = pathOf(client, `/${id}/secrets`)
    const added = await admin('POST', path)
    expect([added.status, added.body.secret]).toEqual([201, expect.stringMatching(/^whsec_/)])
    for (let i = 0; i < 3; i++) expect((await admin('POST', path)).status).toBe(201)
    expect((await admin('POST', path)).body.error.message).toContain('5 secrets, the limit')
    const all = (await admin('GET', pathOf(client, `/${id}`))).body.secrets as { id: string }[]
    expect(all.map((one) => one.id).slice(0, 2)).toEqual([secrets[0].id, added.body.id])
    for (const { id } of all.slice(1)) expect((await admin('DELETE', `${path}/${id}`)).status).toBe(204)
    const last = await admin('DELETE', `${path}/${secrets[0].id}`)
    expect([last.status, last.body.error.code]).toEqual([409, 'conflict'])
    expect((await admin('DELETE', `${path}/${added.body.id}`)).status).toBe(404)
  })

  it('is replayed after a cursor, after an event, or from the oldest one', async () => {
    const client = await newClient()
    for (let i = 0; i < 3; i++) await client.createUser()
    const events = await eventsOf(client)
    const { id } = await created(client, {})
    // Disabled, so that nothing is sent.
    await admin('PATCH', pathOf(client, `/${id}`), { state: 'disabled' })
    const replay = async (after: unknown) => await admin('POST', pathOf(client, `/${id}/replay`), { after })
    // Two users, and then the webhook, its state, and each replay.
    expect((await replay(events[0].cursor)).body).toMatchObject({ eventsBehind: 5, state: 'disabled' })
    expect((await replay(events[1].id)).body).toMatchObject({ eventsBehind: 5 })
    const [first] = await everyEvent(client)
    expect((await replay(null)).body).toMatchObject({ eventsBehind: 9, behindSince: first.timestamp })
    const other = await newClient()
    await other.createUser()
    const foreign = (await other.feed()).body.events[0]
    for (const after of ['x', foreign.cursor, foreign.id, `${events[0].id}0`, 7]) {
      expect((await replay(after)).body.error, String(after)).toMatchObject({
        code: 'invalid',
        field: 'after',
      })
    }
  })

  it('is one of at most 20, and gone with its tenant', async () => {
    const client = await newClient()
    for (let i = 0; i < 20; i++) await created(client)
    const refused = await admin('POST', pathOf(client), { url: URL_OF_RECEIVER })
    expect([refused.status, refused.body.error.message]).toEqual([
      409,
      `tenant "${client.tenantId}" has 20 webhooks, the limit`,
    ])
    expect((await admin('DELETE', `/tenants/${client.tenantId}`)).status).toBe(204)
    expect((await admin('GET', pathOf(client))).status).toBe(404)
    await admin('POST', '/tenants', { id: client.tenantId, name: 'Again' })
    expect((await admin('GET', pathOf(client))).body).toEqual({ webhooks: [] })
  })

  it.for([
    'http://receiver.example.com/',
    'ftp://receiver.example.com/',
    'https://user:hunter2@receiver.example.com/',
    'https://127.0.0.1/',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://localhost/',
    'https://localhost./',
    'https://receiver.localhost/',
    'https://printer.local/',
    'https://metadata.google.internal/',
    'https://receiver/',
    'receiver.example.com',
    '',
    `https://receiver.example.com/${'x'.repeat(2_000)}`,
  ])('cannot have the URL %.60s', async (url) => {
    const client = await newClient()
    const { id } = await created(client)
    for (const answer of [
      await admin('POST', pathOf(client), { url }),
      await admin('PATCH', pathOf(client, `/${id}`), { url }),
    ]) {
      expect([answer.status, answer.body.error.field]).toEqual([400, 'url'])
      // A URL may hold a credential, and messages are logged.
      expect(answer.body.error.message).not.toContain('hunter2')
    }
  })

  it.for([
    [{ url: URL_OF_RECEIVER, types: [] }, 'types'],
    [{ url: URL_OF_RECEIVER, types: ['user.renamed'] }, 'types'],
    [{ url: URL_OF_RECEIVER, types: 'user.created' }, 'types'],
    [{ url: URL_OF_RECEIVER, types: ['user.created', 'user.created'] }, 'types'],
    [{ url: URL_OF_RECEIVER, secret: 'whsec_mine' }, 'secret'],
    [{}, 'url'],
    [{ url: 1 }, 'url'],
  ] as const)('is refused with %j', async ([body, field]) => {
    const client = await newClient()
    const refused = await admin('POST', pathOf(client), body)
    expect([refused.status, refused.body.error.field]).toEqual([400, field])
  })

  it('is known to its own tenant only', async () => {
    const [client, other] = [await newClient(), await newClient()]
    const { id, secrets } = await created(client)
    for (const [method, path, body] of [
      ['GET', `/${id}`],
      ['PATCH', `/${id}`, { state: 'disabled' }],
      ['DELETE', `/${id}`],
      ['GET', `/${id}/deliveries`],
      ['POST', `/${id}/secrets`],
      ['DELETE', `/${id}/secrets/${secrets[0].id}`],
      ['POST', `/${id}/replay`, { after: null }],
      ['POST', `/${id}/test`],
    ] as const) {
      expect((await admin(method, pathOf(other, path), body)).status, `${method} ${path}`).toBe(404)
    }
    expect((await admin('GET', pathOf(client))).body.webhooks).toMatchObject([{ id, state: 'active' }])
  })
})

describe('a write', () => {
  it('costs no round trip more with or without webhooks, once the configuration is known', async () => {
    const client = await newClient()
    const costs = async () => {
      const user = await client.createUser()
      const patch = await client.patch(`/Users/${user.id}`, { op: 'replace', path: 'title', value: 'Ranger' })
      const group = await client.request('POST', '/Groups', {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
        displayName: newName(),
      })
      return [costOf(patch), costOf(group)].map(({ roundTrips, rowsWritten }) => ({
        roundTrips,
        rowsWritten,
      }))
    }
    await costs()
    const before = await costs()
    const { id } = await created(client)
    await costs()
    expect(await costs()).toEqual(before)
    await admin('DELETE', pathOf(client, `/${id}`))
    await costs()
    expect(await costs()).toEqual(before)
  })
})
