/** The Webhooks pages of the dashboard, in a browser without JavaScript. */
import { describe, expect, it } from 'vitest'
import { Browser, fieldValue, textOf } from '../support/dashboard.ts'
import { eventsOf } from '../support/feed.ts'
import { admin, newClient } from '../support/harness.ts'

const URL_OF_RECEIVER = 'https://receiver.example.com/events?key=secret-in-url'

async function newPages() {
  const client = await newClient()
  const browser = await new Browser().signIn()
  const path = `/admin/tenants/${client.tenantId}/webhooks`
  const create = async (form: Record<string, string> = {}) => {
    const id = fieldValue((await browser.get(path)).html, 'id')
    return { id, page: await browser.post(path, { id, url: URL_OF_RECEIVER, ...form }) }
  }
  const api = `/tenants/${client.tenantId}/webhooks`
  return { client, browser, path, create, api }
}

describe('Webhooks', () => {
  it('shows an empty state, and requires sign-in', async () => {
    const { browser, path } = await newPages()
    expect(textOf((await browser.get(path)).html)).toContain('No webhooks.')
    expect((await new Browser().get(path)).location).toContain('/admin/sign-in?next=')
  })

  it('creates a webhook and shows its secret once, even if the form is sent twice', async () => {
    const { browser, path, create, api } = await newPages()
    const { id, page } = await create({ 'type:user.created': 'on', 'type:user.deleted': 'on' })
    expect(page.status).toBe(201)
    expect(page.html).toMatch(/value="whsec_[\w+/=]+"/)
    const again = await browser.post(path, { id, url: URL_OF_RECEIVER })
    expect([again.status, again.location]).toEqual([303, `${path}?done=known`])
    const { webhooks } = (await admin('GET', api)).body
    expect(webhooks).toMatchObject([{ id, types: ['user.created', 'user.deleted'] }])
    const { html } = await browser.get(path)
    expect(textOf(html)).toContain('receiver.example.com/events Active Up to date Never —')
    expect(html).not.toMatch(/whsec_|secret-in-url/)
  })

  it.for<[url: string, message: string]>([
    ['http://receiver.example.com/', 'Must be a URL with "https:", found "http:"'],
    ['https://10.0.0.1/', 'Must be a URL with a host name instead of an IP address'],
  ])('repeats the form with %s and the reason', async ([url, message]) => {
    const { create } = await newPages()
    const { page } = await create({ url, 'type:group.deleted': 'on' })
    expect(page.status).toBe(400)
    expect(textOf(page.html)).toContain(message)
    expect(page.html).toMatch(/name="type:group\.deleted" checked/)
    expect(page.html).toContain(`value="${url}"`)
  })

  it('shows markup in a URL, a form and a parameter as text', async () => {
    const { browser, path, create } = await newPages()
    const markup = '"><script>alert(1)</script>'
    const { id, page } = await create({ url: `https://receiver.example.com/${markup}` })
    expect(page.status).toBe(201)
    const refused = await browser.post(`${path}/${id}/replay`, { after: markup })
    const again = await create({ url: `http://${markup}`, [`type:${markup}`]: 'on' })
    expect([refused.status, again.page.status]).toEqual([400, 400])
    const read = async (url: string) => (await browser.get(url)).html
    const pages = [await read(path), await read(`${path}/${id}`), await read(`${path}/${id}/delete`)]
    for (const html of [page.html, refused.html, again.page.html, ...pages]) {
      expect(html).not.toContain('<script>alert')
    }
    for (const done of ['constructor', '__proto__', 'toString', markup]) {
      const { status, html } = await browser.get(`${path}/${id}?done=${encodeURIComponent(done)}`)
      expect([done, status, /native code|role="status"|<script>alert/.test(html)]).toEqual([done, 200, false])
    }
  })

  it('changes, disables, tries out and deletes a webhook', async () => {
    const { browser, path, create, api } = await newPages()
    const { id } = await create()
    const at = `${path}/${id}`
    const stored = async () => (await admin('GET', `${api}/${id}`)).body
    expect((await browser.post(`${at}/state`, { state: 'disabled' })).location).toBe(`${at}?done=disabled`)
    expect(await stored()).toMatchObject({ state: 'disabled' })
    expect(textOf((await browser.get(at)).html)).toMatch(/Disabled Send a test event Enable Delete/)
    await browser.post(at, { url: 'https://other.example.com/', 'type:user.created': 'on' })
    expect(await stored()).toMatchObject({ url: 'https://other.example.com/', types: ['user.created'] })
    const refused = await browser.post(at, { url: 'https://localhost/' })
    expect([refused.status, textOf(refused.html)]).toEqual([
      400,
      expect.stringContaining('Must be a URL with the name of a public host'),
    ])
    expect((await browser.post(`${at}/test`, {})).location).toBe(`${at}?done=tested`)
    expect(textOf((await browser.get(at)).html)).toContain('webhook.test evt_test_')
    expect(textOf((await browser.get(`${at}/delete`)).html)).toContain(
      'Delete the webhook “other.example.com”?',
    )
    expect((await browser.post(`${at}/delete`, {})).location).toBe(`${path}?done=deleted`)
    expect((await browser.get(at)).status).toBe(404)
  })

  it('adds a secret, shows it once, and removes the old one', async () => {
    const { browser, path, create, api } = await newPages()
    const { id } = await create()
    const at = `${path}/${id}`
    const secretId = /name="id" value="([^"]+)"/.exec((await browser.get(at)).html)?.[1] ?? ''
    const added = await browser.post(`${at}/secrets`, { id: secretId })
    expect([added.status, added.html]).toEqual([201, expect.stringMatching(/value="whsec_/)])
    expect((await browser.post(`${at}/secrets`, { id: secretId })).location).toBe(`${at}?done=known`)
    const [first] = (await admin('GET', `${api}/${id}`)).body.secrets
    expect((await browser.post(`${at}/secrets/${first.id}/remove`, {})).location).toBe(`${at}?done=removed`)
    const last = await browser.post(`${at}/secrets/${secretId}/remove`, {})
    expect([last.status, textOf(last.html)]).toEqual([
      409,
      expect.stringContaining('last secret of a webhook cannot be removed'),
    ])
  })

  it('replays from an event on, and repeats the form with the reason if it cannot', async () => {
    const { client, browser, path, create, api } = await newPages()
    const { id } = await create()
    await browser.post(`${path}/${id}/state`, { state: 'disabled' })
    await client.createUser()
    await client.createUser()
    const [, second] = await eventsOf(client)
    const replay = async (after: string) => await browser.post(`${path}/${id}/replay`, { after })
    expect((await replay(second.id)).location).toBe(`${path}/${id}?done=replayed`)
    // The event of the replay itself.
    expect((await admin('GET', `${api}/${id}`)).body.eventsBehind).toBe(1)
    await replay('')
    // Of the token, the webhook and its state, of both users, and of both replays.
    expect((await admin('GET', `${api}/${id}`)).body.eventsBehind).toBe(7)
    expect(textOf((await browser.get(path)).html)).toContain('Disabled 7 events, oldest: Just now')
    const refused = await replay('nonsense')
    expect([refused.status, textOf(refused.html)]).toEqual([
      400,
      expect.stringContaining('Must be a cursor or the id of an event of this tenant'),
    ])
  })

  it('shows how far each reader of the feed has got', async () => {
    const { client, browser, path } = await newPages()
    await client.createUser()
    const { cursor } = (await client.feed()).body
    expect(textOf((await browser.get(path)).html)).not.toContain('Readers of the event feed')
    await client.createUser()
    await client.feed(`?after=${cursor}`)
    const behind = 'Test 1 event, oldest: Just now'
    expect(textOf((await browser.get(path)).html)).toContain(behind)
    // Remembered once a minute, so that reads do not write.
    await client.feed(`?after=${(await client.feed()).body.cursor}`)
    expect(textOf((await browser.get(path)).html)).toContain(behind)
  })
})
