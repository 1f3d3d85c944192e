/**
 * Provisioning activity of a tenant: the number of accepted and refused writes, by hour and by day. Triggers maintain
 * the counts: a row for each hour of the last day and for each day.
 */
import { sql } from 'drizzle-orm'
import { DAY_MS, HOUR_MS } from '../../scim/duration.ts'
import type { Query } from '../database/query.ts'
import { selection } from '../tables/selection.ts'
import { provisioningActivity, provisioningDays } from '../tables/tables.ts'

/** The number of bars in a chart. */
const CHART_HOURS = 24
const CHART_DAYS = 30

export const ACTIVITY_KINDS = ['creates', 'updates', 'disables', 'deletes', 'refused'] as const
export type ActivityKind = (typeof ACTIVITY_KINDS)[number]
export type ActivityCounts = Readonly<Record<ActivityKind, number>>

/** The writes of a period. `start` in milliseconds since 1970; periods are whole hours or days in UTC. */
export interface ActivitySpan extends ActivityCounts {
  readonly start: number
}

const HOUR = selection(provisioningActivity, ACTIVITY_KINDS, { computed: { start: sql<number>`hour` } })
const DAY = selection(provisioningDays, ACTIVITY_KINDS, { computed: { start: sql<number>`day` } })

/** The last hours and the last days, oldest first, without gaps, including the current ones. */
export function activityQuery(
  tenantId: string,
  now: number,
): Query<{ hours: readonly ActivitySpan[]; days: readonly ActivitySpan[] }> {
  const firstHour = now - (now % HOUR_MS) - (CHART_HOURS - 1) * HOUR_MS
  const firstDay = now - (now % DAY_MS) - (CHART_DAYS - 1) * DAY_MS
  return {
    statements: [
      HOUR.where(sql`tenant_id = ${tenantId} AND hour >= ${firstDay}`),
      DAY.where(sql`tenant_id = ${tenantId} AND day >= ${firstDay}`),
    ],
    read: ([hourRows, dayRows]) => {
      const hours = HOUR.all(hourRows)
      const days = DAY.all(dayRows)
      return {
        hours: spansOf(hours, firstHour, HOUR_MS, CHART_HOURS),
        // Hours that are not folded into a day yet count for theirs.
        days: spansOf([...days, ...hours], firstDay, DAY_MS, CHART_DAYS),
      }
    },
  }
}

/** The sums of the found spans, by periods of that length. */
function spansOf(
  found: readonly ActivitySpan[],
  first: number,
  length: number,
  count: number,
): readonly ActivitySpan[] {
  const byStart = Map.groupBy(found, ({ start }) => start - (start % length))
  return Array.from({ length: count }, (_, i) => {
    const start = first + i * length
    return { start, ...sumOfActivity(byStart.get(start) ?? []) }
  })
}

const NOTHING: ActivityCounts = { creates: 0, updates: 0, disables: 0, deletes: 0, refused: 0 }

/** The sum of all kinds. */
export function totalOfActivity(counts: ActivityCounts): number {
  return ACTIVITY_KINDS.reduce((sum, kind) => sum + counts[kind], 0)
}

/** The sum of several spans. */
export function sumOfActivity(all: readonly ActivityCounts[]): ActivityCounts {
  const sum = { ...NOTHING } as Record<ActivityKind, number>
  for (const counts of all) for (const kind of ACTIVITY_KINDS) sum[kind] += counts[kind]
  return sum
}
