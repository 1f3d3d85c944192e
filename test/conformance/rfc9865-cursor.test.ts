/** RFC 9865: cursor-based pagination. */
import { describe, expect, it } from 'vitest'
import { type Answer, admin, Client, newClient, newToken } from '../support/harness.ts'
import { expectError, LIST_RESPONSE, namesIn, SEARCH_REQUEST } from './protocol.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e']

async function filled(): Promise<Client> {
  const client = await newClient()
  for (const userName of NAMES) await client.createUser({ userName })
  return client
}

/** Reads all pages, starting with an empty cursor. */
async function walk(client: Client, query: string): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const answer: Answer = await client.get(`/Users?cursor=${cursor}&${query}`)
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    answers.push(answer)
    expect(answers.length).toBeLessThan(10)
    cursor = answer.body.nextCursor
  }
  return answers
}

describe('RFC 9865 §2, cursors', () => {
  it('begins with an empty cursor and ends with a page without nextCursor (§2)', async () => {
    const pages = await walk(await filled(), 'count=2')
    expect(pages.map(namesIn)).toEqual([['a', 'b'], ['c', 'd'], ['e']])
    expect(pages.map(({ body }) => 'nextCursor' in body)).toEqual([true, true, false])
  })

  it('returns no page after a last page that is full (§2)', async () => {
    const [page, ...more] = await walk(await filled(), 'count=5')
    expect(more).toEqual([])
    expect(page?.body).not.toHaveProperty('nextCursor')
  })

  it('returns a ListResponse with the total of all pages (§2)', async () => {
    for (const { body } of await walk(await filled(), 'count=2')) {
      expect(body).toMatchObject({ schemas: [LIST_RESPONSE], totalResults: 5 })
      expect(body.itemsPerPage).toBe(body.Resources.length)
    }
  })

  it('generates cursors of unreserved characters only (§2)', async () => {
    for (const { body } of await walk(await filled(), 'count=2&sortBy=userName&filter=userName+pr')) {
      for (const cursor of [body.nextCursor, body.previousCursor]) {
        if (cursor !== undefined) expect(cursor).toMatch(/^[A-Za-z0-9._~-]+$/)
      }
    }
  })

  it('returns at most count resources (§2)', async () => {
    const client = await filled()
    for (const count of [1, 2, 3, 5]) {
      const pages = await walk(client, `count=${count}`)
      for (const { body } of pages) expect(body.Resources.length).toBeLessThanOrEqual(count)
      expect(pages.flatMap(namesIn)).toEqual(NAMES)
    }
  })

  it.for(['0', '-1', '-99'])('returns only the total for count %s (§2)', async (count) => {
    const { status, body } = await (await filled()).get(`/Users?cursor&count=${count}`)
    expect([status, body.totalResults, body.Resources]).toEqual([200, 5, []])
  })

  it('chooses the page size if count is missing (§2)', async () => {
    expect((await walk(await filled(), 'attributes=userName')).flatMap(namesIn)).toEqual(NAMES)
  })

  it('pages backwards by previousCursor, which the first page does not have (§2)', async () => {
    const client = await filled()
    const [first, second, third] = await walk(client, 'count=2')
    expect(first?.body).not.toHaveProperty('previousCursor')
    const back = await client.get(`/Users?cursor=${third?.body.previousCursor}&count=2`)
    expect(namesIn(back)).toEqual(['c', 'd'])
    const start = await client.get(`/Users?cursor=${second?.body.previousCursor}&count=2`)
    expect(namesIn(start)).toEqual(['a', 'b'])
    expect(start.body).not.toHaveProperty('previousCursor')
  })

  it('paginates the matches of a filter in the requested order (§2, §2.2)', async () => {
    const client = await filled()
    const query = 'count=2&sortBy=userName&sortOrder=descending&filter=userName+ne+%22c%22'
    expect((await walk(client, query)).map(namesIn)).toEqual([
      ['e', 'd'],
      ['b', 'a'],
    ])
  })

  it('uses index-based pagination without a cursor (§2.4)', async () => {
    const client = await filled()
    const answer = await client.get('/Users?count=2')
    expect(answer.body).toMatchObject({ startIndex: 1, itemsPerPage: 2, totalResults: 5 })
    expect(answer.body).not.toHaveProperty('nextCursor')
    expect(namesIn(await client.get('/Users?startIndex=3&count=2'))).toEqual(['c', 'd'])
  })
})

