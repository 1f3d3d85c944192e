import { describe, expect, it } from 'vitest'
import { MAX_SEARCH_BODY_BYTES } from '../../src/scim/limits.ts'
import { addCrowd } from '../support/crowd.ts'
import {
  type Answer,
  type Client,
  costOf,
  newClient,
  newToken,
  Client as ScimClient,
} from '../support/harness.ts'

const names = ({ body }: Answer) =>
  body.Resources.map((user: { userName?: string; displayName?: string }) => user.userName ?? user.displayName)

async function fill(client: Client): Promise<void> {
  for (const [userName, title, emails] of [
    ['charlie', 'Pilot', [{ value: 'z@x.example' }, { value: 'a@x.example', primary: true }]],
    ['Älva', undefined, [{ value: 'm@x.example' }]],
    ['bob', 'surveyor', undefined],
    ['Alice', 'Surveyor', [{ value: 'b@x.example' }]],
    ['zoë', 'Émigré', undefined],
  ] as const) {
    await client.createUser({ userName, ...(title && { title }), ...(emails && { emails }) })
  }
}

describe('sorting', () => {
  it.for([
    ['sortBy=userName', ['Alice', 'bob', 'charlie', 'zoë', 'Älva']],
    ['sortBy=userName&sortOrder=descending', ['Älva', 'zoë', 'charlie', 'bob', 'Alice']],
    ['sortBy=TITLE', ['charlie', 'bob', 'Alice', 'zoë', 'Älva']],
    ['sortBy=title&sortOrder=descending', ['Älva', 'zoë', 'Alice', 'bob', 'charlie']],
    ['sortBy=emails', ['charlie', 'Alice', 'Älva', 'bob', 'zoë']],
    ['sortBy=emails.value&sortOrder=descending', ['zoë', 'bob', 'Älva', 'Alice', 'charlie']],
    ['sortBy=meta.created', ['charlie', 'Älva', 'bob', 'Alice', 'zoë']],
    ['sortBy=urn:ietf:params:scim:schemas:core:2.0:User:userName&startIndex=2&count=2', ['bob', 'charlie']],
    ['sortBy=groups&filter=userName+pr', ['charlie', 'Älva', 'bob', 'Alice', 'zoë']],
  ] as const)('%s', async ([query, expected]) => {
    const client = await newClient()
    await fill(client)
    const answer = await client.get(`/Users?${query}`)
    expect(names(answer)).toEqual(expected)
    expect(costOf(answer).roundTrips).toBe(1)
  })

  it.for(['sortBy=shoeSize', 'sortBy=name', 'sortBy=userName&sortOrder=upwards'])(
    'rejects %s',
    async (query) => {
      const client = await newClient()
      expect((await client.get(`/Users?${query}`)).body).toMatchObject({
        status: '400',
        scimType: 'invalidValue',
      })
    },
  )
})

describe('a list sorted by meta.lastModified', () => {
  it('reads each page from an index', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 3_000)
    await fill(client)
    const latest = '/Users?sortBy=meta.lastModified&sortOrder=descending&count=2'
    const first = await client.get(`${latest}&cursor=`)
    const second = await client.get(`${latest}&cursor=${first.body.nextCursor}`)
    const found = [...first.body.Resources, ...second.body.Resources]
    // The other users are from 1970.
    expect(found.every(({ meta }) => meta.lastModified > '2026')).toBe(true)
    expect(found.map(({ meta }) => meta.lastModified)).toEqual(
      found
        .map(({ meta }) => meta.lastModified)
        .toSorted()
        .reverse(),
    )
    expect(new Set(found.map(({ id }) => id)).size).toBe(4)
    for (const page of [first, second]) expect(costOf(page).rowsRead).toBeLessThan(50)
  })
})

