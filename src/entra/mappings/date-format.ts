/**
 * .NET's custom and standard date formats, read and written in UTC with the names of the invariant culture. Pure.
 *
 * Microsoft: "Custom date and time format strings", "Standard date and time format strings".
 */

/** A text that does not have the expected format, or a format that is not supported. */
export class DateFormatError extends Error {
  override readonly name = 'DateFormatError'
}

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
)
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

/** A format of one letter is a standard format. */
const STANDARD_FORMATS: Readonly<Record<string, string>> = {
  d: 'MM/dd/yyyy',
  D: 'dddd, dd MMMM yyyy',
  f: 'dddd, dd MMMM yyyy HH:mm',
  F: 'dddd, dd MMMM yyyy HH:mm:ss',
  g: 'MM/dd/yyyy HH:mm',
  G: 'MM/dd/yyyy HH:mm:ss',
  M: 'MMMM dd',
  m: 'MMMM dd',
  O: "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
  o: "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
  R: "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
  r: "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
  s: "yyyy'-'MM'-'dd'T'HH':'mm':'ss",
  t: 'HH:mm',
  T: 'HH:mm:ss',
  u: "yyyy'-'MM'-'dd HH':'mm':'ss'Z'",
  Y: 'yyyy MMMM',
  y: 'yyyy MMMM',
}

const TOKEN =
  /y{1,5}|M{1,4}|d{1,4}|H{1,2}|h{1,2}|m{1,2}|s{1,2}|f{1,7}|F{1,7}|t{1,2}|z{1,3}|K|'[^']*'|"[^"]*"|\\.|%/g

function customFormat(format: string): string {
  if (format.length !== 1) return format
  const custom = STANDARD_FORMATS[format]
  if (custom === undefined) throw new DateFormatError(`"${format}" is not a standard date format`)
  return custom
}

/** Writes a date, e.g. `formatDate(date, 'yyyy-MM-dd')`. @throws {DateFormatError} */
export function formatDate(date: Date, format: string): string {
  return customFormat(format).replace(TOKEN, (token) => formatPart(date, token))
}

function formatPart(date: Date, token: string): string {
  const padded = (number: number) => String(number).padStart(Math.min(token.length, 2), '0')
  const year = date.getUTCFullYear()
  const hours = date.getUTCHours()
  switch (token[0]) {
    case 'y':
      return token.length < 3 ? padded(year % 100) : String(year).padStart(token.length, '0')
    case 'M':
      return token.length < 3 ? padded(date.getUTCMonth() + 1) : nameIn(MONTHS, date.getUTCMonth(), token)
    case 'd':
      return token.length < 3 ? padded(date.getUTCDate()) : nameIn(DAYS, date.getUTCDay(), token)
    case 'H':
      return padded(hours)
    case 'h':
      return padded(hours % 12 === 0 ? 12 : hours % 12)
    case 'm':
      return padded(date.getUTCMinutes())
    case 's':
      return padded(date.getUTCSeconds())
    case 'f':
      return fraction(date, token)
    case 'F':
      return fraction(date, token).replace(/0+$/, '')
    case 't':
      return (hours < 12 ? 'AM' : 'PM').slice(0, token.length)
    case 'z':
      return ['+0', '+00', '+00:00'][token.length - 1] ?? ''
    case 'K':
      return 'Z'
    case '\\':
      return token.slice(1)
    case '%':
      return ''
    default:
      return token.slice(1, -1)
  }
}

function nameIn(names: readonly string[], index: number, { length }: string): string {
  return names[index]?.slice(0, length === 3 ? 3 : undefined) ?? ''
}

function fraction(date: Date, { length }: string): string {
  return String(date.getUTCMilliseconds()).padStart(3, '0').padEnd(7, '0').slice(0, length)
}

type Part =
  | 'year'
  | 'month'
  | 'monthName'
  | 'day'
  | 'hour'
  | 'minute'
  | 'second'
  | 'fraction'
  | 'half'
  | 'offset'

