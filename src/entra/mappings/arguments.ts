/** Shared by the functions of expressions: conversion of arguments to text, numbers and lists. Pure. */
import type { Value } from './expression.ts'

/**
 * An argument of the wrong type or value; `index` counts from 0. Becomes an ExpressionError that marks the argument.
 */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError'
  readonly index: number

  constructor(index: number, message: string) {
    super(message)
    this.index = index
  }
}

/** Converts a value to text. Booleans become "True" and "False", as in the service; null becomes the empty string. */
export function toText(value: Value | undefined): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return typeof value === 'object' ? value.join(';') : String(value)
}

export function isEmpty(value: Value | undefined): boolean {
  return value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
}

/** The Boolean True, or a text that says so. */
export function isTrue(value: Value | undefined): boolean {
  return value === true || (typeof value === 'string' && value.toLowerCase() === 'true')
}

export function toInteger(value: Value | undefined, index: number, name: string): number {
  const number = typeof value === 'number' ? value : Number(toText(value))
  if (!Number.isInteger(number) || isEmpty(value))
    throw new ArgumentError(index, `${name} must be an integer, found "${toText(value)}"`)
  return number
}

/** A multi-valued result; null if it has no values. */
export function list(values: readonly string[]): Value {
  return values.length === 0 ? null : values
}

export function toList(value: Value | undefined): readonly string[] {
  if (isEmpty(value)) return []
  return typeof value === 'object' && value !== null ? value : [toText(value)]
}
