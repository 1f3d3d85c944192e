/**
 * What a function of attribute-mapping expressions is, and what it is evaluated with.
 */
import type { Clock, NewId } from './clock.ts'
import type { Value } from './expression.ts'

export interface FunctionDefinition {
  readonly usage: string
  readonly min: number
  readonly max: number
  /** Undefined means: nothing flows. */
  readonly call: (args: readonly Value[], context: ExpressionContext) => Value | undefined
}

export interface ExpressionContext {
  /** The value of a source attribute; null when the object has none. */
  readonly attribute: (name: string) => Value
  readonly clock: Pick<Clock, 'now'>
  readonly newId: NewId
  /** The tenant's default domain, for DefaultDomain(). */
  readonly defaultDomain?: string
  /** Values of the app roles that the assignment grants. */
  readonly appRoles?: readonly string[]
}
