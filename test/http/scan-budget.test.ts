/**
 * A list that no index answers is refused before it begins when it would take too long. The sizes of the tenants here are
 * made up, in the row that keeps them: what is refused must not depend on how fast the machine is.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { MAX_SCAN_MILLISECONDS, MAX_SUBSTRING_CHARACTERS } from '../../src/scim/limits.ts'
import { addCrowd, addToGroup } from '../support/crowd.ts'
import { type Client, costOf, newClient } from '../support/harness.ts'

const USERS = 300
const UMBRELLA = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0'

/** A tenant of 300 users who are all in one group, which counts as a larger one. */
async function clientOf(sizes: Readonly<Record<string, number>>): Promise<Client & { group: string }> {
  const client = await newClient()
  const group = await client.createGroup({ displayName: 'All' })
  await addToGroup(client.tenantId, group.id, await addCrowd(client.tenantId, USERS))
  const columns = Object.keys(sizes).map((name, i) => `${name} = ?${i + 2}`)
  await env.DB.prepare(`UPDATE tenants SET ${columns.join(', ')} WHERE id = ?1`)
    .bind(client.tenantId, ...Object.values(sizes))
    .run()
  if (sizes.membership_count !== undefined) {
    await env.DB.prepare('UPDATE groups SET member_count = ?2 WHERE tenant_id = ?1')
      .bind(client.tenantId, sizes.membership_count)
      .run()
  }
  return Object.assign(client, { group: group.id })
}

const SHORT = '&count=1&excludedAttributes=members'
const LARGE = { user_count: 1_000_000, group_count: 100_000, membership_count: 10_000_000 }

describe('a list that no index answers', () => {
  it.for([
    ['/Users', 'title eq "x"', 'title eq'],
    ['/Users', 'active eq true', 'active eq'],
    ['/Users', 'userName co "x"', 'userName co'],
    ['/Users', 'userName ew "x"', 'userName ew'],
    ['/Users', 'userName ne "x"', 'userName ne'],
    ['/Users', 'not (userName eq "x")', 'not userName eq'],
    ['/Users', 'userName pr', 'userName pr'],
    ['/Users', 'userName gt "x"', 'userName gt'],
    ['/Users', 'emails[type eq "work" and value co "x"]', 'emails'],
    ['/Users', 'emails.value eq "x"', 'emails.value eq'],
    ['/Users', 'userName eq "x" or title eq "y"', 'title eq'],
    ['/Users', 'userName pr and title eq "y"', 'userName pr'],
    ['/Users', 'groups.display eq "All"', 'groups.display eq'],
    ['/Users', 'groups.type eq "direct"', 'groups.type eq'],
    ['/Users', 'groups.type eq "indirect"', 'groups.type eq'],
    ['/Users', 'not (groups pr)', 'not groups pr'],
    ['/Groups', 'members.display co "x"', 'members.display co'],
    ['/Groups', 'members.type eq "User"', 'members.type eq'],
    ['/Groups', 'members pr', 'members pr'],
    ['/Groups', 'meta.lastModified gt "2026-01-01T00:00:00Z"', 'meta.lastModified gt'],
  ] as const)(
    'is refused in a large directory, named, and not begun: %s %s',
    async ([path, filter, name]) => {
      const client = await clientOf(LARGE)
      for (const more of ['&count=1', '&count=0', '&cursor=&count=1', '&startIndex=200&count=1']) {
        const answer = await client.filter(path, filter, more)
        expect(answer.body).toMatchObject({ status: '400', scimType: 'tooMany' })
        expect(answer.body.detail).toContain(`"${name}"`)
        expect(answer.body.detail).toContain(`where ${MAX_SCAN_MILLISECONDS} are allowed`)
        expect(answer.body.detail).toContain('externalId')
        expect(costOf(answer).roundTrips).toBe(1)
        expect(costOf(answer).rowsRead).toBeLessThan(30)
      }
    },
  )

  it.for(['userName', 'meta.lastModified', 'id'])(
    'is refused in a large directory when users and groups are sorted together by %s',
    async (sortBy) => {
      const client = await clientOf(LARGE)
      const answer = await client.get(`/?count=1&sortBy=${sortBy}`)
      expect(answer.body).toMatchObject({ status: '400', scimType: 'tooMany' })
      expect(answer.body.detail).toContain(`"sortBy ${sortBy}`)
      expect(costOf(answer).rowsRead).toBeLessThan(30)
    },
  )

  it.for(['title', 'emails', 'displayName', 'groups.display', 'active'])(
    'is refused in a large directory when it is sorted by %s',
    async (sortBy) => {
      const client = await clientOf(LARGE)
      const answer = await client.get(`/Users?count=1&sortBy=${sortBy}`)
      expect(answer.body).toMatchObject({ status: '400', scimType: 'tooMany' })
      expect(answer.body.detail).toContain(`"sortBy ${sortBy}`)
      expect(answer.body.detail).toMatch(/, or sort by userName, id or meta\.lastModified$/)
      expect(costOf(answer).rowsRead).toBeLessThan(30)
    },
  )

  it('is refused across types when both together would take too long', async () => {
    // Each alone may.
    const client = await clientOf({ user_count: 20_000, group_count: 20_000 })
    const filter = 'displayName co "x"'
    for (const path of ['/Users', '/Groups'] as const) {
      expect((await client.filter(path, filter)).status).toBe(200)
    }
    const answer = await client.request('POST', '/.search', { filter })
    expect(answer.body).toMatchObject({ status: '400', scimType: 'tooMany' })
  })

  it('is refused in a small directory of large documents', async () => {
    const client = await clientOf({ user_blocks: 100_000 })
    const answer = await client.filter('/Users', 'title eq "x"')
    expect(answer.body).toMatchObject({ status: '400', scimType: 'tooMany' })
  })

  it('is answered as long as it takes little', async () => {
    const client = await clientOf({ user_count: 15_000 })
    expect((await client.filter('/Users', 'title eq "x"')).body.totalResults).toBe(0)
    expect((await client.filter('/Users', 'emails[type eq "work"]')).body.totalResults).toBe(0)
    expect((await client.get('/Users?sortBy=title&count=1')).body.totalResults).toBe(15_000)
    const tests = Array.from({ length: 100 }, (_, i) => `title co "${i}"`).join(' or ')
    expect((await client.filter('/Users', tests)).body).toMatchObject({ scimType: 'tooMany' })
  })
})

