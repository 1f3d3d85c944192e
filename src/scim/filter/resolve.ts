/**
 * Checks a parsed filter against a resource type: attribute paths, operators that make sense for the
 * type, values in the form in which they compare (RFC 7644 §3.4.2.2).
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

/** What to do with an attribute that the resource type does not have. */
export type UnknownAttribute = 'refuse' | 'no-value'

/** What names are looked up in, and how. */
interface Scope {
  readonly lookup: (name: string) => AttributePath | undefined
  /** The resource type or attribute, for messages. */
  readonly owner: string
  readonly unknown: UnknownAttribute
  readonly profile: Profile
  /** Counts the folding; undefined where the filter is bounded by itself. */
  readonly work?: Work | undefined
}

const EQUALITY: readonly ComparisonOperator[] = ['eq', 'ne']
const SUBSTRING: readonly ComparisonOperator[] = ['co', 'sw', 'ew']
const ORDER: readonly ComparisonOperator[] = ['gt', 'ge', 'lt', 'le']

const NEVER: Filter = { kind: 'never' }

/** RFC 7644 §3.4.2.2 table 3: ordering a boolean or a binary value SHALL fail with invalidFilter. */
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
 * @param unknown a mistyped name on one endpoint is refused, so that an administrator sees it; across
 *   resource types RFC 7644 §3.4.2.1 wants an undefined attribute treated as one without a value
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

/** Stored resources name the schemas of removed extensions too: a test of "schemas" is one of those that clients see. */
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

/** Resolves a filter on the values of a complex attribute: the inside of `emails[…]`. @throws {ScimError} invalidFilter */
export function resolveValueFilter(
  expression: FilterExpression,
  attribute: Attribute,
  { profile, work }: Pick<Reading, 'profile' | 'work'>,
): Filter {
  return resolve(expression, scopeOfValues(attribute, { unknown: 'refuse', profile, work }))
}

function scopeOfValues(attribute: Attribute, rest: Pick<Scope, 'unknown' | 'profile' | 'work'>): Scope {
  const lookup = (name: string) => resolveNames(name, attribute.subAttributes ?? [])
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

/** What a test says of an attribute without a value: nothing is true of it but `ne` and `eq null`. */
function withoutValue(expression: Test): Filter {
  if (expression.kind !== 'comparison') return NEVER
  const isTrue = expression.operator === (expression.literal.value === null ? 'eq' : 'ne')
  return isTrue ? { kind: 'not', operand: NEVER } : NEVER
}

/** True of `meta.location` and the `$ref` of members and groups: clients cannot set them, nothing stores them. */
function isDerived({ name, type, mutability }: Attribute): boolean {
  return type === 'reference' && mutability !== 'readWrite' && (name === '$ref' || name === 'location')
}

function resolveTest(expression: Test, path: AttributePath, scope: Scope): Filter {
  if (path.steps.some((step) => step.returned === 'never')) {
    throw badRequest('invalidFilter', `"${pathText(path)}" is never returned, so it cannot be filtered on`)
  }
  if (isDerived(target(path))) {
    throw badRequest(
      'invalidFilter',
      `"${pathText(path)}" follows from the Tenant URL and an id, so it cannot be filtered on: filter on the id`,
    )
  }
  if (expression.kind === 'present') return { kind: 'present', path }
  if (expression.kind === 'comparison')
    return resolveComparison(expression, withDefaultValue(path, scope), scope)
  const attribute = target(path)
  if (attribute.subAttributes === undefined) {
    throw badRequest('invalidFilter', `"${pathText(path)}" has no sub-attributes, so "[…]" cannot follow it`)
  }
  if (attribute.multiValued) {
    return { kind: 'valuePath', path, operand: resolve(expression.operand, scopeOfValues(attribute, scope)) }
  }
  // `name[givenName pr]` selects from one value: the same as its paths written out, if it is there at all.
  const lookup = (name: string) => below(path, resolveNames(name, attribute.subAttributes ?? []))
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
      `"${operator}" cannot be used on "${pathText(path)}" (${attribute.type}); allowed are ${allowed}`,
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
    `"${pathText(path)}" co takes ${MAX_SUBSTRING_CHARACTERS} characters at most, found ${length}; eq, sw and ew take more`,
  )
}

/** A complex attribute compares by its "value" sub-attribute where it has one: `emails co "@x"`. */
function withDefaultValue(path: AttributePath, { profile }: Scope): AttributePath {
  if (!comparesByValue(target(path), profile)) return path
  const value = findAttribute(target(path).subAttributes ?? [], 'value')
  return value === undefined ? path : { steps: [...path.steps, value] }
}

/** The literal as a value of the attribute's type. */
function typedValue(literal: Literal, path: AttributePath, profile: Profile): Scalar {
  const { type } = target(path)
  const value = filterValue(literal, type, profile)
  if (value !== undefined) return value
  throw badRequest(
    'invalidFilter',
    `"${pathText(path)}" is compared with a ${type}, found ${quote(literal.text)}`,
  )
}
