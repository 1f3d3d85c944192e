/**
 * A D1 binding that fails on purpose. It wraps the real one, so whatever it lets through is real: an error
 * "after" comes when the batch has been committed, which is the case that tells whether a client can trust
 * what it was answered.
 */
import type { D1Binding } from '../../src/storage/database/database.ts'

export const FAULTS = [
  /** The batch never reaches the database. */
  'error before',
  /** The batch is committed, and the answer gets lost. */
  'error after',
  /** Too many queries wait at the database: what D1 says then. */
  'overloaded',
  /** The batch is done late. */
  'slow',
  /** Nothing is done and nothing is answered. */
  'silent before',
  /** The batch is committed, and nothing is answered. */
  'silent after',
] as const

export type Fault = (typeof FAULTS)[number]

const SLOW_MS = 30

/** Decides for each batch what goes wrong. @returns undefined when all goes well */
export type FaultPlan = (statements: readonly D1PreparedStatement[]) => Fault | undefined

/** @param noteFault is told of each fault that was injected */
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

/** Fails the batches with these numbers, counted from 0, and no other. */
export function failing(fault: Fault, ...numbers: readonly number[]): FaultPlan {
  let next = 0
  return () => (numbers.includes(next++) ? fault : undefined)
}
