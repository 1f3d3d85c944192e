/** The context that a command receives from the command line. Types only. */
import type { Output } from '../cycle-reporter.ts'
import type { OptionValues } from '../options.ts'

export interface CommandContext {
  readonly values: OptionValues
  readonly positionals: readonly string[]
  /** Standard output. Control characters in a text are escaped. */
  readonly output: Output
  /** Standard error, for warnings and reasons; also used with --json. */
  readonly errors: Output
  /** Standard output without escaping, for the progress bar. */
  readonly terminal: NodeJS.WritableStream
}
