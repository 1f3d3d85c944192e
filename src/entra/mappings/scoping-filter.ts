/**
 * Scoping filters: which users or groups the job provisions, by their own attributes. The clauses of one filter are
 * joined by AND, several filters by OR. Pure.
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
  /** Absent for the operators that take none. */
  readonly value?: string | number
}

export interface ScopingFilter {
  readonly name: string
  readonly clauses: readonly ScopingClause[]
}

/** Attributes that the admin center does not offer in a scoping filter. */
export const UNSUPPORTED_SCOPING_ATTRIBUTES = [
  'appRoleAssignments',
  'IsMemberOf',
  'manager',
  'members',
  'userType',
]

/** Operators without a value on their right. */
export const UNARY_OPERATORS: readonly ScopingOperator[] = ['IS TRUE', 'IS FALSE', 'IS NULL', 'IS NOT NULL']

/** Whether an object passes: no filters pass everybody. */
export function passesScopingFilters(
  filters: readonly ScopingFilter[],
  attribute: (name: string) => Value,
): boolean {
  if (filters.length === 0) return true
  return filters.some((filter) =>
    filter.clauses.every((clause) => holds(clause, attribute(clause.attribute))),
  )
}

/** Comparisons respect case. Without a source value every clause but IS NULL is false, negated ones too. */
function holds(clause: ScopingClause, source: Value): boolean {
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

/** The pattern has to match the whole value: the page's own example excludes by a pattern for all of it. */
function matchesWhole(pattern: string, text: string): boolean {
  return new RegExp(`^(?:${pattern})$`, 'u').test(text)
}
