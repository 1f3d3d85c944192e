/**
 * The OpenAPI description of the event feed and of the requests of webhooks, which carry the same events. The types of
 * events follow from the resource types.
 */
import { canBeDisabled } from '../../scim/active.ts'
import { HEALTH_STATES } from '../../scim/client-health.ts'
import {
  ADMINISTRATOR_ACTED,
  CLIENT_EVENTS,
  DEPROVISION_UNUSUAL,
  eventType,
  SOURCE_CONFLICT,
  TENANT_EVENTS,
  TEST_EVENT,
} from '../../scim/events.ts'
import {
  DEFAULT_FEED_EVENTS,
  MAX_EVENT_BYTES_SENT,
  MAX_EVENT_MEMBERS,
  MAX_FEED_EVENTS,
  MAX_FEED_WAIT_SECONDS,
  WEBHOOK_TIMEOUT_SECONDS,
} from '../../scim/limits.ts'
import type { ResourceType } from '../../scim/schema/definition.ts'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import { CONFLICT_KINDS } from '../../storage/sources/open-conflicts.ts'
import { arrayOf, type Json, object, ref } from './json-schema.ts'

const TEXT = { type: 'string' } as const
const TEXT_OR_NULL = { type: ['string', 'null'] } as const
const TIME = { type: 'string', format: 'date-time' } as const
const VERSION = { type: 'integer', minimum: 1, description: 'The number in "meta.version".' } as const

/** The path item of the feed. */
export const FEED_PATH_ITEM: Json = {
  get: {
    tags: ['Events'],
    operationId: 'listEvents',
    summary: 'Reads the changes of the directory, in the order of their commits',
    description:
      'A token that may read is enough. Ask with "cursor" of the answer for the events that follow.',
    parameters: [
      query('after', TEXT, 'A cursor. Without it, the oldest event that is kept; "now" for what comes next.'),
      query(
        'limit',
        { type: 'integer', minimum: 1, maximum: MAX_FEED_EVENTS, default: DEFAULT_FEED_EVENTS },
        'The most events of the page.',
      ),
      query('types', TEXT, 'The wanted types, separated by commas.'),
      query(
        'wait',
        { type: 'integer', minimum: 0, maximum: MAX_FEED_WAIT_SECONDS, default: 0 },
        'How many seconds to wait if there is no event yet.',
      ),
    ],
    responses: {
      200: { description: 'A page, oldest event first.', content: json(ref('schemas', 'EventPage')) },
      400: failure('A parameter is invalid, or "after" is not a cursor of this tenant (invalid_cursor).'),
      401: {
        ...failure('The token is missing or invalid.'),
        headers: { 'WWW-Authenticate': ref('headers', 'WwwAuthenticate') },
      },
      410: failure('Events after the cursor are no longer kept (cursor_expired).'),
      429: failure('Too many requests, or too many of them wait.'),
      503: failure('The directory is temporarily unavailable.'),
    },
  },
}

/** The requests that the server sends: the value of "webhooks" in the document. */
export const WEBHOOKS: Json = {
  event: {
    post: {
      tags: ['Events'],
      operationId: 'receiveEvent',
      summary: 'An event, sent to the webhooks of the tenant',
      description: `Standard Webhooks 1.0.0. Repeated with the same "webhook-id" until the receiver answers with 2xx within ${WEBHOOK_TIMEOUT_SECONDS} seconds. The body has at most ${MAX_EVENT_BYTES_SENT} bytes.`,
      security: [],
      parameters: [
        header('webhook-id', 'The id of the event, the same for each attempt.'),
        header('webhook-timestamp', 'The time of the attempt, in seconds since 1970.'),
        header(
          'webhook-signature',
          '"v1," and the signature in base64, for each secret, separated by spaces.',
        ),
      ],
      requestBody: { required: true, content: json(ref('schemas', 'Event')) },
      responses: {
        '2XX': { description: 'The event is accepted, and the next one is sent.' },
        410: { description: 'The webhook is disabled.' },
      },
    },
  },
}

