/** Export and import of the directory of a tenant. */
import * as v from 'valibot'
import { COUNT, field, TEXT } from './fields.ts'
import { JOB } from './jobs.ts'
import { JSON_LINES, type Routes } from './route.ts'
import { MORE_THAN_ONE_REQUEST, UNDER_WAY } from './tenants.ts'

const LINES =
  'One record in each line: the resources of each type, then memberships. The last line has the number of records and the SHA-256 of all lines before it.'

/** By kind: the name of the resource type in lower case, or "membership". */
const IMPORTED = v.pipe(v.record(TEXT, COUNT), v.examples([{ user: 300, group: 25, membership: 847 }]))

/** The number of a line as text, counted from 1. */
const LINE_NUMBER = v.pipe(
  v.string(),
  v.check((text) => /^[1-9]\d{0,14}$/.test(text)),
  v.transform(Number),
  field({ allowed: 'the number of a line, 1 or more', jsonSchema: { type: 'integer', minimum: 1 } }),
)

const EXPORT_QUERY = v.strictObject({
  clients: v.optional(
    v.pipe(
      v.picklist(['include']),
      v.description('Adds the clients, without their tokens, before the directory.'),
    ),
  ),
})

export const transferRoutes = {
  exportTenant: {
    method: 'GET',
    path: '/tenants/{id}/export',
    permission: 'export',
    summary: 'Exports resources and memberships as JSON Lines, with their ids',
    description:
      '`clients=include` adds the clients, without their tokens. On Cloudflare, an export that one request cannot hold is refused with 409; use `POST …/exports`.',
    query: EXPORT_QUERY,
    answers: { 200: { description: LINES, body: JSON_LINES } },
    refusals: [404, 409],
  },
  startExport: {
    method: 'POST',
    path: '/tenants/{id}/exports',
    permission: 'change',
    summary: 'Exports a tenant of any size into a file',
    description:
      'The file replaces an earlier one. Download it with `GET …/jobs/{jobId}/file` when the job is done.',
    query: EXPORT_QUERY,
    answers: { 202: { description: 'The export has begun and continues by itself.', body: JOB } },
    refusals: [404, 409],
  },
  getJobFile: {
    method: 'GET',
    path: '/tenants/{id}/jobs/{jobId}/file',
    permission: 'export',
    summary: 'Downloads the file of a finished export',
    description: 'The file can be downloaded for 24 hours, any number of times.',
    answers: { 200: { description: LINES, body: JSON_LINES } },
    refusals: [404, 409],
  },
  startImport: {
    method: 'POST',
    path: '/tenants/{id}/imports',
    permission: 'change',
    summary: 'Imports a file of any size into an empty tenant',
    description:
      'The request stores the file, and a job imports it. The tenant is `importing` until the last line is stored. If a line is refused, ' +
      'the `error` of the job names it, and everything is undone. `DELETE …/import` cancels the import. The body may be compressed ' +
      '(`Content-Encoding: gzip`).',
    body: JSON_LINES,
    bodyDescription: LINES,
    answers: { 202: { description: 'The file is stored. The import continues by itself.', body: JOB } },
    refusals: [404, 409],
  },
  importTenant: {
    method: 'POST',
    path: '/tenants/{id}/import',
    permission: 'change',
    summary: 'Imports an export into an empty tenant',
    description:
      'Until the last line is stored, the state of the tenant is `importing` and its clients get 503. After an ' +
      'interruption, send the same file again or the rest of it, or undo the import with `DELETE`.',
    query: v.strictObject({
      from: v.pipe(
        v.optional(LINE_NUMBER, '1'),
        v.description(
          'The number of the first line of the body in the file: 1, or the "nextLine" of the last answer.',
        ),
        field({ jsonSchema: { default: 1 } }),
      ),
      end: v.optional(
        v.pipe(
          v.picklist(['required', 'later', 'missing']),
          v.description(
            'How the body ends. "later": more parts of the file follow. "missing": the file is of an older version, without an end record.',
          ),
        ),
        'required',
      ),
    }),
    body: JSON_LINES,
    bodyDescription: LINES,
    answers: {
      200: {
        description: 'The import is complete. The numbers of records by kind.',
        body: v.pipe(v.strictObject({ imported: IMPORTED }), v.title('Imported')),
      },
      202: {
        description:
          'The import is not complete. Send the same file again, or the rest of it from "nextLine" on.',
        body: v.pipe(v.strictObject({ imported: IMPORTED, nextLine: COUNT }), v.title('ImportedSoFar')),
      },
    },
    refusals: [404, 409],
  },
  undoImport: {
    method: 'DELETE',
    path: '/tenants/{id}/import',
    permission: 'change',
    summary: 'Undoes an incomplete import, or cancels the job of an import',
    answers: {
      202: { description: MORE_THAN_ONE_REQUEST, body: UNDER_WAY },
      204: { description: 'The tenant is empty. Its tokens and its log are kept.' },
    },
    refusals: [404],
  },
} as const satisfies Routes
