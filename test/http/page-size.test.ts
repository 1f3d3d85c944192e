/** Pages are limited in bytes (RFC 7644 §3.4.2.4), and pagination still returns each resource once. */
import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  MAX_LOADED_MEMBERS,
  MAX_MEMBER_DOCUMENT_BYTES,
  MAX_PAGE_BYTES,
  MAX_PAGE_SIZE,
} from '../../src/scim/limits.ts'
import { LARGE_USER_BYTES } from '../../src/storage/tables/large-documents.ts'
import { addCrowd, addGroups } from '../support/crowd.ts'
import { type Answer, type Client, costOf, GROUP, newClient, RANGE_ENDS } from '../support/harness.ts'
import { addGroup, addLargeUsers, addMembers } from '../support/large.ts'

const KB = 1000

const idsOf = ({ body }: Answer): string[] => body.Resources.map(({ id }: { id: string }) => id)
/** The size of the resources in a page. */
const bytesOf = ({ body }: Answer) => JSON.stringify(body.Resources).length
/** The size of a resource in addition to its document: meta, id, location. */
const OVERHEAD_BYTES = 500

async function clientWith(sizes: readonly number[]): Promise<{ client: Client; ids: string[] }> {
  const client = await newClient()
  const users = sizes.map((characters, i) => ({ id: `u-${String(i).padStart(4, '0')}`, characters }))
  await addLargeUsers(client.tenantId, users)
  return { client, ids: users.map(({ id }) => id) }
}

/** All pages by index. The next startIndex is computed from startIndex and itemsPerPage. */
async function walkByIndex(client: Client, path: string): Promise<Answer[]> {
  const pages: Answer[] = []
  for (let startIndex = 1; ; ) {
    const page = await client.get(`${path}&startIndex=${startIndex}`)
    expect(page.status).toBe(200)
    pages.push(page)
    const { totalResults, itemsPerPage, Resources } = page.body
    expect(itemsPerPage).toBe(Resources.length)
    startIndex += itemsPerPage
    if (startIndex > totalResults) return pages
    expect(itemsPerPage).toBeGreaterThan(0)
  }
}

/** All pages by cursor, forwards, or backwards from the last one. */
async function walkByCursor(
  client: Client,
  path: string,
  direction: 'nextCursor' | 'previousCursor',
  from = '',
) {
  const pages: Answer[] = []
  for (let cursor: string | undefined = from; cursor !== undefined; ) {
    const page: Answer = await client.get(`${path}&cursor=${cursor}`)
    expect(page.status).toBe(200)
    expect(page.body.Resources.length).toBeGreaterThan(0)
    pages.push(page)
    cursor = page.body[direction]
  }
  return pages
}

