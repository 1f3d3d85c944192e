/** The pages Deleted and Undo, and the histories of users and groups, without JavaScript. */
import { describe, expect, it, vi } from 'vitest'
import { Browser, textOf } from '../support/dashboard.ts'
import { Client, costOf, newClient } from '../support/harness.ts'
import { anotherClient } from '../support/undo.ts'

const replace = (client: Client, path: string, attribute: string, value: unknown) =>
  client.patch(path, { op: 'replace', path: attribute, value })

describe('the page Deleted', () => {
  it('restores and erases, and says why a restore is refused', async () => {
    const client = await newClient()
    const [a, b] = [
      await client.createUser({ userName: 'mirela' }),
      await client.createUser({ userName: 'oskar' }),
    ]
    for (const { id } of [a, b]) await client.request('DELETE', `/Users/${id}`)
    const path = `/admin/tenants/${client.tenantId}/deleted`
    const browser = await new Browser().signIn()
    expect(textOf((await browser.get(path)).html)).toMatch(/oskar.*mirela/)
    const free = await browser.get(`${path}/${a.id}/restore`)
    expect(textOf(free.html)).toContain('The user with its id. It had no memberships.')
    expect(textOf(free.html)).toContain('userName mirela')
    expect(costOf({ status: 200, headers: free.headers, body: undefined }).roundTrips).toBe(2)
    const other = await client.createUser({ userName: 'Mirela' })
    const taken = (await browser.get(`${path}/${a.id}/restore`)).html
    expect(taken).toContain(`/users/${other.id}">another user</a> has its name`)
    expect(taken).toMatch(/<button[^>]*disabled[^>]*>\s*Restore/)
    expect((await browser.get(`${path}/${other.id}/restore`)).status).toBe(404)
    const refused = await browser.post(`${path}/${a.id}/restore`, {})
    expect([refused.status, textOf(refused.html).includes(other.id)]).toEqual([409, true])
    const restored = await browser.post(`${path}/${b.id}/restore`, {})
    expect(restored.location).toBe(`${path}?done=restored`)
    expect((await client.get(`/Users/${b.id}`)).status).toBe(200)
    expect(textOf((await browser.get(`${path}/${a.id}/erase`)).html)).toContain('Erase “mirela”?')
    expect((await browser.post(`${path}/${a.id}/erase`, {})).location).toBe(`${path}?done=erased`)
    expect(textOf((await browser.get(path)).html)).toContain('Nothing has been deleted.')
    expect((await browser.get(`${path}/${a.id}/erase`)).status).toBe(404)
  })
})

describe('the page of a history', () => {
  it('is linked from the page of a user, and shows changes and the user as it was', async () => {
    const client = await newClient()
    const { id } = await client.createUser({ userName: 'mirela', title: 'Ranger' })
    const then = new Date(Date.now() + 1_000).toISOString().slice(0, 19)
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(Date.parse(`${then}Z`)), { timeout: 3_000 })
    await replace(client, `/Users/${id}`, 'title', 'Warden <b>')
    const browser = await new Browser().signIn()
    const path = `/admin/tenants/${client.tenantId}/history/${id}`
    expect((await browser.get(`/admin/tenants/${client.tenantId}/users/${id}`)).html).toContain(
      `href="${path}"`,
    )
    const page = await browser.get(path)
    expect(textOf(page.html)).toContain('“Ranger” → “Warden')
    expect(page.html).not.toContain('Warden <b>')
    expect(textOf((await browser.get(`${path}?at=${then}`)).html)).toContain('Ranger')
    expect((await browser.get(`${path}?at=never`)).status).toBe(400)
    expect((await browser.get(`/admin/tenants/${client.tenantId}/history/nobody`)).status).toBe(404)
  })
})

describe('the page Undo', () => {
  it('previews, undoes and shows what is left', async () => {
    const first = await newClient()
    const { token, id: client } = await anotherClient(first, 'Old connector')
    const second = new Client(first.tenantId, token)
    const [a, b] = [
      await first.createUser({ userName: 'mirela' }),
      await first.createUser({ userName: 'oskar' }),
    ]
    await replace(second, `/Users/${a.id}`, 'active', false)
    await replace(second, `/Users/${b.id}`, 'title', 'Warden')
    await replace(first, `/Users/${b.id}`, 'title', 'Keeper')
    const browser = await new Browser().signIn()
    const path = `/admin/tenants/${first.tenantId}/undo`
    const empty = await browser.get(path)
    expect(textOf(empty.html)).toContain('Old connector')
    // The form proposes the last day.
    const [from = '', to = ''] = [...empty.html.matchAll(/type="datetime-local"[^>]* value="([^"]+)"/g)].map(
      ([, at]) => at,
    )
    expect(Date.parse(`${to}Z`) - Date.parse(`${from}Z`)).toBe(24 * 60 * 60 * 1000)
    const form = { client, from: '2000-01-01T00:00', to: '2100-01-01T00:00' }
    const preview = await browser.get(`${path}?${new URLSearchParams(form)}`)
    expect(textOf(preview.html)).toContain('Changes of Old connector: 1 changed, 1 disabled.')
    expect(textOf(preview.html)).toMatch(/mirela.*active: true/)
    const wrong = await browser.get(`${path}?${new URLSearchParams({ ...form, to: '1999-01-01T00:00' })}`)
    expect(wrong.status).toBe(400)
    const { location } = await browser.post(path, form)
    const result = async () => textOf((await browser.get(location ?? '')).html)
    await vi.waitFor(async () => expect(await result()).toContain('The undo is complete.'), {
      timeout: 20_000,
    })
    expect(await result()).toMatch(/oskar.*title \(changed by others since\)/)
    expect((await first.get(`/Users/${a.id}`)).body.active).toBe(true)
    expect((await browser.post(`${path}/cancel`, {})).status).toBe(404)
  })
})
