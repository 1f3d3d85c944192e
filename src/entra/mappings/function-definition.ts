/** The shape of a function of the expression language, and the context that a call receives. Types only. */
import type { Clock, NewId } from '../clock.ts'
import type { Value } from './expression.ts'

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

export interface FunctionDefinition {
  /** The call as the reference page writes it, e.g. `Left(string, numChars)`; error messages show it. */
  readonly usage: string
  readonly min: number
  readonly max: number
  /** Returns undefined when the attribute is to be left out of the request. */
  readonly call: (args: readonly Value[], context: ExpressionContext) => Value | undefined
}