describe('a page of users with large documents', () => {
  it('has fewer resources than count, reports their number, and is followed by the remaining ones', async () => {
    const { client, ids } = await clientWith(Array.from({ length: 14 }, () => 800 * KB))
    const pages = await walkByIndex(client, '/Users?count=1000')
    expect(pages.map(({ body }) => body.itemsPerPage)).toEqual([5, 5, 4])
    expect(pages.flatMap(idsOf)).toEqual(ids)
    for (const page of pages) {
      expect(page.body.totalResults).toBe(14)
      expect(bytesOf(page)).toBeLessThan(MAX_PAGE_BYTES + 5 * OVERHEAD_BYTES)
      expect(costOf(page).roundTrips).toBe(1)
    }
  })

  it('has fewer resources than count by cursor too, forwards and backwards', async () => {
    const { client, ids } = await clientWith(Array.from({ length: 14 }, () => 800 * KB))
    const there = await walkByCursor(client, '/Users?count=9', 'nextCursor')
    expect(there.map(idsOf)).toEqual([ids.slice(0, 5), ids.slice(5, 10), ids.slice(10)])
    const last = there.at(-1)?.body.previousCursor
    const back = await walkByCursor(client, '/Users?count=9', 'previousCursor', last)
    expect(back.map(idsOf)).toEqual([ids.slice(5, 10), ids.slice(0, 5)])
  })

  it.for([
    'sortBy=title',
    'sortBy=title&sortOrder=descending',
    'sortBy=userName&sortOrder=descending',
    'sortBy=meta.lastModified',
    'filter=title+pr',
    'filter=title+sw+%22x%22&sortBy=title',
  ])('skips and repeats no resource with %s', async (query) => {
    const { client, ids } = await clientWith(
      [900, 5, 900, 800, 700, 900, 0, 900, 850].map((kb) => kb * KB + 1),
    )
    for (const pages of [
      await walkByIndex(client, `/Users?${query}&count=100`),
      await walkByCursor(client, `/Users?${query}&count=100`, 'nextCursor'),
    ]) {
      expect(pages.length).toBeGreaterThan(1)
      expect(pages.flatMap(idsOf).sort()).toEqual(ids)
      for (const page of pages) expect(costOf(page).roundTrips).toBe(1)
    }
  })

  it('is limited in /.search too, for one type and at the root', async () => {
    const { client, ids } = await clientWith(Array.from({ length: 8 }, () => 800 * KB))
    await addGroup(client.tenantId, 'zz-group')
    const search = { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'], count: 100 }
    for (const [path, rest] of [
      ['/Users/.search', []],
      ['/.search', ['zz-group']],
    ] as const) {
      const first = await client.request('POST', path, search)
      expect(idsOf(first), path).toEqual(ids.slice(0, 5))
      const second = await client.request('POST', path, { ...search, startIndex: 6 })
      expect(idsOf(second), path).toEqual([...ids.slice(5), ...rest])
    }
    expect(idsOf(await client.get('/?count=100'))).toEqual(ids.slice(0, 5))
  })

  it('is limited regardless of the projection', async () => {
    const { client } = await clientWith(Array.from({ length: 8 }, () => 800 * KB))
    expect((await client.get('/Users?attributes=userName')).body.itemsPerPage).toBeLessThanOrEqual(5)
  })

  it('has fewer resources than count if they must be parsed to leave attributes out, and is followed by the rest', async () => {
    const { client, ids } = await clientWith(Array.from({ length: 8 }, () => 800 * KB))
    const whole = await client.get('/Users?count=8')
    const path = '/Users?count=8&excludedAttributes=nickName'
    const pages = await walkByIndex(client, path)
    expect(pages[0]?.body.itemsPerPage).toBeLessThan(whole.body.itemsPerPage)
    expect(pages.flatMap(idsOf)).toEqual(ids)
    const forwards = await walkByCursor(client, path, 'nextCursor')
    expect(forwards.flatMap(idsOf)).toEqual(ids)
    const last = forwards.at(-1)?.body.previousCursor
    const backwards = await walkByCursor(client, path, 'previousCursor', last)
    expect(backwards.toReversed().flatMap(idsOf)).toEqual(
      ids.slice(0, -idsOf(forwards.at(-1) as Answer).length),
    )
  })

  it('is complete for random sizes', { timeout: 120_000 }, async () => {
    const size = fc.oneof(
      fc.constantFrom(0, 900 * KB),
      fc.integer({ min: 0, max: 900 * KB }),
      fc.integer({ min: 0, max: 10 * KB }),
    )
    const sizes = fc.array(size, { minLength: 1, maxLength: 18 })
    const query = fc.constantFrom(
      '',
      'sortBy=title&',
      'sortBy=title&sortOrder=descending&',
      'filter=userName+pr&',
    )
    const property = fc.asyncProperty(
      sizes,
      query,
      fc.integer({ min: 1, max: 20 }),
      async (its, more, count) => {
        const { client, ids } = await clientWith(its)
        const path = `/Users?${more}count=${count}`
        const there = await walkByCursor(client, path, 'nextCursor')
        for (const pages of [there, await walkByIndex(client, path)]) {
          expect(pages.flatMap(idsOf).sort()).toEqual(ids)
          for (const page of pages) {
            expect(page.body.itemsPerPage).toBeLessThanOrEqual(count)
            expect(bytesOf(page)).toBeLessThan(MAX_PAGE_BYTES + count * OVERHEAD_BYTES)
          }
        }
        const { previousCursor } = there.at(-1)?.body ?? {}
        if (previousCursor === undefined) return
        const back = await walkByCursor(client, path, 'previousCursor', previousCursor)
        const before = there.slice(0, -1).flatMap(idsOf)
        expect(back.flatMap((page) => idsOf(page).reverse())).toEqual(before.reverse())
      },
    )
    await fc.assert(property, { numRuns: 12, seed: 9865, endOnFailure: true })
  })
})

describe('a page of ordinary users', () => {
  it('has count resources, without additional reads for the limit', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 1_000)
    // The first request also stores that the token was used.
    await client.get('/Users?count=0')
    const total = await client.get('/Users?count=0&excludedAttributes=groups')
    const page = await client.get('/Users?count=1000&excludedAttributes=groups')
    expect(page.body.itemsPerPage).toBe(1_000)
    expect(costOf(page).rowsRead - costOf(total).rowsRead).toBeLessThanOrEqual(1_000 + RANGE_ENDS)
  })

  it('is not measured if no stored document is large enough for the limit', () => {
    expect(LARGE_USER_BYTES * (MAX_PAGE_SIZE + 1)).toBeLessThanOrEqual(MAX_PAGE_BYTES)
  })
})

