/**
 * A filter on a value in memory: value paths of PATCH, and the reference that the compiled SQL is
 * tested against. Works on resources as they are on the wire.
 */
import { type Complex, compareScalars, comparisonKey, isComplex, type Scalar } from '../comparison.ts'
import type { Attribute } from '../schema/definition.ts'
import { Work } from '../work.ts'
import type { ComparisonOperator, Filter } from './ast.ts'
import { contains } from './contains.ts'

/**
 * True when the resource, or the element of a multi-valued attribute, matches the filter.
 *
 * @throws {ScimError} when the work of the request is more than it may be
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
 * True when the test is true of a value at the path: one of every element where a multi-valued attribute is
 * passed. RFC 7644 §3.4.2.2: a resource matches when any instance does.
 *
 * @param absent whether a missing single value counts as one, undefined: `ne` is true of it
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

/** RFC 7644 §3.4.2.2: "pr" is true of a non-empty value, or of a complex one that is not empty. */
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

/** At most. */
function charactersCompared(operator: ComparisonOperator, value: string, key: string): number {
  return operator === 'co' ? value.length + key.length : Math.min(value.length, key.length)
}
