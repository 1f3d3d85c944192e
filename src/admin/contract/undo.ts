/** Undoing what one client did between two times. */
import * as v from 'valibot'
import { COUNT, field, TEXT, TEXT_OR_NULL, TIME_INPUT } from './fields.ts'
import { JOB } from './jobs.ts'
import type { Routes } from './route.ts'

const EXAMPLE = {
  clientId: 'acme_Zm9vYmFyYmF6cXV4Zm9v',
  from: '2026-11-27T02:00:00Z',
  to: '2026-11-27T02:40:00Z',
  preview: true,
}

const UNDO_INPUT = v.pipe(
  v.strictObject({
    clientId: v.pipe(TEXT, v.description('The client whose changes are undone, also a deleted one.')),
    from: v.pipe(TIME_INPUT, v.description('The time of the first change, included.')),
    to: v.pipe(TIME_INPUT, v.description('The time of the last change, included.')),
    preview: v.optional(v.pipe(v.boolean(), v.description('Whether nothing is changed yet.')), false),
  }),
  v.title('UndoInput'),
  // An example is a request; the type is that of the checked value.
  v.examples([EXAMPLE as never]),
)

const CURSOR = v.optional(
  v.pipe(
    TEXT,
    v.regex(/^\d{1,15}$/),
    v.description('The "nextCursor" of the previous page.'),
    field({ allowed: 'the nextCursor of a page of this list' }),
  ),
)

const UNDONE_RESOURCE = v.pipe(
  v.strictObject({
    id: TEXT,
    resourceType: TEXT,
    name: TEXT_OR_NULL,
    existence: v.pipe(
      v.picklist(['restore', 'delete', 'unchanged']),
      v.description('Whether the resource is restored, or deleted.'),
    ),
    values: v.pipe(
      v.record(TEXT, v.unknown()),
      v.description('The attributes that change, with the values that they get; null for none.'),
    ),
    membersAdded: COUNT,
    membersRemoved: COUNT,
    left: v.pipe(
      v.array(
        v.strictObject({
          what: v.picklist(['created', 'deleted', 'changed', 'joined', 'left']),
          of: v.pipe(TEXT_OR_NULL, v.description('The attribute, or the id of the member.')),
          reason: v.picklist([
            'changed by others since',
            'previous value not kept',
            'not kept after its deletion',
            'name in use',
            'group limit',
            'used by others',
            'member gone',
          ]),
          byClientId: v.pipe(TEXT_OR_NULL, v.description('The client that has changed it since.')),
        }),
      ),
      v.description('Changes of the client that stay: the first 100.'),
    ),
    leftCount: COUNT,
  }),
  v.title('UndoneResource'),
)

const PAGE = {
  resources: v.pipe(
    v.array(UNDONE_RESOURCE),
    v.description('Those that the client changed last come first. A page may be short or empty.'),
  ),
  nextCursor: TEXT_OR_NULL,
}

export const undoRoutes = {
  undo: {
    method: 'POST',
    path: '/tenants/{id}/undo',
    permission: 'change',
    summary: 'Undoes what one client did between two times, or shows what that would change',
    description:
      'A job takes back the changes, resource by resource. What others, or the same client later, have changed since is left. With `"preview": true`, nothing is changed, and the answer lists what would be.',
    query: v.strictObject({ cursor: CURSOR }),
    body: UNDO_INPUT,
    answers: {
      200: {
        description: 'A page of the preview.',
        body: v.strictObject({
          clientName: TEXT,
          counts: v.strictObject({
            created: COUNT,
            changed: COUNT,
            enabled: COUNT,
            disabled: COUNT,
            deleted: COUNT,
            joined: COUNT,
            left: COUNT,
            isComplete: v.boolean(),
          }),
          ...PAGE,
        }),
      },
      202: { description: 'The undo has begun and continues by itself.', body: JOB },
    },
    refusals: [404, 409],
  },
  getUndo: {
    method: 'GET',
    path: '/tenants/{id}/undo/{jobId}',
    permission: 'read',
    summary: 'Reads what an undo has left, and what is still to be done',
    description:
      'After the end of the job, a resource without `left` is as it was before the changes of the client.',
    query: v.strictObject({ cursor: CURSOR }),
    answers: {
      200: { description: 'A page of the result.', body: v.strictObject({ job: JOB, ...PAGE }) },
    },
    refusals: [404, 409],
  },
  cancelUndo: {
    method: 'DELETE',
    path: '/tenants/{id}/undo',
    permission: 'change',
    summary: 'Cancels an undo',
    description: 'What it has undone by then stays. The same undo can be started again and does the rest.',
    answers: { 202: { description: 'The undo ends.', body: JOB } },
    refusals: [404],
  },
} as const satisfies Routes
