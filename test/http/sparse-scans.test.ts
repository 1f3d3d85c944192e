/**
 * A filter without an index in a directory in which it could not test every document: where scans have a thread of their own, it
 * is answered if few documents contain a part of the value. On D1, which has no such thread and bills rows, it is refused. The
 * tests set the stored sizes of tenants, because the decision must not depend on the speed of the machine.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { addCrowd } from '../support/crowd.ts'
import { type Client, newClient } from '../support/harness.ts'

const HAS_THREAD = 'longBatch' in env.DB
const USERS = 1_000
/** Above 53,000, all documents cannot be tested; above 112,000, they cannot be searched. */
const [MANY, TOO_MANY] = [55_000, 113_000]

/** A tenant of 1,000 users, of whom every tenth is "quick 0" to "quick 9", and that counts as one of more users. */
async function clientOf(users: number): Promise<Client> {
  const client = await newClient()
  await addCrowd(client.tenantId, USERS)
  const title = `'$.title', 'quick ' || (rowid % 10), '$.addresses', json_array(json_object('locality', 'zone ' || (rowid % 2)))`
  await env.DB.prepare(
    `UPDATE users SET data = json_set(data, ${title}), keys = json_set(keys, ${title}) WHERE tenant_id = ?1`,
  )
    .bind(client.tenantId)
    .run()
  await sized(client, users)
  return client
}

/** @param pieces of 256 bytes beyond the first KiB of each user */
async function sized({ tenantId }: Client, users: number, pieces = 0): Promise<void> {
  await env.DB.prepare('UPDATE tenants SET user_count = ?2, user_pieces = ?3 WHERE id = ?1')
    .bind(tenantId, users, pieces)
    .run()
}

/** The total and the ids on a page, or the type of the error. */
async function found(client: Client, filter: string, more = '') {
  const { body } = await client.filter('/Users', filter, `&attributes=id${more}`)
  if (body.Resources === undefined) return body.scimType
  return [body.totalResults, body.Resources.map(({ id }: { id: string }) => id)]
}

describe.runIf(HAS_THREAD)('in a thread of its own, a filter without an index', () => {
  it.for([
    ['title eq "Quick 3"', ''],
    ['title ew "k 3"', ''],
    ['title sw "quick 3" and active eq true', ''],
    ['title eq "quick 3" or title eq "quick 4"', '&startIndex=15&count=7'],
    [
      'addresses[locality eq "zone 1"] and not (title eq "quick 3")',
      '&sortBy=userName&sortOrder=descending&count=9',
    ],
    ['title eq "quick 3" and not (title pr)', ''],
    ['title eq "quick 12"', ''],
  ] as const)('finds what it finds in a small directory: %s', async ([filter, more]) => {
    const client = await clientOf(USERS)
    const expected = await found(client, filter, more)
    await sized(client, MANY)
    expect(await found(client, filter, more)).toEqual(expected)
  })

  it('pages by cursor', async () => {
    const client = await clientOf(USERS)
    const all = await found(client, 'title eq "quick 3"')
    await sized(client, MANY)
    const ids: string[] = []
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const { body } = await client.filter(
        '/Users',
        'title eq "quick 3"',
        `&attributes=id&count=30&cursor=${cursor}`,
      )
      ids.push(...body.Resources.map(({ id }: { id: string }) => id))
      expect(body.totalResults).toBe(100)
      cursor = body.nextCursor
    }
    expect([ids.length, ids]).toEqual(all)
  })

  it('is refused if too many documents would be tested', async () => {
    const client = await clientOf(USERS)
    // Every document has "quick", and one in ten has "quick 3".
    for (const [users, filter, isRefused] of [
      [MANY, 'title co "quick"', false],
      [112_000, 'title eq "quick 3"', false],
      [112_000, 'title co "quick"', true],
      [TOO_MANY, 'title eq "quick 3"', true],
      // Nothing is searched for.
      [MANY, 'title ne "quick 3"', true],
      [MANY, 'title eq "sales"', true],
    ] as const) {
      await sized(client, users)
      const { body } = await client.filter('/Users', filter, '&count=1')
      expect([users, filter, body.scimType]).toEqual([users, filter, isRefused ? 'tooMany' : undefined])
    }
  })

  it('is answered for 4,500 users of 50 KB, whose documents cost less for each byte, and not for 6,000', async () => {
    const client = await clientOf(USERS)
    const pieces = (50_000 - 1_024) / 256
    for (const [users, isRefused] of [
      [4_500, false],
      [6_000, true],
    ] as const) {
      await sized(client, users, Math.floor(users * pieces))
      const { body } = await client.filter('/Users', 'title eq "quick 12"', '&count=1')
      expect([users, body.scimType]).toEqual([users, isRefused ? 'tooMany' : undefined])
    }
  })
})

describe('without a thread', () => {
  it('a filter without an index is refused if not all documents can be tested', async () => {
    const client = await clientOf(MANY)
    expect(await found(client, 'title eq "nobody"')).toEqual(HAS_THREAD ? [0, []] : 'tooMany')
  })
})
