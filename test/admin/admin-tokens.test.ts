/** Named tokens of administrators. */
import { env } from 'cloudflare:workers'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { releaseClock, resumeIds, setClock } from '../support/clock.ts'
import { Browser, fieldValue, textOf } from '../support/dashboard.ts'
import { admin, newClient, ORIGIN, send } from '../support/harness.ts'
import { adminAs, newAdminToken } from '../support/people.ts'

afterEach(releaseClock)
afterAll(resumeIds)

const PATH = '/admin/administrators'
const roundTrips = (headers: Headers) =>
  Number(/(\d+) round trips/.exec(headers.get('Server-Timing') ?? '')?.[1])

describe('named tokens', () => {
  it('authenticate at the admin API, and are shown by their first and last characters', async () => {
    const { id, token, name } = await newAdminToken('owner', null)
    const { body } = await adminAs(token, 'GET', '/administrators/tokens')
    const listed = body.tokens.find((one: { id: string }) => one.id === id)
    expect(listed).toMatchObject({
      name,
      role: 'owner',
      tenants: null,
      firstCharacters: token.slice(0, 14),
      lastCharacters: token.slice(-4),
      createdBy: 'Administrator',
      revokedAt: null,
      lastUsedAt: expect.stringContaining('T'),
    })
    expect(JSON.stringify(body)).not.toContain(token)
  })

  it('are refused from the next request after their revocation, with their sessions', async () => {
    const { tenantId } = await newClient()
    const { id, token } = await newAdminToken('admin', [tenantId])
    const browser = await new Browser().signIn(token)
    const settings = `/admin/tenants/${tenantId}/settings`
    expect((await browser.get(settings)).status).toBe(200)
    const copy = browser.cookie
    expect((await admin('DELETE', `/administrators/tokens/${id}`)).status).toBe(204)
    expect((await adminAs(token, 'GET', `/tenants/${tenantId}`)).status).toBe(401)
    browser.cookie = copy
    const write = await browser.post(settings, { name: 'Taken over', groupLimit: '1' })
    expect(write.location).toBe('/admin/sign-in')
    browser.cookie = copy
    const move = await browser.post(`/admin/tenants/${tenantId}/export`, {})
    expect(move.location).toBe('/admin/sign-in')
    browser.cookie = copy
    expect((await browser.get(settings)).location).toContain('/admin/sign-in?next=')
    expect((await admin('GET', `/tenants/${tenantId}`)).body.name).not.toBe('Taken over')
    expect((await admin('GET', `/tenants/${tenantId}/log`)).status).toBe(200)
  })

  it('say when they expire, and are refused without an expiry or with one in the past', async () => {
    const input = { name: 'x', role: 'viewer', tenants: null }
    const unsaid = await admin('POST', '/administrators/tokens', input)
    expect(unsaid.body.error).toMatchObject({ code: 'invalid', field: 'expiresAt' })
    const past = await admin('POST', '/administrators/tokens', {
      ...input,
      expiresAt: '2020-01-01T00:00:00Z',
    })
    expect(past.body.error).toMatchObject({ code: 'invalid', field: 'expiresAt' })
  })

  it.each([
    [{ role: 'root' }, '"role" must be "viewer", "admin" or "owner", found "root"'],
    [{ tenants: [] }, '"tenants" must be a list of 1 to 20 ids of tenants, or null, found []'],
    [{ tenants: ['Acme'] }, '"tenants.0" must be the id of a tenant, found "Acme"'],
    [{ isOwner: true }, '"isOwner" is not a known field; use one of name, role, tenants, expiresAt'],
  ])('refuse %j', async (wrong, message) => {
    const input = { name: 'x', role: 'viewer', tenants: null, expiresAt: null, ...wrong }
    const { status, body } = await admin('POST', '/administrators/tokens', input)
    expect([status, body.error.message]).toEqual([400, message])
  })

  it('cost pages no round trip', async () => {
    const { tenantId } = await newClient()
    const { token } = await newAdminToken('viewer', [tenantId])
    const named = await new Browser().signIn(token)
    const owner = await new Browser().signIn()
    const path = `/admin/tenants/${tenantId}/api-keys`
    const [one, other] = [await named.get(path), await owner.get(path)]
    expect(roundTrips(one.headers)).toBe(roundTrips(other.headers))
  })

  it.each(['scimadmin_short', `scimadmin_${'A'.repeat(43)}`, `scimadmin_${'A'.repeat(43)}=`])(
    'are not guessed: %s',
    async (token) => {
      expect((await adminAs(token, 'GET', '/tenants')).status).toBe(401)
    },
  )

  it('do not authenticate SCIM clients, and tokens of clients no administrators', async () => {
    const client = await newClient()
    const { token } = await newAdminToken('owner', null)
    const headers = { Authorization: `Bearer ${token}` }
    expect((await send(new Request(`${ORIGIN}/scim/v2/Users`, { headers }))).status).toBe(401)
    expect((await adminAs(client.token, 'GET', '/tenants')).status).toBe(401)
  })

  it('end sessions no later than they expire', async () => {
    const expiresAt = new Date(Date.now() + 60_000).toISOString()
    const { token } = await newAdminToken('viewer', null, { expiresAt })
    const answer = await new Browser().post('/admin/sign-in', { token, next: '/admin' })
    const [, maxAge] = /Max-Age=(\d+)/.exec(answer.headers.get('Set-Cookie') ?? '') ?? []
    expect(Number(maxAge)).toBeLessThanOrEqual(60)
  })
})

