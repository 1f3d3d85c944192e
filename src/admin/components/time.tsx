/**
 * Times. The server sends UTC, the script converts to the reader's time zone, and the tooltip keeps UTC.
 */
import { MINUTE_MS } from '../../scim/duration.ts'

const UNITS = [
  ['day', 24 * 60 * MINUTE_MS],
  ['hour', 60 * MINUTE_MS],
  ['minute', MINUTE_MS],
] as const

/** The format that the script writes: date and time, or only the hour or the day. */
type TimeFormat = 'moment' | 'hour' | 'day'

/** A time. @param at milliseconds since 1970 */
export function Time({ at, format = 'moment' }: { at: number; format?: TimeFormat }) {
  const iso = new Date(at).toISOString()
  return (
    <time datetime={iso} title={utcText(at)} data-format={format}>
      {format === 'hour' ? iso.slice(11, 16) : format === 'day' ? iso.slice(0, 10) : utcText(at)}
    </time>
  )
}

/** A recent time relative to now. @param isInline true within a sentence */
export function Ago({ at, now, isInline = false }: { at: number; now: number; isInline?: boolean }) {
  const text = agoText(now - at)
  return (
    <time datetime={new Date(at).toISOString()} title={utcText(at)} data-format="title">
      {isInline ? text.toLowerCase() : text}
    </time>
  )
}

/** "3 hours ago". @param distance milliseconds */
function agoText(distance: number): string {
  const unit = UNITS.find(([, length]) => distance >= length)
  if (unit === undefined) return 'Just now'
  const count = Math.floor(distance / unit[1])
  return `${count} ${unit[0]}${count === 1 ? '' : 's'} ago`
}

function utcText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
