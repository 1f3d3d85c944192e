/**
 * What the page of limits shows of each constant of src/scim/limits.ts: its words, its value and its unit, all from its
 * name and its value. A new constant therefore appears by itself.
 */
import * as limits from '../../scim/limits.ts'
import { number } from '../components/number.ts'
import { WORDS } from './words.ts'

export interface ShownValue {
  /** The name in the code. */
  readonly name: string
  /** "Bulk operations, at most". */
  readonly words: string
  /** "1 MiB (1,048,576 bytes)". */
  readonly value: string
}

const BOUNDS = { MAX: 'at most', MIN: 'at least', DEFAULT: 'by default' } as const
/** The units at the end of a name, and what a number of each is. Other units are part of the words. */
const UNITS = {
  BYTES: bytes,
  CHARACTERS: (value: number) => `${number(value)} characters`,
  MILLISECONDS: (value: number) => `${number(value)} milliseconds`,
  SECONDS: seconds,
  DAYS: (value: number) => `${number(value)} days`,
  MS: time,
} as const
/** Words that are not lower case. */
const SPELLINGS: Readonly<Record<string, string>> = { json: 'JSON', urn: 'URN', url: 'URL', id: 'id' }

/** All limits, in the order of their words. */
export function shownLimits(): readonly ShownValue[] {
  return Object.entries(limits)
    .map(([name, value]) => shownValue(name, value))
    .sort((a, b) => (a.words < b.words ? -1 : 1))
}

/** @param name of a constant, such as MAX_BODY_BYTES */
export function shownValue(name: string, value: number): ShownValue {
  const parts = name.split('_')
  const bound = isBound(parts[0]) ? BOUNDS[parts[0]] : undefined
  const unit = parts.find(isUnit)
  const rest = parts.slice(bound === undefined ? 0 : 1).filter((part) => part !== unit)
  const text = WORDS[name] ?? sentenceOf(rest)
  return {
    name,
    words: bound === undefined ? text : `${text}, ${bound}`,
    value: unit === undefined ? number(value) : UNITS[unit](value),
  }
}

/** "Bulk operations" */
function sentenceOf(parts: readonly string[]): string {
  const words = parts.map((part) => SPELLINGS[part.toLowerCase()] ?? part.toLowerCase()).join(' ')
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`
}

function isBound(part: string | undefined): part is keyof typeof BOUNDS {
  return part !== undefined && Object.hasOwn(BOUNDS, part)
}

function isUnit(part: string): part is keyof typeof UNITS {
  return Object.hasOwn(UNITS, part)
}

const SIZES = [
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
] as const

function bytes(value: number): string {
  return largest(value, SIZES, 'bytes')
}

const TIMES = [
  ['days', 86_400],
  ['hours', 3_600],
  ['minutes', 60],
] as const

function seconds(value: number): string {
  return largest(value, TIMES, 'seconds')
}

/** "1 MiB (1,048,576 bytes)", if it is a whole number of a larger unit. */
function largest(value: number, units: readonly (readonly [string, number])[], unit: string): string {
  const found = units.find(([, size]) => value >= size && value % size === 0)
  if (found === undefined) return `${number(value)} ${unit}`
  const [name, size] = found
  const one = value === size ? name.replace(/s$/, '') : name
  return `${number(value / size)} ${one} (${number(value)} ${unit})`
}

/** Of an instant. @param value milliseconds since 1970 */
function time(value: number): string {
  return new Date(value).toISOString().slice(0, 10)
}
