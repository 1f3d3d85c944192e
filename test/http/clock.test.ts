/**
 * A clock that changes while the server runs: the order by time is preserved, and expired sessions stay expired.
 */
import { env } from 'cloudflare:workers'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { pruneProvisioningLog } from '../../src/provider/retention.ts'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { DAY_MS, HOUR_MS, releaseClock, resumeIds, setClock } from '../support/clock.ts'
import { Browser, textOf } from '../support/dashboard.ts'
import { newClient } from '../support/harness.ts'

afterEach(releaseClock)
afterAll(resumeIds)

describe('a clock that is set back', () => {
  it('does not create ids that sort before earlier ones', async () => {
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

  it('does not decrease lastModified', async () => {
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

  it('ends sessions that started while it was ahead', async () => {
    const now = Date.now()
    setClock(now + 40 * DAY_MS)
    const browser = await new Browser().signIn()
    const admit = async () => (await browser.get('/admin/tenants')).status
    expect(await admit()).toBe(200)
    setClock(now)
    expect(await admit()).toBe(303)
  })

  it('by a few seconds does not end sessions', async () => {
    const now = Date.now()
    setClock(now)
    const browser = await new Browser().signIn()
    setClock(now - 5_000)
    expect((await browser.get('/admin/tenants')).status).toBe(200)
  })
})

describe('a clock that was ahead', () => {
  it('does not reopen ended sessions', async () => {
    const now = Date.now()
    setClock(now)
    // Tests in other files change the clock of the same database.
    await env.DB.prepare('UPDATE retention_clock SET time = ?').bind(now).run()
    const [first, second] = [await new Browser().signIn(), new Browser()]
    const copy = first.cookie
    await first.post('/admin/sign-out', {})
    setClock(now + 40 * DAY_MS)
    await (await second.signIn()).post('/admin/sign-out', {})
    await pruneProvisioningLog(openDatabase(env.DB, noFigures()), {
      now: now + 40 * DAY_MS,
      retentionDays: 30,
    })
    setClock(now + HOUR_MS)
    first.cookie = copy
    expect((await first.get('/admin/tenants')).status).toBe(303)
  })

  it('does not change the activity chart', async () => {
    const client = await newClient()
    const now = Date.now()
    setClock(now - 5 * DAY_MS)
    for (let i = 0; i < 3; i++) await client.createUser()
    setClock(now - 3 * DAY_MS)
    for (let i = 0; i < 4; i++) await client.createUser()
    setClock(now + 40 * DAY_MS)
    await client.createUser()
    setClock(now)
    const browser = await new Browser().signIn()
    const page = await browser.get(`/admin/tenants/${client.tenantId}`)
    expect(textOf(page.html)).toContain('Last 30 days 7 writes')
  })
})
