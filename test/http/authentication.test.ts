import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  admin,
  Client,
  costOf,
  expectSameCost,
  newClient,
  newToken,
  send,
  TENANT_URL,
  USER,
} from '../support/harness.ts'

const NEW_USER = { schemas: [USER], userName: 'mirela@quillfern.example' }

// The first request of an isolate also identifies its databases.
beforeAll(async () => {
  await newClient()
})

describe('bearer authentication', () => {
  it.for([
    ['no header', undefined],
    ['another scheme', 'Basic dXNlcjpwYXNz'],
    ['no token', 'Bearer '],
    ['two tokens', 'Bearer a b'],
    ['a token of another form', 'Bearer eyJhbGciOiJSUzI1NiJ9.e30.x'],
    ['a token with an invalid tenant', `Bearer scim_../x_${'A'.repeat(43)}`],
    ['an unknown token', `Bearer scim_default_${'A'.repeat(43)}`],
    ['an unknown token of an unknown tenant', `Bearer scim_nobody_${'A'.repeat(43)}`],
  ])('answers 401 with a challenge to %s', async ([, authorization]) => {
    const headers: HeadersInit = authorization === undefined ? {} : { Authorization: authorization }
    const answer = await send(new Request(`${TENANT_URL}/Users`, { headers }))
    expect(answer.status).toBe(401)
    expect(answer.headers.get('WWW-Authenticate')).toMatch(/^Bearer /)
    expect(answer.headers.get('Content-Type')).toBe('application/scim+json')
    expect(answer.body).toMatchObject({ status: '401' })
    expect(costOf(answer).roundTrips).toBeLessThanOrEqual(1)
  })

  it('gives the same response to unknown, revoked and expired tokens and those of other tenants, in one round trip', async () => {
    const client = await newClient()
    const revoked = await newToken(client.tenantId)
    await admin('DELETE', `/tenants/${client.tenantId}/tokens/${revoked.id}`)
    const expired = await newToken(client.tenantId, {
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    })
    await env.DB.prepare('UPDATE tokens SET expires_at = ?1 WHERE id = ?2')
      .bind(Date.now() - 1, expired.id)
      .run()
    const other = await newClient()
    const foreign = other.token.replace(other.tenantId, client.tenantId)
    const tokens = [revoked.token, expired.token, foreign, `${client.token.slice(0, -1)}_`]
    for (const token of tokens) {
      for (const [method, path, body] of [
        ['GET', '/Users', undefined],
        ['GET', '/Schemas', undefined],
        ['POST', '/Users', NEW_USER],
        ['POST', '/Users', { schemas: [] }],
        ['PATCH', '/Groups/x', { Operations: [{ op: 'add', path: 'members', value: [] }] }],
        ['DELETE', '/Users/x', undefined],
      ] as const) {
        const answer = await new Client(client.tenantId, token).request(method, path, body)
        expect(answer.status, `${method} ${path}`).toBe(401)
        expect(answer.body).toEqual((await send(new Request(`${TENANT_URL}/Users`))).body)
        expect(costOf(answer).roundTrips, `${method} ${path}`).toBe(1)
      }
    }
    expect((await client.get('/Users')).body.totalResults).toBe(0)
    expect(await client.log()).toEqual([])
  })

  it('rejects an expired or revoked token from the next request on', async () => {
    const client = await newClient()
    const { id, token } = await newToken(client.tenantId)
    const second = new Client(client.tenantId, token)
    expect((await second.get('/Users')).status).toBe(200)
    await admin('DELETE', `/tenants/${client.tenantId}/tokens/${id}`)
    expect((await second.get('/Users')).status).toBe(401)
    expect((await client.get('/Users')).status).toBe(200)
  })

  it('allows reads by a read token and answers 403 to its writes, which are logged', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const reader = new Client(client.tenantId, (await newToken(client.tenantId, { scope: 'read' })).token)
    expect((await reader.get(`/Users/${user.id}`)).status).toBe(200)
    for (const [method, path, body] of [
      ['POST', '/Users', NEW_USER],
      ['PUT', `/Users/${user.id}`, NEW_USER],
      ['PATCH', `/Users/${user.id}`, { Operations: [{ op: 'replace', path: 'title', value: 'x' }] }],
      ['DELETE', `/Users/${user.id}`, undefined],
      ['POST', '/Groups', { displayName: 'x' }],
      ['PUT', '/Groups/x', { displayName: 'x' }],
      ['PATCH', '/Groups/x', { Operations: [{ op: 'add', path: 'members', value: [] }] }],
      ['DELETE', '/Groups/x', undefined],
    ] as const) {
      expect((await reader.request(method, path, body)).status, `${method} ${path}`).toBe(403)
    }
    const refused = await client.log('?outcome=refused')
    // PUT and PATCH of one type share an entry.
    const counts = refused.map(({ status, repeated }) => [status, Number(repeated) + 1])
    expect(counts.every(([status]) => status === 403)).toBe(true)
    expect(counts.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(8)
    expect((await client.get('/Users')).body.totalResults).toBe(1)
  })

  it('stores when a token was last used, at most once a minute', async () => {
    const client = await newClient()
    const first = costOf(await client.get('/Users'))
    const second = costOf(await client.get('/Users'))
    // The second row is the contact of the client: see client-health.test.ts.
    expect([first.rowsWritten, second.rowsWritten]).toEqual([2, 0])
    const { tokens } = (await admin('GET', `/tenants/${client.tenantId}/tokens`)).body
    expect(Date.parse(tokens[0].lastUsedAt)).toBeGreaterThan(Date.now() - 60_000)
  })

  it('stores only the hash of a token', async () => {
    const { token, tenantId } = await newClient()
    const { results } = await env.DB.prepare('SELECT * FROM tokens WHERE tenant_id = ?1').bind(tenantId).all()
    expect(JSON.stringify(results)).not.toContain(token.slice(-43))
    expect(results[0]?.hash).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('tenants', () => {
  it('cannot read, find or change resources of each other', async () => {
    const [ours, theirs] = [await newClient(), await newClient()]
    const user = await theirs.createUser({ userName: 'same@quillfern.example', externalId: 'same' })
    const group = await theirs.createGroup({ displayName: 'Same', members: [{ value: user.id }] })
    // The first write of an hour costs more: it also stores "last used" and creates an activity row.
    await ours.request('DELETE', '/Users/nobody')
    for (const [method, path, body] of [
      ['GET', `/Users/${user.id}`, undefined],
      ['PUT', `/Users/${user.id}`, NEW_USER],
      ['PATCH', `/Users/${user.id}`, { Operations: [{ op: 'replace', path: 'title', value: 'x' }] }],
      ['DELETE', `/Users/${user.id}`, undefined],
      ['GET', `/Groups/${group.id}`, undefined],
      ['PUT', `/Groups/${group.id}`, { displayName: 'x' }],
      ['PATCH', `/Groups/${group.id}`, { Operations: [{ op: 'remove', path: 'members' }] }],
      ['DELETE', `/Groups/${group.id}`, undefined],
    ] as const) {
      const answer = await ours.request(method, path, body)
      const unknown = await ours.request(method, path.replace(/[^/]+$/, 'no-such-id'), body)
      expect([answer.status, unknown.status], `${method} ${path}`).toEqual([404, 404])
      // The same cost, so the response time does not reveal the difference.
      expectSameCost(costOf(answer), costOf(unknown), `${method} ${path}`)
      expect(answer.body.detail.replace(path.split('/')[2], 'no-such-id')).toBe(unknown.body.detail)
    }
    expect((await ours.filter('/Users', 'externalId eq "same"')).body.totalResults).toBe(0)
    expect((await ours.filter('/Groups', `members.value eq "${user.id}"`)).body.totalResults).toBe(0)
    const foreignMember = await ours.request('POST', '/Groups', {
      displayName: 'Same',
      members: [{ value: user.id }],
    })
    expect(foreignMember.body).toMatchObject({ status: '400', scimType: 'invalidValue' })
    await ours.createUser({ userName: 'same@quillfern.example' })
    await ours.createGroup({ displayName: 'Same' })
    expect((await theirs.get(`/Groups/${group.id}`)).body.members).toHaveLength(1)
  })
})
