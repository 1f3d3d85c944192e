/**
 * The order and the conditions of the lists of users and groups: which rows a page has, how it pages, and what it reads.
 */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { addToGroup } from '../support/crowd.ts'
import { Browser, type Page, textOf } from '../support/dashboard.ts'
import { admin, Client, costOf, newClient, newToken, USER } from '../support/harness.ts'

const COUNT = 230

/** Users whose names, display names and times are in different orders. Every third is inactive, the first eight have no state. */
async function newList() {
  const client = await newClient()
  const user = `json_object('userName', printf('u%03d', (value * 7) % ${COUNT}), 'displayName', iif(value % 10 = 9, NULL, printf('d%03d', (value * 11) % 50)),
    'active', CASE WHEN value < 8 THEN NULL WHEN value % 3 = 0 THEN json('false') ELSE json('true') END)`
  const sound = `json_patch('{}', ${user})`
  await env.DB.prepare(
    `INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
     SELECT ?1, printf('00000000-03e8-7000-8000-%012d', value), ${sound}, ${sound}, 1, 1000, 5000 + (value * 13) % ${COUNT} / 2 FROM json_each(?2)`,
  )
    .bind(client.tenantId, JSON.stringify(Array.from({ length: COUNT }, (_, i) => i)))
    .run()
  const browser = await new Browser().signIn()
  return { client, browser, path: `/admin/tenants/${client.tenantId}` }
}

interface Stored {
  readonly id: string
  readonly userName: string
  readonly displayName?: string
  readonly active?: boolean
  readonly modified: number
}

let scene: Awaited<ReturnType<typeof newList>>
let users: readonly Stored[]
beforeAll(async () => {
  scene = await newList()
  const { results } = await env.DB.prepare(
    'SELECT id, data, last_modified AS modified FROM users WHERE tenant_id = ?1 ORDER BY id',
  )
    .bind(scene.client.tenantId)
    .all<{ id: string; data: string; modified: number }>()
  users = results.map(({ id, data, modified }) => ({ id, modified, ...JSON.parse(data) }))
})

