/**
 * Resolves a parsed filter against a resource type: attribute paths, operators that the attribute's type allows, and
 * comparison keys of values (RFC 7644 §3.4.2.2).
 */
import {
  type AttributePath,
  pathText,
  resolveAttributePath,
  resolveNames,
  target,
} from '../attribute-path.ts'
import { comparisonKey, type Scalar } from '../comparison.ts'
import { comparesByValue, filterValue } from '../compatibility/lists.ts'
import { badRequest, quote } from '../error.ts'
import { MAX_SUBSTRING_CHARACTERS } from '../limits.ts'
import type { Profile } from '../profile.ts'
import type { Reading } from '../reading.ts'
import type { Attribute, ResourceType } from '../schema/definition.ts'
import { findAttribute } from '../schema/lookup.ts'
import type { Work } from '../work.ts'
import type { ComparisonOperator, Filter, FilterExpression, Literal } from './ast.ts'
import { evaluateFilter } from './evaluate.ts'

type Test = Extract<FilterExpression, { name: string }>
type Comparison = Extract<FilterExpression, { kind: 'comparison' }>

/** How an attribute that the resource type does not have is treated. */
export type UnknownAttribute = 'refuse' | 'no-value'

/** The context in which attribute names are resolved. */
interface Scope {
  readonly lookup: (name: string) => AttributePath | undefined
  /** The name of the resource type or attribute, for error messages. */
  readonly owner: string
  readonly unknown: UnknownAttribute
  readonly profile: Profile
  /** Counts the folding. Undefined for filters of list requests, which have their own limits. */
  readonly work?: Work | undefined
}

const EQUALITY: readonly ComparisonOperator[] = ['eq', 'ne']
const SUBSTRING: readonly ComparisonOperator[] = ['co', 'sw', 'ew']
const ORDER: readonly ComparisonOperator[] = ['gt', 'ge', 'lt', 'le']

const NEVER: Filter = { kind: 'never' }

/** RFC 7644 §3.4.2.2 table 3: ordering a boolean or a binary attribute SHALL fail with invalidFilter. */
const OPERATORS: Record<Attribute['type'], readonly ComparisonOperator[]> = {
  string: [...EQUALITY, ...SUBSTRING, ...ORDER],
  reference: [...EQUALITY, ...SUBSTRING, ...ORDER],
  binary: [...EQUALITY, ...SUBSTRING],
  boolean: EQUALITY,
  integer: [...EQUALITY, ...ORDER],
  decimal: [...EQUALITY, ...ORDER],
  dateTime: [...EQUALITY, ...ORDER],
  complex: [],
}

/**
 * Resolves a filter for one resource type.
 *
 * @param unknown `refuse` reports a mistyped name to the administrator; `no-value` is for searches across resource types,
 *   where an undefined attribute has no value (RFC 7644 §3.4.2.1)
 * @throws {ScimError} invalidFilter
 */
export function resolveFilter(
  expression: FilterExpression,
  type: ResourceType,
  profile: Profile,
  unknown: UnknownAttribute = 'refuse',
): Filter {
  const lookup = (name: string) => resolveAttributePath(name, type)
  const filter = resolve(expression, { lookup, owner: type.name, unknown, profile })
  return type.returnsAll ? filter : onVisibleSchemas(filter, type)
}

/**
 * Limits tests of "schemas" to the URNs that clients see. The "schemas" of stored resources also contain those of removed
 * extensions.
 */
function onVisibleSchemas(filter: Filter, type: ResourceType): Filter {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return { ...filter, operands: filter.operands.map((operand) => onVisibleSchemas(operand, type)) }
    case 'not':
      return { ...filter, operand: onVisibleSchemas(filter.operand, type) }
    case 'comparison': {
      const [attribute] = filter.path.steps
      if (attribute.name !== 'schemas') return filter
      const visible = [type.schema, ...type.extensions].map(({ id }) => id)
      const matching = visible.filter((urn) => evaluateFilter(filter, { schemas: [urn] }))
      const tests = matching.map((value): Filter => {
        return { ...filter, operator: 'eq', value, key: comparisonKey(attribute, value) }
      })
      return tests.length === 0 ? NEVER : { kind: 'or', operands: tests }
    }
    default:
      return filter
  }
}

/** Resolves the filter inside a value path, such as `emails[…]`. @throws {ScimError} invalidFilter */
export function resolveValueFilter(
  expression: FilterExpression,
  attribute: Attribute,
  { profile, work }: Pick<Reading, 'profile' | 'work'>,
): Filter {
  return resolve(expression, scopeOfValues(attribute, { unknown: 'refuse', profile, work }))
}

function scopeOfValues(attribute: Attribute, rest: Pick<Scope, 'unknown' | 'profile' | 'work'>): Scope {
  const lookup = (name: string) => resolveNames(name, attribute.subAttributes)
  return { ...rest, lookup, owner: attribute.name }
}

