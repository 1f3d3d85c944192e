/** What the command line hands to a command. Types only. */
import type { Output } from '../cycle-reporter.ts'
import type { OptionValues } from '../options.ts'

export interface CommandContext {
  readonly values: OptionValues
  readonly positionals: readonly string[]
  /** Shows the controls of a text instead of obeying them. */
  readonly output: Output
  /** For people: warnings and reasons, also with --json. */
  readonly errors: Output
  /** What is behind `output`, for the controls of a progress bar. */
  readonly terminal: NodeJS.WritableStream
}
