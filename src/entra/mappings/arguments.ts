/** What the functions of expressions share: turning arguments into text, numbers and lists, or saying why not. Pure. */
import type { Value } from './expression.ts'

/** An argument that does not fit; `index` counts from 0. Becomes an ExpressionError that shows the place. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError'
  readonly index: number

  constructor(index: number, message: string) {
    super(message)
    this.index = index
  }
}

/** Booleans read "True" and "False", as the service writes them; null is the empty string. */
export function toText(value: Value | undefined): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return typeof value === 'object' ? value.join(';') : String(value)
}

export function isEmpty(value: Value | undefined): boolean {
  return value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
}

export function toInteger(value: Value | undefined, index: number, name: string): number {
  const number = typeof value === 'number' ? value : Number(toText(value))
  if (!Number.isInteger(number) || isEmpty(value))
    throw new ArgumentError(index, `${name} must be an integer, found "${toText(value)}"`)
  return number
}

/** A list from one or many values. */
export function list(values: readonly string[]): Value {
  return values.length === 0 ? null : values
}

export function toList(value: Value | undefined): readonly string[] {
  if (isEmpty(value)) return []
  return typeof value === 'object' && value !== null ? value : [toText(value)]
}
