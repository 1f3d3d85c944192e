/** The result of a comparison, and its CSV form. */
import { csvCell } from '../csv-cell.ts'
import type { ResourceTypeName } from './exported.ts'

/** By which users are matched. */
export type MatchKey = 'userName' | 'externalId' | 'objectId'
export const MATCH_KEYS: readonly MatchKey[] = ['userName', 'externalId', 'objectId']

export interface Difference {
  /** "missing": in the export alone. "extra": in the directory alone. */
  readonly kind: 'missing' | 'extra' | 'attribute' | 'missing member' | 'extra member'
  readonly resourceType: ResourceTypeName
  /** The userName or displayName. */
  readonly name: string
  /** The id in the directory; null if it is missing there. */
  readonly id: string | null
  /** The path of a different attribute, or the member. */
  readonly attribute: string | null
  readonly exported: string | boolean | null
  readonly stored: string | boolean | null
}

export interface Counts {
  readonly exported: number
  readonly matched: number
  readonly missing: number
  readonly extra: number
  /** Resources with different attributes or members. */
  readonly different: number
}

export interface DriftResult {
  /** "unrelated": no user of the export is in the directory, so nothing is listed. */
  readonly verdict: 'same' | 'different' | 'unrelated'
  /** The verdict in words. */
  readonly summary: string
  /** Null if the export has no users. */
  readonly match: MatchKey | null
  readonly users: Counts
  readonly groups: Counts
  readonly members: { readonly missing: number; readonly extra: number }
  /** The first ones. */
  readonly differences: readonly Difference[]
  readonly differenceCount: number
  readonly notes: readonly string[]
}

const COLUMNS = ['kind', 'resourceType', 'name', 'id', 'attribute', 'exported', 'stored'] as const

/** The differences as CSV, with cells that no spreadsheet takes for a formula. */
export function driftCsv({ differences }: Pick<DriftResult, 'differences'>): string {
  const rows = differences.map((difference) =>
    COLUMNS.map((column) => csvCell(String(difference[column] ?? ''))).join(','),
  )
  return `${[COLUMNS.join(','), ...rows].join('\r\n')}\r\n`
}
