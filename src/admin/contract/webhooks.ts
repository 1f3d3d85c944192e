/** Webhooks: receivers to which the events of a tenant are sent. */
import * as v from 'valibot'
import { MAX_WEBHOOK_SECRETS, MAX_WEBHOOKS } from '../../scim/limits.ts'
import { COUNT, field, TEXT, TEXT_OR_NULL, TIME, TIME_OR_NULL } from './fields.ts'
import type { Routes } from './route.ts'

const URL_INPUT = v.pipe(
  TEXT,
  v.description('An https URL with the name of a public host.'),
  field({ allowed: 'a URL such as "https://receiver.example.com/events"', jsonSchema: { format: 'uri' } }),
)

const TYPES = v.pipe(
  v.nullable(v.array(TEXT)),
  v.description('The wanted types of events. Null for all, those of later versions included.'),
  field({ allowed: 'a list of types of events, or null for all' }),
)

const STATE = v.picklist(['active', 'disabled'])

export const WEBHOOK_INPUT = v.pipe(
  v.strictObject({ url: URL_INPUT, types: v.optional(TYPES, null) }),
  v.title('WebhookInput'),
  v.examples([{ url: 'https://receiver.example.com/events', types: ['user.deactivated', 'user.deleted'] }]),
)

export const WEBHOOK_CHANGE = v.pipe(
  v.strictObject({ url: v.optional(URL_INPUT), types: v.optional(TYPES), state: v.optional(STATE) }),
  v.title('WebhookChange'),
  v.examples([{ state: 'active' }]),
)

const REPLAY = v.pipe(
  v.strictObject({
    after: v.pipe(
      TEXT_OR_NULL,
      v.description('A cursor, or the id of an event. Null for all events that are kept.'),
      field({ allowed: 'a cursor or the id of an event, or null' }),
    ),
  }),
  v.title('Replay'),
  v.examples([{ after: 'evt_acme_mhyk3x5c_17' }]),
)

const SECRET = v.strictObject({ id: TEXT, createdAt: TIME })

const WEBHOOK_ENTRIES = {
  id: TEXT,
  url: v.pipe(TEXT, v.description('For a viewer, without its path: that may hold a secret of the receiver.')),
  types: TYPES,
  state: STATE,
  disabledReason: v.pipe(
    TEXT_OR_NULL,
    v.description('Why it was disabled. Null if an administrator disabled it.'),
  ),
  createdAt: TIME,
  secrets: v.pipe(v.array(SECRET), v.description('Each signs every delivery.')),
  eventsBehind: v.pipe(COUNT, v.description('Events after the last one that was delivered.')),
  behindSince: v.pipe(
    TIME_OR_NULL,
    v.description('The time of the oldest event that is not delivered. Null if there is none.'),
  ),
  attempts: v.pipe(COUNT, v.description('Consecutive failed attempts.')),
  failingSince: TIME_OR_NULL,
  nextAttemptAt: TIME_OR_NULL,
  lastAttemptAt: TIME_OR_NULL,
  lastSuccessAt: TIME_OR_NULL,
  lastError: v.pipe(TEXT_OR_NULL, v.description('The latest failure. Null after a success.')),
}

const WEBHOOK = v.pipe(v.strictObject(WEBHOOK_ENTRIES), v.title('Webhook'))

const SECRET_TEXT = v.pipe(TEXT, v.regex(/^whsec_/))

const NEW_WEBHOOK = v.pipe(v.strictObject({ ...WEBHOOK_ENTRIES, secret: SECRET_TEXT }), v.title('NewWebhook'))

export const NEW_SECRET = v.pipe(
  v.strictObject({ id: TEXT, createdAt: TIME, secret: SECRET_TEXT }),
  v.title('NewWebhookSecret'),
)

export const DELIVERY = v.pipe(
  v.strictObject({
    time: TIME,
    eventId: v.pipe(
      TEXT_OR_NULL,
      v.description('Null if events could not be sent, because they are no longer kept.'),
    ),
    type: TEXT_OR_NULL,
    attempt: v.pipe(COUNT, v.description('Counted from 1.')),
    status: v.pipe(
      v.nullable(v.pipe(v.number(), v.integer())),
      v.description('The status of the answer. Null without one.'),
    ),
    error: v.pipe(TEXT_OR_NULL, v.description('Null if the event was delivered.')),
    durationMs: COUNT,
  }),
  v.title('Delivery'),
)

