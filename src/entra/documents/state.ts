/**
 * What a provisioning job remembers between cycles: links to target objects, exported memberships, escrow, quarantine,
 * watermark. Plain data that is written as JSON. Pure: reading and writing the file is in cli/.
 */

import { DAY_MS, type Instant } from '../clock.ts'
import type { MappedValue } from '../mappings/attribute-mapping.ts'
import { describeType, isObject, Problems } from '../problem.ts'
import type { ErrorCode } from '../protocol/answer.ts'
import type { ObjectType } from '../protocol/requests.ts'

export type JobStatus = 'NotRun' | 'Active' | 'Paused' | 'Quarantine' | 'Disabled'

/** A job that stayed in quarantine for this long is disabled: quarantine page, "four weeks". */
export const QUARANTINE_LIFETIME_MS = 28 * DAY_MS

/** Why a linked user was disabled at the target. */
export type DisableReason = 'accountDisabled' | 'unassigned' | 'outOfScope' | 'softDeleted'

export interface Link {
  readonly targetId: string
  /** The matching value it was linked by, for `connections`. */
  name: string
  /** Whether the last export left the user active. */
  active: boolean
  disabledBecause?: DisableReason
  linkedAt: string
  /** Source id of the manager as last exported. */
  manager?: string
  /** Values as last exported, by target path. */
  values: Record<string, MappedValue>
}

/** A group's memberships by source ids of users. */
export interface MemberLinks {
  /** Sent and accepted. */
  exported: string[]
  /** Not in scope when the group was processed: not sent before the next initial cycle (a documented gap). */
  unexported: string[]
  /** Failed: sent or removed again when the reference leaves escrow. */
  pending: string[]
}

export interface ObjectRecord {
  readonly type: ObjectType
  /** Of the source object as last processed; a difference is a change. */
  fingerprint: string
  /** The cycle that processed it last. */
  cycle: number
  link?: Link
  members?: MemberLinks
  /** Purged from the directory: kept so that a group's list may still name the id. */
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

/** Which target a state belongs to: a state made for one tenant must never be applied to another. */
export interface StateTarget {
  /** Scheme, host and path of the Tenant URL. */
  readonly tenantUrl: string
  /** Hash of the part of the token that names the tenant, or of nothing when tokens do not show one. */
  readonly tenant: string
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
  /** Of the last cycle begun, from 1; 0 before the first. */
  cycle: number
  /** Whether the cycle numbered `cycle` has begun and not ended. */
  cycleOpen: boolean
  /** Whether the open or next cycle processes everything. */
  initial: boolean
  /** When the last complete cycle began; changes since then are the next cycle's. */
  watermark?: string
  steadyStateFirstAchievedTime?: string
  steadyStateLastAchievedTime?: string
  countSuccessiveCompleteFailures: number
  escrowsPruned: boolean
  /** Of mappings, scoping filters and scope; a difference forces a new initial cycle. */
  configuration?: string
  /** Time that `--advance` has added to the real clock, in milliseconds. */
  clockOffsetMs?: number
  /** Set by `allow-deletes`: the next cycle ignores the accidental-deletion threshold. */
  forceDeletes?: true
  quarantine?: Quarantine
  lastCycle?: CycleSummary
  objects: Record<string, ObjectRecord>
  escrow: Record<string, EscrowEntry>
}

/** The state of a job that never ran. */
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
    objects: {},
    escrow: {},
  }
}

export function newCounts(): Counts {
  const zero = () => ({ created: 0, updated: 0, disabled: 0, enabled: 0, deleted: 0, skipped: 0, failed: 0 })
  return { User: zero(), Group: zero(), Membership: zero() }
}

/** The key of an escrow entry. */
export function escrowKey(kind: EscrowEntry['kind'], objectId: string): string {
  return `${kind}:${objectId}`
}

/** Reads a state document; problems are collected for the caller to show. */
export function parseState(document: unknown): { state?: JobState; problems: Problems['list'] } {
  const problems = new Problems()
  if (!isObject(document)) {
    problems.add([], `must be a state file of this tool, found ${describeType(document)}`)
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
  return { state: document as unknown as JobState, problems: [] }
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
      problems.add([key, id, 'members'], 'must hold the lists "exported", "unexported" and "pending"')
    }
  }
}

function isMemberLinks(value: unknown): boolean {
  return isObject(value) && ['exported', 'unexported', 'pending'].every((key) => Array.isArray(value[key]))
}
