/**
 * A clock that is moved while the server runs: what is ordered by time stays in its order, and nothing opens again.
 */
import { afterEach, describe, expect, it } from 'vitest'
import { DAY_MS, releaseClock, setClock } from '../support/clock.ts'
import { Browser } from '../support/dashboard.ts'
import { newClient } from '../support/harness.ts'

afterEach(releaseClock)

describe('a clock that is set back', () => {
  it('makes no id that is less than those before', async () => {
    const client = await newClient()
    const now = Date.now()
    setClock(now + 40 * DAY_MS)
    const earlier = await client.createUser()
    const earlierGroup = await client.createGroup()
    setClock(now)
    const later = await client.createUser()
    const laterGroup = await client.createGroup()
    expect(later.id > earlier.id).toBe(true)
    expect(laterGroup.id > earlierGroup.id).toBe(true)
    const idsOf = async (type: string) =>
      (await client.log(`?resourceType=${type}`)).map(({ resourceId }) => resourceId)
    expect(await idsOf('User')).toEqual([later.id, earlier.id])
    expect(await idsOf('Group')).toEqual([laterGroup.id, earlierGroup.id])
  })

  it('takes no lastModified back', async () => {
    const client = await newClient()
    const now = Date.now()
    setClock(now)
    const user = await client.createUser()
    const group = await client.createGroup({ members: [{ value: user.id }] })
    const { lastModified } = user.meta
    setClock(now - DAY_MS)
    const patched = await client.patch(`/Users/${user.id}`, { op: 'replace', path: 'title', value: 'x' })
    expect(patched.body.meta).toMatchObject({ lastModified, version: 'W/"2"' })
    expect((await client.get(`/Users/${user.id}`)).body.meta).toEqual(patched.body.meta)
    await client.patch(`/Groups/${group.id}`, {
      op: 'replace',
      path: 'displayName',
      value: crypto.randomUUID(),
    })
    const lastModifiedOfGroup = async () => (await client.get(`/Groups/${group.id}`)).body.meta
    expect(await lastModifiedOfGroup()).toMatchObject({
      lastModified: group.meta.lastModified,
      version: 'W/"2"',
    })
    await client.request('DELETE', `/Users/${user.id}`)
    expect(await lastModifiedOfGroup()).toMatchObject({
      lastModified: group.meta.lastModified,
      version: 'W/"3"',
    })
    setClock(now + DAY_MS)
    const again = await client.patch(`/Groups/${group.id}?attributes=meta`, {
      op: 'add',
      path: 'externalId',
      value: 'e',
    })
    expect(again.body.meta.lastModified > group.meta.lastModified).toBe(true)
  })

  it('ends sessions that were begun while it was ahead', async () => {
    const now = Date.now()
    setClock(now + 40 * DAY_MS)
    const browser = await new Browser().signIn()
    const admit = async () => (await browser.get('/admin/tenants')).status
    expect(await admit()).toBe(200)
    setClock(now)
    expect(await admit()).toBe(303)
  })

  it('by a few seconds ends no session', async () => {
    const now = Date.now()
    setClock(now)
    const browser = await new Browser().signIn()
    setClock(now - 5_000)
    expect((await browser.get('/admin/tenants')).status).toBe(200)
  })
})
