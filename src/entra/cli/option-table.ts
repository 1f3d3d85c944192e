/** The options of the commands of the Entra emulator: what they take, and what the help says of them. */
import { CHECK_NAMES } from '../check/checks/checks.ts'
import { PRESETS } from '../check/presets.ts'
import { FAULTS } from '../issuer/faults.ts'
import { MUTATIONS } from '../mutation/faulty-fetch.ts'
import { PROVIDER_NAMES } from '../providers/providers.ts'
import { REPORT_FORMATS } from '../report/formats.ts'
import { DEFAULT_ISSUER_PORT, DEFAULT_KEY_FILE } from './issuer-server.ts'
import { PROGRAM } from './program.ts'
import { DEFAULT_PROXY_PORT } from './recording-proxy.ts'

interface OptionDefinition {
  readonly type: 'string' | 'boolean'
  readonly placeholder?: string
  readonly help: string
}

/** By name, without the dashes. */
export const OPTIONS: Readonly<Record<string, OptionDefinition>> = {
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
