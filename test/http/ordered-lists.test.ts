/**
 * Lists of all users in the order of an attribute whose values are in an index: the same as by a scan, whoever lacks a value, and in
 * a directory of any size.
 */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { fold } from '../../src/scim/fold.ts'
import { addCrowd } from '../support/crowd.ts'
import { type Client, costOf, newClient } from '../support/harness.ts'
import { ENTERPRISE } from '../support/urns.ts'

interface User {
  readonly id: string
  readonly displayName?: string
  readonly externalId?: string
  readonly name?: { readonly familyName?: string; readonly givenName?: string }
  readonly [ENTERPRISE]?: { readonly employeeNumber?: string }
}

type KeyOf = (user: User) => string | undefined

const ORDERS: Readonly<Record<string, KeyOf>> = {
  displayName: ({ displayName }) => displayName && fold(displayName),
  externalId: ({ externalId }) => externalId,
  'name.familyName': ({ name }) => name?.familyName && fold(name.familyName),
  'name.givenName': ({ name }) => name?.givenName && fold(name.givenName),
  [`${ENTERPRISE}:employeeNumber`]: (user) => {
    const number = user[ENTERPRISE]?.employeeNumber
    return number && fold(number)
  },
}

/** By code points, as SQLite compares UTF-8; users without a value last, and equal ones by id. */
function sorted(users: readonly User[], keyOf: KeyOf, isDescending: boolean): readonly string[] {
  const bytes = (user: User) => Buffer.from(keyOf(user) ?? '')
  const inOrder = users.toSorted((a, b) => {
    const missing = Number(keyOf(a) === undefined) - Number(keyOf(b) === undefined)
    return missing || Buffer.compare(bytes(a), bytes(b)) || (a.id < b.id ? -1 : 1)
  })
  return (isDescending ? inOrder.toReversed() : inOrder).map(({ id }) => id)
}

async function page(client: Client, sortBy: string, isDescending: boolean, more: string) {
  const order = `sortBy=${sortBy}&sortOrder=${isDescending ? 'descending' : 'ascending'}`
  const { status, body } = await client.get(`/Users?${order}&attributes=id&${more}`)
  if (status !== 200) throw new Error(JSON.stringify(body))
  return { ...body, ids: body.Resources.map(({ id }: User) => id) }
}

const VALUES = ['b', 'B', 'a', 'ab', 'Å', 'ß', 'z', '\u{1f600}', '\uffee', 'a b', 'A', 'c']

async function addUsers(client: Client, values: readonly (string | undefined)[]): Promise<readonly User[]> {
  const users: User[] = []
  for (const [i, value] of values.entries())
    users.push(
      await client.createUser({
        userName: `u${i}-${client.tenantId}`,
        ...(value !== undefined && {
          displayName: value,
          externalId: value,
          name: { familyName: value, givenName: `${value}${i % 3}` },
          [ENTERPRISE]: { employeeNumber: value },
        }),
      }),
    )
  return users
}

describe('all users in the order of values', () => {
  const directories: { readonly client: Client; readonly users: readonly User[] }[] = []
  beforeAll(async () => {
    // A value of 300 bytes is in one of the indexes in part.
    const long = ['a'.repeat(300), `${'a'.repeat(299)}B`, `${'a'.repeat(256)}`]
    for (const values of [
      VALUES,
      [...VALUES, undefined, ...VALUES, undefined],
      [undefined, 'b', ...long, 'x', undefined],
      [...long, 'aa', 'b'],
      [undefined, undefined],
      Array<string>(7).fill('same'),
    ]) {
      const client = await newClient()
      directories.push({ client, users: await addUsers(client, values) })
    }
  })

  it.for(Object.keys(ORDERS).flatMap((sortBy) => [[sortBy, false] as const, [sortBy, true] as const]))(
    'by %s, descending: %s',
    { timeout: 60_000 },
    async ([sortBy, isDescending]) => {
      for (const { client, users } of directories) {
        const expected = sorted(users, ORDERS[sortBy] ?? (() => undefined), isDescending)
        for (const count of [1, 3, 100])
          for (let start = 1; start <= users.length + 1; start += Math.max(2, Math.floor(count / 2))) {
            const { totalResults, ids } = await page(
              client,
              sortBy,
              isDescending,
              `startIndex=${start}&count=${count}`,
            )
            expect([totalResults, ids]).toEqual([users.length, expected.slice(start - 1, start - 1 + count)])
          }
        const seen: string[] = []
        const pages: string[][] = []
        let last = ''
        for (let cursor: string | undefined = ''; cursor !== undefined; ) {
          const body = await page(client, sortBy, isDescending, `cursor=${cursor}&count=3`)
          seen.push(...body.ids)
          pages.push(body.ids)
          last = body.previousCursor ?? ''
          cursor = body.nextCursor
        }
        expect(seen).toEqual(expected)
        for (let cursor: string | undefined = last; cursor; ) {
          pages.pop()
          const body = await page(client, sortBy, isDescending, `cursor=${cursor}&count=3`)
          expect(body.ids).toEqual(pages.at(-1))
          cursor = body.previousCursor
        }
      }
    },
  )
})

/** A few rows for each of the 20 users on a page, of 3,000. */
const MOST_READ = 400

describe('in a large directory', () => {
  let client: Client
  beforeAll(async () => {
    client = await newClient()
    await addCrowd(client.tenantId, 3_000)
    const names = `'$.displayName', 'name ' || printf('%05d', rowid), '$.name', json_object('familyName', printf('%05d', rowid))`
    await env.DB.prepare(
      `UPDATE users SET data = json_set(data, ${names}), keys = json_set(keys, ${names}) WHERE tenant_id = ?1`,
    )
      .bind(client.tenantId)
      .run()
  })

  it.for([
    'sortBy=displayName&count=20',
    'sortBy=name.familyName&count=20',
    'sortBy=displayName&count=20&cursor=',
    'sortBy=name.familyName&count=20&cursor=',
  ])('a page reads its own part: %s', async (parameters) => {
    const read = async (cursor = '') => {
      const answer = await client.get(`/Users?${parameters}${cursor}`)
      expect(costOf(answer).rowsRead).toBeLessThan(MOST_READ)
      return answer.body
    }
    const first = await read()
    if (first.nextCursor === undefined) return
    const next = await read(first.nextCursor)
    expect((await read(next.previousCursor)).Resources).toEqual(first.Resources)
  })

  it('is answered where a scan would take too long, unless users lack the value', async () => {
    const sized = (users: number) =>
      env.DB.prepare('UPDATE tenants SET user_count = ?2 WHERE id = ?1').bind(client.tenantId, users).run()
    await sized(100_000)
    const { ids } = await page(client, 'displayName', false, 'count=20')
    expect(ids).toHaveLength(20)
    const { body } = await client.get('/Users?sortBy=displayName&sortOrder=descending&count=20')
    expect(body.scimType).toBe('tooMany')
    const { body: other } = await client.get('/Users?sortBy=title&count=20')
    expect(other.scimType).toBe('tooMany')
    await sized(3_000)
  })
})
