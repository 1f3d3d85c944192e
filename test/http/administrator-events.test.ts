/** The events of what administrators do in a tenant. */
import { env } from 'cloudflare:workers'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Route } from '../../src/admin/contract/route.ts'
import { ROUTES } from '../../src/admin/contract/routes.ts'
import { FORM_OPERATIONS } from '../../src/admin/people/operations.ts'
import { createApp } from '../../src/app.ts'
import type { Runtime } from '../../src/runtime.ts'
import {
  type Database,
  DatabaseUnavailable,
  type noFigures,
  openDatabase,
} from '../../src/storage/database/database.ts'
import { Browser } from '../support/dashboard.ts'
import { everyEvent, now, type TestEvent, typesOf } from '../support/feed.ts'
import {
  type Answer,
  admin,
  answerOf,
  Client,
  newClient,
  newToken,
  ORIGIN,
  send,
  USER,
} from '../support/harness.ts'
import { ONE_DATABASE } from '../support/one-database.ts'
import { adminAs, newAdminToken } from '../support/people.ts'
import { TEST_SETTINGS } from '../support/settings.ts'

const UUID = '0198c7a2-5d1e-7c3a-9f04-6b2d8e1a4c57'
const URN = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User'
const ISSUER = 'https://login.microsoftonline.com/8f14e45f-ceea-467a-9a6b-2f8ad6a1f4e7/v2.0'

/** Requests that may write and have no event, with the reason. */
const UNTOLD: Readonly<Record<string, string>> = {
  createTenant: 'nobody can read its feed yet',
  deleteTenant: 'nobody can read its feed any more',
  compareExport: 'changes nothing',
  compareExportAsCsv: 'changes nothing',
  explainRequest: 'changes nothing',
  testWebhook: 'changes nothing',
  checkFile: 'changes nothing',
  countSources: 'changes nothing',
  moveTenant: 'needs a second database: see test/reliability/databases.test.ts',
  cancelMove: 'both sides of a move must stay equal',
}

const acted = (client: Client, after?: string): Promise<readonly TestEvent[]> =>
  everyEvent(client, after).then((events) => events.filter(({ type }) => type === 'administrator.acted'))

/** What the events after a cursor tell. */
const told = (events: readonly TestEvent[]) =>
  events.map(({ data }) => [data.operation, data.target, data.changed])

