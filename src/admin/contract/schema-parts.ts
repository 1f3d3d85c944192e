/**
 * The parts of valibot's schemas from which error messages (allowed.ts) and the OpenAPI document are derived. The contract
 * uses only these kinds of schemas, so a general converter is not needed.
 */
import type { FieldMetadata } from './fields.ts'

export interface SchemaParts {
  readonly kind: 'schema'
  readonly type: string
  /** The inner schema, of an optional or nullable schema. */
  readonly wrapped?: SchemaParts
  /** The schema of the items, of an array. */
  readonly item?: SchemaParts
  /** The schemas of the properties, of an object. */
  readonly entries?: Readonly<Record<string, SchemaParts>>
  /** The schema of the values, of a record. */
  readonly value?: SchemaParts
  /** The allowed values, of a picklist. */
  readonly options?: readonly string[]
  readonly default?: unknown
  readonly pipe?: readonly (SchemaParts | Action)[]
}

/** A step of a pipe that is not a schema. */
export interface Action {
  readonly kind: 'validation' | 'transformation' | 'metadata'
  readonly type: string
  readonly requirement?: unknown
  readonly title?: string
  readonly description?: string
  readonly examples?: readonly unknown[]
  readonly metadata?: FieldMetadata
}

/** The actions of a schema in order, beginning with the actions of the schemas that it extends. */
export function actionsOf({ pipe = [] }: SchemaParts): readonly Action[] {
  return pipe.flatMap((part) => (part.kind === 'schema' ? actionsOf(part) : [part]))
}
