/**
 * Parser for the expressions of attribute mappings. The grammar is function calls over [attributes], "strings", numbers
 * (also &HF) and comparisons; an empty argument is null. Pure. functions.ts defines the functions.
 *
 *   IIF([country] = "USA", [country], [department])
 *   └ call └ comparison ┘  └ attribute
 *
 * Microsoft: "Reference for writing expressions for attribute mappings in Microsoft Entra Application Provisioning".
 */

/** An operand or result of an expression. A list is a multi-valued attribute; null means no value. */
export type Value = string | number | boolean | null | readonly string[]

export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>='

export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | null; readonly at: number }
  | { readonly kind: 'attribute'; readonly name: string; readonly at: number }
  | {
      readonly kind: 'comparison'
      readonly operator: ComparisonOperator
      readonly left: Expression
      readonly right: Expression
      readonly at: number
    }
  | {
      readonly kind: 'call'
      readonly name: string
      readonly args: readonly Expression[]
      readonly at: number
    }

/** An expression that cannot be parsed or evaluated; `message` marks the position with a caret. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError'
  readonly position: number

  constructor(message: string, text: string, position: number) {
    super(`${message} at position ${position + 1}\n  ${text}\n  ${' '.repeat(position)}^`)
    this.position = position
  }
}

/** The maximum length in the admin center, in characters. */
const MAX_EXPRESSION_LENGTH = 10_000

/** The maximum depth of nesting; it prevents a hostile file from overflowing the stack. */
const MAX_DEPTH = 64

/** Names that stand for themselves without quotation marks. */
const CONSTANTS = ['True', 'False', 'vbBinaryCompare', 'vbTextCompare']

/** Functions that are written without parentheses. */
const BARE_FUNCTIONS = ['IgnoreAttributeFlow', 'IgnoreObjectFlow']

/**
 * Parses an expression. `checkExpression` checks function names and argument counts.
 * @throws {ExpressionError}
 */
export function parseExpression(text: string): Expression {
  if (text.length > MAX_EXPRESSION_LENGTH) {
    const found = `${text.length} characters, limit ${MAX_EXPRESSION_LENGTH}`
    throw new ExpressionError(`The expression has ${found}`, `${text.slice(0, 40)}…`, 0)
  }
  return new Parser(text).parse()
}

/** A recursive-descent parser; `#at` is the index of the next character. */
class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  parse(): Expression {
    const expression = this.#value(0)
    this.#skipSpace()
    if (this.#at < this.#text.length) this.#fail(`Unexpected "${this.#peek()}" after the end`)
    return expression
  }

  /** An operand, or a comparison of two. */
  #value(depth: number): Expression {
    const left = this.#operand(depth)
    this.#skipSpace()
    const at = this.#at
    const operator = /^(?:<>|<=|>=|=|<|>)/.exec(this.#text.slice(at))?.[0]
    if (operator === undefined) return left
    this.#at += operator.length
    const right = this.#operand(depth)
    this.#skipSpace()
    if (/[<>=]/.test(this.#peek())) this.#fail('A comparison has two sides: nest IIF to combine comparisons')
    return { kind: 'comparison', operator: operator as ComparisonOperator, left, right, at }
  }

  #operand(depth: number): Expression {
    if (depth > MAX_DEPTH) this.#fail(`More than ${MAX_DEPTH} levels of nesting`)
    this.#skipSpace()
    const next = this.#peek()
    if (next === '[') return this.#attribute()
    if (next === '"') return this.#string()
    if (/[0-9&-]/.test(next)) return this.#number()
    if (/[A-Za-z]/.test(next)) return this.#call(depth)
    return this.#fail(next === '' ? 'Expected a value, found the end' : `Expected a value, found "${next}"`)
  }

  #attribute(): Expression {
    const at = this.#at
    const end = this.#text.indexOf(']', at)
    if (end === -1) this.#fail('"[" is not closed')
    const name = this.#text.slice(at + 1, end).trim()
    if (name === '') this.#fail('The attribute name between "[" and "]" is empty')
    this.#at = end + 1
    return { kind: 'attribute', name, at }
  }

