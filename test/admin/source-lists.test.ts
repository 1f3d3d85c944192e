/**
 * The lists of what one client has created or written last: which rows they have, what they read, and what the table behind
 * them costs.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { sweepSources } from '../../src/storage/sources/sweep.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { Browser, textOf } from '../support/dashboard.ts'
import { admin, type Client, costOf, newClient, newName } from '../support/harness.ts'
import { clientIdOf, secondSource } from '../support/sources.ts'

/** The rows of a tenant that the columns of its resources demand, and those that are stored. */
async function rowsOf({ tenantId }: Client) {
  const of = (table: string, type: string) =>
    `SELECT created_by AS client, '${type}' AS type, id FROM ${table} WHERE tenant_id = ?1 AND created_by IS NOT NULL
     UNION SELECT modified_by, '${type}', id FROM ${table} WHERE tenant_id = ?1 AND modified_by IS NOT NULL`
  const [wanted, stored] = await env.DB.batch([
    env.DB.prepare(`${of('users', 'User')} UNION ${of('groups', 'Group')} ORDER BY client, type, id`).bind(
      tenantId,
    ),
    env.DB.prepare(
      `SELECT client_id AS client, resource_type AS type, resource_id AS id FROM resource_sources WHERE tenant_id = ?1
       ORDER BY client_id, resource_type, resource_id`,
    ).bind(tenantId),
  ])
  return { wanted: wanted?.results, stored: stored?.results }
}

async function expectSameRows(client: Client, count: number) {
  const { wanted, stored } = await rowsOf(client)
  expect(stored).toEqual(wanted)
  expect(stored).toHaveLength(count)
}

async function newSources() {
  const first = await newClient()
  const second = await secondSource(first, 'AD connector')
  const browser = await new Browser().signIn()
  const path = `/admin/tenants/${first.tenantId}`
  return { first, second, browser, path, ids: [await clientIdOf(first), await clientIdOf(second)] as const }
}

/** A page, which must be cheap. */
async function pageOf(browser: Browser, at: string) {
  const page = await browser.get(at)
  const { roundTrips, rowsRead } = costOf({ status: 200, headers: page.headers, body: undefined })
  expect([at, page.status, roundTrips, rowsRead <= 200 || rowsRead]).toEqual([at, 200, 1, true])
  return page
}

