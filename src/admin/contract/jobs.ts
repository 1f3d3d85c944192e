/** Work on a tenant that takes more than one request: a move to another database, a deletion, an import that is undone. */
import * as v from 'valibot'
import { COUNT, field, TEXT, TEXT_OR_NULL, TIME, TIME_OR_NULL } from './fields.ts'
import type { Routes } from './route.ts'

export const JOB = v.pipe(
  v.strictObject({
    id: TEXT,
    kind: v.picklist(['move', 'delete', 'undo-import']),
    state: v.pipe(
      v.picklist(['running', 'done', 'failed']),
      v.description('It goes on by itself while "running".'),
    ),
    step: v.pipe(
      TEXT,
      v.description('Of a move: preparing, copying, verifying, switched, purging; aborting, clearing.'),
    ),
    from: v.pipe(TEXT, v.description('The database that the tenant lived in when the job began.')),
    to: v.pipe(TEXT_OR_NULL, v.description('The database that it moves to.')),
    progress: v.pipe(v.strictObject({ done: COUNT, total: COUNT }), v.description('Rows, about.')),
    error: v.pipe(TEXT_OR_NULL, v.description('Why it failed, or what is being tried again.')),
    createdAt: TIME,
    finishedAt: TIME_OR_NULL,
  }),
  v.title('Job'),
)

export const MOVE = v.pipe(
  v.object({
    database: v.pipe(
      v.string(),
      v.description('The name of its binding.'),
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
    summary: 'Moves a tenant to another database',
    description:
      'Ids, versions, times, memberships, tokens and the provisioning log go along. Until it has arrived, reads go on and ' +
      'writes are answered 503 with `Retry-After`. Repeated, it answers with the move that is under way.',
    body: MOVE,
    answers: { 202: { description: 'The move goes on by itself.', body: JOB } },
    refusals: [404, 409],
  },
  cancelMove: {
    method: 'DELETE',
    path: '/tenants/{id}/move',
    summary: 'Gives a move up, and lets clients write again',
    description:
      'Until the steps `switched` and `purging`, in which the tenant lives in the other database already.',
    answers: { 202: { description: 'What was copied is being deleted.', body: JOB } },
    refusals: [404, 409],
  },
  getJob: {
    method: 'GET',
    path: '/tenants/{id}/jobs/{jobId}',
    summary: 'Reads a job: its state and its progress',
    description: 'Until 30 days after its end, also of a tenant that was deleted.',
    answers: { 200: { description: 'As it is now.', body: JOB } },
    refusals: [404],
  },
} as const satisfies Routes
