/**
 * The filter tree (RFC 7644 §3.4.2.2), in two stages: FilterExpression is what the text says, Filter is
 * the same with its attribute paths resolved, its operators checked and its values in comparison form.
 */
import type { AttributePath } from '../attribute-path.ts'
import type { Scalar } from '../comparison.ts'

export const COMPARISON_OPERATORS = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const
export type ComparisonOperator = (typeof COMPARISON_OPERATORS)[number]

/** A value as written. `text` is kept because `externalId eq 007` compares a string with "007". */
export interface Literal {
  readonly value: Scalar | null
  readonly text: string
}

/** A parsed filter. Positions are 1-based and count UTF-16 units of the filter text. */
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

/** A filter that was checked against a resource type. Inside a value path, paths start at the element. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Filter[] }
  | { readonly kind: 'not'; readonly operand: Filter }
  | { readonly kind: 'present'; readonly path: AttributePath }
  | {
      readonly kind: 'comparison'
      readonly path: AttributePath
      readonly operator: ComparisonOperator
      /** As written, in the type of the attribute. */
      readonly value: Scalar
      /** In the form in which values of the attribute compare: see comparison.ts. */
      readonly key: Scalar
    }
  | { readonly kind: 'valuePath'; readonly path: AttributePath; readonly operand: Filter }
  /** A filter whose answer is known: an attribute that the resource type does not have. */
  | { readonly kind: 'never' }