/** The component schemas of events. */
export function eventSchemas(types: readonly ResourceType[]): Json {
  const groups = types.filter(hasMembers)
  return {
    Event: {
      ...object(
        {
          id: TEXT,
          type: TEXT,
          timestamp: TIME,
          tenant: TEXT,
          cursor: { ...TEXT, description: 'The position after this event.' },
          source: ref('schemas', 'EventSource'),
          data: { type: 'object' },
        },
        ['id', 'type', 'timestamp', 'tenant', 'cursor', 'source', 'data'],
        true,
      ),
      oneOf: [
        ...types.flatMap(kindsOf),
        ofTypes([...TENANT_EVENTS, TEST_EVENT], object({}, [], true)),
        ofTypes([SOURCE_CONFLICT], ref('schemas', 'SourceConflict')),
        ofTypes(CLIENT_EVENTS, ref('schemas', 'ClientHealthChanged')),
        ofTypes([DEPROVISION_UNUSUAL], ref('schemas', 'UnusualDeprovisioning')),
        ofTypes([ADMINISTRATOR_ACTED], ref('schemas', 'AdministratorActed')),
      ],
    },
    EventSource: {
      description:
        'The client and the request that made the change. All null if there is none, or none is known.',
      ...object(
        { clientId: TEXT_OR_NULL, clientName: TEXT_OR_NULL, requestId: TEXT_OR_NULL },
        ['clientId', 'clientName', 'requestId'],
        true,
      ),
    },
    SourceConflict: conflictSchema(),
    ClientHealthChanged: clientHealthSchema(),
    UnusualDeprovisioning: deprovisioningSchema(),
    AdministratorActed: administratorActedSchema(),
    ...Object.fromEntries(types.flatMap(dataSchemas)),
    ...(groups.length > 0 && { EventMember: memberSchema() }),
    EventPage: object(
      { events: arrayOf(ref('schemas', 'Event')), cursor: TEXT, hasMore: { type: 'boolean' } },
      ['events', 'cursor', 'hasMore'],
      true,
    ),
  }
}

function kindsOf(type: ResourceType): readonly Json[] {
  const changes = [
    eventType(type, 'created'),
    eventType(type, 'updated'),
    ...(canBeDisabled(type) ? [eventType(type, 'activated'), eventType(type, 'deactivated')] : []),
  ]
  const members = [eventType(type, 'members_added'), eventType(type, 'members_removed')]
  return [
    ofTypes(changes, ref('schemas', `${type.name}Changed`)),
    ofTypes([eventType(type, 'deleted')], ref('schemas', `${type.name}Deleted`)),
    ...(hasMembers(type) ? [ofTypes(members, ref('schemas', `${type.name}MembersChanged`))] : []),
  ]
}

function ofTypes(types: readonly string[], data: Json): Json {
  return { properties: { type: { enum: types }, data } }
}

function dataSchemas(type: ResourceType): readonly (readonly [name: string, schema: Json])[] {
  const { name, nameAttribute } = type
  const identifiers = {
    id: TEXT,
    externalId: TEXT_OR_NULL,
    [nameAttribute]: TEXT_OR_NULL,
    nativeObjectId: TEXT_OR_NULL,
    version: VERSION,
  }
  const required = Object.keys(identifiers)
  const changes = {
    changed: {
      type: ['array', 'null'],
      items: TEXT,
      description: 'The paths of the changed attributes. Null if there are too many for an event.',
    },
    attributes: {
      type: ['object', 'null'],
      description:
        'The new values: of a complex attribute or an extension the whole value, and null for an attribute without a value. Null if they are too large for an event: read the resource.',
    },
  }
  const members = arrayOf(ref('schemas', 'EventMember'), { maxItems: MAX_EVENT_MEMBERS })
  return [
    [`${name}Changed`, object({ ...identifiers, ...changes }, [...required, 'changed', 'attributes'], true)],
    [`${name}Deleted`, object(identifiers, required, true)],
    ...(hasMembers(type)
      ? [
          [
            `${name}MembersChanged`,
            object({ ...identifiers, members }, [...required, 'members'], true),
          ] as const,
        ]
      : []),
  ]
}

