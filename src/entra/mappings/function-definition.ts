/** The shape of a function of the expression language, and the context that a call receives. Types only. */
import type { Clock, NewId } from '../clock.ts'
import type { AppRole, RoleAssignments } from './app-role.ts'
import type { Expression, Value } from './expression.ts'

export interface ExpressionContext {
  /** The value of a source attribute; null when the object has none. */
  readonly attribute: (name: string) => Value
  readonly clock: Pick<Clock, 'now'>
  readonly newId: NewId
  /** The tenant's default domain, for DefaultDomain(). */
  readonly defaultDomain?: string
  /** The app roles that the assignment grants. */
  readonly appRoles?: readonly AppRole[]
  /** Apply the limits of the service that the emulator otherwise leaves out. */
  readonly exact?: boolean
}

/** A result of a whole expression. */
export type ExpressionResult = Value | RoleAssignments

export type FunctionDefinition = FunctionShape & (EagerFunction | LazyFunction)

interface FunctionShape {
  /** The call as the reference page writes it, e.g. `Left(string, numChars)`; error messages show it. */
  readonly usage: string
  readonly min: number
  readonly max: number
  /** The function cannot be an argument of another one. */
  readonly isWholeExpression?: true
  /** The reference page does not list the function. */
  readonly isUndocumented?: true
  /**
   * Checks the arguments before the expression is used.
   * @throws {ArgumentError}
   */
  readonly check?: (args: readonly Expression[]) => void
}

interface EagerFunction {
  /** Returns undefined when the attribute is to be left out of the request. */
  readonly call: (args: readonly Value[], context: ExpressionContext) => ExpressionResult | undefined
}

/** A function that evaluates only the arguments it needs. */
interface LazyFunction {
  readonly choose: (
    args: readonly Expression[],
    evaluate: (argument: Expression | undefined) => Value,
    context: ExpressionContext,
  ) => Value
}
