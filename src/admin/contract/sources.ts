/** Sources: conflicts between the clients that write a directory, and who owns a resource. */
import * as v from 'valibot'
import { CONFLICT_KINDS, CONFLICT_STATES } from '../../storage/sources/open-conflicts.ts'
import { COUNT, field, RESOURCE_TYPE, TEXT, TEXT_OR_NULL, TIME, TIME_OR_NULL } from './fields.ts'
import type { Routes } from './route.ts'

const SIDE_ENTRIES = {
  resourceName: v.pipe(TEXT_OR_NULL, v.description('Its present name; null if it was deleted.')),
  clientId: v.pipe(TEXT_OR_NULL, v.description('Null for an administrator, an import, or unknown.')),
  clientName: TEXT_OR_NULL,
  time: TIME,
  requestId: v.pipe(TEXT_OR_NULL, v.description('Null if the provisioning log no longer has it.')),
}

export const CONFLICT = v.pipe(
  v.strictObject({
    id: TEXT,
    kind: v.picklist(CONFLICT_KINDS),
    resourceType: RESOURCE_TYPE,
    attribute: TEXT,
    value: v.pipe(TEXT_OR_NULL, v.description('The value of both sides, or the id of the member.')),
    first: v.pipe(
      v.strictObject({ resourceId: TEXT, ...SIDE_ENTRIES }),
      v.description('The resource that was there, or the write that was turned back.'),
    ),
    other: v.pipe(
      v.strictObject({ resourceId: TEXT_OR_NULL, ...SIDE_ENTRIES }),
      v.description('The write that met it. `resourceId` is null if it was refused.'),
    ),
    firstSeenAt: TIME,
    lastSeenAt: TIME,
    seen: v.pipe(COUNT, v.description('How often it was seen.')),
    state: v.picklist(CONFLICT_STATES),
    closedAt: TIME_OR_NULL,
  }),
  v.title('Conflict'),
)

const OWNER = v.pipe(
  TEXT_OR_NULL,
  v.description('The id of a client. Null: every client may change the resource.'),
  field({ allowed: 'the id of a client of this tenant, or null' }),
)

const OWNER_INPUT = v.pipe(
  v.strictObject({ clientId: OWNER }),
  v.title('OwnerInput'),
  v.examples([{ clientId: 'acme_Zm9vYmFyYmF6cXV4Zm9v' }]),
)

const HAND_OVER = v.pipe(
  v.strictObject({
    from: v.pipe(
      OWNER,
      v.description('The present owner. Null: resources without one, such as imported ones.'),
    ),
    to: OWNER,
    after: v.optional(v.pipe(TEXT, v.description('The `next` of the previous answer.'))),
  }),
  v.title('HandOver'),
  v.examples([{ from: 'acme_Zm9vYmFyYmF6cXV4Zm9v', to: 'acme_cXV4Zm9vYmFyYmF6Zm9v' }]),
)

export const sourceRoutes = {
  listConflicts: {
    method: 'GET',
    path: '/tenants/{id}/conflicts',
    permission: 'read',
    summary: 'Lists conflicts between sources, oldest first',
    description: 'An open one whose reason is gone is resolved by the list itself.',
    query: v.strictObject({
      state: v.optional(v.pipe(v.picklist(CONFLICT_STATES), v.description('"open" if it is missing.'))),
      cursor: v.optional(
        v.pipe(
          TEXT,
          v.regex(/^\d{1,9}$/),
          v.description('The "nextCursor" of the previous page.'),
          field({ allowed: 'the nextCursor of a page of conflicts' }),
        ),
      ),
    }),
    answers: {
      200: {
        description: 'A page, oldest first.',
        body: v.object({ conflicts: v.array(CONFLICT), nextCursor: TEXT_OR_NULL }),
      },
    },
    refusals: [404],
  },
  dismissConflict: {
    method: 'POST',
    path: '/tenants/{id}/conflicts/{conflictId}/dismiss',
    permission: 'change',
    summary: 'Dismisses a conflict',
    description: 'It does not open again while it is seen at least once in the retention time of the log.',
    answers: { 204: { description: 'Dismissed.' } },
    refusals: [404],
  },
  changeOwner: {
    method: 'POST',
    path: '/tenants/{id}/resources/{resourceId}/owner',
    permission: 'change',
    summary: 'Hands a user or a group over to another client',
    body: OWNER_INPUT,
    answers: { 204: { description: 'Handed over.' } },
    refusals: [404],
  },
  handOver: {
    method: 'POST',
    path: '/tenants/{id}/resources/owner',
    permission: 'change',
    summary: 'Hands all users and groups of a client over to another one',
    description: 'In the order of their ids. Repeat the request with `after` until `next` is null.',
    body: HAND_OVER,
    answers: {
      200: {
        description: 'Handed over.',
        body: v.pipe(
          v.strictObject({
            changed: v.pipe(COUNT, v.description('The users and groups that this request handed over.')),
            next: TEXT_OR_NULL,
          }),
          v.title('HandedOver'),
        ),
      },
    },
    refusals: [404],
  },
} as const satisfies Routes
