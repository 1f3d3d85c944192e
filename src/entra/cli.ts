/**
 * The command line of the Entra emulator, `npm run entra -- …`: parses the command and its options, runs it, and
 * returns its exit code.
 */
import { parseArgs } from 'node:util'
import { CHECK_NAMES } from './check/checks/checks.ts'
import { PRESETS } from './check/presets.ts'
import { check } from './cli/commands/check.ts'
import type { CommandContext } from './cli/commands/command.ts'
import { concurrency } from './cli/commands/concurrency.ts'
import { generate, importDirectory } from './cli/commands/directory.ts'
import { drift } from './cli/commands/drift.ts'
import { diff, onDemand, testConnection } from './cli/commands/endpoint.ts'
import { issuer } from './cli/commands/issuer.ts'
import { jobSchema } from './cli/commands/job-schema.ts'
import { logs } from './cli/commands/logs.ts'
import { mutate } from './cli/commands/mutate.ts'
import { record } from './cli/commands/record.ts'
import { replay } from './cli/commands/replay.ts'
import { provision, start } from './cli/commands/run.ts'
import { allowDeletes, connections, pause, restart, status } from './cli/commands/state.ts'
import type { Output } from './cli/cycle-reporter.ts'
import { fileReason, isFileError } from './cli/files/file-error.ts'
import { DEFAULT_ISSUER_PORT, DEFAULT_KEY_FILE } from './cli/issuer-server.ts'
import { PROGRAM } from './cli/program.ts'
import { DEFAULT_PROXY_PORT } from './cli/recording-proxy.ts'
import { didYouMean } from './cli/suggestion.ts'
import { UsageError } from './cli/usage-error.ts'
import { version } from './cli/version.ts'
import { FAULTS } from './issuer/faults.ts'
import { MUTATIONS } from './mutation/faulty-fetch.ts'
import { PROVIDER_NAMES } from './providers/providers.ts'
import { REPORT_FORMATS } from './report/formats.ts'
import { visibleLines } from './visible-text.ts'

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
    help: 'move the job’s clock forward before the first cycle, e.g. 6h or 28d',
  },
  'application-id': {
    type: 'string',
    placeholder: 'GUID',
    help: 'application in Entra that the assertion is about; invented by default',
  },
  'application-secret-file': {
    type: 'string',
    placeholder: 'FILE',
    help: 'file with the application’s secret at the issuer (or the environment variable ENTRA_APPLICATION_SECRET)',
  },
  audience: {
    type: 'string',
    placeholder: 'guid|uri',
    help: 'audience of the assertion: the application id, or api:// before it; "guid" by default',
  },
  auth: {
    type: 'string',
    placeholder: 'METHOD',
    help: 'bearer (a Secret Token, the default), client-credentials or federated',
  },
  ca: {
    type: 'string',
    placeholder: 'FILE',
    help: 'certificates of authorities to trust besides the public ones, in PEM',
  },
  'client-auth': {
    type: 'string',
    placeholder: 'body|basic',
    help: 'where the token request carries the client secret, "body" by default',
  },
  'client-id': { type: 'string', placeholder: 'ID', help: 'client identifier at the token endpoint' },
  'client-secret-file': {
    type: 'string',
    placeholder: 'FILE',
    help: 'file with the client secret (or the environment variable ENTRA_CLIENT_SECRET)',
  },
  clients: {
    type: 'string',
    placeholder: 'N',
    help: 'number of clients that send a request each at once, 40 by default',
  },
  'clock-skew': {
    type: 'string',
    placeholder: 'TIME',
    help: 'difference of the issuer’s clock, e.g. 10m, or -10m as --clock-skew=-10m',
  },
  concurrency: {
    type: 'string',
    placeholder: 'N',
    help: 'maximum number of concurrent requests, 4 by default',
  },
  csv: { type: 'boolean', help: 'comma-separated values' },
  cycles: {
    type: 'string',
    placeholder: 'N',
    help: 'number of cycles to run, 1 by default; 5 of mutate',
  },
  dialect: {
    type: 'string',
    placeholder: 'old|flag',
    help: 'PATCH dialect; "flag" is that of ?aadOptscim062020',
  },
  directory: {
    type: 'string',
    placeholder: 'FILE',
    help: 'directory file with users and groups, JSON or YAML',
  },
  domain: {
    type: 'string',
    placeholder: 'NAME',
    help: 'domain of the generated users, quillfern.example by default',
  },
  exact: {
    type: 'boolean',
    help: 'apply limits of the service that are otherwise left out, such as case-sensitive function names',
  },
  fault: {
    type: 'string',
    placeholder: 'FAULTS',
    help: ['faults of the issuer, separated by commas:', ...describeNames(FAULTS)].join('\n'),
  },
  'federated-client-id': {
    type: 'string',
    placeholder: 'ID',
    help: 'client of the federation, for --suite gallery with --auth client-credentials: both are tested',
  },
  force: { type: 'boolean', help: 'overwrite an existing file' },
  group: {
    type: 'string',
    placeholder: 'NAME',
    help: 'the group whose members a CSV export lists',
  },
  groups: { type: 'string', placeholder: 'N', help: 'number of groups, 25 by default' },
  id: { type: 'string', placeholder: 'ID', help: 'show one entry in detail, by its id or a prefix of it' },
  identity: {
    type: 'string',
    placeholder: 'TEXT',
    help: 'part of a name or id of the source or target object',
  },
  interval: { type: 'string', placeholder: 'TIME', help: 'time between cycles, 40m by default' },
  issuer: {
    type: 'string',
    placeholder: 'URL',
    help: 'issuer of the assertion, e.g. https://login.microsoftonline.com/TENANT/v2.0; an embedded one by default',
  },
  'issuer-keys': {
    type: 'string',
    placeholder: 'FILE',
    help: `file with the signing key of the emulated issuer, created if missing, ${DEFAULT_KEY_FILE} by default`,
  },
  'issuer-port': {
    type: 'string',
    placeholder: 'PORT',
    help: `port of the emulated issuer on 127.0.0.1, ${DEFAULT_ISSUER_PORT} by default`,
  },
  job: {
    type: 'string',
    placeholder: 'FILE',
    help: `job file, JSON or YAML; "${PROGRAM} job-schema" prints its JSON Schema`,
  },
  json: { type: 'boolean', help: 'print JSON; events as JSON lines' },
  junit: { type: 'string', placeholder: 'FILE', help: 'short for --report junit=FILE' },
  limit: { type: 'string', placeholder: 'N', help: 'show only the newest entries' },
  match: {
    type: 'string',
    placeholder: 'KEY',
    help: 'by which users are matched: userName, externalId or objectId; by default what matches most of the first 1,000',
  },
  members: { type: 'string', placeholder: 'A,B', help: 'up to five members to add to the group' },
  memberships: {
    type: 'string',
    placeholder: 'N',
    help: 'total number of memberships, 3 per user by default',
  },
  now: { type: 'boolean', help: 'retry all failures at once and ignore the waiting time in quarantine' },
  'oauth-scope': { type: 'string', placeholder: 'SCOPE', help: 'scope of the access token, none by default' },
  'object-id': {
    type: 'string',
    placeholder: 'GUID',
    help: 'object id of the service principal, the subject of the assertion; invented by default',
  },
  only: { type: 'string', placeholder: 'users|groups', help: 'run only the checks that need nothing else' },
  output: { type: 'string', placeholder: 'FILE', help: 'write to this file instead of standard output' },
  mutations: {
    type: 'string',
    placeholder: 'A,B',
    help: ['mutations, separated by commas, all by default:', ...describeNames(MUTATIONS)].join('\n'),
  },
  percent: { type: 'string', placeholder: 'N', help: 'share of the requests to mutate, 20 by default' },
  port: {
    type: 'string',
    placeholder: 'PORT',
    help: `port of the proxy on 127.0.0.1, ${DEFAULT_PROXY_PORT} by default`,
  },
  preset: {
    type: 'string',
    placeholder: 'NAME',
    help: ['attribute mappings, in place of those of a job file:', ...describePresets()].join('\n'),
  },
  provider: {
    type: 'string',
    placeholder: 'NAME',
    help: `whose requests are sent: ${PROVIDER_NAMES.join(', ')}; entra by default`,
  },
  'push-now': { type: 'boolean', help: 'send all members of every group, as "Push now" in Okta' },
  report: {
    type: 'string',
    placeholder: 'LIST',
    help: `reports of the run, separated by commas: ${REPORT_FORMATS.map((format) => `${format}=FILE`).join(',')}`,
  },
  reset: {
    type: 'string',
    placeholder: 'SCOPES',
    help: 'any of None, ConnectorDataStore, Escrows, Watermark, QuarantineState, Full, ForceDeletes; QuarantineState,Watermark,Escrows by default',
  },
  seed: {
    type: 'string',
    placeholder: 'N',
    help: 'seed of the random generator, 1 by default; the same seed gives the same directory or mutations',
  },
  skip: {
    type: 'string',
    placeholder: 'A,B',
    help: ['checks that do not run, of:', ...inLines(CHECK_NAMES)].join('\n'),
  },
  state: { type: 'string', placeholder: 'FILE', help: 'state file, beside the directory file by default' },
  status: { type: 'string', placeholder: 'S', help: 'success, failure, skipped or warning' },
  suite: {
    type: 'string',
    placeholder: 'entra|gallery',
    help: '"gallery" runs Microsoft’s validation for the app gallery: 25 tests',
  },
  'tenant-id': {
    type: 'string',
    placeholder: 'GUID',
    help: 'id of the emulated Entra tenant; invented by default',
  },
  'tenant-url': { type: 'string', placeholder: 'URL', help: 'Tenant URL of the SCIM endpoint' },
  token: {
    type: 'string',
    placeholder: 'T',
    help: 'the Secret Token itself; other users of the machine can read command lines',
  },
  'token-file': {
    type: 'string',
    placeholder: 'FILE',
    help: 'file with the Secret Token (or the environment variable ENTRA_SECRET_TOKEN)',
  },
  'token-endpoint': { type: 'string', placeholder: 'URL', help: 'URL of the target’s token endpoint' },
  users: { type: 'string', placeholder: 'N', help: 'number of users, 300 by default' },
  'users-csv': {
    type: 'string',
    placeholder: 'FILE',
    help: 'list of users, exported from the Entra admin center',
  },
  verbose: { type: 'boolean', help: 'show request and response of every step' },
}

