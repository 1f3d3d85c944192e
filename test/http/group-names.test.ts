/**
 * Each tenant chooses whether two groups may have the same displayName. Names are unique by default, because clients match
 * groups by displayName. Entra itself allows duplicates.
 */
import { describe, expect, it } from 'vitest'
import { admin, type Client, costOf, GROUP, newClient, ORIGIN, send } from '../support/harness.ts'

const HEADERS = { Authorization: 'Bearer test-admin-token' }
const NAMESAKES = { uniqueGroupNames: false }

const create = (client: Client, displayName: string) =>
  client.request('POST', '/Groups', { schemas: [GROUP], displayName })
const change = (client: Client, body: object) => admin('PATCH', `/tenants/${client.tenantId}`, body)

describe('a tenant with the default setting', () => {
  it('has unique group names, regardless of case, and reports the setting', async () => {
    const client = await newClient()
    expect((await admin('GET', `/tenants/${client.tenantId}`)).body.uniqueGroupNames).toBe(true)
    const answers = [await create(client, 'All Staff'), await create(client, 'ALL STAFF')]
    expect(answers.map(({ status, body }) => [status, body.scimType])).toEqual([
      [201, undefined],
      [409, 'uniqueness'],
    ])
  })

  it('creates one group for concurrent requests with the same name', async () => {
    const client = await newClient()
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(client, 'All Staff')))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)])
  })
})

