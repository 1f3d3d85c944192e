/**
 * The date functions of attribute-mapping expressions, in UTC. Supports the .NET formats that are common in directories
 * (yyyy, MM, dd, HH, mm, ss, fff, tt, …). Pure: Now() reads the clock of the context.
 */

import { ArgumentError, isEmpty, toInteger, toText } from './arguments.ts'
import type { Value } from './expression.ts'
import type { FunctionDefinition } from './function-definition.ts'

export const DATE_FUNCTIONS: readonly FunctionDefinition[] = [
  { usage: 'DateAdd(interval, value, dateTime)', min: 3, max: 3, call: dateAdd },
  { usage: 'DateDiff(interval, date1, date2)', min: 3, max: 3, call: dateDiff },
  { usage: 'DateFromNum(value)', min: 1, max: 1, call: ([value]) => iso(fromFileTime(value)) },
  {
    usage: 'FormatDateTime(source, dateTimeStyles, inputFormat, outputFormat)',
    min: 4,
    max: 4,
    call: formatDateTime,
  },
  {
    usage: 'Now()',
    min: 0,
    max: 0,
    call: (_args, { clock }) => formatDate(new Date(clock.now()), 'M/d/yyyy h:mm:ss tt'),
  },
  { usage: 'NumFromDate(value)', min: 1, max: 1, call: ([value]) => toFileTime(parseDate(value, 0)) },
]

const MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  y: 86_400_000,
  w: 86_400_000,
  ww: 604_800_000,
  h: 3_600_000,
  n: 60_000,
  s: 1000,
}
const MONTHS: Readonly<Record<string, number>> = { yyyy: 12, q: 3, m: 1 }
const INTERVALS = 'yyyy, q, m, y, d, w, ww, h, n or s'

function iso(date: Date): string {
  return date.toISOString()
}

function parseDate(value: Value | undefined, index: number): Date {
  const text = toText(value)
  const zoned =
    /^\d{1,2}\/\d{1,2}\/\d{4}/.test(text) && !/[Zz]|[+-]\d\d:?\d\d$/.test(text) ? `${text} UTC` : text
  const date = new Date(zoned)
  if (Number.isNaN(date.getTime())) throw new ArgumentError(index, `"${text}" is not a date`)
  return date
}

