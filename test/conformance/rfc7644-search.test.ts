/** RFC 7644 §3.4.3: queries by POST. */
import { describe, expect, it } from 'vitest'
import { type Client, newClient } from '../support/harness.ts'
import { expectError, LIST_RESPONSE, namesIn, SEARCH_REQUEST } from './protocol.ts'

const search = (client: Client, path: string, parameters: object) =>
  client.request('POST', `${path}/.search`, { schemas: [SEARCH_REQUEST], ...parameters })

async function fill(client: Client): Promise<void> {
  const user = await client.createUser({ userName: 'jsmith', displayName: 'Smith, James', title: 'Pilot' })
  await client.createUser({ userName: 'ada', displayName: 'Byron, Ada' })
  await client.createGroup({ displayName: 'Smith Family', members: [{ value: user.id }] })
}

describe('RFC 7644 §3.4.3, queries by POST', () => {
  it('searches across all types at the root (§3.4.3)', async () => {
    const client = await newClient()
    await fill(client)
    const answer = await search(client, '', {
      attributes: ['displayName', 'userName'],
      filter: 'displayName sw "smith"',
      startIndex: 1,
      count: 10,
    })
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ schemas: [LIST_RESPONSE], totalResults: 2, startIndex: 1 })
    for (const resource of answer.body.Resources) {
      expect(Object.keys(resource)).toEqual(expect.arrayContaining(['schemas', 'id', 'displayName']))
      expect(resource).not.toHaveProperty('members')
      expect(resource).not.toHaveProperty('meta')
    }
  })

  it('creates nothing (§3.4.3)', async () => {
    const client = await newClient()
    for (const path of ['', '/Users', '/Groups']) {
      const answer = await search(client, path, {})
      expect([answer.status, answer.body.totalResults]).toEqual([200, 0])
    }
  })

  it('accepts all parameters of a GET, with the same results (§3.4.2, §3.4.3)', async () => {
    const client = await newClient()
    await fill(client)
    for (const parameters of [
      { filter: 'title pr' },
      { sortBy: 'userName' },
      { sortBy: 'userName', sortOrder: 'descending' },
      { startIndex: 2, count: 1 },
      { count: 0 },
      { attributes: ['userName', 'displayName'] },
      { excludedAttributes: ['displayName'] },
    ]) {
      const query = new URLSearchParams(
        Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)]),
      )
      const byGet = await client.get(`/Users?${query}`)
      const byPost = await search(client, '/Users', parameters)
      expect(byPost.body, JSON.stringify(parameters)).toEqual(byGet.body)
    }
  })

  it('searches only the type of its endpoint (§3.4.3)', async () => {
    const client = await newClient()
    await fill(client)
    expect(namesIn(await search(client, '/Users', {}))).toEqual(['jsmith', 'ada'])
    expect(namesIn(await search(client, '/Groups', {}))).toEqual(['Smith Family'])
  })

  it('returns "always" attributes regardless of excludedAttributes (§3.4.3)', async () => {
    const client = await newClient()
    await fill(client)
    const { body } = await search(client, '/Users', { excludedAttributes: ['id', 'schemas', 'userName'] })
    for (const resource of body.Resources) {
      expect(resource).toMatchObject({ id: expect.any(String), schemas: expect.any(Array) })
      expect(resource).not.toHaveProperty('userName')
    }
  })

  it('rejects another message and invalid parameters (§3.4.3, §3.12)', async () => {
    const client = await newClient()
    const other = { schemas: [LIST_RESPONSE], filter: 'userName pr' }
    expectError(await client.request('POST', '/Users/.search', other), 400, 'invalidSyntax')
    expectError(await search(client, '/Users', { filter: 'userName' }), 400, 'invalidFilter')
    expectError(await search(client, '/Users', { filter: '', count: 'ten' }), 400, 'invalidValue')
    expectError(await search(client, '/Users', { attributes: 5 }), 400, 'invalidValue')
    expectError(await search(client, '/Users', { sortBy: 5 }), 400, 'invalidValue')
  })
})
