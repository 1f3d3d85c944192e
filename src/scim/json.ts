/**
 * Parses JSON text. The depth is limited, so that later code may recurse, and so are the members of an object and of all.
 */
import { badRequest } from './error.ts'
import { MAX_JSON_DEPTH, MAX_JSON_MEMBERS, MAX_JSON_MEMBERS_IN_ALL } from './limits.ts'

/**
 * @param name names the text in error messages
 * @throws {ScimError} invalidSyntax if the text is not valid JSON, exceeds MAX_JSON_DEPTH, MAX_JSON_MEMBERS or
 *   MAX_JSON_MEMBERS_IN_ALL
 */
export function parseJson(text: string, name = 'the request body'): unknown {
  requireShape(text, name)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw badRequest('invalidSyntax', `${name} is ${text === '' ? 'empty' : notJson(cause)}`)
  }
}

/**
 * Rejects deep nesting and too many members, which take far longer to parse than other text of the same length. Checks
 * only brackets and colons; JSON.parse finds all other errors.
 */
function requireShape(text: string, name: string): void {
  /** The number of members so far, of the object at each depth. */
  const members: number[] = []
  let depth = 0
  let inAll = 0
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) at = endOfString(text, at)
    else if (character === COLON) {
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
    } else if (character === CLOSING_BRACE || character === CLOSING_BRACKET) depth--
    else if (character === OPENING_BRACE || character === OPENING_BRACKET) {
      members[++depth] = 0
      if (depth > MAX_JSON_DEPTH) {
        throw badRequest(
          'invalidSyntax',
          `${name} is nested deeper than the limit of ${MAX_JSON_DEPTH} levels`,
        )
      }
    }
  }
}

const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a]
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
