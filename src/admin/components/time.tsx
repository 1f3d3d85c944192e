/**
 * Times: in UTC as served, in the reader's zone once the script has run, and in UTC again on hover.
 */

const MINUTE_MS = 60_000
const UNITS = [
  ['day', 24 * 60 * MINUTE_MS],
  ['hour', 60 * MINUTE_MS],
  ['minute', MINUTE_MS],
] as const

/** What the script writes: a moment, or only its hour or its day. */
type TimeFormat = 'moment' | 'hour' | 'day'

/** A moment. @param at milliseconds since 1970 */
export function Time({ at, format = 'moment' }: { at: number; format?: TimeFormat }) {
  const iso = new Date(at).toISOString()
  return (
    <time datetime={iso} title={utcText(at)} data-format={format}>
      {format === 'hour' ? iso.slice(11, 16) : format === 'day' ? iso.slice(0, 10) : utcText(at)}
    </time>
  )
}

/** A moment as distance from now, for what has just happened. */
export function Ago({ at, now }: { at: number; now: number }) {
  return (
    <time datetime={new Date(at).toISOString()} title={utcText(at)} data-format="title">
      {agoText(now - at)}
    </time>
  )
}

/** "3 hours ago", for the head of a line. @param distance milliseconds */
export function agoText(distance: number): string {
  const unit = UNITS.find(([, length]) => distance >= length)
  if (unit === undefined) return 'Just now'
  const count = Math.floor(distance / unit[1])
  return `${count} ${unit[0]}${count === 1 ? '' : 's'} ago`
}

function utcText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
