/**
 * The functions that change letters: case and diacritics. Pure. As in .NET, changing the case keeps the length of a text:
 * "ß" stays "ß" in upper case.
 */
import { ArgumentError, isEmpty, toText } from './arguments.ts'
import type { Value } from './expression.ts'
import type { FunctionDefinition } from './function-definition.ts'

export const LETTER_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    usage: 'NormalizeDiacritics(source)',
    min: 1,
    max: 1,
    call: ([value]) => changed(value, withoutDiacritics),
  },
  {
    usage: 'PCase(source, wordSeparators)',
    min: 1,
    max: 2,
    call: ([source, separators]) => changed(source, (text) => properCase(text, separatorTest(separators))),
  },
  {
    usage: 'ToLower(source, culture)',
    min: 1,
    max: 2,
    call: ([source, name]) => changed(source, (text) => inCase(text, 'lower', culture(name))),
  },
  {
    usage: 'ToUpper(source, culture)',
    min: 1,
    max: 2,
    call: ([source, name]) => changed(source, (text) => inCase(text, 'upper', culture(name))),
  },
]

function changed(value: Value | undefined, change: (text: string) => string): Value {
  return value === null || value === undefined ? null : change(toText(value))
}

function inCase(text: string, to: 'lower' | 'upper', locale = 'en'): string {
  return Array.from(text, (character) => {
    const cased = to === 'lower' ? character.toLocaleLowerCase(locale) : character.toLocaleUpperCase(locale)
    return cased.length === character.length ? cased : character
  }).join('')
}

/** Without a culture the invariant culture applies, whose letters change case as in English. */
function culture(value: Value | undefined): string {
  const name = isEmpty(value) ? 'en' : toText(value)
  try {
    return Intl.getCanonicalLocales(name)[0] ?? 'en'
  } catch (cause) {
    throw Object.assign(new ArgumentError(1, `"${name}" is not a culture name such as es-ES`), { cause })
  }
}

/** Letters of the page's table that have no Unicode decomposition, and đ, another letter with a stroke. */
const SPELLED_OUT: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  Æ: 'AE',
  œ: 'oe',
  Œ: 'OE',
  ø: 'oe',
  Ø: 'OE',
  ł: 'l',
  Ł: 'L',
  đ: 'd',
  Đ: 'D',
  ı: 'i',
}

/**
 * Replaces the letters of the page's table, and removes accents from all others. Marks that are not accents, such as the
 * vowel signs of Thai, remain.
 */
function withoutDiacritics(text: string): string {
  return text
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    .replace(/[ßæÆœŒøØłŁđĐı]/g, (letter) => SPELLED_OUT[letter] ?? letter)
}

/**
 * The separators when none are given: "Unicode character categories as word separators" on the page. They include the
 * apostrophe, for which the Workday guide has a workaround ("St John'S Hospital").
 */
const SEPARATOR = /[\p{Z}\p{Cc}\p{Cf}\p{P}\p{S}]/u

function separatorTest(separators: Value | undefined): (character: string) => boolean {
  if (isEmpty(separators)) return (character) => SEPARATOR.test(character)
  return (character) => toText(separators).includes(character)
}

/** Converts the first character of each word to upper case, and all others to lower case. */
function properCase(text: string, isSeparator: (character: string) => boolean): string {
  let atStart = true
  return Array.from(text, (character) => {
    const cased = inCase(character, atStart ? 'upper' : 'lower')
    atStart = isSeparator(character)
    return cased
  }).join('')
}
