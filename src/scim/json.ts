/**
 * JSON text to a value. Bounded in depth, so that whatever walks through it later may do so by recursion, and in the
 * members of an object.
 */
import { badRequest, type ScimError } from './error.ts'
import { MAX_JSON_DEPTH, MAX_JSON_MEMBERS } from './limits.ts'

/**
 * @param name of what is read, for messages
 * @throws {ScimError} invalidSyntax for what is not JSON, or is nested too deeply, or has too many members in an object
 */
export function parseJson(text: string, name = 'the body'): unknown {
  requireShape(text, name)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw badRequest('invalidSyntax', `${name} is ${text === '' ? 'empty' : notJson(cause)}`)
  }
}

/**
 * Refuses what is nested too deeply, and objects of too many members, which take far longer to read than their bytes.
 * Looks at brackets and colons only: what is wrong otherwise is for JSON.parse to find.
 */
function requireShape(text: string, name: string): void {
  /** Members so far of the object at each depth. */
  const members: number[] = []
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) at = endOfString(text, at)
    else if (character === COLON) {
      const count = (members[depth] ?? 0) + 1
      if (count > MAX_JSON_MEMBERS)
        throw tooLarge(name, `has an object of more than ${MAX_JSON_MEMBERS} members`)
      members[depth] = count
    } else if (character === CLOSING_BRACE || character === CLOSING_BRACKET) depth--
    else if (character === OPENING_BRACE || character === OPENING_BRACKET) {
      members[++depth] = 0
      if (depth > MAX_JSON_DEPTH) throw tooLarge(name, `is nested deeper than ${MAX_JSON_DEPTH} levels`)
    }
  }
}

function tooLarge(name: string, what: string): ScimError {
  return badRequest('invalidSyntax', `${name} ${what}, the limit`)
}

const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a]
const [OPENING_BRACE, CLOSING_BRACE, OPENING_BRACKET, CLOSING_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d]

/** Where the string ends that begins there, or the text. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1
  return at
}

/** Where the JSON breaks off, without the text there: it may be secret, and the message goes into the log. */
function notJson(cause: unknown): string {
  const position = cause instanceof Error ? /at position (\d+)/.exec(cause.message)?.[1] : undefined
  return position === undefined ? 'not JSON' : `not JSON from position ${position} on`
}
