/** Export and import of the directory of a tenant. */
import * as v from 'valibot'
import { RESOURCE_TYPES } from '../../storage/tables/resource-tables.ts'
import { recordKind } from '../../storage/transfer/export.ts'
import { COUNT, field } from './fields.ts'
import { JSON_LINES, type Routes } from './route.ts'
import { MORE_THAN_ONE_REQUEST, UNDER_WAY } from './tenants.ts'

const LINES =
  'One record a line: users before groups before memberships, then a line that counts them, with the SHA-256 of all before it.'

const IMPORTED = v.strictObject(
  Object.fromEntries([...RESOURCE_TYPES.map(recordKind), 'membership'].map((kind) => [kind, COUNT])),
)

/** The number of a line, counted from 1, as text. */
const LINE_NUMBER = v.pipe(
  v.string(),
  v.check((text) => /^[1-9]\d{0,14}$/.test(text)),
  v.transform(Number),
  field({ allowed: 'the number of a line, from 1', jsonSchema: { type: 'integer', minimum: 1 } }),
)

export const transferRoutes = {
  exportTenant: {
    method: 'GET',
    path: '/tenants/{id}/export',
    summary: 'Exports users, groups and memberships as JSON Lines, ids kept',
    description: '`clients=include` puts the clients before them, without tokens.',
    query: v.object({
      clients: v.optional(
        v.pipe(
          v.picklist(['include']),
          v.description('Puts the clients before the directory, without tokens.'),
        ),
      ),
    }),
    answers: { 200: { description: LINES, body: JSON_LINES } },
    refusals: [404, 409],
  },
  importTenant: {
    method: 'POST',
    path: '/tenants/{id}/import',
    summary: 'Imports an export into an empty tenant',
    description:
      'Until the last line is in, the state of the tenant is `importing` and its clients are answered 503. After an ' +
      'interruption, send the same file again, or the rest of it; `DELETE` undoes the import.',
    query: v.object({
      from: v.pipe(
        v.optional(LINE_NUMBER, '1'),
        v.description('The line of the file that the body begins with: 1, or the next.'),
        field({ jsonSchema: { default: 1 } }),
      ),
      end: v.optional(
        v.pipe(
          v.picklist(['required', 'later', 'missing']),
          v.description(
            '"later": the body is a part, and more comes. "missing": the file is of a version that wrote no last line.',
          ),
        ),
        'required',
      ),
    }),
    body: JSON_LINES,
    bodyDescription: LINES,
    answers: {
      200: {
        description: 'The import is done: how many records of each kind are in.',
        body: v.pipe(v.strictObject({ imported: IMPORTED }), v.title('Imported')),
      },
      202: {
        description: 'Send the same file again, or the rest of it from "nextLine" on.',
        body: v.pipe(v.strictObject({ imported: IMPORTED, nextLine: COUNT }), v.title('ImportedSoFar')),
      },
    },
    refusals: [404, 409],
  },
  undoImport: {
    method: 'DELETE',
    path: '/tenants/{id}/import',
    summary: 'Undoes an import that is not complete',
    answers: {
      202: { description: MORE_THAN_ONE_REQUEST, body: UNDER_WAY },
      204: { description: 'The tenant is empty, with its tokens and its log.' },
    },
    refusals: [404],
  },
} as const satisfies Routes
