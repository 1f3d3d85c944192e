/**
 * Compiles a filter to an SQL condition with parameters (RFC 7644 §3.4.2.2).
 *
 * A leaf may be NULL instead of false. Under a `not` it is converted to 0 or 1, because `NOT NULL` is NULL in SQL but a
 * missing value must match. Negations are pushed down to the leaves, and lists of operands become balanced trees, so the
 * depth of the SQL expression stays far below the limit of the database.
 */
import { type AttributePath, pathText, target } from '../attribute-path.ts'
import type { Scalar } from '../comparison.ts'
import type { Attribute } from '../schema/definition.ts'
import type { ComparisonOperator, Filter } from './ast.ts'
import { valuesOf } from './simplify.ts'
import { constant, fragment, type SqlFragment } from './sql-fragment.ts'

/** The SQL expressions for the attributes of a resource type. */
export interface ColumnMap {
  /** The column of the comparison document: see comparison.ts. */
  readonly document: string
  /** Attributes with their own column, by canonical path: `userName`, `meta.created`. */
  readonly columns: Readonly<Record<string, { readonly sql: string }>>
  /** Multi-valued attributes stored as rows of another table, by name: `members`, `groups`. */
  readonly rows: Readonly<Record<string, RowSource>>
  readonly alternatives: Alternatives
  /** Tests that are looked up instead of the values of the resource, or before them. */
  readonly lookups?: ReadonlyMap<Filter, Lookup>
}

/** How the resources that meet a test are found without reading others. */
export interface Lookup {
  /** True for a resource that meets the test. Never NULL. */
  readonly condition: SqlFragment
  /** Whether it is true for no other resource. */
  readonly isExact: boolean
}

/** Compiles an `or` whose operands are evaluated separately, each by its own index, instead of by `OR`. */
export interface Alternatives {
  /** True if an index or the membership table leads directly to the matches of each filter. */
  readonly haveDirectLookup: (filters: readonly Filter[]) => boolean
  /** The columns for compiling one of the filters. */
  readonly columnsOf: (filter: Filter) => ColumnMap
  /** SQL that is true for a resource that meets one of the conditions. */
  readonly oneOf: (conditions: readonly SqlFragment[]) => SqlFragment
}

/** A multi-valued attribute stored as rows, so that indexes can be used. */
export interface RowSource {
  /**
   * Tests whether a resource has a row that matches a filter.
   *
   * @param filter on the sub-attributes; undefined if every row matches
   */
  readonly some: (filter: Filter | undefined) => RowTest
  /** A subquery for the sub-attribute of one row, always the same row. Used for sorting. */
  readonly first: (subAttribute: string) => SqlFragment
}

export interface RowTest {
  /** The columns of the sub-attributes, for each required condition. The filter is compiled once for each. */
  readonly columns: readonly RowColumns[]
  /** @param conditions the compiled filter for each element of `columns`, in the same order */
  readonly where: (conditions: readonly SqlFragment[]) => SqlFragment
}

/** SQL expressions by the name of the sub-attribute. */
export type RowColumns = Readonly<Record<string, string>>

/**
 * The SQL expression of a sort key (RFC 7644 §3.4.2.3). For a multi-valued attribute it is the primary value, or else the
 * first. NULL for a resource without a value.
 */
export function compileSortKey(path: AttributePath, columns: ColumnMap): SqlFragment {
  const { steps } = path
  const multiple = steps.findIndex((step) => step.multiValued)
  if (multiple < 0) return constant(resourceScope(columns).single(steps))
  const list = steps.slice(0, multiple + 1)
  const rest = steps.slice(multiple + 1)
  const rows = rowsOf(list, columns)
  if (rows !== undefined) return rows.first(rest[0]?.name ?? 'value')
  const value = rest.length === 0 ? 'element.value' : `element.value ->> '${jsonPath(rest)}'`
  const each = `json_each(${columns.document}, '${jsonPath(list)}') AS element`
  // Simple elements have no "primary", so the first one is used.
  const primary = rest.length === 0 ? '' : `(element.value ->> '$.primary') IS 1 DESC, `
  return constant(`(SELECT ${value} FROM ${each} ORDER BY ${primary}element.key LIMIT 1)`)
}

