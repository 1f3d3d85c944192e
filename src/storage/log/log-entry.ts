/**
 * An entry of the provisioning log, as it is made.
 */
import type { AttributeChange } from '../../scim/changes.ts'
import type { provisioningLog } from '../tables/tables.ts'

/** What was tried on a resource. */
export type LogAction = Exclude<(typeof provisioningLog.$inferSelect)['action'], 'authenticate'>

/** One write that a client tried. Values of attributes that are never returned are not in it. */
export interface LogEntry {
  /** UUIDv7: the order of ids is the order of time. */
  readonly id: string
  /** Milliseconds since 1970. */
  readonly time: number
  readonly action: LogAction
  readonly outcome: 'accepted' | 'refused'
  readonly resourceType: string
  readonly resourceId: string | null
  /** userName or displayName: what an administrator looks for. */
  readonly resourceName: string | null
  /** The HTTP status that was answered. */
  readonly status: number
  readonly scimType: string | null
  readonly detail: string | null
  readonly changes: readonly AttributeChange[]
  /** Attributes and schemas that were sent and not understood. */
  readonly ignored: readonly string[]
  readonly requestId: string
}
