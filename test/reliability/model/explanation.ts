/**
 * What to read when a sequence failed: why, and how to see it by hand.
 */
import type fc from 'fast-check'
import type { Sequence } from './commands.ts'
import { asCurl } from './curl.ts'

/** @param report of a check that failed, shrunk */
export function explanation({ seed, counterexample, errorInstance }: fc.RunDetails<[Sequence]>): string {
  const script = counterexample === null ? '' : asCurl(counterexample[0])
  const reason = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  return `seed ${seed}\n${reason}\n\n${script}`
}
