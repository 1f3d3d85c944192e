/**
 * What a client has written in its present or its last cycle. A cycle begins with a contact: see scim/client-health.ts.
 */
import { type ClientFacts, CONTACT_PAUSE_MS } from '../../scim/client-health.ts'
import { HOUR_MS } from '../../scim/duration.ts'
import { type ActivitySpan, sumOfActivity } from '../../storage/log/activity.ts'
import { sumOf } from '../../storage/log/client-facts.ts'
import { NEWEST_ENTRIES, type SeenEntry } from '../../storage/log/recent-entries.ts'
import { number } from './number.ts'
import { Ago, Time } from './time.tsx'

export interface CycleProgress {
  readonly startedAt: number
  /** A request came within CONTACT_PAUSE_MS. */
  readonly isRunning: boolean
  readonly created: number
  readonly updated: number
  readonly disabled: number
  readonly deleted: number
  readonly refused: number
  /**
   * Undefined if the counts are those of the client in this cycle. Otherwise there were too many entries to count, and the
   * counts are those of all clients since this time.
   */
  readonly allSince?: number
}

/**
 * @param newest the newest entries of all clients
 * @param hours the last 24 hours
 * @returns undefined if no cycle has begun
 */
export function cycleProgress(
  clientId: string,
  { contacts, lastProvisioningAt }: Pick<ClientFacts, 'contacts' | 'lastProvisioningAt'>,
  { newest, hours, now }: Seen,
): CycleProgress | undefined {
  const startedAt = contacts.at(-1)
  if (startedAt === undefined || lastProvisioningAt === null) return undefined
  const cycle = { startedAt, isRunning: now < lastProvisioningAt + CONTACT_PAUSE_MS }
  const oldest = newest.at(-1)?.time ?? 0
  if (newest.length >= NEWEST_ENTRIES && oldest > startedAt)
    return { ...cycle, ...allCounts(startedAt, hours) }
  return { ...cycle, ...countsOf(newest.filter((e) => e.clientId === clientId && e.time >= startedAt)) }
}

interface Seen {
  readonly newest: readonly SeenEntry[]
  readonly hours: readonly ActivitySpan[]
  readonly now: number
}

const NOT_UPDATES: ReadonlySet<string> = new Set([
  'create',
  'disable',
  'delete',
  'read',
  'authenticate',
  'warn',
])

function countsOf(entries: readonly SeenEntry[]) {
  const accepted = entries.filter(({ outcome }) => outcome === 'accepted')
  const countOf = (wanted: string) => accepted.filter(({ action }) => action === wanted).length
  const refused = entries.filter(({ outcome, action }) => outcome === 'refused' && action !== 'authenticate')
  return {
    created: countOf('create'),
    updated: accepted.filter(({ action }) => !NOT_UPDATES.has(action)).length,
    disabled: countOf('disable'),
    deleted: countOf('delete'),
    refused: sumOf(refused),
  }
}

function allCounts(startedAt: number, hours: readonly ActivitySpan[]) {
  const spans = hours.filter(({ start }) => start + HOUR_MS > startedAt)
  const { creates, updates, disables, deletes, refused } = sumOfActivity(spans)
  const counts = { created: creates, updated: updates, disabled: disables, deleted: deletes, refused }
  return { ...counts, allSince: spans[0]?.start ?? startedAt }
}

export function CycleText({ cycle, now }: { readonly cycle: CycleProgress; readonly now: number }) {
  const { startedAt, isRunning, allSince } = cycle
  return (
    <p class="cycle">
      {isRunning ? 'This cycle began' : 'The last cycle began'} <Ago at={startedAt} now={now} isInline />.{' '}
      {allSince !== undefined && (
        <>
          Of all clients since <Time at={allSince} format="hour" />:{' '}
        </>
      )}
      <span class="number">{countsText(cycle)}</span>
      {isRunning && ' so far'}.
    </p>
  )
}

function countsText({ created, updated, disabled, deleted, refused }: CycleProgress): string {
  const parts = [
    [created, 'created'],
    [updated, 'updated'],
    [disabled, 'disabled'],
    [deleted, 'deleted'],
    [refused, 'refused'],
  ] as const
  const shown = parts.filter(([count], i) => count > 0 || i === 0 || i === 1 || i === 4)
  return shown.map(([count, word]) => `${number(count)} ${word}`).join(', ')
}
