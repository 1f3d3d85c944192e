/**
 * Checks an expression before use (known functions, number of arguments) and evaluates it for one source object. Pure:
 * time and randomness come from the context.
 */

import { ArgumentError } from './arguments.ts'
import type { Expression, Value } from './expression.ts'
import { ExpressionError, parseExpression } from './expression.ts'
import type { ExpressionContext } from './function-definition.ts'
import { EXPRESSION_FUNCTIONS } from './functions.ts'

/** Thrown by IgnoreFlowIfNullOrEmpty: the attribute is omitted from the request. */
export class IgnoreFlow extends Error {
  override readonly name = 'IgnoreFlow'
}

/**
 * Parses and checks an expression without evaluating it.
 * @throws {ExpressionError} for an unknown function or a wrong number of arguments, with the position
 */
export function checkExpression(text: string): Expression {
  const expression = parseExpression(text)
  checkCalls(expression, text)
  return expression
}

/**
 * Evaluates `expression`; its source `text` is used in error messages only.
 * @throws {ExpressionError} if an argument is invalid for its function
 * @throws {IgnoreFlow} if the attribute is to be omitted
 */
export function evaluateExpression(expression: Expression, text: string, context: ExpressionContext): Value {
  if (expression.kind === 'literal') return expression.value
  if (expression.kind === 'attribute') return context.attribute(expression.name)
  const definition = EXPRESSION_FUNCTIONS.get(expression.name.toLowerCase())
  if (definition === undefined) throw unknownFunction(expression.name, text, expression.at)
  const args = expression.args.map((argument) => evaluateExpression(argument, text, context))
  try {
    const value = definition.call(args, context)
    if (value === undefined) throw new IgnoreFlow()
    return value
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error
    const at = expression.args[error.index]?.at ?? expression.at
    throw new ExpressionError(`${expression.name}: ${error.message}`, text, at)
  }
}

function checkCalls(expression: Expression, text: string): void {
  if (expression.kind !== 'call') return
  const definition = EXPRESSION_FUNCTIONS.get(expression.name.toLowerCase())
  if (definition === undefined) throw unknownFunction(expression.name, text, expression.at)
  const { min, max, usage } = definition
  const count = expression.args.length
  if (count < min || count > max)
    throw new ExpressionError(
      `${expression.name} takes ${range(min, max)}, found ${count}: ${usage}`,
      text,
      expression.at,
    )
  for (const argument of expression.args) checkCalls(argument, text)
}

function range(min: number, max: number): string {
  if (min === max) return `${min} argument${min === 1 ? '' : 's'}`
  return max === Number.POSITIVE_INFINITY ? `at least ${min} arguments` : `${min} to ${max} arguments`
}

function unknownFunction(name: string, text: string, at: number): ExpressionError {
  const names = [...EXPRESSION_FUNCTIONS.values()].map((definition) => definition.usage.replace(/\(.*/, ''))
  return new ExpressionError(`Unknown function "${name}" (known: ${names.join(', ')})`, text, at)
}
