/**
 * Refused requests by their reason, each with what to do about it.
 */
import { HEALTH_WINDOW_MS } from '../../scim/client-health.ts'
import { HOUR_MS } from '../../scim/duration.ts'
import { sumOf } from '../../storage/log/client-facts.ts'
import { REFUSED_ENTRIES, type SeenEntry } from '../../storage/log/recent-entries.ts'
import { adviceOf } from '../explain/advice.ts'
import { counted } from './number.ts'
import { Ago } from './time.tsx'

const SHOWN_REASONS = 3

/** Requests that were refused with one status and scimType. */
export interface FailureReason {
  readonly count: number
  /** The newest one. */
  readonly latest: SeenEntry
}

/** The most frequent reason first. @param refused newest first */
function failureReasons(refused: readonly SeenEntry[]): readonly FailureReason[] {
  const groups = Map.groupBy(refused, ({ action, status, scimType, detail }) =>
    action === 'authenticate' ? detail : `${status} ${scimType}`,
  )
  return [...groups.values()]
    .flatMap((entries) => {
      const [latest] = entries
      return latest === undefined ? [] : [{ count: sumOf(entries), latest }]
    })
    .toSorted((a, b) => b.count - a.count)
}

export function FailureReasons(props: {
  /** Those of all clients: see RecentEntries. */
  readonly refused: readonly SeenEntry[]
  /** Which of them to show. */
  readonly isOf: (entry: SeenEntry) => boolean
  readonly now: number
  /** The provisioning log. */
  readonly logPath: string
  /** The refused entries of the client in the log. */
  readonly allPath: string
}) {
  const { now, logPath, allPath } = props
  const refused = props.refused.filter(props.isOf)
  const reasons = failureReasons(refused)
  if (reasons.length === 0) return null
  const isCut = props.refused.length >= REFUSED_ENTRIES
  return (
    <div class="reasons">
      <p>
        {isCut ? 'At least ' : ''}
        {counted(sumOf(refused), 'request')} {sumOf(refused) === 1 ? 'was' : 'were'} refused in the last{' '}
        {HEALTH_WINDOW_MS / HOUR_MS} hours. <a href={allPath}>Show all</a>
      </p>
      <ul>
        {reasons.slice(0, SHOWN_REASONS).map((reason) => (
          <li>
            <Reason {...reason} now={now} logPath={logPath} />
          </li>
        ))}
      </ul>
      {reasons.length > SHOWN_REASONS && (
        <p class="muted">and {counted(reasons.length - SHOWN_REASONS, 'other reason')}</p>
      )}
    </div>
  )
}

function Reason({ count, latest, now, logPath }: FailureReason & { now: number; logPath: string }) {
  return (
    <>
      <b>{count === 1 ? 'Once' : counted(count, 'time')}</b>, last <Ago at={latest.time} now={now} isInline />
      : <Refusal entry={latest} logPath={logPath} />
    </>
  )
}

/** What was refused, why, and what to do about it. */
export function Refusal({ entry, logPath }: { readonly entry: SeenEntry; readonly logPath: string }) {
  const advice = adviceOf(entry)
  return (
    <>
      <a href={`${logPath}/${entry.id}`}>{[entry.status, entry.scimType].filter(Boolean).join(' ')}</a>{' '}
      <bdi class="reason">{entry.detail}</bdi>
      {advice !== null && <span class="block">{advice.fix}</span>}
    </>
  )
}
