/** RFC 7644 §3.4.2.3: the order of lists. */
import { describe, expect, it } from 'vitest'
import { type Client, newClient } from '../support/harness.ts'
import { namesIn } from './protocol.ts'

async function sorted(client: Client, query: string): Promise<readonly string[]> {
  const answer = await client.get(`/Users?${query}`)
  expect(answer.status, `${query}: ${JSON.stringify(answer.body)}`).toBe(200)
  return namesIn(answer)
}

describe('RFC 7644 §3.4.2.3, sorting', () => {
  it('sorts by sortBy, ascending by default, and descending if requested (§3.4.2.3)', async () => {
    const client = await newClient()
    for (const userName of ['bea', 'ada', 'cyd']) await client.createUser({ userName })
    expect(await sorted(client, 'sortBy=userName')).toEqual(['ada', 'bea', 'cyd'])
    expect(await sorted(client, 'sortBy=userName&sortOrder=ascending')).toEqual(['ada', 'bea', 'cyd'])
    expect(await sorted(client, 'sortBy=userName&sortOrder=descending')).toEqual(['cyd', 'bea', 'ada'])
  })

  it('sorts resources without a value last if ascending, first if descending (§3.4.2.3)', async () => {
    const client = await newClient()
    await client.createUser({ userName: 'none' })
    await client.createUser({ userName: 'second', title: 'B' })
    await client.createUser({ userName: 'first', title: 'A' })
    expect(await sorted(client, 'sortBy=title')).toEqual(['first', 'second', 'none'])
    expect(await sorted(client, 'sortBy=title&sortOrder=descending')).toEqual(['none', 'second', 'first'])
  })

  it('sorts regardless of case, except attributes that are case exact (§3.4.2.3)', async () => {
    const client = await newClient()
    for (const name of ['b', 'A', 'C', 'É', 'e']) {
      await client.createUser({ userName: name, externalId: name })
    }
    const folded = await sorted(client, 'sortBy=userName')
    expect(folded.filter((name) => name !== 'É')).toEqual(['A', 'b', 'C', 'e'])
    const exact = await sorted(client, 'sortBy=externalId')
    expect(exact.filter((name) => name !== 'É')).toEqual(['A', 'C', 'b', 'e'])
  })

  it('sorts by the primary value of a multi-valued attribute, or else the first (§3.4.2.3)', async () => {
    const client = await newClient()
    await client.createUser({ userName: 'second', emails: [{ value: 'm@x' }, { value: 'a@x' }] })
    await client.createUser({
      userName: 'first',
      emails: [{ value: 'z@x' }, { value: 'b@x', primary: true }],
    })
    await client.createUser({ userName: 'third', emails: [{ value: 'n@x' }] })
    expect(await sorted(client, 'sortBy=emails')).toEqual(['first', 'second', 'third'])
    expect(await sorted(client, 'sortBy=emails.value')).toEqual(['first', 'second', 'third'])
  })

  it('accepts a path to a sub-attribute, and full names in any case (§3.4.2.3, §3.10)', async () => {
    const client = await newClient()
    await client.createUser({ userName: 'second', name: { givenName: 'Bea' } })
    await client.createUser({ userName: 'first', name: { givenName: 'Ada' } })
    const urn = 'urn:ietf:params:scim:schemas:core:2.0:User'
    for (const name of ['name.givenName', 'NAME.givenname', `${urn}:name.givenName`]) {
      expect(await sorted(client, `sortBy=${name}`), name).toEqual(['first', 'second'])
    }
  })

  it('sorts dateTimes by time and booleans by value (§3.4.2.3)', async () => {
    const client = await newClient()
    await client.createUser({ userName: 'active' })
    await client.createUser({ userName: 'inactive', active: false })
    expect(await sorted(client, 'sortBy=active')).toEqual(['inactive', 'active'])
    const newestFirst = await sorted(client, 'sortBy=meta.created&sortOrder=descending&count=2')
    expect(newestFirst).toHaveLength(2)
  })

  it('sorts before it pages (§3.4.2.3, §3.4.2.4)', async () => {
    const client = await newClient()
    for (const userName of ['d', 'b', 'c', 'a']) await client.createUser({ userName })
    expect(await sorted(client, 'sortBy=userName&startIndex=2&count=2')).toEqual(['b', 'c'])
  })
})
