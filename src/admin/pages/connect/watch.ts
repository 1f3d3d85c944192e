/**
 * What has been seen of a connection, as steps: the first request, the test of the connection, the first user, the first
 * group, the first full cycle. Pure: all comes from what is stored. A step is done only if it was seen.
 */
import { CONTACT_PAUSE_MS, MAX_CONTACTS } from '../../../scim/client-health.ts'
import { MINUTE_MS } from '../../../scim/duration.ts'
import type { SeenEntry } from '../../../storage/log/recent-entries.ts'
import type { WrittenResource } from '../../../storage/sources/written-resources.ts'

/** "unseen": it may have been, but the entries that were read do not reach back far enough. */
export type StepState = 'done' | 'waiting' | 'problem' | 'later' | 'unseen'

export type StepId = 'request' | 'test' | 'user' | 'group' | 'cycle'

export interface WatchStep {
  readonly id: StepId
  readonly state: StepState
  /** When it was done; undefined if it is not known. In milliseconds since 1970. */
  readonly at?: number | undefined
  /** The write that shows it, or the refusal. */
  readonly entry?: SeenEntry | undefined
  /** Instead of the write: what is there of it. */
  readonly written?: WrittenResource | undefined
}

/** What is stored about a connection. */
export interface SeenConnection {
  /** The last provisioning request, accurate to the minute; null if there was none. */
  readonly lastProvisioningAt: number | null
  /** The times of requests after a pause, oldest first: see scim/client-health.ts. */
  readonly contacts: readonly number[]
  /** The entries of its client, newest first. */
  readonly entries: readonly SeenEntry[]
  /** Whether these are all of its entries. */
  readonly isComplete: boolean
  /** Resources that its client wrote last, if the entries are not complete. */
  readonly written: readonly WrittenResource[]
  /** Refused access with a token or a client that is unknown, newest first. */
  readonly strangers: readonly SeenEntry[]
  /** The names of the types of users and of groups. */
  readonly userTypes: ReadonlySet<string>
  readonly groupTypes: ReadonlySet<string>
  readonly now: number
}

const ACCURACY_MS = MINUTE_MS

/** The steps, in their order. @param sendsGroups whether the provider sends groups */
export function watchSteps(seen: SeenConnection, sendsGroups: boolean): readonly WatchStep[] {
  const steps = [
    requestStep(seen),
    testStep(seen),
    writeStep(seen, 'user', seen.userTypes),
    ...(sendsGroups ? [writeStep(seen, 'group', seen.groupTypes)] : []),
  ]
  return inOrder([...steps, cycleStep(seen, steps)])
}

/** Only the first step that is open is waited for. */
function inOrder(steps: readonly WatchStep[]): readonly WatchStep[] {
  const first = steps.findIndex(({ state }) => state === 'waiting')
  return steps.map((step, i) => (step.state === 'waiting' && i > first ? { ...step, state: 'later' } : step))
}

function requestStep(seen: SeenConnection): WatchStep {
  const id = 'request'
  const { lastProvisioningAt, contacts, now } = seen
  const refusedRead = lastOf(seen, isRefusedRead)
  const access = refusedAccess(seen)
  const isNewer = access !== undefined && access.time > (lastProvisioningAt ?? 0) + ACCURACY_MS
  if (isNewer && (refusedRead?.time ?? 0) < access.time) return { id, state: 'problem', entry: access }
  if (lastProvisioningAt !== null) {
    return { id, state: 'done', at: contacts.length < MAX_CONTACTS ? contacts[0] : undefined }
  }
  if (refusedRead !== undefined) return { id, state: 'done', at: Math.min(refusedRead.time, now) }
  return { id, state: 'waiting' }
}

/** Requests that are answered are not in the log, so the test has passed if there was a request and no refusal after it. */
function testStep(seen: SeenConnection): WatchStep {
  const id = 'test'
  const { lastProvisioningAt } = seen
  const entry = lastOf(seen, isRefusedRead)
  if (entry !== undefined && entry.time + ACCURACY_MS >= (lastProvisioningAt ?? 0)) {
    const later = lastOf(seen, ({ outcome, time }) => outcome === 'accepted' && time > entry.time)
    if (later === undefined) return { id, state: 'problem', entry }
  }
  return lastProvisioningAt === null ? { id, state: 'waiting' } : { id, state: 'done' }
}

function writeStep(seen: SeenConnection, id: 'user' | 'group', types: ReadonlySet<string>): WatchStep {
  const { entries, isComplete, written } = seen
  const writes = entries.filter(({ resourceType, action }) => types.has(resourceType) && action !== 'read')
  const done = writes.findLast(({ outcome }) => outcome === 'accepted')
  if (done !== undefined) return { id, state: 'done', at: done.time, entry: done }
  const there = written.find(({ type }) => types.has(type))
  if (there !== undefined) return { id, state: 'done', at: there.time, written: there }
  const [refused] = writes
  if (refused !== undefined) return { id, state: 'problem', entry: refused }
  return { id, state: isComplete ? 'waiting' : 'unseen' }
}

/** A cycle is over when no request has come for CONTACT_PAUSE_MS, or another one has begun. */
function cycleStep(
  { lastProvisioningAt, contacts, now }: SeenConnection,
  steps: readonly WatchStep[],
): WatchStep {
  const id = 'cycle'
  const user = steps.find((step) => step.id === 'user')
  const begun = user?.at
  if (begun === undefined || lastProvisioningAt === null) {
    return { id, state: user?.state === 'unseen' ? 'unseen' : 'waiting' }
  }
  const next = contacts.find((contact) => contact > begun + ACCURACY_MS)
  if (next !== undefined) return { id, state: 'done', at: next }
  const end = lastProvisioningAt + CONTACT_PAUSE_MS
  return now >= end ? { id, state: 'done', at: end } : { id, state: 'waiting' }
}

/** The newest refusal of a token or secret: of this client, or of an unknown one while this client has never come. */
function refusedAccess(seen: SeenConnection): SeenEntry | undefined {
  const own = lastOf(seen, ({ action }) => action === 'authenticate')
  const [stranger] = seen.lastProvisioningAt === null ? seen.strangers : []
  if (own === undefined || stranger === undefined) return own ?? stranger
  return own.time > stranger.time ? own : stranger
}

function isRefusedRead({ action, outcome }: SeenEntry): boolean {
  return action === 'read' && outcome === 'refused'
}

function lastOf({ entries }: SeenConnection, is: (entry: SeenEntry) => boolean): SeenEntry | undefined {
  return entries.find(is)
}