/** The pattern of a token, and the part it gives. A weekday gives none. */
function readToken(token: string): readonly [pattern: string, part?: Part] {
  const digits = token.length === 1 ? '\\d{1,2}' : '\\d{2}'
  switch (token[0]) {
    case 'y':
      return [token.length < 3 ? digits : `\\d{${token.length}}`, 'year']
    case 'M':
      return token.length < 3 ? [digits, 'month'] : [namePattern(MONTHS, token), 'monthName']
    case 'd':
      return token.length < 3 ? [digits, 'day'] : [namePattern(DAYS, token)]
    case 'H':
    case 'h':
      return [digits, 'hour']
    case 'm':
      return [digits, 'minute']
    case 's':
      return [digits, 'second']
    case 'f':
      return [`\\d{${token.length}}`, 'fraction']
    case 'F':
      return [`\\d{0,${token.length}}`, 'fraction']
    case 't':
      return [token.length === 1 ? '[AaPp]' : '[AaPp][Mm]', 'half']
    case 'z':
      return [token.length === 3 ? '[+-]\\d{2}:?\\d{2}' : '[+-]\\d{1,2}', 'offset']
    case 'K':
      return ['(?:Z|[+-]\\d{2}:\\d{2})?', 'offset']
    case '\\':
      return [escapePattern(token.slice(1))]
    case '%':
      return ['']
    default:
      return [escapePattern(token.slice(1, -1))]
  }
}

function namePattern(names: readonly string[], token: string): string {
  return names.map((_, index) => nameIn(names, index, token)).join('|')
}

/**
 * Reads a date with a format. A format without a date means today; without a time, midnight; without an offset, UTC.
 * @throws {DateFormatError}
 */
export function parseDateByFormat(text: string, format: string, now: Date): Date {
  const custom = customFormat(format)
  const parts: (Part | undefined)[] = []
  let pattern = ''
  let last = 0
  for (const token of custom.matchAll(TOKEN)) {
    const [tokenPattern, part] = readToken(token[0])
    pattern += `${escapePattern(custom.slice(last, token.index))}(${tokenPattern})`
    parts.push(part)
    last = token.index + token[0].length
  }
  const match = new RegExp(`^${pattern}${escapePattern(custom.slice(last))}$`, 'i').exec(text)
  if (match === null) throw new DateFormatError(`"${text}" does not match the format "${format}"`)
  const found = new Map(parts.flatMap((part, index) => (part ? [[part, match[index + 1] ?? '']] : [])))
  return assemble(found, now) ?? fail(text)
}

function fail(text: string): never {
  throw new DateFormatError(`"${text}" is not a date of the calendar`)
}

function assemble(parts: ReadonlyMap<Part, string>, now: Date): Date | undefined {
  const number = (part: Part, otherwise: number) => (parts.has(part) ? Number(parts.get(part)) : otherwise)
  const monthName = parts.get('monthName')?.slice(0, 3).toLowerCase()
  const isToday = !['year', 'month', 'monthName', 'day'].some((part) => parts.has(part as Part))
  return utcDate({
    year: fullYear(parts.get('year')) ?? now.getUTCFullYear(),
    month:
      monthName === undefined
        ? number('month', isToday ? now.getUTCMonth() + 1 : 1)
        : MONTHS.findIndex((name) => name.slice(0, 3).toLowerCase() === monthName) + 1,
    day: number('day', isToday ? now.getUTCDate() : 1),
    hour: hourOf(number('hour', 0), parts.get('half')),
    minute: number('minute', 0),
    second: number('second', 0),
    fraction: parts.get('fraction') ?? '',
    offset: parts.get('offset') ?? '',
  })
}

/** Two digits mean 1950 to 2049, the calendar's range in .NET 8. */
function fullYear(digits: string | undefined): number | undefined {
  if (digits === undefined) return undefined
  const year = Number(digits)
  return digits.length > 2 ? year : year + (year < 50 ? 2000 : 1900)
}

/** A 12-hour time has no hour 0 or 13; it gives an hour that does not exist. */
function hourOf(hour: number, half: string | undefined): number {
  if (half === undefined) return hour
  if (hour < 1 || hour > 12) return Number.NaN
  return (hour % 12) + (/^p/i.test(half) ? 12 : 0)
}

export interface DateParts {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  /** The digits after the decimal point of the seconds. */
  readonly fraction: string
  /** `Z`, `+hh:mm`, `+hhmm`, `+h`, or empty for UTC. */
  readonly offset: string
}

/** The instant; undefined if the calendar has no such date or time. */
export function utcDate({
  year,
  month,
  day,
  hour,
  minute,
  second,
  fraction,
  offset,
}: DateParts): Date | undefined {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second, Math.trunc(Number(`0.${fraction || '0'}`) * 1000))
  const shown = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours()]
  const isReal =
    [year, month, day, hour].every((part, index) => part === shown[index]) && minute < 60 && second < 60
  if (!isReal) return undefined
  const [, sign, hours = '0', minutes = '0'] = /([+-])(\d{1,2}):?(\d{2})?/.exec(offset) ?? []
  const shift = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)
  return new Date(date.getTime() - shift * 60_000)
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}
