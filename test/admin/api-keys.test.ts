import { describe, expect, it } from 'vitest'
import { Browser, fieldValue, textOf } from '../support/dashboard.ts'
import { admin, Client, newClient, newToken, TENANT_URL } from '../support/harness.ts'
import { newOauthClient, newSecret, requestToken, TOKEN_URL } from '../support/oauth.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** A new tenant without a token, and a browser at its API Keys page. */
async function newKeysPage() {
  const { tenantId } = await newClient()
  const browser = await new Browser().signIn()
  const path = `/admin/tenants/${tenantId}/api-keys`
  const generate = async (more: Record<string, string> = {}) => {
    const { html } = await browser.get(path)
    const form = {
      id: fieldValue(html, 'id'),
      name: 'Entra',
      scope: 'provision',
      expires: '',
    }
    return await browser.post(path, { ...form, ...more })
  }
  return { tenantId, browser, path, generate }
}

function tokenIn(html: string): string {
  return /scim_[a-z0-9-]+_[\w-]{43}/.exec(html)?.[0] ?? ''
}

describe('API Keys', () => {
  it('generates a valid token and shows it once, with the Tenant URL', async () => {
    const { tenantId, browser, path, generate } = await newKeysPage()
    const page = await generate({ name: 'Microsoft Entra ID' })
    expect(page.status).toBe(201)
    expect(page.headers.get('Cache-Control')).toBe('no-store')
    expect(page.html).toContain(`value="${TENANT_URL}"`)
    expect(textOf(page.html)).toContain('It will not be shown again.')
    const token = tokenIn(page.html)
    expect((await new Client(tenantId, token).get('/Users')).status).toBe(200)
    const list = await browser.get(path)
    expect(list.html).toContain('Microsoft Entra ID')
    expect(list.html).not.toContain(token)
  })

  it('creates one token if the same form is sent twice', async () => {
    const { browser, path, generate } = await newKeysPage()
    const id = crypto.randomUUID()
    expect((await generate({ id })).status).toBe(201)
    const again = await generate({ id })
    expect([again.status, again.location]).toEqual([303, `${path}?done=known`])
    expect(tokenIn(again.html)).toBe('')
    const list = await browser.get(`${path}?done=known`)
    expect(list.html).toContain('was sent before')
    // Two tokens and their clients.
    expect(list.html.split('data-label="State"').length - 1).toBe(4)
  })

  it('repeats the typed values with the error beside the field', async () => {
    const { generate } = await newKeysPage()
    const past = await generate({ name: 'Kept "name"', scope: 'read', expires: '2020-01-31' })
    expect(past.status).toBe(400)
    expect(past.html).toContain('value="Kept &quot;name&quot;"')
    expect(past.html).toContain('value="2020-01-31"')
    expect(past.html).toContain('value="read" selected=""')
    expect(past.html).toMatch(/id="new-expires-error">Must be today or later</)
    const nameless = await generate({ name: '   ' })
    expect(nameless.html).toMatch(/id="new-name-error">Must be a text of 1 to 100 characters/)
    expect((await generate({ expires: 'soon' })).status).toBe(400)
    expect((await generate({ scope: 'everything' })).status).toBe(400)
    expect((await generate({ id: 'mine' })).status).toBe(400)
  })

  it('generates a read-only token that expires at the end of the given day', async () => {
    const { tenantId, generate } = await newKeysPage()
    const today = new Date().toISOString().slice(0, 10)
    const client = new Client(tenantId, tokenIn((await generate({ scope: 'read', expires: today })).html))
    expect((await client.get('/Users')).status).toBe(200)
    expect((await client.request('POST', '/Users', { userName: 'x' })).status).toBe(403)
    expect(Date.parse(today) + DAY_MS).toBeGreaterThan(Date.now())
  })

  it('revokes after a confirmation, from the next request on', async () => {
    const { tenantId, browser, path, generate } = await newKeysPage()
    const id = crypto.randomUUID()
    const client = new Client(tenantId, tokenIn((await generate({ id, name: 'Old one' })).html))
    const question = await browser.get(`${path}/${id}/revoke`)
    expect(textOf(question.html)).toContain('Revoke the token “ Old one ”')
    expect((await client.get('/Users')).status).toBe(200)
    const remaining = fieldValue(question.html, 'remaining')
    const done = await browser.post(`${path}/${id}/revoke`, { remaining })
    expect([done.status, done.location]).toEqual([303, `${path}?done=revoked`])
    expect((await client.get('/Users')).status).toBe(401)
    expect((await browser.get(path)).html).toContain('>Revoked</span>')
  })

  it('answers 404 for a token of another tenant, and changes nothing', async () => {
    const [mine, other] = [await newKeysPage(), await newKeysPage()]
    const id = crypto.randomUUID()
    const client = new Client(other.tenantId, tokenIn((await other.generate({ id })).html))
    expect((await mine.browser.get(`${mine.path}/${id}/revoke`)).status).toBe(404)
    expect((await mine.browser.post(`${mine.path}/${id}/revoke`, {})).status).toBe(404)
    expect((await mine.browser.post(`${mine.path}/${id}/rotate`, { id: crypto.randomUUID() })).status).toBe(
      404,
    )
    expect((await client.get('/Users')).status).toBe(200)
  })
})

