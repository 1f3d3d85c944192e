/**
 * Readers of the event feed, for tests.
 */
import { expect } from 'vitest'
import type { Client } from './harness.ts'

// biome-ignore lint/suspicious/noExplicitAny: -- tests assert on what they read
export type TestEvent = any

/** A page of the feed. */
export async function eventsOf(client: Client, query = ''): Promise<readonly TestEvent[]> {
  const { status, body } = await client.feed(query)
  expect(status, JSON.stringify(body)).toBe(200)
  return body.events
}

/** All events after a cursor, or from the oldest one. */
export async function allEvents(client: Client, after?: string): Promise<readonly TestEvent[]> {
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

/** The number in the id of an event: its place in the stream of its tenant. */
export const seqOf = ({ id }: { id: string }) => Number(id.slice(id.lastIndexOf('_') + 1))