describe('a tenant that allows duplicate names', () => {
  it('accepts an existing name by POST, PUT and PATCH, concurrently or sequentially', async () => {
    const client = await newClient(NAMESAKES)
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(client, 'All Staff')))
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(201))
    const { id } = await client.createGroup({ displayName: 'Other' })
    const rename = { op: 'replace', path: 'displayName', value: 'all staff' }
    expect((await client.patch(`/Groups/${id}`, rename)).status).toBe(204)
    const body = { schemas: [GROUP], displayName: 'ALL STAFF' }
    expect((await client.request('PUT', `/Groups/${id}`, body)).status).toBe(200)
    expect((await client.filter('/Groups', 'displayName eq "All Staff"')).body.totalResults).toBe(21)
  })

  it('returns all groups of a name by displayName, in pages and with their members', async () => {
    const client = await newClient(NAMESAKES)
    const user = await client.createUser()
    const ids: string[] = []
    for (let i = 0; i < 5; i++) {
      ids.push((await client.createGroup({ displayName: 'All Staff', members: [{ value: user.id }] })).id)
      await client.createGroup({ displayName: `Other ${i}` })
    }
    const found = await client.filter('/Groups', 'displayName eq "all staff"', '&startIndex=2&count=3')
    expect(costOf(found).roundTrips).toBe(1)
    expect(found.body).toMatchObject({ totalResults: 5, itemsPerPage: 3, startIndex: 2 })
    expect(found.body.Resources.map(({ id, members }: Group) => [id, members?.length])).toEqual(
      ids.slice(1, 4).map((id) => [id, 1]),
    )
    for (const filter of ['displayName eq "all staff" and displayName pr', 'displayName sw "all"']) {
      expect((await client.filter('/Groups', filter)).body.totalResults).toBe(5)
    }
  })

  it.for([
    ['ascending', ['Alpha', 'Same', 'same', 'SAME', 'Same', 'Same', 'Zeta']],
    ['descending', ['Zeta', 'Same', 'Same', 'SAME', 'same', 'Same', 'Alpha']],
  ] as const)('lists each once, sorted by displayName and %s', async ([sortOrder, names]) => {
    const client = await newClient(NAMESAKES)
    for (const displayName of ['Zeta', 'Same', 'same', 'SAME', 'Alpha', 'Same', 'Same'])
      await client.createGroup({ displayName })
    const sorted = `/Groups?sortBy=displayName&sortOrder=${sortOrder}&count=2`
    const byCursor: Group[] = []
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const { body } = await client.get(`${sorted}&cursor=${encodeURIComponent(cursor)}`)
      byCursor.push(...body.Resources)
      cursor = body.nextCursor
    }
    expect(byCursor.map(({ displayName }) => displayName)).toEqual(names)
    const byIndex: Group[] = []
    for (let start = 1; start <= 7; start += 2)
      byIndex.push(...(await client.get(`${sorted}&startIndex=${start}`)).body.Resources)
    expect(byIndex).toEqual(byCursor)
  })

  it('can be switched to at any time', async () => {
    const client = await newClient()
    await create(client, 'All Staff')
    expect((await create(client, 'All Staff')).status).toBe(409)
    expect((await change(client, NAMESAKES)).body).toMatchObject({ uniqueGroupNames: false, groupLimit: 200 })
    expect((await create(client, 'All Staff')).status).toBe(201)
    expect((await change(client, { name: 'New' })).body).toMatchObject({
      uniqueGroupNames: false,
      name: 'New',
    })
  })

  it('can be switched back only without duplicates: 409 reports their number and names', async () => {
    const client = await newClient(NAMESAKES)
    const groups: Group[] = []
    for (let i = 0; i < 14; i++) groups.push(await client.createGroup({ displayName: `Crew ${i % 7}` }))
    const refused = await change(client, { uniqueGroupNames: true, name: 'Not kept' })
    expect(refused.status).toBe(409)
    expect(refused.body.error).toMatchObject({ code: 'conflict', field: 'uniqueGroupNames' })
    expect(refused.body.error.message).toBe(
      `7 group names are not unique: ${[0, 1, 2, 3, 4].map((i) => `"Crew ${i}" (2 groups)`).join(', ')} ` +
        'and 2 more; rename or delete groups first',
    )
    const { body } = await admin('GET', `/tenants/${client.tenantId}`)
    expect(body).toMatchObject({ uniqueGroupNames: false, name: 'Test' })
    for (const [i, { id }] of groups.slice(0, 7).entries())
      await client.patch(`/Groups/${id}`, { op: 'replace', path: 'displayName', value: `Renamed ${i}` })
    expect((await change(client, { uniqueGroupNames: true })).body.uniqueGroupNames).toBe(true)
    expect((await change(client, { uniqueGroupNames: true })).status).toBe(200)
    expect((await create(client, 'crew 1')).status).toBe(409)
  })

  it('can be exported, and imported into a tenant that allows duplicates', async () => {
    const client = await newClient(NAMESAKES)
    await create(client, 'All Staff')
    await create(client, 'All Staff')
    const lines = await transfer(client, 'GET', 'export')
    const [unique, other] = [await newClient(), await newClient(NAMESAKES)]
    const refused = await transfer(unique, 'POST', 'import', lines.body)
    expect([refused.status, refused.body.error.message]).toEqual([
      409,
      expect.stringContaining(
        'an earlier line has the same "displayName"; set "uniqueGroupNames" of the tenant to false to allow that',
      ),
    ])
    expect((await transfer(other, 'POST', 'import', lines.body)).body.imported.group).toBe(2)
    expect((await other.filter('/Groups', 'displayName eq "all staff"')).body.totalResults).toBe(2)
  })
})

it('rejects a setting that is neither true nor false', async () => {
  const client = await newClient()
  const answer = await change(client, { uniqueGroupNames: 'no' })
  expect([answer.status, answer.body.error.field]).toEqual([400, 'uniqueGroupNames'])
})

interface Group {
  readonly id: string
  readonly displayName: string
  readonly members?: readonly unknown[]
}

function transfer({ tenantId }: Client, method: 'GET' | 'POST', what: string, body?: string) {
  const url = `${ORIGIN}/admin/api/tenants/${tenantId}/${what}`
  return send(new Request(url, { method, headers: HEADERS, ...(body === undefined ? {} : { body }) }))
}
