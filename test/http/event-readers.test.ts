/** Readers of the event feed in unusual positions: old cursors, restored databases, full streams, many that wait. */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { feedCursors } from '../../src/provider/events/feed-cursor.ts'
import { MAX_EVENT_BYTES, MAX_WAITING_READERS } from '../../src/scim/limits.ts'
import { allEvents, eventsOf, now, seqOf, typesOf } from '../support/feed.ts'
import { type Client, newClient } from '../support/harness.ts'

const run = (text: string, ...values: unknown[]) =>
  env.DB.prepare(text)
    .bind(...values)
    .run()

/** A cursor that the server would have made for a position. */
async function cursorAt({ tenantId }: Client, seq: number, time = 0): Promise<string> {
  const key = await env.DB.prepare('SELECT event_key AS key FROM tenants WHERE id = ?')
    .bind(tenantId)
    .first<string>('key')
  return await (await feedCursors(key ?? '', tenantId)).seal({ seq, time })
}

const codeOf = async (client: Client, after: string) => {
  const { status, body } = await client.feed(`?after=${after}`)
  return [status, body.error?.code]
}

describe('a reader', () => {
  it('of an empty tenant gets a cursor after which everything comes', async () => {
    const client = await newClient()
    const first = await client.feed('?after=now')
    expect(first.body).toMatchObject({ events: [], hasMore: false })
    // After the event of the token.
    expect((await client.feed()).body.cursor).toEqual(first.body.cursor)
    await client.createUser()
    expect(typesOf(await eventsOf(client, `?after=${first.body.cursor}`))).toEqual(['user.created'])
  })

  it('with a sealed cursor of an impossible position is told to begin again', async () => {
    const client = await newClient()
    await client.createUser()
    for (const seq of [-1, 2 ** 53, 1e21, 0.5, Number.NaN])
      expect(await codeOf(client, await cursorAt(client, seq))).toEqual([400, 'invalid_cursor'])
    expect(await codeOf(client, await cursorAt(client, 999_999_999_999_999))).toEqual([410, 'cursor_expired'])
    expect((await client.feed(`?after=${await cursorAt(client, 0)}`)).body.events).toHaveLength(2)
  })

  it('whose events were replaced by new ones begins again, and another one goes on', async () => {
    const client = await newClient()
    await client.createUser()
    const old = await now(client)
    const fill = (from: number, count: number, base: number) =>
      run(
        `INSERT INTO events (tenant_id, seq, type, time, resource_id, data, total_bytes)
         SELECT ?1, ?2 + value, 'user.updated', 1, 'u', '{}', ?3 + value FROM json_each(?4)`,
        client.tenantId,
        from,
        base,
        JSON.stringify([...Array(count).keys()]),
      )
    await fill(3, 200, 1_000)
    const late = await cursorAt(client, 202, 1)
    await fill(203, 63, MAX_EVENT_BYTES + 2_000)
    const events = await allEvents(client, late)
    expect(events.map(seqOf)).toEqual(Array.from({ length: 63 }, (_, i) => 203 + i))
    expect(await codeOf(client, old)).toEqual([410, 'cursor_expired'])
    expect(seqOf((await eventsOf(client, '?limit=1'))[0])).toBe(203)
    await client.createUser()
    expect((await eventsOf(client, `?after=${await cursorAt(client, 265, 1)}`)).map(seqOf)).toEqual([266])
  })

  it('of a database that was restored to an earlier time begins again', async () => {
    const client = await newClient()
    for (let i = 0; i < 4; i++) await client.createUser()
    const [first, , third, fourth] = await eventsOf(client)
    await run('DELETE FROM events WHERE tenant_id = ? AND seq > 3', client.tenantId)
    // Beyond the newest event.
    expect(await codeOf(client, third.cursor)).toEqual([410, 'cursor_expired'])
    await new Promise((wait) => setTimeout(wait, 5))
    for (let i = 0; i < 4; i++) await client.createUser()
    // Another event has the number now.
    expect(await codeOf(client, third.cursor)).toEqual([410, 'cursor_expired'])
    expect(await codeOf(client, fourth.cursor)).toEqual([410, 'cursor_expired'])
    expect((await eventsOf(client, `?after=${first.cursor}`)).map(seqOf)).toEqual([3, 4, 5, 6, 7])
  })

  it('of a tenant that an older version created has cursors', async () => {
    const client = await newClient()
    // The older version does not know the column.
    const old = `o-${crypto.randomUUID()}`
    await run(`INSERT INTO tenants (id, name, created_at) VALUES (?1, 'Old', 0)`, old)
    const keys = await env.DB.prepare('SELECT event_key AS key FROM tenants WHERE id IN (?1, ?2)')
      .bind(client.tenantId, old)
      .all<{ key: string }>()
    expect(new Set(keys.results.map(({ key }) => key)).size).toBe(2)
    for (const { key } of keys.results) expect(key).toMatch(/^[0-9a-f]{32}$/)
  })

  it('waits beside a hundred others at most', async () => {
    const client = await newClient()
    const after = await now(client)
    const waiting = Array.from({ length: MAX_WAITING_READERS + 1 }, () =>
      client.feed(`?after=${after}&wait=20`),
    )
    const refused = await Promise.race(waiting)
    expect([refused.status, refused.body.error.code]).toEqual([429, 'tooMany'])
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0)
    // Without "wait" there is always an answer.
    expect((await client.feed(`?after=${after}`)).status).toBe(200)
    await client.createUser()
    const answers = (await Promise.all(waiting)).filter((answer) => answer !== refused)
    expect(answers).toHaveLength(MAX_WAITING_READERS)
    for (const { status, body } of answers)
      expect([status, typesOf(body.events)]).toEqual([200, ['user.created']])
  })
})
