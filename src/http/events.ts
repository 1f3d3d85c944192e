/**
 * `GET /events`: the event feed. Errors have the form of the admin API, because the feed is not part of SCIM.
 */
import { type Context, Hono } from 'hono'
import {
  FeedError,
  type FeedParameters,
  type FeedStart,
  type ReadFeed,
  readFeed,
} from '../provider/events/event-feed.ts'
import type { HttpEnv } from '../runtime.ts'
import { quote, ScimError } from '../scim/error.ts'
import { eventTypes } from '../scim/events.ts'
import {
  DEFAULT_FEED_EVENTS,
  MAX_FEED_EVENTS,
  MAX_FEED_WAIT_SECONDS,
  MAX_WAITING_READERS,
} from '../scim/limits.ts'
import { bearerAuth } from './bearer-auth.ts'
import { clientRequest } from './client-request.ts'
import { jsonBody } from './content-type.ts'
import { inTenant } from './tenant.ts'

export const events = new Hono<HttpEnv>()
events.use(clientRequest)
// Reads go to the primary database: a replica may be behind, and a position beyond its newest event would look like one
// of a restored database.
events.get('/', bearerAuth, async (c) => {
  const { waitSeconds, ...parameters } = feedParameters(c)
  const page = await inTenant(c, (c) => readFeed(c.get('tenant'), parameters))
  const { events, cursor, hasMore } =
    isEmpty(page) && waitSeconds > 0 ? await afterWait(c, parameters, page, waitSeconds) : page
  const body = jsonBody(c, JSON.stringify({ events, cursor, hasMore }))
  return c.body(body, 200, { 'Cache-Control': 'no-store', 'Content-Type': 'application/json' })
})

function isEmpty({ events, hasMore }: ReadFeed): boolean {
  return events.length === 0 && !hasMore
}

/** Reads again when there are new events, or when the time is over. */
async function afterWait(
  c: Context<HttpEnv>,
  parameters: FeedParameters,
  page: ReadFeed,
  seconds: number,
): Promise<ReadFeed> {
  const { tenantId, databaseName } = c.get('tenant')
  const position = { tenantId, databaseName, seq: page.seq }
  if (!(await c.env.waitForEvent(position, seconds * 1000, c.req.raw.signal))) {
    const detail = `${MAX_WAITING_READERS} requests of this tenant wait for events already, the limit`
    throw new ScimError(429, undefined, `${detail}; try again, or ask without "wait"`)
  }
  await c.env.turn?.(tenantId)
  const start: FeedStart = { at: 'cursor', text: page.cursor }
  return await inTenant(c, (c) => readFeed(c.get('tenant'), { ...parameters, start }))
}

/** @throws {FeedError} 400, which names the parameter */
function feedParameters(c: Context<HttpEnv>): FeedParameters & { readonly waitSeconds: number } {
  const { after, types } = c.req.query()
  return {
    start:
      after === undefined
        ? { at: 'oldest' }
        : after === 'now'
          ? { at: 'now' }
          : { at: 'cursor', text: after },
    limit: wholeNumber(c, 'limit', DEFAULT_FEED_EVENTS, 1, MAX_FEED_EVENTS),
    types: types === undefined ? undefined : typeNames(c, types),
    waitSeconds: wholeNumber(c, 'wait', 0, 0, MAX_FEED_WAIT_SECONDS),
  }
}

function wholeNumber(c: Context<HttpEnv>, name: string, missing: number, min: number, max: number): number {
  const text = c.req.query(name)
  if (text === undefined) return missing
  if (/^\d{1,6}$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text)
  throw new FeedError(
    400,
    'invalid',
    `"${name}" must be a whole number from ${min} to ${max}, found ${quote(text)}`,
    name,
  )
}

/** An unknown type is refused: a typing error would otherwise look like a directory in which nothing happens. */
function typeNames(c: Context<HttpEnv>, text: string): readonly string[] {
  const known = eventTypes(c.get('resourceTypes'))
  const names = text.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return names
  throw new FeedError(
    400,
    'invalid',
    `"types" must name types of events, found ${quote(unknown)}; use ${known.join(', ')}`,
    'types',
  )
}
