/**
 * A list request that no index answers is rejected before it runs if it would take too long. The tests set the stored sizes
 * of tenants, because the decision must not depend on the speed of the machine.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import {
  MAX_SCAN_MILLISECONDS,
  MAX_SEARCH_MILLISECONDS,
  MAX_SUBSTRING_CHARACTERS,
} from '../../src/scim/limits.ts'
import { addCrowd, addToGroup } from '../support/crowd.ts'
import { type Client, costOf, newClient, RANGE_ENDS } from '../support/harness.ts'
import { addLargeUsers } from '../support/large.ts'

const USERS = 300
const PIECES = 'max(octet_length(data) + octet_length(keys) - 1024, 0) / 256'
const OBJECTS = `max(octet_length(keys) - octet_length(replace(keys, '{', '')) - 4, 0)`
const UMBRELLA = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0'

/** A tenant of 300 users in one group, with a larger stored size. */
async function clientOf(
  sizes: Readonly<Record<string, number>>,
  withLargeGroup = true,
): Promise<Client & { group: string }> {
  const client = await newClient()
  const group = await client.createGroup({ displayName: 'All' })
  await addToGroup(client.tenantId, group.id, await addCrowd(client.tenantId, USERS))
  const columns = Object.keys(sizes).map((name, i) => `${name} = ?${i + 2}`)
  await env.DB.prepare(`UPDATE tenants SET ${columns.join(', ')} WHERE id = ?1`)
    .bind(client.tenantId, ...Object.values(sizes))
    .run()
  if (withLargeGroup && sizes.membership_count !== undefined) {
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
    ['/Users', 'emails.type eq "x"', 'emails.type eq'],
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
    'is rejected in a large directory with its name, and does not run: %s %s',
    async ([path, filter, name]) => {
      const client = await clientOf(LARGE)
      for (const more of ['&count=1', '&count=0', '&cursor=&count=1', '&startIndex=200&count=1']) {
        const answer = await client.filter(path, filter, more)
        expect(answer.body).toMatchObject({ status: '400', scimType: 'tooMany' })
        expect(answer.body.detail).toContain(`"${name}"`)
        expect(
          [MAX_SCAN_MILLISECONDS, MAX_SEARCH_MILLISECONDS].map((ms) => `where ${ms} are allowed`),
        ).toContain(/where \d+ are allowed/.exec(answer.body.detail)?.[0])
        expect(answer.body.detail).toContain('externalId')
        expect(costOf(answer).roundTrips).toBe(1)
        expect(costOf(answer).rowsRead).toBeLessThan(30)
      }
    },
  )

  it.for(['userName', 'meta.lastModified', 'id'])(
    'is rejected in a large directory if users and groups are sorted together by %s',
    async (sortBy) => {
      const client = await clientOf(LARGE)
      const answer = await client.get(`/?count=1&sortBy=${sortBy}`)
      expect(answer.body).toMatchObject({ status: '400', scimType: 'tooMany' })
      expect(answer.body.detail).toContain(`"sortBy ${sortBy}`)
      // D1 counts the rows of each subquery that reads the sizes of both types.
      expect(costOf(answer).rowsRead).toBeLessThan(60)
    },
  )

  it.for(['title', 'emails', 'displayName', 'groups.display', 'active'])(
    'is rejected in a large directory if it is sorted by %s',
    async (sortBy) => {
      const client = await clientOf(LARGE)
      const answer = await client.get(`/Users?count=1&sortBy=${sortBy}`)
      expect(answer.body).toMatchObject({ status: '400', scimType: 'tooMany' })
      expect(answer.body.detail).toContain(`"sortBy ${sortBy}`)
      expect(answer.body.detail).toMatch(/, or sort by userName, id or meta\.lastModified$/)
      expect(costOf(answer).rowsRead).toBeLessThan(30)
    },
  )

  it.for<[filter: string, reason: string]>([
    ['title eq "x"', 'no index answers "title eq", and to look through the directory would take about '],
    [
      'displayName co "x"',
      'an index answers "displayName co" only if all of its values are looked at, and that would take about ',
    ],
    [
      'not (userName eq "x") or displayName ne "y"',
      'an index answers "not userName eq", "displayName ne" only if all of its values are looked at, and that would',
    ],
    [
      'displayName co "x" or title eq "y"',
      'no index answers "title eq", and an index answers "displayName co" only if all of its values are looked at, and to look through the directory would take about ',
    ],
    ['groups.display co "x"', 'no index answers "groups.display co", and to look through the directory'],
  ])('says which tests the values of an index would answer: %s', async ([filter, reason]) => {
    const client = await clientOf(LARGE)
    const { body } = await client.filter('/Users', filter, '&count=1')
    expect(body.detail.slice(0, reason.length)).toBe(reason)
  })

  it('is rejected across types if both together would take too long', async () => {
    // Each type alone is accepted.
    const client = await clientOf({ user_count: 15_000, group_count: 15_000 })
    const filter = 'schemas co "x"'
    for (const path of ['/Users', '/Groups'] as const) {
      expect((await client.filter(path, filter)).status).toBe(200)
    }
    const answer = await client.request('POST', '/.search', { filter })
    expect(answer.body).toMatchObject({ status: '400', scimType: 'tooMany' })
  })

  it('is rejected if the members of a large group are sorted or tested', async () => {
    const client = await clientOf({ ...LARGE, membership_count: 60_000 })
    const filter = `groups.value eq "${client.group}"`
    expect((await client.filter('/Users', filter)).body.totalResults).toBe(USERS)
    for (const [test, more] of [
      [filter, '&sortBy=userName'],
      [`${filter} and title eq "x"`, ''],
    ] as const) {
      const answer = await client.filter('/Users', test, more)
      expect(answer.body, `${test}${more}`).toMatchObject({ status: '400', scimType: 'tooMany' })
      expect(costOf(answer).rowsRead).toBeLessThan(30)
    }
  })

  it.for([
    'groups.value eq "ALL" and groups.value eq "x"',
    'groups.value eq "x" and groups.value eq "ALL"',
    'groups.value eq "x" or groups.value eq "ALL"',
    'groups[value eq "x" or value eq "ALL"]',
    'groups[(value eq "x" or value eq "ALL") and display sw "a"]',
  ])('is rejected if the members of several groups are collected, and one is large: %s', async (filter) => {
    const found = async (members: number) => {
      const client = await clientOf({ ...LARGE, membership_count: members })
      return await client.filter('/Users', filter.replaceAll('ALL', client.group))
    }
    expect((await found(USERS)).body.totalResults).toBe(filter.includes('" and groups') ? 0 : USERS)
    const answer = await found(1_000_000)
    expect(answer.body).toMatchObject({ status: '400', scimType: 'tooMany' })
    expect(costOf(answer).rowsRead).toBeLessThan(30)
  })

  it('is rejected if one of many alternatives is a large group, and it is tested further', async () => {
    const client = await clientOf({ ...LARGE, membership_count: 60_000 })
    const small = Array.from({ length: 20 }, (_, i) => `(groups.value eq "g${i}" and title pr)`)
    expect((await client.filter('/Users', small.join(' or '), SHORT)).body.totalResults).toBe(0)
    const withLarge = [`(groups.value eq "${client.group}" and title pr)`, ...small].join(' or ')
    const answer = await client.filter('/Users', withLarge, SHORT)
    expect(answer.body).toMatchObject({ status: '400', scimType: 'tooMany' })
    expect(costOf(answer).rowsRead).toBeLessThan(40)
  })

  it('does not count all values of an index for each of many tests before it is rejected', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 20_000)
    const tests = Array.from({ length: 20 }, (_, i) => `displayName co "x${i}"`).join(' or ')
    const answer = await client.filter('/Users', tests, '&sortBy=title')
    expect(answer.body).toMatchObject({ status: '400', scimType: 'tooMany' })
    expect(costOf(answer).rowsRead).toBeLessThan(40)
  })

  it('is rejected in a small directory of large documents', async () => {
    const client = await newClient()
    const users = Array.from({ length: 50 }, (_, i) => ({ id: `large-${i}`, characters: 880_000 }))
    await addLargeUsers(client.tenantId, users.slice(0, 20))
    expect((await client.filter('/Users', 'title eq "x"')).body.totalResults).toBe(0)
    await addLargeUsers(client.tenantId, users.slice(20))
    for (const query of ['filter=title+eq+%22x%22', 'filter=title+ew+%22x%22', 'sortBy=title&count=1000']) {
      const answer = await client.get(`/Users?${query}`)
      expect(answer.body, query).toMatchObject({ status: '400', scimType: 'tooMany' })
    }
  })

  it('is rejected if users have many short elements or long texts', async () => {
    const client = await newClient()
    const document = (emails: number, title: string) =>
      JSON.stringify({ title, emails: Array.from({ length: emails }, (_, i) => ({ value: `${i}` })) })
    const addUsers = (prefix: string, count: number, rest: string) =>
      env.DB.prepare(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?3)
         INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
         SELECT ?1, ?2 || i, json_set(?4, '$.userName', ?2 || i), json_set(?4, '$.userName', ?2 || i), 1, 0, 0 FROM n`,
      )
        .bind(client.tenantId, prefix, count, rest)
        .run()
    const tests = Array.from({ length: 5 }, (_, i) => `emails.type eq "x${i}"`).join(' or ')
    await addUsers('a', 5_000, document(1, 'x'))
    expect((await client.filter('/Users', tests)).body.totalResults).toBe(0)
    await addUsers('b', 5_000, document(19, 'x'))
    expect((await client.filter('/Users', tests)).body).toMatchObject({ scimType: 'tooMany' })
    expect((await client.filter('/Users', 'title eq "a"')).body.totalResults).toBe(0)
    // Nothing is searched for before, because every document has this letter.
    await addUsers('c', 18_000, document(1, '"'.repeat(700)))
    expect((await client.filter('/Users', 'title eq "a"')).body).toMatchObject({ scimType: 'tooMany' })
    // No document reaches a block of 4 KiB.
    expect(
      await env.DB.prepare('SELECT user_blocks AS n FROM tenants WHERE id = ?1')
        .bind(client.tenantId)
        .first(),
    ).toEqual({ n: 0 })
  })

  it('is counted and read in one pass over the users', async () => {
    const client = await clientOf({ user_count: USERS })
    await client.get('/Users?count=1')
    for (const filter of ['title eq "x"', 'emails.display co "x"', 'title pr']) {
      const answer = await client.filter('/Users', filter, '&excludedAttributes=groups')
      expect(answer.body.totalResults).toBe(0)
      expect(costOf(answer).rowsRead).toBeLessThan(USERS + 20)
    }
    const all = await client.filter('/Users', 'userName co "crowd"', '&startIndex=291&sortBy=userName')
    expect(all.body).toMatchObject({ totalResults: USERS, startIndex: 291, itemsPerPage: 10 })
    const names = all.body.Resources.map(({ userName }: { userName: string }) => userName)
    expect(names).toEqual(Array.from({ length: 10 }, (_, i) => `crowd-${90 + i}`))
  })

  it('is rejected or run without measuring the directory first', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 12_000)
    const rows = async (filter: string) =>
      costOf(await client.filter('/Users', filter, '&excludedAttributes=groups')).rowsRead
    for (const filter of ['title co "x"', 'displayName ew "x"', 'emails.type eq "x"']) {
      expect(await rows(filter), filter).toBeLessThan(12_100)
    }
    const tests = Array.from({ length: 50 }, (_, i) => `title co "${i}"`).join(' or ')
    expect(await rows(tests)).toBeLessThan(30)
  })

  it('is accepted in an ordinary directory of 35,000 users', async () => {
    const client = await clientOf({ user_count: 35_000 })
    for (const filter of [
      'title eq "x"',
      'emails.type eq "x"',
      'name.familyName co "x"',
      'active eq false',
    ]) {
      expect((await client.filter('/Users', filter)).body.totalResults, filter).toBe(0)
    }
  })

  it('is accepted with a small page where a page of 1,000 would take too long', async () => {
    const client = await clientOf({ user_count: 45_000 })
    const filter = `filter=${encodeURIComponent('title pr')}`
    const { status, body } = await client.get(`/Users?${filter}&count=1000`)
    expect([status, body.scimType]).toEqual([400, 'tooMany'])
    expect(body.detail).toContain('ask for fewer resources with "count"')
    expect((await client.get(`/Users?${filter}&count=100`)).status).toBe(200)
    expect((await client.get(`/Users?${filter}`)).status).toBe(200)
  })

  it('is accepted if it takes little time', async () => {
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
    // The index finds few users, so any other test is accepted.
    ['/Users', 'userName eq "crowd-1" and not (title pr)', 1],
    ['/Users', 'userName sw "crowd-1" and title eq "x"', 0],
    ['/Users', 'groups.value eq "ALL" and active eq true', 0],
    ['/Users', 'meta.lastModified gt "2026-01-01T00:00:00Z" and emails.value co "x"', 0],
    ['/Groups', 'displayName eq "all"', 1],
    ['/Groups', 'id eq "ALL" and members eq "crowd-1"', 1],
    ['/Groups', 'members.value eq "crowd-1"', 1],
    ['/Groups', 'members[value eq "crowd-1" and type eq "User"]', 1],
  ] as const)('is accepted regardless of the size of the directory: %s %s', async ([path, filter, total]) => {
    const client = await clientOf({ ...LARGE, user_blocks: 1_000_000 }, false)
    const answer = await client.filter(path, filter.replaceAll('ALL', client.group), SHORT)
    expect(answer.body.totalResults).toBe(total)
  })

  const oneOf = (count: number, test: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => test(i)).join(' or ')

  it.for<[name: string, path: '/Users' | '/Groups', filter: string, total: number]>([
    ['groups', '/Users', oneOf(20, (i) => `groups.value eq "g${i}"`), 0],
    ['groups and a test', '/Users', oneOf(20, (i) => `(groups.value eq "g${i}" and title pr)`), 0],
    ['ids and a test', '/Users', oneOf(20, (i) => `(externalId eq "e${i}" and active eq true)`), 0],
    [
      'addresses and a test',
      '/Users',
      oneOf(20, (i) => `(emails[type eq "work" and value eq "${i}"] and title co "x")`),
      0,
    ],
    ['prefixes of names', '/Users', oneOf(20, (i) => `userName sw "crowd-1${i}"`), 110],
    ['32 prefixes', '/Users', oneOf(32, (i) => `displayName sw "x${i}"`), 0],
    ['family names', '/Users', oneOf(20, (i) => `name.familyName eq "x${i}"`), 0],
    [
      'values of several attributes',
      '/Users',
      oneOf(30, (i) => `${['groups.value', 'emails.value', 'displayName'][i % 3]} eq "${i}"`),
      0,
    ],
    [
      'times of creation',
      '/Users',
      `${oneOf(3, (i) => `meta.created gt "2026-01-0${i + 1}T00:00:00Z"`)} or userName eq "crowd-1"`,
      1,
    ],
    [
      'prefixes and a time',
      '/Users',
      `${oneOf(10, (i) => `userName sw "crowd-2${i}"`)} or meta.lastModified gt "2026-01-01T00:00:00Z"`,
      110,
    ],
    [
      'members and a test',
      '/Groups',
      oneOf(16, (i) => `(members.value eq "crowd-${i}" and displayName co "l")`),
      1,
    ],
    [
      'members and names',
      '/Groups',
      oneOf(32, (i) => `${['members.value', 'displayName'][i % 2]} eq "${i}"`),
      0,
    ],
  ])('is accepted if each of many alternatives finds few: %s', async ([name, path, filter, total]) => {
    const client = await clientOf({ ...LARGE, user_blocks: 1_000_000, group_blocks: 100_000 }, false)
    for (const more of [SHORT, `${SHORT}&sortBy=externalId`]) {
      const answer = await client.filter(path, filter, more)
      expect([more, answer.body.detail, answer.body.totalResults]).toEqual([more, undefined, total])
      // The ids of the crowd do not tell when it was created, so each of the three times finds all of it.
      expect(costOf(answer).rowsRead).toBeLessThan(name === 'times of creation' ? 40 * USERS : 1_500)
    }
  })

  it.for(['', '&sortBy=userName', '&sortBy=id&sortOrder=descending', '&sortBy=meta.lastModified'])(
    'is accepted in the order of an index%s',
    async (more) => {
      const client = await clientOf(LARGE)
      expect((await client.get(`/Users?count=1${more}`)).body.totalResults).toBe(LARGE.user_count)
    },
  )

  it('reads no more rows if a unique value is combined with another test', async () => {
    const client = await clientOf({ user_count: USERS })
    const rows = async (filter: string) => costOf(await client.filter('/Users', filter)).rowsRead
    await rows('userName eq "crowd-1"')
    const one = await rows('userName eq "crowd-1"')
    // The total is counted, which is not necessary for a unique value alone.
    expect(await rows('userName eq "crowd-1" and active eq true')).toBeLessThan(one + 8 + RANGE_ENDS)
  })

  it('is accepted if a scan would be, although its tests match the same resources', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 20_000)
    await env.DB.prepare(
      `UPDATE users SET keys = json_set(keys, '$.active', json('false')) WHERE tenant_id = ?1`,
    )
      .bind(client.tenantId)
      .run()
    const created = 'meta.created ge "1960-01-01T00:00:00Z"'
    for (const filter of [
      `active eq false or ${created}`,
      `active eq false and ${created} and title eq "x"`,
    ]) {
      const { status, body } = await client.filter('/Users', filter, '&count=1')
      expect([filter, status]).toEqual([filter, 200])
      expect(body.totalResults).toBe(filter.includes('title') ? 0 : 20_000)
    }
  })

  it('is rejected if many of its tests match the same resources', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 7_000)
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

describe('an index range with very many matches', () => {
  it('is rejected if sorting them takes too long', { timeout: 120_000 }, async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 67_000)
    for (const filter of ['userName sw "c"', 'meta.lastModified ge "1970-01-01T00:00:00Z"', 'id sw ""']) {
      const few = await client.filter('/Users', filter, '&count=2&attributes=id')
      expect(few.body).toMatchObject({ totalResults: 67_000, itemsPerPage: 2 })
      for (const more of ['&count=2&startIndex=20000', '&count=2&sortBy=displayName']) {
        const { body } = await client.filter('/Users', filter, more)
        expect(body, `${filter}${more}`).toMatchObject({ status: '400', scimType: 'tooMany' })
      }
      const { body } = await client.filter('/Users', filter, '&count=2&startIndex=20000')
      expect(body.detail).toMatch(
        /^the filter finds more than 66666 resources, which would take longer than 80 ms/,
      )
    }
    await addCrowd(client.tenantId, 48_000, (number) => `d-${number}`)
    const refused = await client.filter('/Users', 'userName sw ""', '&count=2')
    expect(refused.body).toMatchObject({ status: '400', scimType: 'tooMany' })
    expect((await client.filter('/Users', 'userName sw "d"', '&count=2')).body.totalResults).toBe(48_000)
  })
})

describe('an index range', () => {
  it('is rejected in another order if its resources are too large to be read, and not in its own or that of ids', async () => {
    const client = await newClient()
    const users = Array.from({ length: 60 }, (_, i) => ({ id: `u-${i + 10}`, characters: 900_000 }))
    await addLargeUsers(client.tenantId, users)
    const total = async (filter: string, sortBy: string) => {
      const { body } = await client.filter('/Users', filter, `&count=1&attributes=id${sortBy}`)
      return body.totalResults ?? body.scimType
    }
    const [names, times] = ['userName sw "u"', 'meta.lastModified ge "1970-01-01T00:00:00Z"']
    for (const sortBy of ['', '&sortBy=id', '&sortBy=userName']) expect(await total(names, sortBy)).toBe(60)
    for (const sortBy of ['', '&sortBy=id', '&sortBy=meta.lastModified']) {
      expect(await total(times, sortBy)).toBe(60)
    }
    expect(await total(names, '&sortBy=meta.lastModified')).toBe('tooMany')
    expect(await total(times, '&sortBy=userName')).toBe('tooMany')
  })

  it('has its resources in the order of ids, whether they are few or most of a directory', async () => {
    const client = await newClient()
    const number = (id: string) => Number(id.slice(1))
    // The order of the names is not that of the ids.
    const ids = await addCrowd(client.tenantId, 3_000, (i) => `x${(i * 1_009) % 3_000}`)
    await env.DB.prepare(`UPDATE users SET keys = json_set(keys, '$.displayName', iif(substr(id, 2) % 2, 'odd ', 'even ') ||
      printf('%05d', 99999 - substr(id, 2)), '$.userName', printf('%05d', substr(id, 2) * 7919 % 3000)) WHERE tenant_id = ?1`)
      .bind(client.tenantId)
      .run()
    const odd = ids.filter((id) => number(id) % 2 === 1).sort()
    for (const [filter, found] of [
      ['displayName sw "odd"', odd],
      ['displayName sw "odd 9700"', odd.filter((id) => number(id) >= 2_990)],
      ['userName sw "0"', ids.toSorted()],
    ] as const) {
      const page = async (more: string) => {
        const { body } = await client.filter('/Users', filter, `&attributes=id&count=700${more}`)
        expect(body.totalResults, filter).toBe(found.length)
        return { ...body, ids: body.Resources.map(({ id }: { id: string }) => id) }
      }
      expect((await page('&startIndex=3')).ids).toEqual(found.slice(2, 702))
      expect((await page('&sortBy=id&sortOrder=descending')).ids).toEqual(found.toReversed().slice(0, 700))
      const first = await page('&cursor=')
      expect(first.ids).toEqual(found.slice(0, 700))
      if (found.length <= 700) continue
      const next = await page(`&cursor=${first.nextCursor}`)
      expect(next.ids).toEqual(found.slice(700, 1_400))
      expect((await page(`&cursor=${next.previousCursor}`)).ids).toEqual(first.ids)
    }
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
  ])('are answered or rejected within the limits of a statement: %s %s', async ([path, filter]) => {
    const client = await newClient()
    for (const more of ['', '&sortBy=displayName', '&sortBy=displayName&cursor=']) {
      const { status, body } = await client.filter(path, filter, more)
      expect([200, body.scimType === 'tooMany' ? 400 : 200]).toContain(status)
    }
  })
})

describe('the stored size of a directory', () => {
  async function sizesOf({ tenantId }: Client): Promise<Record<string, unknown> | null> {
    return await env.DB.prepare(
      `SELECT user_blocks AS kept, (SELECT coalesce(sum(blocks), 0) FROM users WHERE tenant_id = t.id) AS users,
        group_blocks AS keptOfGroups, (SELECT coalesce(sum(blocks), 0) FROM groups WHERE tenant_id = t.id) AS groups,
        user_pieces || ' ' || user_objects || ' ' || group_pieces || ' ' || group_objects AS parts,
        (SELECT coalesce(sum(${PIECES}), 0) || ' ' || coalesce(sum(${OBJECTS}), 0) FROM users WHERE tenant_id = t.id) || ' ' ||
        (SELECT coalesce(sum(${PIECES}), 0) || ' ' || coalesce(sum(${OBJECTS}), 0) FROM groups WHERE tenant_id = t.id) AS stored
       FROM tenants AS t WHERE id = ?1`,
    )
      .bind(tenantId)
      .first()
  }

  it('is updated when users and groups are created, changed and deleted', async () => {
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
    expect(grown?.parts).toBe(grown?.stored)
    expect(String(grown?.parts)).toMatch(/^1\d\d 3\d 0 0$/)
    await client.patch(`/Users/${small.id}`, { op: 'remove', path: 'emails' })
    await client.request('DELETE', `/Users/${large.id}`)
    expect(await sizesOf(client)).toMatchObject({ kept: 0, users: 0 })
    const group = await client.createGroup({ externalId: 'x'.repeat(950) })
    expect(await sizesOf(client)).toMatchObject({
      keptOfGroups: 0,
      groups: 0,
      parts: '0 0 4 0',
      stored: '0 0 4 0',
    })
    await client.patch(`/Groups/${group.id}`, { op: 'replace', path: 'externalId', value: 'x' })
    expect(await sizesOf(client)).toMatchObject({ parts: '0 0 0 0', stored: '0 0 0 0' })
    await client.request('DELETE', `/Groups/${group.id}`)
    expect(await sizesOf(client)).toMatchObject({ parts: '0 0 0 0', stored: '0 0 0 0' })
  })
})

describe('the value of "co"', () => {
  it('has a limited length, unlike values of other operators', async () => {
    const client = await newClient()
    const long = 'x'.repeat(MAX_SUBSTRING_CHARACTERS + 1)
    const refused = await client.filter('/Users', `title co "${long}"`)
    expect(refused.body).toMatchObject({ status: '400', scimType: 'invalidFilter' })
    expect(refused.body.detail).toContain(
      `allows at most ${MAX_SUBSTRING_CHARACTERS} characters, found ${long.length}`,
    )
    for (const filter of [`title co "${long.slice(1)}"`, `title eq "${long}"`, `title sw "${long}"`]) {
      expect((await client.filter('/Users', filter)).body.totalResults, filter.slice(0, 10)).toBe(0)
    }
  })
})

describe('a list of values that are not unique', () => {
  it('is rejected if too large resources share one, unless a page of them is read in the order of ids', async () => {
    const client = await newClient()
    // More than are read without an estimate.
    const users = Array.from({ length: 25 }, (_, i) => ({ id: `u-${i + 10}`, characters: 900_000 }))
    await addLargeUsers(client.tenantId, users)
    await env.DB.prepare(
      `UPDATE users SET keys = json_set(keys, '$.emails', json('[{"value":"same@x.example"}]')) WHERE tenant_id = ?1`,
    )
      .bind(client.tenantId)
      .run()
    await client.createUser({ emails: [{ value: 'own@x.example' }], externalId: 'own' })
    for (const [value, answer] of [
      ['same@x.example', { scimType: 'tooMany' }],
      ['own@x.example', { totalResults: 1 }],
    ] as const) {
      const sorted = await client.filter('/Users', `emails.value eq "${value}"`, '&sortBy=title')
      expect(sorted.body).toMatchObject(answer)
      const filter = `emails[type eq "work" or value eq "${value}"] and emails.value eq "${value}"`
      expect((await client.filter('/Users', filter)).body).toMatchObject(answer)
    }
    expect((await client.filter('/Users', 'emails.value eq "same@x.example"')).body.totalResults).toBe(25)
  })

  it('is rejected if more than 50,000 share a value whose index has another order than that of ids', {
    timeout: 120_000,
  }, async () => {
    const client = await newClient()
    const add = (first: number, last: number) =>
      env.DB.prepare(
        `WITH RECURSIVE n(i) AS (SELECT ?2 UNION ALL SELECT i + 1 FROM n WHERE i < ?3),
           documents AS (SELECT i, json_object('userName', 'u' || i, 'externalId', 'same') AS document FROM n)
         INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
         SELECT ?1, printf('u-%06d', i), document, document, 1, 0, 0 FROM documents`,
      )
        .bind(client.tenantId, first, last)
        .run()
    await add(1, 50_000)
    const pages = async () => [
      await client.filter('/Users', 'externalId eq "same"', '&count=2&startIndex=3'),
      await client.filter('/Users', 'externalId eq "same"', '&count=2&cursor='),
    ]
    const [byIndex, byCursor] = await pages()
    expect(byIndex?.body).toMatchObject({ totalResults: 50_000, startIndex: 3, itemsPerPage: 2 })
    expect(byIndex?.body.Resources.map(({ id }: { id: string }) => id)).toEqual(['u-000003', 'u-000004'])
    await add(50_001, 50_001)
    for (const { body } of await pages()) {
      expect(body).toMatchObject({ status: '400', scimType: 'tooMany' })
      expect(body.detail).toContain('more than 50000 resources')
    }
    // A few more may match once the walk has begun.
    const next = await client.filter(
      '/Users',
      'externalId eq "same"',
      `&count=2&cursor=${byCursor?.body.nextCursor}`,
    )
    expect(next.body.Resources.map(({ id }: { id: string }) => id)).toEqual(['u-000003', 'u-000004'])
  })
})
