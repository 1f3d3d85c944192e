/**
 * The date functions of attribute-mapping expressions, in UTC. A date is text; the functions return it as
 * `M/d/yyyy h:mm:ss tt`. Pure: Now() reads the clock of the context.
 */

import { ArgumentError, isEmpty, toInteger, toText } from './arguments.ts'
import { DateFormatError, formatDate, parseDateByFormat, utcDate } from './date-format.ts'
import type { Value } from './expression.ts'
import type { ExpressionContext, FunctionDefinition } from './function-definition.ts'

export const DATE_FUNCTIONS: readonly FunctionDefinition[] = [
  { usage: 'CDate(expression)', min: 1, max: 1, call: ([value]) => asText(parseDate(value, 0)) },
  { usage: 'DateAdd(interval, value, dateTime)', min: 3, max: 3, call: dateAdd },
  { usage: 'DateDiff(interval, date1, date2)', min: 3, max: 3, call: dateDiff },
  { usage: 'DateFromNum(value)', min: 1, max: 1, call: ([value]) => asText(fromFileTime(value)) },
  {
    usage: 'FormatDateTime(source, dateTimeStyles, inputFormat, outputFormat)',
    min: 3,
    max: 4,
    // The guide for SuccessFactors leaves dateTimeStyles out with its comma.
    call: (args, context) => {
      const [source, inputFormat, outputFormat] = args
      return formatDateTime(
        args.length === 3 ? [source ?? null, null, inputFormat ?? null, outputFormat ?? null] : args,
        context,
      )
    },
  },
  { usage: 'Now()', min: 0, max: 0, call: (_args, { clock }) => asText(new Date(clock.now())) },
  { usage: 'NumFromDate(value)', min: 1, max: 1, call: ([value]) => toFileTime(parseDate(value, 0)) },
]

function asText(date: Date): string {
  return formatDate(date, 'M/d/yyyy h:mm:ss tt')
}

const OFFSET = '(?<offset>Z|[+-]\\d{2}:?\\d{2})?'
const TIME = '(?<hour>\\d{1,2}):(?<minute>\\d{2})(?::(?<second>\\d{2})(?:\\.(?<fraction>\\d{1,7}))?)?'
const DATE_PATTERNS = [
  new RegExp(`^(?<year>\\d{4})[-/](?<month>\\d{1,2})[-/](?<day>\\d{1,2})(?:[T ]${TIME})? ?${OFFSET}$`, 'i'),
  new RegExp(
    `^(?<month>\\d{1,2})/(?<day>\\d{1,2})/(?<year>\\d{4})(?: ${TIME}(?: ?(?<half>[AP]M))?)? ?${OFFSET}$`,
    'i',
  ),
]

/** Reads ISO 8601 and the form that the functions return. */
function parseDate(value: Value | undefined, index: number): Date {
  const text = toText(value)
  for (const pattern of DATE_PATTERNS) {
    const parts = pattern.exec(text.trim())?.groups
    const date = parts === undefined ? undefined : dateOf(parts)
    if (date !== undefined) return date
  }
  throw new ArgumentError(
    index,
    `"${text}" is not a date: expected yyyy-MM-dd or M/d/yyyy, with or without a time (FormatDateTime reads other formats)`,
  )
}

function dateOf({
  year,
  month,
  day,
  ...time
}: Readonly<Record<string, string | undefined>>): Date | undefined {
  const { hour = '0', minute = '0', second = '0', fraction = '', half, offset = '' } = time
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (/^p/i.test(half) ? 12 : 0)
  return utcDate({
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: hours,
    minute: Number(minute),
    second: Number(second),
    fraction,
    offset,
  })
}

const INTERVALS = 'yyyy, m, d, ww, h, n or s'
const MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  ww: 604_800_000,
  h: 3_600_000,
  n: 60_000,
  s: 1000,
}
const MONTHS: Readonly<Record<string, number>> = { yyyy: 12, m: 1 }

function unknownInterval(interval: string): ArgumentError {
  return new ArgumentError(0, `"${interval}" is not an interval: expected ${INTERVALS}`)
}

function dateAdd([interval, amount, dateTime]: readonly Value[]): Value {
  const unit = toText(interval)
  const date = parseDate(dateTime, 2)
  const number = toInteger(amount, 1, 'value')
  const months = MONTHS[unit]
  const ms = MS[unit]
  if (months === undefined && ms === undefined) throw unknownInterval(unit)
  const moved =
    months === undefined ? new Date(date.getTime() + (ms ?? 0) * number) : addMonths(date, months * number)
  const year = moved.getUTCFullYear()
  if (!(year >= 1 && year <= 9999)) throw new ArgumentError(1, `${number} leads to a year beyond 1 to 9999`)
  return asText(moved)
}