describe('client secrets on the API Keys page', () => {
  const valuesIn = (html: string) =>
    ['tenant-url', 'token-endpoint', 'client-identifier', 'client-secret'].map(
      (id) => new RegExp(`id="${id}"[^>]* value="([^"]*)"`).exec(html)?.[1] ?? '',
    )

  async function signedInWith([, url, clientId = '', clientSecret = '']: readonly string[]) {
    const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }
    return await requestToken(form, {}, 'POST', url)
  }

  it('are generated with a new client, and shown once with the three other values', async () => {
    const { tenantId, browser, path, generate } = await newKeysPage()
    const page = await generate({ credential: 'secret', name: 'Entra', scope: 'read' })
    expect([page.status, page.headers.get('Cache-Control')]).toEqual([201, 'no-store'])
    const values = valuesIn(page.html)
    expect(values.slice(0, 2)).toEqual([TENANT_URL, TOKEN_URL])
    expect(textOf(page.html)).toContain('It will not be shown again.')
    const { body } = await signedInWith(values)
    const client = new Client(tenantId, body.access_token)
    expect((await client.get('/Users')).status).toBe(200)
    expect((await client.request('POST', '/Users', { userName: 'x' })).status).toBe(403)
    const list = await browser.get(path)
    expect(list.html).not.toContain(values[3])
    expect(list.html).toContain(`scims_…${values[3]?.slice(-4)}`)
    expect(textOf(list.html)).toMatch(/Entra Read only .{0,20}1 secret/)
    // The overview no longer asks to connect.
    const overview = textOf((await browser.get(`/admin/tenants/${tenantId}`)).html)
    expect(overview).not.toContain('so clients cannot connect yet')
  })

  it('are generated for an existing client, once for each form', async () => {
    const { tenantId, browser, path, generate } = await newKeysPage()
    const first = valuesIn((await generate({ credential: 'secret' })).html)
    const id = crypto.randomUUID()
    const more = { credential: 'secret', client: first[2] ?? '', id }
    const second = valuesIn((await generate(more)).html)
    expect(second[2]).toBe(first[2])
    const again = await generate(more)
    expect([again.status, again.location]).toEqual([303, `${path}?done=known`])
    const newer = await generate({ ...more, client: '' })
    expect(newer.status).toBe(303)
    expect((await admin('GET', `/tenants/${tenantId}/clients`)).body.clients).toHaveLength(2)
    for (const values of [first, second]) expect((await signedInWith(values)).status).toBe(200)
    const unknown = await generate({ ...more, client: 'nobody', id: crypto.randomUUID() })
    expect([unknown.status, unknown.html.includes('new-client-error')]).toEqual([400, true])
    expect((await browser.get(path)).html).toContain('id="secrets"')
  })

  it('name an expiry that is too late beside the field', async () => {
    const { generate } = await newKeysPage()
    const expires = new Date(Date.now() + 1_200 * DAY_MS).toISOString().slice(0, 10)
    const late = await generate({ credential: 'secret', expires })
    expect(late.status).toBe(400)
    expect(late.html).toMatch(/id="new-expires-error">Must be within 1,096 days</)
    expect((await generate({ expires })).status).toBe(201)
  })

  it('are revoked with their access tokens, after a confirmation', async () => {
    const { tenantId, browser, path, generate } = await newKeysPage()
    const id = crypto.randomUUID()
    const old = valuesIn((await generate({ credential: 'secret', id, name: 'Spring' })).html)
    const token = (await signedInWith(old)).body.access_token
    const rotation = await browser.post(`${path}/secrets/${id}/rotate`, { id: crypto.randomUUID() })
    const fresh = valuesIn(rotation.html)
    expect(fresh[2]).toBe(old[2])
    for (const values of [old, fresh]) expect((await signedInWith(values)).status).toBe(200)
    const done = await browser.post(`${path}/secrets/${id}/revoke`, {})
    expect([done.status, done.location]).toEqual([303, `${path}?done=secret-revoked`])
    expect((await new Client(tenantId, token).get('/Users')).status).toBe(401)
    expect((await signedInWith(old)).status).toBe(401)
    expect((await signedInWith(fresh)).status).toBe(200)
    expect(textOf((await browser.get(`${path}?done=secret-revoked`)).html)).toContain(
      'The secret is revoked.',
    )
    for (const action of ['revoke', 'rotate', 'keep']) {
      const form = { id: crypto.randomUUID() }
      const status = (await browser.post(`${path}/secrets/unknown/${action}`, form)).status
      expect(status, action).toBe(404)
    }
    const other = await newKeysPage()
    expect((await other.browser.post(`${other.path}/secrets/${id}/revoke`, {})).status).toBe(404)
  })

  it('and tokens that expire soon have a warning there and on the overview', async () => {
    const { tenantId, browser, path } = await newKeysPage()
    const client = await newOauthClient({ tenantId })
    const inDays = (days: number) => new Date(Date.now() + days * DAY_MS + 60_000).toISOString()
    const pages = async () =>
      await Promise.all(
        [path, `/admin/tenants/${tenantId}`].map(async (at) => textOf((await browser.get(at)).html)),
      )
    for (const text of await pages()) expect(text).not.toContain('expires soon')
    await newSecret(tenantId, client.clientId, { name: 'Spring', expiresAt: inDays(6) })
    for (const text of await pages()) {
      expect(text).toContain('A credential expires soon')
      expect(text).toMatch(/The secret “ Spring ” scims_…\S{4} expires in 6 days/)
    }
    await newToken(tenantId, { name: 'Old token', expiresAt: inDays(59) })
    await newToken(tenantId, { name: 'Young token', expiresAt: inDays(61) })
    for (const text of await pages()) {
      expect(text).toContain('Credentials expire soon')
      expect(text).toMatch(/The token “ Old token ” scim_…\S{4} expires in 59 days/)
      expect(text).not.toContain('“ Young token ”')
    }
    for (let i = 0; i < 9; i++) await newToken(tenantId, { name: `Token ${i}`, expiresAt: inDays(50) })
    for (const text of await pages()) {
      expect(text).toContain('“ Token 3 ”')
      expect(text).toContain('and 6 other credentials.')
      expect(text).not.toMatch(/“ Old token ” scim_/)
    }
  })
})
