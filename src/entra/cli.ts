/**
 * The command line of the Entra emulator, `npm run entra -- …`: parses the command and its options, runs it, and
 * returns its exit code.
 */
import { parseArgs } from 'node:util'
import { COMMANDS, type CommandDefinition, takesTenantUrl } from './cli/command-table.ts'
import type { CommandContext } from './cli/commands/command.ts'
import type { Output } from './cli/cycle-reporter.ts'
import { fileReason, isFileError } from './cli/files/file-error.ts'
import { commandHelp, help } from './cli/help.ts'
import { OPTIONS } from './cli/option-table.ts'
import { PROGRAM } from './cli/program.ts'
import { didYouMean } from './cli/suggestion.ts'
import { UsageError } from './cli/usage-error.ts'
import { version } from './cli/version.ts'
import { visibleLines } from './visible-text.ts'

/**
 * Runs one command line.
 * @returns the exit code: 0 success, 1 a failure or deviation, 2 wrong usage, 3 an error found by `check`, 130
 * interrupted by Ctrl-C
 */
export async function main(args: readonly string[], streams: Streams = standardStreams()): Promise<number> {
  const terminal = streams.output
  const output = escapingControls(streams.output)
  const errors = escapingControls(streams.errors)
  const [name, ...rest] = args
  if (name === '--version' || name === '-V') {
    output.write(`${version}\n`)
    return 0
  }
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    output.write(help())
    return name === undefined ? 2 : 0
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  try {
    if (command === undefined) throw new UsageError(describeUnknownCommand(name))
    if (rest.includes('--help') || rest.includes('-h')) {
      output.write(commandHelp(name, command))
      return 0
    }
    return await command.run({ ...parse(name, command, rest), output, errors, terminal })
  } catch (error) {
    errors.write(`${describeMistake(error)}\n`)
    return 2
  }
}

/** The message of an error in the input, such as a path that cannot be used. Other errors are faults of the program. */
function describeMistake(error: unknown): string {
  if (error instanceof UsageError) return error.message
  if (!isFileError(error)) throw error
  const file = error.path === undefined ? 'a file' : `"${error.path}"`
  return `Cannot ${error.syscall ?? 'use'} ${file}: ${fileReason(error)}`
}

function describeUnknownCommand(name: string): string {
  const names = Object.keys(COMMANDS)
  return `Unknown command "${name}": expected one of ${names.join(', ')}.${didYouMean(name, names)}`
}

/** An output stream of a command. */
type Stream = Output & NodeJS.WritableStream

interface Streams {
  readonly output: Stream
  readonly errors: Stream
}

/** Escapes control characters in all output, so that text from a server or a directory cannot control the terminal. */
function escapingControls(stream: Stream): Output {
  return { isTTY: stream.isTTY, write: (text) => stream.write(visibleLines(text)) }
}

function standardStreams(): Streams {
  return { output: process.stdout, errors: process.stderr }
}

function parse(
  name: string,
  command: CommandDefinition,
  args: readonly string[],
): Pick<CommandContext, 'values' | 'positionals'> {
  const options = Object.fromEntries(
    command.options.map((option) => [option, { type: OPTIONS[option]?.type ?? 'string' } as const]),
  )
  try {
    return withTenantUrl(
      command,
      parseArgs({
        args: [...args],
        options,
        allowPositionals: command.positionals !== undefined || takesTenantUrl(command),
        strict: true,
      }),
    )
  } catch (error) {
    throw new UsageError(`${describeOptionError(error, command)}\nSee: ${PROGRAM} ${name} --help`)
  }
}

type Parsed = Pick<CommandContext, 'values' | 'positionals'>

function withTenantUrl(command: CommandDefinition, { values, positionals }: Parsed): Parsed {
  const [url, ...others] = takesTenantUrl(command) ? positionals : []
  if (url === undefined) return { values, positionals }
  const [unexpected] = values['tenant-url'] === undefined ? others : [url]
  if (unexpected !== undefined)
    throw new Error(`Unexpected argument '${unexpected}': expected one Tenant URL`)
  return { values: { ...values, 'tenant-url': url }, positionals: [] }
}

function describeOptionError(error: unknown, { options }: CommandDefinition): string {
  const message = error instanceof Error ? error.message.replace(/\. To specify.*$/s, '') : String(error)
  const unknown = /^Unknown option '--(.*)'/.exec(message)?.[1]
  return unknown === undefined ? message : `${message}.${didYouMean(unknown, options, '--')}`
}

export { didYouMean } from './cli/suggestion.ts'

/** The commands and what they do, for a list that has other commands too. */
export function summaries(): readonly (readonly [name: string, summary: string])[] {
  return Object.entries(COMMANDS).map(([name, { summary }]) => [name, summary])
}

// Without a top-level await, which a CommonJS bundle cannot have: the binary is one.
if (import.meta.main)
  void main(process.argv.slice(2)).then((code) => {
    process.exitCode = code
  })
