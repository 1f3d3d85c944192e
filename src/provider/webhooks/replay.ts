/** Sends events again, from any position that is still kept. */
import type { Database } from '../../storage/database/database.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { dueEventsQuery, type WebhookAddress } from '../../storage/webhooks/delivery.ts'
import { replayWebhook, type Webhook } from '../../storage/webhooks/webhooks.ts'
import { eventId } from '../events/event-feed.ts'
import { feedCursors, parseFeedCursor } from '../events/feed-cursor.ts'

export type Replay =
  | { readonly outcome: 'replayed'; readonly webhook: Webhook }
  | { readonly outcome: 'no webhook' }
  /** The text is neither a cursor nor the id of an event of this tenant. */
  | { readonly outcome: 'invalid' }
  /** Events after the position are not kept any more. */
  | { readonly outcome: 'expired' }

/**
 * Sets the position of a webhook. Its deliveries go on after it, as soon as the runtime is told.
 *
 * @param after a cursor, or the id of an event; null for all events that are kept
 */
export async function replayAfter(
  types: readonly StoredResourceType[],
  db: Database,
  { tenantId, webhookId }: WebhookAddress,
  after: string | null,
): Promise<Replay> {
  const query = dueEventsQuery(types, { tenantId, webhookId }, 0)
  const found = query.read(await db.batch(query.statements))
  if (found === undefined) return { outcome: 'no webhook' }
  const { stream } = found.page
  const oldest = Math.max(0, stream.first - 1)
  const seq = after === null ? oldest : await positionOf(after, tenantId, stream)
  if (seq === undefined || seq > stream.head.seq) return { outcome: 'invalid' }
  if (seq < oldest) return { outcome: 'expired' }
  const webhook = await replayWebhook(db, tenantId, webhookId, seq)
  return webhook === undefined ? { outcome: 'no webhook' } : { outcome: 'replayed', webhook }
}

async function positionOf(
  text: string,
  tenantId: string,
  stream: { readonly key: string; readonly createdAt: number },
): Promise<number | undefined> {
  const [seq] = /\d{1,15}$/.exec(text) ?? []
  if (seq !== undefined && text === eventId(tenantId, stream, seq)) return Number(seq)
  const cursor = parseFeedCursor(text)
  if (cursor === undefined || !(await (await feedCursors(stream.key, tenantId)).isSealed(cursor)))
    return undefined
  return cursor.position.seq
}
