/**
 * The comparison operators of expressions. Numbers are compared as numbers, other values as text, case-sensitively; an
 * empty operand is the empty string. Pure.
 *
 * The page lists the operators with examples for text and for numbers, and does not say how dates compare.
 */
import { isEmpty, toText } from './arguments.ts'
import type { ComparisonOperator, Value } from './expression.ts'

/** @throws {Error} if dates are put in order, which needs DateDiff */
export function compare(operator: ComparisonOperator, left: Value, right: Value): boolean {
  if (operator === '=') return order(left, right) === 0
  if (operator === '<>') return order(left, right) !== 0
  if (isEmpty(left) || isEmpty(right)) return false
  for (const side of [left, right])
    if (DATE.test(toText(side)))
      throw new Error(`"${operator}" cannot compare the date "${toText(side)}": compare DateDiff(…) with 0`)
  const sign = order(left, right)
  switch (operator) {
    case '<':
      return sign < 0
    case '<=':
      return sign <= 0
    case '>':
      return sign > 0
    case '>=':
      return sign >= 0
  }
}

/** The form that Now, CDate and DateAdd return, and ISO 8601. As text they would be compared by their first digits. */
const DATE = /^(?:\d{1,2}\/\d{1,2}\/\d{4}|\d{4}-\d{2}-\d{2})/

function order(left: Value, right: Value): number {
  if (typeof left === 'number' || typeof right === 'number') {
    const [a, b] = [toNumber(left), toNumber(right)]
    if (a !== undefined && b !== undefined) return Math.sign(a - b)
  }
  const [a, b] = [toText(left), toText(right)]
  return a === b ? 0 : a < b ? -1 : 1
}

function toNumber(value: Value): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : undefined
}
