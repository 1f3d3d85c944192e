/**
 * Filters that the values in an index answer if all of them are looked at: the same resources as a filter in memory, and
 * the cost is counted.
 */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Complex } from '../../src/scim/comparison.ts'
import { evaluateFilter } from '../../src/scim/filter/evaluate.ts'
import { parseFilter } from '../../src/scim/filter/parser.ts'
import { resolveFilter } from '../../src/scim/filter/resolve.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../src/scim/schema/resource-type.ts'
import { chance } from '../support/chance.ts'
import { addCrowd } from '../support/crowd.ts'
import { type Client, costOf, newClient } from '../support/harness.ts'
import { TOLERANT } from '../support/reading.ts'
import { ENTERPRISE } from '../support/urns.ts'

const UMBRELLA = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User:nativeObjectId'
/** `user_values` has 256 bytes of a value, so it cuts these, the second one inside of a character. */
const LONG = `${'x'.repeat(255)}Éa`
const SPLIT = `${'é'.repeat(127)}x𐐀Tail`
const TEXTS = ['', 'a', 'Ab', 'É', 'E\u0301', 'x'.repeat(255), 'x'.repeat(256), LONG, SPLIT, '100%_', `o'"\\`]
const PIECES = [
  '',
  'a',
  'B',
  'é',
  'x',
  'éa',
  '𐐨',
  'TAIL',
  '%',
  `'"`,
  'x'.repeat(255),
  'x'.repeat(256),
  LONG,
  SPLIT,
]
const OPERATORS = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le']
const USER_NAMES = [
  'userName',
  'displayName',
  'externalId',
  'id',
  'name.familyName',
  'name.givenName',
  'emails.value',
  'phoneNumbers.value',
  UMBRELLA,
  `${ENTERPRISE}:employeeNumber`,
]
const FILTERS = 80
const GROUP_NAMES = ['displayName', 'externalId', 'id']

/** Random filters of tests that indexes answer, and some of other tests. */
function filtersOf(names: readonly string[], others: readonly string[], count: number): readonly string[] {
  const random = chance(17)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  const test = (): string => {
    if (random() < 0.15) return pick(others)
    const name = pick(names)
    if (random() < 0.1) return `${name} pr`
    const comparison = `${pick(OPERATORS)} ${JSON.stringify(pick(PIECES))}`
    if (!name.endsWith('s.value') || random() < 0.5) return `${name} ${comparison}`
    const second = pick([
      `and value ${pick(OPERATORS)} "a"`,
      `or value co "É"`,
      'and type eq "work"',
      'and value pr',
      '',
    ])
    return `${name.slice(0, -'.value'.length)}[value ${comparison} ${second}]`
  }
  const negated = (filter: string) => (random() < 0.2 ? `not (${filter})` : filter)
  return Array.from({ length: count }, () => {
    const tests = Array.from({ length: 1 + Math.floor(random() * 3) }, () => negated(test()))
    return negated(tests.reduce((all, one) => `(${all} ${pick(['and', 'or'])} ${one})`))
  })
}

