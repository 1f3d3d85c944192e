/** The end of a process that cannot go on. */
import process from 'node:process'
import { StartError } from '../sqlite/start-error.ts'

/** Ends the process with one line; a fault of the program also prints its stack. */
export function fail(error: unknown): never {
  console.error(error instanceof StartError ? `error: ${error.message}` : error)
  process.exit(1)
}
