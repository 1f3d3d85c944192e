import { describe, expect, it } from 'vitest'
import { Browser, fieldValue, textOf } from '../support/dashboard.ts'
import { Client, newClient, TENANT_URL } from '../support/harness.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** A new tenant without a token, and a browser at its API Keys page. */
async function newKeysPage() {
  const { tenantId } = await newClient()
  const browser = await new Browser().signIn()
  const path = `/admin/tenants/${tenantId}/api-keys`
  const generate = async (more: Record<string, string> = {}) => {
    const { html } = await browser.get(path)
    const form = {
      provider: 'entra',
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
    expect(list.html.split('data-label="State"').length - 1).toBe(2)
  })

  it('repeats the typed values with the error beside the field', async () => {
    const { generate } = await newKeysPage()
    const past = await generate({ name: 'Kept "name"', scope: 'read', expires: '2020-01-31' })
    expect(past.status).toBe(400)
    expect(past.html).toContain('value="Kept &quot;name&quot;"')
    expect(past.html).toContain('value="2020-01-31"')
    expect(past.html).toContain('value="read" selected=""')
    expect(past.html).toMatch(/id="entra-expires-error">Must be today or later</)
    const nameless = await generate({ name: '   ' })
    expect(nameless.html).toMatch(/id="entra-name-error">Must be a text of 1 to 100 characters/)
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
    expect(textOf(question.html)).toContain('Revoke “Old one”?')
    expect((await client.get('/Users')).status).toBe(200)
    const done = await browser.post(`${path}/${id}/revoke`, {})
    expect([done.status, done.location]).toEqual([303, `${path}?done=revoked`])
    expect((await client.get('/Users')).status).toBe(401)
    expect((await browser.get(path)).html).toContain('>Revoked</span>')
  })

  it('rotates a token: the old one stays valid and is marked', async () => {
    const { tenantId, browser, path, generate } = await newKeysPage()
    const id = crypto.randomUUID()
    const old = new Client(tenantId, tokenIn((await generate({ id, name: 'Entra', scope: 'read' })).html))
    const page = await browser.post(`${path}/${id}/rotate`, { id: crypto.randomUUID() })
    expect(page.status).toBe(201)
    const fresh = new Client(tenantId, tokenIn(page.html))
    expect(textOf((await browser.get(path)).html)).toContain('The new token has not been used yet.')
    expect((await fresh.get('/Users')).status).toBe(200)
    expect((await fresh.request('POST', '/Users', { userName: 'x' })).status).toBe(403)
    expect((await old.get('/Users')).status).toBe(200)
    expect(textOf((await browser.get(path)).html)).toContain('The new token is in use. Revoke this one.')
    // A token can be rotated once: with two successors it would be unclear which one is in use.
    expect((await browser.post(`${path}/${id}/rotate`, { id: crypto.randomUUID() })).status).toBe(404)
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
