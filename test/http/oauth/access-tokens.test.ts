/**
 * The life of access tokens: what they cost, how they end, and what an administrator sees of them.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { maintain } from '../../../src/provider/maintenance.ts'
import { noFigures, openDatabase } from '../../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../../src/storage/tables/resource-tables.ts'
import { DAY_MS, HOUR_MS } from '../../support/clock.ts'
import { admin, Client, costOf, newClient, newToken, USER } from '../../support/harness.ts'
import { formOf, newOauthClient, newSecret, requestToken, signedIn } from '../../support/oauth.ts'

const newUser = () => ({ schemas: [USER], userName: crypto.randomUUID() })

/** Runs the hourly maintenance. @returns the notes of the application log */
async function runHourly(now: number) {
  const notes: Record<string, unknown>[] = []
  const open = () => openDatabase(env.DB, noFigures())
  await maintain(
    {
      databases: { names: ['DB'], maxBytes: Number.POSITIVE_INFINITY, open },
      resourceTypes: RESOURCE_TYPES,
      now,
      retentionDays: 36_500,
      eventRetentionDays: 36_500,
      tombstoneDays: 36_500,
      pokeWebhooks: async () => undefined,
      maxStatements: 48,
    },
    (note) => notes.push(note),
  )
  return notes
}

function storedTokens(clientId: string): Promise<number | null> {
  return env.DB.prepare('SELECT count(*) AS n FROM tokens WHERE client_id = ?')
    .bind(clientId)
    .first<number>('n')
}

async function expire({ token }: Client): Promise<void> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))
  const hash = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  await env.DB.prepare('UPDATE tokens SET expires_at = ?2 WHERE hash = ?1')
    .bind(hash, Date.now() - 1)
    .run()
}

/** Runs the hourly maintenance in three hours, again while deletions of other tests use up its statements. */
async function runUntil(isDone: () => Promise<boolean>): Promise<void> {
  for (let runs = 0; runs < 5 && !(await isDone()); runs++) await runHourly(Date.now() + 3 * HOUR_MS)
  expect(await isDone()).toBe(true)
}

describe('a SCIM request with an access token', () => {
  it('costs as much as one with a token of an administrator', async () => {
    const oauth = await newOauthClient()
    const clients = [
      await signedIn(oauth),
      new Client(oauth.tenantId, (await newToken(oauth.tenantId)).token),
    ]
    const costs = []
    for (const client of clients) {
      const user = newUser()
      const created = await client.request('POST', '/Users', user)
      const path = `/Users/${created.body.id}`
      costs.push(
        [
          created,
          await client.get(path),
          await client.get('/Users?count=1'),
          await client.patch(path, { op: 'replace', path: 'title', value: 'Pilot' }),
          await client.request('PUT', path, { ...user, title: 'Surveyor' }),
          await client.request('DELETE', path),
        ].map((answer) => [answer.status, costOf(answer).roundTrips]),
      )
    }
    expect(costs[0]).toEqual(costs[1])
  })
})

