/** The table at the end of a cycle, with a row each for users, groups and memberships. Pure. */
import type { CountedKind, CycleSummary, Result } from '../documents/state.ts'

const COLUMNS: readonly Result[] = [
  'created',
  'updated',
  'disabled',
  'enabled',
  'deleted',
  'skipped',
  'failed',
]
const ROWS: readonly (readonly [CountedKind, string])[] = [
  ['User', 'users'],
  ['Group', 'groups'],
  ['Membership', 'memberships'],
]

export function summaryTable({ counts }: CycleSummary): string {
  const header = ['', ...COLUMNS]
  const rows = ROWS.map(([kind, label]) => [label, ...COLUMNS.map((column) => String(counts[kind][column]))])
  return alignColumns([header, ...rows])
}

/** Aligns the first column to the left and the others to the right. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
  return rows.map((row) => line(row).trimEnd()).join('\n')
}

export function failedCount({ counts }: CycleSummary): number {
  return counts.User.failed + counts.Group.failed + counts.Membership.failed
}
