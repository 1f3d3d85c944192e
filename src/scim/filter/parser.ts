/**
 * Parses filters by the ABNF of RFC 7644 §3.4.2.2. `not` has precedence over `and`, and `and` over `or`. The depth and the
 * number of comparisons are limited, so the parser takes linear time and little stack for any text.
 */
import { isTestOfSelectedValue, unquotedValue } from '../compatibility/lists.ts'
import { badRequest, quote } from '../error.ts'
import { MAX_FILTER_CHARACTERS, MAX_FILTER_COMPARISONS, MAX_FILTER_DEPTH } from '../limits.ts'
import type { Profile } from '../profile.ts'
import type { Reading } from '../reading.ts'
import { TOKEN_UNITS } from '../work.ts'
import { COMPARISON_OPERATORS, type ComparisonOperator, type FilterExpression, type Literal } from './ast.ts'
import { type FilterToken, filterError, lexFilter } from './lexer.ts'

const OPERATORS: ReadonlySet<string> = new Set(COMPARISON_OPERATORS)
/** RFC 7643 §2.1: attrname = ALPHA *(nameChar). "$ref" is the only name that begins with a dollar sign. */
const NAME = /^(?:urn:[^\s]+:)?\$?[a-z][\w$-]*(?:\.\$?[a-z][\w$-]*)*$|^urn:[^\s]+$/i

/**
 * Parses a filter.
 *
 * @throws {ScimError} invalidFilter with the 1-based position and the expected token
 */
export function parseFilter(text: string, profile: Profile): FilterExpression {
  requireLength(text, 'the filter')
  const parser = new Parser(lexFilter(text), profile)
  const expression = parser.disjunction(0)
  parser.expect('end', '"and", "or" or the end of the filter')
  return expression
}

/**
 * Parses the value path of a PATCH operation: `attr[filter]` or `attr[filter].subAttr`.
 *
 * @param reading counts the tokens, because a body can have thousands of paths
 * @throws {ScimError} invalidFilter if the text in the brackets is not a filter; invalidPath if the brackets or the text
 *   around them are invalid (RFC 7644 §3.12 table 9)
 */
export function parseValuePath(
  text: string,
  { profile, work }: Pick<Reading, 'profile' | 'work'>,
): {
  name: string
  operand: FilterExpression
  subAttribute: string | undefined
} {
  requireLength(text, 'the value path')
  const tokens = lexFilter(text)
  work.spend(tokens.length * TOKEN_UNITS)
  const [name, open] = tokens
  if (name?.kind !== 'word' || open?.kind !== '[') throw badRequest('invalidPath', 'expected "attribute["')
  if (!tokens.some((token) => token.kind === ']')) throw badRequest('invalidPath', '"[" is not closed')
  const parser = new Parser(tokens.slice(2), profile)
  const operand = parser.disjunction(1)
  parser.expect(']', '"and", "or" or "]"')
  const rest = parser.accept('word')
  if (!parser.accept('end') || rest?.text.startsWith('.') === false) {
    throw badRequest('invalidPath', 'expected ".subAttribute" or the end after "]"')
  }
  return { name: name.text, operand, subAttribute: rest?.text.slice(1) }
}

function requireLength(text: string, what: string): void {
  if (text.length <= MAX_FILTER_CHARACTERS) return
  const detail = `${what} has ${text.length} characters, the limit is ${MAX_FILTER_CHARACTERS}`
  throw badRequest('invalidFilter', detail)
}

class Parser {
  readonly #tokens: readonly FilterToken[]
  readonly #profile: Profile
  #at = 0
  #comparisons = 0

  constructor(tokens: readonly FilterToken[], profile: Profile) {
    this.#tokens = tokens
    this.#profile = profile
  }

  disjunction(depth: number): FilterExpression {
    return this.#list('or', () => this.#list('and', () => this.#factor(depth)))
  }

  accept(kind: FilterToken['kind']): FilterToken | undefined {
    const token = this.#peek()
    if (token.kind !== kind) return undefined
    this.#at++
    return token
  }

  expect(kind: FilterToken['kind'], expected: string): FilterToken {
    const token = this.accept(kind)
    if (token === undefined) throw this.#unexpected(expected)
    return token
  }

