/**
 * A filter on a value in memory: value paths of PATCH, and the reference that the compiled SQL is
 * tested against. Works on resources as they are on the wire.
 */
import { type Complex, compareScalars, comparisonKey, isComplex, type Scalar } from '../comparison.ts'
import type { Attribute } from '../schema/definition.ts'
import type { ComparisonOperator, Filter } from './ast.ts'

/** True when the resource, or the element of a multi-valued attribute, matches the filter. */
export function evaluateFilter(filter: Filter, value: Complex): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.operands.every((operand) => evaluateFilter(operand, value))
    case 'or':
      return filter.operands.some((operand) => evaluateFilter(operand, value))
    case 'not':
      return !evaluateFilter(filter.operand, value)
    case 'never':
      return false
    case 'present':
      return valuesAt(value, filter.path.steps).some(isPresent)
    case 'valuePath':
      return valuesAt(value, filter.path.steps).some(
        (element) => isComplex(element) && evaluateFilter(filter.operand, element),
      )
    case 'comparison':
      return valuesAt(value, filter.path.steps, filter.operator === 'ne').some((found) =>
        matches(filter.path.steps.at(-1), filter.operator, found, filter.key),
      )
  }
}

/**
 * All values at a path: those of every element where a multi-valued attribute is passed. RFC 7644
 * §3.4.2.2: a resource matches when any instance does.
 *
 * @param absent whether a missing single value counts as one, undefined: `ne` is true of it
 */
function valuesAt(value: Complex, steps: readonly Attribute[], absent = false): unknown[] {
  const [step, ...rest] = steps
  if (step === undefined) return [value]
  const found = value[step.name]
  if (found === undefined) return absent && !step.multiValued ? [undefined] : []
  const elements = Array.isArray(found) ? found : [found]
  if (rest.length === 0) return elements
  return elements.flatMap((element) => (isComplex(element) ? valuesAt(element, rest, absent) : []))
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
): boolean {
  if (attribute === undefined) return false
  if (found === undefined || found === null) return operator === 'ne'
  const value = comparisonKey(attribute, found as Scalar)
  switch (operator) {
    case 'eq':
      return value === key
    case 'ne':
      return value !== key
    case 'co':
      return String(value).includes(String(key))
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