describe('a list that an index answers', () => {
  it.for([
    ['/Users', 'userName eq "crowd-1"', 1],
    ['/Users', 'id eq "crowd-1"', 1],
    ['/Users', 'externalId eq "x"', 0],
    ['/Users', 'displayName sw "x"', 0],
    ['/Users', `${UMBRELLA}:User:nativeObjectId eq "x"`, 0],
    ['/Users', 'meta.lastModified gt "2026-01-01T00:00:00Z"', 0],
    ['/Users', 'userName eq "crowd-1" or externalId eq "x" or groups.value eq "y"', 1],
    ['/Users', 'groups.value eq "ALL"', USERS],
    ['/Users', 'groups[value eq "ALL" or value eq "x"]', USERS],
    // Little is found, and then everything may be asked of it.
    ['/Users', 'userName eq "crowd-1" and not (title pr)', 1],
    ['/Users', 'userName sw "crowd-1" and title eq "x"', 0],
    ['/Users', 'groups.value eq "ALL" and active eq true', 0],
    ['/Users', 'meta.lastModified gt "2026-01-01T00:00:00Z" and emails.value co "x"', 0],
    ['/Groups', 'displayName eq "all"', 1],
    ['/Groups', 'id eq "ALL" and members eq "crowd-1"', 1],
    ['/Groups', 'members.value eq "crowd-1"', 1],
    ['/Groups', 'members[value eq "crowd-1" and type eq "User"]', 1],
  ] as const)('is answered, however large the directory is: %s %s', async ([path, filter, total]) => {
    const client = await clientOf({ ...LARGE, user_blocks: 1_000_000 })
    const answer = await client.filter(path, filter.replaceAll('ALL', client.group), SHORT)
    expect(answer.body.totalResults).toBe(total)
  })

  it.for(['', '&sortBy=userName', '&sortBy=id&sortOrder=descending', '&sortBy=meta.lastModified'])(
    'is answered in the order of an index%s',
    async (more) => {
      const client = await clientOf(LARGE)
      expect((await client.get(`/Users?count=1${more}`)).body.totalResults).toBe(LARGE.user_count)
    },
  )

  it('reads no more rows when little is asked of the one resource that is found', async () => {
    const client = await clientOf({ user_count: USERS })
    const rows = async (filter: string) => costOf(await client.filter('/Users', filter)).rowsRead
    await rows('userName eq "crowd-1"')
    const one = await rows('userName eq "crowd-1"')
    // The total is counted, which a unique value alone does not need.
    expect(await rows('userName eq "crowd-1" and active eq true')).toBeLessThan(one + 8)
  })

  it('is refused when many of its tests find the same', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 5_000)
    const tests = Array.from(
      { length: 90 },
      (_, i) => `userName sw "${'crowd-'.slice(0, i % 7)}${i > 6 ? i : ''}"`,
    )
    const answer = await client.filter(
      '/Users',
      [...tests, 'userName sw "c"', 'userName sw "cr"'].join(' or '),
    )
    expect(answer.body).toMatchObject({ scimType: 'tooMany' })
  })
})

