import { describe, expect, it } from 'vitest'
import type { Route } from '../../src/admin/contract/route.ts'
import { ROUTES } from '../../src/admin/contract/routes.ts'
import { admin, newClient, newToken, ORIGIN, send } from '../support/harness.ts'

const ADMIN_TOKEN = 'test-admin-token'

/** Nested objects of the given depth. */
function nested(levels: number): object {
  return levels === 1 ? {} : { id: nested(levels - 1) }
}

/** Refused tokens of one address, more than the limit of 100 (vitest.config.ts, test/sqlite/support/worker.ts). */
const MANY = 110

describe('the admin API', () => {
  it.for([
    ['no token', {}],
    ['a wrong token', { Authorization: 'Bearer wrong' }],
    ['another scheme', { Authorization: 'Basic dGVzdC1hZG1pbi10b2tlbg==' }],
  ] as const)('refuses %s', async ([, headers]) => {
    const answer = await send(new Request(`${ORIGIN}/admin/api/tenants`, { headers }))
    expect([400, 401]).toContain(answer.status)
    expect(answer.body.error).toMatchObject({ code: 'unauthorized', message: expect.any(String) })
    expect(answer.headers.get('WWW-Authenticate')).toMatch(/^Bearer/)
  })

  it('refuses an address that guesses tokens, and no other', async () => {
    const guess = (address: string, token = 'wrong') =>
      send(
        new Request(`${ORIGIN}/admin/api/tenants`, {
          headers: { Authorization: `Bearer ${token}`, 'CF-Connecting-IP': address },
        }),
      )
    expect((await guess('192.0.2.7')).status).toBe(401)
    // The count is reset every minute, possibly during the first round.
    const stopped = []
    for (let round = 0; round < 2 && stopped.length === 0; round++) {
      const answers = await Promise.all(Array.from({ length: MANY }, () => guess('192.0.2.7')))
      stopped.push(...answers.filter((answer) => answer.status === 429))
    }
    expect(stopped[0]?.body.error.code).toBe('tooMany')
    // The right token is refused too, so that guessing cannot continue.
    const right = await guess('192.0.2.7', ADMIN_TOKEN)
    expect([right.status, Number(right.headers.get('Retry-After')) > 0]).toEqual([429, true])
    expect((await guess('192.0.2.8')).status).toBe(401)
    expect((await guess('192.0.2.8', ADMIN_TOKEN)).status).toBe(200)
  })

  it('admits the administrator at the address of a client with an old token', async () => {
    const address = '192.0.2.9'
    const headers = { Authorization: `Bearer scim_default_${'A'.repeat(43)}`, 'CF-Connecting-IP': address }
    const ask = () => send(new Request(`${ORIGIN}/scim/v2/Users`, { headers }))
    let status = 0
    for (let round = 0; round < 2 && status !== 429; round++) {
      const answers = await Promise.all(Array.from({ length: MANY }, ask))
      status = Math.max(...answers.map((answer) => answer.status))
    }
    expect(status).toBe(429)
    const right = { Authorization: `Bearer ${ADMIN_TOKEN}`, 'CF-Connecting-IP': address }
    expect((await send(new Request(`${ORIGIN}/admin/api/tenants`, { headers: right }))).status).toBe(200)
  })

  it('has the tenant "default" from the first migration on', async () => {
    const { body } = await admin('GET', '/tenants/default')
    expect(body).toMatchObject({ id: 'default', name: 'Default', groupLimit: 200 })
  })

  it('creates, lists, changes and deletes a tenant with all of its data', async () => {
    const client = await newClient({ groupLimit: 3 })
    const { tenantId } = client
    const user = await client.createUser()
    await client.createUser({ active: false })
    await client.createGroup({ members: [{ value: user.id }] })
    const { tenants } = (await admin('GET', '/tenants')).body
    expect(tenants.find((tenant: { id: string }) => tenant.id === tenantId)).toMatchObject({
      groupLimit: 3,
      userCount: 2,
      activeUserCount: 1,
      groupCount: 1,
    })
    const changed = await admin('PATCH', `/tenants/${tenantId}`, { name: 'Acme', groupLimit: 1 })
    expect(changed.body).toMatchObject({ id: tenantId, name: 'Acme', groupLimit: 1 })
    expect((await client.request('POST', '/Groups', { displayName: 'x' })).status).toBe(400)
    expect((await admin('DELETE', `/tenants/${tenantId}`)).status).toBe(204)
    expect((await admin('GET', `/tenants/${tenantId}`)).status).toBe(404)
    expect((await admin('DELETE', `/tenants/${tenantId}`)).status).toBe(404)
    expect((await client.get('/Users')).status).toBe(401)
  })

  it.for([
    ['an id with capitals', { id: 'Acme', name: 'x' }, 'id'],
    ['an id that begins with a digit', { id: '1st', name: 'x' }, 'id'],
    ['an id of 41 characters', { id: `a${'b'.repeat(40)}`, name: 'x' }, 'id'],
    ['no name', { id: 'acme' }, 'name'],
    ['a negative limit', { id: 'acme', name: 'x', groupLimit: -1 }, 'groupLimit'],
    ['a text as limit', { id: 'acme', name: 'x', groupLimit: '200' }, 'groupLimit'],
  ] as const)('refuses a tenant with %s and names the field', async ([, body, field]) => {
    const answer = await admin('POST', '/tenants', body)
    expect(answer.status).toBe(400)
    expect(answer.body.error).toMatchObject({ code: 'invalid', field })
  })

  it.for([
    ['/tenants', {}, '"id" must be 1 to 40 of a-z, 0-9 and "-", beginning with a letter, found nothing'],
    [
      '/tenants',
      { id: 'a', name: ' ' },
      '"name" must be a text of 1 to 100 characters without control characters, found " "',
    ],
    [
      '/tenants',
      { id: 'a', name: 'x', groupLimit: 1.5 },
      '"groupLimit" must be a whole number from 0 to 1000000, found 1.5',
    ],
    [
      '/tenants',
      { id: 'a', name: 'x', uniqueGroupNames: null },
      '"uniqueGroupNames" must be true or false, found null',
    ],
    [
      '/tenants/default/tokens',
      { name: 'x', scope: 'admin' },
      '"scope" must be "provision" or "read", found "admin"',
    ],
    [
      '/tenants/default/tokens',
      { name: 'x', expiresAt: 'tomorrow' },
      '"expiresAt" must be a time such as "2027-01-31T00:00:00Z", or null, found "tomorrow"',
    ],
    [
      '/tenants/default/tokens',
      { name: 'x', expiresAt: '2001-01-01T00:00:00Z' },
      '"expiresAt" must be a time in the future, found "2001-01-01T00:00:00.000Z"',
    ],
    ['/tenants', [], 'the body must be a JSON object'],
    ['/tenants', nested(40), 'the request body is nested deeper than the limit of 32 levels'],
  ] as const)('names the invalid field at POST %s: %j', async ([path, body, message]) => {
    const answer = await admin('POST', path, body)
    expect([answer.status, answer.body.error.message]).toEqual([400, message])
  })

  it.for([
    ['outcome=odd', '"outcome" must be "accepted" or "refused", found "odd"'],
    ['resourceType=Device', '"resourceType" must be "User", "Group" or "Client", found "Device"'],
    ['cursor=1', '"cursor" must be the nextCursor of a page of this log, found "1"'],
  ] as const)('names the invalid parameter in the query %s', async ([query, message]) => {
    const answer = await admin('GET', `/tenants/default/log?${query}`)
    expect([answer.status, answer.body.error.message]).toEqual([400, message])
  })

  it('treats an empty query parameter as missing', async () => {
    expect((await admin('GET', '/tenants/default/log?outcome=&q=&cursor=')).status).toBe(200)
  })

  it('answers 409 for a tenant id in use', async () => {
    const answer = await admin('POST', '/tenants', { id: 'default', name: 'x' })
    expect(answer.status).toBe(409)
    expect(answer.body.error).toMatchObject({ code: 'conflict', field: 'id' })
  })

  it('shows a token once, and never again', async () => {
    const { tenantId } = await newClient()
    const expiresAt = '2099-01-31T00:00:00.000Z'
    const token = await newToken(tenantId, { name: 'Microsoft Entra', scope: 'read', expiresAt })
    expect(Object.keys(token).sort()).toEqual(
      [
        'createdAt',
        'expiresAt',
        'id',
        'clientId',
        'lastCharacters',
        'name',
        'scope',
        'tenantUrl',
        'token',
      ].sort(),
    )
    expect(token).toMatchObject({
      name: 'Microsoft Entra',
      scope: 'read',
      expiresAt,
      tenantUrl: `${ORIGIN}/scim/v2`,
    })
    expect(token.token).toMatch(new RegExp(`^scim_${tenantId}_[A-Za-z0-9_-]{43}$`))
    const list = await admin('GET', `/tenants/${tenantId}/tokens`)
    expect(list.body.tokens).toHaveLength(2)
    expect(JSON.stringify(list.body)).not.toContain(token.token.slice(-43))
  })

  it.for([
    ['no name', {}, 'name'],
    ['an unknown scope', { name: 'x', scope: 'admin' }, 'scope'],
    ['an invalid time', { name: 'x', expiresAt: 'tomorrow' }, 'expiresAt'],
    ['a time that has passed', { name: 'x', expiresAt: '2001-01-01T00:00:00Z' }, 'expiresAt'],
  ] as const)('refuses a token with %s and names the field', async ([, body, field]) => {
    expect((await admin('POST', '/tenants/default/tokens', body)).body.error).toMatchObject({
      code: 'invalid',
      field,
    })
  })

  it('answers 404 for an unknown tenant or token, and 400 for invalid JSON', async () => {
    const { tenantId } = await newClient()
    expect((await admin('POST', '/tenants/nobody/tokens', { name: 'x' })).status).toBe(404)
    expect((await admin('DELETE', `/tenants/${tenantId}/tokens/unknown`)).body.error.code).toBe('notFound')
    expect((await admin('GET', '/tenants/nobody/log')).status).toBe(404)
    expect((await admin('GET', '/nothing')).body.error.code).toBe('notFound')
    const headers = { Authorization: 'Bearer test-admin-token' }
    const broken = await send(
      new Request(`${ORIGIN}/admin/api/tenants`, { method: 'POST', headers, body: '{' }),
    )
    expect([broken.status, broken.body.error.code]).toEqual([400, 'invalid'])
  })
})