function idsOn(html: string): readonly string[] {
  return [...html.matchAll(/scope="row"[^>]*><a href="[^"]*\/([0-9a-f-]{36})"/g)].map(([, id]) => id ?? '')
}

describe('the list of what a client has written', () => {
  it('has what it created or wrote last, of users and of groups', async () => {
    const { first, second, browser, path, ids } = await newSources()
    const own = await first.createUser({ userName: 'own' })
    const shared = await first.createUser({ userName: 'shared' })
    const other = await second.createUser({ userName: 'other' })
    const group = await second.createGroup({ displayName: 'Staff' })
    await second.patch(`/Users/${shared.id}`, { op: 'replace', path: 'title', value: 'b' })
    const listed = async (list: string, id: string) =>
      idsOn((await pageOf(browser, `${path}/${list}?source=${id}`)).html).toSorted()
    expect(await listed('users', ids[0])).toEqual([own.id, shared.id].toSorted())
    expect(await listed('users', ids[1])).toEqual([shared.id, other.id].toSorted())
    expect(await listed('groups', ids[0])).toEqual([])
    expect(await listed('groups', ids[1])).toEqual([group.id])
    const { html } = await pageOf(browser, `${path}/users?source=${ids[1]}`)
    expect(html).toMatch(new RegExp(`<option value="${ids[1]}" selected="">AD connector</option>`))
    expect(textOf(html)).toContain('1–2 users')
    await admin('DELETE', `/tenants/${first.tenantId}/clients/${ids[1]}`)
    const later = await pageOf(browser, `${path}/users?source=${ids[1]}`)
    expect(later.html).toContain('AD connector (deleted)')
    expect(idsOn(later.html)).toHaveLength(2)
  })

  it('goes on after a page, and is a file', async () => {
    const { first, browser, path, ids } = await newSources()
    const created: string[] = []
    for (let i = 0; i < 55; i++) created.push((await first.createUser()).id)
    const one = await pageOf(browser, `${path}/users?source=${ids[0]}`)
    const next = /href="([^"]+)"[^>]*>Next page »</.exec(one.html)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const two = await pageOf(browser, next)
    expect([...idsOn(one.html), ...idsOn(two.html)]).toEqual(created.toSorted())
    expect(textOf(two.html)).toContain('51–55 users')
    const { html: csv } = await browser.get(`${path}/users.csv?source=${ids[0]}`)
    const lines = csv.trimEnd().split('\r\n').slice(1)
    expect(lines.map((line) => line.split(',').at(-1))).toEqual(created.toSorted())
  })

  it('says what is missing, and claims nothing of a client that it does not know', async () => {
    const { first, browser, path, ids } = await newSources()
    await first.createUser()
    const text = async (query: string) => textOf((await pageOf(browser, `${path}/users?${query}`)).html)
    expect(await text(`source=${ids[1]}`)).toContain('No users were created or last changed by this client.')
    expect(await text('source=nobody')).toContain('This client is not known.')
    const { tenantId } = first
    await env.DB.batch([
      env.DB.prepare('DELETE FROM resource_sources WHERE tenant_id = ?1').bind(tenantId),
      env.DB.prepare('INSERT INTO source_sweeps (tenant_id, unlisted) VALUES (?1, 1)').bind(tenantId),
    ])
    const early = await text(`source=${ids[0]}`)
    expect(early).toContain('The list is being prepared.')
    expect(early).toContain('No users of this client so far.')
    const run = { now: Date.now(), maxStatements: 1_000, tenantId }
    await sweepSources(openDatabase(env.DB, noFigures()), RESOURCE_TYPES, run)
    const late = await text(`source=${ids[0]}`)
    expect(late).not.toContain('being prepared')
    expect(late).toContain('1–1 users')
    await expectSameRows(first, 1)
  })

  it('is prepared by sweeps of a few statements, and not by one that an earlier version has begun', async () => {
    const client = await newClient()
    for (let i = 0; i < 3; i++) await client.createUser()
    const { tenantId } = client
    const position = JSON.stringify({ table: 'groups', after: [] })
    await env.DB.batch([
      env.DB.prepare('DELETE FROM resource_sources WHERE tenant_id = ?1').bind(tenantId),
      env.DB.prepare('INSERT INTO source_sweeps (tenant_id, position, unlisted) VALUES (?1, ?2, 1)').bind(
        tenantId,
        position,
      ),
    ])
    const db = openDatabase(env.DB, noFigures())
    const isMissing = () =>
      env.DB.prepare('SELECT unlisted FROM source_sweeps WHERE tenant_id = ?1')
        .bind(tenantId)
        .first('unlisted')
    const sweep = () => sweepSources(db, RESOURCE_TYPES, { now: Date.now(), maxStatements: 14, tenantId })
    while ((await sweep()).length === 0);
    expect(await isMissing()).toBe(1)
    while ((await sweep()).length === 0);
    expect(await isMissing()).toBe(0)
    await expectSameRows(client, 3)
  })
})

describe('the table of sources', () => {
  it('follows creates, changes, hand-overs and deletions', async () => {
    const { first, second, ids } = await newSources()
    const { tenantId } = first
    const user = await first.createUser()
    const group = await first.createGroup()
    await expectSameRows(first, 2)
    await second.patch(`/Users/${user.id}`, { op: 'replace', path: 'title', value: 'a' })
    await second.patch(`/Groups/${group.id}`, { op: 'add', path: 'members', value: [{ value: user.id }] })
    await expectSameRows(first, 4)
    for (const to of [ids[1], null, ids[0]]) {
      const at = `/tenants/${tenantId}/resources/${user.id}/owner`
      expect((await admin('POST', at, { clientId: to })).status).toBeLessThan(300)
      await expectSameRows(first, to === ids[0] ? 4 : 3)
    }
    await first.patch(`/Users/${user.id}`, { op: 'replace', path: 'title', value: 'b' })
    await expectSameRows(first, 3)
    await second.request('DELETE', `/Users/${user.id}`)
    await second.request('DELETE', `/Groups/${group.id}`)
    await expectSameRows(first, 0)
  })

  it('costs a row of a create, and none of a change by the client that wrote last', async () => {
    const client = await newClient()
    const { id } = await client.createUser({ title: 'a' })
    const written = async (to: string) =>
      costOf(await client.patch(`/Users/${id}`, { op: 'replace', path: 'title', value: to })).rowsWritten
    const create = async () =>
      costOf(await client.request('POST', '/Users', { userName: newName() })).rowsWritten
    await written('b')
    const [change, created] = [await written('c'), await create()]
    const drop = ['inserted', 'updated'].map((name) => env.DB.prepare(`DROP TRIGGER users_sources_${name}`))
    const [before, after] = [change, created]
    const definitions = await env.DB.prepare(
      `SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name IN ('users_sources_inserted', 'users_sources_updated')`,
    ).all<{ sql: string }>()
    await env.DB.batch(drop)
    try {
      expect([await written('d'), await create()]).toEqual([before, after - 1])
    } finally {
      await env.DB.batch(definitions.results.map(({ sql }) => env.DB.prepare(sql)))
    }
  })
})
