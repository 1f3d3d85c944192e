/**
 * The report of a failed sequence: the reason and a script to reproduce it.
 */
import type fc from 'fast-check'
import type { Sequence } from './commands.ts'
import { asCurl } from './curl.ts'

/** @param report of a failed and shrunk check */
export function explanation({ seed, counterexample, errorInstance }: fc.RunDetails<[Sequence]>): string {
  const script = counterexample === null ? '' : asCurl(counterexample[0])
  const reason = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  return `seed ${seed}\n${reason}\n\n${script}`
}
