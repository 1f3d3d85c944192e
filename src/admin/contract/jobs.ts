/** Jobs: work on a tenant that takes several requests. */
import * as v from 'valibot'
import { COUNT, field, TEXT, TEXT_OR_NULL, TIME, TIME_OR_NULL } from './fields.ts'
import type { Routes } from './route.ts'

export const JOB = v.pipe(
  v.strictObject({
    id: TEXT,
    kind: v.picklist(['move', 'delete', 'undo-import', 'export', 'import', 'restore', 'undo']),
    state: v.pipe(
      v.picklist(['running', 'done', 'failed']),
      v.description('A "running" job continues by itself.'),
    ),
    step: v.pipe(
      TEXT_OR_NULL,
      v.description(
        'The steps of a move are preparing, copying, verifying, committing, switched and purging, or retracting, aborting and clearing after a failure; those of an export are clearing and exporting; those of an import are receiving, importing and finishing, or undoing and discarding after a failure. Null when the job is done.',
      ),
    ),
    from: v.pipe(TEXT, v.description('The database of the tenant at the beginning of the job.')),
    to: v.pipe(TEXT_OR_NULL, v.description('The target of a move.')),
    progress: v.pipe(
      v.strictObject({ done: COUNT, total: COUNT }),
      v.description('Approximate numbers of rows, or of lines of an import.'),
    ),
    error: v.pipe(
      TEXT_OR_NULL,
      v.description('The reason of a failure, or the error after which the job tries again.'),
    ),
    createdAt: TIME,
    finishedAt: TIME_OR_NULL,
  }),
  v.title('Job'),
)

const MOVE = v.pipe(
  v.strictObject({
    database: v.pipe(
      v.string(),
      v.description('The name of the binding of the target database.'),
      field({ allowed: 'the name of a database' }),
    ),
  }),
  v.title('Move'),
  v.examples([{ database: 'DB2' }]),
)

export const jobRoutes = {
  moveTenant: {
    method: 'POST',
    path: '/tenants/{id}/move',
    permission: 'change',
    summary: 'Moves a tenant to another database',
    description:
      'Ids, versions, times, memberships, tokens and the provisioning log stay the same. During the move, clients can read; ' +
      'writes get 503 with `Retry-After`. A repeated request returns the move in progress.',
    body: MOVE,
    answers: { 202: { description: 'The move has begun and continues by itself.', body: JOB } },
    refusals: [404, 409],
  },
  cancelMove: {
    method: 'DELETE',
    path: '/tenants/{id}/move',
    permission: 'change',
    summary: 'Cancels a move',
    description:
      'Clients can then write again. In the steps `switched` and `purging`, the tenant is in the other database already, and the request is refused.',
    answers: { 202: { description: 'The move is cancelled. The copy is being deleted.', body: JOB } },
    refusals: [404, 409],
  },
  getJob: {
    method: 'GET',
    path: '/tenants/{id}/jobs/{jobId}',
    permission: 'read',
    summary: 'Reads the state and the progress of a job',
    description: 'A job can be read until 30 days after its end, even if its tenant was deleted.',
    answers: { 200: { description: 'The job.', body: JOB } },
    refusals: [404],
  },
} as const satisfies Routes