describe('an access token', () => {
  it('is not a token that an administrator sees', async () => {
    const client = await newOauthClient()
    const before = (await admin('GET', `/tenants/${client.tenantId}/tokens`)).body
    const scim = await signedIn(client)
    await scim.get('/Users')
    expect((await admin('GET', `/tenants/${client.tenantId}/tokens`)).body).toEqual(before)
    const { body } = await admin('GET', `/tenants/${client.tenantId}/clients/${client.clientId}`)
    expect(Date.parse(body.lastUsedAt)).toBeGreaterThan(Date.now() - HOUR_MS)
    expect(Date.parse(body.secrets[0].lastUsedAt)).toBeGreaterThan(Date.now() - HOUR_MS)
  })

  it('is named in the log by its secret, also after it is deleted', async () => {
    const client = await newOauthClient()
    const secret = await newSecret(client.tenantId, client.clientId, { name: 'Spring 2027' })
    const scim = await signedIn({ ...client, ...secret })
    await scim.createUser()
    await scim.createGroup()
    await scim.request('POST', '/Users', { schemas: [USER] })
    await env.DB.prepare('DELETE FROM tokens WHERE client_id = ?').bind(client.clientId).run()
    const entries = await scim.log()
    expect(entries).toHaveLength(3)
    for (const entry of entries) {
      expect(entry).toMatchObject({
        clientId: client.clientId,
        clientName: 'Entra',
        tokenId: secret.id,
        tokenName: 'Spring 2027',
      })
    }
  })

  it('that has expired is refused without an entry in the log, and the next one works', async () => {
    const client = await newOauthClient()
    const [reader, writer] = [await signedIn(client), await signedIn(client)]
    for (const scim of [reader, writer]) {
      expect((await scim.request('POST', '/Users', newUser())).status).toBe(201)
      await expire(scim)
    }
    expect((await reader.get('/Users')).status).toBe(401)
    const refused = await writer.request('POST', '/Users', newUser())
    expect([refused.status, costOf(refused).roundTrips]).toEqual([401, 1])
    expect(refused.headers.get('WWW-Authenticate')).toMatch(/^Bearer /)
    expect((await (await signedIn(client)).get('/Users')).body.totalResults).toBe(2)
  })

  it('never outlives its secret by more than an hour', async () => {
    const client = await newOauthClient({ tokenLifetime: 21_600 })
    const lifetimes = []
    for (const seconds of [60, 7_200, 86_400]) {
      const expiresAt = new Date(Date.now() + seconds * 1000).toISOString()
      const secret = await newSecret(client.tenantId, client.clientId, { expiresAt })
      lifetimes.push((await requestToken(formOf(secret))).body.expires_in)
    }
    expect(lifetimes).toEqual([3_600, expect.closeTo(7_200, -1), 21_600])
  })

  it('is deleted by the hourly run after it has expired, and no other token is', async () => {
    const client = await newOauthClient()
    const kept = await newToken(client.tenantId, {
      clientId: client.clientId,
      expiresAt: new Date(Date.now() + 1000).toISOString(),
    })
    await signedIn(client)
    expect(await storedTokens(client.clientId)).toBe(2)
    await runHourly(Date.now() + HOUR_MS)
    expect(await storedTokens(client.clientId)).toBe(2)
    await runUntil(async () => (await storedTokens(client.clientId)) === 1)
    const { tokens } = (await admin('GET', `/tenants/${client.tenantId}/tokens`)).body
    expect(tokens.map(({ id }: { id: string }) => id)).toContain(kept.id)
  })

  it('is deleted although the values of many users have to be filled in, which goes on in the same runs', async () => {
    const client = await newOauthClient()
    await signedIn(client)
    const prefix = `fill-${client.tenantId.slice(-12)}`
    const missing = `FROM tenants WHERE configuration ->> '$.valuesMissing' AND id LIKE '${prefix}-%'`
    await env.DB.prepare(
      `INSERT INTO tenants (id, name, created_at, configuration)
       SELECT ?1 || '-' || value, 'T', 0, '{"valuesMissing":true}' FROM json_each(?2)`,
    )
      .bind(prefix, JSON.stringify(Array.from({ length: 30 }, (_, i) => i)))
      .run()
    const left = () => env.DB.prepare(`SELECT count(*) AS n ${missing}`).first<number>('n')
    await runUntil(async () => (await storedTokens(client.clientId)) === 0)
    expect(await left()).toBeGreaterThan(0)
    for (let hour = 4; (await left()) !== 0; hour++) {
      expect(hour).toBeLessThan(12)
      await runHourly(Date.now() + hour * HOUR_MS)
    }
  })

  it('gets a narrower scope of its client at once, and never a wider one', async () => {
    const client = await newOauthClient()
    const [writer, reader] = [await signedIn(client), await signedIn(client, { scope: 'scim:read' })]
    const path = `/tenants/${client.tenantId}/clients/${client.clientId}`
    const statuses = async () => [
      (await writer.request('POST', '/Users', newUser())).status,
      (await reader.request('POST', '/Users', newUser())).status,
    ]
    await admin('PATCH', path, { name: 'Okta' })
    expect(await statuses()).toEqual([201, 403])
    await admin('PATCH', path, { scope: 'read' })
    expect(await statuses()).toEqual([403, 403])
    await admin('PATCH', path, { scope: 'provision' })
    expect(await statuses()).toEqual([403, 403])
    expect((await (await signedIn(client)).request('POST', '/Users', newUser())).status).toBe(201)
  })
})

describe('a walk through the pages of a list', () => {
  it('goes on with the next access token, also of another secret, and after a revocation', async () => {
    const client = await newOauthClient()
    const first = await signedIn(client)
    for (let i = 0; i < 4; i++) await first.createUser()
    const seen: string[] = []
    let cursor = ''
    const page = async (scim: Client) => {
      const answer = await scim.get(`/Users?count=1&cursor=${cursor}`)
      if (answer.status !== 200) return answer.status
      seen.push(answer.body.Resources[0].id)
      cursor = answer.body.nextCursor
      return answer.status
    }
    expect(await page(first)).toBe(200)
    await expire(first)
    expect(await page(first)).toBe(401)
    expect(await page(await signedIn(client))).toBe(200)
    const rotated = { ...client, ...(await newSecret(client.tenantId, client.clientId)) }
    const second = await signedIn(rotated)
    await admin('DELETE', `/tenants/${client.tenantId}/clients/${client.clientId}/secrets/${client.id}`)
    expect(await page(second)).toBe(200)
    await admin('DELETE', `/tenants/${client.tenantId}/clients/${client.clientId}/secrets/${rotated.id}`)
    expect(await page(second)).toBe(401)
    const third = { ...client, ...(await newSecret(client.tenantId, client.clientId)) }
    expect(await page(await signedIn(third))).toBe(200)
    expect(new Set(seen).size).toBe(4)
    const other = await signedIn(await newOauthClient({ tenantId: client.tenantId }))
    const foreign = await other.get(`/Users?count=1&cursor=${cursor}`)
    expect(foreign.body.scimType).toBe('invalidCursor')
  })
})