function describePresets(): string[] {
  return describeChoices(Object.entries(PRESETS).map(([name, { meaning }]) => [name, meaning]))
}

/** Names in lines of about 80 characters. */
function inLines(names: readonly string[]): string[] {
  const lines: string[] = []
  for (const name of names) {
    const last = lines.at(-1)
    if (last === undefined || last.length + name.length > 78) lines.push(`  ${name}`)
    else lines.splice(-1, 1, `${last}, ${name}`)
  }
  return lines
}

function describeNames(meanings: Readonly<Record<string, string>>): string[] {
  return describeChoices(Object.entries(meanings))
}

function describeChoices(choices: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...choices.map(([name]) => name.length))
  return choices.map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}`)
}

const OAUTH = ['token-endpoint', 'client-id', 'client-secret-file', 'client-auth', 'oauth-scope']
const ISSUER = ['issuer-port', 'issuer-keys']
const FEDERATED = ['issuer', 'application-id', 'application-secret-file', ...ISSUER]
const ENDPOINT = ['tenant-url', 'auth', 'token-file', 'token', ...OAUTH, ...FEDERATED, 'ca', 'job', 'dialect']
const JOB = ['directory', ...ENDPOINT, 'state']

const COMMANDS: Readonly<Record<string, CommandDefinition>> = {
  provision: {
    summary:
      'run one cycle now: an initial one at first, later incremental ones; failures are retried at once',
    options: [...JOB, 'provider', 'push-now', 'exact', 'concurrency', 'json'],
    run: provision,
  },
  'test-connection': {
    summary: 'send the requests of Test connection and Save',
    options: [...ENDPOINT, 'provider'],
    run: testConnection,
  },
  start: {
    summary: 'run cycles as the service does, with escrow and quarantine',
    options: [...JOB, 'provider', 'exact', 'concurrency', 'cycles', 'interval', 'advance', 'now', 'json'],
    run: start,
  },
  pause: { summary: 'pause the job', options: JOB, run: pause },
  restart: {
    summary: 'restart the job with an initial cycle; links are kept',
    options: [...JOB, 'reset'],
    run: restart,
  },
  'allow-deletes': { summary: 'apply the deletions that were held back', options: JOB, run: allowDeletes },
  'provision-on-demand': {
    summary: 'provision one user or group now, in five steps',
    positionals: 'USER|GROUP',
    options: [...JOB, 'provider', 'exact', 'members', 'json'],
    run: onDemand,
  },
  diff: {
    summary: 'show the changes of the next cycle without sending anything',
    options: [...JOB, 'provider', 'exact', 'json'],
    run: diff,
  },
  drift: {
    summary: 'compare an export of a directory with an endpoint; changes nothing, exit code 1 if they differ',
    positionals: 'FILE',
    options: [...ENDPOINT, 'match', 'group', 'csv', 'json'],
    run: drift,
  },
  status: {
    summary: 'show state, quarantine, counts, watermark and last cycle',
    options: [...JOB, 'json'],
    run: status,
  },
  logs: {
    summary: 'show the provisioning log, optionally filtered',
    options: [...JOB, 'action', 'status', 'identity', 'id', 'limit', 'csv', 'json'],
    run: logs,
  },
  connections: {
    summary: 'list the links between source and target objects',
    options: [...JOB, 'identity', 'json'],
    run: connections,
  },
  check: {
    summary: 'test an endpoint in both dialects, from creating objects to deleting them',
    options: [
      ...ENDPOINT,
      'suite',
      'federated-client-id',
      'preset',
      'only',
      'skip',
      'report',
      'junit',
      'verbose',
      'json',
    ],
    run: check,
  },
  concurrency: {
    summary: 'test whether an endpoint loses updates of concurrent clients',
    options: [...ENDPOINT, 'clients', 'json'],
    run: concurrency,
  },
  record: {
    summary: 'record the requests of a client and the answers of an endpoint as a cassette, until Ctrl-C',
    options: ['tenant-url', 'output', 'port', 'force'],
    run: record,
  },
  replay: {
    summary: 'send a cassette to an endpoint and compare the answers with the recorded ones',
    positionals: 'CASSETTE',
    options: [...ENDPOINT, 'verbose', 'json'],
    run: replay,
  },
  mutate: {
    summary: 'provision over a faulty network, and ask whether the endpoint converged afterwards',
    options: [
      'directory',
      ...ENDPOINT,
      'provider',
      'seed',
      'mutations',
      'percent',
      'cycles',
      'concurrency',
      'json',
    ],
    run: mutate,
  },
  issuer: {
    summary: 'serve assertions in place of login.microsoftonline.com, for --auth federated, until Ctrl-C',
    options: [...ISSUER, 'tenant-id', 'application-id', 'object-id', 'audience', 'fault', 'clock-skew'],
    run: issuer,
  },
  generate: {
    summary: 'generate a directory of a fictional organisation',
    options: ['users', 'groups', 'memberships', 'seed', 'domain', 'output', 'force'],
    run: generate,
  },
  'job-schema': {
    summary: 'print the JSON Schema of job files, for an editor',
    options: [],
    run: jobSchema,
  },
  import: {
    summary:
      'create a directory from CSV exports of the Entra admin center, or from an endpoint that is read as Okta does',
    positionals: '[GROUP=MEMBERS.csv …]',
    options: ['users-csv', ...ENDPOINT, 'output', 'force'],
    run: importDirectory,
  },
}

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

/** `check https://…` is short for `check --tenant-url https://…`. */
function takesTenantUrl({ positionals, options }: CommandDefinition): boolean {
  return positionals === undefined && options.includes('tenant-url')
}

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

