/** The history of a user or a group. */
import * as v from 'valibot'
import { COUNT, field, TEXT, TEXT_OR_NULL, TIME, TIME_INPUT, TIME_OR_NULL } from './fields.ts'
import type { Routes } from './route.ts'

const RESOURCE = v.strictObject({
  id: TEXT,
  resourceType: TEXT,
  name: TEXT_OR_NULL,
  isDeleted: v.boolean(),
})

const HISTORY_ENTRY = v.pipe(
  v.strictObject({
    time: TIME,
    kind: v.picklist([
      'created',
      'changed',
      'enabled',
      'disabled',
      'deleted',
      'joined',
      'left',
      'members added',
      'members removed',
      'directory imported',
    ]),
    clientId: v.pipe(TEXT_OR_NULL, v.description('Null for an import.')),
    clientName: TEXT_OR_NULL,
    requestId: TEXT_OR_NULL,
    version: v.nullable(COUNT),
    changes: v.pipe(
      v.array(v.object({ attribute: TEXT, old: v.optional(v.unknown()), new: v.optional(v.unknown()) })),
      v.description(
        'The changed attributes, those of an extension together. Null stands for no value; a missing member is not kept.',
      ),
    ),
    group: v.nullable(v.strictObject({ id: TEXT, name: TEXT_OR_NULL })),
    members: v.array(TEXT),
  }),
  v.title('HistoryEntry'),
)

export const historyRoutes = {
  getHistory: {
    method: 'GET',
    path: '/tenants/{id}/history/{resourceId}',
    permission: 'read',
    summary: 'Reads the history of a user or a group, newest first, or the resource as it was at a time',
    description:
      'With `at`, the answer has the attributes, and of a group a page of the members. A page of the history may be short or empty: continue until `nextCursor` is null. What is no longer kept is refused with 409.',
    query: v.strictObject({
      at: v.optional(v.pipe(TIME_INPUT, v.description('The time at which the resource is shown.'))),
      cursor: v.optional(
        v.pipe(
          TEXT,
          v.maxLength(100),
          v.description('The "nextCursor" of the previous page.'),
          field({ allowed: 'the nextCursor of a page of this history' }),
        ),
      ),
    }),
    answers: {
      200: {
        description: 'A page of the history, or the resource as it was.',
        body: v.strictObject({
          resource: v.pipe(v.nullable(RESOURCE), v.description('Null if it is deleted and not kept.')),
          entries: v.pipe(v.array(HISTORY_ENTRY), v.description('Empty with `at`.')),
          keptSince: v.pipe(
            TIME_OR_NULL,
            v.description('The history before is not kept. Null: there was nothing.'),
          ),
          at: v.pipe(TIME_OR_NULL, v.description('Null without `at`, like the next three.')),
          exists: v.nullable(v.boolean()),
          attributes: v.nullable(v.record(TEXT, v.unknown())),
          members: v.pipe(v.nullable(v.array(TEXT)), v.description('The ids of a group’s members.')),
          nextCursor: TEXT_OR_NULL,
        }),
      },
    },
    refusals: [404, 409],
  },
} as const satisfies Routes
