/** Conflicts between sources in the admin API, and the sweep that finds and resolves them. */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { sweepSources } from '../../src/storage/sources/sweep.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { addCrowd } from '../support/crowd.ts'
import { Browser, textOf } from '../support/dashboard.ts'
import { admin, type Client, newClient } from '../support/harness.ts'
import { clientIdOf, secondSource } from '../support/sources.ts'

const conflictsOf = async ({ tenantId }: Client, query = '') =>
  (await admin('GET', `/tenants/${tenantId}/conflicts${query}`)).body.conflicts

/** @param maxStatements so few that the sweep takes several runs */
async function sweep({ tenantId }: Client, maxStatements = 1_000): Promise<number> {
  const run = { now: Date.now(), maxStatements, tenantId }
  for (let runs = 1; runs <= 100; runs++) {
    const db = openDatabase(env.DB, noFigures())
    if ((await sweepSources(db, RESOURCE_TYPES, run)).length > 0) return runs
  }
  throw new Error(`runs with ${maxStatements} statements each do not end`)
}

const countsOf = async ({ tenantId }: Client) => {
  const row = await env.DB.prepare('SELECT counts FROM source_sweeps WHERE tenant_id = ?')
    .bind(tenantId)
    .first<{ counts: string }>()
  return JSON.parse(row?.counts ?? '{}')
}

const emails = (value: string) => [{ value, primary: true }]

describe('the list of conflicts', () => {
  it('has both sides with their names, clients and requests', async () => {
    const first = await newClient()
    const second = await secondSource(first, 'AD connector')
    const user = await first.createUser({ userName: 'mirela', externalId: 'a' })
    const double = await second.createUser({ userName: 'osterholt', externalId: 'a' })
    const [conflict] = await conflictsOf(first)
    expect(conflict).toMatchObject({
      kind: 'externalId',
      value: 'a',
      state: 'open',
      seen: 1,
      first: { resourceId: user.id, resourceName: 'mirela', clientName: 'Test' },
      other: { resourceId: double.id, resourceName: 'osterholt', clientName: 'AD connector' },
    })
    const [latest, earliest] = await first.log()
    expect([conflict.first.requestId, conflict.other.requestId]).toEqual([
      earliest?.requestId,
      latest?.requestId,
    ])
  })

  it('resolves a conflict when one of its resources has another value or is deleted', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    await first.createUser({ externalId: 'a' })
    await first.createUser({ externalId: 'b' })
    const [a, b] = [
      await second.createUser({ externalId: 'a' }),
      await second.createUser({ externalId: 'b' }),
    ]
    expect(await conflictsOf(first)).toHaveLength(2)
    await second.patch(`/Users/${a.id}`, { op: 'replace', path: 'externalId', value: 'c' })
    await second.request('DELETE', `/Users/${b.id}`)
    expect(await conflictsOf(first)).toEqual([])
    expect(await conflictsOf(first, '?state=resolved')).toHaveLength(2)
    await second.patch(`/Users/${a.id}`, { op: 'replace', path: 'externalId', value: 'a' })
    expect(await conflictsOf(first)).toMatchObject([{ value: 'a', seen: 2, closedAt: null }])
  })

  it('resolves a refused create when its client cannot write any more', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    const { userName } = await first.createUser()
    await second.request('POST', '/Users', { userName })
    expect(await conflictsOf(first)).toHaveLength(1)
    await admin('DELETE', `/tenants/${first.tenantId}/clients/${await clientIdOf(second)}`)
    expect(await conflictsOf(first)).toEqual([])
  })

  it('keeps a dismissed conflict dismissed', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    const { userName } = await first.createUser({ userName: 'größe@quillfern.example' })
    const create = () => second.request('POST', '/Users', { userName })
    await create()
    const [{ id }] = await conflictsOf(first)
    const path = `/tenants/${first.tenantId}/conflicts/${id}/dismiss`
    expect((await admin('POST', path)).status).toBe(204)
    await create()
    expect(await conflictsOf(first)).toEqual([])
    expect(await conflictsOf(first, '?state=dismissed')).toMatchObject([{ seen: 2 }])
    expect((await admin('POST', path)).status).toBe(404)
    expect((await admin('POST', `/tenants/${first.tenantId}/conflicts/x/dismiss`)).status).toBe(404)
  })
})