describe('RFC 9865 §2.1, errors', () => {
  it.for(['nonsense', 'YQ', 'a.b', '%22', 'x'.repeat(5000)])(
    'answers invalidCursor to the cursor %s (§2.1)',
    async (cursor) => {
      const client = await newClient()
      expectError(await client.get(`/Users?cursor=${cursor}`), 400, 'invalidCursor')
    },
  )

  it('answers invalidCursor to a modified cursor, and to a cursor of another query (§2.1, §5)', async () => {
    const client = await filled()
    const { nextCursor } = (await client.get('/Users?cursor&count=2')).body
    const changed = `${nextCursor.slice(0, -1)}${nextCursor.endsWith('A') ? 'B' : 'A'}`
    expectError(await client.get(`/Users?cursor=${changed}&count=2`), 400, 'invalidCursor')
    expectError(await client.get(`/Groups?cursor=${nextCursor}&count=2`), 400, 'invalidCursor')
    const filter = 'filter=userName+pr'
    expectError(await client.get(`/Users?cursor=${nextCursor}&count=2&${filter}`), 400, 'invalidCursor')
  })

  it('answers invalidCount to a count that is not a number (§2.1)', async () => {
    const client = await newClient()
    expectError(await client.get('/Users?cursor&count=ten'), 400, 'invalidCount')
  })
})

describe('RFC 9865 §3, queries by POST', () => {
  it('supports cursors in the body, for one type and at the root (§3)', async () => {
    const client = await filled()
    for (const path of ['/Users/.search', '/.search']) {
      const names: string[] = []
      let cursor: string | undefined = ''
      for (let pages = 0; cursor !== undefined && pages < 5; pages++) {
        const body: object = { schemas: [SEARCH_REQUEST], cursor, count: 2, attributes: ['userName'] }
        const answer: Answer = await client.request('POST', path, body)
        names.push(...namesIn(answer))
        cursor = answer.body.nextCursor
      }
      expect(names, path).toEqual(NAMES)
    }
  })
})

describe('RFC 9865 §4, configuration', () => {
  it('lists the pagination methods and their limits (§4)', async () => {
    const { body } = await (await newClient()).get('/ServiceProviderConfig')
    expect(body.pagination).toEqual({
      cursor: true,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize: expect.any(Number),
      maxPageSize: body.filter.maxResults,
      cursorTimeout: expect.any(Number),
    })
  })
})

describe('RFC 9865 §5, security', () => {
  it('binds a cursor to the tenant and client (§5.2)', async () => {
    const client = await filled()
    const { nextCursor } = (await client.get('/Users?cursor&count=2')).body
    const otherTenant = await filled()
    const otherClient = new Client(client.tenantId, (await newToken(client.tenantId)).token)
    const answers = [otherTenant, otherClient].map((who) => who.get(`/Users?cursor=${nextCursor}&count=2`))
    for (const answer of await Promise.all(answers)) expectError(answer, 400, 'invalidCursor')
  })

  it('verifies the token for each page, so a cursor is useless after its revocation (§5.2)', async () => {
    const { tenantId } = await filled()
    const { id, token } = await newToken(tenantId)
    const client = new Client(tenantId, token)
    const { nextCursor } = (await client.get('/Users?cursor&count=2')).body
    await admin('DELETE', `/tenants/${tenantId}/tokens/${id}`)
    expectError(await client.get(`/Users?cursor=${nextCursor}&count=2`), 401)
  })

  it('does not reveal values in a cursor that no page returned (§5.2)', async () => {
    const client = await filled()
    const { body } = await client.get('/Users?cursor&count=2&sortBy=userName')
    const seen = JSON.stringify(body.Resources)
    const [payload = ''] = body.nextCursor.split('.')
    const text = atob(payload.replaceAll('-', '+').replaceAll('_', '/'))
    for (const name of ['"c"', '"d"', '"e"']) expect(text).not.toContain(name)
    expect(seen).toContain('"b"')
  })
})
