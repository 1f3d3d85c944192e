/**
 * The monthly cost of a directory on Cloudflare, computed from measurements, assumed frequencies and prices. All are
 * constants with their reasons. Pure. To use other numbers, change them here and run `npm run bench -- cost --from
 * test/bench/cost/measured.json`.
 */
import { figure, markdownTable } from '../table.ts'

/** The requests of a month. */
export type Step =
  | 'test the connection'
  | 'match a user'
  | 'create a user'
  | 'get a group'
  | 'add a member'
  | 'remove a member'
  | 'get a user'
  | 'change a user'
  | 'disable a user'
  | 'find a user'
  | 'delete a user'
  | 'add 100 members'
  | 'list 100 users'

export interface StepCost {
  readonly rowsRead: number
  readonly rowsWritten: number
}

/** The result of cost/measure.ts. Bytes are those of a row with its share of the indexes. */
export interface Measured {
  readonly at: string
  readonly bytes: {
    readonly user: number
    readonly membership: number
    /** Log bytes of the initial cycle for each user: its creation and its memberships. */
    readonly logOfInitialCycle: number
    /** Log bytes of a later change. */
    readonly logEntry: number
    /** Bytes of the events of the initial cycle for each user, and of a later event. */
    readonly eventsOfInitialCycle: number
    readonly event: number
    /** Bytes of a deleted user with its memberships. */
    readonly tombstone: number
  }
  readonly steps: Readonly<Record<Step, StepCost>>
  /** Of the whole workerd process, including its D1 and compilation: more than Cloudflare bills. */
  readonly cpuMsOfRequest: number
}

/** Security groups of a person in a medium-sized organisation: an assumption. */
export const MEMBERSHIPS_OF_A_USER = 10

/** Shares of all users, in a month: assumptions. */
const CHANGES = {
  // A quarter of the users is replaced in a year.
  joiners: 0.02,
  leavers: 0.02,
  // Changes of names, titles, departments and telephone numbers: a little more than one for each user in a year.
  changed: 0.1,
  // New tasks and projects: each user joins and leaves about four groups in a year.
  membershipsAdded: 0.3,
  membershipsRemoved: 0.3,
} as const

const DAYS = 30
// Provisioning runs every 40 minutes (entra, how-provisioning-works); each cycle starts with two queries.
const CYCLES = (DAYS * 24 * 60) / 40
/** Queries of the security product: it looks up each user with its groups once a day. */
const READS_A_DAY = 1
// Pruning reads a log entry by its key and its row, twice, and deletes it (test/provider/retention.test.ts).
const PRUNED: StepCost = { rowsRead: 6, rowsWritten: 1 }
// Pruning an event: test/provider/event-cost.test.ts. Tombstones are left out: there is one for 58 events.
const PRUNED_EVENT: StepCost = { rowsRead: 7, rowsWritten: 1 }
/** The rows that a page of the feed reads for each event: test/provider/event-cost.test.ts. */
const ROWS_OF_READ_EVENT = 9
// A consumer asks again after each wait of 25 seconds (src/scim/limits.ts), and the object looks for events twice a second
// meanwhile, which reads one row each time and keeps it in memory.
const ROWS_OF_EMPTY_PAGE = 17
const WAITS = (DAYS * 86_400) / 25
const LOOKS = DAYS * 86_400 * 2
/** A delivery to a webhook, in a run of its own: test/provider/webhooks.test.ts. */
export const DELIVERY: StepCost = { rowsRead: 249, rowsWritten: 1 }
/** The poke after the change, and the alarm that delivers. */
const REQUESTS_OF_DELIVERY = 2
/** Billed time of the object of a webhook: two round trips to D1, and the answer of the receiver. An assumption. */
const SECONDS_OF_DELIVERY = 0.5
/** Billed time of the object: a group write waits for two round trips to a nearby D1. An assumption. */
const SECONDS_IN_THE_OBJECT = 0.05
const OBJECT_GB = 0.128
/** The log line and the platform's event, with the metadata of both. An assumption: see Billable Usage. */
const LOGGED_KB_OF_REQUEST = 2
const LOGGED_DAYS = 7

/** The billed quantities of a month; storage in GB. */
const PRODUCTS = [
  'Workers requests',
  'Workers CPU ms',
  'D1 rows read',
  'D1 rows written',
  'D1 storage GB',
  'Durable Object requests',
  'Durable Object GB-s',
  'Logs GB',
  'Logs storage GB-month',
] as const
type Product = (typeof PRODUCTS)[number]
export type Usage = Readonly<Record<Product, number>>