function resolve(expression: FilterExpression, scope: Scope): Filter {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return {
        kind: expression.kind,
        operands: expression.operands.map((operand) => resolve(operand, scope)),
      }
    case 'not':
      return { kind: 'not', operand: resolve(expression.operand, scope) }
    default: {
      const path = scope.lookup(expression.name)
      if (path !== undefined) return resolveTest(expression, path, scope)
      if (scope.unknown === 'no-value') return withoutValue(expression)
      throw badRequest(
        'invalidFilter',
        `filter, position ${expression.position}: ${scope.owner} has no attribute ${quote(expression.name)}`,
      )
    }
  }
}

/** The result of a test of an attribute without a value: only `ne` and `eq null` are true. */
function withoutValue(expression: Test): Filter {
  if (expression.kind !== 'comparison') return NEVER
  const isTrue = expression.operator === (expression.literal.value === null ? 'eq' : 'ne')
  return isTrue ? { kind: 'not', operand: NEVER } : NEVER
}

/** True for `meta.location` and the `$ref` of members and groups, which are computed for each response and not stored. */
function isDerived({ name, type, mutability }: Attribute): boolean {
  return type === 'reference' && mutability !== 'readWrite' && (name === '$ref' || name === 'location')
}

function resolveTest(expression: Test, path: AttributePath, scope: Scope): Filter {
  if (path.steps.some((step) => step.returned === 'never')) {
    throw badRequest('invalidFilter', `"${pathText(path)}" is never returned and cannot be used in a filter`)
  }
  if (isDerived(target(path))) {
    throw badRequest(
      'invalidFilter',
      `"${pathText(path)}" is derived from an id and cannot be used in a filter; filter by the id instead`,
    )
  }
  if (expression.kind === 'present') return { kind: 'present', path }
  if (expression.kind === 'comparison')
    return resolveComparison(expression, withDefaultValue(path, scope), scope)
  const attribute = target(path)
  if (attribute.subAttributes === undefined) {
    throw badRequest('invalidFilter', `"[…]" requires a complex attribute, found "${pathText(path)}"`)
  }
  if (attribute.multiValued) {
    return { kind: 'valuePath', path, operand: resolve(expression.operand, scopeOfValues(attribute, scope)) }
  }
  // `name[givenName pr]` on a single value means `name pr and name.givenName pr`.
  const lookup = (name: string) => below(path, resolveNames(name, attribute.subAttributes))
  const operand = resolve(expression.operand, { ...scope, lookup, owner: attribute.name })
  return { kind: 'and', operands: [{ kind: 'present', path }, operand] }
}

function below(above: AttributePath, path: AttributePath | undefined): AttributePath | undefined {
  return path && { steps: [...above.steps, ...path.steps] }
}

function resolveComparison(
  { operator, literal }: Comparison,
  path: AttributePath,
  { profile, work }: Scope,
): Filter {
  const attribute = target(path)
  if (literal.value === null && EQUALITY.includes(operator)) {
    const present: Filter = { kind: 'present', path }
    return operator === 'ne' ? present : { kind: 'not', operand: present }
  }
  if (!OPERATORS[attribute.type].includes(operator)) {
    const allowed = [...OPERATORS[attribute.type], 'pr'].join(', ')
    throw badRequest(
      'invalidFilter',
      `"${operator}" cannot be used on "${pathText(path)}" (${attribute.type}); use one of ${allowed}`,
    )
  }
  const value = typedValue(literal, path, profile)
  if (operator === 'co') requireSubstringLength(String(value), path)
  return { kind: 'comparison', path, operator, value, key: comparisonKey(attribute, value, work) }
}

function requireSubstringLength({ length }: string, path: AttributePath): void {
  if (length <= MAX_SUBSTRING_CHARACTERS) return
  throw badRequest(
    'invalidFilter',
    `"co" on "${pathText(path)}" allows at most ${MAX_SUBSTRING_CHARACTERS} characters, found ${length}; eq, sw and ew allow more`,
  )
}

/** A complex attribute compares by its "value" sub-attribute, if it has one: `emails co "@x"`. */
function withDefaultValue(path: AttributePath, { profile }: Scope): AttributePath {
  if (!comparesByValue(target(path), profile)) return path
  const value = findAttribute(target(path).subAttributes, 'value')
  return value === undefined ? path : { steps: [...path.steps, value] }
}

/** The literal, converted to the type of the attribute. @throws {ScimError} invalidFilter */
function typedValue(literal: Literal, path: AttributePath, profile: Profile): Scalar {
  const { type } = target(path)
  const value = filterValue(literal, type, profile)
  if (value !== undefined) return value
  throw badRequest(
    'invalidFilter',
    `"${pathText(path)}" must be compared with a value of type ${type}, found ${quote(literal.text)}`,
  )
}