function dateAdd([interval, amount, dateTime]: readonly Value[]): Value {
  const unit = toText(interval)
  const date = parseDate(dateTime, 2)
  const number = toInteger(amount, 1, 'value')
  const months = MONTHS[unit]
  if (months !== undefined) return formatDate(addMonths(date, months * number), 'M/d/yyyy h:mm:ss tt')
  const ms = MS[unit]
  if (ms === undefined) throw new ArgumentError(0, `"${unit}" is not an interval: expected ${INTERVALS}`)
  return formatDate(new Date(date.getTime() + ms * number), 'M/d/yyyy h:mm:ss tt')
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

function dateDiff([interval, first, second]: readonly Value[]): Value {
  const unit = toText(interval)
  const from = parseDate(first, 1)
  const to = parseDate(second, 2)
  const months = MONTHS[unit]
  if (months !== undefined) {
    const difference =
      (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth()
    return Math.trunc(difference / months)
  }
  const ms = MS[unit]
  if (ms === undefined) throw new ArgumentError(0, `"${unit}" is not an interval: expected ${INTERVALS}`)
  return Math.trunc((to.getTime() - from.getTime()) / ms)
}

/** Windows file time: 100-nanosecond intervals since 1601-01-01. */
const FILE_TIME_EPOCH_MS = -11_644_473_600_000

function fromFileTime(value: Value | undefined): Date {
  const ticks = Number(toText(value))
  const date = new Date(ticks / 10_000 + FILE_TIME_EPOCH_MS)
  if (isEmpty(value) || Number.isNaN(date.getTime()))
    throw new ArgumentError(0, `"${toText(value)}" is not a file time`)
  return date
}

function toFileTime(date: Date): string {
  return String(BigInt(date.getTime() - FILE_TIME_EPOCH_MS) * 10_000n)
}

function formatDateTime([source, , inputFormat, outputFormat]: readonly Value[]): Value {
  if (isEmpty(source)) return null
  const date = isEmpty(inputFormat)
    ? parseDate(source, 0)
    : parseByFormat(toText(source), toText(inputFormat))
  return formatDate(date, toText(outputFormat))
}

const TOKEN = /yyyy|yy|MMMM|MMM|MM|M|dddd|ddd|dd|d|HH|H|hh|h|mm|m|ss|s|f{1,7}|tt|zzz|K|'[^']*'/g

type Part = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'ms' | 'half' | 'offset'

const READ: Readonly<Record<string, readonly [string, Part]>> = {
  yyyy: ['\\d{4}', 'year'],
  yy: ['\\d{2}', 'year'],
  MM: ['\\d{2}', 'month'],
  M: ['\\d{1,2}', 'month'],
  dd: ['\\d{2}', 'day'],
  d: ['\\d{1,2}', 'day'],
  HH: ['\\d{2}', 'hour'],
  H: ['\\d{1,2}', 'hour'],
  hh: ['\\d{2}', 'hour'],
  h: ['\\d{1,2}', 'hour'],
  mm: ['\\d{2}', 'minute'],
  m: ['\\d{1,2}', 'minute'],
  ss: ['\\d{2}', 'second'],
  s: ['\\d{1,2}', 'second'],
  f: ['\\d+', 'ms'],
  tt: ['[AaPp][Mm]', 'half'],
  zzz: ['[+-]\\d{2}:\\d{2}', 'offset'],
  K: ['Z|[+-]\\d{2}:\\d{2}', 'offset'],
}

function parseByFormat(text: string, format: string): Date {
  const parts: Part[] = []
  let pattern = ''
  let last = 0
  for (const token of format.matchAll(TOKEN)) {
    const entry = READ[token[0].startsWith('f') ? 'f' : token[0]]
    if (entry === undefined)
      throw new ArgumentError(2, `"${token[0]}" cannot be read from a date: use numbers`)
    pattern += `${escapePattern(format.slice(last, token.index))}(${entry[0]})`
    parts.push(entry[1])
    last = token.index + token[0].length
  }
  const match = new RegExp(`^${pattern}${escapePattern(format.slice(last))}$`).exec(text)
  if (match === null) throw new ArgumentError(0, `"${text}" does not match the format "${format}"`)
  return assemble(new Map(parts.map((part, index) => [part, match[index + 1] ?? ''])))
}

function assemble(parts: ReadonlyMap<Part, string>): Date {
  const number = (part: Part, otherwise: number) => (parts.has(part) ? Number(parts.get(part)) : otherwise)
  const year = number('year', 1)
  const half = parts.get('half')?.toLowerCase()
  const hour = half === undefined ? number('hour', 0) : (number('hour', 0) % 12) + (half === 'pm' ? 12 : 0)
  const ms = Math.trunc(Number(`0.${parts.get('ms') ?? '0'}`) * 1000)
  const date = new Date(0)
  date.setUTCFullYear(
    year < 100 && parts.get('year')?.length === 2 ? year + 2000 : year,
    number('month', 1) - 1,
    number('day', 1),
  )
  date.setUTCHours(hour, number('minute', 0), number('second', 0), ms)
  const offset = /([+-])(\d{2}):(\d{2})/.exec(parts.get('offset') ?? '')
  if (offset === null) return date
  const minutes = (Number(offset[2]) * 60 + Number(offset[3])) * (offset[1] === '-' ? -1 : 1)
  return new Date(date.getTime() - minutes * 60_000)
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}

function formatDate(date: Date, format: string): string {
  return format.replace(TOKEN, (token) => formatPart(date, token))
}

function formatPart(date: Date, token: string): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const name = (options: Intl.DateTimeFormatOptions) =>
    date.toLocaleString('en-US', { ...options, timeZone: 'UTC' })
  const hour12 = date.getUTCHours() % 12 === 0 ? 12 : date.getUTCHours() % 12
  const parts: Readonly<Record<string, () => string>> = {
    yyyy: () => String(date.getUTCFullYear()).padStart(4, '0'),
    yy: () => two(date.getUTCFullYear() % 100),
    MMMM: () => name({ month: 'long' }),
    MMM: () => name({ month: 'short' }),
    MM: () => two(date.getUTCMonth() + 1),
    M: () => String(date.getUTCMonth() + 1),
    dddd: () => name({ weekday: 'long' }),
    ddd: () => name({ weekday: 'short' }),
    dd: () => two(date.getUTCDate()),
    d: () => String(date.getUTCDate()),
    HH: () => two(date.getUTCHours()),
    H: () => String(date.getUTCHours()),
    hh: () => two(hour12),
    h: () => String(hour12),
    mm: () => two(date.getUTCMinutes()),
    m: () => String(date.getUTCMinutes()),
    ss: () => two(date.getUTCSeconds()),
    s: () => String(date.getUTCSeconds()),
    tt: () => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
    zzz: () => '+00:00',
    K: () => 'Z',
  }
  if (token.startsWith('f'))
    return String(date.getUTCMilliseconds()).padStart(3, '0').padEnd(7, '0').slice(0, token.length)
  return token.startsWith("'") ? token.slice(1, -1) : (parts[token]?.() ?? token)
}
