/**
 * The event feed of a tenant: pages of events, each with a cursor after it. docs/consume/events.md describes it for those who read
 * it.
 */
import { quote, ScimError } from '../../scim/error.ts'
import { MAX_EVENT_BYTES_SENT } from '../../scim/limits.ts'
import { readAs } from '../../storage/access/tokens.ts'
import {
  type EventStream,
  type FeedPage,
  type FeedPosition,
  type FeedRequest,
  feedQuery,
  type StoredEvent,
} from '../../storage/events/feed.ts'
import type { TenantContext } from '../../storage/tenants/context.ts'
import { type FeedCursors, feedCursors, parseFeedCursor } from './feed-cursor.ts'

/** Where a page begins. */
export type FeedStart =
  /** The oldest event that is kept. */
  | { readonly at: 'oldest' }
  /** The newest one: the page is empty, and its cursor is for what comes from now on. */
  | { readonly at: 'now' }
  | { readonly at: 'cursor'; readonly text: string }

export interface FeedParameters extends Pick<FeedRequest, 'limit' | 'types'> {
  readonly start: FeedStart
}

/** An event as readers see it. */
export interface FeedEvent {
  readonly id: string
  readonly type: string
  /** ISO 8601. */
  readonly timestamp: string
  readonly tenant: string
  /** The position after this event. */
  readonly cursor: string
  readonly source: {
    readonly clientId: string | null
    readonly clientName: string | null
    readonly requestId: string | null
  }
  readonly data: Readonly<Record<string, unknown>>
}

export interface FeedAnswer {
  readonly events: readonly FeedEvent[]
  readonly cursor: string
  readonly hasMore: boolean
}

/** A page, and the number of the event after which the next one begins. */
export interface ReadFeed extends FeedAnswer {
  readonly seq: number
}

/** A refusal of the feed, with the code that its readers act on. */
export class FeedError extends ScimError {
  readonly code: string
  readonly field: string

  constructor(status: number, code: string, detail: string, field: string) {
    super(status, undefined, detail)
    this.code = code
    this.field = field
  }
}

/**
 * Reads a page in one round trip, which also checks the token.
 *
 * @throws {FeedError} 400 invalid_cursor: it is not a cursor of this tenant; 410 cursor_expired: the events after it are
 *   not kept any more, or the database was restored to an earlier time
 * @throws {ScimError} 401
 */
export async function readFeed(tenant: TenantContext, { start, ...page }: FeedParameters): Promise<ReadFeed> {
  const cursor = start.at === 'cursor' ? parseFeedCursor(start.text) : undefined
  if (start.at === 'cursor' && cursor === undefined) throw invalidCursor(start.text)
  const query = feedQuery(tenant.resourceTypes, tenant.tenantId, {
    ...page,
    // Nothing comes after the largest number.
    after: start.at === 'now' ? { seq: Number.MAX_SAFE_INTEGER, time: 0 } : cursor?.position,
  })
  const found = query.read(await readAs(tenant, query.statements, { feed: { seq: cursor?.position.seq } }))
  if (found === undefined) throw new Error('a tenant with a valid token has no row')
  const cursors = await feedCursors(found.stream.key, tenant.tenantId)
  if (start.at === 'cursor' && cursor !== undefined) {
    if (!(await cursors.isSealed(cursor))) throw invalidCursor(start.text)
    requireKept(cursor.position, found.stream)
  }
  const end = start.at === 'now' ? found.stream.head : found.end
  return {
    events: await feedEvents(tenant.tenantId, found, cursors),
    cursor: await cursors.seal(end),
    hasMore: start.at === 'now' ? false : found.hasMore,
    seq: end.seq,
  }
}

function invalidCursor(text: string): FeedError {
  const advice = 'read the whole directory again, as for the first time'
  return new FeedError(
    400,
    'invalid_cursor',
    `${quote(text)} is not a cursor of this tenant; ${advice}`,
    'after',
  )
}

/** @throws {FeedError} cursor_expired */
function requireKept({ seq, time }: FeedPosition, { first, head, timeAtPosition }: EventStream): void {
  const advice = 'take a cursor with after=now, read the whole directory again, and follow that cursor'
  if (seq > head.seq || (timeAtPosition !== null && timeAtPosition !== time)) {
    const reason = 'the directory was restored to an earlier time than that of the cursor'
    throw new FeedError(410, 'cursor_expired', `${reason}; ${advice}`, 'after')
  }
  if (seq >= first - 1) return
  throw new FeedError(410, 'cursor_expired', `events after the cursor are no longer kept; ${advice}`, 'after')
}

/** The events of a page as readers see them. */
export async function feedEvents(
  tenantId: string,
  page: FeedPage,
  cursors: FeedCursors,
): Promise<readonly FeedEvent[]> {
  return await Promise.all(page.events.map((event) => feedEvent(tenantId, page, event, cursors)))
}

async function feedEvent(
  tenantId: string,
  { stream }: FeedPage,
  event: StoredEvent,
  cursors: FeedCursors,
): Promise<FeedEvent> {
  const { seq, type, time, clientId, clientName, requestId, resourceId } = event
  const data = JSON.parse(event.data) as Record<string, unknown>
  if (event.members !== null) data.members = JSON.parse(event.members)
  return bounded({
    id: eventId(tenantId, stream, seq),
    type,
    timestamp: new Date(time).toISOString(),
    tenant: tenantId,
    cursor: await cursors.seal({ seq, time }),
    source: { clientId, clientName, requestId },
    data: { ...(resourceId !== null && { id: resourceId }), ...data },
  })
}

/** The id of an event, the same in the feed and in webhooks. A tenant that is deleted and created again has others. */
export function eventId(
  tenantId: string,
  { createdAt }: Pick<EventStream, 'createdAt'>,
  seq: number | string,
): string {
  return `evt_${tenantId}_${createdAt.toString(36)}_${seq}`
}

/** Members with very long names are shown by id, type and version only: see MAX_EVENT_BYTES_SENT. */
function bounded(event: FeedEvent): FeedEvent {
  const { members } = event.data
  if (!Array.isArray(members)) return event
  if (new TextEncoder().encode(JSON.stringify(event)).length <= MAX_EVENT_BYTES_SENT) return event
  const short = members.map(({ id, type, version }) => ({ id, type, version }))
  return { ...event, data: { ...event.data, members: short } }
}
