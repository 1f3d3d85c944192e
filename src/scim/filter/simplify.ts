/**
 * Filters that say the same and cost less. RFC 7644 §3.4.2.2: a filter on a multi-valued attribute is true when it is
 * true of one of the values, so alternatives on the same attribute are one look at its values:
 *
 *   emails.value co "a" or emails[type eq "work"]   is   emails[value co "a" or type eq "work"]
 */
import { type AttributePath, pathText } from '../attribute-path.ts'
import type { Complex } from '../comparison.ts'
import type { Filter } from './ast.ts'
import { evaluateFilter } from './evaluate.ts'

/** The same filter with alternatives on one multi-valued attribute joined, and each alternative once. */
export function simplifyFilter(filter: Filter): Filter {
  switch (filter.kind) {
    case 'not':
      return { kind: 'not', operand: simplifyFilter(filter.operand) }
    case 'and':
      return joined('and', unique(filter.operands.map(simplifyFilter)))
    case 'or':
      return joined('or', withJoinedValues(unique(filter.operands.map(simplifyFilter))))
    case 'valuePath':
      return { ...filter, operand: simplifyFilter(filter.operand) }
    default:
      return filter
  }
}

function joined(kind: 'and' | 'or', operands: readonly Filter[]): Filter {
  const [only] = operands
  return operands.length === 1 && only !== undefined ? only : { kind, operands }
}

/** Attributes are data and the same objects each time, so their names are enough. */
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

/** A test of a sub-attribute of a multi-valued attribute as a value path; undefined for any other filter. */
export function valuesOf(filter: Filter): Extract<Filter, { kind: 'valuePath' }> | undefined {
  if (!('path' in filter) || !filter.path.steps[0].multiValued) return undefined
  if (filter.kind === 'valuePath') return filter
  const [attribute, subAttribute, ...more] = filter.path.steps
  if (subAttribute === undefined) return undefined
  const operand: Filter = { ...filter, path: { steps: [subAttribute, ...more] } }
  return { kind: 'valuePath', path: { steps: [attribute] }, operand }
}

/** True when the filter tests the attribute, at its first step. */
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
 * What a filter says of a value of which only some attributes are known.
 *
 * @returns undefined when that depends on the others
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
