/**
 * The character classes of .NET's regular expressions, as tests of one UTF-16 code unit. They are Unicode classes: \w
 * matches "ë" and \d matches "٣", unlike in JavaScript. Pure.
 *
 * Microsoft: "Character classes in regular expressions".
 */
import type { CharacterTest } from './syntax.ts'

const WORD = /^[\p{L}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]$/u
const DIGIT = /^\p{Nd}$/u
const SPACE = /^[\f\n\r\t\v\x85\p{Z}]$/u

export const isWord: CharacterTest = (character) => WORD.test(character)
export const isDigit: CharacterTest = (character) => DIGIT.test(character)
export const isSpace: CharacterTest = (character) => SPACE.test(character)

/** A word character for \b, which also counts the zero-width joiner and non-joiner. */
export function isBoundaryWord(character: string): boolean {
  return isWord(character) || character === '\u200c' || character === '\u200d'
}

export function not(test: CharacterTest): CharacterTest {
  return (character) => !test(character)
}

/** Matches a character if it, or one of its cases, passes the test. */
export function ignoringCase(test: CharacterTest): CharacterTest {
  return (character) => test(character) || test(otherCase(character)) || test(character.toLowerCase())
}

function otherCase(character: string): string {
  const upper = character.toUpperCase()
  return upper.length === 1 ? upper : character
}

export function isSameIgnoringCase(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase() || a.toUpperCase() === b.toUpperCase()
}

/** The general categories of Unicode, which \p{…} takes in .NET. */
const CATEGORIES =
  'L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc Cf Cs Co Cn'

/** The test of a general category; undefined for another name, such as that of a block (IsGreek). */
export function categoryTest(name: string): CharacterTest | undefined {
  if (!CATEGORIES.split(' ').includes(name)) return undefined
  const pattern = new RegExp(`^\\p{${name}}$`, 'u')
  return (character) => pattern.test(character)
}
