/** RandomString(). Pure: randomness comes from the context. */
import { ArgumentError, isEmpty, toInteger, toText } from './arguments.ts'
import type { Value } from './expression.ts'
import type { FunctionDefinition } from './function-definition.ts'

export const RANDOM_STRING_FUNCTION: FunctionDefinition = {
  usage:
    'RandomString(length, minimumNumbers, minimumSpecialCharacters, minimumCapital, minimumLowerCase, charactersToAvoid)',
  min: 5,
  max: 6,
  call: randomString,
}

/** "256 characters max." */
const MAX_LENGTH = 256

const CAPITALS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
/** The special characters are those of the page that the reference names, "Password must meet complexity requirements". */
const SETS = ['0123456789', '~!@#$%^&*_-+=`|\\(){}[]:;"\'<>,.?/', CAPITALS, CAPITALS.toLowerCase()]
const SET_NAMES = ['numbers', 'special characters', 'capital letters', 'lower case letters']

/** Randomness comes from `newId`, so a test with fixed ids gets a fixed string. */
function randomString(args: readonly Value[], { newId }: { readonly newId: () => string }): Value {
  const length = toInteger(args[0], 0, 'length')
  const minima = SETS.map((_, index) =>
    isEmpty(args[index + 1]) ? 0 : toInteger(args[index + 1], index + 1, 'the minimum'),
  )
  const total = minima.reduce((sum, value) => sum + value, 0)
  if (total > length)
    throw new ArgumentError(0, `length ${length} is less than the minima together, ${total}`)
  if (length > MAX_LENGTH) throw new ArgumentError(0, `length ${length} is more than ${MAX_LENGTH}`)
  const sets = allowedSets(toText(args[5]), minima)
  const pick = picker(newId)
  const any = sets.flat()
  const characters = sets.flatMap((set, index) =>
    Array.from({ length: minima[index] ?? 0 }, () => set[pick(set.length)] ?? ''),
  )
  while (characters.length < length)
    characters.splice(pick(characters.length + 1), 0, any[pick(any.length)] ?? '')
  return characters.join('')
}

function allowedSets(avoided: string, minima: readonly number[]): readonly string[][] {
  const sets = SETS.map((set) => [...set].filter((character) => !avoided.includes(character)))
  const empty = sets.findIndex((set, index) => set.length === 0 && (minima[index] ?? 0) > 0)
  if (empty !== -1)
    throw new ArgumentError(
      5,
      `charactersToAvoid excludes all ${SET_NAMES[empty]}, of which some are required`,
    )
  if (sets.every((set) => set.length === 0))
    throw new ArgumentError(5, 'charactersToAvoid excludes every character')
  return sets
}

/** Random numbers below a bound, from the hexadecimal digits of random UUIDs. */
function picker(newId: () => string): (bound: number) => number {
  return (bound) => (bound <= 0 ? 0 : Number.parseInt(newId().replaceAll('-', '').slice(0, 8), 16) % bound)
}