const PATH = '/tenants/{id}/webhooks/{webhookId}'

export const webhookRoutes = {
  listWebhooks: {
    method: 'GET',
    path: '/tenants/{id}/webhooks',
    permission: 'read',
    summary: 'Lists the webhooks of a tenant, with the state of their deliveries',
    answers: {
      200: { description: 'All webhooks, oldest first.', body: v.object({ webhooks: v.array(WEBHOOK) }) },
    },
    refusals: [404],
  },
  createWebhook: {
    method: 'POST',
    path: '/tenants/{id}/webhooks',
    permission: 'change',
    summary: 'Creates a webhook',
    description: `Its deliveries begin with the next event. Only this answer contains the secret. A tenant can have ${MAX_WEBHOOKS} webhooks.`,
    body: WEBHOOK_INPUT,
    answers: {
      201: {
        description: 'Created.',
        body: NEW_WEBHOOK,
        headers: { Location: 'The path of the webhook.' },
      },
    },
    refusals: [404, 409],
  },
  getWebhook: {
    method: 'GET',
    path: PATH,
    permission: 'read',
    summary: 'Reads a webhook, with the state of its deliveries',
    answers: { 200: { description: 'The webhook.', body: WEBHOOK } },
    refusals: [404],
  },
  updateWebhook: {
    method: 'PATCH',
    path: PATH,
    permission: 'change',
    summary: 'Changes the URL or the types of a webhook, disables it, or enables it again',
    description:
      'A webhook that is enabled, or has a new URL, goes on at once with the event after the last one that was delivered.',
    body: WEBHOOK_CHANGE,
    answers: { 200: { description: 'The changed webhook.', body: WEBHOOK } },
    refusals: [404],
  },
  deleteWebhook: {
    method: 'DELETE',
    path: PATH,
    permission: 'change',
    summary: 'Deletes a webhook',
    answers: { 204: { description: 'Deleted.' } },
    refusals: [404],
  },
  createWebhookSecret: {
    method: 'POST',
    path: `${PATH}/secrets`,
    permission: 'change',
    summary: 'Adds a secret to a webhook',
    description: `Only this answer contains the secret. Each delivery has a signature of every secret, so a receiver can change to the new one at any time. A webhook can have ${MAX_WEBHOOK_SECRETS} secrets.`,
    answers: { 201: { description: 'Added.', body: NEW_SECRET } },
    refusals: [404, 409],
  },
  deleteWebhookSecret: {
    method: 'DELETE',
    path: `${PATH}/secrets/{secretId}`,
    permission: 'change',
    summary: 'Removes a secret of a webhook',
    description: 'The last secret cannot be removed.',
    answers: { 204: { description: 'Removed.' } },
    refusals: [404, 409],
  },
  listDeliveries: {
    method: 'GET',
    path: `${PATH}/deliveries`,
    permission: 'read',
    summary: 'Lists the latest deliveries of a webhook, newest first',
    description: 'An event that was tried several times has an entry for each attempt.',
    answers: {
      200: { description: 'The deliveries.', body: v.object({ deliveries: v.array(DELIVERY) }) },
    },
    refusals: [404],
  },
  replayWebhook: {
    method: 'POST',
    path: `${PATH}/replay`,
    permission: 'change',
    summary: 'Sends the events after a position again',
    description: 'Any event that is still kept can be the position. The events have the same ids as before.',
    body: REPLAY,
    answers: { 200: { description: 'The webhook, which goes on after the position.', body: WEBHOOK } },
    refusals: [404],
  },
  testWebhook: {
    method: 'POST',
    path: `${PATH}/test`,
    permission: 'change',
    summary: 'Sends a test event and returns the outcome',
    description: 'The type of the event is `webhook.test`. It is sent once, also to a disabled webhook.',
    answers: { 200: { description: 'The attempt.', body: DELIVERY } },
    refusals: [404],
  },
} as const satisfies Routes
