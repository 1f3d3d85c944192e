/**
 * The syntax tree of a filter (RFC 7644 §3.4.2.2), in two stages: FilterExpression is the parsed text. Filter has resolved
 * attribute paths, validated operators, and values in comparison form.
 */
import type { AttributePath } from '../attribute-path.ts'
import type { Scalar } from '../comparison.ts'

export const COMPARISON_OPERATORS = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const
export type ComparisonOperator = (typeof COMPARISON_OPERATORS)[number]

/** A literal. Keeps the source text, because `externalId eq 007` compares with the string "007". */
export interface Literal {
  readonly value: Scalar | null
  readonly text: string
}

/** A parsed filter. Positions are 1-based, in UTF-16 code units of the filter text. */
export type FilterExpression =
  | { readonly kind: 'and' | 'or'; readonly operands: readonly FilterExpression[] }
  | { readonly kind: 'not'; readonly operand: FilterExpression }
  | { readonly kind: 'present'; readonly name: string; readonly position: number }
  | {
      readonly kind: 'comparison'
      readonly name: string
      readonly position: number
      readonly operator: ComparisonOperator
      readonly literal: Literal
    }
  | {
      readonly kind: 'valuePath'
      readonly name: string
      readonly position: number
      readonly operand: FilterExpression
    }

/** A filter resolved against a resource type. Inside a value path, paths are relative to the element. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Filter[] }
  | { readonly kind: 'not'; readonly operand: Filter }
  | { readonly kind: 'present'; readonly path: AttributePath }
  | {
      readonly kind: 'comparison'
      readonly path: AttributePath
      readonly operator: ComparisonOperator
      /** The literal, converted to the type of the attribute. */
      readonly value: Scalar
      /** The comparison key of the value: see comparison.ts. */
      readonly key: Scalar
    }
  | { readonly kind: 'valuePath'; readonly path: AttributePath; readonly operand: Filter }
  /** Always false: a test of an attribute that the resource type does not have. */
  | { readonly kind: 'never' }