describe('paging by cursor', () => {
  async function walk(
    client: Client,
    query: string,
  ): Promise<{ pages: string[][]; last: Answer; first: Answer }> {
    const pages: string[][] = []
    let answer = await client.get(`/Users?cursor&count=2&${query}`)
    const first = answer
    for (;;) {
      expect(answer.status).toBe(200)
      pages.push(names(answer))
      const { nextCursor } = answer.body
      if (nextCursor === undefined) return { pages, last: answer, first }
      expect(nextCursor).toMatch(/^[A-Za-z0-9._~-]+$/)
      answer = await client.get(`/Users?cursor=${nextCursor}&count=2&${query}`)
    }
  }

  it.for([
    ['attributes=userName', ['charlie', 'Älva', 'bob', 'Alice', 'zoë']],
    ['sortBy=userName', ['Alice', 'bob', 'charlie', 'zoë', 'Älva']],
    ['sortBy=title', ['charlie', 'bob', 'Alice', 'zoë', 'Älva']],
    ['sortBy=title&sortOrder=descending', ['Älva', 'zoë', 'Alice', 'bob', 'charlie']],
    ['sortBy=emails.value&sortOrder=descending', ['zoë', 'bob', 'Älva', 'Alice', 'charlie']],
    ['sortBy=meta.lastModified&sortOrder=descending', ['zoë', 'Alice', 'bob', 'Älva', 'charlie']],
    ['sortBy=active', ['charlie', 'Älva', 'bob', 'Alice', 'zoë']],
  ] as const)('pages forwards and backwards, %s', async ([query, expected]) => {
    const client = await newClient()
    await fill(client)
    const { pages, last, first } = await walk(client, query)
    expect(pages).toEqual([expected.slice(0, 2), expected.slice(2, 4), expected.slice(4)])
    expect(first.body).not.toHaveProperty('previousCursor')
    expect(first.body).not.toHaveProperty('startIndex')
    expect(first.body.totalResults).toBe(5)
    const back = await client.get(`/Users?cursor=${last.body.previousCursor}&count=2&${query}`)
    expect(names(back)).toEqual(expected.slice(2, 4))
    const start = await client.get(`/Users?cursor=${back.body.previousCursor}&count=2&${query}`)
    expect(names(start)).toEqual(expected.slice(0, 2))
    expect(start.body).not.toHaveProperty('previousCursor')
    expect(costOf(back).roundTrips).toBe(1)
  })

  it('neither repeats nor skips existing resources while others are created and deleted', async () => {
    const client = await newClient()
    const users = []
    for (let i = 0; i < 6; i++) users.push(await client.createUser({ userName: `user-${i}` }))
    const first = await client.get('/Users?cursor=&count=2')
    await client.request('DELETE', `/Users/${users[1].id}`)
    await client.request('DELETE', `/Users/${users[2].id}`)
    await client.createUser({ userName: 'late' })
    const second = await client.get(`/Users?count=2&cursor=${first.body.nextCursor}`)
    const third = await client.get(`/Users?count=2&cursor=${second.body.nextCursor}`)
    expect([first, second, third].map(names)).toEqual([
      ['user-0', 'user-1'],
      ['user-3', 'user-4'],
      ['user-5', 'late'],
    ])
    expect(third.body).not.toHaveProperty('nextCursor')
  })

  it('counts the matches of a filter once, for the first page', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 3_000)
    const query = `/Users?count=2&filter=${encodeURIComponent('userName co "crowd"')}`
    const first = await client.get(`${query}&cursor=`)
    const second = await client.get(`${query}&cursor=${first.body.nextCursor}`)
    const back = await client.get(`${query}&cursor=${second.body.previousCursor}`)
    expect([first, second, back].map(({ body }) => body.totalResults)).toEqual([3_000, 3_000, 3_000])
    expect(names(back)).toEqual(names(first))
    for (const page of [second, back]) expect(costOf(page).rowsRead).toBeLessThan(60)
    // Without a filter, the current stored number is returned.
    const all = await client.get('/Users?count=2&cursor=')
    await client.createUser()
    expect((await client.get(`/Users?count=2&cursor=${all.body.nextCursor}`)).body.totalResults).toBe(3_001)
  })

  it('rejects a modified cursor, and a cursor of another query or client', async () => {
    const client = await newClient()
    await fill(client)
    const { nextCursor } = (await client.get('/Users?cursor&count=2')).body
    const other = new ScimClient(client.tenantId, (await newToken(client.tenantId)).token)
    const flipped = `${nextCursor[0] === 'W' ? 'X' : 'W'}${nextCursor.slice(1)}`
    for (const [who, query] of [
      [client, `cursor=${flipped}`],
      [client, 'cursor=nonsense'],
      [client, `cursor=${nextCursor}x`],
      [client, `cursor=${nextCursor}&filter=userName+pr`],
      [client, `cursor=${nextCursor}&sortBy=userName`],
      [other, `cursor=${nextCursor}`],
    ] as const) {
      const answer = await who.get(`/Users?count=2&${query}`)
      expect(answer.body, query).toMatchObject({ status: '400', scimType: 'invalidCursor' })
    }
  })

  it('rejects a count that is not an integer, treats a negative one as 0, and lowers one above the limit', async () => {
    const client = await newClient()
    await fill(client)
    expect((await client.get('/Users?cursor&count=ten')).body).toMatchObject({ scimType: 'invalidCount' })
    for (const count of ['0', '-1']) {
      const { body } = await client.get(`/Users?cursor&count=${count}`)
      expect(body).toMatchObject({ totalResults: 5, Resources: [] })
      expect(body).not.toHaveProperty('nextCursor')
    }
    expect((await client.get('/Users?cursor&count=100000')).body.itemsPerPage).toBe(5)
  })
})