const MILLION = 1_000_000
const BILLION = 1_000 * MILLION

/** The price of each unit beyond the $5 plan's included usage, in dollars. Read on 2026-11-23. */
const PLAN_DOLLARS = 5
const PRICES: Readonly<Record<Product, { included: number; dollars: number; for: number }>> = {
  // https://developers.cloudflare.com/workers/platform/pricing/
  'Workers requests': { included: 10 * MILLION, dollars: 0.3, for: MILLION },
  'Workers CPU ms': { included: 30 * MILLION, dollars: 0.02, for: MILLION },
  // https://developers.cloudflare.com/d1/platform/pricing/
  'D1 rows read': { included: 25 * BILLION, dollars: 0.001, for: MILLION },
  'D1 rows written': { included: 50 * MILLION, dollars: 1, for: MILLION },
  'D1 storage GB': { included: 5, dollars: 0.75, for: 1 },
  // https://developers.cloudflare.com/durable-objects/platform/pricing/
  'Durable Object requests': { included: MILLION, dollars: 0.15, for: MILLION },
  'Durable Object GB-s': { included: 400_000, dollars: 12.5, for: MILLION },
  // From 1 December 2026: https://developers.cloudflare.com/observability/pricing/
  'Logs GB': { included: 50, dollars: 0.25, for: 1 },
  'Logs storage GB-month': { included: 12, dollars: 0.1, for: 1 },
}
// https://developers.cloudflare.com/d1/platform/limits/
const DATABASE_GB = 10
/** Daily limits according to the pages above. Requests beyond a limit fail until 00:00 UTC. */
const FREE_LIMITS = {
  'Workers requests': 100_000,
  'D1 rows read': 5 * MILLION,
  'D1 rows written': 100_000,
} as const
const FREE_DATABASE_GB = 0.5

const SIZES = [10_000, 100_000, 1_000_000] as const

/** The number of each request in a month. */
function stepsOfMonth(users: number, readsADay: number): Readonly<Partial<Record<Step, number>>> {
  const { joiners, leavers, changed, membershipsAdded, membershipsRemoved } = CHANGES
  const membersOfJoiners = joiners * MEMBERSHIPS_OF_A_USER
  return {
    'test the connection': 2 * CYCLES,
    'match a user': users * joiners,
    'create a user': users * joiners,
    // A leaver is disabled and deleted a month later. An object is read before it is changed.
    'get a user': users * (leavers + changed),
    'disable a user': users * leavers,
    'delete a user': users * leavers,
    'change a user': users * changed,
    // One member in each request, the most expensive case.
    'get a group': users * (membersOfJoiners + membershipsAdded + membershipsRemoved),
    'add a member': users * (membersOfJoiners + membershipsAdded),
    'remove a member': users * membershipsRemoved,
    'find a user': users * readsADay * DAYS,
  }
}

/** The initial cycle, which happens once. Entra sends at most a hundred members in one request. */
function stepsOfInitialCycle(users: number): Readonly<Partial<Record<Step, number>>> {
  return {
    'match a user': users,
    'create a user': users,
    'add 100 members': (users * MEMBERSHIPS_OF_A_USER) / 100,
  }
}

const LOGGED: ReadonlySet<Step> = new Set([
  'create a user',
  'add a member',
  'remove a member',
  'change a user',
  'disable a user',
  'delete a user',
])
const GROUP_WRITES: ReadonlySet<Step> = new Set(['add a member', 'remove a member', 'add 100 members'])

type Steps = Readonly<Partial<Record<Step, number>>>

function sum(steps: Steps, of: (step: Step) => number): number {
  return Object.entries(steps).reduce((total, [step, count]) => total + count * of(step as Step), 0)
}

/** The events that a month writes. The same number is pruned. A leaver leaves its groups first. */
function eventsOfMonth(users: number): number {
  return logEntries(users) + users * CHANGES.leavers * MEMBERSHIPS_OF_A_USER
}

