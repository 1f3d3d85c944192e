/**
 * Throughput relative to the floor: each request of Entra's provisioning service in turn with the floor (the same host,
 * one statement, no SCIM) and with the other hosts, in short slices and several rounds. Disturbances affect both values
 * of a ratio, so the ratios are more reliable than the values.
 */
import { writeFileSync } from 'node:fs'
import { cpuUsage } from 'node:process'
import { type Directory, makeDirectory, userId, userName } from './directory.ts'
import { type Exchange, exchangeOnce, httpRequest, measure } from './load/client.ts'
import { quantile, ratiosOf, spreadOf } from './load/statistics.ts'
import { type HostName, hostNamed, positive, wholeFrom } from './options.ts'
import { build, type Peer, type PeerName, processorMs, start } from './peers/peer.ts'
import { readOptions, runSection } from './section.ts'
import { type Missing, printReport, type Row } from './throughput/report.ts'
import { READERS, TRAFFIC_DIRECTORY, Traffic } from './throughput/traffic.ts'

type FloorName = 'read' | 'write' | 'hop'

interface Operation {
  readonly name: string
  readonly floor: FloorName
  readonly next: (traffic: Traffic) => Exchange
  /** Sent before each slice and not measured. */
  readonly before?: (traffic: Traffic) => readonly Exchange[]
  /** Relative to the floor, by host. */
  readonly goals?: Partial<Record<HostName, number>>
}

const READ_GOALS = { workerd: 0.7, Deno: 0.5, 'Node.js': 0.5 }
const WRITE_GOALS = { workerd: 0.6, Deno: 0.4, 'Node.js': 0.4 }
/** Operations with goals run on every host, the others only on workerd. */
const OPERATIONS: readonly Operation[] = [
  { name: 'get a user', floor: 'read', next: (to) => to.readUser(), goals: READ_GOALS },
  { name: 'match a user (userName eq)', floor: 'read', next: (to) => to.matchUser(), goals: READ_GOALS },
  { name: 'create a user', floor: 'write', next: (to) => to.createUser(), goals: WRITE_GOALS },
  {
    name: 'patch a user just read',
    floor: 'write',
    next: (to) => to.patchReadUser(),
    before: (to) => to.readUsersToPatch(),
    goals: WRITE_GOALS,
  },
  { name: 'patch a user not seen', floor: 'write', next: (to) => to.patchUser(), goals: WRITE_GOALS },
  { name: 'add one member', floor: 'hop', next: (to) => to.addMember(), goals: WRITE_GOALS },
  { name: 'test the connection', floor: 'read', next: (to) => to.testConnection() },
  { name: 'filter by externalId', floor: 'read', next: (to) => to.filterByExternalId() },
  { name: 'get a user in 10 groups', floor: 'read', next: (to) => to.readUserInManyGroups() },
  { name: 'list 100 users', floor: 'read', next: (to) => to.listUsers() },
  { name: 'replace a user', floor: 'write', next: (to) => to.replaceUser() },
  { name: 'delete a user', floor: 'write', next: (to) => to.deleteUser() },
  { name: 'match a group', floor: 'read', next: (to) => to.matchGroup() },
  { name: 'get a group, no members', floor: 'read', next: (to) => to.readGroup() },
  { name: 'create a group', floor: 'hop', next: (to) => to.createGroup() },
  { name: 'add 100 members', floor: 'hop', next: (to) => to.addHundred() },
  { name: 'remove one member', floor: 'hop', next: (to) => to.removeMember() },
  { name: 'delete a group', floor: 'hop', next: (to) => to.deleteGroup() },
]
/**
 * V8 compiles frequent code: warm-up slices before the first measured one, and more of them for operations with goals.
 */
const WARM_UP_SLICES = 0.6
const WARM_UP_SLICES_WITH_GOAL = 3
/** The size of a row of the floor: about that of a user. */
const FLOOR_ROW = 'x'.repeat(400)