function conflictSchema(): Json {
  const side = (description: string) => ({
    description,
    ...object({ id: TEXT_OR_NULL, clientId: TEXT_OR_NULL, requestId: TEXT_OR_NULL }, [
      'id',
      'clientId',
      'requestId',
    ]),
  })
  const data = {
    id: TEXT,
    kind: { type: 'string', enum: CONFLICT_KINDS },
    resourceType: TEXT,
    attribute: TEXT,
    value: { ...TEXT_OR_NULL, description: 'The value of both sides, or the member.' },
    first: side('The resource that was there, and its client.'),
    other: side('The write that met it. "id" is null if it was refused.'),
  }
  return object(data, Object.keys(data), true)
}

function clientHealthSchema(): Json {
  const state = { type: 'string', enum: HEALTH_STATES } as const
  const data = {
    clientId: TEXT,
    clientName: TEXT,
    previousState: { ...state, description: 'The state that was noticed before.' },
    state,
    since: { type: ['string', 'null'], format: 'date-time', description: 'When the state began.' },
    lastProvisioningAt: { type: ['string', 'null'], format: 'date-time' },
    usualIntervalSeconds: {
      type: ['integer', 'null'],
      description: 'The usual time between two contacts; null if it is unknown.',
    },
    cadence: { type: 'string', enum: ['observed', 'assumed'] },
    refusedShare: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      description: 'The refused share of its latest writes of 24 hours.',
    },
    failedSignIns: { type: 'integer', minimum: 0, description: 'Its failed sign-ins of 24 hours.' },
  }
  return object(data, Object.keys(data), true)
}

function deprovisioningSchema(): Json {
  const count = { type: 'integer', minimum: 0 } as const
  const data = {
    clientId: TEXT,
    clientName: TEXT,
    isHeld: { type: 'boolean', description: 'Whether the writes beyond the threshold are held.' },
    windowMinutes: { type: 'integer', minimum: 1 },
    users: { ...count, description: 'Users that it disabled or deleted within the window.' },
    groups: { ...count, description: 'Groups that it deleted.' },
    memberships: { ...count, description: 'Memberships that it removed, or deleted with their group.' },
  }
  return object(data, Object.keys(data), true)
}

function administratorActedSchema(): Json {
  const data = {
    operation: {
      ...TEXT,
      description:
        'The "operationId" of the request, or the name of a form of the dashboard that does something else.',
    },
    target: { ...TEXT_OR_NULL, description: 'The id of what was created, changed or ended.' },
    changed: {
      ...arrayOf(TEXT),
      description: 'The fields that changed, of settings, a client or a webhook.',
    },
    source: { type: 'string', enum: ['admin API', 'dashboard'] },
    via: { ...TEXT_OR_NULL, description: 'How the administrator signed in.' },
  }
  return object(data, Object.keys(data), true)
}

/** The names depend on the type of the member, and all but three are left out if the event would be too large. */
function memberSchema(): Json {
  return {
    description: 'A member with its identifiers, as they are when the event is read.',
    ...object({ id: TEXT, type: TEXT, version: VERSION }, ['id']),
  }
}

function query(name: string, schema: Json, description: string): Json {
  return { name, in: 'query', schema, description }
}

function header(name: string, description: string): Json {
  return { name, in: 'header', required: true, schema: TEXT, description }
}

function json(schema: Json): Json {
  return { 'application/json': { schema } }
}

function failure(description: string): Json {
  return { description, content: json(ref('schemas', 'AdminError')) }
}
