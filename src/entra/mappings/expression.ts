/**
 * Parser for the expressions of attribute mappings. The grammar is function calls over [attributes], "strings" and
 * numbers; an empty argument is null. Pure. functions.ts defines the functions.
 *
 *   Switch([IsSoftDeleted], , "False", "True", "True", "False")
 *   └ call └ attribute     └ null      └ string
 *
 * Microsoft: "Reference for writing expressions for attribute mappings in Microsoft Entra Application Provisioning".
 */

/** An operand or result of an expression. A list is a multi-valued attribute; null means no value. */
export type Value = string | number | boolean | null | readonly string[]

export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | null; readonly at: number }
  | { readonly kind: 'attribute'; readonly name: string; readonly at: number }
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
export const MAX_EXPRESSION_LENGTH = 10_000

/** The maximum depth of nesting; it prevents a hostile file from overflowing the stack. */
const MAX_DEPTH = 64

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

  #value(depth: number): Expression {
    if (depth > MAX_DEPTH) this.#fail(`More than ${MAX_DEPTH} levels of nesting`)
    this.#skipSpace()
    const next = this.#peek()
    if (next === '[') return this.#attribute()
    if (next === '"') return this.#string()
    if (/[0-9-]/.test(next)) return this.#number()
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

  #number(): Expression {
    const at = this.#at
    const digits = /^-?\d+(?:\.\d+)?/.exec(this.#text.slice(at))?.[0]
    if (digits === undefined) return this.#fail('Expected a number')
    this.#at += digits.length
    return { kind: 'literal', value: Number(digits), at }
  }

  #call(depth: number): Expression {
    const at = this.#at
    const name = /^[A-Za-z]\w*/.exec(this.#text.slice(at))?.[0] ?? ''
    this.#at += name.length
    this.#skipSpace()
    if (this.#peek() !== '(') {
      if (/^(true|false)$/i.test(name)) return { kind: 'literal', value: name, at }
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
      if (next !== ',' && next !== ')')
        this.#fail(next === '' ? 'Missing ")"' : `Expected "," or ")", found "${next}"`)
      this.#at++
      if (next === ')') return args
    }
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

/** The attribute names in an expression, in order of appearance. */
export function attributesOf(expression: Expression): string[] {
  if (expression.kind === 'attribute') return [expression.name]
  return expression.kind === 'call' ? expression.args.flatMap(attributesOf) : []
}
