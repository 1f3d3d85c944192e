/** The provisioning log of a tenant. */
import * as v from 'valibot'
import { LOG_ACTIONS } from '../../storage/log/log-entry.ts'
import { COUNT, field, TEXT, TEXT_OR_NULL, TIME } from './fields.ts'
import type { Routes } from './route.ts'

/** Entries of failed access have the type "Client". */
const RESOURCE_TYPE = v.pipe(TEXT, field({ resourceTypeOr: ['Client'] }))
const OUTCOME = v.picklist(['accepted', 'refused'])

const LOG_ENTRY = v.pipe(
  v.object({
    id: TEXT,
    time: TIME,
    clientId: v.pipe(
      TEXT_OR_NULL,
      v.description('The client that sent the request; null if the token is unknown.'),
    ),
    clientName: TEXT_OR_NULL,
    tokenId: v.pipe(
      TEXT_OR_NULL,
      v.description(
        'The token; or the secret, or the client with federation, that an access token was issued for.',
      ),
    ),
    tokenName: TEXT_OR_NULL,
    tokenLastCharacters: v.pipe(
      TEXT_OR_NULL,
      v.description('The last four characters of the token or secret; null if they are not stored.'),
    ),
    action: v.pipe(
      v.picklist(LOG_ACTIONS),
      v.description(
        '"read" stands for a refused read. "authenticate" stands for failed access, "warn" for a credential that expires soon; their resource type is "Client".',
      ),
    ),
    outcome: OUTCOME,
    resourceType: RESOURCE_TYPE,
    resourceId: TEXT_OR_NULL,
    resourceName: TEXT_OR_NULL,
    status: v.pipe(v.number(), v.integer(), v.description('The HTTP status; 0 for a warning.')),
    scimType: TEXT_OR_NULL,
    detail: v.pipe(
      TEXT_OR_NULL,
      v.description(
        'The reason of the refusal, or of operations that were left out of a PATCH that disables a user.',
      ),
    ),
    repeated: v.pipe(
      COUNT,
      v.description(
        'The number of further refusals of the same kind, minute and client. They have no entries.',
      ),
    ),
    changes: v.array(
      v.object({ attribute: TEXT, old: v.optional(v.unknown()), new: v.optional(v.unknown()) }),
    ),
    ignored: v.array(TEXT),
    requestId: TEXT,
    request: v.pipe(
      v.nullable(
        v.object({
          method: TEXT,
          body: v.pipe(v.unknown(), v.description('Without secrets.')),
          isShortened: v.pipe(v.boolean(), v.description('Whether parts were left out because it is long.')),
        }),
      ),
      v.description('What the client sent in a refused write; null if it is not kept.'),
    ),
  }),
  v.title('LogEntry'),
)

export const logRoutes = {
  listLog: {
    method: 'GET',
    path: '/tenants/{id}/log',
    permission: 'read',
    summary: 'Reads the provisioning log, newest first',
    description:
      'A page may be short, if its entries are large, and with filters also empty. Continue until `nextCursor` is null.',
    query: v.strictObject({
      cursor: v.optional(
        v.pipe(
          TEXT,
          v.regex(/^[0-9a-f-]{36}$/),
          v.description('The "nextCursor" of the previous page.'),
          field({ allowed: 'the nextCursor of a page of this log' }),
        ),
      ),
      resourceType: v.optional(
        v.pipe(RESOURCE_TYPE, v.description('The type of the written resource; "Client" for failed access.')),
      ),
      outcome: v.optional(v.pipe(OUTCOME, v.description('Whether the write was accepted.'))),
      q: v.optional(
        v.pipe(
          TEXT,
          v.description(
            'A text to search for in the name or id of the resource, the detail or the request id.',
          ),
        ),
      ),
    }),
    answers: {
      200: {
        description: 'A page, newest first.',
        body: v.object({ entries: v.array(LOG_ENTRY), nextCursor: TEXT_OR_NULL }),
      },
    },
    refusals: [404],
  },
} as const satisfies Routes