  /** A backslash escapes the next character: \" and \\. */
  #string(): Expression {
    const at = this.#at
    let value = ''
    for (let index = at + 1; index < this.#text.length; index++) {
      const character = this.#text[index]
      if (character === '"') {
        this.#at = index + 1
        return { kind: 'literal', value, at }
      }
      if (character === '\\' && /["\\]/.test(this.#text[index + 1] ?? '')) index++
      value += this.#text[index] ?? ''
    }
    return this.#fail('The string is not closed')
  }

  /** Decimal, or hexadecimal as &HF. An integer that JavaScript cannot represent stays text, with all its digits. */
  #number(): Expression {
    const at = this.#at
    const digits = /^(?:-?\d+(?:\.\d+)?|&[Hh][\dA-Fa-f]+)/.exec(this.#text.slice(at))?.[0]
    if (digits === undefined) return this.#fail('Expected a number')
    this.#at += digits.length
    const number = Number(digits.replace(/^&H/i, '0x'))
    const isExact = !Number.isInteger(number) || Number.isSafeInteger(number)
    return { kind: 'literal', value: isExact ? number : digits, at }
  }

  #call(depth: number): Expression {
    const at = this.#at
    const name = /^[A-Za-z]\w*/.exec(this.#text.slice(at))?.[0] ?? ''
    this.#at += name.length
    this.#skipSpace()
    if (this.#peek() !== '(') {
      const constant = CONSTANTS.find((known) => known.toLowerCase() === name.toLowerCase())
      if (constant !== undefined) return { kind: 'literal', value: constant, at }
      if (BARE_FUNCTIONS.includes(name)) return { kind: 'call', name, args: [], at }
      this.#at = at
      this.#fail(
        `"${name}" is neither [${name}] (an attribute), "${name}" (a string) nor ${name}(…) (a function)`,
      )
    }
    this.#at++
    return { kind: 'call', name, args: this.#args(depth), at }
  }

  #args(depth: number): Expression[] {
    const args: Expression[] = []
    this.#skipSpace()
    if (this.#peek() === ')') {
      this.#at++
      return args
    }
    for (;;) {
      this.#skipSpace()
      const empty = this.#peek() === ',' || this.#peek() === ')'
      args.push(empty ? { kind: 'literal', value: null, at: this.#at } : this.#value(depth + 1))
      this.#skipSpace()
      const next = this.#peek()
      if (next !== ',' && next !== ')') this.#failAfterArgument(next)
      this.#at++
      if (next === ')') return args
    }
  }

  #failAfterArgument(next: string): never {
    const word = /^(?:and|or)\b/i.exec(this.#text.slice(this.#at))?.[0]
    if (word !== undefined) this.#fail(`"${word}" is not supported: nest IIF to combine conditions`)
    this.#fail(next === '' ? 'Missing ")"' : `Expected "," or ")", found "${next}"`)
  }

  #peek(): string {
    return this.#text[this.#at] ?? ''
  }

  #skipSpace(): void {
    while (/\s/.test(this.#peek())) this.#at++
  }

  #fail(message: string): never {
    throw new ExpressionError(message, this.#text, this.#at)
  }
}

/** The expressions directly inside one: the arguments of a call, the sides of a comparison. */
export function partsOf(expression: Expression): readonly Expression[] {
  if (expression.kind === 'comparison') return [expression.left, expression.right]
  return expression.kind === 'call' ? expression.args : []
}

/** The attribute names in an expression, in order of appearance. */
export function attributesOf(expression: Expression): string[] {
  return expression.kind === 'attribute' ? [expression.name] : partsOf(expression).flatMap(attributesOf)
}

/** Whether an expression calls one of the functions, whose names are given in lower case. */
export function callsFunction(expression: Expression, names: ReadonlySet<string>): boolean {
  if (expression.kind === 'call' && names.has(expression.name.toLowerCase())) return true
  return partsOf(expression).some((part) => callsFunction(part, names))
}