describe('a page of groups', () => {
  it('has fewer groups than count if they have many members, but at least one', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, MAX_LOADED_MEMBERS)
    const members = [9_000, 9_000, 9_000, MAX_LOADED_MEMBERS, 1_000]
    for (const [i, count] of members.entries()) {
      await addGroup(client.tenantId, `g-${i}`)
      await addMembers(client.tenantId, `g-${i}`, count)
    }
    for (const path of [
      '/Groups?count=100',
      '/Groups?count=100&sortBy=displayName',
      '/?count=100&filter=members+pr',
    ]) {
      const pages = await walkByIndex(client, path)
      expect(pages.map(idsOf), path).toEqual([['g-0', 'g-1'], ['g-2'], ['g-3'], ['g-4']])
      const found = pages.flatMap(({ body }) =>
        body.Resources.map((group: { members: object[] }) => group.members.length),
      )
      expect(found).toEqual(members)
    }
    const without = await client.get('/Groups?excludedAttributes=members')
    expect(without.body.itemsPerPage).toBe(5)
  })

  it('is rejected with tooMany if a group has more members than a response may contain', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 2)
    await addGroup(client.tenantId, 'g-0')
    await addMembers(client.tenantId, 'g-0', 2)
    await addGroup(client.tenantId, 'g-1')
    await addMembers(client.tenantId, 'g-1', 2, MAX_LOADED_MEMBERS + 1)
    const refusal = {
      status: '400',
      scimType: 'tooMany',
      detail: `Group "g-1" has ${MAX_LOADED_MEMBERS + 1} members, and an answer shows ${MAX_LOADED_MEMBERS} at most: ask with excludedAttributes=members, and list them with /GroupMemberships?filter=group.value eq "g-1"`,
    }
    expect((await client.get('/Groups/g-1')).body).toMatchObject(refusal)
    expect((await client.filter('/Groups', 'displayName eq "g-1"')).body).toMatchObject(refusal)
    expect((await client.get('/Groups?startIndex=2')).body).toMatchObject(refusal)
    expect((await client.get('/?startIndex=2&filter=displayName+pr')).body).toMatchObject(refusal)
    for (const path of ['/Groups/g-1', '/Groups', '/Groups?filter=displayName+eq+%22g-1%22']) {
      const more = path.includes('?') ? '&' : '?'
      expect((await client.get(`${path}${more}excludedAttributes=members`)).status, path).toBe(200)
      expect((await client.get(`${path}${more}attributes=displayName`)).status, path).toBe(200)
    }
    expect((await client.request('HEAD', '/Groups/g-1')).status).toBe(400)
  })
})

