/**
 * Provisioning activity of a tenant: how many writes were accepted and refused, by the hour and by the
 * day. Read from the hourly counts that triggers keep, at most 24 and 721 rows.
 */
import { sql } from 'drizzle-orm'
import { statement } from './database.ts'
import type { Query } from './query.ts'

export const HOUR_MS = 60 * 60 * 1000
export const DAY_MS = 24 * HOUR_MS
/** How many bars a chart has. */
export const CHART_HOURS = 24
export const CHART_DAYS = 30

export const ACTIVITY_KINDS = ['creates', 'updates', 'disables', 'deletes', 'refused'] as const
export type ActivityKind = (typeof ACTIVITY_KINDS)[number]
export type ActivityCounts = Readonly<Record<ActivityKind, number>>

/** The writes of a span of time. `start` in milliseconds since 1970; spans are whole in UTC. */
export interface ActivitySpan extends ActivityCounts {
  readonly start: number
}

/** The last hours and the last days, oldest first, without gaps: both include the present one. */
export function activityQuery(
  tenantId: string,
  now: number,
): Query<{ hours: readonly ActivitySpan[]; days: readonly ActivitySpan[] }> {
  const firstHour = now - (now % HOUR_MS) - (CHART_HOURS - 1) * HOUR_MS
  const firstDay = now - (now % DAY_MS) - (CHART_DAYS - 1) * DAY_MS
  return {
    statements: [spans(tenantId, firstHour, HOUR_MS), spans(tenantId, firstDay, DAY_MS)],
    read: ([hours, days]) => ({
      hours: withoutGaps(hours?.rows as unknown as readonly ActivitySpan[], firstHour, HOUR_MS, CHART_HOURS),
      days: withoutGaps(days?.rows as unknown as readonly ActivitySpan[], firstDay, DAY_MS, CHART_DAYS),
    }),
  }
}

function spans(tenantId: string, from: number, length: number) {
  const sums = sql.join(
    ACTIVITY_KINDS.map((kind) => sql.raw(`sum(${kind}) AS ${kind}`)),
    sql`, `,
  )
  // Numbers are bound as REAL: the length is in the text, so that the arithmetic stays that of integers.
  return statement(sql`SELECT hour - hour % ${sql.raw(String(length))} AS start, ${sums}
    FROM provisioning_activity WHERE tenant_id = ${tenantId} AND hour >= ${from} GROUP BY 1`)
}

const NOTHING: ActivityCounts = { creates: 0, updates: 0, disables: 0, deletes: 0, refused: 0 }

function withoutGaps(
  found: readonly ActivitySpan[],
  first: number,
  length: number,
  count: number,
): readonly ActivitySpan[] {
  const byStart = new Map(found.map((span) => [span.start, span]))
  return Array.from({ length: count }, (_, i) => {
    const start = first + i * length
    return byStart.get(start) ?? { start, ...NOTHING }
  })
}

/** All kinds together. */
export function totalOfActivity(counts: ActivityCounts): number {
  return ACTIVITY_KINDS.reduce((sum, kind) => sum + counts[kind], 0)
}

/** The sum of several spans. */
export function sumOfActivity(all: readonly ActivityCounts[]): ActivityCounts {
  const sum = { ...NOTHING } as Record<ActivityKind, number>
  for (const counts of all) for (const kind of ACTIVITY_KINDS) sum[kind] += counts[kind]
  return sum
}
