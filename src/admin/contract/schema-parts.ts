/**
 * The parts of valibot's schemas that messages (allowed.ts) and the OpenAPI document are derived from. Only these kinds of
 * schemas are in the contract, so no general converter is needed.
 */
import type { FieldMetadata } from './fields.ts'

export interface SchemaParts {
  readonly kind: 'schema'
  readonly type: string
  /** Of what may be missing or null. */
  readonly wrapped?: SchemaParts
  /** Of a list. */
  readonly item?: SchemaParts
  /** Of an object. */
  readonly entries?: Readonly<Record<string, SchemaParts>>
  /** Of a choice. */
  readonly options?: readonly string[]
  readonly default?: unknown
  readonly pipe?: readonly (SchemaParts | Action)[]
}

/** A check of a value, a change of it, or words about it. */
export interface Action {
  readonly kind: 'validation' | 'transformation' | 'metadata'
  readonly type: string
  readonly requirement?: unknown
  readonly title?: string
  readonly description?: string
  readonly examples?: readonly unknown[]
  readonly metadata?: FieldMetadata
}

/** The actions of a schema in their order, those of the schemas that it extends first. */
export function actionsOf({ pipe = [] }: SchemaParts): readonly Action[] {
  return pipe.flatMap((part) => (part.kind === 'schema' ? actionsOf(part) : [part]))
}
