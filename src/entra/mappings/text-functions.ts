/**
 * The text functions of attribute-mapping expressions. Positions are 1-based. A null source gives null unless a
 * function says otherwise. Pure.
 */

import { ArgumentError, isEmpty, list, toInteger, toList, toText } from './arguments.ts'
import type { Value } from './expression.ts'
import type { FunctionDefinition } from './function-definition.ts'

const MANY = Number.POSITIVE_INFINITY

export const TEXT_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    usage: 'Append(source, suffix)',
    min: 2,
    max: 2,
    call: ([a, b]) => (isEmpty(a) ? null : toText(a) + toText(b)),
  },
  { usage: 'Count(attribute)', min: 1, max: 1, call: ([value]) => toList(value).length },
  { usage: 'InStr(value1, value2, start, compareType)', min: 2, max: 4, call: inStr },
  { usage: 'Item(attribute, index)', min: 2, max: 2, call: item },
  { usage: 'Join(separator, source1, source2, …)', min: 1, max: MANY, call: join },
  {
    usage: 'Left(string, numChars)',
    min: 2,
    max: 2,
    call: ([s, n]) => nullable(s, (t) => t.slice(0, count(n))),
  },
  {
    usage: 'Right(string, numChars)',
    min: 2,
    max: 2,
    call: ([s, n]) => nullable(s, (t) => right(t, count(n))),
  },
  { usage: 'Len(string)', min: 1, max: 1, call: ([value]) => toText(value).length },
  { usage: 'Mid(source, start, length)', min: 3, max: 3, call: mid },
  {
    usage: 'NormalizeDiacritics(source)',
    min: 1,
    max: 1,
    call: ([value]) => nullable(value, withoutDiacritics),
  },
  {
    usage: 'PCase(source, wordSeparators)',
    min: 1,
    max: 2,
    call: ([s, d]) => nullable(s, (t) => properCase(t, d)),
  },
  {
    usage: 'RandomString(length, minNumbers, minSpecial, minCapital, minLower, charactersToAvoid)',
    min: 1,
    max: 6,
    call: randomString,
  },
  {
    usage:
      'Replace(source, oldValue, regexPattern, regexGroupName, replacementValue, replacementAttributeName, template)',
    min: 1,
    max: 7,
    call: replace,
  },
  {
    usage: 'RemoveDuplicates(attribute)',
    min: 1,
    max: 1,
    call: ([value]) => list([...new Set(toList(value))]),
  },
  { usage: 'Split(source, delimiter)', min: 2, max: 2, call: split },
  {
    usage: 'StripSpaces(source)',
    min: 1,
    max: 1,
    call: ([value]) => nullable(value, (t) => t.replaceAll(' ', '')),
  },
  {
    usage: 'ToLower(source, culture)',
    min: 1,
    max: 2,
    call: ([s, c]) => nullable(s, (t) => t.toLocaleLowerCase(culture(c))),
  },
  {
    usage: 'ToUpper(source, culture)',
    min: 1,
    max: 2,
    call: ([s, c]) => nullable(s, (t) => t.toLocaleUpperCase(culture(c))),
  },
  { usage: 'Trim(value)', min: 1, max: 1, call: ([value]) => nullable(value, (t) => t.trim()) },
  { usage: 'Word(string, wordNumber, delimiters)', min: 3, max: 3, call: word },
]

function nullable(value: Value | undefined, change: (text: string) => string): Value {
  return value === null || value === undefined ? null : change(toText(value))
}

function count(value: Value | undefined): number {
  const number = toInteger(value, 1, 'numChars')
  if (number < 0) throw new ArgumentError(1, `numChars must be 0 or more, found ${number}`)
  return number
}

function right(text: string, length: number): string {
  return length === 0 ? '' : text.slice(-length)
}

function culture(value: Value | undefined): string {
  const name = isEmpty(value) ? 'en' : toText(value)
  try {
    return Intl.getCanonicalLocales(name)[0] ?? 'en'
  } catch (cause) {
    throw Object.assign(new ArgumentError(1, `"${name}" is not a culture name such as es-ES`), { cause })
  }
}

/** Joins the sources that have a value; a multi-valued source contributes each of its values. */
function join([separator, ...sources]: readonly Value[]): Value {
  return sources
    .flatMap(toList)
    .filter((text) => text !== '')
    .join(toText(separator))
}

function mid([source, start, length]: readonly Value[]): Value {
  const first = toInteger(start, 1, 'start')
  const size = toInteger(length, 2, 'length')
  if (first < 1) throw new ArgumentError(1, `start counts from 1, found ${first}`)
  if (size < 0) throw new ArgumentError(2, `length must be 0 or more, found ${size}`)
  return nullable(source, (text) => text.slice(first - 1, first - 1 + size))
}

function item([source, index]: readonly Value[]): Value {
  const position = toInteger(index, 1, 'index')
  if (position < 1) throw new ArgumentError(1, `index counts from 1, found ${position}`)
  return toList(source)[position - 1] ?? null
}

function inStr([text, wanted, start]: readonly Value[]): Value {
  const first = isEmpty(start) ? 1 : toInteger(start, 2, 'start')
  if (first < 1) throw new ArgumentError(2, `start counts from 1, found ${first}`)
  return toText(text).indexOf(toText(wanted), first - 1) + 1
}

