/**
 * Tokens: only the hash is stored, a secret appears only in the response that creates it, revocation and expiry apply
 * to requests in progress, and the scope "read" does not allow writes.
 */
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { openDatabase } from '../../src/storage/database/database.ts'
import { faultyBinding } from '../support/faults.ts'
import { admin, Client, GROUP, newClient, newToken, PATCH_OP, TENANT_URL, USER } from '../support/harness.ts'
import { labRuntime, sendTo } from '../support/lab.ts'
import { soundState } from '../support/tenant-state.ts'

const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'
const ADMIN_TOKEN = 'test-admin-token'
const METHODS = ['log', 'info', 'warn', 'error', 'debug'] as const

afterEach(() => void vi.restoreAllMocks())

/** Captures the output to the application log. */
function captureConsole(): () => string {
  const lines: string[] = []
  for (const method of METHODS) {
    vi.spyOn(console, method).mockImplementation((...parts: unknown[]) => {
      lines.push(parts.map(String).join(' '))
    })
  }
  return () => lines.join('\n')
}

const { settings } = labRuntime()
const logging = (parts: Parameters<typeof labRuntime>[0] = {}) =>
  labRuntime({ settings: { ...settings, requestLog: true }, ...parts })

function request(token: string, method: string, path: string, body?: unknown): Request {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/scim+json' }
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
  return new Request(`${TENANT_URL}${path}`, init)
}

/** Requests with every kind of response. */
const REQUESTS: readonly (readonly [method: string, path: string, body?: unknown])[] = [
  ['GET', '/Users'],
  ['GET', '/Users?filter=userName%20eq%20%22private.person%40x%22'],
  ['GET', '/Users?filter=nonsense'],
  ['GET', '/Users/private.person'],
  ['POST', '/Users', { schemas: [USER], userName: 'private.person@x', password: 'pass-word-secret' }],
  ['POST', '/Users', { schemas: [USER], userName: 'private.person@x' }],
  ['POST', '/Users', { schemas: [USER], userName: 7, password: 'pass-word-secret' }],
  ['POST', '/Groups', { schemas: [GROUP], displayName: 'Private group' }],
  [
    'PATCH',
    '/Groups/private.group',
    { schemas: [PATCH_OP], Operations: [{ op: 'add', path: 'x', value: 'y' }] },
  ],
  ['POST', '/Bulk', { schemas: [BULK], Operations: [{ method: 'DELETE', path: '/Users/private.person' }] }],
  ['GET', '/Me'],
  ['GET', '/Schemas'],
  ['PUT', '/nowhere/private.person'],
]

describe('a secret', () => {
  it('is not stored in any row of the database', async () => {
    const client = await newClient()
    await client.createUser({ password: 'pass-word-secret' })
    const { token } = await newToken(client.tenantId)
    // The last 43 characters of a token are secret. They may contain an underscore, like the separators.
    const secrets = [client.token.slice(-43), token.slice(-43), ADMIN_TOKEN, 'pass-word-secret']
    const { results: tables } = await env.DB.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
    ).all<{ name: string }>()
    expect(tables.length).toBeGreaterThan(6)
    for (const { name } of tables) {
      const { results } = await env.DB.prepare(`SELECT * FROM "${name}" LIMIT 20000`).all()
      const text = JSON.stringify(results)
      for (const secret of secrets) expect(text.includes(secret), `${secret} in ${name}`).toBe(false)
    }
  })

  it('is not in the log, in a header or in a body, and neither is personal data', async () => {
    const client = await newClient()
    const read = captureConsole()
    const failing = faultyBinding(env.DB, () => 'error before')
    const broken = logging({ openDatabase: (_name, figures) => openDatabase(failing, figures) })
    const wrong = `${client.token.slice(0, -4)}AAAA`
    let answers = ''
    for (const [method, path, body] of REQUESTS) {
      for (const [runtime, token] of [
        [logging(), client.token],
        [logging(), wrong],
        [broken, client.token],
      ] as const) {
        const response = await sendTo(runtime, request(token, method, path, body))
        answers += `${JSON.stringify([...response.headers])}\n${await response.text()}\n`
      }
    }
    const log = read()
    expect(log.split('\n').filter((line) => line.includes('"durationMs"'))).toHaveLength(
      // The operation of the bulk request has its own log line.
      REQUESTS.length * 3 + 1,
    )
    for (const secret of [client.token, wrong, ADMIN_TOKEN, 'pass-word-secret']) {
      expect(log).not.toContain(secret)
      expect(answers).not.toContain(secret)
    }
    const { results } = await env.DB.prepare('SELECT hash FROM tokens WHERE tenant_id = ?1')
      .bind(client.tenantId)
      .all<{ hash: string }>()
    for (const { hash } of results) expect(log + answers).not.toContain(hash)
    expect(log.toLowerCase()).not.toMatch(/private|person/)
  })

  it('appears once, in the response to its creation, and in no other response of the admin API', async () => {
    const { tenantId } = await newClient()
    const { token, id } = await newToken(tenantId)
    const paths = ['', '/tokens', '/log', '/export']
    for (const path of paths) {
      const { body } = await admin('GET', `/tenants/${tenantId}${path}`)
      expect(String(JSON.stringify(body))).not.toContain(token)
    }
    const { results } = await env.DB.prepare('SELECT hash FROM tokens WHERE id = ?1')
      .bind(id)
      .all<{ hash: string }>()
    expect(JSON.stringify((await admin('GET', `/tenants/${tenantId}/tokens`)).body)).not.toContain(
      results[0]?.hash,
    )
  })
})

