/** The provisioning log of a tenant. */
import * as v from 'valibot'
import { COUNT, field, TEXT, TEXT_OR_NULL, TIME } from './fields.ts'
import type { Routes } from './route.ts'

/** The name of a resource type: which there are, the tenant says. */
const RESOURCE_TYPE = v.pipe(TEXT, v.examples(['User', 'Group']))
const OUTCOME = v.picklist(['accepted', 'refused'])

export const LOG_ENTRY = v.pipe(
  v.object({
    id: TEXT,
    time: TIME,
    clientId: v.pipe(TEXT_OR_NULL, v.description('Who it was; null of access with an unknown token.')),
    clientName: TEXT_OR_NULL,
    tokenId: TEXT_OR_NULL,
    tokenName: TEXT_OR_NULL,
    action: v.pipe(
      v.picklist([
        'create',
        'update',
        'disable',
        'enable',
        'delete',
        'add member',
        'remove member',
        'authenticate',
      ]),
      v.description('"authenticate": access that failed, with the resource type "Client".'),
    ),
    outcome: OUTCOME,
    resourceType: RESOURCE_TYPE,
    resourceId: TEXT_OR_NULL,
    resourceName: TEXT_OR_NULL,
    status: v.pipe(v.number(), v.integer()),
    scimType: TEXT_OR_NULL,
    detail: v.pipe(
      TEXT_OR_NULL,
      v.description('Why it was refused, or why operations of a PATCH that disables were left out.'),
    ),
    repeated: v.pipe(
      COUNT,
      v.description('More refusals like this, of the same minute and client, without an entry of their own.'),
    ),
    changes: v.array(
      v.object({ attribute: TEXT, old: v.optional(v.unknown()), new: v.optional(v.unknown()) }),
    ),
    ignored: v.array(TEXT),
    requestId: TEXT,
  }),
  v.title('LogEntry'),
)

export const logRoutes = {
  listLog: {
    method: 'GET',
    path: '/tenants/{id}/log',
    summary: 'Reads the provisioning log, newest first',
    description: 'With filters a page may be short or empty: read on while `nextCursor` is not null.',
    query: v.object({
      cursor: v.optional(
        v.pipe(
          TEXT,
          v.regex(/^[0-9a-f-]{36}$/),
          v.description('"nextCursor" of an answer.'),
          field({ allowed: 'a nextCursor of this log' }),
        ),
      ),
      resourceType: v.optional(
        v.pipe(RESOURCE_TYPE, v.description('The type of the resource that was written.')),
      ),
      outcome: v.optional(v.pipe(OUTCOME, v.description('Whether the write was done.'))),
      q: v.optional(
        v.pipe(
          TEXT,
          v.description('A text in the name or id of the resource, the detail or the request id.'),
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