/** The usage of a month without events: neither stored and pruned, nor read by a consumer. */
function usageWithoutEvents(measured: Measured, users: number): Usage {
  const usage = usageOfMonth(measured, users)
  const events = eventsOfMonth(users)
  return {
    ...usage,
    'D1 rows read': usage['D1 rows read'] - events * PRUNED_EVENT.rowsRead,
    'D1 rows written': usage['D1 rows written'] - events * (1 + PRUNED_EVENT.rowsWritten),
    'D1 storage GB': usage['D1 storage GB'] - (events * measured.bytes.event) / BILLION,
  }
}

/** The same month with a consumer that waits for events all the time. */
function usageWithConsumer(measured: Measured, users: number): Usage {
  const usage = usageOfMonth(measured, users)
  const events = eventsOfMonth(users)
  const answers = WAITS + events
  return {
    ...usage,
    'Workers requests': usage['Workers requests'] + answers,
    'Workers CPU ms': usage['Workers CPU ms'] + answers * measured.cpuMsOfRequest,
    'D1 rows read':
      usage['D1 rows read'] + LOOKS + 2 * answers * ROWS_OF_EMPTY_PAGE + events * ROWS_OF_READ_EVENT,
    'Durable Object requests': usage['Durable Object requests'] + answers,
    'Durable Object GB-s': usage['Durable Object GB-s'] + DAYS * 86_400 * OBJECT_GB,
  }
}

/** The same month with a webhook for all events, each delivered in a run of its own: the most expensive case. */
function usageWithWebhook(measured: Measured, users: number): Usage {
  const usage = usageOfMonth(measured, users)
  const events = eventsOfMonth(users)
  return {
    ...usage,
    'D1 rows read': usage['D1 rows read'] + events * DELIVERY.rowsRead,
    'D1 rows written': usage['D1 rows written'] + events * DELIVERY.rowsWritten,
    'Durable Object requests': usage['Durable Object requests'] + events * REQUESTS_OF_DELIVERY,
    'Durable Object GB-s': usage['Durable Object GB-s'] + events * SECONDS_OF_DELIVERY * OBJECT_GB,
  }
}

/** The log entries that a month writes. The same number is pruned. */
function logEntries(users: number): number {
  return sum(stepsOfMonth(users, 0), (step) => (LOGGED.has(step) ? 1 : 0))
}

export function usageOfMonth(measured: Measured, users: number, readsADay = READS_A_DAY): Usage {
  const steps = stepsOfMonth(users, readsADay)
  const requests = sum(steps, () => 1)
  const entries = logEntries(users)
  const writes = sum(steps, (step) => (GROUP_WRITES.has(step) ? 1 : 0))
  const logged = (requests * LOGGED_KB_OF_REQUEST) / MILLION
  return {
    'Workers requests': requests,
    'Workers CPU ms': requests * measured.cpuMsOfRequest,
    'D1 rows read':
      sum(steps, (step) => measured.steps[step].rowsRead) +
      entries * PRUNED.rowsRead +
      eventsOfMonth(users) * PRUNED_EVENT.rowsRead,
    'D1 rows written':
      sum(steps, (step) => measured.steps[step].rowsWritten) +
      entries * PRUNED.rowsWritten +
      eventsOfMonth(users) * PRUNED_EVENT.rowsWritten,
    'D1 storage GB': (users * bytesOfUser(measured, MEMBERSHIPS_OF_A_USER)) / BILLION,
    'Durable Object requests': writes,
    'Durable Object GB-s': writes * SECONDS_IN_THE_OBJECT * OBJECT_GB,
    'Logs GB': logged,
    'Logs storage GB-month': (logged * LOGGED_DAYS) / DAYS,
  }
}

/** A user with its memberships, and one month of log, events and tombstones. */
function bytesOfUser({ bytes }: Measured, memberships: number): number {
  return (
    bytes.user +
    memberships * bytes.membership +
    logEntries(1) * bytes.logEntry +
    eventsOfMonth(1) * bytes.event +
    CHANGES.leavers * bytes.tombstone
  )
}

function dollarsOf(product: Product, used: number): number {
  const price = PRICES[product]
  return (Math.max(0, used - price.included) / price.for) * price.dollars
}

export function dollarsOfMonth(usage: Usage): number {
  return PRODUCTS.reduce((total, product) => total + dollarsOf(product, usage[product]), PLAN_DOLLARS)
}

