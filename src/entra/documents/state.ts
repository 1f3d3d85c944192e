/**
 * The state of a provisioning job between cycles: links to target objects, exported memberships, escrow, quarantine and
 * watermark. Plain data that is stored as JSON. Pure; cli/files/state-file.ts reads and writes the file.
 */

import { DAY_MS, type Instant } from '../clock.ts'
import type { MappedValue } from '../mappings/attribute-mapping.ts'
import { describeType, isObject, Problems } from '../problem.ts'
import type { ObjectType } from '../protocol/requests.ts'
import type { ErrorCode } from '../protocol/response.ts'
import type { ProviderName } from '../providers/providers.ts'

export type JobStatus = 'NotRun' | 'Active' | 'Paused' | 'Quarantine' | 'Disabled'

/** A job is disabled after this time in quarantine: quarantine page, "four weeks". */
export const QUARANTINE_LIFETIME_MS = 28 * DAY_MS

/** The reason for disabling a linked user at the target. */
export type DisableReason = 'accountDisabled' | 'unassigned' | 'outOfScope' | 'softDeleted'

export interface Link {
  readonly targetId: string
  /** The value that matched the object, shown by `connections`. */
  name: string
  /** Whether the user was active after the last export. */
  active: boolean
  disabledBecause?: DisableReason
  linkedAt: string
  /** The source id of the last exported manager. */
  manager?: string
  /** The last exported values, by target path. */
  values: Record<string, MappedValue>
}

/** A group's memberships, by source ids of users. */
export interface MemberLinks {
  /** Sent successfully. */
  exported: string[]
  /** Out of scope when the group was processed; not sent before the next initial cycle (a documented gap). */
  unexported: string[]
  /** Failed; retried when the reference is due in escrow. */
  pending: string[]
}

export interface ObjectRecord {
  readonly type: ObjectType
  /** The fingerprint of the source object when it was last processed. A different one means the object changed. */
  fingerprint: string
  /** The last cycle that processed the object. */
  cycle: number
  link?: Link
  members?: MemberLinks
  /** Purged from the directory. The record is kept because a group may still contain the id. */
  gone?: true
}

export interface EscrowEntry {
  readonly objectId: string
  readonly kind: 'entry' | 'reference'
  readonly type: ObjectType
  firstFailure: Instant
  attempts: number
  nextRetry: Instant
  code: ErrorCode | 'MappingError' | 'DuplicateSourceEntries'
  detail: string
}

export type QuarantineReason =
  | 'EncounteredBaseEscrowThreshold'
  | 'EncounteredTotalEscrowThreshold'
  | 'EncounteredEscrowProportionThreshold'
  | 'EncounteredQuarantineException'
  | 'QuarantinedOnDemand'
  | 'TooManyDeletes'
  | 'Unknown'

export interface Quarantine {
  reason: QuarantineReason
  currentBegan: Instant
  seriesBegan: Instant
  seriesCount: number
  nextAttempt: Instant
  error: string
}

/** Identifies the target of a state. A state must never be used for another tenant. */
export interface StateTarget {
  /** Scheme, host and path of the Tenant URL. */
  readonly tenantUrl: string
  /** A hash of the part of the token that names the tenant. Without such a part, a hash of the empty string. */
  readonly tenant: string
  /** Another provider maps and matches in another way. Absent in states of earlier versions. */
  readonly provider?: ProviderName
}

export interface CycleSummary {
  readonly cycle: number
  readonly kind: 'initial' | 'incremental'
  readonly startedAt: string
  readonly finishedAt: string
  readonly requests: number
  readonly counts: Counts
}

export type Result = 'created' | 'updated' | 'disabled' | 'enabled' | 'deleted' | 'skipped' | 'failed'
export type CountedKind = 'User' | 'Group' | 'Membership'
export type Counts = Record<CountedKind, Record<Result, number>>