describe('/.search', () => {
  it('searches one type with the parameters in the body', async () => {
    const client = await newClient()
    await fill(client)
    const answer = await client.request('POST', '/Users/.search', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
      filter: 'title pr',
      sortBy: 'userName',
      attributes: ['userName'],
      startIndex: 2,
      count: 2,
    })
    expect(answer.status).toBe(200)
    expect(names(answer)).toEqual(['bob', 'charlie'])
    expect(Object.keys(answer.body.Resources[0]).sort()).toEqual(['id', 'schemas', 'userName'])
    expect(answer.body.totalResults).toBe(4)
    expect(costOf(answer).roundTrips).toBe(1)
    expect(await client.log('?outcome=refused')).toEqual([])
  })

  it('searches across types at the root, where attributes of the other type have no value', async () => {
    const client = await newClient()
    const user = await client.createUser({ userName: 'ada', displayName: 'Delta' })
    await client.createGroup({ displayName: 'Charlie', members: [{ value: user.id }] })
    await client.createGroup({ displayName: 'Echo' })
    const all = await client.request('POST', '/.search', { sortBy: 'displayName' })
    expect(names(all)).toEqual(['Charlie', 'ada', 'Echo'])
    expect(all.body.Resources[0].members).toHaveLength(1)
    expect(all.body.totalResults).toBe(3)
    expect(costOf(all).roundTrips).toBe(1)
    const filtered = await client.request('POST', '/.search', {
      filter: 'userName eq "ada" or displayName eq "echo"',
    })
    expect(names(filtered)).toEqual(['ada', 'Echo'])
    const byGet = await client.get('?filter=userName+eq+%22ada%22')
    expect(names(byGet)).toEqual(['ada'])
    const page = await client.request('POST', '/.search', { cursor: '', count: 2 })
    const next = await client.request('POST', '/.search', { cursor: page.body.nextCursor, count: 2 })
    expect([...names(page), ...names(next)].sort()).toEqual(['Charlie', 'Echo', 'ada'])
  })

  it('rejects a body that is not a SearchRequest, and logs it as a refused read', async () => {
    const client = await newClient()
    const refused = [
      [[], 'invalidSyntax'],
      [{ schemas: ['urn:example:x'] }, 'invalidSyntax'],
      [{ filter: 5 }, 'invalidValue'],
      [{ attributes: ['userName', 5] }, 'invalidValue'],
      [{ excludedAttributes: { a: 1 } }, 'invalidValue'],
      [{ filter: 'userName' }, 'invalidFilter'],
    ] as const
    for (const [body, scimType] of refused) {
      expect((await client.request('POST', '/Users/.search', body)).body).toMatchObject({
        status: '400',
        scimType,
      })
    }
    const entries = await client.log()
    for (const entry of entries)
      expect(entry).toMatchObject({ action: 'read', outcome: 'refused', status: 400 })
    // Those of one minute with the same reason share an entry.
    const logged = entries.flatMap(({ scimType, repeated }) => Array(1 + Number(repeated)).fill(scimType))
    expect(logged.sort()).toEqual(refused.map(([, scimType]) => scimType).sort())
  })
})