/** Keeps the day of the month, limited to the last day of the resulting month. */
function addMonths(date: Date, months: number): Date {
  const moved = new Date(date)
  moved.setUTCDate(1)
  moved.setUTCMonth(moved.getUTCMonth() + months)
  const lastDay = new Date(Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)).getUTCDate()
  moved.setUTCDate(Math.min(date.getUTCDate(), lastDay))
  return moved
}

/**
 * Years and months are counted by the calendar, weeks from Sunday to Sunday, the others as complete units, like DateDiff
 * of Visual Basic. The page's table has -493 weeks where 492.7 weeks lie between the dates.
 */
function dateDiff([interval, first, second]: readonly Value[]): Value {
  const unit = toText(interval)
  const from = parseDate(first, 1)
  const to = parseDate(second, 2)
  const years = to.getUTCFullYear() - from.getUTCFullYear()
  if (unit === 'yyyy') return years
  if (unit === 'm') return years * 12 + to.getUTCMonth() - from.getUTCMonth()
  if (unit === 'ww') return Math.round((sundayBefore(to) - sundayBefore(from)) / (MS.ww ?? 1))
  const ms = MS[unit]
  if (ms === undefined) throw unknownInterval(unit)
  // Adding 0 turns -0 into 0.
  return Math.trunc((to.getTime() - from.getTime()) / ms) + 0
}

/** The start of the Sunday on or before a date, in milliseconds. */
function sundayBefore(date: Date): number {
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() - date.getUTCDay())
}

/** Windows file time: 100-nanosecond intervals since 1601-01-01. */
const FILE_TIME_EPOCH_MS = -11_644_473_600_000

function fromFileTime(value: Value | undefined): Date {
  const text = toText(value)
  const date = new Date(/^\d+$/.test(text) ? Number(BigInt(text) / 10_000n) + FILE_TIME_EPOCH_MS : Number.NaN)
  if (Number.isNaN(date.getTime())) throw new ArgumentError(0, `"${text}" is not a file time`)
  return date
}

function toFileTime(date: Date): string {
  return String(BigInt(date.getTime() - FILE_TIME_EPOCH_MS) * 10_000n)
}

function formatDateTime(
  [source, styles, inputFormat, outputFormat]: readonly Value[],
  context: ExpressionContext,
): Value {
  if (isEmpty(source)) return null
  const used = dateTimeStyles(styles)
  const text = withoutSpaces(toText(source), used)
  try {
    const now = used.includes('NoCurrentDateDefault') ? FIRST_DAY : new Date(context.clock.now())
    const date = isEmpty(inputFormat) ? parseDate(text, 0) : parseDateByFormat(text, toText(inputFormat), now)
    return formatDate(date, toText(outputFormat))
  } catch (cause) {
    if (!(cause instanceof DateFormatError)) throw cause
    throw Object.assign(new ArgumentError(0, cause.message), { cause })
  }
}

const FIRST_DAY = new Date('0001-01-01T00:00:00Z')
const DEFAULT_STYLES = ['AllowLeadingWhite', 'AllowTrailingWhite']
/** The service is taken to run in UTC, so the styles about time zones make no difference. */
const STYLES = [
  'None',
  'AllowLeadingWhite',
  'AllowTrailingWhite',
  'AllowInnerWhite',
  'AllowWhiteSpaces',
  'NoCurrentDateDefault',
  'AdjustToUniversal',
  'AssumeLocal',
  'AssumeUniversal',
  'RoundtripKind',
]

function dateTimeStyles(value: Value | undefined): readonly string[] {
  if (isEmpty(value)) return DEFAULT_STYLES
  const styles = toText(value)
    .split(/[,|]/)
    .map((style) => style.trim().replace(/^DateTimeStyles\./, ''))
  const unknown = styles.find((style) => !STYLES.includes(style))
  if (unknown !== undefined)
    throw new ArgumentError(1, `"${unknown}" is not a DateTimeStyles value: expected ${STYLES.join(', ')}`)
  return styles
}

function withoutSpaces(text: string, styles: readonly string[]): string {
  const allows = (style: string) => styles.includes(style) || styles.includes('AllowWhiteSpaces')
  const started = allows('AllowLeadingWhite') ? text.trimStart() : text
  const ended = allows('AllowTrailingWhite') ? started.trimEnd() : started
  return allows('AllowInnerWhite') ? ended.replace(/(?<=\S)\s+(?=\S)/g, ' ') : ended
}