describe('a group with large members', () => {
  it('is returned with members if their documents are within the limit', async () => {
    const characters = 900 * KB
    const most = Math.floor(MAX_MEMBER_DOCUMENT_BYTES / (characters + 100))
    const { client } = await clientWith(Array.from({ length: most + 1 }, () => characters))
    await addGroup(client.tenantId, 'g-0')
    await addMembers(client.tenantId, 'g-0', most)
    await addGroup(client.tenantId, 'g-1')
    await addMembers(client.tenantId, 'g-1', most + 1)
    const shown = await client.get('/Groups/g-0')
    expect(shown.body.members).toHaveLength(most)
    for (const path of ['/Groups/g-1', '/Groups?startIndex=2', '/Groups?filter=displayName+eq+%22g-1%22']) {
      const refused = await client.get(path)
      expect(refused.body, path).toMatchObject({ status: '400', scimType: 'tooMany' })
      expect(refused.body.detail).toMatch(
        /^Group "g-1" has \d+ members, and their documents have more than \d+ bytes together: ask with excludedAttributes=members, and list them with \/GroupMemberships\?filter=group.value eq "g-1"$/,
      )
      const more = path.includes('?') ? '&' : '?'
      expect((await client.get(`${path}${more}excludedAttributes=members`)).status, path).toBe(200)
    }
  })
})

describe('a page of groups with large members', () => {
  it('has fewer groups than count, so that few member documents are read', async () => {
    const { client } = await clientWith(Array.from({ length: 15 }, () => 900 * KB))
    const groups = ['g-0', 'g-1', 'g-2', 'g-3']
    for (const id of groups) {
      await addGroup(client.tenantId, id)
      await addMembers(client.tenantId, id, 15)
    }
    const pages = await walkByIndex(client, '/Groups?count=100')
    expect(pages.map(idsOf)).toEqual([['g-0'], ['g-1'], ['g-2'], ['g-3']])
    for (const { body } of pages) expect(body.Resources[0].members).toHaveLength(15)
    expect((await client.get('/Groups?excludedAttributes=members')).body.itemsPerPage).toBe(4)
  })
})

describe('a group with more members than a write loads', () => {
  it('accepts requests that name members, and rejects those that need the whole list', async () => {
    const client = await newClient()
    const { id: kept } = await client.createUser()
    const { id } = await client.createGroup({ members: [{ value: kept }] })
    const { id: other } = await client.createUser()
    await addMembers(client.tenantId, id, 0, MAX_LOADED_MEMBERS + 1)
    const add = { op: 'add', path: 'members', value: [{ value: other }] }
    expect((await client.patch(`/Groups/${id}`, add)).status).toBe(204)
    const refused = [
      await client.patch(`/Groups/${id}?attributes=members`, { ...add, op: 'remove' }),
      await client.patch(`/Groups/${id}`, { op: 'replace', path: 'members', value: [{ value: kept }] }),
      await client.patch(`/Groups/${id}`, { op: 'remove', path: 'members' }),
      await client.request('PUT', `/Groups/${id}`, { schemas: [GROUP], displayName: 'x', members: [] }),
    ]
    for (const { body } of refused) {
      expect(body).toMatchObject({ status: '400', scimType: 'tooMany' })
      expect(body.detail).toMatch(
        /25002 members, and a request that needs the whole list takes 25000 at most/,
      )
    }
    const rename = { op: 'replace', path: 'displayName', value: 'Renamed' }
    expect((await client.patch(`/Groups/${id}?attributes=displayName`, rename)).status).toBe(200)
    expect(
      (await client.filter('/Groups', `members.value eq "${other}"`, '&attributes=id')).body.totalResults,
    ).toBe(1)
    expect((await client.request('DELETE', `/Groups/${id}`)).status).toBe(204)
  })
})

