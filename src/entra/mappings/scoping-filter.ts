/**
 * Scoping filters select the users or groups to provision by their own attributes. The clauses of a filter are combined
 * with AND, several filters with OR. Pure.
 *
 * Microsoft: "Scoping users or groups to be provisioned with scoping filters in Microsoft Entra ID".
 */

import { isEmpty, isTrue, toText } from './arguments.ts'
import type { Value } from './expression.ts'
import { RegexLimitError } from './regex/matcher.ts'
import { RegularExpression } from './regex/regular-expression.ts'

export const SCOPING_OPERATORS = [
  'EQUALS',
  'NOT EQUALS',
  'IS TRUE',
  'IS FALSE',
  'IS NULL',
  'IS NOT NULL',
  'REGEX MATCH',
  'NOT REGEX MATCH',
  'GREATER_THAN',
  'GREATER_THAN_OR_EQUALS',
  'INCLUDES',
  'ENDS_WITH',
  '&',
  '!&',
] as const

export type ScopingOperator = (typeof SCOPING_OPERATORS)[number]

export interface ScopingClause {
  readonly attribute: string
  readonly operator: ScopingOperator
  /** Absent for unary operators. */
  readonly value?: string | number
}

export interface ScopingFilter {
  readonly name: string
  readonly clauses: readonly ScopingClause[]
}

/** Attributes that the admin center does not offer for scoping filters. */
export const UNSUPPORTED_SCOPING_ATTRIBUTES = [
  'appRoleAssignments',
  'IsMemberOf',
  'manager',
  'members',
  'userType',
]

/** Operators without a value. */
export const UNARY_OPERATORS: readonly ScopingOperator[] = ['IS TRUE', 'IS FALSE', 'IS NULL', 'IS NOT NULL']

/** A pattern that takes too many steps for a value. The scope of the object is unknown, so the cycle must not run. */
export class ScopingError extends Error {
  override readonly name = 'ScopingError'
}

/**
 * True if the object passes at least one filter, or if there are no filters.
 * @throws {ScopingError}
 */
export function passesScopingFilters(
  filters: readonly ScopingFilter[],
  attribute: (name: string) => Value,
): boolean {
  if (filters.length === 0) return true
  return filters.some((filter) =>
    filter.clauses.every((clause) => isSatisfied(clause, attribute(clause.attribute))),
  )
}

/**
 * Comparisons are case-sensitive. Without a source value, every clause except IS NULL is false, negated ones included.
 * So is every clause on a multi-valued attribute, which filters do not support.
 */
function isSatisfied(clause: ScopingClause, source: Value): boolean {
  if (clause.operator === 'IS NULL') return isEmpty(source)
  if (isEmpty(source) || Array.isArray(source)) return false
  const text = toText(source)
  const wanted = String(clause.value ?? '')
  switch (clause.operator) {
    case 'EQUALS':
      return text === wanted
    case 'NOT EQUALS':
      return text !== wanted
    case 'IS TRUE':
      return isTrue(source)
    case 'IS FALSE':
      return text.toLowerCase() === 'false'
    case 'IS NOT NULL':
      return true
    case 'REGEX MATCH':
      return matchesWhole(clause, text)
    case 'NOT REGEX MATCH':
      return !matchesWhole(clause, text)
    case 'GREATER_THAN':
      return isInteger(text) && BigInt(text) > BigInt(wanted)
    case 'GREATER_THAN_OR_EQUALS':
      return isInteger(text) && BigInt(text) >= BigInt(wanted)
    case 'INCLUDES':
      return text.includes(wanted)
    case 'ENDS_WITH':
      return text.endsWith(wanted)
    // "Clause returns true if the evaluated attribute exists in the input string value."
    case '&':
      return wanted.includes(text)
    case '!&':
      return !wanted.includes(text)
  }
}

/** "The attribute on the user must be an integer [0,1,2,...]." */
function isInteger(text: string): boolean {
  return /^\d+$/.test(text)
}

/**
 * The pattern must match the whole value: the page's examples, such as ([1-9][0-9]) for the numbers from 10 to 99, are
 * patterns for the whole value.
 */
function matchesWhole({ attribute, operator, value }: ScopingClause, text: string): boolean {
  try {
    return compiled(String(value)).matchesWhole(text)
  } catch (cause) {
    if (!(cause instanceof RegexLimitError)) throw cause
    const message = `${attribute} ${operator} "${value}" cannot be decided for "${text}": ${cause.message}`
    throw Object.assign(new ScopingError(message), { cause })
  }
}

const compiledPatterns = new Map<string, RegularExpression>()

/** Caches patterns, because every object uses the same ones. */
function compiled(pattern: string): RegularExpression {
  const known = compiledPatterns.get(pattern)
  if (known !== undefined) return known
  const expression = new RegularExpression(pattern)
  compiledPatterns.set(pattern, expression)
  return expression
}