describe('the page of administrators', () => {
  it('generates a token once, and shows it once', async () => {
    const browser = await new Browser().signIn()
    const form = {
      id: fieldValue((await browser.get(PATH)).html, 'id'),
      name: 'Nightly report',
      role: 'viewer',
    }
    const made = await browser.post(PATH, { ...form, tenants: 'default', expires: '2999-01-31' })
    expect(made.status).toBe(201)
    const [token = ''] = /scimadmin_[\w-]{43}/.exec(made.html) ?? []
    expect((await adminAs(token, 'GET', '/tenants/default')).status).toBe(200)
    const again = await browser.post(PATH, { ...form, tenants: 'default', expires: '2999-01-31' })
    expect(again.location).toBe(`${PATH}?done=known`)
    const list = await browser.get(PATH)
    expect(list.html).not.toContain(token)
    expect(textOf(list.html)).toContain(`${token.slice(0, 14)}…${token.slice(-4)}`)
    expect(textOf(list.html)).toContain('viewer of default')
  })

  it('asks before it revokes a token', async () => {
    const { id, token } = await newAdminToken('viewer', null)
    const browser = await new Browser().signIn()
    const asked = await browser.get(`${PATH}/tokens/${id}/revoke`)
    expect(textOf(asked.html)).toContain(`${token.slice(0, 14)}…${token.slice(-4)}`)
    const done = await browser.post(`${PATH}/tokens/${id}/revoke`, {})
    expect(done.location).toBe(`${PATH}?done=revoked`)
    expect((await browser.get(`${PATH}/tokens/${id}/revoke`)).status).toBe(404)
  })

  it('names the invalid field, and escapes what was typed', async () => {
    const browser = await new Browser().signIn()
    const { html } = await browser.get(PATH)
    const form = { id: fieldValue(html, 'id'), name: '"><script>x</script>', role: 'viewer', tenants: 'ACME' }
    const answer = await browser.post(PATH, form)
    expect(answer.status).toBe(400)
    expect(answer.html).not.toContain('<script>x')
    expect(textOf(answer.html)).toContain('must be the id of a tenant')
  })
})

describe('many named tokens', () => {
  // By the real clock, they are as many valid ones as are allowed.
  afterEach(() => env.DB.prepare("DELETE FROM admin_tokens WHERE name = 'x'").run())

  it('are listed as long as they are valid, however many have ended since, and the ended ones leave room', async () => {
    const { id } = await newAdminToken('owner', null, { name: 'Hidden' })
    const start = Date.now()
    for (let round = 0; round < 3; round++) {
      const now = start + round * 60_000
      setClock(now)
      const expiresAt = new Date(now + 1_000).toISOString()
      const input = { name: 'x', role: 'viewer', tenants: null, expiresAt }
      const statuses = []
      while (statuses.at(-1) !== 409)
        statuses.push((await admin('POST', '/administrators/tokens', input)).status)
      expect(statuses.length).toBeGreaterThan(50)
    }
    setClock(start + 10 * 60_000)
    const { tokens } = (await admin('GET', '/administrators/tokens')).body
    expect(tokens.map((one: { id: string }) => one.id)).toContain(id)
    const browser = await new Browser().signIn()
    expect((await browser.get(`${PATH}/tokens/${id}/revoke`)).status).toBe(200)
  }, 20_000)
})