function help(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length))
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)
  return [
    'Emulates the provisioning service of Microsoft Entra ID: sends the requests that Entra sends',
    'to any SCIM 2.0 endpoint.',
    '',
    `${PROGRAM} COMMAND [options]`,
    '',
    ...lines,
    '',
    `${PROGRAM} COMMAND --help  shows the options of a command.`,
    `${PROGRAM} --version       shows the version.`,
    '',
  ].join('\n')
}

function commandHelp(name: string, command: CommandDefinition): string {
  const { summary, options } = command
  const positionals = takesTenantUrl(command) ? '[TENANT-URL]' : command.positionals
  const rows = options.map((option) => {
    const definition = OPTIONS[option]
    return [
      `--${option}${definition?.placeholder === undefined ? '' : ` ${definition.placeholder}`}`,
      definition?.help,
    ]
  })
  const width = Math.max(0, ...rows.map(([left]) => left?.length ?? 0))
  const indent = ' '.repeat(width + 4)
  const words = [PROGRAM, name, options.length > 0 && '[options]', positionals]
  const usage = words.filter(Boolean).join(' ')
  return [
    `${name}: ${summary}`,
    '',
    usage,
    '',
    ...rows.map(([left, right]) => `  ${left?.padEnd(width)}  ${right?.replaceAll('\n', `\n${indent}`)}`),
    '',
  ].join('\n')
}

// Without a top-level await, which a CommonJS bundle cannot have: the binary is one.
if (import.meta.main)
  void main(process.argv.slice(2)).then((code) => {
    process.exitCode = code
  })