export interface JobState {
  readonly version: 1
  readonly target: StateTarget
  status: JobStatus
  /** The number of the last started cycle; 0 before the first one. */
  cycle: number
  /** Whether the cycle numbered `cycle` has started but not finished. */
  cycleOpen: boolean
  /** Whether the open or next cycle processes every object. */
  initial: boolean
  /** The start of the last complete cycle. The next cycle processes the changes since then. */
  watermark?: string
  steadyStateFirstAchievedTime?: string
  steadyStateLastAchievedTime?: string
  countSuccessiveCompleteFailures: number
  escrowsPruned: boolean
  /** A fingerprint of mappings, scoping filters and scope. A different one starts an initial cycle. */
  configuration?: string
  /** The time that `--advance` has added to the system clock, in milliseconds. */
  clockOffsetMs?: number
  /** Set by `allow-deletes`: the next cycle ignores the accidental-deletion threshold. */
  forceDeletes?: true
  quarantine?: Quarantine
  lastCycle?: CycleSummary
  objects: Record<string, ObjectRecord>
  escrow: Record<string, EscrowEntry>
}

/** The state of a job that has never run. */
export function newState(target: StateTarget): JobState {
  return {
    version: 1,
    target,
    status: 'NotRun',
    cycle: 0,
    cycleOpen: false,
    initial: true,
    countSuccessiveCompleteFailures: 0,
    escrowsPruned: false,
    objects: keyed({}),
    escrow: keyed({}),
  }
}

/** Ids are keys, and an id may be "__proto__" or "constructor". */
function keyed<Value>(entries: Record<string, Value>): Record<string, Value> {
  return Object.assign(Object.create(null), entries)
}

export function newCounts(): Counts {
  const zero = () => ({ created: 0, updated: 0, disabled: 0, enabled: 0, deleted: 0, skipped: 0, failed: 0 })
  return { User: zero(), Group: zero(), Membership: zero() }
}

/** The key of an escrow entry. */
export function escrowKey(kind: EscrowEntry['kind'], objectId: string): string {
  return `${kind}:${objectId}`
}

/** Reads a state document. Problems are collected for the caller to report. */
export function parseState(document: unknown): { state?: JobState; problems: Problems['list'] } {
  const problems = new Problems()
  if (!isObject(document)) {
    problems.add([], `must be a state file of the Entra emulator, found ${describeType(document)}`)
    return { problems: problems.list }
  }
  if (document.version !== 1) problems.add(['version'], `must be 1, found ${describeType(document.version)}`)
  checkTarget(document.target, problems)
  if (typeof document.cycle !== 'number')
    problems.add(['cycle'], `must be a number, found ${describeType(document.cycle)}`)
  if (typeof document.status !== 'string')
    problems.add(['status'], `must be a string, found ${describeType(document.status)}`)
  for (const key of ['objects', 'escrow'] as const) checkRecords(document[key], key, problems)
  if (problems.list.length > 0) return { problems: problems.list }
  const state = document as unknown as JobState
  return { state: { ...state, objects: keyed(state.objects), escrow: keyed(state.escrow) }, problems: [] }
}

function checkTarget(target: unknown, problems: Problems): void {
  if (!isObject(target)) {
    problems.add(['target'], `must be an object, found ${describeType(target)}`)
    return
  }
  for (const key of ['tenantUrl', 'tenant']) {
    if (typeof target[key] !== 'string')
      problems.add(['target', key], `must be a string, found ${describeType(target[key])}`)
  }
}

function checkRecords(records: unknown, key: 'objects' | 'escrow', problems: Problems): void {
  if (!isObject(records)) {
    problems.add([key], `must be an object, found ${describeType(records)}`)
    return
  }
  for (const [id, record] of Object.entries(records)) {
    if (!isObject(record)) {
      problems.add([key, id], `must be an object, found ${describeType(record)}`)
    } else if (record.type !== 'User' && record.type !== 'Group') {
      problems.add([key, id, 'type'], `must be "User" or "Group", found ${describeType(record.type)}`)
    } else if (
      record.link !== undefined &&
      (!isObject(record.link) || typeof record.link.targetId !== 'string')
    ) {
      problems.add([key, id, 'link', 'targetId'], 'must be a string')
    } else if (record.members !== undefined && !isMemberLinks(record.members)) {
      problems.add([key, id, 'members'], 'must contain the lists "exported", "unexported" and "pending"')
    }
  }
}

function isMemberLinks(value: unknown): boolean {
  return isObject(value) && ['exported', 'unexported', 'pending'].every((key) => Array.isArray(value[key]))
}