describe('the sweep', () => {
  it('finds users of two sources with one primary e-mail address, and forgets it when one changes', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    const user = await first.createUser({ emails: emails('Mirela@quillfern.example') })
    await first.createUser({ emails: emails('MIRELA@quillfern.example') })
    const double = await second.createUser({
      emails: [{ value: 'other@quillfern.example' }, ...emails('mirela@quillfern.example')],
    })
    await sweep(first)
    expect(await conflictsOf(first)).toMatchObject([
      { kind: 'email', value: 'mirela@quillfern.example', other: { resourceId: double.id } },
    ])
    await second.request('PUT', `/Users/${double.id}`, {
      userName: 'x',
      emails: emails('x@quillfern.example'),
    })
    await sweep(first)
    expect(await conflictsOf(first)).toEqual([])
    expect((await first.get(`/Users/${user.id}`)).status).toBe(200)
  })

  it('counts what each client has, in one run or in several', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    const users = [await first.createUser(), await first.createUser(), await second.createUser()]
    const members = users.map(({ id }) => ({ value: id }))
    const group = await first.createGroup({ members: members.slice(0, 1) })
    await second.patch(`/Groups/${group.id}`, { op: 'add', path: 'members', value: members })
    const [one, other] = [await clientIdOf(first), await clientIdOf(second)]
    expect(await sweep(first)).toBe(1)
    const counts = await countsOf(first)
    expect(counts).toMatchObject({
      [one]: { created: { User: 2, Group: 1 }, memberships: 1 },
      [other]: { created: { User: 1 }, memberships: 2 },
    })
    expect(await sweep(first, 14)).toBeGreaterThan(1)
    expect(await countsOf(first)).toEqual(counts)
  })
})

describe('the page of sources', () => {
  it('shows no number before the first count', async () => {
    const first = await newClient()
    await first.createUser()
    const browser = await new Browser().signIn()
    const path = `/admin/tenants/${first.tenantId}/sources`
    const cells = async () =>
      (await browser.get(path)).html
        .match(/<td class="number".*?<\/td>/gs)
        ?.map((cell) => textOf(cell).trim())
    expect(await cells()).toEqual(['—', '—', '—'])
    await browser.post(`${path}/count`, {})
    expect(await cells()).toEqual(['1', '0', '0'])
  })

  it('names the member that two sources add and remove in turn', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    const user = await first.createUser({ userName: 'mirela' })
    const group = await first.createGroup({ displayName: 'Rangers', members: [{ value: user.id }] })
    await second.patch(`/Groups/${group.id}`, { op: 'remove', path: `members[value eq "${user.id}"]` })
    await first.patch(`/Groups/${group.id}`, { op: 'add', path: 'members', value: [{ value: user.id }] })
    const browser = await new Browser().signIn()
    const page = await browser.get(`/admin/tenants/${first.tenantId}/sources`)
    expect(textOf(page.html)).toContain('The member mirela of Rangers is added and removed in turn')
  })

  it('goes on with a hand-over that was too large for one request', async () => {
    const first = await newClient()
    const second = await secondSource(first)
    const [from, to] = [await clientIdOf(first), await clientIdOf(second)]
    const count = 20_500
    await addCrowd(first.tenantId, count)
    const own = async (client: string) =>
      await env.DB.prepare('SELECT count(*) AS n FROM users WHERE tenant_id = ? AND created_by = ?')
        .bind(first.tenantId, client)
        .first('n')
    await env.DB.prepare('UPDATE users SET created_by = ?2 WHERE tenant_id = ?1')
      .bind(first.tenantId, from)
      .run()
    const browser = await new Browser().signIn()
    const path = `/admin/tenants/${first.tenantId}/sources`
    const part = await browser.post(`${path}/hand-over`, { from, to })
    expect([part.status, await own(to)]).toEqual([303, 20_000])
    const next = part.location ?? ''
    const page = await browser.get(next.replace(/#.*/, ''))
    const after = /name="after" value="([^"]+)"/.exec(page.html)?.[1] ?? ''
    const end = await browser.post(`${path}/hand-over`, { from, to, after })
    expect([end.location, await own(to)]).toEqual([`${path}?done=handed`, count])
  })
})

describe('the page of a group', () => {
  it('tells which client has added each member', async () => {
    const first = await newClient()
    const second = await secondSource(first, 'AD connector')
    const users = [await first.createUser(), await first.createUser()]
    const group = await first.createGroup({ members: [{ value: users[0].id }] })
    await second.patch(`/Groups/${group.id}`, { op: 'add', path: 'members', value: [{ value: users[1].id }] })
    const browser = await new Browser().signIn()
    const { html } = await browser.get(`/admin/tenants/${first.tenantId}/groups/${group.id}`)
    expect(textOf(html)).toMatch(/added by Test.*added by AD connector/s)
  })
})