/** The result of one slice. */
interface Slice {
  readonly perSecond: number
  readonly times: readonly number[]
  readonly wrong: number
  readonly firstWrong: string | undefined
  /** Of the server. */
  readonly cpuMs: number
}

interface Host {
  readonly name: HostName
  readonly peer: Peer
  readonly traffic: Traffic
  readonly floor: Peer | undefined
}

const values = readOptions('throughput')

await runSection(main)

async function main(): Promise<number> {
  const rounds = wholeFrom(1, 'rounds', values.rounds)
  const seconds = positive('seconds', values.seconds)
  const connections = values.connections.split(',').map((text) => wholeFrom(1, 'connections', text))
  const names = values.hosts.split(',').map(hostNamed)
  const operations = operationsThatBeginWith((values.operations ?? '').split(','))
  build()
  const directory = await makeDirectory(TRAFFIC_DIRECTORY)
  const { hosts, missing } = await startHosts(names, directory)
  const rows: Row[] = []
  const before = { cpu: cpuUsage(), at: performance.now() }
  for (const count of connections) {
    rows.push(...(await measureAll(hosts, operations, { rounds, seconds, connections: count })))
  }
  const { user, system } = cpuUsage(before.cpu)
  const ownShare = (user + system) / 1000 / (performance.now() - before.at)
  const lost = await readBack(hosts)
  const wrong = rows.reduce((sum, row) => sum + row.wrong, 0) + lost.length
  printReport({ rows, missing, rounds, seconds, ownShare })
  for (const text of lost) console.error(`read back: ${text}`)
  console.log(`\n${wrong} wrong responses`)
  if (values.out !== undefined)
    writeFileSync(values.out, JSON.stringify({ rounds, seconds, ownShare, wrong, missing, rows }, null, 2))
  return wrong > 0 || missing.length > 0 ? 1 : 0
}

/** @throws {Error} if no operation begins with one of the texts */
function operationsThatBeginWith(starts: readonly string[]): readonly Operation[] {
  const unknown = starts.find((start) => !OPERATIONS.some(({ name }) => name.startsWith(start)))
  if (unknown !== undefined) {
    const names = OPERATIONS.map(({ name }) => `"${name}"`).join(', ')
    throw new Error(`no operation begins with "${unknown}"; there are ${names}`)
  }
  return OPERATIONS.filter(({ name }) => starts.some((start) => name.startsWith(start)))
}