describe('a field that the admin API does not know', () => {
  const routes = Object.entries<Route>(ROUTES)
  const pathOf = ({ path }: Route) => path.replace('{id}', 'default').replace(/\{\w+\}/g, 'unknown')
  const takesFields = ({ body }: Route) => typeof body === 'object' && body.type === 'strict_object'

  it.for(routes)('is refused in the query of %s', async ([, route]) => {
    for (const parameter of ['purg=true', 'purg=']) {
      const answer = await admin(route.method, `${pathOf(route)}?${parameter}`)
      expect([answer.status, answer.body.error.field]).toEqual([400, 'purg'])
    }
  })

  it.for(routes.filter(([, route]) => takesFields(route)))(
    'is refused in the body of %s, before a field that is missing',
    async ([, route]) => {
      const answer = await admin(route.method, pathOf(route), { nam: 'x' })
      expect([answer.status, answer.body.error.field]).toEqual([400, 'nam'])
    },
  )

  it('is refused in every body that has a schema of fields', () => {
    const types = routes.flatMap(([, { body }]) => (typeof body === 'object' ? [body.type] : []))
    // The schema documents of SCIM and Entra have a parser of their own.
    expect(new Set(types)).toEqual(new Set(['strict_object', 'unknown']))
  })

  it('is named with the fields that are allowed', async () => {
    const { tenantId } = await newClient()
    const messageOf = async (method: string, path: string, body?: unknown) =>
      (await admin(method, `/tenants/${tenantId}${path}`, body)).body.error.message
    expect(await messageOf('PATCH', '/clients/x', { scop: 'read' })).toBe(
      '"scop" is not a known field; use one of name, scope, tokenLifetime',
    )
    expect(await messageOf('GET', '/log?action=authenticate')).toBe(
      '"action" is not a known field; use one of cursor, resourceType, outcome, q',
    )
    expect(await messageOf('GET', '/clients?page=2')).toBe(
      '"page" is not a known field; the request has no fields',
    )
  })
})

describe('/healthz', () => {
  it('answers 200 without authentication and without detail', async () => {
    const answer = await send(new Request(`${ORIGIN}/healthz`))
    expect([answer.status, answer.body]).toEqual([200, { status: 'ok' }])
  })
})