describe('a filter on indexed values', () => {
  let client: Client
  const listed: Record<string, readonly (Complex & { id: string })[]> = {}

  beforeAll(async () => {
    client = await newClient()
    const random = chance(3)
    const some = (): string | undefined =>
      random() < 0.3 ? undefined : TEXTS[Math.floor(random() * TEXTS.length)]
    const values = () =>
      [some(), some()].flatMap((value) =>
        random() < 0.4 ? [] : [{ type: 'work', ...(value !== undefined && { value }) }],
      )
    for (let i = 0; i < 40; i++) {
      await client.createUser({
        userName: `${some() ?? ''}${i}`,
        displayName: some(),
        externalId: some(),
        active: random() < 0.5 ? undefined : random() < 0.5,
        name: { familyName: some(), givenName: some() },
        emails: values(),
        phoneNumbers: values(),
        [ENTERPRISE]: { employeeNumber: some() },
        [UMBRELLA.slice(0, -':nativeObjectId'.length)]: { nativeObjectId: some() },
      })
    }
    for (let i = 0; i < 10; i++)
      await client.createGroup({ displayName: `${some() ?? ''}${i}`, externalId: some() })
    for (const path of ['/Users', '/Groups'])
      listed[path] = (await client.get(`${path}?count=1000`)).body.Resources
  })

  const CASES = [
    [
      '/Users',
      USER_RESOURCE_TYPE,
      USER_NAMES,
      ['active eq false', 'active ne false', 'active eq true', 'title pr', 'meta.lastModified pr'],
    ],
    ['/Groups', GROUP_RESOURCE_TYPE, GROUP_NAMES, ['members pr', 'meta.created pr']],
  ] as const

  it.for(CASES)(
    'finds in %s what it finds in memory',
    { timeout: 120_000 },
    async ([path, type, names, others]) => {
      for (const text of filtersOf(names, others, FILTERS)) {
        const filter = resolveFilter(parseFilter(text, TOLERANT), type, TOLERANT)
        const expected = (listed[path] ?? [])
          .flatMap((one) => (evaluateFilter(filter, one) ? [one.id] : []))
          .sort()
        // A filter with long values exceeds a URL.
        const list = async (more: object) =>
          (await client.request('POST', `${path}/.search`, { filter: text, attributes: ['id'], ...more }))
            .body
        const ids = ({ Resources }: { Resources: readonly { id: string }[] }) => Resources.map(({ id }) => id)
        const first = await list({ count: 5, cursor: '' })
        expect([text, first.totalResults]).toEqual([text, expected.length])
        expect([text, ids(first)]).toEqual([text, expected.slice(0, 5)])
        const second =
          first.nextCursor === undefined ? [] : ids(await list({ count: 5, cursor: first.nextCursor }))
        expect([text, second]).toEqual([text, expected.slice(5, 10)])
        const sorted = await list({ sortBy: 'externalId', count: 1000 })
        expect([text, ids(sorted).sort()]).toEqual([text, expected])
      }
    },
  )

  it('finds the same while values are missing', async () => {
    const texts = filtersOf(USER_NAMES, ['active eq false'], 30)
    const totals = async () =>
      await Promise.all(
        texts.map(
          async (filter) =>
            (await client.request('POST', '/Users/.search', { filter, count: 0 })).body.totalResults,
        ),
      )
    const before = await totals()
    await env.DB.batch([
      env.DB.prepare('DELETE FROM user_values WHERE tenant_id = ?1').bind(client.tenantId),
      env.DB.prepare(`UPDATE tenants SET configuration = '{"valuesMissing":true}' WHERE id = ?1`).bind(
        client.tenantId,
      ),
    ])
    expect(await totals()).toEqual(before)
  })
})

/** A tenant of a few users, in whose counters there are many. */
async function clientWith(sizes: Readonly<Record<string, number>>): Promise<Client> {
  const client = await newClient()
  await addCrowd(client.tenantId, 300)
  await env.DB.prepare(
    `UPDATE users SET keys = json_set(keys, '$.displayName', 'shown ' || id, '$.name', json_object('familyName', id),
       '$.emails', json_array(json_object('type', 'work', 'value', id || '@example.com'))) WHERE tenant_id = ?1`,
  )
    .bind(client.tenantId)
    .run()
  const columns = Object.keys(sizes).map((name, i) => `${name} = ?${i + 2}`)
  await env.DB.prepare(`UPDATE tenants SET ${columns.join(', ')} WHERE id = ?1`)
    .bind(client.tenantId, ...Object.values(sizes))
    .run()
  return client
}

/** An ordinary directory: two documents of 800 bytes for each user. */
const LARGE = { user_count: 100_000, user_pieces: 200_000, user_objects: 0 }
const ANSWERED: readonly (readonly [filter: string, total: number])[] = [
  ['userName co "crowd-29"', 11],
  ['displayName ew "wd-7"', 1],
  ['displayName co "shown"', 300],
  ['emails.value co "@example"', 300],
  ['emails.value ew "-9@example.com"', 1],
  ['name.familyName co "-10"', 11],
  ['displayName ne "x"', 300],
  ['displayName pr', 300],
  ['not (displayName co "x")', 300],
  ['not (userName sw "crowd-2") and emails.value co "7@"', 19],
  ['displayName co "zzz" or emails.value co "d-299@"', 1],
  ['displayName co "d-29" and emails.value ew "9@example.com"', 2],
  ['displayName co "d-29" and title eq "x"', 0],
  ['emails[type eq "work" and value co "d-29"]', 11],
]

