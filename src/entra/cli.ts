/**
 * `npm run entra -- …`: the emulator of Microsoft Entra's provisioning service from the command line. Reads the
 * command and its options, runs it, and turns its outcome into an exit code.
 */
import { parseArgs } from 'node:util'
import { check } from './cli/commands/check.ts'
import type { CommandContext } from './cli/commands/command.ts'
import { generate, importDirectoryCsv } from './cli/commands/directory.ts'
import { diff, onDemand, testConnection } from './cli/commands/endpoint.ts'
import { logs } from './cli/commands/logs.ts'
import { provision, start } from './cli/commands/run.ts'
import { allowDeletes, connections, pause, restart, status } from './cli/commands/state.ts'
import type { Output } from './cli/cycle-reporter.ts'
import { UsageError } from './cli/usage-error.ts'
import { visibleLines } from './cli/visible-text.ts'

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
  action: {
    type: 'string',
    placeholder: 'A',
    help: 'Create, Update, Delete, Disable, StagedDelete or Other',
  },
  advance: {
    type: 'string',
    placeholder: 'TIME',
    help: 'move the job’s clock forward first, e.g. 6h or 28d',
  },
  concurrency: { type: 'string', placeholder: 'N', help: 'requests in flight at once, 4 by default' },
  csv: { type: 'boolean', help: 'comma-separated values' },
  cycles: { type: 'string', placeholder: 'N', help: 'how many cycles to run, 1 by default' },
  dialect: { type: 'string', placeholder: 'old|flag', help: 'PATCH dialect; flag is ?aadOptscim062020' },
  directory: { type: 'string', placeholder: 'FILE', help: 'users and groups, JSON or YAML' },
  domain: {
    type: 'string',
    placeholder: 'NAME',
    help: 'domain of the user names, quillfern.example by default',
  },
  force: { type: 'boolean', help: 'overwrite the file' },
  groups: { type: 'string', placeholder: 'N', help: 'how many groups, 25 by default' },
  id: { type: 'string', placeholder: 'ID', help: 'one entry in detail, by its id or the beginning of it' },
  identity: { type: 'string', placeholder: 'TEXT', help: 'part of a name or id, of source or target' },
  interval: { type: 'string', placeholder: 'TIME', help: 'time between cycles, 40m by default' },
  job: {
    type: 'string',
    placeholder: 'FILE',
    help: 'job file, JSON or YAML (schema: src/entra/job.schema.json)',
  },
  json: { type: 'boolean', help: 'JSON for machines; events one a line' },
  junit: { type: 'string', placeholder: 'FILE', help: 'write the verdict as JUnit XML' },
  limit: { type: 'string', placeholder: 'N', help: 'at most so many entries' },
  members: { type: 'string', placeholder: 'A,B', help: 'up to five members to add, of a group' },
  memberships: { type: 'string', placeholder: 'N', help: 'how many memberships in all, 3 a user by default' },
  now: { type: 'boolean', help: 'retry all failures at once, do not wait in quarantine' },
  output: { type: 'string', placeholder: 'FILE', help: 'write there instead of to the terminal' },
  reset: {
    type: 'string',
    placeholder: 'SCOPES',
    help: 'of None, ConnectorDataStore, Escrows, Watermark, QuarantineState, Full, ForceDeletes; by default QuarantineState,Watermark,Escrows',
  },
  seed: { type: 'string', placeholder: 'N', help: 'the same seed gives the same directory' },
  state: { type: 'string', placeholder: 'FILE', help: 'state file; by default beside the directory file' },
  status: { type: 'string', placeholder: 'S', help: 'success, failure, skipped or warning' },
  'tenant-url': { type: 'string', placeholder: 'URL', help: 'Tenant URL of the SCIM endpoint' },
  token: { type: 'string', placeholder: 'T', help: 'Secret Token (or the variable ENTRA_SECRET_TOKEN)' },
  users: { type: 'string', placeholder: 'N', help: 'how many users, 300 by default' },
  'users-csv': {
    type: 'string',
    placeholder: 'FILE',
    help: 'list of users as the Entra admin center exports it',
  },
  verbose: { type: 'boolean', help: 'requests and answers of all steps' },
}

