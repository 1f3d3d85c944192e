/**
 * Parses JSON text. The depth is limited, so that later code may recurse, and so are the members of an object and of all.
 */
import { badRequest } from './error.ts'
import { MAX_JSON_DEPTH, MAX_JSON_MEMBERS, MAX_JSON_MEMBERS_IN_ALL } from './limits.ts'
import { CONTAINER_UNITS, MEMBER_NAME_UNITS, SCALAR_UNITS, type Work } from './work.ts'

/**
 * @param name names the text in error messages
 * @param work counts the values and the different names of members, before they are parsed: most code looks only at what a
 *   schema has, and would not count the others
 * @throws {ScimError} invalidSyntax if the text is not valid JSON, exceeds MAX_JSON_DEPTH, MAX_JSON_MEMBERS or
 *   MAX_JSON_MEMBERS_IN_ALL; as Work.spend
 */
export function parseJson(text: string, name = 'the request body', work?: Work): unknown {
  const { names, containers, commas } = requireShape(text, name)
  // A value that is neither an object nor an array has a comma after it, or is the last one.
  work?.spend(names * MEMBER_NAME_UNITS + containers * CONTAINER_UNITS + commas * SCALAR_UNITS)
  return parsed(text, name)
}

/**
 * Like parseJson, for text that no client has sent: nothing in it may be dropped. JSON.parse keeps the last of two members
 * with the same name, and names of attributes are the same in upper and lower case (RFC 7643 §2.1).
 *
 * @throws {ScimError} invalidSyntax, also if an object has a member twice
 */
export function parseDistinctJson(text: string, name: string): unknown {
  const { members } = requireShape(text, name)
  const value = parsed(text, name)
  if (distinctMembers(value) < members) {
    throw badRequest('invalidSyntax', `${name} has an object with the same member twice`)
  }
  return value
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw badRequest('invalidSyntax', `${name} is ${text === '' ? 'empty' : notJson(cause)}`)
  }
}

/** The number of members of all objects, without those whose name differs from another one in case only. */
function distinctMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const inner = Object.values(value).reduce<number>((sum, one) => sum + distinctMembers(one), 0)
  if (Array.isArray(value)) return inner
  return inner + new Set(Object.keys(value).map((key) => key.toLowerCase())).size
}

/**
 * Rejects deep nesting and too many members, which take far longer to parse than other text of the same length. Checks
 * only brackets, colons and commas; JSON.parse finds all other errors.
 *
 * @returns the number of members, and of their different names, as they are written; of objects and arrays; and of commas
 */
function requireShape(
  text: string,
  name: string,
): {
  readonly members: number
  readonly names: number
  readonly containers: number
  readonly commas: number
} {
  /** The number of members so far, of the object at each depth. */
  const members: number[] = []
  const names = new Set<string>()
  /** The last string: the name of a member if a colon follows. */
  let [start, end] = [0, 0]
  let depth = 0
  let [inAll, containers, commas] = [0, 0, 0]
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) {
      start = at + 1
      at = endOfString(text, at)
      end = at
    } else if (character === COLON) {
      names.add(text.slice(start, end))
      // Only once: in invalid JSON, many colons may follow one long string.
      start = end
      const count = (members[depth] ?? 0) + 1
      if (count > MAX_JSON_MEMBERS) {
        throw badRequest(
          'invalidSyntax',
          `${name} has an object with more than the limit of ${MAX_JSON_MEMBERS} members`,
        )
      }
      members[depth] = count
      if (++inAll > MAX_JSON_MEMBERS_IN_ALL) {
        throw badRequest(
          'invalidSyntax',
          `${name} has more than the limit of ${MAX_JSON_MEMBERS_IN_ALL} members of objects in all`,
        )
      }
    } else if (character === COMMA) commas++
    else if (character === CLOSING_BRACE || character === CLOSING_BRACKET) depth--
    else if (character === OPENING_BRACE || character === OPENING_BRACKET) {
      containers++
      members[++depth] = 0
      if (depth > MAX_JSON_DEPTH) {
        throw badRequest(
          'invalidSyntax',
          `${name} is nested deeper than the limit of ${MAX_JSON_DEPTH} levels`,
        )
      }
    }
  }
  return { members: inAll, names: names.size, containers, commas }
}

const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c]
const [OPENING_BRACE, CLOSING_BRACE, OPENING_BRACKET, CLOSING_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d]

/** The index of the closing quote of the string that begins at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1
  return at
}

/** Names the position of the syntax error, but not the text there: it may be secret, and the message is logged. */
function notJson(cause: unknown): string {
  const position = cause instanceof Error ? /at position (\d+)/.exec(cause.message)?.[1] : undefined
  return position === undefined ? 'not valid JSON' : `not valid JSON at position ${position}`
}
