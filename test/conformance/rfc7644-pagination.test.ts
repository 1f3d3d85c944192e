/** RFC 7644 §3.4.2.4: index-based pagination. */
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
  it('returns each resource once, page by page, in a stable order (§3.4.2.4)', async () => {
    const pages = []
    for (const startIndex of [1, 3, 5]) {
      const answer = await client.get(`/Users?startIndex=${startIndex}&count=2`)
      expect(answer.body).toMatchObject({ totalResults: 5, startIndex })
      expect(answer.body.itemsPerPage).toBe(answer.body.Resources.length)
      pages.push(namesIn(answer))
    }
    expect(pages).toEqual([['a', 'b'], ['c', 'd'], ['e']])
  })

  it.for(['0', '-1', '-99'])('treats startIndex %s as 1 (§3.4.2.4)', async (startIndex) => {
    const answer = await client.get(`/Users?startIndex=${startIndex}&count=1`)
    expect(answer.body.startIndex).toBe(1)
    expect(namesIn(answer)).toEqual(['a'])
  })

  it.for(['0', '-1', '-99'])('returns only the total for count %s (§3.4.2.4)', async (count) => {
    const { status, body } = await client.get(`/Users?count=${count}`)
    expect([status, body.totalResults, body.Resources]).toEqual([200, 5, []])
  })

  it('returns at most count resources, and fewer on the last page (§3.4.2.4)', async () => {
    for (const count of [1, 2, 4]) {
      expect((await client.get(`/Users?count=${count}`)).body.Resources).toHaveLength(count)
    }
    expect((await client.get('/Users?count=999999')).body.Resources).toHaveLength(5)
    expect((await client.get('/Users?startIndex=6')).body).toMatchObject({ totalResults: 5, Resources: [] })
  })

  it('returns fewer than count resources if they are large, and the others on the next page (§3.4.2.4)', async () => {
    const large = await newClient()
    const users = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((id) => ({ id, characters: 800_000 }))
    await addLargeUsers(large.tenantId, users)
    const first = await large.get('/Users?count=7')
    expect(first.body).toMatchObject({ totalResults: 7, startIndex: 1, itemsPerPage: 5 })
    const second = await large.get('/Users?count=7&startIndex=6')
    expect(second.body).toMatchObject({ totalResults: 7, startIndex: 6, itemsPerPage: 2 })
    expect([...namesIn(first), ...namesIn(second)]).toEqual(users.map(({ id }) => id))
  })

  it('chooses the page size if count is missing (§3.4.2.4)', async () => {
    expect((await client.get('/Users')).body).toMatchObject({
      totalResults: 5,
      itemsPerPage: 5,
      startIndex: 1,
    })
  })

  it('rejects invalid numbers with invalidValue (§3.12)', async () => {
    expectError(await client.get('/Users?count=ten'), 400, 'invalidValue')
    expectError(await client.get('/Users?startIndex=1.5'), 400, 'invalidValue')
  })

  it('returns the number of matches of a filter as the total (§3.4.2)', async () => {
    const { body } = await client.filter('/Users', 'userName ge "c"', '&count=1')
    expect(body).toMatchObject({ totalResults: 3, itemsPerPage: 1 })
  })
})