describe('a revoked token', () => {
  /** Revokes the token of a request immediately before its n-th batch. */
  async function revokedBefore(batch: number, send: (client: Client, id: string) => Request) {
    const client = await newClient()
    const user = await client.createUser({ title: 'before' })
    await env.DB.prepare('UPDATE users SET version = version + 1 WHERE id = ?1').bind(user.id).run()
    const { id } = await newToken(client.tenantId)
    const { tokens } = (await admin('GET', `/tenants/${client.tenantId}/tokens`)).body
    const own = tokens.find((token: { id: string }) => token.id !== id).id
    let count = 0
    const binding = {
      prepare: (text: string) => env.DB.prepare(text),
      async batch<T>(statements: D1PreparedStatement[]) {
        if (count++ === batch) await admin('DELETE', `/tenants/${client.tenantId}/tokens/${own}`)
        return await env.DB.batch<T>(statements)
      },
    }
    const runtime = labRuntime({ openDatabase: (_name, figures) => openDatabase(binding, figures) })
    const response = await sendTo(runtime, send(client, user.id))
    return { response, stored: await soundState(client.tenantId) }
  }

  // The remembered user is outdated, so there are three batches: the write based on memory, the read, the write.
  it.for([0, 1, 2])('cannot finish a write in progress: before batch %i', async (batch) => {
    const { response, stored } = await revokedBefore(batch, ({ token }, id) =>
      request(token, 'PATCH', `/Users/${id}`, {
        schemas: [PATCH_OP],
        Operations: [{ op: 'replace', path: 'title', value: 'after' }],
      }),
    )
    expect(response.status).toBe(401)
    expect(stored.users[0]?.data).toContain('before')
    expect(stored.log.filter(({ action }) => action !== 'create')).toEqual([])
  })

  it('cannot finish a bulk request: the remaining operations are rejected', async () => {
    const { response, stored } = await revokedBefore(3, ({ token }) =>
      request(token, 'POST', '/Bulk', {
        schemas: [BULK],
        Operations: [1, 2, 3, 4].map((i) => ({
          method: 'POST',
          path: '/Users',
          bulkId: `b${i}`,
          data: { schemas: [USER], userName: `bulk-${i}` },
        })),
      }),
    )
    const body = (await response.json()) as { Operations: readonly { status: string }[] }
    expect(body.Operations.map(({ status }) => status)).toEqual(['201', '201', '401', '401'])
    expect(stored.users).toHaveLength(3)
  })

  it('cannot finish a queued group write', async () => {
    const client = await newClient()
    const { tokens } = (await admin('GET', `/tenants/${client.tenantId}/tokens`)).body
    const writes = Array.from({ length: 30 }, (_, i) =>
      client.request(
        'POST',
        '/Groups',
        { schemas: [GROUP], displayName: `Group ${i}` },
        { 'CF-Connecting-IP': client.tenantId },
      ),
    )
    await admin('DELETE', `/tenants/${client.tenantId}/tokens/${tokens[0].id}`)
    const { groups: atOnce } = await soundState(client.tenantId)
    const statuses = (await Promise.all(writes)).map(({ status }) => status)
    for (const status of statuses) expect([201, 401]).toContain(status)
    expect(statuses).toContain(401)
    const { groups } = await soundState(client.tenantId)
    expect(groups.length).toBe(atOnce.length)
    expect(groups).toHaveLength(statuses.filter((status) => status === 201).length)
  })
})

describe('an expiring token', () => {
  it('is valid until its expiry and not for one request longer', async () => {
    const client = await newClient()
    const expiresAt = Date.now() + 3_600_000
    const { token } = await newToken(client.tenantId, { expiresAt: new Date(expiresAt).toISOString() })
    const at = async (now: number) =>
      (await sendTo(labRuntime({ now: () => now }), request(token, 'GET', '/Users'))).status
    expect([await at(expiresAt - 1), await at(expiresAt), await at(expiresAt + 1)]).toEqual([200, 401, 401])
  })
})

describe('a token with the scope "read"', () => {
  it('cannot change anything by any route or bulk operation', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const group = await client.createGroup({ members: [{ value: user.id }] })
    const reader = new Client(client.tenantId, (await newToken(client.tenantId, { scope: 'read' })).token)
    const { users, groups, memberships } = await soundState(client.tenantId)
    const patch = { schemas: [PATCH_OP], Operations: [{ op: 'replace', path: 'externalId', value: 'x' }] }
    const bodies: Readonly<Record<string, unknown>> = {
      '/Users': { schemas: [USER], userName: 'x' },
      '/Groups': { schemas: [GROUP], displayName: 'x' },
    }
    const operations: object[] = []
    for (const [type, id] of [
      ['/Users', user.id],
      ['/Groups', group.id],
    ] as const) {
      for (const [method, path, data] of [
        ['POST', type, bodies[type]],
        ['PUT', `${type}/${id}`, bodies[type]],
        ['PATCH', `${type}/${id}`, patch],
        ['DELETE', `${type}/${id}`, undefined],
      ] as const) {
        expect((await reader.request(method, path, data)).status, `${method} ${path}`).toBe(403)
        operations.push({ method, path, data, ...(method === 'POST' ? { bulkId: path } : {}) })
      }
    }
    const bulk = await reader.request('POST', '/Bulk', { schemas: [BULK], Operations: operations })
    const statuses = bulk.body.Operations?.map(({ status }: { status: string }) => status) ?? [
      String(bulk.status),
    ]
    expect(new Set(statuses)).toEqual(new Set(['403']))
    for (const path of ['/.search', '/Users/.search', '/Groups/.search'])
      expect((await reader.request('POST', path, {})).status).toBe(200)
    const after = await soundState(client.tenantId)
    expect([after.users, after.groups, after.memberships]).toEqual([users, groups, memberships])
  })
})
