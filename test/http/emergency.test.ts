/**
 * An administrator disables one user at once: a logged write with its event, which the identity provider does not know of and
 * may undo.
 */
import { describe, expect, it } from 'vitest'
import { Browser, textOf } from '../support/dashboard.ts'
import { eventsOf } from '../support/feed.ts'
import { admin, type Client, newClient, USER } from '../support/harness.ts'

async function newUser() {
  const client = await newClient()
  const user = await client.createUser({ userName: `${crypto.randomUUID()}@quillfern.example` })
  const browser = await new Browser().signIn()
  const page = `/admin/tenants/${client.tenantId}/users/${user.id}`
  const api = (action: string, body?: unknown) =>
    admin('POST', `/tenants/${client.tenantId}/users/${user.id}/${action}`, body)
  const isActive = async () => (await client.get(`/Users/${user.id}`)).body.active
  const note = async () => textOf((await browser.get(page)).html)
  return { client, user, browser, page, api, isActive, note }
}

const setActive = (client: Client, id: string, value: unknown) =>
  client.patch(`/Users/${id}`, { op: 'Replace', path: 'active', value })

describe('disabling a user at once', () => {
  it('is a write of the administrator, in the log, in the events and as the source of the user', async () => {
    const { client, user, browser, page, isActive, note } = await newUser()
    expect(await note()).toContain('Disable now')
    const question = textOf((await browser.get(`${page}/disable`)).html)
    expect(question).toContain('may enable the user again')
    const sent = await browser.post(`${page}/disable`, { reason: 'Laptop stolen' })
    expect([sent.status, sent.location]).toEqual([303, page])
    expect(await isActive()).toBe(false)
    const [entry] = await client.log()
    expect(entry).toMatchObject({
      ...{ action: 'disable', outcome: 'accepted', clientName: 'Administrator' },
      detail: 'disabled by an administrator: Laptop stolen',
      changes: [{ attribute: 'active', old: true, new: false }],
    })
    const events = await eventsOf(client)
    expect(events.at(-1)).toMatchObject({
      type: 'user.deactivated',
      source: { clientName: 'Administrator' },
      data: { id: user.id },
    })
    const shown = await note()
    expect(shown).toContain('Unless it has disabled the user since, it may enable the user again')
    expect(shown).toMatch(/UTC : disabled by an administrator: Laptop stolen/)
    expect(shown).toMatch(/Last changed .* by Administrator/)
    expect((await client.request('PATCH', `/Users/${user.id}`, undefined)).status).toBe(400)
  })

  it('stays with the user while the provider changes other attributes', async () => {
    const { client, user, api, note, isActive } = await newUser()
    expect((await api('disable', {})).body).toEqual({ id: user.id, userName: user.userName, active: false })
    await client.patch(`/Users/${user.id}`, { op: 'Replace', path: 'title', value: 'Chief' })
    expect(await isActive()).toBe(false)
    expect(await note()).toContain('Unless it has disabled the user since, it may enable the user again')
  })

  it.for(['PATCH', 'PUT', 'Bulk'])('is told in the log when the provider undoes it by %s', async (how) => {
    const { client, user, api, note, isActive } = await newUser()
    await api('disable', { reason: 'Left' })
    const path = `/Users/${user.id}`
    const body = { schemas: [USER], userName: user.userName, active: true }
    if (how === 'PATCH') await setActive(client, user.id, 'True')
    if (how === 'PUT') await client.request('PUT', path, body)
    if (how === 'Bulk') {
      const schemas = ['urn:ietf:params:scim:api:messages:2.0:BulkRequest']
      await client.request('POST', '/Bulk', { schemas, Operations: [{ method: 'PUT', path, data: body }] })
    }
    expect(await isActive()).toBe(true)
    const [entry] = await client.log()
    expect(entry).toMatchObject({ action: 'enable', clientName: 'Test' })
    expect(entry?.detail).toMatch(
      /^undoes what an administrator did: disabled by an administrator: Left \(\d{4}-\d\d-\d\d \d\d:\d\d UTC\)$/,
    )
    expect(await note()).not.toContain('Unless it has disabled')
    // It is told once.
    await setActive(client, user.id, false)
    await setActive(client, user.id, true)
    expect((await client.log())[0]).toMatchObject({ action: 'enable', detail: null })
  })

  it('ends when the administrator enables the user again', async () => {
    const { client, user, browser, page, isActive, note, api } = await newUser()
    await api('disable', {})
    const sent = await browser.post(`${page}/enable`, {})
    expect([sent.status, await isActive()]).toEqual([303, true])
    expect((await client.log())[0]).toMatchObject({ action: 'enable', detail: 'enabled by an administrator' })
    expect(await note()).not.toContain('Unless it has disabled')
    await setActive(client, user.id, false)
    // The provider has disabled the user itself: there is nothing to tell.
    expect(await note()).not.toContain('Unless it has disabled')
  })

  it('writes nothing if the user is disabled already, and works twice at the same time', async () => {
    const { client, api, isActive, user } = await newUser()
    const answers = await Promise.all([api('disable', {}), api('disable', {}), api('disable', {})])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(await isActive()).toBe(false)
    const entries = (await client.log()).filter(({ action }) => action === 'disable')
    expect(entries).toHaveLength(1)
    await setActive(client, user.id, true)
    await setActive(client, user.id, false)
    expect((await api('disable', {})).body.active).toBe(false)
    expect((await client.log()).filter(({ action }) => action === 'disable')).toHaveLength(2)
  })

  it('works while the guard holds the writes of the client, and of a user that another client owns', async () => {
    const { client, user, api, isActive } = await newUser()
    const guard = { share: 0.01, count: 1, windowMinutes: 60 }
    await admin('PATCH', `/tenants/${client.tenantId}`, { deprovisionGuard: guard, sourceMode: 'owner' })
    const others = await Promise.all(Array.from({ length: 3 }, () => client.createUser()))
    const statuses = []
    for (const { id } of others) statuses.push((await setActive(client, id, false)).status)
    expect(statuses).toContain(429)
    expect((await setActive(client, user.id, false)).status).toBe(429)
    expect((await api('disable', { reason: 'now' })).status).toBe(200)
    expect(await isActive()).toBe(false)
  })

  it('is refused for unknown users, users of other tenants, groups and bad reasons', async () => {
    const { client, browser, api, user } = await newUser()
    const other = await newUser()
    const at = (id: string) => `/admin/tenants/${client.tenantId}/users/${id}`
    for (const id of [other.user.id, crypto.randomUUID(), 'x']) {
      expect((await browser.get(`${at(id)}/disable`)).status).toBe(404)
      expect((await browser.post(`${at(id)}/disable`, {})).status).toBe(404)
      expect((await browser.post(`${at(id)}/enable`, {})).status).toBe(404)
      expect((await admin('POST', `/tenants/${client.tenantId}/users/${id}/disable`, {})).status).toBe(404)
    }
    const groups = `/admin/tenants/${client.tenantId}/groups/${user.id}/disable`
    expect((await browser.get(groups)).status).toBe(404)
    for (const reason of ['', 'x'.repeat(201), 'a\nb', 7])
      expect((await api('disable', { reason })).status).toBe(400)
    const long = await browser.post(`${at(user.id)}/disable`, { reason: 'x'.repeat(201) })
    expect([long.status, long.html.includes('reason-error')]).toEqual([400, true])
    const foreign = await browser.post(`${at(user.id)}/disable`, {}, { Origin: 'https://x.example' })
    expect(foreign.status).toBe(403)
    expect(await other.isActive()).toBe(true)
    expect((await client.get(`/Users/${user.id}`)).body.active).toBe(true)
    const hostile = '<script>alert(1)</script>\u202e'
    await api('disable', { reason: hostile })
    const html = (await browser.get(at(user.id))).html
    expect(html).not.toContain('<script>alert')
    expect(html).toContain('U+202E')
  })
})
