/**
 * The text functions of attribute-mapping expressions. Positions are 1-based. A null source gives null unless a
 * function says otherwise. Pure.
 */

import { ArgumentError, isEmpty, list, toInteger, toList, toText } from './arguments.ts'
import type { Value } from './expression.ts'
import type { FunctionDefinition } from './function-definition.ts'
import { RANDOM_STRING_FUNCTION } from './random-string.ts'

const MANY = Number.POSITIVE_INFINITY

export const TEXT_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    usage: 'Append(source, suffix)',
    min: 2,
    max: 2,
    call: ([source, suffix]) => changed(source, (text) => text + toText(suffix)),
  },
  { usage: 'ConvertToBase64(source)', min: 1, max: 1, call: ([value]) => changed(value, base64) },
  { usage: 'ConvertToUTF8Hex(source)', min: 1, max: 1, call: ([value]) => changed(value, utf8Hex) },
  { usage: 'Count(attribute)', min: 1, max: 1, call: ([value]) => toList(value).length },
  { usage: 'InStr(value1, value2, start, compareType)', min: 2, max: 4, call: inStr },
  { usage: 'Item(attribute, index)', min: 2, max: 2, call: item },
  { usage: 'Join(separator, source1, source2, …)', min: 1, max: MANY, call: join },
  { usage: 'Left(string, numChars)', min: 2, max: 2, call: left },
  { usage: 'Right(string, numChars)', min: 2, max: 2, isUndocumented: true, call: right },
  { usage: 'Len(string)', min: 1, max: 1, call: ([value]) => toText(value).length },
  { usage: 'Mid(source, start, length)', min: 3, max: 3, call: mid },
  RANDOM_STRING_FUNCTION,
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
    call: ([value]) => changed(value, (text) => text.replaceAll(' ', '')),
  },
  {
    usage: 'Trim(value)',
    min: 1,
    max: 1,
    isUndocumented: true,
    call: ([value]) => changed(value, (text) => text.trim()),
  },
  { usage: 'Word(string, wordNumber, delimiters)', min: 3, max: 3, call: word },
]

function changed(value: Value | undefined, change: (text: string) => string): Value {
  return value === null || value === undefined ? null : change(toText(value))
}

/** "Converts a string to a Unicode base64 string": UTF-16, low byte first. */
function base64(text: string): string {
  const bytes = Array.from({ length: text.length }, (_, index) => {
    const code = text.charCodeAt(index)
    return String.fromCharCode(code & 0xff, code >> 8)
  })
  return btoa(bytes.join(''))
}

function utf8Hex(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) =>
    byte.toString(16).padStart(2, '0').toUpperCase(),
  ).join('')
}

/** "If numChars = 0, return empty string. If numChars < 0, return input string. If string is null, return empty string." */
function left([source, numChars]: readonly Value[]): Value {
  const number = toInteger(numChars, 1, 'numChars')
  const text = toText(source)
  return number < 0 ? text : text.slice(0, number)
}

/** Not on the reference page; follows Left. */
function right([source, numChars]: readonly Value[]): Value {
  const number = toInteger(numChars, 1, 'numChars')
  const text = toText(source)
  return number < 0 ? text : text.slice(Math.max(0, text.length - number))
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
  return changed(source, (text) => text.slice(first - 1, first - 1 + size))
}

function item([source, index]: readonly Value[]): Value {
  const position = toInteger(index, 1, 'index')
  if (position < 1) throw new ArgumentError(1, `index counts from 1, found ${position}`)
  return toList(source)[position - 1] ?? null
}

/** Compares case-sensitively unless compareType is vbTextCompare, as in Visual Basic. */
function inStr([text, wanted, start, compareType]: readonly Value[]): Value {
  const first = isEmpty(start) ? 1 : toInteger(start, 2, 'start')
  if (first < 1) throw new ArgumentError(2, `start counts from 1, found ${first}`)
  const type = isEmpty(compareType) ? 'vbBinaryCompare' : toText(compareType)
  if (type !== 'vbBinaryCompare' && type !== 'vbTextCompare')
    throw new ArgumentError(3, `compareType must be vbTextCompare or vbBinaryCompare, found "${type}"`)
  const folded = (value: Value | undefined) =>
    type === 'vbTextCompare' ? toText(value).toLowerCase() : toText(value)
  return folded(text).indexOf(folded(wanted), first - 1) + 1
}

/** Spaces around a part are removed, as in the page's sample: "PermissionSetOne, PermissionSetTwo". */
function split([source, delimiter]: readonly Value[]): Value {
  if (isEmpty(delimiter)) throw new ArgumentError(1, 'the delimiter is empty')
  if (isEmpty(source)) return null
  const parts = toText(source).split(toText(delimiter))
  return list(parts.map((part) => part.trim()))
}

/** Words are separated by any of the delimiter characters. A number outside the words gives an empty string. */
function word([source, position, delimiters]: readonly Value[]): Value {
  const number = toInteger(position, 1, 'wordNumber')
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
