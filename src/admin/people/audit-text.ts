/** Entries of the audit trail as JSON, CSV and words. */
import type { AuditEntry, FieldChange } from '../../storage/administrators/audit-trail.ts'
import { ROUTES } from '../contract/routes.ts'
import { type CsvColumns, csvOf } from '../csv.ts'
import { isoTime } from '../read-models.ts'
import { OTHER_OPERATIONS } from './operations.ts'

export function auditEntryJson({ seq, time, changes, ...entry }: AuditEntry) {
  return { ...entry, id: String(seq), time: isoTime(time), changes: changesOf({ changes }) }
}

/** The fields that the operation has changed. */
export function changesOf({ changes }: Pick<AuditEntry, 'changes'>): readonly FieldChange[] {
  return JSON.parse(changes) as readonly FieldChange[]
}

/** The names of operations whose identifiers say something else to an administrator. */
const NAMES: Readonly<Record<string, string>> = {
  compareExportAsCsv: 'Compare export',
  deleteExtension: 'Remove schema',
  deleteFederation: 'Remove federation',
  eraseTombstone: 'Erase deleted resource',
  eraseTombstones: 'Erase all deleted resources',
  getJobFile: 'Download export',
  importExtensions: 'Add or change schemas',
  putExtension: 'Add or change schema',
  putFederation: 'Set up federation',
  releaseClient: 'Let client pass the guard',
  restoreTombstone: 'Restore deleted resource',
  revokeSecretById: 'Revoke secret',
  undo: 'Undo changes of client',
}

/** The name of an operation in words: "Create token" for "createToken". */
export function operationName(operation: string): string {
  if (Object.hasOwn(NAMES, operation)) return NAMES[operation] ?? operation
  const words = operation.replace(/[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`)
  return words.slice(0, 1).toUpperCase() + words.slice(1)
}

/** What the operation does, as the admin API says it. */
export function operationText(operation: string): string {
  const other = Object.entries(OTHER_OPERATIONS).find(([name]) => name === operation)?.[1]
  if (other !== undefined) return other
  const route = Object.entries(ROUTES).find(([name]) => name === operation)?.[1]
  // An older version may have had another operation.
  return route?.summary ?? operation
}

const CSV_COLUMNS = {
  time: ({ time }) => isoTime(time),
  administrator: ({ administrator }) => administrator,
  via: ({ via }) => via ?? '',
  operation: ({ operation }) => operation,
  source: ({ source }) => source,
  tenantId: ({ tenantId }) => tenantId ?? '',
  target: ({ target }) => target ?? '',
  outcome: ({ outcome }) => outcome,
  status: ({ status }) => String(status),
  detail: ({ detail }) => detail ?? '',
  changes: ({ changes }) => changes,
  requestId: ({ requestId }) => requestId,
  repeated: ({ repeated }) => String(repeated),
} as const satisfies CsvColumns<AuditEntry>

/** A CSV file with one entry in each line. */
export function auditCsvOf(
  entries: AsyncIterable<readonly AuditEntry[]>,
): AsyncGenerator<string, void, undefined> {
  return csvOf(CSV_COLUMNS, entries)
}
