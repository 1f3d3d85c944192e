/**
 * An entry of the provisioning log, before it is stored.
 */
import type { AttributeChange } from '../../scim/changes.ts'
import { provisioningLog } from '../tables/tables.ts'

/** Every action of an entry: see provisioningLog in log-tables.ts. */
export const LOG_ACTIONS = provisioningLog.action.enumValues

/** The action of a client on a resource. */
export type LogAction = Exclude<(typeof LOG_ACTIONS)[number], 'authenticate' | 'warn'>

/** One write that a client tried, or a read that was refused. It holds no values of attributes that are never returned. */
export interface LogEntry {
  /** UUIDv7: the order of ids is the order of time. */
  readonly id: string
  /** Milliseconds since 1970. */
  readonly time: number
  readonly action: LogAction
  readonly outcome: 'accepted' | 'refused'
  readonly resourceType: string
  readonly resourceId: string | null
  /** The userName or displayName, which an administrator searches for. */
  readonly resourceName: string | null
  /** The HTTP status that was answered. */
  readonly status: number
  readonly scimType: string | null
  readonly detail: string | null
  readonly changes: readonly AttributeChange[]
  /** Attributes and schemas in the request that were not recognized. */
  readonly ignored: readonly string[]
  readonly requestId: string
}
