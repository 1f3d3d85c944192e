/** The pages of federation: connecting a new client or an existing one to Microsoft Entra ID, and ending it. */
import { describe, expect, it } from 'vitest'
import { Browser, fieldValue, textOf } from '../support/dashboard.ts'
import { admin, newClient, TENANT_URL } from '../support/harness.ts'
import { Issuer } from '../support/issuer.ts'
import { newOauthClient, TOKEN_URL } from '../support/oauth.ts'

const TID = '3f2a8c1e-5b7d-4e9a-8c6f-1d2e3f4a5b6c'
const SUBJECT = '5bd2b0f9-8d2f-4a5f-b7a5-0d8f2b1c9e10'
const APPLICATION = 'b5ba7a93-4452-4522-aeb4-a2b5da870c16'
const TYPED = {
  name: 'Microsoft Entra ID',
  scope: 'provision',
  tid: TID,
  subject: SUBJECT,
  audiences: `api://${APPLICATION}/.default`,
  issuer: '',
  jwksUri: '',
  azp: '',
}
/** What is stored for these values. */
const STORED = {
  issuer: `https://login.microsoftonline.com/${TID}/v2.0`,
  jwksUri: `https://login.microsoftonline.com/${TID}/discovery/v2.0/keys`,
  subject: SUBJECT,
  audiences: [APPLICATION, `api://${APPLICATION}`],
  tid: TID,
  azp: null,
}

/** A new tenant, and a browser at the form for a new federated client. */
async function newForm() {
  const { tenantId } = await newClient()
  const browser = await new Browser().signIn()
  const keys = `/admin/tenants/${tenantId}/api-keys`
  const id = fieldValue((await browser.get(`${keys}/federation`)).html, 'id')
  const connect = (more: Partial<typeof TYPED> & { id?: string } = {}) =>
    browser.post(`${keys}/federation`, { id, ...TYPED, ...more })
  const client = async () => (await admin('GET', `/tenants/${tenantId}/clients/${id}`)).body
  /** The client of the token that the tenant has from the beginning. */
  const tokenClient = async () => (await admin('GET', `/tenants/${tenantId}/clients`)).body.clients[0]
  return { tenantId, browser, keys, id, connect, client, tokenClient }
}

/** The value of a text field. */
function shownIn(html: string, name: string): string | undefined {
  return new RegExp(`<input id="${name}" [^>]*value="([^"]*)"`).exec(html)?.[1]
}

