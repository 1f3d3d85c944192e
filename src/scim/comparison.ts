/**
 * Comparison of values (RFC 7643 §2.3, RFC 7644 §3.4.2.2). Attributes that are not caseExact compare by their folded
 * value, dateTimes as instants, and all others unchanged. The comparison document of a resource contains these keys under
 * the same paths, so that SQL and this module give the same results.
 */
import { fold } from './fold.ts'
import type { Attribute } from './schema/definition.ts'
import { DATE_TIME_UNITS, type Work } from './work.ts'

export type Scalar = string | number | boolean

/** A JSON object whose keys are attribute names as the schema spells them. */
export type Complex = { [name: string]: unknown }

/** The key by which a value of the attribute compares. @param work counts and caches the folding */
export function comparisonKey(attribute: Attribute, value: Scalar, work?: Work): Scalar {
  if (typeof value !== 'string') return value
  if (attribute.type === 'dateTime') {
    work?.spend(DATE_TIME_UNITS + value.length)
    return instant(value) ?? Number.NaN
  }
  if (attribute.caseExact) return value
  return work === undefined ? fold(value) : work.fold(value)
}

/** RFC 7643 §2.3.5: xsd:dateTime with both a date and a time; the offset may be missing. */
const DATE_TIME = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(?:\.\d+)?(Z|[+-]\d\d:\d\d)?$/

/**
 * The instant of a dateTime, in milliseconds since 1970. Text without an offset is in UTC, regardless of the local time
 * zone.
 *
 * @returns undefined if the text is not a dateTime. Date.parse alone accepts many more forms, and 30 February
 */
export function instant(text: string): number | undefined {
  const [, date, offset] = DATE_TIME.exec(text) ?? []
  if (date === undefined || !isDay(date)) return undefined
  const time = Date.parse(offset === undefined ? `${text}Z` : text)
  return Number.isNaN(time) ? undefined : time
}

function isDay(date: string): boolean {
  const midnight = new Date(`${date}T00:00:00Z`)
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date)
}

/** The comparison document: the resource with every value replaced by its key, without write-only values. */
export function comparisonDocument(
  resource: Complex,
  attributes: readonly Attribute[],
  work?: Work,
): Complex {
  const document: Complex = {}
  work?.visit(attributes.length)
  for (const attribute of attributes) {
    const value = resource[attribute.name]
    if (value === undefined || attribute.returned === 'never') continue
    document[attribute.name] = Array.isArray(value)
      ? value.map((element) => elementKey(attribute, element, work))
      : elementKey(attribute, value, work)
  }
  return document
}

function elementKey(attribute: Attribute, value: unknown, work: Work | undefined): unknown {
  if (isComplex(value)) return comparisonDocument(value, attribute.subAttributes ?? [], work)
  return comparisonKey(attribute, value as Scalar, work)
}

/** True for a JSON object, false for null and arrays. */
export function isComplex(value: unknown): value is Complex {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Orders by code point, like SQLite's binary collation of UTF-8. `<` on strings would order by UTF-16 code unit. */
export function compareScalars(a: Scalar, b: Scalar): number {
  if (typeof a !== 'string' || typeof b !== 'string') return Number(a) - Number(b)
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [inA, inB] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (inA !== inB) return codeUnitRank(inA) - codeUnitRank(inB)
  }
  return a.length - b.length
}

/** Surrogates encode code points above the BMP, so they rank above U+E000 to U+FFFF. */
function codeUnitRank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000
}

/** Deep equality of JSON values, regardless of the order of keys. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((element, i) => sameValue(element, b[i]))
  }
  if (!isComplex(a) || !isComplex(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && sameValue(a[key], b[key]))
}