function split([source, delimiter]: readonly Value[]): Value {
  if (isEmpty(delimiter)) throw new ArgumentError(1, 'the delimiter is empty')
  return isEmpty(source) ? null : list(toText(source).split(toText(delimiter)))
}

/** Words are separated by any of the delimiter characters. A position past the last word gives an empty string. */
function word([source, position, delimiters]: readonly Value[]): Value {
  const number = toInteger(position, 1, 'wordNumber')
  if (number < 1) throw new ArgumentError(1, `wordNumber counts from 1, found ${number}`)
  const separators = new Set(toText(delimiters))
  const words = [...toText(source)].reduce<string[]>(
    (found, character) => {
      if (separators.has(character)) found.push('')
      else found[found.length - 1] += character
      return found
    },
    [''],
  )
  return words.filter((text) => text !== '')[number - 1] ?? ''
}

/**
 * Letters without a Unicode decomposition, with the replacements from Microsoft's page. Other letters lose their
 * diacritics.
 */
const SPELLED_OUT: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  Æ: 'AE',
  œ: 'oe',
  Œ: 'OE',
  ø: 'o',
  Ø: 'O',
  ł: 'l',
  Ł: 'L',
  đ: 'd',
  Đ: 'D',
  ð: 'd',
  Ð: 'D',
  þ: 'th',
  Þ: 'TH',
  ı: 'i',
}

function withoutDiacritics(text: string): string {
  const spelledOut = text.replace(/[ßæÆœŒøØłŁđĐðÐþÞı]/g, (letter) => SPELLED_OUT[letter] ?? letter)
  return spelledOut
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .normalize('NFC')
}

/** Capitalizes the first letter of each word and lower-cases the rest. The default separator is a space. */
function properCase(text: string, delimiters: Value | undefined): string {
  const separators = new Set(isEmpty(delimiters) ? ' ' : toText(delimiters))
  let atStart = true
  return [...text]
    .map((character) => {
      const cased = atStart ? character.toUpperCase() : character.toLowerCase()
      atStart = separators.has(character)
      return cased
    })
    .join('')
}

/**
 * Three forms: (source, oldValue, , , replacementValue) replaces text. (source, , regex, group, replacementValue, …)
 * replaces the matches of a pattern. (source, oldValue, , , , , template) inserts the source into the template, and
 * gives null if the source is empty.
 */
function replace(args: readonly Value[]): Value {
  const [source, oldValue, pattern, groupName, replacement, attributeValue, template] = args
  if (!isEmpty(template))
    return isEmpty(source) ? null : toText(template).replaceAll(toText(oldValue), toText(source))
  if (isEmpty(source)) return null
  const text = toText(source)
  const replaceWith = isEmpty(replacement) ? toText(attributeValue) : toText(replacement)
  if (isEmpty(pattern)) {
    if (isEmpty(oldValue)) throw new ArgumentError(1, 'oldValue, regexPattern or template is needed')
    return text.replaceAll(toText(oldValue), () => replaceWith)
  }
  return replacePattern(text, compile(toText(pattern)), toText(groupName), replaceWith)
}

function compile(pattern: string): RegExp {
  try {
    // The named group (?<name>…) is the same in .NET and JavaScript; only the form (?'name'…) must be translated.
    return new RegExp(pattern.replace(/\(\?'(\w+)'/g, '(?<$1>'), 'gd')
  } catch (cause) {
    throw Object.assign(new ArgumentError(2, `"${pattern}" is not a regular expression`), { cause })
  }
}

function replacePattern(text: string, pattern: RegExp, group: string, replacement: string): string {
  return text.replace(pattern, (...found: unknown[]) => {
    const whole = String(found[0])
    const groups = found.at(-1)
    const part =
      group !== '' && typeof groups === 'object' && groups !== null ? Reflect.get(groups, group) : undefined
    return typeof part === 'string' ? whole.replace(part, () => replacement) : replacement
  })
}

const DIGITS = '0123456789'
const SPECIAL = '!@#$%^&*()_+-=[]{}'
const CAPITALS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const LOWER = CAPITALS.toLowerCase()

/** Randomness comes from `newId`, so a test with fixed ids gets a fixed string. */
function randomString(args: readonly Value[], context: { readonly newId: () => string }): Value {
  const length = toInteger(args[0], 0, 'length')
  const minima = [1, 2, 3, 4].map((index) =>
    isEmpty(args[index]) ? 0 : toInteger(args[index], index, 'minimum'),
  )
  const avoid = new Set(toText(args[5]))
  const sets = [DIGITS, SPECIAL, CAPITALS, LOWER].map((set) =>
    [...set].filter((letter) => !avoid.has(letter)),
  )
  if (minima.reduce((sum, value) => sum + value, 0) > length)
    throw new ArgumentError(0, `length ${length} is less than the minima together`)
  const pick = picker(context.newId)
  const required = sets.flatMap((set, index) =>
    Array.from({ length: minima[index] ?? 0 }, () => set[pick(set.length)] ?? ''),
  )
  const any = sets.flat()
  while (required.length < length) required.splice(pick(required.length + 1), 0, any[pick(any.length)] ?? '')
  return required.join('')
}

/** Random numbers below a bound, from the hexadecimal digits of random UUIDs. */
function picker(newId: () => string): (bound: number) => number {
  return (bound) => (bound <= 0 ? 0 : Number.parseInt(newId().replaceAll('-', '').slice(0, 8), 16) % bound)
}