describe('a revocation while tokens are issued', () => {
  it('leaves no valid token behind', async () => {
    const client = await newOauthClient()
    const path = `/tenants/${client.tenantId}/clients/${client.clientId}/secrets/${client.id}`
    const before = await requestToken(formOf(client))
    const requests = Array.from({ length: 20 }, (_, i) =>
      i === 10 ? admin('DELETE', path) : requestToken(formOf(client)),
    )
    const during = (await Promise.all(requests)).filter((_, i) => i !== 10)
    const answers = [before, ...during]
    for (const { status, body } of answers) {
      if (status === 200) {
        expect((await new Client(client.tenantId, body.access_token).get('/Users')).status).toBe(401)
      } else expect(body.error).toBe('invalid_client')
    }
    expect(before.status).toBe(200)
    expect((await requestToken(formOf(client))).status).toBe(401)
  })
})

describe('the access tokens of a client', () => {
  it('are limited to 60 within a minute, and other clients are not affected', async () => {
    const client = await newOauthClient()
    const other = await newOauthClient({ tenantId: client.tenantId })
    const answers = []
    for (let i = 0; i < 62; i++) answers.push(await requestToken(formOf(client)))
    expect(answers.map(({ status }) => status)).toEqual([...Array(60).fill(200), 429, 429])
    const last = answers.at(-1)
    expect(last?.body.error).toBe('temporarily_unavailable')
    expect(Number(last?.headers.get('Retry-After'))).toBeGreaterThan(0)
    expect((await requestToken(formOf(other))).status).toBe(200)
    const wrong = { ...client, clientSecret: 'x' }
    expect((await requestToken(formOf(wrong))).status).toBe(401)
  })

  it('are at most 100: the oldest is deleted, and tokens of administrators are not', async () => {
    const client = await newOauthClient()
    const { token } = await newToken(client.tenantId, { clientId: client.clientId })
    const [first, second] = [await signedIn(client), await signedIn(client)]
    await env.DB.prepare(
      `INSERT INTO tokens (id, tenant_id, client_id, name, scope, hash, created_at, expires_at, credential_id)
       SELECT printf('%s-%03d', t.id, value), t.tenant_id, t.client_id, t.name, t.scope, hex(randomblob(32)), 1, t.expires_at,
         t.credential_id FROM (SELECT * FROM tokens WHERE client_id = ?1 AND credential_id IS NOT NULL ORDER BY id DESC LIMIT 1) AS t, json_each(?2)`,
    )
      .bind(client.clientId, JSON.stringify(Array.from({ length: 98 }, (_, i) => i)))
      .run()
    expect((await first.get('/Users')).status).toBe(200)
    const last = await signedIn(client)
    expect((await first.get('/Users')).status).toBe(401)
    for (const scim of [second, last, new Client(client.tenantId, token)]) {
      expect((await scim.get('/Users')).status).toBe(200)
    }
    expect(await storedTokens(client.clientId)).toBe(101)
  })
})

describe('a secret or token that expires soon', () => {
  it('is warned of 60, 30 and 7 days before, once each', async () => {
    const now = Date.now()
    const inDays = (days: number) => new Date(now + days * DAY_MS - 1000).toISOString()
    const client = await newOauthClient()
    const { tenantId, clientId } = client
    const expected: string[] = []
    for (const days of [60, 30, 7]) {
      const secret = await newSecret(tenantId, clientId, { expiresAt: inDays(days) })
      const token = await newToken(tenantId, { clientId, expiresAt: inDays(days), name: `Token ${days}` })
      expected.push(secret.id, token.id)
    }
    const revoked = await newSecret(tenantId, clientId, { expiresAt: inDays(30) })
    await admin('DELETE', `/tenants/${tenantId}/secrets/${revoked.id}`)
    for (const days of [3, 8, 31, 61]) await newSecret(tenantId, clientId, { expiresAt: inDays(days) })
    const entries = async () =>
      (await new Client(tenantId, '').log()).filter(({ action }) => action === 'warn')
    const activity = async () => (await admin('GET', `/tenants/${tenantId}`)).body
    const before = await activity()
    for (const hours of [0, 1, 22]) {
      const notes = await runHourly(now + hours * HOUR_MS)
      const warnings = notes.flatMap((note) => (note.warnings as { tenantId: string }[]) ?? [])
      expect(warnings.filter((warning) => warning.tenantId === tenantId)).toHaveLength(hours === 0 ? 6 : 0)
    }
    expect((await entries()).map(({ tokenId }) => tokenId).sort()).toEqual(expected.sort())
    expect(await activity()).toEqual(before)
    const entry = (await entries()).find(({ tokenName }) => tokenName === 'Token 7')
    expect(entry).toMatchObject({ outcome: 'accepted', resourceType: 'Client', status: 0, clientId })
    expect(entry?.detail).toContain(`the token expires at ${inDays(7).slice(0, 16).replace('T', ' ')} UTC`)
    // A day later, the next ones cross their thresholds.
    await runHourly(now + DAY_MS)
    expect(await entries()).toHaveLength(9)
    expect(new Set((await entries()).map(({ id }) => id)).size).toBe(9)
  })
})