/** The tables of docs/operate/growth.md. */
export function costTables(
  measured: Measured,
): readonly { readonly title: string; readonly table: string }[] {
  return [
    { title: 'What is stored', table: bytesTable(measured) },
    { title: `How many users ${DATABASE_GB} GB hold`, table: capacityTable(measured) },
    { title: 'Rows of each request', table: stepsTable(measured) },
    { title: 'A month, by product', table: monthTable(measured) },
    { title: 'A month, by reads of each user in a day', table: readsTable(measured) },
    { title: 'The events of a month', table: eventsTable(measured) },
    { title: 'The initial cycle, once', table: initialTable(measured) },
    { title: 'The Free plan', table: freeTable(measured) },
    { title: 'Rows read to list everybody once, 100 in each page', table: listingTable(measured) },
  ]
}

function bytesTable({ bytes }: Measured): string {
  return markdownTable(
    ['', 'bytes, indexes included'],
    [
      ['a user, with the enterprise extension', count(bytes.user)],
      ['a membership', count(bytes.membership)],
      ['an entry in the log: a change of a user or of a membership', count(bytes.logEntry)],
      [
        `in the log, of a user's initial cycle with ${MEMBERSHIPS_OF_A_USER} memberships`,
        count(bytes.logOfInitialCycle),
      ],
      ['an event: a change of a user or of a membership', count(bytes.event)],
      [
        `events of a user's initial cycle with ${MEMBERSHIPS_OF_A_USER} memberships`,
        count(bytes.eventsOfInitialCycle),
      ],
      [`a deleted user with ${MEMBERSHIPS_OF_A_USER} memberships, for 30 days`, count(bytes.tombstone)],
    ],
  )
}

function capacityTable(measured: Measured): string {
  const { bytes } = measured
  const rows = [1, MEMBERSHIPS_OF_A_USER, 50].map((memberships) => {
    // The memberships of the initial cycle are in its log.
    const later = bytesOfUser(measured, memberships)
    const first =
      bytes.user + memberships * bytes.membership + bytes.logOfInitialCycle + bytes.eventsOfInitialCycle
    const users = (each: number) => rounded((DATABASE_GB * BILLION) / each)
    return [String(memberships), users(first), users(later)]
  })
  return markdownTable(['memberships of each user', 'in the month of the initial cycle', 'later'], rows)
}

function stepsTable({ steps }: Measured): string {
  const rows = Object.entries(steps).map(([step, { rowsRead, rowsWritten }]) => [
    step,
    count(rowsRead),
    count(rowsWritten),
  ])
  return markdownTable(['request', 'rows read', 'rows written'], rows)
}

function monthTable(measured: Measured): string {
  const usages = SIZES.map((users) => usageOfMonth(measured, users))
  const rows = PRODUCTS.map((product) => [
    product,
    amount(PRICES[product].included),
    ...usages.map((usage) => `${amount(usage[product])}: ${dollars(dollarsOf(product, usage[product]))}`),
  ])
  return markdownTable(
    ['', 'included', ...SIZES.map((users) => `${count(users)} users`)],
    [
      ['Workers Paid plan', '', ...SIZES.map(() => dollars(PLAN_DOLLARS))],
      ...rows,
      ['**together**', '', ...usages.map((usage) => `**${dollars(dollarsOfMonth(usage))}**`)],
    ],
  )
}

function readsTable(measured: Measured): string {
  const cell = (users: number, readsADay: number) => {
    const usage = usageOfMonth(measured, users, readsADay)
    const withoutLogs = { ...usage, 'Logs GB': 0, 'Logs storage GB-month': 0 }
    const [all, rest] = [usage, withoutLogs].map((one) => dollars(dollarsOfMonth(one)))
    return `${figure((users * readsADay) / 86_400)}/s: ${all}${all === rest ? '' : `, without logs ${rest}`}`
  }
  return markdownTable(
    ['reads', ...SIZES.map((users) => `${count(users)} users`)],
    [1, 10, 100].map((reads) => [String(reads), ...SIZES.map((users) => cell(users, reads))]),
  )
}

