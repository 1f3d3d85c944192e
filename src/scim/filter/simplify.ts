/**
 * Rewrites filters to equivalent ones that cost less. RFC 7644 §3.4.2.2: a filter on a multi-valued attribute matches if
 * one of the values does, so alternatives on the same attribute need only one pass over its values:
 *
 *   emails.value co "a" or emails[type eq "work"]   is   emails[value co "a" or type eq "work"]
 */
import { type AttributePath, pathText } from '../attribute-path.ts'
import type { Complex } from '../comparison.ts'
import type { Filter } from './ast.ts'
import { evaluateFilter } from './evaluate.ts'

/** Merges alternatives on the same multi-valued attribute, flattens nested `and` and `or`, and removes duplicate operands. */
export function simplifyFilter(filter: Filter): Filter {
  switch (filter.kind) {
    case 'not':
      return { kind: 'not', operand: simplifyFilter(filter.operand) }
    case 'and':
      return joined('and', unique(operandsOf(filter)))
    case 'or':
      return joined('or', withJoinedValues(unique(operandsOf(filter))))
    case 'valuePath':
      return { ...filter, operand: simplifyFilter(filter.operand) }
    default:
      return filter
  }
}

/** The operands, simplified. `a and (b and c)` has three. */
function operandsOf({ kind, operands }: Extract<Filter, { kind: 'and' | 'or' }>): readonly Filter[] {
  return operands
    .map(simplifyFilter)
    .flatMap((operand) => (operand.kind === kind ? operand.operands : [operand]))
}

function joined(kind: 'and' | 'or', operands: readonly Filter[]): Filter {
  const [only] = operands
  return operands.length === 1 && only !== undefined ? only : { kind, operands }
}

/** Removes duplicates. Attributes are compared by their path, because a path always resolves to the same definition. */
function unique(filters: readonly Filter[]): readonly Filter[] {
  return [...new Map(filters.map((filter) => [identity(filter), filter])).values()]
}

function identity(filter: Filter): string {
  return JSON.stringify(filter, (key, value) => (key === 'path' ? pathText(value as AttributePath) : value))
}

function withJoinedValues(operands: readonly Filter[]): readonly Filter[] {
  const byAttribute = Map.groupBy(operands, (operand) => valuesOf(operand)?.path.steps[0].name)
  return Array.from(byAttribute, ([name, group]): readonly Filter[] => {
    const paths = group.flatMap((operand) => valuesOf(operand) ?? [])
    const [first] = paths
    if (name === undefined || first === undefined || paths.length < 2) return group
    const alternatives = unique(paths.map(({ operand }) => operand))
    return [{ kind: 'valuePath', path: first.path, operand: joined('or', alternatives) }]
  }).flat()
}

/** Converts a test of a sub-attribute of a multi-valued attribute to a value path. @returns undefined for other filters */
export function valuesOf(filter: Filter): Extract<Filter, { kind: 'valuePath' }> | undefined {
  if (!('path' in filter) || !filter.path.steps[0].multiValued) return undefined
  if (filter.kind === 'valuePath') return filter
  const [attribute, subAttribute, ...more] = filter.path.steps
  if (subAttribute === undefined) return undefined
  const operand: Filter = { ...filter, path: { steps: [subAttribute, ...more] } }
  return { kind: 'valuePath', path: { steps: [attribute] }, operand }
}

/** True if the filter tests the top-level attribute or a part of it. */
export function mentions(filter: Filter, name: string): boolean {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.operands.some((operand) => mentions(operand, name))
    case 'not':
      return mentions(filter.operand, name)
    case 'never':
      return false
    default:
      return filter.path.steps[0].name === name
  }
}

/**
 * Evaluates a filter on a partially known value.
 *
 * @returns undefined if the result depends on the other attributes
 */
export function partialResult(filter: Filter, known: Complex): boolean | undefined {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const decisive = filter.kind === 'or'
      const answers = filter.operands.map((operand) => partialResult(operand, known))
      if (answers.includes(decisive)) return decisive
      return answers.includes(undefined) ? undefined : !decisive
    }
    case 'not': {
      const answer = partialResult(filter.operand, known)
      return answer === undefined ? undefined : !answer
    }
    case 'never':
      return false
    default:
      return filter.path.steps[0].name in known ? evaluateFilter(filter, known) : undefined
  }
}
