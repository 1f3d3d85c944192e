/**
 * A D1 binding with injected faults. It wraps the real binding. A fault "after" occurs when the batch is already committed,
 * which tests whether the response to the client is correct.
 */
import type { D1Binding } from '../../src/storage/database/database.ts'

export const FAULTS = [
  /** The batch does not reach the database. */
  'error before',
  /** The batch is committed, but the response is lost. */
  'error after',
  /** The error of D1 if too many queries are queued. */
  'overloaded',
  /** The batch is delayed. */
  'slow',
  /** The batch is not run, and there is no response. */
  'silent before',
  /** The batch is committed, but there is no response. */
  'silent after',
] as const

export type Fault = (typeof FAULTS)[number]

const SLOW_MS = 30

/** Chooses the fault of each batch. @returns undefined for no fault */
export type FaultPlan = (statements: readonly D1PreparedStatement[]) => Fault | undefined

/** @param noteFault is called for each injected fault */
export function faultyBinding(
  binding: D1Binding,
  plan: FaultPlan,
  noteFault: (fault: Fault) => void = () => undefined,
): D1Binding {
  return {
    prepare: (text) => binding.prepare(text),
    async batch<T>(statements: D1PreparedStatement[]): Promise<D1Result<T>[]> {
      const fault = plan(statements)
      if (fault !== undefined) noteFault(fault)
      switch (fault) {
        case undefined:
          return await binding.batch<T>(statements)
        case 'error before':
          throw new Error('D1_ERROR: Network connection lost.')
        case 'error after':
          await binding.batch(statements)
          throw new Error('D1_ERROR: Network connection lost.')
        case 'overloaded':
          throw new Error('D1_ERROR: D1 DB is overloaded. Requests queued for too long.')
        case 'slow':
          await new Promise((wait) => setTimeout(wait, SLOW_MS))
          return await binding.batch<T>(statements)
        case 'silent before':
          return await new Promise(() => undefined)
        case 'silent after':
          await binding.batch(statements)
          return await new Promise(() => undefined)
      }
    },
  }
}

/** Injects a fault only in the batches with these 0-based numbers. */
export function failing(fault: Fault, ...numbers: readonly number[]): FaultPlan {
  let next = 0
  return () => (numbers.includes(next++) ? fault : undefined)
}
