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
      work.visit()
      return !evaluateFilter(filter.operand, value, work)
    case 'never':
      return false
    case 'present':
      return someValue(value, { steps: filter.path.steps, work, test: isPresent })
    case 'valuePath':
      return someValue(value, {
        steps: filter.path.steps,
        work,
        test: (element) => isComplex(element) && evaluateFilter(filter.operand, element, work),
      })
    case 'comparison':
      return someValue(value, {
        steps: filter.path.steps,
        testsAbsent: filter.operator === 'ne',
        work,
        test: (found) => matches(filter, found, work),
      })
  }
}

type Comparison = Extract<Filter, { kind: 'comparison' }>

/** A test of the values at a path. */
interface ValueTest {
  readonly steps: readonly Attribute[]
  /** Whether a missing single value is tested as undefined, which `ne` matches. */
  readonly testsAbsent?: boolean
  readonly work: Work
  readonly test: (found: unknown) => boolean
}

/**
 * True if any value at the path passes the test. RFC 7644 §3.4.2.2: a multi-valued attribute matches if any of its values
 * does.
 *
 * @param at the index of the step that `value` has
 */
function someValue(value: Complex, valueTest: ValueTest, at = 0): boolean {
  const { steps, testsAbsent = false, work, test } = valueTest
  const step = steps[at]
  if (step === undefined) return test(value)
  work.visit()
  const found = value[step.name]
  if (found === undefined) return testsAbsent && !steps.slice(at).some(isList) && test(undefined)
  if (Array.isArray(found)) work.visit(found.length)
  const isTrueOf = (element: unknown): boolean => {
    if (at === steps.length - 1) return test(element)
    return isComplex(element) && someValue(element, valueTest, at + 1)
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

function matches({ path, operator, key }: Comparison, found: unknown, work: Work): boolean {
  const attribute = path.steps.at(-1)
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
