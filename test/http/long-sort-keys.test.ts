/** Walks by cursor through values that are longer than a cursor (RFC 9865 §2: it travels in a URL). */
import { describe, expect, it } from 'vitest'
import { MAX_CURSOR_CHARACTERS, MAX_CURSOR_KEY_CHARACTERS } from '../../src/scim/limits.ts'
import { type Answer, type Client, newClient } from '../support/harness.ts'
import { addUsersWithTitles } from '../support/large.ts'

const idsOf = ({ body }: Answer): string[] => body.Resources.map(({ id }: { id: string }) => id)

/** Users whose titles have a beginning in common, in the order of their titles, which is not that of their ids. */
async function clientWith(titles: readonly string[]): Promise<{ client: Client; ids: readonly string[] }> {
  const client = await newClient()
  const ids = titles.map((_, i) => `user-${(i * 7) % titles.length}-${i}`)
  await addUsersWithTitles(client.tenantId, new Map(titles.map((title, i) => [ids[i] ?? '', title])))
  return { client, ids }
}

/** The ids of each page, and how to go on from the last one. */
async function walk(client: Client, path: string, direction: 'nextCursor' | 'previousCursor', from = '') {
  const pages: string[][] = []
  let last: Answer | undefined
  for (let cursor: string | undefined = from; cursor !== undefined && pages.length < 100; ) {
    last = await client.get(`${path}&cursor=${cursor}`)
    expect(last.status).toBe(200)
    pages.push(idsOf(last))
    for (const made of [last.body.nextCursor, last.body.previousCursor]) {
      expect(made?.length ?? 0).toBeLessThanOrEqual(MAX_CURSOR_CHARACTERS)
    }
    cursor = last.body[direction]
  }
  return { pages, last: last as Answer }
}

const LONG = 'x'.repeat(130_000)
const END = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k']

describe('a walk by cursor, sorted by a long value', () => {
  it.for<[what: string, beginning: string]>([
    ['130,000 characters', LONG],
    ['the characters that take most space in a cursor', '\u0001'.repeat(MAX_CURSOR_KEY_CHARACTERS + 1)],
    ['characters of two UTF-16 units, one of them cut', `y${'😀'.repeat(MAX_CURSOR_KEY_CHARACTERS)}`],
    ['one character more than a cursor holds', 'z'.repeat(MAX_CURSOR_KEY_CHARACTERS)],
    ['as many characters as a cursor holds', 'z'.repeat(MAX_CURSOR_KEY_CHARACTERS - 1)],
  ])('meets everything once, forwards and backwards: %s', async ([, beginning]) => {
    const { client, ids } = await clientWith(END.map((end) => `${beginning}${end}`))
    for (const [order, expected] of [
      ['ascending', ids],
      ['descending', ids.toReversed()],
    ] as const) {
      for (const count of [1, 3, 20]) {
        const path = `/Users?sortBy=title&sortOrder=${order}&count=${count}`
        const there = await walk(client, path, 'nextCursor')
        expect(there.pages.flat()).toEqual(expected)
        const { previousCursor } = there.last.body
        if (previousCursor === undefined) continue
        const back = await walk(client, path, 'previousCursor', previousCursor)
        const before = there.pages.slice(0, -1).flat()
        expect(back.pages.flatMap((page) => page.toReversed())).toEqual(before.toReversed())
      }
    }
  })

  it('meets everything once where many have the same long value', async () => {
    const { client, ids } = await clientWith([...END.map(() => LONG), 'short', `${LONG}y`, ''])
    for (const order of ['ascending', 'descending']) {
      const { pages } = await walk(client, `/Users?sortBy=title&sortOrder=${order}&count=2`, 'nextCursor')
      expect(pages.flat().length).toBe(ids.length)
      expect(pages.flat().sort()).toEqual(ids.toSorted())
    }
  })

  it('works at the root, across types', async () => {
    const { client, ids } = await clientWith(END.map((end) => `${LONG}${end}`))
    const { id: group } = await client.createGroup()
    const { pages } = await walk(client, '/?sortBy=title&count=2', 'nextCursor')
    expect(pages.flat()).toEqual([...ids, group])
  })

  it.for<[what: string, change: (client: Client, id: string) => Promise<Answer>]>([
    ['was deleted', (client, id) => client.request('DELETE', `/Users/${id}`)],
    [
      'got another value',
      (client, id) => client.patch(`/Users/${id}`, { op: 'replace', path: 'title', value: 'a' }),
    ],
    ['lost the value', (client, id) => client.patch(`/Users/${id}`, { op: 'remove', path: 'title' })],
  ])('leaves nobody out when the resource at the position %s', async ([, change]) => {
    for (const order of ['ascending', 'descending']) {
      const { client, ids } = await clientWith(END.map((end) => `${LONG}${end}`))
      const path = `/Users?sortBy=title&sortOrder=${order}&count=4`
      const first = await client.get(`${path}&cursor=`)
      const at = idsOf(first).at(-1) ?? ''
      expect((await change(client, at)).status).toBeLessThan(300)
      const { pages } = await walk(client, path, 'nextCursor', first.body.nextCursor)
      // Those that the first page showed may come again: nobody else knows what is left of the beginning.
      const met = new Set([...idsOf(first), ...pages.flat()])
      expect([...met].sort()).toEqual(ids.toSorted())
    }
  })

  it('goes on exactly behind a short value whose resource was deleted', async () => {
    const { client, ids } = await clientWith(END)
    const path = '/Users?sortBy=title&count=4'
    const first = await client.get(`${path}&cursor=`)
    await client.request('DELETE', `/Users/${idsOf(first).at(-1)}`)
    const { pages } = await walk(client, path, 'nextCursor', first.body.nextCursor)
    expect([...idsOf(first), ...pages.flat()]).toEqual(ids)
  })
})
