/**
 * Size and cold start of the Worker: its modules, their size, and the time from the start of a workerd process to the
 * first response, relative to the floor, as several modules and as one. Also measures the evaluation of the modules, and the
 * first request that needs a lazy part. The variants are started in turn.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildWorkerModules, type WorkerModule } from '../../src/local/worker-modules.mjs'
import { emptyModule, evaluator, oneModule } from './cold-start/variants.ts'
import { type Directory, makeDirectory, userId, userName } from './directory.ts'
import { Connection, type Exchange, httpRequest, isRight } from './load/client.ts'
import { scimExchange } from './load/scim.ts'
import { ratiosOf, type Spread, spreadOf } from './load/statistics.ts'
import { wholeFrom } from './options.ts'
import { exactProcessorMs, launch, newFolder, type Peer, type PeerName, stop } from './peers/peer.ts'
import { readOptions, runSection } from './section.ts'
import { figure, markdownTable } from './table.ts'

const USERS = 1_000
const START_TIMEOUT_MS = 10_000

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
  const folder = newFolder()
  const modules = await buildWorkerModules(folder)
  const forms: Forms = { several: modules.map(({ name }) => join(folder, name)), one: [await oneModule()] }
  const directory = await makeDirectory({ users: USERS, groups: [{ members: 10 }] })
  printSizes(modules)
  const starts = await measureInTurn(startVariants(forms, directory), directory, rounds)
  console.log(`\nFrom the start of a workerd process to its first answer, ${rounds} starts each\n`)
  print(starts)
  const evaluations = await measureInTurn(evaluationVariants(forms), directory, rounds)
  console.log('\nEvaluation of the modules in a running process\n')
  print(evaluations)
  const pages = await measureInTurn(pageVariants(forms, directory), directory, rounds)
  console.log('\nThe first page of the dashboard, after a read of a user\n')
  print(pages)
  if (values.out !== undefined)
    writeFileSync(values.out, JSON.stringify({ rounds, modules, starts, evaluations, pages }, null, 2))
  return 0
}

/** The files of the Worker as several modules and as one, each with the main module first. */
interface Forms {
  readonly several: readonly string[]
  readonly one: readonly string[]
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

function startVariants({ several, one }: Forms, directory: Directory): readonly Variant[] {
  const read = { request: httpRequest('GET', `/?id=${userId(1)}`, {}), status: 200, holds: [userName(1)] }
  const floor = join(import.meta.dirname, 'peers', 'workerd-floor.mjs')
  const worker = { peer: 'workerd', exchange: readOf(directory) } as const
  return [
    { name: 'floor', peer: 'workerd floor', modules: [floor], exchange: read },
    { ...worker, name: 'the Worker as deployed', modules: several },
    { ...worker, name: 'the Worker as one module', modules: one },
  ]
}

function evaluationVariants({ several, one }: Forms): readonly Variant[] {
  const evaluated = { peer: 'workerd', before: get('/', 'done'), exchange: get('/evaluate', 'done') } as const
  return [
    { ...evaluated, name: 'an empty module', modules: evaluator([emptyModule()]) },
    { ...evaluated, name: 'the Worker as deployed', modules: evaluator(several) },
    { ...evaluated, name: 'the Worker as one module', modules: evaluator(one) },
  ]
}

function pageVariants({ several, one }: Forms, directory: Directory): readonly Variant[] {
  const page = get('/admin/sign-in', '<form')
  const first = { peer: 'workerd', before: readOf(directory), exchange: page } as const
  return [
    { ...first, name: 'the Worker as deployed', modules: several },
    { ...first, name: 'the Worker as one module', modules: one },
  ]
}

function readOf({ token }: Directory): Exchange {
  return scimExchange(token)({ method: 'GET', path: `/Users/${userId(1)}` }, 200, userName(1))
}

function get(path: string, text: string): Exchange {
  return { request: httpRequest('GET', path, {}), status: 200, holds: [text] }
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
  readonly firstMs: Spread
  /** Relative to the first row of the same round. */
  readonly ofFirst: Spread
  readonly cpuMs: Spread
  readonly cpuOfFirst: Spread
  readonly secondMs: number
}

function rowOf({ name }: Variant, starts: readonly Start[], base: readonly Start[]): Row {
  const all = (of: readonly Start[], field: keyof Start) => of.map((one) => one[field])
  const ratio = (field: keyof Start) => spreadOf(ratiosOf(all(starts, field), all(base, field)))
  return {
    name,
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
  const header = ['', 'ms', base, 'cpu ms', base, 'ms, again']
  const cells = rows.map(({ name, firstMs, ofFirst, cpuMs, cpuOfFirst, secondMs }) => [
    name,
    range(firstMs),
    range(ofFirst),
    range(cpuMs),
    range(cpuOfFirst),
    figure(secondMs),
  ])
  console.log(markdownTable(header, cells))
}

function printSizes(modules: readonly WorkerModule[]): void {
  const cells = modules.map(({ name, isLazy, gzipBytes }) => [
    name,
    isLazy ? 'lazy' : '',
    gzipBytes.toLocaleString('en'),
  ])
  console.log(markdownTable(['module', '', 'bytes with gzip'], cells))
  const sum = (of: readonly WorkerModule[]) =>
    of.reduce((bytes, one) => bytes + one.gzipBytes, 0).toLocaleString('en')
  console.log(
    `\n${sum(modules.filter(({ isLazy }) => !isLazy))} bytes in every isolate, ${sum(modules)} in all`,
  )
}
