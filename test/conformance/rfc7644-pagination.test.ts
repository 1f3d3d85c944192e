/** RFC 7644 §3.4.2.4: pages by index. */
import { beforeAll, describe, expect, it } from 'vitest'
import { type Client, newClient } from '../support/harness.ts'
import { addLargeUsers } from '../support/large.ts'
import { expectError, namesIn } from './protocol.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e']
let client: Client

beforeAll(async () => {
  client = await newClient()
  for (const userName of NAMES) await client.createUser({ userName })
})

describe('RFC 7644 §3.4.2.4, pagination', () => {
  it('covers everything once, page by page, in a stable order (§3.4.2.4)', async () => {
    const pages = []
    for (const startIndex of [1, 3, 5]) {
      const answer = await client.get(`/Users?startIndex=${startIndex}&count=2`)
      expect(answer.body).toMatchObject({ totalResults: 5, startIndex })
      expect(answer.body.itemsPerPage).toBe(answer.body.Resources.length)
      pages.push(namesIn(answer))
    }
    expect(pages).toEqual([['a', 'b'], ['c', 'd'], ['e']])
  })

  it.for(['0', '-1', '-99'])('takes startIndex %s for 1 (§3.4.2.4)', async (startIndex) => {
    const answer = await client.get(`/Users?startIndex=${startIndex}&count=1`)
    expect(answer.body.startIndex).toBe(1)
    expect(namesIn(answer)).toEqual(['a'])
  })

  it.for(['0', '-1', '-99'])('answers count %s with the total alone (§3.4.2.4)', async (count) => {
    const { status, body } = await client.get(`/Users?count=${count}`)
    expect([status, body.totalResults, body.Resources]).toEqual([200, 5, []])
  })

  it('returns no more than count, and less when there is no more (§3.4.2.4)', async () => {
    for (const count of [1, 2, 4]) {
      expect((await client.get(`/Users?count=${count}`)).body.Resources).toHaveLength(count)
    }
    expect((await client.get('/Users?count=999999')).body.Resources).toHaveLength(5)
    expect((await client.get('/Users?startIndex=6')).body).toMatchObject({ totalResults: 5, Resources: [] })
  })

  it('returns fewer than count where more would be too large, and goes on behind them (§3.4.2.4)', async () => {
    const large = await newClient()
    const users = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((id) => ({ id, characters: 800_000 }))
    await addLargeUsers(large.tenantId, users)
    const first = await large.get('/Users?count=7')
    expect(first.body).toMatchObject({ totalResults: 7, startIndex: 1, itemsPerPage: 5 })
    const second = await large.get('/Users?count=7&startIndex=6')
    expect(second.body).toMatchObject({ totalResults: 7, startIndex: 6, itemsPerPage: 2 })
    expect([...namesIn(first), ...namesIn(second)]).toEqual(users.map(({ id }) => id))
  })

  it('sets the number of results itself when count is not there (§3.4.2.4)', async () => {
    expect((await client.get('/Users')).body).toMatchObject({
      totalResults: 5,
      itemsPerPage: 5,
      startIndex: 1,
    })
  })

  it('refuses numbers that are none with invalidValue (§3.12)', async () => {
    expectError(await client.get('/Users?count=ten'), 400, 'invalidValue')
    expectError(await client.get('/Users?startIndex=1.5'), 400, 'invalidValue')
  })

  it('counts what a filter finds, not what there is (§3.4.2)', async () => {
    const { body } = await client.filter('/Users', 'userName ge "c"', '&count=1')
    expect(body).toMatchObject({ totalResults: 3, itemsPerPage: 1 })
  })
})