describe('a directory of 100,000 users', () => {
  it('has filters answered by the values in an index, which are refused on other values', async () => {
    const client = await clientWith(LARGE)
    for (const [filter, total] of ANSWERED) {
      const { body } = await client.filter('/Users', filter)
      expect([filter, body.totalResults ?? body.detail]).toEqual([filter, total])
      expect([filter, body.Resources.length]).toEqual([filter, Math.min(total, 100)])
    }
    for (const filter of ['title co "x"', 'emails.display co "x"', 'emails.value ne "x"'])
      expect((await client.filter('/Users', filter)).body).toMatchObject({ scimType: 'tooMany' })
  })

  it('has at most four rows read for each user, and three for each match', async () => {
    const client = await clientWith(LARGE)
    await client.get('/Users?count=1')
    for (const [filter, total] of ANSWERED) {
      if (/title|type| (and|or) /.test(filter)) continue
      const answer = await client.filter('/Users', filter, '&count=1&excludedAttributes=groups')
      expect([filter, answer.body.totalResults]).toEqual([filter, total])
      expect([filter, costOf(answer).rowsRead < 4 * 300 + 3 * total + 40 || costOf(answer).rowsRead]).toEqual(
        [filter, true],
      )
    }
  })

  it('is walked by cursor, by the sets of each page', async () => {
    const client = await clientWith(LARGE)
    const ids: string[] = []
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const { status, body } = await client.filter(
        '/Users',
        'userName co "crowd"',
        `&count=70&cursor=${cursor}`,
      )
      expect([status, body.totalResults]).toEqual([200, 300])
      ids.push(...body.Resources.map(({ id }: { id: string }) => id))
      cursor = body.nextCursor
    }
    expect(ids).toHaveLength(300)
    expect(ids).toEqual([...new Set(ids)].toSorted())
  })

  it('is refused if very many values are long, without reading them', async () => {
    const client = await clientWith({ ...LARGE, user_count: 60_000 })
    const filter = 'name.familyName co "z"'
    expect((await client.filter('/Users', filter)).body.totalResults).toBe(0)
    await env.DB.prepare(
      `UPDATE users SET keys = json_set(keys, '$.name', json_object('familyName', hex(zeroblob(100000)))) WHERE tenant_id = ?1`,
    )
      .bind(client.tenantId)
      .run()
    await env.DB.prepare('UPDATE tenants SET user_count = 60000 WHERE id = ?1').bind(client.tenantId).run()
    expect((await client.filter('/Users', filter)).body).toMatchObject({ scimType: 'tooMany' })
  })
})

describe('a directory of few users with very many values', () => {
  const REFUSED = [
    'emails.value co "z"',
    'not (emails.value co "z")',
    'userName co "z" or emails.value ew "z"',
  ]

  it('is refused by the number of values', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 10)
    for (const filter of REFUSED) expect((await client.filter('/Users', filter)).status, filter).toBe(200)
    await addValues(client.tenantId, 300_000)
    for (const filter of [
      ...REFUSED,
      // As candidates, in another order than that of the ids: the documents of all users are few.
      'emails.value sw "v" or userName co "z"',
    ])
      expect((await client.filter('/Users', filter)).body, filter).toMatchObject({ scimType: 'tooMany' })
    const answer = await client.filter('/Users', 'emails[type eq "work" and value co "z"]')
    expect(answer.body.totalResults).toBe(0)
    // Counted up to the limit, and not looked through: the documents of ten users are.
    expect(costOf(answer).rowsRead).toBeLessThan(1_000_000)
    // However many tests there are, they are counted together.
    const tests = Array.from({ length: 8 }, (_, i) => `emails.value co "z${i}"`)
    const refused = await client.filter('/Users', tests.join(' and '))
    expect(refused.body).toMatchObject({ scimType: 'tooMany' })
    expect(costOf(refused).rowsRead).toBeLessThan(300_000)
  })

  it('is refused by the number of long values: each is tested in the document of its user', async () => {
    const client = await newClient()
    const emails = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ value: `${i}${'x'.repeat(300)}` }))
    await client.createUser({ emails: emails(2) })
    for (const filter of REFUSED) expect((await client.filter('/Users', filter)).status, filter).toBe(200)
    await client.createUser({ emails: emails(1_000) })
    for (const filter of REFUSED)
      expect((await client.filter('/Users', filter)).body, filter).toMatchObject({ scimType: 'tooMany' })
  })
})

/** Adds e-mail addresses of the first user to the index, and not to its document. */
async function addValues(tenantId: string, count: number): Promise<void> {
  await env.DB.prepare(
    `WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ?2)
     INSERT INTO user_values (tenant_id, attribute, value, user_id)
     SELECT ?1, 1, CAST('v' || i AS BLOB), (SELECT min(id) FROM users WHERE tenant_id = ?1) FROM numbers`,
  )
    .bind(tenantId, count)
    .run()
}
