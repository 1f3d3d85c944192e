/**
 * Names with characters that are invisible, or that reorder text.
 */
import { describe, expect, it } from 'vitest'
import { Browser, textOf } from '../support/dashboard.ts'
import { admin, Client, GROUP, newClient } from '../support/harness.ts'
import { anotherClient } from '../support/undo.ts'

const OVERRIDE = '\u202e'

async function newPages() {
  const client = await newClient()
  const browser = await new Browser().signIn()
  return { client, browser, path: `/admin/tenants/${client.tenantId}` }
}

const heading = (html: string) => textOf(/<h1>.*?<\/h1>/s.exec(html)?.[0] ?? '').trim()

describe('a name', () => {
  it('that reorders text is shown with a mark, in the text and in the title, on every page that has it', async () => {
    const { client, browser, path } = await newPages()
    const user = await client.createUser({ userName: 'exe', displayName: `abc${OVERRIDE}gnp.exe` })
    const members = [{ value: user.id }]
    const group = await client.request('POST', '/Groups', { schemas: [GROUP], displayName: 'G', members })
    for (const at of ['/users', '/users?q=abc', `/users/${user.id}`, `/groups/${group.body.id}`, '/log']) {
      const { html } = await browser.get(`${path}${at}`)
      expect([at, html.includes(OVERRIDE)]).toEqual([at, false])
      expect([at, html]).toEqual([at, expect.stringContaining('abc<span class="mark">U+202E</span>gnp.exe')])
    }
    const { html } = await browser.get(`${path}/users/${user.id}`)
    expect(html).toContain('<title>abc[U+202E]gnp.exe · ')
  })

  it.for([
    ['a zero-width space', '\u200b'],
    ['spaces', ' \u00a0\u3000'],
    ['Hangul fillers', '\u3164\u115f'],
    ['a blank of Braille', '\u2800'],
  ])('that consists of %s is replaced by the user name, or by the id', async ([, displayName = '']) => {
    const { client, browser, path } = await newPages()
    const user = await client.createUser({ userName: 'jane@acme.example', displayName })
    const group = await client.request('POST', '/Groups', { schemas: [GROUP], displayName })
    expect(heading((await browser.get(`${path}/users/${user.id}`)).html)).toBe('jane@acme.example')
    expect(heading((await browser.get(`${path}/groups/${group.body.id}`)).html)).toBe(String(group.body.id))
    const list = await browser.get(`${path}/groups`)
    expect(list.html).toContain(`>${group.body.id}</a>`)
  })

  it.for([
    ['in Arabic', 'محمد علي'],
    ['in Persian, with a zero-width non-joiner', 'علی\u200cرضا'],
    ['with an emoji of several characters', 'Team 👩\u200d🚀\ufe0f'],
    ['in German', 'Jürgen Größe'],
  ])('%s has no marks', async ([, displayName = '']) => {
    const { client, browser, path } = await newPages()
    const user = await client.createUser({ displayName })
    const { html } = await browser.get(`${path}/users/${user.id}`)
    expect(heading(html)).toBe(displayName)
    expect(html).not.toContain('class="mark"')
  })

  it('is sent again as it is by a form', async () => {
    const { browser, path } = await newPages()
    const { html } = await browser.get(`${path}/users?q=${encodeURIComponent(`a${OVERRIDE}b`)}`)
    expect(html).toContain(`value="a${OVERRIDE}b"`)
    expect(textOf(html)).toMatch(/a ?U\+202E ?b/)
  })
})

describe('a blank name', () => {
  const BLANK = ['\u200d', '\u200c\u200c', '\u2800', '\u00a0', '\u200b', '\u3164']
  /** Links, headings and choices without anything to see. */
  const unseen = (html: string) =>
    [...html.matchAll(/<(a|h1|h2|option|dd|bdi)\b[^>]*>([^<]*)<\/\1>/g)].filter(([, , text = '']) =>
      BLANK.includes(text),
    )

  it('is replaced by an id on the pages of histories, undos and deleted resources', async () => {
    const { client, browser, path } = await newPages()
    const { id: clientId, token } = await anotherClient(client, '\u200d')
    const second = new Client(client.tenantId, token)
    const user = await client.createUser()
    const pages = [`/history/${user.id}`, '/deleted', '/groups', '/log', '/api-keys']
    for (const displayName of BLANK) {
      const members = [{ value: user.id }]
      const schemas = [GROUP]
      const { body: group } = await second.request('POST', '/Groups', { schemas, displayName, members })
      pages.push(`/history/${group.id}`, `/groups/${group.id}`)
    }
    const { body } = await second.request('POST', '/Groups', { schemas: [GROUP], displayName: ' \u200d' })
    await second.request('DELETE', `/Groups/${body.id}`)
    pages.push(`/deleted/${body.id}/restore`, `/deleted/${body.id}/erase`)
    const form = { client: clientId, from: '2000-01-01T00:00', to: '2100-01-01T00:00' }
    pages.push(`/undo?${new URLSearchParams(form)}`)
    for (const at of pages) {
      const { status, html } = await browser.get(`${path}${at}`)
      expect([at, status, unseen(html)]).toEqual([at, 200, []])
    }
  })

  it('of a tenant is replaced by its id, which also confirms the deletion', async () => {
    for (const name of ['\u200d', '\u2800', `a${OVERRIDE}b`, 'a  b']) {
      const { client, browser, path } = await newPages()
      expect((await admin('PATCH', `/tenants/${client.tenantId}`, { name })).status).toBe(200)
      const settings = await browser.get(`${path}/settings`)
      expect(textOf(settings.html)).toContain(`Type “${client.tenantId}” to confirm`)
      expect(unseen((await browser.get(`/admin/tenants?q=${client.tenantId}`)).html)).toEqual([])
      const wrong = await browser.post(`${path}/delete`, { confirmation: 'Test' })
      expect(textOf(wrong.html)).toContain(`Must be the id of the tenant: ${client.tenantId}`)
      expect((await browser.post(`${path}/delete`, { confirmation: client.tenantId })).status).toBe(303)
    }
  })
})
