/** Comparing an export of a directory with a tenant. */
import * as v from 'valibot'
import { MATCH_KEYS } from '../../drift/difference.ts'
import { COUNT, field, TEXT, TEXT_OR_NULL } from './fields.ts'
import { ANY_FILE, CSV, type Routes } from './route.ts'

const FILE =
  'A CSV file of the Entra admin center (users, or the members of one group), answers of Microsoft Graph or of a SCIM server, or a directory file of the emulator; in UTF-8.'

const QUERY = v.strictObject({
  match: v.optional(
    v.pipe(
      v.picklist(MATCH_KEYS),
      v.description('By which users are matched; by default what matches most of the first 1,000.'),
    ),
  ),
  group: v.optional(
    v.pipe(
      TEXT,
      v.maxLength(1_000),
      v.description('The group whose members a CSV file lists.'),
      field({ allowed: 'the name of a group' }),
    ),
  ),
})

const COUNTS = v.object({
  exported: COUNT,
  matched: COUNT,
  missing: v.pipe(COUNT, v.description('In the export alone.')),
  extra: v.pipe(COUNT, v.description('In the directory alone.')),
  different: v.pipe(COUNT, v.description('With different attributes or members.')),
})

/** A text, a boolean, or null. */
const SIDE = v.pipe(v.unknown(), field({ jsonSchema: { type: ['string', 'boolean', 'null'] } }))

const DRIFT = v.pipe(
  v.object({
    verdict: v.pipe(
      v.picklist(['same', 'different', 'unrelated']),
      v.description('"unrelated": no user of the export is in the directory, so nothing is listed.'),
    ),
    summary: TEXT,
    match: v.pipe(
      v.nullable(v.picklist(MATCH_KEYS)),
      v.description('By which users were matched; null for an export without users.'),
    ),
    users: COUNTS,
    groups: COUNTS,
    members: v.object({ missing: COUNT, extra: COUNT }),
    differences: v.pipe(
      v.array(
        v.object({
          kind: v.picklist(['missing', 'extra', 'attribute', 'missing member', 'extra member']),
          resourceType: v.picklist(['User', 'Group']),
          name: TEXT,
          id: TEXT_OR_NULL,
          attribute: TEXT_OR_NULL,
          exported: SIDE,
          stored: SIDE,
        }),
      ),
      v.description('The first 50,000.'),
    ),
    differenceCount: COUNT,
    notes: v.array(TEXT),
  }),
  v.title('Drift'),
)

export const driftRoutes = {
  compareExport: {
    method: 'POST',
    path: '/tenants/{id}/drift',
    permission: 'change',
    summary: 'Compares an export of a directory with the tenant, and changes nothing',
    description:
      'The body is the file. A list that the file does not have, such as groups, is not compared. A file that is cut short or has another encoding is refused with the line.',
    query: QUERY,
    body: ANY_FILE,
    bodyDescription: FILE,
    answers: { 200: { description: 'The differences.', body: DRIFT } },
    refusals: [404, 409],
  },
  compareExportAsCsv: {
    method: 'POST',
    path: '/tenants/{id}/drift.csv',
    permission: 'change',
    summary: 'Compares an export of a directory with the tenant, with the differences as CSV',
    description:
      'If no user of the export is in the directory, the request is refused with 409: the export seems to be of another tenant.',
    query: QUERY,
    body: ANY_FILE,
    bodyDescription: FILE,
    answers: { 200: { description: 'The first 50,000 differences.', body: CSV } },
    refusals: [404, 409],
  },
} as const satisfies Routes
