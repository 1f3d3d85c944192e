/** A test event: sent at the request of an administrator, outside of the feed, also to a disabled webhook. */
import { TEST_EVENT } from '../../scim/events.ts'
import type { Database } from '../../storage/database/database.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { dueEventsQuery, type WebhookAddress } from '../../storage/webhooks/delivery.ts'
import { type Delivery, recordDelivery } from '../../storage/webhooks/webhooks.ts'
import type { FeedEvent } from '../events/event-feed.ts'
import { feedCursors } from '../events/feed-cursor.ts'
import { attemptDelivery, type WebhookRunner } from './deliver.ts'

export interface TestSender extends Pick<WebhookRunner, 'post' | 'allowLoopback' | 'now'> {
  readonly resourceTypes: readonly StoredResourceType[]
  readonly newId: () => string
}

/**
 * Sends a test event now, once. The position of the webhook does not change.
 *
 * @returns undefined if the tenant has no such webhook
 */
export async function sendTestEvent(
  sender: TestSender,
  db: Database,
  address: WebhookAddress,
): Promise<Delivery | undefined> {
  const query = dueEventsQuery(sender.resourceTypes, address, 0)
  const found = query.read(await db.batch(query.statements))
  if (found === undefined) return undefined
  const { stream } = found.page
  const cursors = await feedCursors(stream.key, address.tenantId)
  const event: FeedEvent = {
    id: `evt_test_${sender.newId()}`,
    type: TEST_EVENT,
    timestamp: new Date(sender.now()).toISOString(),
    tenant: address.tenantId,
    cursor: await cursors.seal(stream.head),
    source: { clientId: null, clientName: null, requestId: null },
    data: {},
  }
  const { delivery } = await attemptDelivery(sender, found.state, event, 1)
  await recordDelivery(db, address.tenantId, address.webhookId, delivery)
  return delivery
}