/** A server that does not start is reported and not measured. */
async function startHosts(
  names: readonly HostName[],
  directory: Directory,
): Promise<{ hosts: readonly Host[]; missing: readonly Missing[] }> {
  const hosts: Host[] = []
  const missing: Missing[] = []
  const database = directory.file
  for (const name of names) {
    try {
      const peer = await start(name, { database })
      const floorName: PeerName | undefined = name === 'wrangler dev' ? undefined : `${name} floor`
      const floor = floorName === undefined ? undefined : await start(floorName, { database })
      hosts.push({ name, peer, floor, traffic: new Traffic(directory) })
    } catch (error) {
      missing.push({ peer: name, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  return { hosts, missing }
}

/** The slices of one operation on one host, by round. */
interface Series {
  readonly operation: Operation
  readonly host: Host
  readonly own: Slice[]
  readonly floor: Slice[]
  /** Wrong responses, including those during warm-up. */
  wrong: number
}

interface Load {
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
}

async function measureAll(
  hosts: readonly Host[],
  operations: readonly Operation[],
  { rounds, seconds, connections }: Load,
): Promise<readonly Row[]> {
  const series = operations.flatMap((operation) =>
    hosts
      .filter(({ name }) => name === 'workerd' || operation.goals !== undefined)
      .map((host): Series => ({ operation, host, own: [], floor: [], wrong: 0 })),
  )
  for (const one of series) {
    const slices = one.operation.goals === undefined ? WARM_UP_SLICES : WARM_UP_SLICES_WITH_GOAL
    await measureOnce(one, slices * seconds, connections, false)
  }
  for (let round = 0; round < rounds; round++) {
    // The order alternates, because the first slice affects the second one.
    for (const one of round % 2 === 0 ? series : series.toReversed()) {
      const { own, floor } = await measureOnce(one, seconds, connections, round % 2 === 1)
      one.own.push(own)
      if (floor !== undefined) one.floor.push(floor)
    }
  }
  return series.map((one) => rowOf(one, series, connections))
}

async function measureOnce(
  series: Series,
  seconds: number,
  connections: number,
  floorFirst: boolean,
): Promise<{ own: Slice; floor: Slice | undefined }> {
  const { operation, host } = series
  const { peer, floor, traffic } = host
  const sliceOf = async (of: Peer, next: () => Exchange) => {
    const measured = await slice(of, connections, seconds, next)
    series.wrong += measured.wrong
    return measured
  }
  const ownSlice = async () => {
    for (const { request } of operation.before?.(traffic) ?? []) await exchangeOnce(peer.port, request)
    return sliceOf(peer, () => operation.next(traffic))
  }
  const floorSlice = async () => floor && sliceOf(floor, floorExchange(operation.floor))
  const before = floorFirst ? await floorSlice() : undefined
  const own = await ownSlice()
  return { own, floor: floorFirst ? before : await floorSlice() }
}

async function slice(peer: Peer, connections: number, seconds: number, next: () => Exchange): Promise<Slice> {
  const cpuBefore = processorMs(peer)
  const result = await measure({ port: peer.port, connections, seconds, next })
  const { times, wrong, firstWrong } = result
  const spent = processorMs(peer) - cpuBefore
  // The value decreases when a process ends, because its time is no longer counted.
  const cpuMs = spent < 0 ? Number.NaN : spent
  if (firstWrong !== undefined) console.error(`${peer.name}: ${firstWrong.slice(0, 1_000)}\n`)
  return { perSecond: times.length / result.seconds, times, wrong, firstWrong, cpuMs }
}

function floorExchange(name: FloorName): () => Exchange {
  let reads = 0
  if (name === 'read')
    return () => {
      const number = 1 + ((reads++ * 7_919) % READERS)
      const request = httpRequest('GET', `/?id=${userId(number)}`, {})
      return { request, status: 200, holds: [`"userName":"${userName(number)}"`] }
    }
  const path = name === 'hop' ? '/hop' : '/'
  const request = httpRequest('POST', path, { 'Content-Type': 'application/json' }, FLOOR_ROW)
  return () => ({ request, status: 200, holds: ['{"id":'] })
}

function rowOf(
  { operation, host, own, floor, wrong }: Series,
  all: readonly Series[],
  connections: number,
): Row {
  const dev = all.find((other) => other.operation === operation && other.host.name === 'wrangler dev')
  const perSecond = (slices: readonly Slice[]) => slices.map((one) => one.perSecond)
  const median = (values: readonly number[]) => spreadOf(values).median
  const times = own.flatMap((one) => one.times)
  return {
    operation: operation.name,
    host: host.name,
    connections,
    perSecond: median(perSecond(own)),
    floorPerSecond: median(perSecond(floor)),
    ofFloor: spreadOf(floor.length === 0 ? [] : ratiosOf(perSecond(own), perSecond(floor))),
    goal: operation.goals?.[host.name],
    timesWranglerDev: spreadOf(
      dev === undefined || dev.host === host ? [] : ratiosOf(perSecond(own), perSecond(dev.own)),
    ),
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    cpuMs: cpuOfRequest(own),
    floorCpuMs: cpuOfRequest(floor),
    wrong,
  }
}

/** Sums of all rounds, because the system counts in steps of 10 ms. */
function cpuOfRequest(slices: readonly Slice[]): number {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)
  return sum(slices.map(({ cpuMs }) => cpuMs)) / sum(slices.map(({ times }) => times.length))
}

async function readBack(hosts: readonly Host[]): Promise<readonly string[]> {
  const lost: string[] = []
  for (const { name, peer, traffic } of hosts)
    lost.push(...(await traffic.readBack(peer.port)).map((text) => `${name}: ${text}`))
  return lost
}
