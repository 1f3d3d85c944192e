/** The commands of the Entra emulator: what they do, which options they take, and the functions that run them. */
import { check } from './commands/check.ts'
import type { CommandContext } from './commands/command.ts'
import { concurrency } from './commands/concurrency.ts'
import { generate, importDirectory } from './commands/directory.ts'
import { drift } from './commands/drift.ts'
import { diff, onDemand, testConnection } from './commands/endpoint.ts'
import { issuer } from './commands/issuer.ts'
import { jobSchema } from './commands/job-schema.ts'
import { logs } from './commands/logs.ts'
import { mutate } from './commands/mutate.ts'
import { record } from './commands/record.ts'
import { replay } from './commands/replay.ts'
import { provision, start } from './commands/run.ts'
import { allowDeletes, connections, pause, restart, status } from './commands/state.ts'

export interface CommandDefinition {
  readonly summary: string
  readonly positionals?: string
  readonly options: readonly string[]
  readonly run: (context: CommandContext) => Promise<number>
}

const OAUTH = ['token-endpoint', 'client-id', 'client-secret-file', 'client-auth', 'oauth-scope']
const ISSUER = ['issuer-port', 'issuer-keys']
const FEDERATED = ['issuer', 'application-id', 'application-secret-file', ...ISSUER]
const ENDPOINT = ['tenant-url', 'auth', 'token-file', 'token', ...OAUTH, ...FEDERATED, 'ca', 'job', 'dialect']
const JOB = ['directory', ...ENDPOINT, 'state']

/** By name, in the order of the help. */
export const COMMANDS: Readonly<Record<string, CommandDefinition>> = {
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

/** `check https://…` is short for `check --tenant-url https://…`. */
export function takesTenantUrl({ positionals, options }: CommandDefinition): boolean {
  return positionals === undefined && options.includes('tenant-url')
}