/** What events add to a month, what a consumer adds that waits for them all the time, and what a webhook adds. */
function eventsTable(measured: Measured): string {
  const rows = (of: (users: number) => string) => SIZES.map(of)
  const more = (less: Usage, all: Usage) => dollars(dollarsOfMonth(all) - dollarsOfMonth(less))
  return markdownTable(
    ['', ...SIZES.map((users) => `${count(users)} users`)],
    [
      ['events', ...rows((users) => amount(eventsOfMonth(users)))],
      [
        'D1 rows written, pruning included',
        ...rows((users) => amount(eventsOfMonth(users) * (1 + PRUNED_EVENT.rowsWritten))),
      ],
      ['D1 storage MB', ...rows((users) => amount((eventsOfMonth(users) * measured.bytes.event) / MILLION))],
      [
        '**more for events**',
        ...rows((users) => more(usageWithoutEvents(measured, users), usageOfMonth(measured, users))),
      ],
      [
        '**more for a consumer that always waits**',
        ...rows((users) => more(usageOfMonth(measured, users), usageWithConsumer(measured, users))),
      ],
      [
        'Durable Object requests of a webhook',
        ...rows((users) => amount(eventsOfMonth(users) * REQUESTS_OF_DELIVERY)),
      ],
      ['D1 rows read by a webhook', ...rows((users) => amount(eventsOfMonth(users) * DELIVERY.rowsRead))],
      [
        '**more for a webhook**',
        ...rows((users) => more(usageOfMonth(measured, users), usageWithWebhook(measured, users))),
      ],
    ],
  )
}

function initialTable(measured: Measured): string {
  const cells = SIZES.map((users) => {
    const steps = stepsOfInitialCycle(users)
    const written = sum(steps, (step) => measured.steps[step].rowsWritten)
    return { requests: sum(steps, () => 1), written }
  })
  // One member in each request instead of a hundred.
  const oneByOne = SIZES.map(
    (users) =>
      users *
      (measured.steps['create a user'].rowsWritten +
        MEMBERSHIPS_OF_A_USER * measured.steps['add a member'].rowsWritten),
  )
  return markdownTable(
    ['', ...SIZES.map((users) => `${count(users)} users`)],
    [
      ['requests', ...cells.map(({ requests }) => amount(requests))],
      ['hours at 25 requests a second', ...cells.map(({ requests }) => figure(requests / 25 / 3600))],
      ['D1 rows written', ...cells.map(({ written }) => amount(written))],
      ['D1 rows written, one member in each request', ...oneByOne.map(amount)],
    ],
  )
}

function freeTable(measured: Measured): string {
  const ofOne = (product: Product) => {
    // The cycles cost the same for any number of users.
    const [none, million] = [0, MILLION].map((users) => usageOfMonth(measured, users)[product])
    return ((million ?? 0) - (none ?? 0)) / MILLION
  }
  const perDay = Object.entries(FREE_LIMITS).map(([product, limit]) => [
    `${product} in a day`,
    amount(limit),
    rounded((limit * DAYS) / ofOne(product as Product)),
  ])
  const writtenAtFirst = sum(stepsOfInitialCycle(1), (step) => measured.steps[step].rowsWritten)
  return markdownTable(
    ['', 'limit', 'reached at users'],
    [
      ...perDay,
      ['D1 storage MB', String(FREE_DATABASE_GB * 1_000), rounded(FREE_DATABASE_GB / ofOne('D1 storage GB'))],
      [
        'rows written of an initial cycle within one day',
        amount(FREE_LIMITS['D1 rows written']),
        rounded(FREE_LIMITS['D1 rows written'] / writtenAtFirst),
      ],
    ],
  )
}

function listingTable({ steps }: Measured): string {
  const pages = SIZES.map((users) => users / 100)
  const shown = pages.map((number) => number * steps['list 100 users'].rowsRead)
  // OFFSET reads all previous rows: on average half of the directory.
  const byIndex = SIZES.map((users, i) => (shown[i] ?? 0) + ((pages[i] ?? 0) * users) / 2)
  return markdownTable(
    ['', ...SIZES.map((users) => `${count(users)} users`)],
    [
      ['by `cursor`', ...shown.map(amount)],
      ['by `startIndex`', ...byIndex.map(amount)],
    ],
  )
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}

/** Rounds down to two digits. */
function rounded(value: number): string {
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1)
  return count(Math.floor(value / unit) * unit)
}

function amount(value: number): string {
  if (value >= BILLION) return `${figure(value / BILLION)} G`
  if (value >= 100_000) return `${figure(value / MILLION)} M`
  return value >= 100 ? count(value) : figure(value)
}

function dollars(value: number): string {
  return value === 0 ? '$0' : value < 1 ? `$${value.toFixed(2)}` : `$${figure(value)}`
}
