/**
 * The guides of the identity providers: what they show, the credentials that they generate, and what they see of a
 * connection. The clock moves by call.
 */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { GUIDES } from '../../src/admin/pages/connect/guides.ts'
import { HOUR_MS, releaseClock, resumeIds, setClock } from '../support/clock.ts'
import { addLogEntries } from '../support/crowd.ts'
import { Browser, fieldValue, textOf } from '../support/dashboard.ts'
import { refuseAccess } from '../support/failed-access.ts'
import { Client, costOf, newClient, newToken, ORIGIN, send, TENANT_URL, USER } from '../support/harness.ts'
import { requestToken, TOKEN_URL } from '../support/oauth.ts'

const MINUTE_MS = 60_000
const HOSTILE = '<script>alert(1)</script>\u202Eexe.gnp'

afterEach(releaseClock)
afterAll(resumeIds)

function pass(ms: number): void {
  setClock(Date.now() + ms)
}

/** A new tenant, and a browser at a guide. */
async function newGuide(id: string) {
  const { tenantId } = await newClient({ scope: 'read' })
  const browser = await new Browser().signIn()
  const path = `/admin/tenants/${tenantId}/connect/${id}`
  const generate = async (more: Record<string, string> = {}) => {
    const { html } = await browser.get(path)
    const form = { id: fieldValue(html, 'id'), client: '', name: 'Mine', expires: '', ...more }
    return { ...(await browser.post(`${path}?credential=${form.id}`, form)), id: form.id }
  }
  return { tenantId, browser, path, generate }
}

/** A guide whose token was generated, with the client that has it. */
async function newConnection(id: string) {
  const guide = await newGuide(id)
  const made = await guide.generate()
  const client = new Client(guide.tenantId, tokenIn(made.html))
  const watch = async () => {
    const page = await guide.browser.get(`${guide.path}?credential=${made.id}`)
    return {
      ...page,
      text: textOf(/<section class="panel watch"[\s\S]*?<\/section>/.exec(page.html)?.[0] ?? ''),
    }
  }
  return { ...guide, client, watch, id: made.id }
}

function tokenIn(html: string): string {
  return /scim_[a-z0-9-]+_[\w-]{43}/.exec(html)?.[0] ?? ''
}

const match = (client: Client) => client.filter('/Users', 'userName eq "nobody@quillfern.example"')

/** The state of each step, by its title. */
function statesIn(text: string): Record<string, string> {
  const steps =
    /(First request|Test of the connection|First user|First group|First full cycle) (Seen|Waiting|Refused|Later|Not known)/g
  return Object.fromEntries([...text.matchAll(steps)].map(([, title, state]) => [title, state]))
}

describe('Connect', () => {
  it('says that no service on the internet can use an address of this machine or network', async () => {
    const { tenantId } = await newClient()
    const warning = 'A service on the internet cannot use this address'
    let at = ORIGIN
    const sendTo: typeof send = (request) => {
      if (at === ORIGIN) return send(request)
      return send(
        new Request(request.url.replace(ORIGIN, at), { headers: request.headers, redirect: 'manual' }),
      )
    }
    const browser = await new Browser(sendTo).signIn()
    const pageAt = async (origin: string) => {
      at = origin
      return textOf((await browser.get(`/admin/tenants/${tenantId}/connect/entra`)).html)
    }
    expect(await pageAt(ORIGIN)).not.toContain(warning)
    expect(await pageAt('https://127.0.0.1:8787')).toContain(warning)
    expect(await pageAt('https://scim.internal')).toContain(warning)
  })

  it('lists every guide, and each shows its application, the Tenant URL and its mappings', async () => {
    const { tenantId, browser } = await newGuide('okta')
    const list = await browser.get(`/admin/tenants/${tenantId}/connect`)
    for (const guide of GUIDES) {
      const path = `/admin/tenants/${tenantId}/connect/${guide.id}`
      expect(list.html).toContain(`href="${path}"`)
      const page = await browser.get(path)
      const text = textOf(page.html.replaceAll('<wbr/>', ''))
      expect([guide.id, page.status, costOf({ ...page, body: '' }).roundTrips]).toEqual([guide.id, 200, 1])
      expect(text).toContain(guide.application)
      expect(page.html).toContain(`value="${TENANT_URL}"`)
      for (const { target } of [...guide.users, ...(guide.groups ?? [])]) {
        expect([guide.id, text.includes(target)]).toEqual([guide.id, true])
      }
      expect(page.html.slice(page.html.indexOf('<main'))).not.toContain('<details')
    }
  })

  it('answers 404 for a guide or a tenant that does not exist', async () => {
    const { browser, tenantId } = await newGuide('okta')
    expect((await browser.get(`/admin/tenants/${tenantId}/connect/nothing`)).status).toBe(404)
    expect((await browser.get('/admin/tenants/nobody/connect/okta')).status).toBe(404)
    expect((await browser.post('/admin/tenants/nobody/connect/okta', { id: 'x' })).status).toBe(404)
  })

  it('has left the lists of users and the API keys', async () => {
    const { browser, tenantId } = await newGuide('okta')
    for (const page of ['users', 'api-keys']) {
      const { html } = await browser.get(`/admin/tenants/${tenantId}/${page}`)
      expect(html).toContain(`href="/admin/tenants/${tenantId}/connect"`)
      expect(textOf(html)).not.toContain('SCIM connector base URL')
    }
  })
})

