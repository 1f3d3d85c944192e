/** Deleted users and groups that are kept for a while. */
import * as v from 'valibot'
import { COUNT, field, TEXT, TEXT_OR_NULL, TIME } from './fields.ts'
import { JOB } from './jobs.ts'
import type { Routes } from './route.ts'

export const TOMBSTONE = v.pipe(
  v.strictObject({
    id: v.pipe(TEXT, v.description('The id of the resource.')),
    resourceType: TEXT,
    name: v.pipe(TEXT_OR_NULL, v.description('The userName of a user, the displayName of a group.')),
    deletedAt: TIME,
    clientId: v.pipe(TEXT_OR_NULL, v.description('The client that deleted it.')),
    clientName: TEXT_OR_NULL,
    requestId: TEXT,
    memberCount: v.pipe(COUNT, v.description('The number of members of a group when it was deleted.')),
    isRestored: v.pipe(
      v.boolean(),
      v.description('True if the resource exists again and memberships are still to be restored.'),
    ),
  }),
  v.title('Tombstone'),
)

const RESTORED = v.pipe(
  v.strictObject({ id: TEXT, resourceType: TEXT, name: TEXT_OR_NULL }),
  v.title('Restored'),
)

const ERASED = v.strictObject({
  erased: COUNT,
  hasMore: v.pipe(v.boolean(), v.description('True if some are left: repeat the request.')),
})

export const tombstoneRoutes = {
  listTombstones: {
    method: 'GET',
    path: '/tenants/{id}/tombstones',
    permission: 'read',
    summary: 'Lists the deleted users and groups that can be restored, newest first',
    query: v.strictObject({
      cursor: v.optional(
        v.pipe(
          TEXT,
          v.regex(/^\d{1,15}$/),
          v.description('The "nextCursor" of the previous page.'),
          field({ allowed: 'the nextCursor of a page of this list' }),
        ),
      ),
    }),
    answers: {
      200: {
        description: 'A page.',
        body: v.object({ tombstones: v.array(TOMBSTONE), nextCursor: TEXT_OR_NULL }),
      },
    },
    refusals: [404],
  },
  restoreTombstone: {
    method: 'POST',
    path: '/tenants/{id}/tombstones/{resourceId}/restore',
    permission: 'change',
    summary: 'Restores a deleted user or group',
    description:
      'It has the same id, the next version, and the memberships whose other side exists. A name that is in use is refused with 409, which names the resource that has it. Many memberships are restored by a job.',
    answers: {
      200: { description: 'It is restored.', body: RESTORED },
      202: { description: 'A job restores it.', body: JOB },
    },
    refusals: [404, 409],
  },
  eraseTombstone: {
    method: 'DELETE',
    path: '/tenants/{id}/tombstones/{resourceId}',
    permission: 'change',
    summary: 'Erases a deleted user or group',
    description: 'It can no longer be restored, and the previous values in its history are removed.',
    answers: { 204: { description: 'Erased.' } },
    refusals: [404],
  },
  eraseTombstones: {
    method: 'DELETE',
    path: '/tenants/{id}/tombstones',
    permission: 'change',
    summary: 'Erases the deleted users and groups of a tenant, up to 1,000 in a request',
    answers: { 200: { description: 'The number of erased ones.', body: ERASED } },
    refusals: [404],
  },
} as const satisfies Routes
