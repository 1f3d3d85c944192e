/**
 * `npm run entra -- …`: the emulator of Microsoft Entra's provisioning service from the command line. Reads the
 * command and its options, runs it, and turns its outcome into an exit code.
 */
import { parseArgs } from 'node:util'
import type { CommandContext } from './cli/command.ts'
import { provision } from './cli/provision.ts'
import { UsageError } from './cli/usage-error.ts'

interface OptionDefinition {
  readonly type: 'string' | 'boolean'
  readonly placeholder?: string
  readonly help: string
}

interface CommandDefinition {
  readonly summary: string
  readonly positionals?: string
  readonly options: readonly string[]
  readonly run: (context: CommandContext) => Promise<number>
}

const OPTIONS: Readonly<Record<string, OptionDefinition>> = {
  directory: { type: 'string', placeholder: 'FILE', help: 'users and groups, JSON or YAML' },
  'tenant-url': { type: 'string', placeholder: 'URL', help: 'Tenant URL of the SCIM endpoint' },
  token: { type: 'string', placeholder: 'T', help: 'Secret Token (or the variable ENTRA_SECRET_TOKEN)' },
  dialect: { type: 'string', placeholder: 'old|flag', help: 'PATCH dialect; flag is ?aadOptscim062020' },
  state: { type: 'string', placeholder: 'FILE', help: 'state file; by default beside the directory file' },
  concurrency: { type: 'string', placeholder: 'N', help: 'requests in flight at once, 4 by default' },
  json: { type: 'boolean', help: 'events as one JSON object a line' },
}

const COMMANDS: Readonly<Record<string, CommandDefinition>> = {
  provision: {
    summary: 'one cycle: everything at first, then what changed in the directory file',
    options: ['directory', 'tenant-url', 'token', 'dialect', 'state', 'concurrency', 'json'],
    run: provision,
  },
}

/** Runs one command line; gives the exit code: 0 well, 1 something failed, 2 wrong usage, 130 stopped by Ctrl-C. */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(help())
    return name === undefined ? 2 : 0
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  try {
    if (command === undefined)
      throw new UsageError(`Unknown command "${name}": expected one of ${Object.keys(COMMANDS).join(', ')}`)
    if (rest.includes('--help') || rest.includes('-h')) {
      process.stdout.write(commandHelp(name, command))
      return 0
    }
    return await command.run({ ...parse(name, command, rest), output: process.stdout })
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${error.message}\n`)
    return 2
  }
}

function parse(
  name: string,
  command: CommandDefinition,
  args: readonly string[],
): Omit<CommandContext, 'output'> {
  const options = Object.fromEntries(
    command.options.map((option) => [option, { type: OPTIONS[option]?.type ?? 'string' } as const]),
  )
  try {
    return parseArgs({
      args: [...args],
      options,
      allowPositionals: command.positionals !== undefined,
      strict: true,
    })
  } catch (error) {
    const message = error instanceof Error ? error.message.replace(/\. To specify.*$/s, '') : error
    throw new UsageError(`${message}\nSee: npm run entra -- ${name} --help`)
  }
}

function help(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length))
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)
  return [
    'An emulator of Microsoft Entra ID’s provisioning service: it makes the requests that Entra makes,',
    'against any SCIM 2.0 endpoint.',
    '',
    'npm run entra -- COMMAND [options]',
    '',
    ...lines,
    '',
    'npm run entra -- COMMAND --help  shows the options of a command.',
    '',
  ].join('\n')
}

function commandHelp(name: string, { summary, positionals, options }: CommandDefinition): string {
  const rows = options.map((option) => {
    const definition = OPTIONS[option]
    return [
      `--${option}${definition?.placeholder === undefined ? '' : ` ${definition.placeholder}`}`,
      definition?.help,
    ]
  })
  const width = Math.max(...rows.map(([left]) => left?.length ?? 0))
  const usage = `npm run entra -- ${name} [options]${positionals === undefined ? '' : ` ${positionals}`}`
  return [
    `${name}: ${summary}`,
    '',
    usage,
    '',
    ...rows.map(([left, right]) => `  ${left?.padEnd(width)}  ${right}`),
    '',
  ].join('\n')
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2))