function idsOn(html: string): readonly string[] {
  return [...html.matchAll(/scope="row"[^>]*><a href="[^"]*\/([0-9a-f-]{36})"/g)].map(([, id]) => id ?? '')
}

function linkTo(html: string, label: string): string | undefined {
  return new RegExp(`href="([^"]+)"[^>]*>${label}<`).exec(html)?.[1]?.replaceAll('&amp;', '&')
}

async function cheap(at: string): Promise<Page> {
  const page = await scene.browser.get(at)
  const { roundTrips, rowsRead } = costOf({ status: 200, headers: page.headers, body: undefined })
  expect([at, page.status, roundTrips, rowsRead <= 200 || rowsRead]).toEqual([at, 200, 1, true])
  return page
}

/** The ids of all pages, forwards. On the way back, each page is the same. */
async function allPages(query: string): Promise<readonly string[]> {
  const pages: (readonly string[])[] = []
  let at: string | undefined = `${scene.path}/users${query}`
  let last = ''
  while (at !== undefined) {
    const { html } = await cheap(at)
    pages.push(idsOn(html))
    last = html
    at = linkTo(html, 'Next page »') ?? linkTo(html, 'Look at those after them')
  }
  return await checkedBack(pages, linkTo(last, '‹ Previous page'))
}

async function checkedBack(pages: readonly (readonly string[])[], from: string | undefined) {
  const back: string[] = []
  for (let at = from; at !== undefined; ) {
    const { html } = await cheap(at)
    back.unshift(...idsOn(html))
    at = linkTo(html, '‹ Previous page')
  }
  const before = pages.slice(0, -1).flat()
  expect(back).toEqual(before)
  return pages.flat()
}

const by = (key: (user: Stored) => string | number, isDescending = false) =>
  [...users]
    .sort((a, b) => {
      const [x, y] = [key(a), key(b)]
      const order = x === y ? (a.id < b.id ? -1 : 1) : x < y ? -1 : 1
      return isDescending ? -order : order
    })
    .map(({ id }) => id)

describe('the list of users', () => {
  it.for<[query: string, expected: () => readonly string[]]>([
    ['', () => by(({ userName }) => userName)],
    ['?reverse=1', () => by(({ userName }) => userName, true)],
    ['?sort=created', () => by(({ id }) => id, true)],
    ['?sort=created&reverse=1', () => by(({ id }) => id)],
    ['?sort=modified', () => by(({ modified }) => modified, true)],
    ['?sort=modified&reverse=1', () => by(({ modified }) => modified)],
    [
      '?show=active',
      () => by(({ userName }) => userName).filter((id) => users.find((user) => user.id === id)?.active),
    ],
    [
      '?show=active&sort=modified',
      () => by(({ modified }) => modified, true).filter((id) => users.find((user) => user.id === id)?.active),
    ],
    ['?show=inactive', () => users.filter(({ active }) => active === false).map(({ id }) => id)],
    ['?sort=nonsense&show=nonsense&reverse=2&group=1', () => by(({ userName }) => userName)],
  ])('has all users in order with %s, forwards and back', async ([query, expected]) => {
    expect(await allPages(query)).toEqual(expected())
  })

  it.for(['', '&reverse=1'])(
    'is in the order of display names, without those that have none%s',
    async (reverse) => {
      const ids = await allPages(`?sort=displayName${reverse}`)
      const shown = ids.map((id) => users.find((user) => user.id === id)?.displayName ?? '')
      const named = users.flatMap(({ displayName }) => displayName ?? [])
      expect(shown).toEqual(reverse === '' ? [...named].sort() : [...named].sort().reverse())
      expect(new Set(ids).size).toBe(named.length)
      const { html } = await cheap(`${scene.path}/users?sort=displayName${reverse}`)
      expect(textOf(html)).toContain('Those without a display name are not in this order')
    },
  )

  it('says how many there are, where that is known', async () => {
    const active = users.filter((user) => user.active).length
    for (const [query, text] of [
      ['', `1–50 of ${COUNT} users`],
      ['?show=active', `1–47 of ${active} users`],
      ['?show=inactive', '1–50 users'],
      ['?sort=displayName', '1–50 users'],
    ]) {
      expect([query, textOf((await cheap(`${scene.path}/users${query}`)).html)]).toEqual([
        query,
        expect.stringContaining(text ?? ''),
      ])
    }
  })

  it('keeps its order and its condition in the file', async () => {
    for (const [query, expected] of [
      ['?show=inactive', users.filter(({ active }) => active === false).map(({ id }) => id)],
      ['?sort=created', by(({ id }) => id, true)],
      [
        '?show=active&sort=modified',
        by(({ modified }) => modified, true).filter((id) => users.find((user) => user.id === id)?.active),
      ],
      ['?q=u00&in=userName', by(({ userName }) => userName).slice(0, 10)],
    ] as const) {
      const page = await cheap(`${scene.path}/users${query}`)
      const file = linkTo(page.html, 'Download (?:all|these) as CSV') ?? ''
      const { html } = await scene.browser.get(file)
      const ids = html
        .trimEnd()
        .split('\r\n')
        .slice(1)
        .map((line) => line.split(',').at(-1))
      expect([query, ids]).toEqual([query, expected])
    }
  })

  it('reads a bounded number of rows if hardly any user is active', async () => {
    const { client } = scene
    const other = await newClient()
    const user = `json_object('userName', printf('x%05d', value), 'active', json('false'))`
    await env.DB.prepare(
      `INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
       SELECT ?1, printf('00000000-03e8-7000-8000-%012d', value), ${user}, ${user}, 1, 1000, 1000 FROM json_each(?2)`,
    )
      .bind(other.tenantId, JSON.stringify(Array.from({ length: 300 }, (_, i) => i)))
      .run()
    await other.createUser({ userName: 'z-active', active: true })
    let at: string | undefined = `/admin/tenants/${other.tenantId}/users?show=active`
    for (let i = 0; i < 3; i++) {
      const { html } = await cheap(at ?? '')
      expect(textOf(html)).toContain('None of the next 80 users is active.')
      at = linkTo(html, 'Look at those after them')
    }
    const { html } = await cheap(at ?? '')
    expect(textOf(html)).toContain('z-active')
    expect(client.tenantId).not.toBe(other.tenantId)
  })

  it('says that it is not complete until the values of all users are there', async () => {
    const client = await newClient()
    await client.createUser({ active: false })
    const at = `/admin/tenants/${client.tenantId}/users`
    const isPrepared = async (query: string) =>
      !textOf((await cheap(`${at}${query}`)).html).includes('The list is being prepared.')
    expect(await isPrepared('?show=inactive')).toBe(true)
    await env.DB.prepare(
      `UPDATE tenants SET configuration = json_object('valuesMissing', json('true')) WHERE id = ?1`,
    )
      .bind(client.tenantId)
      .run()
    expect(await isPrepared('?show=inactive')).toBe(false)
    expect(await isPrepared('?q=a&in=email')).toBe(false)
    expect(await isPrepared('?show=active')).toBe(true)
  })

  it('shows the members of a group, and those of open conflicts', async () => {
    const { client, path } = scene
    const group = await client.createGroup({ displayName: 'Some' })
    const members = users.filter((_, i) => i % 2 === 0).map(({ id }) => id)
    await addToGroup(client.tenantId, group.id, members)
    expect(await allPages(`?group=${group.id}`)).toEqual(members)
    const { html } = await cheap(`${path}/users?group=${group.id}`)
    expect(textOf(html)).toContain('Members of Some')
    expect(textOf((await cheap(`${path}/users?show=conflict`)).html)).toContain(
      'No open conflict is about users.',
    )
    const { token } = await newToken(client.tenantId, { name: 'Second' })
    const second = new Client(client.tenantId, token)
    const first = await client.createUser({ userName: 'shared-1', externalId: 'same' })
    await second.request('POST', '/Users', { schemas: [USER], userName: 'shared-2', externalId: 'same' })
    const { body } = await admin('GET', `/tenants/${client.tenantId}/conflicts`)
    const listed = idsOn((await cheap(`${path}/users?show=conflict`)).html)
    expect(listed.length).toBeGreaterThan(0)
    expect(JSON.stringify(body)).toContain(listed[0] ?? '')
    expect(listed).toContain(first.id)
  })
})

describe('the list of groups', () => {
  it('has the orders that its indexes have', async () => {
    const { client, path } = scene
    for (const displayName of ['Beta', 'Alpha', 'Gamma']) await client.createGroup({ displayName })
    const names = async (query: string) =>
      [...(await cheap(`${path}/groups${query}`)).html.matchAll(/scope="row"[^>]*><a [^>]*>([^<]+)</g)]
        .map(([, name]) => name)
        .filter((name) => name !== 'Some')
    expect(await names('')).toEqual(['Alpha', 'Beta', 'Gamma'])
    expect(await names('?reverse=1')).toEqual(['Gamma', 'Beta', 'Alpha'])
    expect(await names('?sort=created')).toEqual(['Gamma', 'Alpha', 'Beta'])
    const { html } = await cheap(`${path}/groups`)
    expect(html).not.toContain('sort=modified')
    expect(html).not.toContain('show=active')
  })
})