describe('the form of federation', () => {
  it('connects a new client with the values that Entra shows, and shows those for Entra', async () => {
    const { tenantId, browser, keys, id, connect, client, tokenClient } = await newForm()
    const sent = await connect()
    expect([sent.status, sent.location]).toEqual([303, `${keys}/clients/${id}/federation?done=connected`])
    expect(await client()).toMatchObject({ name: TYPED.name, scope: 'provision', federation: STORED })
    const { html } = await browser.get(sent.location ?? '')
    for (const value of [TENANT_URL, TOKEN_URL, id]) expect(html).toContain(`value="${value}"`)
    expect(shownIn(html, 'tid')).toBe(TID)
    expect([shownIn(html, 'issuer'), shownIn(html, 'jwksUri')]).toEqual(['', ''])
    expect(textOf((await browser.get(keys)).html)).toContain('On : federation of Microsoft Entra ID')
    await admin('DELETE', `/tenants/${tenantId}/clients/${(await tokenClient()).id}`)
    const overview = `/admin/tenants/${tenantId}`
    expect(textOf((await browser.get(overview)).html)).not.toContain('No client can connect')
    await admin('DELETE', `/tenants/${tenantId}/clients/${id}`)
    expect(textOf((await browser.get(overview)).html)).toContain('No client can connect')
  })

  it('creates one client if it is sent twice', async () => {
    const { tenantId, connect, client } = await newForm()
    await connect()
    expect((await connect({ name: 'Again' })).status).toBe(303)
    expect((await client()).name).toBe(TYPED.name)
    expect((await admin('GET', `/tenants/${tenantId}/clients`)).body.clients).toHaveLength(2)
  })

  it.for<[string, string[]]>([
    [APPLICATION, [APPLICATION, `api://${APPLICATION}`]],
    [`api://${APPLICATION}`, [APPLICATION, `api://${APPLICATION}`]],
    ['api://scim.example/.default', ['api://scim.example']],
    [`api://${APPLICATION.toUpperCase()}/.default`, [APPLICATION, `api://${APPLICATION}`]],
    [` ${APPLICATION} \n other `, [APPLICATION, `api://${APPLICATION}`, 'other']],
  ])('accepts the audience %j', async ([audiences, stored]) => {
    const { connect, client } = await newForm()
    expect((await connect({ audiences })).status).toBe(303)
    expect((await client()).federation.audiences).toEqual(stored)
  })

  it('stores ids as tokens have them, in lower case', async () => {
    const { connect, client } = await newForm()
    const azp = APPLICATION
    const upper = { tid: TID.toUpperCase(), subject: SUBJECT.toUpperCase(), azp: azp.toUpperCase() }
    expect((await connect(upper)).status).toBe(303)
    expect((await client()).federation).toMatchObject({ ...STORED, azp })
  })

  it.for<[string, Partial<typeof TYPED>, Partial<typeof STORED>]>([
    [
      'of another cloud',
      { issuer: `https://login.microsoftonline.us/${TID}/v2.0` },
      {
        issuer: `https://login.microsoftonline.us/${TID}/v2.0`,
        jwksUri: `https://login.microsoftonline.us/${TID}/discovery/v2.0/keys`,
      },
    ],
    [
      'of version 1.0',
      {
        issuer: `https://sts.windows.net/${TID}/`,
        jwksUri: `https://login.microsoftonline.com/${TID}/discovery/keys`,
      },
      {
        issuer: `https://sts.windows.net/${TID}/`,
        jwksUri: `https://login.microsoftonline.com/${TID}/discovery/keys`,
      },
    ],
  ])('accepts an issuer %s', async ([, typed, stored]) => {
    const { browser, keys, id, connect, client } = await newForm()
    expect((await connect(typed)).status).toBe(303)
    expect((await client()).federation).toMatchObject({ ...STORED, ...stored })
    const { html } = await browser.get(`${keys}/clients/${id}/federation`)
    expect([shownIn(html, 'issuer'), shownIn(html, 'jwksUri')]).toEqual([typed.issuer, typed.jwksUri ?? ''])
  })

  it.for<[string, Partial<typeof TYPED>, string]>([
    ['tid', { tid: 'contoso' }, 'Must be a GUID'],
    ['tid', { tid: '' }, 'Must be given, unless an issuer is'],
    ['jwksUri', { issuer: `https://sts.windows.net/${TID}/` }, 'Must be given for this issuer'],
    [
      'jwksUri',
      { jwksUri: 'https://evil.example/keys' },
      'Must be an https URL with the host login.microsoftonline.com',
    ],
    ['subject', { subject: ' ' }, 'Must be a text of 1 to 500 characters'],
    ['audiences', { audiences: ' ' }, 'Must be a list of 1 to 10 texts'],
    ['audiences', { audiences: 'a'.repeat(501) }, 'Must be a text of 1 to 500 characters'],
    ['name', { name: '' }, 'Must be a text of 1 to 100 characters'],
    ['azp', { azp: 'a'.repeat(501) }, 'Must be a text of 1 to 500 characters'],
  ])('repeats the typed values with the error beside the field %s: %j', async ([field, typed, message]) => {
    const { connect, client } = await newForm()
    const { status, html } = await connect({ ...typed, subject: typed.subject ?? 'Kept "subject"' })
    expect(status).toBe(400)
    expect(html).toContain(`id="${field}-error">${message}`)
    if (typed.subject === undefined) expect(html).toContain('value="Kept &quot;subject&quot;"')
    expect((await client()).error.code).toBe('notFound')
  })

  it('refuses an id that is not one of a new client of the tenant', async () => {
    const { connect } = await newForm()
    const other = await newOauthClient()
    for (const id of ['', 'x', other.clientId]) expect((await connect({ id })).status).toBe(400)
  })

  it('is not found for an unknown tenant or client', async () => {
    const { browser, keys } = await newForm()
    const paths = ['/admin/tenants/nobody/api-keys/federation', `${keys}/clients/nobody/federation`]
    for (const path of [...paths, `${keys}/clients/nobody/federation/remove`]) {
      expect((await browser.get(path)).status, path).toBe(404)
      expect((await browser.post(path, { id: `nobody_${'A'.repeat(22)}`, ...TYPED })).status, path).toBe(404)
    }
  })
})

describe('the federation of an existing client', () => {
  it('says that its keys were entered with the admin API', async () => {
    const { tenantId, browser, keys, connect, id } = await newForm()
    await connect()
    const path = `${keys}/clients/${id}/federation`
    const hasNote = async () => textOf((await browser.get(path)).html).includes('entered with the admin API')
    expect(await hasNote()).toBe(false)
    const jwks = { keys: (await Issuer.create()).keys.map(({ jwk }) => jwk) }
    await admin('PUT', `/tenants/${tenantId}/clients/${id}/federation`, { jwks })
    expect(await hasNote()).toBe(true)
  })

  it('is added, replaced, and removed after a confirmation', async () => {
    const { tenantId, browser, keys } = await newForm()
    const { clientId } = await newOauthClient({ tenantId })
    const path = `${keys}/clients/${clientId}/federation`
    const stored = async () => (await admin('GET', `/tenants/${tenantId}/clients/${clientId}`)).body
    const page = await browser.get(path)
    expect([page.status, page.html.includes('Values for the identity provider')]).toEqual([200, false])
    expect((await browser.post(path, TYPED)).location).toBe(`${path}?done=connected`)
    expect(await stored()).toMatchObject({ name: 'Entra', federation: STORED })
    await browser.post(path, { ...TYPED, subject: 'other' })
    expect((await stored()).federation.subject).toBe('other')
    const question = await browser.get(`${path}/remove`)
    expect(textOf(question.html)).toContain('Remove the federation of “Entra”?')
    const removed = await browser.post(`${path}/remove`, {})
    expect([removed.status, removed.location]).toEqual([303, `${keys}?done=unfederated`])
    expect((await stored()).federation).toBeNull()
    expect(textOf((await browser.get(`${keys}?done=unfederated`)).html)).toContain(
      'The federation is removed.',
    )
    expect((await browser.post(`${path}/remove`, {})).status).toBe(404)
  })
})
