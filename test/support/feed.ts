/**
 * Readers of the event feed, for tests.
 */
import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import type { Client } from './harness.ts'

// biome-ignore lint/suspicious/noExplicitAny: -- tests assert on what they read
export type TestEvent = any

/**
 * A page of the feed, without what administrators did: every tenant of a test begins with the token that one has generated.
 * test/http/administrator-events.test.ts has the events of administrators.
 */
export async function eventsOf(client: Client, query = ''): Promise<readonly TestEvent[]> {
  const { status, body } = await client.feed(query)
  expect(status, JSON.stringify(body)).toBe(200)
  return directoryEvents(body.events)
}

/** The events of the directory among events. */
export function directoryEvents<Event extends { readonly type: string }>(
  events: readonly Event[],
): readonly Event[] {
  return events.filter(({ type }) => type !== 'administrator.acted')
}

/** All events of the directory after a cursor, or from the oldest one. */
export async function allEvents(client: Client, after?: string): Promise<readonly TestEvent[]> {
  return directoryEvents(await everyEvent(client, after))
}

/** The same, with what administrators did. */
export async function everyEvent(client: Client, after?: string): Promise<readonly TestEvent[]> {
  const events: TestEvent[] = []
  for (let cursor = after; ; ) {
    const { status, body } = await client.feed(`?limit=500${cursor === undefined ? '' : `&after=${cursor}`}`)
    expect(status, JSON.stringify(body)).toBe(200)
    events.push(...body.events)
    cursor = body.cursor
    if (!body.hasMore) return events
  }
}

export const typesOf = (events: readonly { type: string }[]) => events.map(({ type }) => type)

/** A cursor after everything that has happened so far. */
export async function now(client: Client): Promise<string> {
  return (await client.feed('?after=now')).body.cursor
}

/** Gives the events of the directory the times 1000, 2000, … so that tests need not wait. */
export async function spreadEvents({ tenantId }: Client): Promise<void> {
  await env.DB.prepare(`UPDATE events SET time = 1000 * (SELECT count(*) FROM events AS e
      WHERE e.tenant_id = ?1 AND e.seq <= events.seq AND e.type <> 'administrator.acted') WHERE tenant_id = ?1`)
    .bind(tenantId)
    .run()
}

/** The number in the id of an event: its place in the stream of its tenant. */
export const seqOf = ({ id }: { id: string }) => Number(id.slice(id.lastIndexOf('_') + 1))
