/**
 * Size and cold start of the Worker: its modules, their size, and the time from the start of a workerd process to the
 * first response, relative to the floor, with and without the dashboard and the OpenAPI document. Also measures the
 * evaluation of the module. The variants are started in turn.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { bundle, emptyModule, evaluator } from './cold-start/variants.ts'
import { type Directory, makeDirectory, userId, userName } from './directory.ts'
import { Connection, type Exchange, httpRequest, isRight } from './load/client.ts'
import { scimExchange } from './load/scim.ts'
import { ratiosOf, type Spread, spreadOf } from './load/statistics.ts'
import { wholeFrom } from './options.ts'
import { build, exactProcessorMs, launch, type Peer, type PeerName, stop } from './peers/peer.ts'
import { readOptions, runSection } from './section.ts'
import { figure, markdownTable } from './table.ts'

const USERS = 1_000
const START_TIMEOUT_MS = 10_000
const GZIP_LEVEL = 9

const values = readOptions('cold-start')

interface Variant {
  readonly name: string
  readonly peer: PeerName
  readonly modules: readonly string[]
  /** Sent to a new process before the measurement, which then starts at its response. */
  readonly before?: Exchange
  /** The measured request. */
  readonly exchange: Exchange
}

interface Start {
  /** From the start of the process, or from the previous response, to the response. */
  readonly firstMs: number
  /** Processor time of the process in that span, which other processes hardly affect. */
  readonly cpuMs: number
  /** The same request a second time. */
  readonly secondMs: number
}

await runSection(main)

async function main(): Promise<number> {
  const rounds = wholeFrom(1, 'rounds', values.rounds)
  const deployed = join(build(), 'worker.js')
  const directory = await makeDirectory({ users: USERS, groups: [{ members: 10 }] })
  const whole = await bundle(true)
  const without = await bundle(false)
  const starts = await measureInTurn(startVariants(deployed, whole, without, directory), directory, rounds)
  const evaluations = await measureInTurn(evaluationVariants(deployed, whole, without), directory, rounds)
  const modules = readdirSync(build()).filter((name) => name.endsWith('.js')).length
  console.log(
    `${modules} module; from the start of a workerd process to its first answer, ${rounds} starts each\n`,
  )
  print(starts)
  console.log('\nEvaluation of the module in a running process\n')
  print(evaluations)
  if (values.out !== undefined)
    writeFileSync(values.out, JSON.stringify({ rounds, modules, starts, evaluations }, null, 2))
  return modules === 1 ? 0 : 1
}

/** @returns the rows, each relative to the first one */
async function measureInTurn(
  variants: readonly Variant[],
  directory: Directory,
  rounds: number,
): Promise<readonly Row[]> {
  const starts = variants.map((): Start[] => [])
  for (let round = 0; round < rounds; round++) {
    const order = variants.map((_, i) => i)
    for (const i of round % 2 === 0 ? order : order.toReversed())
      starts[i]?.push(await startOnce(variants[i] as Variant, directory))
  }
  return variants.map((variant, i) => rowOf(variant, starts[i] ?? [], starts[0] ?? []))
}

function startVariants(
  deployed: string,
  whole: string,
  without: string,
  { token }: Directory,
): readonly Variant[] {
  const read = { request: httpRequest('GET', `/?id=${userId(1)}`, {}), status: 200, holds: [userName(1)] }
  const exchange = scimExchange(token)({ method: 'GET', path: `/Users/${userId(1)}` }, 200, userName(1))
  const floor = join(import.meta.dirname, 'peers', 'workerd-floor.mjs')
  const worker = { peer: 'workerd', exchange } as const
  return [
    { name: 'floor', peer: 'workerd floor', modules: [floor], exchange: read },
    { ...worker, name: 'the Worker as deployed', modules: [deployed] },
    { ...worker, name: 'the Worker, bundled again', modules: [whole] },
    { ...worker, name: 'without dashboard, admin API, OpenAPI', modules: [without] },
  ]
}

