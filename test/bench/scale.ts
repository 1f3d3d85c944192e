/**
 * The database cost of every operation in round trips, rows read and rows written, with 1,000, 10,000 and 100,000 users
 * and groups of 10, 1,000 and 100,000 members. The figures come from Server-Timing, with the rows as D1 counts them.
 * The time of some operations is compared as well, with the sizes in turn.
 */
import { writeFileSync } from 'node:fs'
import { type DirectorySize, makeDirectory } from './directory.ts'
import { Connection, isRight } from './load/client.ts'
import { scimExchange } from './load/scim.ts'
import { quantile, ratiosOf, type Spread, spreadOf } from './load/statistics.ts'
import { wholeFrom } from './options.ts'
import { build, type Peer, start, stop } from './peers/peer.ts'
import {
  GROUP_OPERATIONS,
  type Group,
  type Operation,
  USER_OPERATIONS,
  type Users,
} from './scale/operations.ts'
import { readOptions, runSection } from './section.ts'
import { figure, markdownTable } from './table.ts'

/** The maximum ratio of the times in the largest and the smallest group. */
const TIME_GOAL = 1.2
/** Repetitions of a timed operation. */
const TIMED_REPETITIONS = 100
/** Repetitions in a block, which gives one ratio. */
const BLOCK = 10
/** Users beyond the members of the largest group, which can be added to any group. */
const NEWCOMERS = 4_000
/** A difference of one row is not growth, nor is one of a hundred rows of a page. */
const FLAT_SHARE = 0.01
/** Operations that grow in proportion may take this many rows for each user or member, plus a constant. */
const MOST_ROWS_OF_EACH = 10
const MOST_ROWS_BESIDES = 100
/** Groups of each size: one to change, one to replace, one to delete. */
const GROUPS_OF_A_SIZE = 3

/** One operation at one size. */
interface Cost {
  readonly operation: string
  readonly of: 'users' | 'members'
  readonly size: number
  readonly roundTrips: number
  readonly rowsRead: number
  readonly rowsWritten: number
  /** As the client measures it, on one connection. */
  readonly ms: number
  readonly repetitions: number
  /** The reason for growth; undefined if the operation must not grow. */
  readonly grows: string | undefined
}

/** One operation at every size. */
interface Row {
  readonly operation: string
  readonly costs: readonly Cost[]
  readonly isFlat: boolean
  readonly grows: string | undefined
  /** For timed operations: the time at the largest size divided by the time at the smallest. */
  readonly timeRatio: Spread | undefined
  readonly wrong: number
}

/** A size with the connection to its server. */
interface Place<Size> {
  readonly at: Size
  readonly connection: Connection
}

const values = readOptions('scale')

await runSection(main)

async function main(): Promise<number> {
  const users = values.users.split(',').map((text) => wholeFrom(1_000, 'users', text))
  const members = values.members.split(',').map((text) => wholeFrom(10, 'members', text))
  const repetitions = wholeFrom(1, 'repetitions', values.repetitions)
  build()
  const userRows = await measureUsers(users, repetitions)
  const groupRows = await measureGroups(members, repetitions)
  print('users', userRows)
  print('members', groupRows)
  const rows = [...userRows, ...groupRows]
  const wrong = rows.reduce((sum, row) => sum + row.wrong, 0)
  console.log(`\n${wrong} wrong responses; ${rows.filter((row) => !meetsGoal(row)).length} goals missed`)
  if (values.out !== undefined)
    writeFileSync(
      values.out,
      JSON.stringify({ costs: rows.flatMap(({ costs }) => costs), rows: rows.map(summary), wrong }, null, 2),
    )
  return wrong > 0 ? 1 : 0
}

async function measureUsers(sizes: readonly number[], repetitions: number): Promise<readonly Row[]> {
  const peers: Peer[] = []
  const places: Place<Users>[] = []
  for (const size of sizes) {
    const { peer, token } = await startWith({ users: size, groups: [{ members: size }] })
    peers.push(peer)
    places.push({ at: { size, send: scimExchange(token) }, connection: await Connection.open(peer.port) })
  }
  const rows: Row[] = []
  for (const operation of USER_OPERATIONS) rows.push(await measure('users', operation, places, repetitions))
  await Promise.all(peers.map(stop))
  return rows
}

async function measureGroups(sizes: readonly number[], repetitions: number): Promise<readonly Row[]> {
  const among = Math.max(...sizes)
  const groups = sizes.flatMap((size) => Array.from({ length: GROUPS_OF_A_SIZE }, () => ({ members: size })))
  const { peer, token } = await startWith({ users: among + NEWCOMERS, groups })
  const connection = await Connection.open(peer.port)
  const send = scimExchange(token)
  const places = sizes.map((size, i) => ({
    at: { size, send, among, number: 1 + i * GROUPS_OF_A_SIZE },
    connection,
  }))
  const rows: Row[] = []
  for (const operation of GROUP_OPERATIONS)
    rows.push(await measure('members', operation, places, repetitions))
  await stop(peer)
  return rows
}

async function startWith(size: DirectorySize): Promise<{ peer: Peer; token: string }> {
  const { file, token } = await makeDirectory(size)
  return { peer: await start('workerd', { database: file, serverTiming: true }), token }
}

interface Sample {
  readonly roundTrips: number
  readonly rowsRead: number
  readonly rowsWritten: number
  readonly ms: number
}

