/** What the command line hands to a command. Types only. */
import type { Output } from './cycle-reporter.ts'
import type { OptionValues } from './options.ts'

export interface CommandContext {
  readonly values: OptionValues
  readonly positionals: readonly string[]
  readonly output: Output & NodeJS.WritableStream
  /** For people: warnings and reasons, also with --json. */
  readonly errors: NodeJS.WritableStream
}
