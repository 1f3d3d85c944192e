/** Cursor-based pagination by sort keys that are longer than a cursor, which must fit into a URL (RFC 9865 §2). */
import { describe, expect, it } from 'vitest'
import { MAX_CURSOR_CHARACTERS, MAX_CURSOR_KEY_CHARACTERS } from '../../src/scim/limits.ts'
import { type Answer, type Client, newClient } from '../support/harness.ts'
import { addUsersWithTitles } from '../support/large.ts'

const idsOf = ({ body }: Answer): string[] => body.Resources.map(({ id }: { id: string }) => id)

/** Users whose titles have a common prefix, in the order of titles, which differs from the order of ids. */
async function clientWith(titles: readonly string[]): Promise<{ client: Client; ids: readonly string[] }> {
  const client = await newClient()
  const ids = titles.map((_, i) => `user-${(i * 7) % titles.length}-${i}`)
  await addUsersWithTitles(client.tenantId, new Map(titles.map((title, i) => [ids[i] ?? '', title])))
  return { client, ids }
}

/** The ids of each page, and the cursor of the last one. */
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

describe('cursor-based pagination by a long sort key', () => {
  it.for<[what: string, beginning: string]>([
    ['130,000 characters', LONG],
    ['characters with the longest encoding in a cursor', '\u0001'.repeat(MAX_CURSOR_KEY_CHARACTERS + 1)],
    ['surrogate pairs, one of which is split', `y${'😀'.repeat(MAX_CURSOR_KEY_CHARACTERS)}`],
    ['one character more than the limit of a cursor', 'z'.repeat(MAX_CURSOR_KEY_CHARACTERS)],
    ['the maximum number of characters in a cursor', 'z'.repeat(MAX_CURSOR_KEY_CHARACTERS - 1)],
  ])('returns each resource once, forwards and backwards: %s', async ([, beginning]) => {
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

  it('returns each resource once if several have the same long value', async () => {
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
  ])('skips no resource if the resource at the position of the cursor %s', async ([, change]) => {
    for (const order of ['ascending', 'descending']) {
      const { client, ids } = await clientWith(END.map((end) => `${LONG}${end}`))
      const path = `/Users?sortBy=title&sortOrder=${order}&count=4`
      const first = await client.get(`${path}&cursor=`)
      const at = idsOf(first).at(-1) ?? ''
      expect((await change(client, at)).status).toBeLessThan(300)
      const { pages } = await walk(client, path, 'nextCursor', first.body.nextCursor)
      // Resources of the first page may be repeated, because the full sort key is no longer known.
      const met = new Set([...idsOf(first), ...pages.flat()])
      expect([...met].sort()).toEqual(ids.toSorted())
    }
  })

  it('continues exactly after a short value whose resource was deleted', async () => {
    const { client, ids } = await clientWith(END)
    const path = '/Users?sortBy=title&count=4'
    const first = await client.get(`${path}&cursor=`)
    await client.request('DELETE', `/Users/${idsOf(first).at(-1)}`)
    const { pages } = await walk(client, path, 'nextCursor', first.body.nextCursor)
    expect([...idsOf(first), ...pages.flat()]).toEqual(ids)
  })
})