describe('the admin API of secrets', () => {
  it('shows a secret once, with the addresses that the client needs, and only its last characters later', async () => {
    const { tenantId } = await newClient()
    const { body: client } = await admin('POST', `/tenants/${tenantId}/clients`, { name: 'Entra' })
    const path = `/tenants/${tenantId}/clients/${client.id}`
    const made = await admin('POST', `${path}/secrets`, { name: 'Entra 2027' })
    expect(made.status).toBe(201)
    expect(made.body).toEqual({
      id: expect.any(String),
      clientId: client.id,
      name: 'Entra 2027',
      clientSecret: expect.stringMatching(/^scims_[\w-]{43}$/),
      lastCharacters: expect.stringMatching(/^[\w-]{4}$/),
      tokenUrl: 'https://scim.test/oauth/token',
      tenantUrl: 'https://scim.test/scim/v2',
      createdAt: expect.any(String),
      expiresAt: expect.any(String),
    })
    const { createdAt, expiresAt, clientSecret } = made.body
    expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBe(365 * DAY_MS)
    const { body } = await admin('GET', path)
    expect(body.secrets).toEqual([
      {
        ...{ id: made.body.id, clientId: client.id, name: 'Entra 2027', createdAt, expiresAt },
        ...{ lastCharacters: clientSecret.slice(-4), lastUsedAt: null, revokedAt: null, replacedBy: null },
      },
    ])
    const { results } = await env.DB.prepare('SELECT * FROM client_secrets WHERE client_id = ?')
      .bind(client.id)
      .all()
    expect(JSON.stringify(results)).not.toContain(clientSecret)
    await admin('DELETE', `${path}/secrets/${made.body.id}`)
    const revokedAt = (await admin('GET', path)).body.secrets[0].revokedAt
    expect((await admin('DELETE', `${path}/secrets/${made.body.id}`)).status).toBe(204)
    expect((await admin('GET', path)).body.secrets[0].revokedAt).toBe(revokedAt)
  })

  it('names an invalid expiry, and what is unknown', async () => {
    const [client, other] = [await newOauthClient(), await newOauthClient()]
    const path = `/tenants/${client.tenantId}/clients/${client.clientId}/secrets`
    const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString()
    for (const expiresAt of [inDays(-1), inDays(1_097), 'soon', null, 1]) {
      const { status, body } = await admin('POST', path, { expiresAt })
      expect([status, body.error.field], String(expiresAt)).toEqual([400, 'expiresAt'])
    }
    const tooLong = await admin('POST', path, { expiresAt: inDays(1_097) })
    expect(tooLong.body.error.message).toContain('at most 1096 days from now')
    expect((await admin('POST', path, { expiresAt: inDays(1_095) })).status).toBe(201)
    expect((await admin('POST', path, { name: '' })).body.error.field).toBe('name')
    expect((await admin('POST', path, { days: 1 })).body.error.field).toBe('days')
    const foreign = `/tenants/${client.tenantId}/clients/${other.clientId}/secrets`
    expect((await admin('POST', foreign, {})).status).toBe(404)
    for (const at of [
      `${foreign}/${other.id}`,
      `${foreign}/${client.id}`,
      `${path}/${other.id}`,
      `${path}/x`,
    ]) {
      expect((await admin('DELETE', at)).status).toBe(404)
    }
    expect((await admin('DELETE', `/tenants/${client.tenantId}/secrets/${other.id}`)).status).toBe(404)
    for (const one of [client, other]) expect((await requestToken(formOf(one))).status).toBe(200)
  })

  it.for([3_599, 21_601, 3_600.5, '3600', null])('refuses the token lifetime %s', async (tokenLifetime) => {
    const { tenantId } = await newClient()
    const made = await admin('POST', `/tenants/${tenantId}/clients`, { name: 'x', tokenLifetime })
    expect([made.status, made.body.error.field]).toEqual([400, 'tokenLifetime'])
    expect(made.body.error.message).toContain('a whole number from 3600 to 21600')
  })
})