describe('/Me', () => {
  it('answers 501, because the token identifies an application', async () => {
    const client = await newClient()
    expect((await client.get('/Me')).body).toMatchObject({
      status: '501',
      detail: expect.stringContaining('application'),
    })
  })
})

describe('the body of a search', () => {
  const body = (bytes: number) => `{"filter":"id pr"}`.padEnd(bytes)

  it.for(['', '/Users', '/Groups', '/GroupMemberships'])('is limited at %s/.search', async (path) => {
    const client = await newClient()
    const search = async (bytes: number) =>
      (await client.request('POST', `${path}/.search`, body(bytes))).status
    const isFilterAllowed = path !== '/GroupMemberships'
    expect(await search(MAX_SEARCH_BODY_BYTES)).toBe(isFilterAllowed ? 200 : 400)
    expect(await search(MAX_SEARCH_BODY_BYTES + 1)).toBe(413)
  })
})

describe('nested groups', () => {
  it('are shown as indirect groups of a user, even with cycles', async () => {
    const client = await newClient()
    const user = await client.createUser({ userName: 'ada' })
    const inner = await client.createGroup({ displayName: 'Inner', members: [{ value: user.id }] })
    const middle = await client.createGroup({ displayName: 'Middle', members: [{ value: inner.id }] })
    const outer = await client.createGroup({ displayName: 'Outer', members: [{ value: middle.id }] })
    await client.patch(`/Groups/${inner.id}`, { op: 'add', path: 'members', value: [{ value: outer.id }] })
    const { groups } = (await client.get(`/Users/${user.id}`)).body
    expect(
      groups.map((group: { display: string; type: string }) => `${group.display} ${group.type}`),
    ).toEqual(['Inner direct', 'Middle indirect', 'Outer indirect'])
    for (const filter of [
      `groups.value eq "${outer.id}"`,
      'groups.display eq "outer"',
      'groups[display eq "Outer" and type eq "indirect"]',
      'groups[type eq "direct" and display sw "in"]',
    ]) {
      expect((await client.filter('/Users', filter)).body.totalResults, filter).toBe(1)
    }
    expect(
      (await client.filter('/Users', 'groups[display eq "Outer" and type eq "direct"]')).body.totalResults,
    ).toBe(0)
    expect((await client.filter('/Groups', 'members[type eq "Group"]')).body.totalResults).toBe(3)
    expect((await client.get(`/Groups/${middle.id}`)).body.members).toMatchObject([
      { value: inner.id, type: 'Group', display: 'Inner' },
    ])
  })

  it('are removed from the outer group when they are deleted', async () => {
    const client = await newClient()
    const inner = await client.createGroup()
    const outer = await client.createGroup({ members: [{ value: inner.id }] })
    await client.request('DELETE', `/Groups/${inner.id}`)
    const { body } = await client.get(`/Groups/${outer.id}`)
    expect(body.members).toEqual([])
    expect(body.meta.version).toBe('W/"2"')
  })
})