/** The rows of a multi-valued core attribute. An extension's attribute may have the same name but is not stored as rows. */
function rowsOf(list: readonly Attribute[], { rows }: ColumnMap): RowSource | undefined {
  return list.length === 1 ? rows[list[0]?.name ?? ''] : undefined
}

/** Compiles attribute paths relative to a resource, an element, or a row. */
interface Scope {
  single(path: readonly Attribute[]): string
  /** @param list the path of the multi-valued attribute */
  multiple(
    list: readonly Attribute[],
    condition: (element: Scope) => SqlFragment,
    filter: Filter | undefined,
  ): SqlFragment
  /** Only for resources. */
  readonly alternatives?: Alternatives
  readonly lookups?: ColumnMap['lookups']
}

/** The SQL condition of a filter over the rows of a resource type. */
export function compileFilter(filter: Filter, columns: ColumnMap): SqlFragment {
  return compile(filter, resourceScope(columns), false)
}

function compile(filter: Filter, scope: Scope, negated: boolean): SqlFragment {
  switch (filter.kind) {
    case 'not':
      return compile(filter.operand, scope, !negated)
    case 'and':
    case 'or': {
      // De Morgan: not (a and b) is (not a) or (not b).
      const joinedByAnd = (filter.kind === 'and') !== negated
      const { alternatives } = scope
      if (filter.kind === 'or' && !negated && alternatives?.haveDirectLookup(filter.operands)) {
        return alternatives.oneOf(
          filter.operands.map((operand) => compileFilter(operand, alternatives.columnsOf(operand))),
        )
      }
      const operands = filter.operands.map((operand) => compile(operand, scope, negated))
      return balanced(operands, joinedByAnd ? ' AND ' : ' OR ')
    }
    case 'never':
      return constant(negated ? '1' : '0')
    default: {
      const lookup = scope.lookups?.get(filter)
      if (lookup?.isExact) return negated ? fragment`NOT ${lookup.condition}` : lookup.condition
      const leaf = compileLeaf(filter, scope)
      if (lookup !== undefined && !negated) return fragment`(${lookup.condition} AND ${leaf})`
      return negated ? fragment`NOT coalesce(${leaf}, 0)` : leaf
    }
  }
}

/** A tree of depth log2(n): SQLite counts the depth of `a AND b AND c …` as n. */
function balanced(operands: readonly SqlFragment[], joint: ' AND ' | ' OR '): SqlFragment {
  const [only] = operands
  if (operands.length === 1 && only !== undefined) return only
  const half = Math.ceil(operands.length / 2)
  const left = balanced(operands.slice(0, half), joint)
  const right = balanced(operands.slice(half), joint)
  return fragment`(${left}${constant(joint)}${right})`
}

type Leaf = Extract<Filter, { path: unknown }>

function compileLeaf(filter: Leaf, scope: Scope): SqlFragment {
  const { steps } = filter.path
  const multiple = steps.findIndex((step) => step.multiValued)
  if (multiple < 0) return compileTest(filter, scope.single(steps))
  const list = steps.slice(0, multiple + 1)
  const rest = steps.slice(multiple + 1)
  const isOfObjects = steps[multiple]?.subAttributes !== undefined
  const condition = (element: Scope) => {
    if (filter.kind === 'valuePath') return compile(filter.operand, element, false)
    // An object is never empty, but a text may be.
    if (rest.length === 0 && isOfObjects && filter.kind === 'present') return constant('1')
    return compileTest(filter, element.single(rest))
  }
  return scope.multiple(list, condition, valuesOf(filter)?.operand)
}

function compileTest(filter: Leaf, operand: string): SqlFragment {
  const left = constant(operand)
  if (filter.kind === 'comparison') return compileComparison(filter.operator, left, filter.key)
  const { type } = target(filter.path)
  const isText = type === 'string' || type === 'reference' || type === 'binary'
  return isText ? fragment`${left} <> ''` : fragment`${left} IS NOT NULL`
}