  #list(kind: 'and' | 'or', operand: () => FilterExpression): FilterExpression {
    const operands = [operand()]
    while (this.#acceptWord(kind)) operands.push(operand())
    const [only] = operands
    return operands.length === 1 && only !== undefined ? only : { kind, operands }
  }

  #factor(depth: number): FilterExpression {
    if (depth > MAX_FILTER_DEPTH) {
      throw badRequest(
        'invalidFilter',
        `the filter is nested deeper than the limit of ${MAX_FILTER_DEPTH} levels`,
      )
    }
    if (this.accept('(')) return this.#closed(depth)
    if (this.#peek(1).kind === '(' && this.#acceptWord('not')) {
      this.expect('(', '"("')
      return { kind: 'not', operand: this.#closed(depth) }
    }
    return this.#attributeExpression(depth)
  }

  #closed(depth: number): FilterExpression {
    const operand = this.disjunction(depth + 1)
    this.expect(')', '"and", "or" or ")"')
    return operand
  }

  #attributeExpression(depth: number): FilterExpression {
    const { text: name, position } = this.expect('word', 'an attribute')
    if (!NAME.test(name)) throw filterError(`${quote(name)} is not an attribute path`, position)
    if (this.accept('[')) return this.#valuePath(name, position, depth)
    return this.#test(name, position)
  }

  #valuePath(name: string, position: number, depth: number): FilterExpression {
    const operand = this.disjunction(depth + 1)
    this.expect(']', '"and", "or" or "]"')
    const sub = this.#peek()
    if (!isTestOfSelectedValue(sub, this.#profile)) return { kind: 'valuePath', name, position, operand }
    this.#at++
    const test = this.#test(sub.text.slice(1), sub.position)
    return { kind: 'valuePath', name, position, operand: { kind: 'and', operands: [operand, test] } }
  }

  #test(name: string, position: number): FilterExpression {
    if (++this.#comparisons > MAX_FILTER_COMPARISONS) {
      throw badRequest(
        'invalidFilter',
        `the filter has more than the limit of ${MAX_FILTER_COMPARISONS} comparisons`,
      )
    }
    const word = this.expect('word', 'an operator')
    const operator = word.text.toLowerCase()
    if (operator === 'pr') return { kind: 'present', name, position }
    if (!OPERATORS.has(operator)) {
      const allowed = [...COMPARISON_OPERATORS, 'pr'].join(', ')
      throw filterError(`expected an operator (${allowed}), found ${quote(word.text)}`, word.position)
    }
    return {
      kind: 'comparison',
      name,
      position,
      operator: operator as ComparisonOperator,
      literal: this.#literal(),
    }
  }

  #literal(): Literal {
    const token = this.accept('string') ?? this.accept('word')
    if (token === undefined) throw this.#unexpected('a value')
    if (token.kind === 'string') {
      const value = jsonString(token)
      return { value, text: value }
    }
    // Otherwise 'ada' would be read as a word that includes the quotes, and would match nothing.
    if (token.text.startsWith("'")) {
      throw filterError(`a string must be in double quotes, found ${quote(token.text)}`, token.position)
    }
    const value = unquotedValue(token.text, this.#profile)
    if (value === undefined) {
      throw filterError(`a string must be in double quotes, found ${quote(token.text)}`, token.position)
    }
    return { value, text: token.text }
  }

  #acceptWord(word: string): boolean {
    const token = this.#peek()
    const found = token.kind === 'word' && token.text.toLowerCase() === word
    if (found) this.#at++
    return found
  }

  #peek(ahead = 0): FilterToken {
    return this.#tokens[this.#at + ahead] ?? END
  }

  #unexpected(expected: string) {
    const token = this.#peek()
    const found = token.kind === 'end' ? 'the end' : quote(token.text)
    return filterError(`expected ${expected}, found ${found}`, token.position)
  }
}

const END: FilterToken = { kind: 'end', text: '', position: 0 }

function jsonString(token: FilterToken): string {
  try {
    return JSON.parse(token.text) as string
  } catch (cause) {
    throw filterError(`the string is not a valid JSON string (${(cause as Error).message})`, token.position)
  }
}
