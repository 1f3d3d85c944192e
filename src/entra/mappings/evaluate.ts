/**
 * Checks an expression before use (known functions, arguments) and evaluates it for one source object. Pure: time and
 * randomness come from the context.
 */

import { ArgumentError } from './arguments.ts'
import { compare } from './comparison.ts'
import type { Expression, Value } from './expression.ts'
import { ExpressionError, parseExpression, partsOf } from './expression.ts'
import type { ExpressionContext, ExpressionResult, FunctionDefinition } from './function-definition.ts'
import { EXPRESSION_FUNCTIONS, nameOf } from './functions.ts'
import { RegexLimitError } from './regex/matcher.ts'

/** Thrown by IgnoreFlowIfNullOrEmpty: the attribute is omitted from the request. */
export class IgnoreFlow extends Error {
  override readonly name = 'IgnoreFlow'
}

type Call = Extract<Expression, { kind: 'call' }>

/**
 * Parses and checks an expression without evaluating it. With `exact`, the rules apply that the emulator otherwise
 * leaves out: names are case-sensitive, a function must be on the reference page, the whole expression must be a call.
 * @throws {ExpressionError} for an unknown function or a wrong argument, with the position
 */
export function checkExpression(text: string, exact = false): Expression {
  const expression = parseExpression(text)
  if (exact && expression.kind !== 'call')
    throw new ExpressionError('The whole expression must be a function', text, expression.at)
  checkCalls(expression, text, exact, true)
  return expression
}

/**
 * Evaluates `expression`; its source `text` is used in error messages only.
 * @throws {ExpressionError} if an argument is invalid for its function
 * @throws {IgnoreFlow} if the attribute is to be omitted
 */
export function evaluateExpression(
  expression: Expression,
  text: string,
  context: ExpressionContext,
): ExpressionResult {
  switch (expression.kind) {
    case 'literal':
      return expression.value
    case 'attribute':
      return context.attribute(expression.name)
    case 'comparison':
      return evaluateComparison(expression, text, context)
    case 'call':
      return evaluateCall(expression, text, context)
  }
}

function evaluateComparison(
  { operator, left, right, at }: Extract<Expression, { kind: 'comparison' }>,
  text: string,
  context: ExpressionContext,
): boolean {
  const [a, b] = [evaluateOperand(left, text, context), evaluateOperand(right, text, context)]
  try {
    return compare(operator, a, b)
  } catch (cause) {
    throw Object.assign(
      new ExpressionError(cause instanceof Error ? cause.message : String(cause), text, at),
      {
        cause,
      },
    )
  }
}

function evaluateCall(expression: Call, text: string, context: ExpressionContext): ExpressionResult {
  const { name, args } = expression
  const definition = definitionOf(expression, text)
  try {
    const value =
      'choose' in definition
        ? definition.choose(args, (argument) => evaluateOperand(argument, text, context), context)
        : definition.call(
            args.map((argument) => evaluateOperand(argument, text, context)),
            context,
          )
    if (value === undefined) throw new IgnoreFlow()
    return value
  } catch (error) {
    if (error instanceof ArgumentError) throw argumentError(expression, text, error)
    if (error instanceof RegexLimitError)
      throw new ExpressionError(`${name}: ${error.message}`, text, args[2]?.at ?? expression.at)
    throw error
  }
}

function evaluateOperand(operand: Expression | undefined, text: string, context: ExpressionContext): Value {
  if (operand === undefined) return null
  const value = evaluateExpression(operand, text, context)
  if (typeof value === 'object' && value !== null && 'roles' in value)
    throw new ExpressionError('App roles must be the whole expression', text, operand.at)
  return value
}

function checkCalls(expression: Expression, text: string, exact: boolean, isWhole: boolean): void {
  if (expression.kind === 'call') checkCall(expression, text, exact, isWhole)
  for (const part of partsOf(expression)) checkCalls(part, text, exact, false)
}

function checkCall(expression: Call, text: string, exact: boolean, isWhole: boolean): void {
  const definition = definitionOf(expression, text)
  const { name, args, at } = expression
  const { min, max, usage } = definition
  const fail = (message: string) => {
    throw new ExpressionError(`${name} ${message}`, text, at)
  }
  if (args.length < min || args.length > max) fail(`takes ${range(min, max)}, found ${args.length}: ${usage}`)
  if (definition.isWholeExpression && !isWhole) fail('must be the whole expression')
  if (exact && name !== nameOf(definition)) fail(`is written ${nameOf(definition)}: names are case-sensitive`)
  if (exact && definition.isUndocumented) fail('is not a function of the reference page')
  try {
    definition.check?.(args)
  } catch (error) {
    throw error instanceof ArgumentError ? argumentError(expression, text, error) : error
  }
}

function definitionOf({ name, at }: Call, text: string): FunctionDefinition {
  const definition = EXPRESSION_FUNCTIONS.get(name.toLowerCase())
  if (definition !== undefined) return definition
  const names = [...EXPRESSION_FUNCTIONS.values()].map(nameOf)
  throw new ExpressionError(`Unknown function "${name}" (known: ${names.join(', ')})`, text, at)
}

function argumentError({ name, args, at }: Call, text: string, error: ArgumentError): ExpressionError {
  return new ExpressionError(`${name}: ${error.message}`, text, args[error.index]?.at ?? at)
}

function range(min: number, max: number): string {
  if (min === max) return `${min} argument${min === 1 ? '' : 's'}`
  return max === Number.POSITIVE_INFINITY ? `at least ${min} arguments` : `${min} to ${max} arguments`
}
