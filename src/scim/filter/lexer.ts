/**
 * Splits the text of a filter into tokens (RFC 7644 §3.4.2.2, figure 1), in linear time.
 */
import { badRequest, type ScimError } from '../error.ts'

/** A token. `word` is an attribute path, an operator, or a literal without quotes. `text` is the source text. */
export interface FilterToken {
  readonly kind: 'word' | 'string' | '(' | ')' | '[' | ']' | 'end'
  readonly text: string
  /** 1-based. */
  readonly position: number
}

const SPACE = /[ \t\r\n]+/y
const WORD = /[^ \t\r\n()[\]"]+/y
// Finds the end of a JSON string. JSON.parse validates its escapes later.
const STRING = /"(?:[^"\\]|\\.)*"/sy

/** @throws {ScimError} invalidFilter for an unterminated string */
export function lexFilter(text: string): readonly FilterToken[] {
  const tokens: FilterToken[] = []
  let at = 0
  while (at < text.length) {
    const space = match(SPACE, text, at)
    if (space !== undefined) {
      at += space.length
      continue
    }
    const token = tokenAt(text, at)
    tokens.push(token)
    at += token.text.length
  }
  tokens.push({ kind: 'end', text: '', position: text.length + 1 })
  return tokens
}

function tokenAt(text: string, at: number): FilterToken {
  const position = at + 1
  const character = text[at]
  if (character === '(' || character === ')' || character === '[' || character === ']') {
    return { kind: character, text: character, position }
  }
  if (character === '"') {
    const string = match(STRING, text, at)
    if (string === undefined) throw filterError('the string has no closing quote', position)
    return { kind: 'string', text: string, position }
  }
  return { kind: 'word', text: match(WORD, text, at) ?? '', position }
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

/** A syntax error in a filter. @param position 1-based */
export function filterError(problem: string, position: number): ScimError {
  return badRequest('invalidFilter', `filter, position ${position}: ${problem}`)
}