describe('the credential of a guide', () => {
  it('is a token that may provision, which is shown once among the values', async () => {
    const { tenantId, browser, path, generate } = await newGuide('entra')
    const page = await generate({ credential: 'token', name: HOSTILE })
    expect([page.status, page.headers.get('Cache-Control')]).toEqual([201, 'no-store'])
    expect(textOf(page.html)).toContain('It will not be shown again.')
    expect(page.html).not.toContain('<script>alert')
    const token = tokenIn(page.html)
    expect(page.html).toMatch(new RegExp(`Secret Token</label>.{0,120}value="${token}"`, 's'))
    expect((await new Client(tenantId, token).createUser()).id).toBeDefined()
    const later = await browser.get(`${path}?credential=${page.id}`)
    expect(later.html).not.toContain(token)
    expect(textOf(later.html)).toContain('is generated, and is not shown again')
  })

  it('is a client secret with the token endpoint, where the provider can use one', async () => {
    const { tenantId, generate } = await newGuide('entra')
    const page = await generate({ credential: 'secret' })
    const valueAt = (label: string) =>
      new RegExp(`${label}</label>.*?value="([^"]*)"`, 's').exec(page.html)?.[1]
    expect(valueAt('Token Endpoint')).toBe(TOKEN_URL)
    const { body } = await requestToken({
      grant_type: 'client_credentials',
      client_id: valueAt('Client Identifier') ?? '',
      client_secret: valueAt('Client Secret') ?? '',
    })
    expect((await new Client(tenantId, body.access_token).createUser()).id).toBeDefined()
  })

  it('is a token where the provider can use nothing else, and always provisions', async () => {
    const { tenantId, generate } = await newGuide('okta')
    const page = await generate({ credential: 'secret', scope: 'read' })
    expect(page.html).not.toContain('Generate Client Secret')
    expect((await new Client(tenantId, tokenIn(page.html)).createUser()).id).toBeDefined()
  })

  it('may only read if the client is any client', async () => {
    const { tenantId, generate } = await newGuide('other')
    const page = await generate({ credential: 'token', scope: 'read' })
    const client = new Client(tenantId, tokenIn(page.html))
    expect((await client.request('POST', '/Users', { userName: 'x' })).status).toBe(403)
  })

  it('is one credential if the form is sent twice', async () => {
    const { browser, path, generate } = await newGuide('okta')
    const { id } = await generate()
    const again = await generate({ id })
    expect([again.status, again.location]).toEqual([303, `${path}?credential=${id}&done=known`])
    expect(textOf((await browser.get(again.location ?? '')).html)).toContain('was sent before')
  })

  it('is not generated with a wrong field, whose values stay', async () => {
    const { generate } = await newGuide('okta')
    const past = await generate({ name: 'Kept "name"', expires: '2020-01-31' })
    expect(past.status).toBe(400)
    expect(past.html).toContain('value="Kept &quot;name&quot;"')
    expect(past.html).toMatch(/id="new-expires-error">Must be today or later</)
    expect((await generate({ name: ' ' })).status).toBe(400)
    expect((await generate({ id: 'mine' })).status).toBe(400)
    // Without a client to choose, the form has no such field.
    expect(textOf((await generate({ client: 'nobody' })).html)).toContain('Must be one of the clients')
  })

  it('is not generated by a form of another site', async () => {
    const { browser, path } = await newGuide('okta')
    const form = { id: crypto.randomUUID(), name: 'Mine' }
    expect((await browser.post(path, form, { Origin: 'https://evil.example' })).status).toBe(403)
  })

  it('of another tenant is not seen', async () => {
    const [mine, other] = [await newGuide('okta'), await newConnection('okta')]
    const page = await mine.browser.get(`${mine.path}?credential=${other.id}`)
    const plain = await mine.browser.get(`${mine.path}?credential=${crypto.randomUUID()}`)
    const [one, two] = [page, plain].map(({ html }) => textOf(html))
    expect(one).toBe(two)
  })
})