/** Repeats an operation with the sizes in turn. */
async function measure<Size extends Users | Group>(
  of: Cost['of'],
  operation: Operation<Size>,
  places: readonly Place<Size>[],
  repetitions: number,
): Promise<Row> {
  const { name, grows, isOnce = false, isTimed = false } = operation
  const count = isOnce ? 1 : isTimed ? TIMED_REPETITIONS : repetitions
  const samples = places.map((): Sample[] => [])
  const previous = places.map(() => '')
  let wrong = 0
  for (let i = 0; i < count; i++) {
    const order = places.map((_, place) => place)
    for (const place of i % 2 === 0 ? order : order.toReversed()) {
      const { at, connection } = places[place] as Place<Size>
      const exchange = operation.next(at, i, previous[place] ?? '')
      const sent = performance.now()
      const answer = await connection.exchange(exchange.request)
      const ms = performance.now() - sent
      previous[place] = answer
      if (isRight(answer, exchange)) samples[place]?.push({ ...figuresOf(answer), ms })
      else if (wrong++ === 0)
        console.error(`${name}: ${exchange.request.slice(0, 300)}\n-> ${answer.slice(0, 600)}`)
    }
  }
  const costs = places.map(({ at: { size } }, place) =>
    costOf({ operation: name, of, size, grows }, samples[place] ?? []),
  )
  return {
    operation: name,
    costs,
    isFlat: isFlat(costs),
    grows,
    timeRatio: isTimed ? timeRatioOf(samples) : undefined,
    wrong,
  }
}

/** @see src/storage/database/database.ts serverTimingOf. Its time is not used, because the clock does not advance in workerd. */
function figuresOf(answer: string): Omit<Sample, 'ms'> {
  const match = /desc="(\d+) round trips, (\d+) rows read, (\d+) rows written"/.exec(answer)
  const [roundTrips = Number.NaN, rowsRead = Number.NaN, rowsWritten = Number.NaN] =
    match?.slice(1).map(Number) ?? []
  return { roundTrips, rowsRead, rowsWritten }
}

/** Medians, because once a minute a request also updates the token's last use. */
function costOf(what: Pick<Cost, 'operation' | 'of' | 'size' | 'grows'>, samples: readonly Sample[]): Cost {
  const median = (field: keyof Sample) =>
    quantile(
      samples.map((sample) => sample[field]),
      0.5,
    )
  return {
    ...what,
    roundTrips: median('roundTrips'),
    rowsRead: median('rowsRead'),
    rowsWritten: median('rowsWritten'),
    ms: median('ms'),
    repetitions: samples.length,
  }
}

function isFlat(costs: readonly Cost[]): boolean {
  return costs.every((cost) =>
    (['roundTrips', 'rowsRead', 'rowsWritten'] as const).every((field) => {
      const least = Math.min(...costs.map((other) => other[field]))
      return cost[field] <= least * (1 + FLAT_SHARE) + (field === 'roundTrips' ? 0 : 1)
    }),
  )
}

/** Reads for a small group must not depend on the size of other groups. */
function isInProportion(costs: readonly Cost[]): boolean {
  return costs.every(
    ({ size, rowsRead, rowsWritten }) =>
      rowsRead + rowsWritten <= MOST_ROWS_BESIDES + MOST_ROWS_OF_EACH * size,
  )
}

/** Uses the medians of blocks, because single times vary. */
function timeRatioOf(samples: readonly (readonly Sample[])[]): Spread {
  const blocks = (of: readonly Sample[] = []) =>
    Array.from({ length: Math.floor(of.length / BLOCK) }, (_, i) =>
      quantile(
        of.slice(i * BLOCK, (i + 1) * BLOCK).map(({ ms }) => ms),
        0.5,
      ),
    )
  return spreadOf(ratiosOf(blocks(samples.at(-1)), blocks(samples[0])))
}

function meetsGoal({ isFlat, grows, costs, timeRatio }: Row): boolean {
  const isExcused = grows !== undefined && isInProportion(costs)
  return (isFlat || isExcused) && (timeRatio === undefined || timeRatio.median <= TIME_GOAL)
}

function growth({ isFlat, grows, costs }: Row): string {
  if (isFlat) return '✓'
  if (grows === undefined) return '✗'
  return isInProportion(costs) ? grows : `✗ out of proportion, although ${grows}`
}

function summary({ operation, isFlat, grows, timeRatio, wrong }: Row): object {
  return { operation, isFlat, grows, timeRatio, wrong }
}

function print(of: Cost['of'], rows: readonly Row[]): void {
  const sizes = rows[0]?.costs.map(({ size }) => size.toLocaleString('en')) ?? []
  console.log(
    `\nRound trips / rows read / rows written by the number of ${of}; time at the largest size against the smallest, goal at most ${TIME_GOAL}\n`,
  )
  const cells = rows.map((row) => [
    row.operation,
    ...row.costs.map(
      ({ roundTrips, rowsRead, rowsWritten }) => `${roundTrips} / ${rowsRead} / ${rowsWritten}`,
    ),
    growth(row),
    timeOf(row.timeRatio),
    row.costs.map(({ ms }) => figure(ms)).join(' / '),
  ])
  console.log(markdownTable(['operation', ...sizes, 'flat', 'time ratio', 'ms'], cells))
}

function timeOf(ratio: Spread | undefined): string {
  if (ratio === undefined) return ''
  const { median, min, max } = ratio
  return `${figure(median)} (${figure(min)}–${figure(max)}) ${median <= TIME_GOAL ? '✓' : '✗'}`
}