/** A job of the tenant that has ended. */
async function ended({ tenantId }: Client, jobId: string) {
  for (;;) {
    const { body } = await admin('GET', `/tenants/${tenantId}/jobs/${jobId}`)
    if (body.state !== 'running') return body
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function upload(path: string, body: string): Promise<Answer> {
  const headers = { Authorization: 'Bearer test-admin-token', 'Content-Type': 'application/jsonl' }
  return send(new Request(`${ORIGIN}/admin/api${path}`, { method: 'POST', headers, body }))
}

describe('an administrator who changes a tenant', () => {
  const seen = new Set<string>()
  let client: Client
  let tenant: string

  beforeAll(async () => {
    client = await newClient()
    tenant = `/tenants/${client.tenantId}`
  })

  /**
   * Does something, and expects its event and no other.
   *
   * @param target a path in the answer, or an id
   */
  async function tells(
    operation: string,
    call: Promise<Answer> | (() => Promise<Answer>),
    expected: {
      readonly target?: string | null | ((answer: Answer) => string)
      readonly changed?: readonly string[]
    } = {},
  ): Promise<Answer> {
    const after = await now(client)
    const answer = await (typeof call === 'function' ? call() : call)
    expect(answer.status, `${operation} ${JSON.stringify(answer.body)}`).toBeLessThan(400)
    const { target = null, changed = [] } = expected
    const id = typeof target === 'function' ? target(answer) : target
    expect(told(await acted(client, after))).toEqual([[operation, id, changed]])
    seen.add(operation)
    return answer
  }

  const own = ({ body }: Answer): string => body.id

  it('is told of tokens, and never with a secret', async () => {
    const { body: made } = await tells(
      'createToken',
      () => admin('POST', `${tenant}/tokens`, { name: 'Okta' }),
      {
        target: own,
      },
    )
    await tells('revokeToken', () => admin('DELETE', `${tenant}/tokens/${made.id}`), { target: made.id })
    expect(JSON.stringify(await everyEvent(client))).not.toContain(made.token)
  })

  it('is told of clients, their secrets and their federation', async () => {
    const { body: made } = await tells(
      'createClient',
      () => admin('POST', `${tenant}/clients`, { name: 'Okta' }),
      {
        target: own,
      },
    )
    const path = `${tenant}/clients/${made.id}`
    const change = { name: 'Okta', scope: 'read', tokenLifetime: 7200 }
    await tells('updateClient', () => admin('PATCH', path, change), {
      target: made.id,
      changed: ['scope', 'tokenLifetime'],
    })
    const secret = await tells('createSecret', () => admin('POST', `${path}/secrets`, { name: 'One' }), {
      target: own,
    })
    await tells('revokeSecret', () => admin('DELETE', `${path}/secrets/${secret.body.id}`), {
      target: secret.body.id,
    })
    const other = (await admin('POST', `${path}/secrets`, { name: 'Two' })).body
    await tells('revokeSecretById', () => admin('DELETE', `${tenant}/secrets/${other.id}`), {
      target: other.id,
    })
    const trust = {
      issuer: ISSUER,
      jwksUri: `${ISSUER.replace('/v2.0', '')}/discovery/v2.0/keys`,
      subject: UUID,
      audiences: ['a'],
    }
    await tells('putFederation', () => admin('PUT', `${path}/federation`, trust), { target: made.id })
    await tells('deleteFederation', () => admin('DELETE', `${path}/federation`), { target: made.id })
    await tells('releaseClient', () => admin('POST', `${path}/guard/release`, { minutes: 5 }), {
      target: made.id,
    })
    await tells('deleteClient', () => admin('DELETE', path), { target: made.id })
    expect(JSON.stringify(await everyEvent(client))).not.toContain(secret.body.clientSecret)
  })

  it('is told of settings with the fields that changed, and not with their values', async () => {
    const guard = { share: 0.5, count: 10, windowMinutes: 60 }
    const change = {
      name: 'Hidden name',
      groupLimit: 200,
      profile: 'strict',
      sourceMode: 'observe',
      deprovisionGuard: guard,
    }
    await tells('updateTenant', () => admin('PATCH', tenant, change), {
      changed: ['name', 'profile', 'deprovisionGuard'],
    })
    await tells('updateTenant', () => admin('PATCH', tenant, { groupLimit: 5, uniqueGroupNames: false }), {
      changed: ['groupLimit', 'uniqueGroupNames'],
    })
    await tells(
      'updateTenant',
      () => admin('PATCH', tenant, { profile: 'tolerant', deprovisionGuard: null, groupLimit: 200 }),
      {
        changed: ['groupLimit', 'profile', 'deprovisionGuard'],
      },
    )
    expect(JSON.stringify(await acted(client))).not.toContain('Hidden name')
  })

  it('is told of webhooks', async () => {
    const webhook = { url: 'https://hooks.example.com/SECRET', types: ['user.created'] }
    const { body: made } = await tells('createWebhook', () => admin('POST', `${tenant}/webhooks`, webhook), {
      target: own,
    })
    const path = `${tenant}/webhooks/${made.id}`
    const change = { url: 'https://hooks.example.com/other', types: ['user.created'], state: 'disabled' }
    await tells('updateWebhook', () => admin('PATCH', path, change), {
      target: made.id,
      changed: ['url', 'state'],
    })
    await tells('updateWebhook', () => admin('PATCH', path, { types: null }), {
      target: made.id,
      changed: ['types'],
    })
    const { body: added } = await tells('createWebhookSecret', () => admin('POST', `${path}/secrets`), {
      target: own,
    })
    await tells('deleteWebhookSecret', () => admin('DELETE', `${path}/secrets/${added.id}`), {
      target: added.id,
    })
    await tells('replayWebhook', () => admin('POST', `${path}/replay`, { after: null }), { target: made.id })
    await tells('deleteWebhook', () => admin('DELETE', path), { target: made.id })
    expect(JSON.stringify(await everyEvent(client))).not.toContain('SECRET')
  })

  it('is told of schemas, once and before what it changes for readers', async () => {
    const schema = { id: URN, name: 'Acme', attributes: [{ name: 'badge', type: 'string' }] }
    await tells('putExtension', () => admin('PUT', `${tenant}/schemas/${URN}`, schema), { target: URN })
    const other = { ...schema, id: URN.replace('acme', 'other') }
    await tells('importExtensions', () => admin('POST', `${tenant}/schemas`, other))
    const after = await now(client)
    await tells('deleteExtension', () => admin('DELETE', `${tenant}/schemas/${URN}`), { target: URN })
    expect(typesOf(await everyEvent(client, after))).toEqual([
      'administrator.acted',
      'tenant.schemas_changed',
    ])
  })

  it('is told of the whole URN of a schema in its own letters, by the API and by the forms', async () => {
    const urn = `urn:ietf:params:scim:schemas:extension:${'acme'.repeat(50)}:2.0:User`
    const schema = { id: urn, name: 'Acme', attributes: [{ name: 'badge', type: 'string' }] }
    await tells('putExtension', () => admin('PUT', `${tenant}/schemas/${urn}`, schema), { target: urn })
    const browser = await new Browser().signIn()
    const form = async (name: string, fields: Record<string, string>) => {
      const page = await browser.post(`/admin${tenant}/schemas${name}`, fields)
      return { status: page.status, headers: page.headers, body: page.html }
    }
    const target = urn
    await tells('deleteExtension', () => form('/remove', { urn: urn.toUpperCase() }), { target })
    await tells('putExtension', () => form('/restore', { urn }), { target })
    const longer = { ...schema, attributes: [...schema.attributes, { name: 'desk', type: 'string' }] }
    await tells('importExtensions', () => form('', { document: JSON.stringify(longer) }), { target })
    const path = `${tenant}/schemas/${urn.replace('acme', 'ACME')}`
    await tells('deleteExtension', () => admin('DELETE', path), { target })
    const { entries } = (await admin('GET', `${tenant}/audit`)).body
    expect(entries.slice(0, 5).map((entry: { target: string }) => entry.target)).toEqual(Array(5).fill(urn))
  })

  it('is not told of a download of which only the headers are asked for', async () => {
    const after = await now(client)
    const headers = { Authorization: 'Bearer test-admin-token' }
    const request = new Request(`${ORIGIN}/admin/api${tenant}/export`, { method: 'HEAD', headers })
    const { status, headers: sent } = await send(request)
    expect([status, sent.get('Content-Type')]).toEqual([200, 'application/jsonl'])
    expect(await acted(client, after)).toEqual([])
    const { entries } = (await admin('GET', `${tenant}/audit`)).body
    expect(entries[0].operation).not.toBe('exportTenant')
  })

  it('is told of what it does with users, beside the event of the user', async () => {
    const { id } = await client.createUser()
    const users = `${tenant}/users/${id}`
    const after = await now(client)
    await tells('disableUser', () => admin('POST', `${users}/disable`, { reason: 'Laptop stolen' }), {
      target: id,
    })
    const [changed, event] = await everyEvent(client, after)
    expect([changed.type, event.type]).toEqual(['user.deactivated', 'administrator.acted'])
    expect(changed.source.requestId).toBe(event.source.requestId)
    expect(JSON.stringify(event)).not.toContain('stolen')
    await tells('enableUser', () => admin('POST', `${users}/enable`), { target: id })
    const owner = (await admin('POST', `${tenant}/clients`, { name: 'Other' })).body.id
    const present = (await admin('GET', `${tenant}/clients`)).body.clients[0].id
    await tells('changeOwner', () => admin('POST', `${tenant}/resources/${id}/owner`, { clientId: owner }), {
      target: id,
    })
    await client.createGroup()
    const handOver = { from: present, to: owner }
    await tells('handOver', () => admin('POST', `${tenant}/resources/owner`, handOver))
    for (const [operation, method, path] of [
      ['restoreTombstone', 'POST', '/restore'],
      ['eraseTombstone', 'DELETE', ''],
    ] as const) {
      await client.request('DELETE', `/Users/${id}`)
      await tells(operation, () => admin(method, `${tenant}/tombstones/${id}${path}`), { target: id })
    }
    const gone = await client.createUser()
    await client.request('DELETE', `/Users/${gone.id}`)
    await tells('eraseTombstones', () => admin('DELETE', `${tenant}/tombstones`))
  })

  it('is told of conflicts that it dismisses', async () => {
    const other = new Client(client.tenantId, (await newToken(client.tenantId)).token)
    const email = { schemas: [USER], externalId: `x${UUID}` }
    await client.createUser(email)
    await other.createUser(email)
    const { body } = await admin('GET', `${tenant}/conflicts`)
    const [{ id }] = body.conflicts
    await tells('dismissConflict', () => admin('POST', `${tenant}/conflicts/${id}/dismiss`), { target: id })
  })

  it('is told of exports, undos and imports', async () => {
    const user = await client.createUser()
    const file = await tells('exportTenant', () => admin('GET', `${tenant}/export`))
    const job = await tells('startExport', () => admin('POST', `${tenant}/exports`))
    await ended(client, job.body.id)
    await tells('getJobFile', () => admin('GET', `${tenant}/jobs/${job.body.id}/file`), {
      target: job.body.id,
    })
    const clients = (await admin('GET', `${tenant}/clients`)).body.clients
    const window = {
      clientId: clients[0].id,
      from: '2020-01-01T00:00:00Z',
      to: new Date(Date.now() + 60_000).toISOString(),
    }
    const after = await now(client)
    expect((await admin('POST', `${tenant}/undo`, { ...window, preview: true })).status).toBe(200)
    expect(await acted(client, after)).toEqual([])
    const undo = await tells('undo', () => admin('POST', `${tenant}/undo`, { ...window, preview: false }))
    await ended(client, undo.body.id)
    expect(user.id).toBeDefined()

    client = await newClient()
    tenant = `/tenants/${client.tenantId}`
    const before = await now(client)
    await tells('importTenant', () => upload(`${tenant}/import`, file.body))
    expect(typesOf(await everyEvent(client, before))).toEqual(['administrator.acted', 'tenant.imported'])

    client = await newClient()
    tenant = `/tenants/${client.tenantId}`
    const started = await upload(`${tenant}/imports`, file.body)
    expect(await ended(client, started.body.id)).toMatchObject({ state: 'done' })
    expect((await acted(client)).at(-1).data.operation).toBe('startImport')
    seen.add('startImport')

    client = await newClient()
    tenant = `/tenants/${client.tenantId}`
    const [part] = file.body.split(/(?<=\n)/)
    expect((await upload(`${tenant}/import?end=later`, part)).status).toBe(202)
    expect((await admin('DELETE', `${tenant}/import`)).status).toBe(204)
    expect(told(await acted(client)).map(([operation]) => operation)).toEqual([
      'createToken',
      'importTenant',
      'undoImport',
    ])
    seen.add('undoImport')
  })

  it('is told of an undo that it cancels, in the admin API and in the dashboard, once', async () => {
    client = await newClient()
    tenant = `/tenants/${client.tenantId}`
    const { id: clientId } = (await admin('GET', `${tenant}/clients`)).body.clients[0]
    const window = { clientId, from: 0, to: 1, firstSeq: 1, lastSeq: 1 }
    // Nobody runs it yet.
    const begin = async () =>
      await env.DB.prepare(
        `INSERT INTO jobs (id, tenant_id, kind, state, step, source, position, total, created_at)
         VALUES (?1, ?2, 'undo', 'running', 'restoring', 'DB', ?3, 1, 0)`,
      )
        .bind(crypto.randomUUID(), client.tenantId, JSON.stringify({ window }))
        .run()
    await begin()
    const { body: job } = await tells('cancelUndo', () => admin('DELETE', `${tenant}/undo`))
    expect(await ended(client, job.id)).toMatchObject({
      state: 'failed',
      error: 'cancelled by an administrator',
    })
    await begin()
    const browser = await new Browser().signIn()
    const { location } = await tells('cancelUndo', async () => {
      const page = await browser.post(`/admin${tenant}/undo/cancel`, {})
      return { ...page, body: page.html }
    }).then((answer) => answer as Answer & { readonly location: string })
    await ended(client, location.slice(location.lastIndexOf('/') + 1))
    const after = await now(client)
    expect((await admin('DELETE', `${tenant}/undo`)).status).toBe(404)
    expect(await acted(client, after)).toEqual([])
  })

  it('has no other operation that may write', () => {
    const operations = Object.entries<Route>(ROUTES)
      .filter(([, { path }]) => path.startsWith('/tenants'))
      .filter(([, { method, permission }]) => method !== 'GET' || permission === 'export')
      .map(([name]) => name)
    expect([...seen, ...Object.keys(UNTOLD)]).toEqual(expect.arrayContaining(operations))
    expect(
      Object.values(FORM_OPERATIONS)
        .filter((name) => !(name in UNTOLD))
        .toSorted(),
    ).toEqual(['keepSecret', 'keepToken', 'rotateSecret', 'rotateToken'])
  })
})

describe('the event of an administrator', () => {
  it('names the way and the place, the request of the audit trail, and nobody', async () => {
    const client = await newClient()
    const { token, name } = await newAdminToken('admin', [client.tenantId], {
      name: 'mirela@quillfern.example',
    })
    const after = await now(client)
    const { headers } = await adminAs(token, 'PATCH', `/tenants/${client.tenantId}`, { groupLimit: 7 })
    const [event, ...more] = await everyEvent(client, after)
    expect(more).toEqual([])
    expect(event).toMatchObject({
      type: 'administrator.acted',
      tenant: client.tenantId,
      source: { clientId: null, clientName: null, requestId: headers.get('X-Request-Id') },
      data: {
        operation: 'updateTenant',
        target: null,
        changed: ['groupLimit'],
        source: 'admin API',
        via: 'named token',
      },
    })
    expect(JSON.stringify(event)).not.toContain(name)
    const [entry] = (await admin('GET', `/tenants/${client.tenantId}/audit`)).body.entries
    expect([entry.requestId, entry.administrator]).toEqual([event.source.requestId, name])
  })

  it('is not there for what is refused, or changes nothing', async () => {
    const client = await newClient()
    const tenant = `/tenants/${client.tenantId}`
    const { token } = await newAdminToken('viewer', [client.tenantId])
    await client.createGroup({ displayName: 'One' })
    await admin('PATCH', tenant, { uniqueGroupNames: false })
    await client.createGroup({ displayName: 'one' })
    const made = (await admin('POST', `${tenant}/tokens`, { name: 'Okta' })).body
    await admin('DELETE', `${tenant}/tokens/${made.id}`)
    const after = await now(client)
    const statuses: number[] = []
    for (const [method, path, body] of [
      ['PATCH', '', { uniqueGroupNames: true, name: 'Other' }],
      ['PATCH', '', { groupLimit: -1 }],
      ['POST', '/tokens', { name: 'Okta', clientId: 'unknown' }],
      ['DELETE', `/tokens/${UUID}`, undefined],
      ['PATCH', `/clients/${UUID}`, { name: 'Other' }],
      ['DELETE', `/clients/${UUID}`, undefined],
      ['POST', '/webhooks', { url: 'http://127.0.0.1/' }],
      ['PATCH', `/webhooks/${UUID}`, { state: 'active' }],
      [
        'POST',
        '/undo',
        { clientId: 'unknown', from: '2020-01-01T00:00:00Z', to: '2020-01-01T00:00:00Z', preview: false },
      ],
      ['POST', `/tombstones/${UUID}/restore`, undefined],
      ['POST', `/users/${UUID}/disable`, {}],
      ['POST', '/import', undefined],
    ] as const)
      statuses.push((await admin(method, `${tenant}${path}`, body)).status)
    expect(statuses.filter((status) => status < 400)).toEqual([])
    expect((await adminAs(token, 'PATCH', tenant, { groupLimit: 9 })).status).toBe(403)
    expect((await adminAs(token, 'GET', `${tenant}/export`)).status).toBe(403)
    // Accepted, and the same as before.
    expect((await admin('PATCH', tenant, { groupLimit: 200, profile: 'tolerant' })).status).toBe(200)
    expect((await admin('DELETE', `${tenant}/tokens/${made.id}`)).status).toBe(204)
    expect((await admin('GET', `${tenant}/tokens`)).status).toBe(200)
    expect(await everyEvent(client, after)).toEqual([])
  })

  it('is in the feed of its tenant and no other, in the order of the changes, and can be asked for alone', async () => {
    const [one, other] = [await newClient(), await newClient()]
    const after = [await now(one), await now(other)]
    await one.createUser()
    await admin('PATCH', `/tenants/${one.tenantId}`, { groupLimit: 7 })
    await one.createUser()
    expect(typesOf(await everyEvent(one, after[0]))).toEqual([
      'user.created',
      'administrator.acted',
      'user.created',
    ])
    expect(await everyEvent(other, after[1])).toEqual([])
    const { body } = await one.feed(`?after=${after[0]}&types=administrator.acted`)
    expect(told(body.events)).toEqual([['updateTenant', null, ['groupLimit']]])
    expect((await one.feed('?types=administrator.unknown')).status).toBe(400)
  })

  it('is stored for the forms of the dashboard', async () => {
    const client = await newClient()
    const tenant = `/admin/tenants/${client.tenantId}`
    const browser = await new Browser().signIn()
    const { body } = await admin('GET', `/tenants/${client.tenantId}/tokens`)
    const [{ id: old }] = body.tokens
    const after = await now(client)
    const token = { id: crypto.randomUUID(), name: 'Okta', client: '', scope: 'provision', expires: '' }
    expect((await browser.post(`${tenant}/api-keys`, token)).status).toBe(201)
    // Sent twice.
    await browser.post(`${tenant}/api-keys`, token)
    await browser.post(`${tenant}/api-keys/${old}/rotate`, { id: UUID })
    await browser.post(`${tenant}/api-keys/${old}/keep`, {})
    const { body: made } = await admin('POST', `/tenants/${client.tenantId}/clients`, { name: 'Okta' })
    const path = `/tenants/${client.tenantId}/clients/${made.id}/secrets`
    const { body: secret } = await admin('POST', path, { name: 'One' })
    await browser.post(`${tenant}/api-keys/secrets/${secret.id}/rotate`, { id: crypto.randomUUID() })
    await browser.post(`${tenant}/api-keys/secrets/${secret.id}/keep`, {})
    const form = { name: 'Test', groupLimit: '9' }
    expect((await browser.post(`${tenant}/settings`, form)).status).toBe(303)
    expect((await browser.post(`${tenant}/settings`, form)).status).toBe(303)
    const events = await everyEvent(client, after)
    expect(told(events)).toEqual([
      ['createToken', token.id, []],
      ['rotateToken', old, []],
      ['keepToken', old, []],
      ['createClient', made.id, []],
      ['createSecret', secret.id, []],
      ['rotateSecret', secret.id, []],
      ['keepSecret', secret.id, []],
      ['updateTenant', null, ['groupLimit']],
    ])
    expect(events[0].data).toMatchObject({ source: 'dashboard', via: 'admin token' })
  })
})

/**
 * A download is refused if its event cannot be stored. To tell it later would let a whole directory leave without a trace, as
 * nobody could know whether "later" comes; and whoever reads can ask again.
 */
describe('a database that does not store the event', () => {
  afterEach(() => void vi.restoreAllMocks())

  /** An app on the database of the tests. @param isLost whether the event is stored, and only the answer is lost */
  function failingServer(isLost: boolean) {
    const open = (figures: ReturnType<typeof noFigures>): Database => {
      const db = openDatabase(env.DB, figures)
      return {
        async batch(statements, isLong) {
          const isEvent = statements.some(
            ({ sql, params }) => /INSERT INTO events/.test(sql) && params.includes('administrator.acted'),
          )
          const results = isEvent && !isLost ? [] : await db.batch(statements, isLong)
          if (isEvent) throw new DatabaseUnavailable('no answer')
          return results
        },
      }
    }
    const runtime = {
      ...ONE_DATABASE,
      openDatabase: (_: unknown, figures: ReturnType<typeof noFigures>) => open(figures),
      now: Date.now,
      newId: () => crypto.randomUUID(),
      isAllowed: () => true,
      settings: TEST_SETTINGS,
    } as unknown as Runtime
    return async (method: string, path: string, body?: unknown): Promise<Answer> => {
      const headers = {
        Authorization: `Bearer ${TEST_SETTINGS.adminToken}`,
        'Content-Type': 'application/json',
      }
      const sent = body === undefined ? {} : { body: JSON.stringify(body) }
      const request = new Request(`${ORIGIN}/admin/api${path}`, { method, headers, ...sent })
      return await answerOf(request, (one) => createApp().fetch(one, runtime))
    }
  }

  it.for([
    ['did not store it', false],
    ['did not say that it has stored it', true],
  ] as const)('refuses the downloads, before anything of them is read, because it %s', async ([, isLost]) => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const client = await newClient()
    const tenant = `/tenants/${client.tenantId}`
    const { userName } = await client.createUser()
    const { body: job } = await admin('POST', `${tenant}/exports`)
    await ended(client, job.id)
    const after = await now(client)
    for (const path of [`${tenant}/export`, `${tenant}/jobs/${job.id}/file`]) {
      const { status, headers, body } = await failingServer(isLost)('GET', path)
      expect([path, status, headers.get('Content-Disposition')]).toEqual([path, 503, null])
      expect(body.error.code).toBe('unavailable')
      expect(JSON.stringify(body)).not.toContain(userName)
      const [entry] = (await admin('GET', `${tenant}/audit`)).body.entries
      expect(entry).toMatchObject({ outcome: 'refused', status: 503 })
      expect((await admin('GET', path)).status).toBe(200)
    }
    // Those that were sent have an event in any case.
    expect((await acted(client, after)).length).toBe(isLost ? 4 : 2)
  })

  it('refuses a change, which is not stored either', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const client = await newClient()
    const tenant = `/tenants/${client.tenantId}`
    const { status } = await failingServer(false)('PATCH', tenant, { groupLimit: 7 })
    expect([status, (await admin('GET', tenant)).body.groupLimit]).toEqual([503, 200])
  })
})
