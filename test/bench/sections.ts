/** The sections of the benchmark with their options: what `--help` prints, and what each section reads. */

export interface Option {
  /** The meaning, with its unit. */
  readonly what: string
  /** Without one, the option may be left out. */
  readonly default?: string
  /** True for an option without a value. */
  readonly isFlag?: true
}

export interface Section {
  /** In this folder. */
  readonly script: string
  readonly what: string
  readonly options: Readonly<Record<string, Option>>
  /** Runs if no section is given. */
  readonly isDefault: boolean
}

/** The width of an option with its default. */
const WIDTH = 30

/** With its defaults, each section ends within a minute on a machine with two idle processors. */
export const SECTIONS = {
  throughput: {
    script: 'throughput.ts',
    what: "Entra's requests, each in turn with the floor of its host: workerd, Deno, Node.js; wrangler dev",
    options: {
      rounds: { default: '3', what: 'slices of each request; each of them gives a ratio' },
      seconds: { default: '0.1', what: 'duration of a slice' },
      connections: {
        default: '10',
        what: 'connections, each with one request at a time; or several numbers',
      },
      hosts: { default: 'workerd,Deno,Node.js,wrangler dev', what: 'hosts of the server' },
      operations: { what: 'the beginnings of the names of requests, such as get,match; all by default' },
    },
    isDefault: true,
  },
  scale: {
    script: 'scale.ts',
    what: 'round trips and rows of every operation by the size of the directory and of a group',
    options: {
      users: { default: '1000,10000,100000', what: 'numbers of users; 1000000 takes minutes' },
      members: { default: '10,1000,100000', what: 'numbers of members of a group' },
      repetitions: { default: '15', what: 'repetitions of each operation' },
    },
    isDefault: true,
  },
  lookups: {
    script: 'lookups.ts',
    what: 'filters on values of users, such as emails.value eq, with and without their table',
    options: {
      users: { default: '25000', what: 'numbers of users; several, such as 25000,100000' },
      rounds: { default: '3', what: 'measurements of each, in turn' },
    },
    isDefault: false,
  },
  search: {
    script: 'search.ts',
    what: "the dashboard's search: bytes and time of its words, beside those of an FTS5 table of trigrams",
    options: {
      users: { default: '20000', what: 'users' },
      rounds: { default: '4', what: 'slices of 50 writes of each kind, in turn' },
    },
    isDefault: false,
  },
  pages: {
    script: 'pages.ts',
    what: 'round trips, rows, time and bytes of every page of the dashboard',
    options: {
      users: { default: '10000', what: 'users; a group has a tenth of them. 1000000 takes minutes' },
      log: { default: '20000', what: 'entries of the log, over three days' },
      repetitions: { default: '3', what: 'requests of each page' },
    },
    isDefault: false,
  },
  'group-commit': {
    script: 'group-commit.ts',
    what: 'concurrent group writes of 50 clients, alone and batched',
    options: { rounds: { default: '5', what: 'measurements of each, in turn' } },
    isDefault: true,
  },
  'joint-writes': {
    script: 'joint-writes.ts',
    what: 'concurrent creates and patches of users by 1 and 50 clients, alone and joint, 20 ms from the database',
    options: { rounds: { default: '3', what: 'measurements of each, in turn' } },
    isDefault: false,
  },
  'cold-start': {
    script: 'cold-start.ts',
    what: 'sizes of the modules, time from process start to first response, evaluation, the first page of the dashboard',
    options: { rounds: { default: '20', what: 'starts of each variant, in turn' } },
    isDefault: true,
  },
  memory: {
    script: 'memory.ts',
    what: 'memory and speed with many users and memberships',
    options: {
      users: { default: '100000', what: 'users' },
      groups: { default: '200', what: 'groups, the first of them empty' },
      memberships: { default: '1000000', what: 'memberships of all groups together' },
      hosts: { default: 'workerd,Deno,Node.js', what: 'hosts of the server' },
    },
    isDefault: true,
  },
  peers: {
    script: 'peers.ts',
    what: 'the queries of clients on Deno and Node.js, each in turn with the servers of other projects: better-auth, SCIMMY',
    options: {
      users: { default: '5500', what: 'users' },
      members: { default: '10,4500', what: 'numbers of members of a group; at most 808 fewer than users' },
      rounds: { default: '3', what: 'slices of each query; each of them gives a ratio' },
      seconds: { default: '0.1', what: 'duration of a slice' },
    },
    isDefault: false,
  },
  waiting: {
    script: 'waiting.ts',
    what: 'the throughput of GET beside queries that read every user, and /healthz during an import',
    options: {
      users: { default: '100000', what: 'users' },
      rounds: { default: '3', what: 'slices beside each query; each of them gives a ratio' },
      seconds: { default: '1', what: 'duration of a slice' },
      hosts: { default: 'Deno', what: 'hosts of the server' },
    },
    isDefault: false,
  },
  cost: {
    script: 'cost.ts',
    what: 'bytes of users, memberships and log entries, and the monthly cost on Cloudflare: the tables of docs/operate/growth.md',
    options: {
      users: { default: '2000', what: 'users that are stored for the measurement' },
      from: { what: 'a file with an earlier measurement, to compute the tables without measuring' },
    },
    isDefault: false,
  },
  move: {
    script: 'move.ts',
    what: 'a tenant moves from one local database to another; 15 minutes with 1,000,000 users',
    options: {
      users: { default: '50000', what: 'users' },
      memberships: { default: '10', what: 'memberships of each user' },
      queries: { default: '50', what: 'queries of an invocation' },
    },
    isDefault: false,
  },
  transfer: {
    script: 'transfer.ts',
    what: 'jobs export a tenant, and import the file into another tenant; two minutes with 100,000 users',
    options: {
      users: { default: '30000', what: 'users' },
      memberships: { default: '10', what: 'memberships of each user' },
      queries: { default: '50', what: 'queries of an invocation' },
    },
    isDefault: false,
  },
  undo: {
    script: 'undo.ts',
    what: 'the undo of disabled users beside the requests of another client, and the history of a large group',
    options: {
      users: { default: '2000', what: 'users that are disabled' },
      members: { default: '20000', what: 'members of the group' },
      seconds: { default: '3', what: 'duration of the measurement before the undo' },
    },
    isDefault: false,
  },
  hostile: {
    script: 'hostile.ts',
    what: 'processor time of the worst requests against hostile data: at most 100 ms each',
    options: {
      rounds: { default: '3', what: 'repetitions of each request; the fastest one counts' },
      kind: { what: 'only requests of this kind' },
    },
    isDefault: false,
  },
  emulator: {
    script: 'emulator.ts',
    what: 'npm run entra provisions a generated directory; the result is compared; ten minutes with --scale 1',
    options: {
      scale: { default: '0.05', what: '1 is 10,000 users, 200 groups and 100,000 memberships' },
      concurrency: { default: '10', what: 'requests at the same time' },
      host: { default: 'wrangler dev', what: 'host of the server' },
      'tenant-url': { what: 'another endpoint' },
      token: { what: 'its token' },
      remote: { isFlag: true, what: 'the endpoint is on another machine, which may be put under load' },
      'confirm-host': { what: 'the name of that machine' },
    },
    isDefault: false,
  },
} as const satisfies Readonly<Record<string, Section>>

export type SectionName = keyof typeof SECTIONS

/** The values of a section's options, and the file for its measurements. */
export type OptionValues<Name extends SectionName> = {
  readonly [Key in keyof (typeof SECTIONS)[Name]['options']]: (typeof SECTIONS)[Name]['options'][Key] extends {
    isFlag: true
  }
    ? boolean
    : (typeof SECTIONS)[Name]['options'][Key] extends { default: string }
      ? string
      : string | undefined
} & { readonly out: string | undefined }

export function isSection(name: string): name is SectionName {
  return Object.hasOwn(SECTIONS, name)
}

/** A sentence, and a line for each option. */
export function describe(name: SectionName): string {
  const { what, options, isDefault }: Section = SECTIONS[name]
  const lines = Object.entries(options).map(([option, { what, default: value, isFlag }]) => {
    const usage = isFlag ? `--${option}` : `--${option} ${value ?? '…'}`
    return `      ${usage.padEnd(WIDTH)} ${what}`
  })
  return [`  ${name}: ${what}${isDefault ? '' : ' (only if it is given)'}`, ...lines].join('\n')
}
