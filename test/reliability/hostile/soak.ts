/**
 * `npm run test:soak -- --hostile --minutes 10 --seed 7`: searches for the most expensive request against hostile
 * stored data. A request that is more expensive than the worst one of its kind is shrunk and replaces it. Ends with a
 * table of the worst requests, and fails if one exceeds a bound.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { MAX_BULK_OPERATIONS } from '../../../src/scim/limits.ts'
import { AMPLIFIED, type AmplifiedRequest } from './amplified.ts'
import { type Lab, MOST_STORED_BYTES, MOST_WORK, type RequestCost, startLab } from './lab.ts'
import { makeStored, STORED_KINDS, type StoredKind, type StoredTenants } from './stored.ts'

const MINUTE_MS = 60_000
/** Requests of one kind against one tenant before the next. */
const REQUESTS_IN_A_ROUND = 12
/** Limit for shrinking, which sends hundreds of expensive requests. */
const ROUND_MS = 6_000
/** The minimum factor above the worst request that is worth shrinking. */
const WORSE = 1.25
/** The share of the cost that a smaller request must have: shrinking must not lose what was found. */
const KEPT = 0.8
/** Compilation and garbage collection increase a first measurement. */
const MEASUREMENTS = 3

/** The maximum cost of a request. `perByte` is multiplied by the number of bytes sent. */
const BOUNDS = {
  servingMs: { constant: 100, perByte: 0 },
  // The thread for long reads may take MAX_SEARCH_MILLISECONDS, and the collection of garbage has threads of its own.
  processorMs: { constant: 200, perByte: 0 },
  work: { constant: MOST_WORK, perByte: 0 },
  rowsWritten: { constant: 1_000, perByte: 0.1 },
  storedBytes: { constant: MOST_STORED_BYTES, perByte: 8 },
  heapBytes: { constant: 64 * 1024 * 1024, perByte: 40 },
} as const
/** Additional processor time of a bulk request: 10 ms for each operation. Others are served between them. */
const BULK_MS = 10 * MAX_BULK_OPERATIONS
type Bounded = keyof typeof BOUNDS

interface Worst {
  readonly request: AmplifiedRequest
  readonly tenant: StoredKind
  readonly cost: RequestCost
}

const { SOAK_MINUTES = '1', SOAK_SEED = '1', SOAK_OUT } = process.env