function evaluationVariants(deployed: string, whole: string, without: string): readonly Variant[] {
  const get = (path: string): Exchange => ({
    request: httpRequest('GET', path, {}),
    status: 200,
    holds: ['done'],
  })
  const evaluated = { peer: 'workerd', before: get('/'), exchange: get('/evaluate') } as const
  return [
    { ...evaluated, name: 'the Worker as deployed', modules: evaluator(deployed) },
    { ...evaluated, name: 'the Worker, bundled again', modules: evaluator(whole) },
    { ...evaluated, name: 'without dashboard, admin API, OpenAPI', modules: evaluator(without) },
    { ...evaluated, name: 'an empty module', modules: evaluator(emptyModule()) },
  ]
}

/** @throws {Error} if a response is wrong or missing */
async function startOnce(
  { name, peer: peerName, modules, before, exchange }: Variant,
  { file }: Directory,
): Promise<Start> {
  const { peer, output } = await launch(peerName, { database: file, modules })
  const launched = performance.now()
  try {
    const connection = await connect(peer)
    let started = launched
    let cpuBefore = 0
    if (before !== undefined) {
      await connection.exchange(before.request)
      started = performance.now()
      cpuBefore = exactProcessorMs(peer)
    }
    const first = await connection.exchange(exchange.request)
    const answered = performance.now()
    const cpuMs = exactProcessorMs(peer) - cpuBefore
    const second = await connection.exchange(exchange.request)
    const firstMs = answered - started
    const secondMs = performance.now() - answered
    connection.close()
    for (const answer of [first, second])
      if (!isRight(answer, exchange)) throw new Error(`wrong response of "${name}": ${answer.slice(0, 300)}`)
    return { firstMs, cpuMs, secondMs }
  } catch (error) {
    throw new Error(
      `"${name}" did not start (${(performance.now() - launched).toFixed(0)} ms): ${output()}`,
      {
        cause: error,
      },
    )
  } finally {
    await stop(peer)
  }
}

async function connect({ port, child }: Peer): Promise<Connection> {
  const deadline = performance.now() + START_TIMEOUT_MS
  for (;;) {
    const connection = await Connection.open(port).catch(() => undefined)
    if (connection !== undefined) return connection
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error('the process does not listen')
    await new Promise((wait) => setTimeout(wait, 1))
  }
}

interface Row {
  readonly name: string
  readonly bytes: number
  readonly gzipBytes: number
  readonly firstMs: Spread
  /** Relative to the first row of the same round. */
  readonly ofFirst: Spread
  readonly cpuMs: Spread
  readonly cpuOfFirst: Spread
  readonly secondMs: number
}

function rowOf({ name, modules }: Variant, starts: readonly Start[], base: readonly Start[]): Row {
  const source = readFileSync(modules.at(-1) ?? '')
  const all = (of: readonly Start[], field: keyof Start) => of.map((one) => one[field])
  const ratio = (field: keyof Start) => spreadOf(ratiosOf(all(starts, field), all(base, field)))
  return {
    name,
    bytes: source.length,
    gzipBytes: gzipSync(source, { level: GZIP_LEVEL }).length,
    firstMs: spreadOf(all(starts, 'firstMs')),
    ofFirst: ratio('firstMs'),
    cpuMs: spreadOf(all(starts, 'cpuMs')),
    cpuOfFirst: ratio('cpuMs'),
    secondMs: spreadOf(all(starts, 'secondMs')).median,
  }
}

function print(rows: readonly Row[]): void {
  const range = ({ median, min, max }: Spread) => `${figure(median)} (${figure(min)}–${figure(max)})`
  const base = `of ${rows[0]?.name}`
  const header = ['', 'kB', 'kB gzip', 'ms', base, 'cpu ms', base, 'ms, again']
  const cells = rows.map(({ name, bytes, gzipBytes, firstMs, ofFirst, cpuMs, cpuOfFirst, secondMs }) => [
    name,
    (bytes / 1000).toFixed(0),
    (gzipBytes / 1000).toFixed(0),
    range(firstMs),
    range(ofFirst),
    range(cpuMs),
    range(cpuOfFirst),
    figure(secondMs),
  ])
  console.log(markdownTable(header, cells))
}