const ENDPOINT = ['tenant-url', 'token', 'job', 'dialect']
const JOB = ['directory', ...ENDPOINT, 'state']

const COMMANDS: Readonly<Record<string, CommandDefinition>> = {
  provision: {
    summary: 'one cycle now: everything at first, then what changed; failures are tried again at once',
    options: [...JOB, 'concurrency', 'json'],
    run: provision,
  },
  'test-connection': {
    summary: 'what Test connection and Save send',
    options: ENDPOINT,
    run: testConnection,
  },
  start: {
    summary: 'cycles as the service runs them, with escrow and quarantine',
    options: [...JOB, 'concurrency', 'cycles', 'interval', 'advance', 'now', 'json'],
    run: start,
  },
  pause: { summary: 'pause the job', options: JOB, run: pause },
  restart: {
    summary: 'restart the job: links stay, the next cycle is an initial one',
    options: [...JOB, 'reset'],
    run: restart,
  },
  'allow-deletes': { summary: 'apply the deletions that were held back', options: JOB, run: allowDeletes },
  'provision-on-demand': {
    summary: 'provision one user or group now, in five steps',
    positionals: 'USER|GROUP',
    options: [...JOB, 'members', 'json'],
    run: onDemand,
  },
  diff: { summary: 'what the next cycle would do; sends nothing', options: [...JOB, 'json'], run: diff },
  status: {
    summary: 'state, quarantine, counts, watermark, last cycle',
    options: [...JOB, 'json'],
    run: status,
  },
  logs: {
    summary: 'the provisioning log, filtered',
    options: [...JOB, 'action', 'status', 'identity', 'id', 'limit', 'csv', 'json'],
    run: logs,
  },
  connections: {
    summary: 'links between source and target objects',
    options: [...JOB, 'identity', 'json'],
    run: connections,
  },
  check: {
    summary: 'the verdict on an endpoint: a whole life in both dialects, cleaned up afterwards',
    options: [...ENDPOINT, 'junit', 'verbose', 'json'],
    run: check,
  },
  generate: {
    summary: 'make a directory of an invented organisation',
    options: ['users', 'groups', 'memberships', 'seed', 'domain', 'output', 'force'],
    run: generate,
  },
  import: {
    summary: 'make a directory from CSV exports of the Entra admin center',
    positionals: '[GROUP=MEMBERS.csv …]',
    options: ['users-csv', 'output', 'force'],
    run: importDirectoryCsv,
  },
}

/** Runs one command line; gives the exit code: 0 well, 1 something failed, 2 wrong usage, 130 stopped by Ctrl-C; 3 is the verdict "error". */
export async function main(args: readonly string[], streams: Streams = standardStreams()): Promise<number> {
  const terminal = streams.output
  const output = showingControls(streams.output)
  const errors = showingControls(streams.errors)
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    output.write(help())
    return name === undefined ? 2 : 0
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  try {
    if (command === undefined)
      throw new UsageError(`Unknown command "${name}": expected one of ${Object.keys(COMMANDS).join(', ')}`)
    if (rest.includes('--help') || rest.includes('-h')) {
      output.write(commandHelp(name, command))
      return 0
    }
    return await command.run({ ...parse(name, command, rest), output, errors, terminal })
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    errors.write(`${error.message}\n`)
    return 2
  }
}

/** Where a command writes to. */
type Stream = Output & NodeJS.WritableStream

interface Streams {
  readonly output: Stream
  readonly errors: Stream
}

/** All that is written passes here: no text of somebody else comes to the terminal as a command to it. */
function showingControls(stream: Stream): Output {
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