function compileComparison(operator: ComparisonOperator, left: SqlFragment, key: Scalar): SqlFragment {
  const value = typeof key === 'boolean' ? Number(key) : key
  switch (operator) {
    case 'eq':
      return fragment`${left} = ${value}`
    case 'ne':
      return fragment`${left} IS NOT ${value}`
    case 'gt':
      return fragment`${left} > ${value}`
    case 'ge':
      return fragment`${left} >= ${value}`
    case 'lt':
      return fragment`${left} < ${value}`
    case 'le':
      return fragment`${left} <= ${value}`
    // LIKE is not suitable: its pattern is limited to 50 bytes, and it ignores the case of ASCII letters.
    case 'co':
      return fragment`instr(${left}, ${value}) > 0`
    case 'sw':
      return compileStartsWith(left, String(value))
    case 'ew':
      return fragment`substr(${left}, length(${left}) - ${lengthOf(value)} + 1) = ${value}`
  }
}

/** The length in code points, as SQLite counts. */
function lengthOf(value: string | number): number {
  return [...String(value)].length
}

/** Texts with a common prefix are a range, so that an index can be used. */
function compileStartsWith(left: SqlFragment, prefix: string): SqlFragment {
  const end = afterPrefix(prefix)
  const start = fragment`${left} >= ${prefix}`
  return end === undefined ? start : fragment`(${start} AND ${left} < ${end})`
}

/**
 * The smallest text above all texts with the prefix, in code point order.
 *
 * @returns undefined if there is none, because the prefix consists of U+10FFFF
 */
export function afterPrefix(prefix: string): string | undefined {
  const characters = [...prefix]
  for (let last = characters.pop(); last !== undefined; last = characters.pop()) {
    const next = (last.codePointAt(0) ?? 0) + 1
    // U+D800 to U+DFFF are surrogates, so U+E000 follows U+D7FF.
    if (next <= 0x10ffff) return characters.join('') + String.fromCodePoint(next === 0xd800 ? 0xe000 : next)
  }
  return undefined
}

function resourceScope(columns: ColumnMap): Scope {
  const document = documentScope(columns.document, (steps) => {
    const [first, ...rest] = steps
    return first && columns.columns[pathText({ steps: [first, ...rest] })]?.sql
  })
  return {
    single: document.single,
    multiple(list, condition, filter) {
      const rows = rowsOf(list, columns)
      if (rows === undefined) return document.multiple(list, condition, filter)
      const test = rows.some(filter)
      return test.where(test.columns.map((found) => condition(rowScope(found))))
    },
    alternatives: columns.alternatives,
    ...(columns.lookups !== undefined && { lookups: columns.lookups }),
  }
}

function rowScope(columns: RowColumns): Scope {
  return {
    single: (steps) => columns[steps[0]?.name ?? ''] ?? 'NULL',
    multiple: () => constant('0'),
  }
}

/** Compiles paths into a JSON document. @param column the column of an attribute that has its own */
function documentScope(
  document: string,
  column: (steps: readonly Attribute[]) => string | undefined = () => undefined,
): Scope {
  return {
    single: (steps) =>
      steps.length === 0 ? document : (column(steps) ?? `${document} ->> '${jsonPath(steps)}'`),
    multiple: (list, condition) => {
      // Elements of a simple attribute are values. Elements of a complex attribute are documents.
      const element = list.at(-1)?.subAttributes === undefined ? elementScope : documentScope('element.value')
      const each = constant(`SELECT 1 FROM json_each(${document}, '${jsonPath(list)}') AS element`)
      return fragment`EXISTS (${each} WHERE ${condition(element)})`
    },
  }
}

const elementScope: Scope = { single: () => 'element.value', multiple: () => constant('0') }

/** `$."name"."familyName"`. Attribute names cannot contain a quote. */
function jsonPath(steps: readonly Attribute[]): string {
  return `$${steps.map((step) => `."${step.name}"`).join('')}`
}
