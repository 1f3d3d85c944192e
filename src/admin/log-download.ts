/**
 * The provisioning log as a file: CSV for spreadsheets, JSON for programs. The file is written while the log is read, so a
 * log of any length needs little memory.
 */
import type { ListedEntry } from '../storage/log/log-pages.ts'
import { type CsvColumns, csvOf } from './csv.ts'
import { logEntryJson } from './read-models.ts'

type Entries = AsyncIterable<readonly ListedEntry[]>
type Text = AsyncGenerator<string, void, undefined>

const CSV_COLUMNS = {
  time: (entry) => new Date(entry.time).toISOString(),
  outcome: (entry) => entry.outcome,
  status: (entry) => String(entry.status),
  action: (entry) => entry.action,
  resourceType: (entry) => entry.resourceType,
  resourceName: (entry) => entry.resourceName ?? '',
  resourceId: (entry) => entry.resourceId ?? '',
  scimType: (entry) => entry.scimType ?? '',
  detail: (entry) => entry.detail ?? '',
  changes: (entry) => JSON.stringify(entry.changes ?? []),
  ignored: (entry) => entry.ignored.join(' '),
  client: (entry) => entry.clientName ?? entry.clientId ?? '',
  token: (entry) => entry.tokenName ?? entry.tokenId ?? '',
  requestId: (entry) => entry.requestId,
  id: (entry) => entry.id,
  repeated: (entry) => String(entry.repeated),
} as const satisfies CsvColumns<ListedEntry>

/** A CSV file with one entry in each line. */
export function logCsvOf(entries: Entries): Text {
  return csvOf(CSV_COLUMNS, entries)
}

/** A JSON array with one entry in each line. */
export async function* logJsonOf(entries: Entries): Text {
  let separator = '[\n'
  for await (const some of entries) {
    if (some.length === 0) continue
    yield separator + some.map((entry) => JSON.stringify(logEntryJson(entry))).join(',\n')
    separator = ',\n'
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n'
}