describe('a page of users in many groups', () => {
  it('has fewer users than count if they have many groups', { timeout: 60_000 }, async () => {
    const client = await newClient({ groupLimit: 1_000 })
    const ids = await addCrowd(client.tenantId, 30)
    for (let i = 0; i < 200; i++) {
      const id = `g-${String(i).padStart(3, '0')}`
      await addGroup(client.tenantId, id, `${id} ${'n'.repeat(1_500)}`)
      await addMembers(client.tenantId, id, 30)
    }
    const pages = await walkByIndex(client, '/Users?count=100')
    expect(pages.flatMap(idsOf)).toEqual([...ids].sort())
    expect(pages.map(({ body }) => body.itemsPerPage)).toEqual([12, 12, 6])
    expect(pages[0]?.body.Resources[0].groups).toHaveLength(200)
    expect((await client.get('/Users?count=100&excludedAttributes=groups')).body.itemsPerPage).toBe(30)
  })

  it('has no more bytes than other pages if the names of the groups are short', async () => {
    const client = await newClient({ groupLimit: 10_000 })
    await addCrowd(client.tenantId, 4)
    await addGroups(client.tenantId, 8_000)
    await env.DB.prepare(
      `INSERT INTO memberships (tenant_id, group_id, member_id, member_type)
       SELECT ?1, groups.id, users.id, 'User' FROM groups CROSS JOIN users
       WHERE groups.tenant_id = ?1 AND users.tenant_id = ?1`,
    )
      .bind(client.tenantId)
      .run()
    await env.DB.prepare('UPDATE groups SET member_count = 4 WHERE tenant_id = ?1')
      .bind(client.tenantId)
      .run()
    const pages = await walkByIndex(client, '/Users?count=100')
    expect(pages.map(({ body }) => body.itemsPerPage)).toEqual([2, 2])
    for (const page of pages) expect(bytesOf(page)).toBeLessThan(MAX_PAGE_BYTES)
  })

  it('reads the groups of its users and of the next one, regardless of the number of other users', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 400)
    for (let i = 0; i < 20; i++) {
      await addGroup(client.tenantId, `g-${i}`, `${i} ${'n'.repeat(15_000)}`)
      await addMembers(client.tenantId, `g-${i}`, 400)
    }
    const page = await client.get('/Users?count=400')
    const { itemsPerPage } = page.body
    expect(itemsPerPage).toBe(13)
    // Each membership and its group are read twice, to measure and to return them, and the ids of users to number them.
    expect(costOf(page).rowsRead).toBeLessThan(4 * 20 * (itemsPerPage + 1) + 8 * 400)
  })
})

describe('a page of memberships', () => {
  it('ends before it reads too many bytes of documents, and the next page goes on', async () => {
    const characters = 800 * KB
    const { client, ids } = await clientWith(Array.from({ length: 30 }, () => characters))
    await addGroup(client.tenantId, 'g-0')
    await addMembers(client.tenantId, 'g-0', ids.length)
    const pages = await walkByCursor(client, '/GroupMemberships?count=30', 'nextCursor')
    const most = Math.floor(MAX_MEMBER_DOCUMENT_BYTES / (characters + 50))
    expect(pages.map(({ body }) => body.itemsPerPage)).toEqual([most, ids.length - most])
    expect(pages.flatMap(idsOf)).toEqual(ids.map((id) => `g-0.${id}`))
    expect((await walkByIndex(client, '/GroupMemberships?count=30')).flatMap(idsOf)).toEqual(
      pages.flatMap(idsOf),
    )
  })
})
