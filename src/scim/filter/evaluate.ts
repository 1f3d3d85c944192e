/**
 * Evaluates a filter on a resource or an element in memory. Used for value paths in a PATCH, and as the reference in tests
 * of the compiled SQL.
 */
import { type Complex, compareScalars, comparisonKey, isComplex, type Scalar } from '../comparison.ts'
import type { Attribute } from '../schema/definition.ts'
import { Work } from '../work.ts'
import type { ComparisonOperator, Filter } from './ast.ts'
import { contains } from './contains.ts'

/**
 * True if a resource or an element of a multi-valued attribute matches the filter.
 *
 * @throws {ScimError} if the request exceeds the work limit
 */
export function evaluateFilter(filter: Filter, value: Complex, work: Work = new Work()): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.operands.every((operand) => evaluateFilter(operand, value, work))
    case 'or':
      return filter.operands.some((operand) => evaluateFilter(operand, value, work))
    case 'not':
      return !evaluateFilter(filter.operand, value, work)
    case 'never':
      return false
    case 'present':
      return someValue(value, filter.path.steps, false, work, isPresent)
    case 'valuePath':
      return someValue(
        value,
        filter.path.steps,
        false,
        work,
        (element) => isComplex(element) && evaluateFilter(filter.operand, element, work),
      )
    case 'comparison':
      return someValue(value, filter.path.steps, filter.operator === 'ne', work, (found) =>
        matches(filter.path.steps.at(-1), filter.operator, found, filter.key, work),
      )
  }
}

/**
 * True if any value at the path passes the test. RFC 7644 §3.4.2.2: a multi-valued attribute matches if any of its values
 * does.
 *
 * @param absent whether a missing single value is tested as undefined, which `ne` matches
 */
function someValue(
  value: Complex,
  steps: readonly Attribute[],
  absent: boolean,
  work: Work,
  test: (found: unknown) => boolean,
  at = 0,
): boolean {
  const step = steps[at]
  if (step === undefined) return test(value)
  work.visit()
  const found = value[step.name]
  if (found === undefined) return absent && !steps.slice(at).some(isList) && test(undefined)
  if (Array.isArray(found)) work.visit(found.length)
  const isTrueOf = (element: unknown): boolean => {
    if (at === steps.length - 1) return test(element)
    return isComplex(element) && someValue(element, steps, absent, work, test, at + 1)
  }
  return Array.isArray(found) ? found.some(isTrueOf) : isTrueOf(found)
}

function isList({ multiValued }: Attribute): boolean {
  return multiValued
}

/** RFC 7644 §3.4.2.2: "pr" matches a non-empty value or a non-empty complex value. */
function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}

function matches(
  attribute: Attribute | undefined,
  operator: ComparisonOperator,
  found: unknown,
  key: Scalar,
  work: Work,
): boolean {
  if (attribute === undefined) return false
  if (found === undefined || found === null) return operator === 'ne'
  const value = comparisonKey(attribute, found as Scalar, work)
  if (typeof value === 'string' && typeof key === 'string')
    work.spend(charactersCompared(operator, value, key))
  switch (operator) {
    case 'eq':
      return value === key
    case 'ne':
      return value !== key
    case 'co':
      return contains(String(value), String(key))
    case 'sw':
      return String(value).startsWith(String(key))
    case 'ew':
      return String(value).endsWith(String(key))
    case 'gt':
      return compareScalars(value, key) > 0
    case 'ge':
      return compareScalars(value, key) >= 0
    case 'lt':
      return compareScalars(value, key) < 0
    case 'le':
      return compareScalars(value, key) <= 0
  }
}

/** An upper bound for the number of characters that the comparison reads. */
function charactersCompared(operator: ComparisonOperator, value: string, key: string): number {
  return operator === 'co' ? value.length + key.length : Math.min(value.length, key.length)
}
