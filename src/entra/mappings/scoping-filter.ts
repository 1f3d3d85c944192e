/**
 * Scoping filters select the users or groups to provision by their own attributes. The clauses of a filter are combined
 * with AND, several filters with OR. Pure.
 *
 * Microsoft: "Scoping users or groups to be provisioned with scoping filters in Microsoft Entra ID".
 */

import { isEmpty, toText } from './arguments.ts'
import type { Value } from './expression.ts'

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

/** True if the object passes at least one filter, or if there are no filters. */
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
 */
function isSatisfied(clause: ScopingClause, source: Value): boolean {
  if (clause.operator === 'IS NULL') return isEmpty(source)
  if (isEmpty(source)) return false
  const text = toText(source)
  const wanted = String(clause.value ?? '')
  switch (clause.operator) {
    case 'EQUALS':
      return text === wanted
    case 'NOT EQUALS':
      return text !== wanted
    case 'IS TRUE':
      return text.toLowerCase() === 'true'
    case 'IS FALSE':
      return text.toLowerCase() === 'false'
    case 'IS NOT NULL':
      return true
    case 'REGEX MATCH':
      return matchesWhole(wanted, text)
    case 'NOT REGEX MATCH':
      return !matchesWhole(wanted, text)
    case 'GREATER_THAN':
      return Number(text) > Number(wanted)
    case 'GREATER_THAN_OR_EQUALS':
      return Number(text) >= Number(wanted)
    case 'INCLUDES':
      return text.includes(wanted)
    case 'ENDS_WITH':
      return text.endsWith(wanted)
    case '&':
      return (Number(text) & Number(wanted)) === Number(wanted)
    case '!&':
      return (Number(text) & Number(wanted)) !== Number(wanted)
  }
}

/**
 * The pattern must match the whole value: the example on Microsoft's page excludes by a pattern for the whole value.
 */
function matchesWhole(pattern: string, text: string): boolean {
  return new RegExp(`^(?:${pattern})$`, 'u').test(text)
}