describe('what a guide sees', () => {
  it('goes from the first request to the first full cycle', async () => {
    setClock(Date.now())
    const { client, watch } = await newConnection('entra')
    expect(statesIn((await watch()).text)).toEqual({
      'First request': 'Waiting',
      'Test of the connection': 'Later',
      'First user': 'Later',
      'First group': 'Later',
      'First full cycle': 'Later',
    })
    await match(client)
    expect(statesIn((await watch()).text)).toMatchObject({
      'First request': 'Seen',
      'Test of the connection': 'Seen',
      'First user': 'Waiting',
    })
    pass(MINUTE_MS)
    const user = await client.createUser({ userName: 'mirela@quillfern.example' })
    const users = await watch()
    expect(statesIn(users.text)).toMatchObject({ 'First user': 'Seen', 'First group': 'Waiting' })
    expect(users.text).toContain('mirela@quillfern.example')
    expect(users.html).toContain(`/users/${user.id}"`)
    await client.createGroup({ displayName: 'Field Crew' })
    expect(statesIn((await watch()).text)).toMatchObject({
      'First group': 'Seen',
      'First full cycle': 'Waiting',
    })
    pass(11 * MINUTE_MS)
    const end = await watch()
    expect(statesIn(end.text)).toMatchObject({ 'First full cycle': 'Seen' })
    expect(end.text).toContain('Connected.')
    expect(costOf({ ...end, body: '' }).roundTrips).toBe(1)
  })

  it('names a wrong token and what to do, until a request is answered', async () => {
    setClock(Date.now())
    const { tenantId, client, watch } = await newConnection('okta')
    pass(MINUTE_MS)
    await refuseAccess(tenantId, 'unknown', { count: 3 })
    const { text } = await watch()
    expect(statesIn(text)).toMatchObject({ 'First request': 'Refused', 'Test of the connection': 'Waiting' })
    expect(text).toContain('(3 times): 401 the token is not one of this tenant')
    expect(text).toContain('Generate another one under API Keys')
    pass(MINUTE_MS)
    await match(client)
    expect(statesIn((await watch()).text)).toMatchObject({ 'First request': 'Seen' })
  })

  it('does not take an older wrong token of another client for its own', async () => {
    setClock(Date.now())
    const guide = await newGuide('okta')
    await refuseAccess(guide.tenantId, 'unknown')
    pass(5 * MINUTE_MS)
    const { html } = await guide.generate()
    expect(statesIn(textOf(html))).toMatchObject({ 'First request': 'Waiting' })
  })

  it('names a filter that does not parse', async () => {
    const { client, watch } = await newConnection('entra')
    await client.filter('/Users', 'userName is "x"')
    const { text } = await watch()
    expect(statesIn(text)).toMatchObject({ 'First request': 'Seen', 'Test of the connection': 'Refused' })
    expect(text).toContain('400 invalidFilter')
    expect(text).toContain('Correct the filter where the detail says.')
  })

  it('names the reason of a refused user, what to do, and when the provider tries again', async () => {
    const { client, watch } = await newConnection('entra')
    await match(client)
    await client.request('POST', '/Users', { schemas: [USER], userName: '', displayName: HOSTILE })
    const { text, html } = await watch()
    expect(statesIn(text)).toMatchObject({ 'First user': 'Refused' })
    expect(text).toContain('attribute "userName" is required')
    expect(text).toContain('Give the user or group a value for it')
    expect(text).toContain('Entra tries again 6, 12 and 24 hours after the first failure')
    expect(html).not.toContain('<script>alert')
    await client.createUser()
    const done = (await watch()).text
    expect(statesIn(done)).toMatchObject({ 'First user': 'Seen' })
    expect(done).toContain('1 request was refused in the last 24 hours.')
  })

  it('waits for no group of a provider that sends none', async () => {
    const { watch } = await newConnection('google')
    expect(Object.keys(statesIn((await watch()).text))).not.toContain('First group')
  })

  it('is of one client only, and of another one by a link', async () => {
    const { tenantId, browser, path, watch, client } = await newConnection('okta')
    const other = await newToken(tenantId, { name: HOSTILE })
    await new Client(tenantId, other.token).createUser()
    const { html, text } = await watch()
    expect(statesIn(text)).toMatchObject({ 'First request': 'Waiting', 'First user': 'Later' })
    const link = /href="([^"]*connect\/okta\?client=[^"]*)"/.exec(html)?.[1] ?? ''
    expect(link).toContain(encodeURIComponent(other.clientId))
    expect(statesIn(textOf((await browser.get(link)).html))).toMatchObject({ 'First user': 'Seen' })
    expect(await match(client)).toMatchObject({ status: 200 })
    expect(path).not.toContain('client=')
  })

  it('reads at most 200 rows in two round trips in a tenant with a long log, and finds the first user', async () => {
    setClock(Date.now())
    const { tenantId, client, watch } = await newConnection('entra')
    await client.createUser({ userName: 'first@quillfern.example' })
    pass(HOUR_MS)
    await addLogEntries(tenantId, 3_000, Date.now())
    for (let i = 0; i < 45; i++) await client.request('POST', '/Users', { schemas: [USER], userName: '' })
    const page = await watch()
    expect(page.text).toContain('first@quillfern.example')
    const { roundTrips, rowsRead } = costOf({ ...page, body: '' })
    expect(roundTrips).toBe(2)
    expect(rowsRead).toBeLessThanOrEqual(200)
  })

  it('finds a user and a group between too many other entries, by what is there', async () => {
    // Later than in the tests before, so that ids follow the clock.
    setClock(Date.now() + 3 * HOUR_MS)
    const { tenantId, client, watch } = await newConnection('entra')
    const second = new Client(tenantId, (await newToken(tenantId, { name: 'Second' })).token)
    const isHidden = async (write: () => Promise<unknown>) => {
      for (const step of [
        () => addLogEntries(tenantId, 200, Date.now()),
        write,
        () => addLogEntries(tenantId, 200, Date.now()),
      ]) {
        pass(MINUTE_MS)
        await step()
      }
    }
    await isHidden(async () => {
      const user = await client.createUser({ userName: 'hidden@quillfern.example' })
      await client.createGroup({ displayName: 'Hidden', members: [{ value: user.id }] })
      const other = await second.createGroup()
      await second.patch(`/Groups/${other.id}`, { op: 'replace', path: 'displayName', value: 'Other' })
    })
    const page = await watch()
    expect(statesIn(page.text)).toMatchObject({ 'First user': 'Seen', 'First group': 'Seen' })
    expect(page.text).toMatch(/hidden@quillfern\.example ?, last changed by this client/)
    expect(page.text).toMatch(/Hidden ?, last changed by this client/)
    const { roundTrips, rowsRead } = costOf({ ...page, body: '' })
    expect([roundTrips, rowsRead <= 200 || rowsRead]).toEqual([2, true])
  })

  it('says what it has looked at if another client has changed what is there', async () => {
    setClock(Date.now() + 6 * HOUR_MS)
    const { tenantId, client, watch } = await newConnection('entra')
    const second = new Client(tenantId, (await newToken(tenantId, { name: 'Second' })).token)
    pass(MINUTE_MS)
    await addLogEntries(tenantId, 200, Date.now())
    pass(MINUTE_MS)
    const { id } = await client.createUser()
    await second.patch(`/Users/${id}`, { op: 'replace', path: 'title', value: 'Warden' })
    pass(MINUTE_MS)
    await addLogEntries(tenantId, 200, Date.now())
    const { text, html } = await watch()
    expect(statesIn(text)).toMatchObject({
      'First request': 'Seen',
      'First user': 'Not known',
      'First full cycle': 'Not known',
    })
    expect(text).toContain('the 40 log entries since it was made and the newest 60 have none of it')
    expect(html).toMatch(/href="[^"]*\/log\?client=[^"]*type=User">search the log/)
  })
})
