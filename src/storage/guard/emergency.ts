/** Users whom an administrator has disabled at once: see emergencyDisables in guard-tables.ts. */
import { sql } from 'drizzle-orm'
import type { Query } from '../database/query.ts'
import { selection } from '../tables/selection.ts'
import { emergencyDisables } from '../tables/tables.ts'

/** A trigger recognises the entry of the log by how its detail begins. */
export const DISABLED_BY_ADMINISTRATOR = 'disabled by an administrator'

export interface EmergencyDisable {
  /** Milliseconds since 1970. */
  readonly time: number
  /** Who, and why: "disabled by an administrator, ada@quillfern.example: laptop stolen". */
  readonly detail: string
}

const EMERGENCY = selection(emergencyDisables, ['time', 'detail'])

/** @returns undefined unless an administrator has disabled the user, and no client has enabled it since */
export function emergencyDisableQuery(tenantId: string, userId: string): Query<EmergencyDisable | undefined> {
  return {
    statements: [EMERGENCY.where(sql`tenant_id = ${tenantId} AND user_id = ${userId}`)],
    read: ([found]) => EMERGENCY.first(found),
  }
}