describe('the largest filters', () => {
  const texts = (count: number, test: (i: number) => string, joint: string) =>
    Array.from({ length: count }, (_, i) => test(i)).join(joint)

  it.for<[path: '/Users' | '/Groups', filter: string]>([
    ['/Users', texts(100, (i) => `groups.display sw "value ${i}"`, ' and ')],
    ['/Users', texts(100, (i) => `groups.display sw "value ${i}"`, ' or ')],
    ['/Users', texts(50, (i) => `groups[type eq "indirect" and display co "${i}"]`, ' and ')],
    ['/Users', texts(50, (i) => `(groups.type eq "direct" or title co "${i}")`, ' and ')],
    ['/Users', texts(100, (i) => `userName sw "value ${i}"`, ' or ')],
    ['/Users', `externalId eq "x" and ${texts(99, (i) => `groups.display sw "value ${i}"`, ' and ')}`],
    [
      '/Users',
      `(${texts(50, (i) => `userName sw "v${i}"`, ' or ')}) and ${texts(50, (i) => `title co "${i}"`, ' and ')}`,
    ],
    ['/Users', texts(100, (i) => `not (emails.value co "${i}")`, ' and ')],
    ['/Groups', texts(100, (i) => `members.display sw "value ${i}"`, ' and ')],
    ['/Groups', texts(100, (i) => `members.value eq "value ${i}"`, ' and ')],
  ])('are answered or refused within what a statement may be: %s %s', async ([path, filter]) => {
    const client = await newClient()
    for (const more of ['', '&sortBy=displayName', '&sortBy=displayName&cursor=']) {
      const { status, body } = await client.filter(path, filter, more)
      expect([200, body.scimType === 'tooMany' ? 400 : 200]).toContain(status)
    }
  })
})

describe('the size of a directory', () => {
  async function sizesOf({ tenantId }: Client): Promise<Record<string, unknown> | null> {
    return await env.DB.prepare(
      `SELECT user_blocks AS kept, (SELECT coalesce(sum(blocks), 0) FROM users WHERE tenant_id = t.id) AS users,
        group_blocks AS keptOfGroups, (SELECT coalesce(sum(blocks), 0) FROM groups WHERE tenant_id = t.id) AS groups
       FROM tenants AS t WHERE id = ?1`,
    )
      .bind(tenantId)
      .first()
  }

  it('is kept when users and groups come, change and go', async () => {
    const client = await newClient()
    const small = await client.createUser({ title: 'Pilot' })
    expect(await sizesOf(client)).toMatchObject({ kept: 0, users: 0 })
    const large = await client.createUser({ addresses: [{ formatted: 'x'.repeat(20_000) }] })
    expect(await sizesOf(client)).toMatchObject({ kept: 9, users: 9 })
    const values = Array.from({ length: 40 }, (_, i) => ({ value: String(i) }))
    await client.patch(`/Users/${small.id}`, { op: 'add', path: 'emails', value: values })
    const grown = await sizesOf(client)
    expect(grown?.kept).toBe(grown?.users)
    expect(Number(grown?.kept)).toBeGreaterThan(9)
    await client.patch(`/Users/${small.id}`, { op: 'remove', path: 'emails' })
    await client.request('DELETE', `/Users/${large.id}`)
    expect(await sizesOf(client)).toMatchObject({ kept: 0, users: 0 })
    const group = await client.createGroup({ externalId: 'x'.repeat(1_000) })
    expect(await sizesOf(client)).toMatchObject({ keptOfGroups: 0, groups: 0 })
    await client.request('DELETE', `/Groups/${group.id}`)
  })
})

describe('a text that is looked for', () => {
  it('has a length, and one that is compared as a whole has none', async () => {
    const client = await newClient()
    const long = 'x'.repeat(MAX_SUBSTRING_CHARACTERS + 1)
    const refused = await client.filter('/Users', `title co "${long}"`)
    expect(refused.body).toMatchObject({ status: '400', scimType: 'invalidFilter' })
    expect(refused.body.detail).toContain(
      `takes ${MAX_SUBSTRING_CHARACTERS} characters at most, found ${long.length}`,
    )
    for (const filter of [`title co "${long.slice(1)}"`, `title eq "${long}"`, `title sw "${long}"`]) {
      expect((await client.filter('/Users', filter)).body.totalResults, filter.slice(0, 10)).toBe(0)
    }
  })
})
