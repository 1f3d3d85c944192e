/**
 * What all pages share: the navigation with its keys, and the search of tenants.
 */
import { describe, expect, it } from 'vitest'
import { Browser, textOf } from '../support/dashboard.ts'
import { admin, costOf, newClient } from '../support/harness.ts'

const newId = () => `t-${crypto.randomUUID()}`

describe('the navigation', () => {
  it('has a different key for each page', async () => {
    const { tenantId } = await newClient()
    const { html } = await (await new Browser().signIn()).get(`/admin/tenants/${tenantId}`)
    const keys = [...html.matchAll(/data-key="(.)"/g)].map(([, key]) => key)
    expect(keys.length).toBeGreaterThan(10)
    expect(new Set(keys).size).toBe(keys.length)
  })
})

describe('the search of tenants', () => {
  it('finds the beginning of an id and a part of a name, regardless of case', async () => {
    const [id, mark] = [newId(), crypto.randomUUID().slice(0, 8)]
    await admin('POST', '/tenants', { id, name: `Ölmühle ${mark} Straße` })
    const browser = await new Browser().signIn()
    for (const q of [
      id,
      id.slice(0, 30).toUpperCase(),
      `ölmühle ${mark}`,
      `ÖLMÜHLE ${mark}`,
      `${mark} Str`,
    ]) {
      const page = await browser.get(`/admin/tenants?q=${encodeURIComponent(q)}`)
      expect([q, page.html.includes(`href="/admin/tenants/${id}"`)]).toEqual([q, true])
      expect(costOf({ status: page.status, headers: page.headers, body: undefined }).roundTrips).toBe(1)
    }
    const none = await browser.get(`/admin/tenants?q=${encodeURIComponent(`%_'"<b>${mark}`)}`)
    expect(textOf(none.html)).toContain(`No tenant matches “%_'"<b>${mark}”.`)
  })

  it('opens the only match, and an id that other ids begin with; lists several', async () => {
    const id = newId()
    await admin('POST', '/tenants', { id, name: 'One' })
    await admin('POST', '/tenants', { id: `${id}a`, name: 'Two' })
    const browser = await new Browser().signIn()
    const open = (q: string) => browser.get(`/admin/tenants?q=${q}&open=first`)
    expect((await open(id)).location).toBe(`/admin/tenants/${id}`)
    expect((await open(`${id}a`)).location).toBe(`/admin/tenants/${id}a`)
    const several = await open(id.slice(0, -1))
    expect([several.status, textOf(several.html)]).toEqual([200, expect.stringContaining('Tenants found')])
  })
})
