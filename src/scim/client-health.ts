/**
 * The health of a provisioning client, from what was observed of it: whether it still asks as often as it used to, and
 * whether it is answered. Pure: the caller passes the stored facts and the time. All times in milliseconds since 1970.
 *
 * A contact is the first provisioning request after a pause of CONTACT_PAUSE_MS, such as the first one of a cycle.
 */
import { DAY_MS, MINUTE_MS } from './duration.ts'

export const HEALTH_STATES = ['new', 'healthy', 'late', 'silent', 'failing'] as const
export type HealthState = (typeof HEALTH_STATES)[number]

/**
 * Longer than a client pauses within a cycle, such as for Retry-After, and shorter than the pause between two cycles. A
 * client that asks more often than that has one contact, which does not end.
 */
export const CONTACT_PAUSE_MS = 10 * MINUTE_MS
/** The contacts that are kept: 20 intervals. */
export const MAX_CONTACTS = 21
/** With fewer intervals, the cadence is assumed. */
const MIN_INTERVALS = 3
/**
 * Microsoft Entra ID starts an incremental cycle every 40 minutes.
 * https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-when-will-provisioning-finish-specific-user
 */
const ENTRA_INTERVAL_MS = 40 * MINUTE_MS
/** Of a client that is not known: nothing is said about its cadence, but it cannot be silent for ever. */
const UNKNOWN_INTERVAL_MS = DAY_MS
/** A client is late if it missed a contact, and silent if it missed two. */
const LATE_INTERVALS = 2
const SILENT_INTERVALS = 3
/** Two in twenty intervals may be longer than the expected one, such as those of a weekend. */
const EXPECTED_QUANTILE = 0.9
/** Entra puts a job into quarantine at this share of failures. With fewer writes, a share is not meaningful. */
const FAILING_SHARE = 0.4
const MIN_WRITES = 10
/** Times of contacts are accurate to the minute. */
const ACCURACY_MS = MINUTE_MS

/** How far back writes and failed sign-ins count. */
export const HEALTH_WINDOW_MS = DAY_MS

/** What is stored about a client that may write. */
export interface ClientFacts {
  /** Whether it is Microsoft Entra ID, as its name or its federation tells. */
  readonly isEntra: boolean
  /** The last provisioning request; null if there was none. */
  readonly lastProvisioningAt: number | null
  /** The latest contacts, oldest first, at most MAX_CONTACTS. */
  readonly contacts: readonly number[]
  /** Of its latest writes within HEALTH_WINDOW_MS: all of them, and those that were refused. */
  readonly writes: number
  readonly refused: number
  /** Its failed sign-ins within HEALTH_WINDOW_MS, and the last one. */
  readonly failedSignIns: number
  readonly lastFailedAt: number | null
  /** The state that was noticed last, and since when; null before the first time. */
  readonly noticed: { readonly state: HealthState; readonly since: number } | null
}

/** The facts about a new client. */
export const NO_FACTS: ClientFacts = {
  isEntra: false,
  lastProvisioningAt: null,
  contacts: [],
  writes: 0,
  refused: 0,
  failedSignIns: 0,
  lastFailedAt: null,
  noticed: null,
}

export interface ClientHealth {
  readonly state: HealthState
  /** When the state began; null in the state "new". */
  readonly since: number | null
  readonly lastProvisioningAt: number | null
  /** The median of the observed intervals between contacts, or the assumed one. Null if it is unknown. */
  readonly usualIntervalMs: number | null
  readonly cadence: 'observed' | 'assumed'
  readonly writes: number
  readonly refused: number
  readonly failedSignIns: number
  /** Why it is failing; undefined in other states. */
  readonly cause?: 'sign-in' | 'refused' | undefined
}

interface Cadence {
  readonly usualIntervalMs: number | null
  /** The interval that is not exceeded, except by outliers. */
  readonly expectedMs: number
  readonly cadence: ClientHealth['cadence']
}

/** The health of a client at a time. */
export function healthOf(facts: ClientFacts, now: number): ClientHealth {
  const { lastProvisioningAt, writes, refused, failedSignIns, noticed } = facts
  const { expectedMs, ...cadence } = cadenceOf(facts)
  const { since, ...found } = stateOf(facts, expectedMs, now)
  // A state that was noticed began before: its time is the one that was told.
  const known = noticed?.state === found.state ? noticed.since : since
  return { ...found, since: known, lastProvisioningAt, ...cadence, writes, refused, failedSignIns }
}

function stateOf(
  facts: ClientFacts,
  expectedMs: number,
  now: number,
): Pick<ClientHealth, 'state' | 'since' | 'cause'> {
  const { lastProvisioningAt: last, lastFailedAt, writes, refused } = facts
  if (lastFailedAt !== null && lastFailedAt > (last ?? 0) + ACCURACY_MS) {
    return { state: 'failing', since: lastFailedAt, cause: 'sign-in' }
  }
  if (last === null) return { state: 'new', since: null }
  const [late, silent] = [last + LATE_INTERVALS * expectedMs, last + SILENT_INTERVALS * expectedMs]
  if (now >= silent) return { state: 'silent', since: silent }
  if (now >= late) return { state: 'late', since: late }
  if (writes >= MIN_WRITES && refused >= FAILING_SHARE * writes) {
    return { state: 'failing', since: last, cause: 'refused' }
  }
  return { state: 'healthy', since: facts.contacts.at(-1) ?? last }
}

function cadenceOf({ contacts, isEntra }: ClientFacts): Cadence {
  const intervals = contacts.slice(1).map((contact, i) => contact - (contacts[i] ?? contact))
  intervals.sort((a, b) => a - b)
  if (intervals.length < MIN_INTERVALS) {
    return {
      usualIntervalMs: isEntra ? ENTRA_INTERVAL_MS : null,
      expectedMs: isEntra ? ENTRA_INTERVAL_MS : UNKNOWN_INTERVAL_MS,
      cadence: 'assumed',
    }
  }
  return {
    usualIntervalMs: quantile(intervals, 0.5),
    expectedMs: quantile(intervals, EXPECTED_QUANTILE),
    cadence: 'observed',
  }
}

/** @param sorted not empty, in ascending order */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(share * sorted.length) - 1] ?? 0
}