it('finds no request that exceeds a bound', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hostile-'))
  try {
    expect(await search(folder, Number(SOAK_MINUTES), Number(SOAK_SEED))).toEqual([])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** @returns the violations: exceeded bounds and server errors */
async function search(folder: string, minutes: number, firstSeed: number): Promise<readonly string[]> {
  const file = join(folder, 'directory.sqlite')
  const tenants = makeStored(file, 0.5)
  const lab = startLab(folder)
  const end = Date.now() + minutes * MINUTE_MS
  const worst = new Map<string, Worst>()
  const faults = new Map<string, string>()
  const faulty: object[] = []
  let requests = 0
  let seed = firstSeed
  let reported = Date.now()
  for (; Date.now() < end; seed++) {
    for (const [kind, arbitrary, tenant] of shuffled(seed)) {
      if (Date.now() >= end) break
      lab.restore(tenants[tenant].id)
      requests += await round(kind, arbitrary, tenant)
    }
    if (Date.now() - reported < MINUTE_MS / 2) continue
    reported = Date.now()
    console.log(`${Math.round((end - reported) / 1000)} s left: ${requests} requests, seed ${seed}`)
  }
  await lab.stop()
  print(worst, `seeds ${firstSeed} to ${seed - 1}, ${requests} requests, ${faults.size} faults`)
  if (SOAK_OUT !== undefined) {
    const costly = [...worst].map(([kind, { request, tenant, cost }]) => ({
      kind,
      tenant,
      request,
      cost: { ...cost, answer: cost.answer.slice(0, 300) },
    }))
    writeFileSync(SOAK_OUT, JSON.stringify([...faulty, ...costly]))
  }
  const above = [...worst].filter(([, { cost, request }]) => excesses(cost, request).length > 0)
  return [
    ...faults.values(),
    ...above.map(
      ([kind, { cost, request }]) => `${kind}: ${excesses(cost, request).join(', ')} exceeds the bound`,
    ),
  ]

  /** @returns the number of requests sent */
  async function round(
    kind: string,
    arbitrary: fc.Arbitrary<AmplifiedRequest>,
    tenant: StoredKind,
  ): Promise<number> {
    let sent = 0
    let least = Math.max(5, (worst.get(kind)?.cost.servingMs ?? 0) * WORSE)
    const property = fc.asyncProperty(arbitrary, async (request) => {
      const cost = await costOf(lab, tenants, tenant, request)
      sent++
      if (cost.status >= 500 && cost.status !== 501) {
        throw new Fault(`status ${cost.status}`)
      }
      for (const name of excesses(cost, request))
        if (name !== 'servingMs') throw new Fault(`${name} exceeds the bound`)
      if (cost.servingMs <= least) return
      least = Math.max(least, cost.servingMs * KEPT)
      throw new Worse(cost)
    })
    const found = await fc.check(property, {
      seed,
      numRuns: REQUESTS_IN_A_ROUND,
      interruptAfterTimeLimit: ROUND_MS,
      markInterruptAsFailure: false,
    })
    const [request] = found.counterexample ?? []
    if (request === undefined) return sent
    if (found.errorInstance instanceof Worse)
      worst.set(kind, { request, tenant, cost: found.errorInstance.cost })
    else {
      faulty.push({ error: String(found.errorInstance), kind, tenant, request })
      faults.set(
        `${kind} ${found.errorInstance}`,
        `${found.errorInstance}, ${kind} of ${tenant}: ${shown(request)}`,
      )
    }
    return sent
  }
}

/** Each kind of request against each tenant, in an order that the seed determines. */
function shuffled(seed: number): readonly [string, fc.Arbitrary<AmplifiedRequest>, StoredKind][] {
  const pairs = Object.entries(AMPLIFIED).flatMap(([kind, arbitrary]) =>
    STORED_KINDS.map((tenant): [string, fc.Arbitrary<AmplifiedRequest>, StoredKind] => [
      kind,
      arbitrary,
      tenant,
    ]),
  )
  const all = fc.shuffledSubarray(pairs, { minLength: pairs.length })
  return fc.sample(all, { seed, numRuns: 1 })[0] ?? []
}

/** Finds a request that is more expensive than the worst one; fast-check shrinks it like a failure. */
class Worse extends Error {
  readonly cost: RequestCost

  constructor(cost: RequestCost) {
    super(`${cost.servingMs} ms`)
    this.cost = cost
  }
}

/** A request that caused a server error or exceeded a bound other than time. */
class Fault extends Error {}

/** An expensive request is measured again, and the minimum counts. */
async function costOf(
  lab: Lab,
  tenants: StoredTenants,
  tenant: StoredKind,
  request: AmplifiedRequest,
): Promise<RequestCost> {
  const { token, readToken } = tenants[tenant]
  const send = () => lab.cost(request, request.kind === 'query' ? readToken : token)
  let least = await send()
  for (let i = 1; i < MEASUREMENTS && Math.max(least.servingMs, least.processorMs / 10) > 5; i++) {
    const again = await send()
    const processorMs = Math.min(again.processorMs, least.processorMs)
    least = { ...(again.servingMs < least.servingMs ? again : least), processorMs }
  }
  if (!excesses(least, request).includes('processorMs')) return least
  // A background job of this process may have run beside it.
  await idle()
  return { ...least, processorMs: Math.min(least.processorMs, (await send()).processorMs) }
}

/** Resolves when this process does nothing any more. */
async function idle(): Promise<void> {
  for (let ms = Number.POSITIVE_INFINITY; ms > 10; ) {
    const before = process.cpuUsage()
    await new Promise((resolve) => setTimeout(resolve, 200))
    const { user, system } = process.cpuUsage(before)
    ms = (user + system) / 1_000
  }
}

function excesses(cost: RequestCost, { path }: AmplifiedRequest): readonly Bounded[] {
  return (Object.keys(BOUNDS) as Bounded[]).filter((name) => {
    const { constant, perByte } = BOUNDS[name]
    const operations = name === 'processorMs' && path.endsWith('/Bulk') ? BULK_MS : 0
    return cost[name] > constant + operations + perByte * cost.sentBytes
  })
}

function print(worst: ReadonlyMap<string, Worst>, summary: string): void {
  console.log(`\n${summary}\n`)
  console.log(
    '| kind | tenant | status | KB sent | ms | ms of all threads | ms per 100 KB | units of work | rows read | rows written | KB stored | MB of heap |',
  )
  console.log(
    '|------|--------|--------|---------|----|------------------|---------------|---------------|-----------|--------------|-----------|------------|',
  )
  for (const [kind, { tenant, cost }] of worst) {
    const { status, sentBytes, servingMs, processorMs, work, rowsRead, rowsWritten, storedBytes, heapBytes } =
      cost
    const cells = [
      kind,
      tenant,
      status,
      (sentBytes / 1024).toFixed(1),
      servingMs.toFixed(1),
      processorMs.toFixed(1),
      sentBytes < 10_000 ? '' : ((servingMs * 102_400) / sentBytes).toFixed(1),
      work,
      rowsRead,
      rowsWritten,
      (storedBytes / 1024).toFixed(0),
      (heapBytes / 1024 / 1024).toFixed(1),
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
  for (const [kind, { request, cost }] of worst) {
    console.log(`\n${kind}, ${cost.servingMs.toFixed(1)} ms, ${cost.status}: ${shown(request)}`)
  }
}

function shown({ method, path, body = '' }: AmplifiedRequest): string {
  const short = (text: string) =>
    text.length > 300 ? `${text.slice(0, 300)}… (${text.length} characters)` : text
  return `${method} ${short(path)} ${short(body)}`
}
