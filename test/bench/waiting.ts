/**
 * How long clients wait for the work of others in the same process: the throughput of `GET` beside queries that read every
 * user, in a loop, and the answers of `/healthz` during an import. Each measurement beside the work is in turn with one
 * without it.
 */
import { writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { readRequest } from '../../src/entra/protocol/requests.ts'
import { type Directory, makeDirectory, userId, userName } from './directory.ts'
import { type Load, measure } from './load/client.ts'
import { scimExchange } from './load/scim.ts'
import { quantile, ratiosOf, spreadOf } from './load/statistics.ts'
import { type HostName, hostNamed, positive, wholeFrom } from './options.ts'
import { build, type Peer, servingMs, start, stop } from './peers/peer.ts'
import { readOptions, runSection } from './section.ts'
import { figure, markdownTable } from './table.ts'
import { type Wait, watchHealth } from './waiting/health.ts'
import { importCopy, PHASES, type Phase } from './waiting/import.ts'
import { type Ended, inLoop, SCANS, type Scan } from './waiting/scans.ts'

const CONNECTIONS = 4
const THROUGHPUT_GOAL = 0.8
const P99_GOAL = 2
const HEALTH_GOAL_MS = 50
const BEFORE_IMPORT_MS = 2_000

const values = readOptions('waiting')
await runSection(main)

async function main(): Promise<number> {
  const users = wholeFrom(1_000, 'users', values.users)
  const rounds = wholeFrom(1, 'rounds', values.rounds)
  const seconds = positive('seconds', values.seconds)
  const hosts = values.hosts.split(',').map(hostNamed)
  build()
  const directory = await makeDirectory({ users, groups: [] })
  const results: { host: HostName; scans: readonly BesideScan[]; imported: BesideImport }[] = []
  for (const host of hosts) {
    const server = await start(host, { database: directory.file })
    const other = await start(host, { database: directory.file })
    const scans: BesideScan[] = []
    for (const scan of SCANS)
      scans.push(await measureScan({ server, other }, directory, { scan, rounds, seconds }))
    await stop(other)
    printScans(host, users, scans)
    const imported = await measureImport(server)
    printImport(host, users, imported)
    results.push({ host, scans, imported })
    await stop(server)
  }
  const reads = results
    .flatMap(({ scans }) => scans)
    .flatMap((one) => [...one.alone, ...one.elsewhere, ...one.here])
  const wrong = reads.reduce((sum, one) => sum + one.wrong, 0)
  console.log(`\n${wrong} wrong responses`)
  if (values.out !== undefined) writeFileSync(values.out, JSON.stringify({ users, rounds, results }, null, 2))
  return wrong > 0 ? 1 : 0
}

/** Reads of a user for some seconds. */
interface Slice {
  readonly perSecond: number
  readonly p99Ms: number
  /** Processor time of the serving thread for a read: other processes hardly affect it. */
  readonly servingMs: number
  readonly wrong: number
}

interface BesideScan {
  readonly scan: string
  /** Of the server's answer to the scan. */
  readonly status: number
  readonly scansPerSecond: number
  readonly alone: readonly Slice[]
  /** The loop goes to another server of the same machine: it takes processor time, but nobody waits for it. */
  readonly elsewhere: readonly Slice[]
  readonly here: readonly Slice[]
}

async function measureScan(
  { server, other }: { readonly server: Peer; readonly other: Peer },
  { token, size }: Directory,
  { scan, rounds, seconds }: { readonly scan: Scan; readonly rounds: number; readonly seconds: number },
): Promise<BesideScan> {
  const send = scimExchange(token)
  let reads = 0
  const next = () => {
    const number = 1 + ((reads++ * 7_919) % size.users)
    return send(readRequest('User', userId(number)), 200, `"userName":"${userName(number)}"`)
  }
  const slice = () => sliceOf(server, { port: server.port, connections: CONNECTIONS, seconds, next })
  const { request } = send({ method: 'GET', path: scan.path }, 200)
  const results: Record<'alone' | 'elsewhere' | 'here', Slice[]> = { alone: [], elsewhere: [], here: [] }
  const loops: Ended[] = []
  await slice()
  for (let round = 0; round < rounds; round++) {
    results.alone.push(await slice())
    const outside = await inLoop(other.port, request)
    results.elsewhere.push(await slice())
    await outside.end()
    const inside = await inLoop(server.port, request)
    results.here.push(await slice())
    loops.push(await inside.end())
  }
  const scansPerSecond = spreadOf(loops.map(({ perSecond }) => perSecond)).median
  return { scan: scan.name, status: loops[0]?.status ?? Number.NaN, scansPerSecond, ...results }
}

async function sliceOf(server: Peer, load: Load): Promise<Slice> {
  const before = servingMs(server)
  const { times, seconds, wrong } = await measure(load)
  return {
    perSecond: times.length / seconds,
    p99Ms: quantile(times, 0.99),
    servingMs: (servingMs(server) - before) / times.length,
    wrong,
  }
}

function printScans(host: HostName, users: number, scans: readonly BesideScan[]): void {
  console.log(
    `\n${host}: \`GET\` of a user beside a query in a loop, ${users.toLocaleString('en')} users. "Elsewhere" is the same loop at another
server of this machine, which takes as much processor time. Goals, compared with elsewhere: throughput at least
${THROUGHPUT_GOAL}, p99 at most ${P99_GOAL} times. "Serving" is the processor time of the serving thread for a \`GET\`\n`,
  )
  const situations = ['alone', 'elsewhere', 'here']
  const figures = ['`GET` a second', 'p99 ms', 'serving ms'].flatMap((of) => [
    ...situations.map((one) => `${of}, ${one}`),
    'ratio',
  ])
  console.log(markdownTable(['in the loop', 'its answer', 'per second', ...figures], scans.map(scanCells)))
}

function scanCells({ scan, status, scansPerSecond, alone, elsewhere, here }: BesideScan): readonly string[] {
  const cells = (of: keyof Slice, verdict: (ratio: number) => string) => {
    const [without = [], outside = [], inside = []] = [alone, elsewhere, here].map((all) =>
      all.map((one) => one[of]),
    )
    const { median, min, max } = spreadOf(ratiosOf(inside, outside))
    return [
      ...[without, outside, inside].map((all) => figure(spreadOf(all).median)),
      `${figure(median)} (${figure(min)}–${figure(max)})${verdict(median)}`,
    ]
  }
  return [
    scan,
    status === 400 ? 'refused, 400' : String(status),
    figure(scansPerSecond),
    ...cells('perSecond', (ratio) => (ratio >= THROUGHPUT_GOAL ? ' ✓' : ' ✗')),
    ...cells('p99Ms', (ratio) => (ratio <= P99_GOAL ? ' ✓' : ' ✗')),
    ...cells('servingMs', () => ''),
  ]
}

interface BesideImport {
  readonly seconds: number
  readonly before: readonly Wait[]
  readonly during: readonly PhaseWait[]
}

interface PhaseWait extends Wait {
  readonly phase: Phase
}

async function measureImport(server: Peer): Promise<BesideImport> {
  const alone = await watchHealth(server)
  await setTimeout(BEFORE_IMPORT_MS)
  const before = await alone.end()
  const starts: { readonly phase: Phase; readonly at: number }[] = []
  const started = performance.now()
  const beside = await watchHealth(server)
  await importCopy(server.port, (phase) => starts.push({ phase, at: performance.now() }))
  const seconds = (performance.now() - started) / 1_000
  const phaseAt = (ms: number) => starts.findLast(({ at }) => at <= ms)?.phase ?? 'export'
  const during = (await beside.end()).map((wait) => ({ ...wait, phase: phaseAt(wait.due) }))
  return { seconds, before, during }
}

function printImport(host: HostName, users: number, { seconds, before, during }: BesideImport): void {
  console.log(
    `\n${host}: \`/healthz\` during an import of ${users.toLocaleString('en')} users in ${figure(seconds)} s, its export included. A request every 10 ms;
goal: p99 below ${HEALTH_GOAL_MS} ms. "Serving" is the processor time that the serving thread spent during the wait\n`,
  )
  const row = (name: string, waits: readonly Wait[]) => [
    name,
    String(waits.length),
    ...(['ms', 'servingMs'] as const).flatMap((of) => {
      const all = waits.map((wait) => wait[of])
      return [0.5, 0.99, 1].map((share) => figure(quantile(all, share)))
    }),
  ]
  const header = [
    '',
    'answers',
    'median ms',
    'p99 ms',
    'slowest ms',
    'serving: median ms',
    'p99 ms',
    'most ms',
  ]
  const phases = PHASES.map((phase) =>
    row(
      `the ${phase} alone`,
      during.filter((wait) => wait.phase === phase),
    ),
  )
  console.log(markdownTable(header, [row('before', before), row('during', during), ...phases]))
}
