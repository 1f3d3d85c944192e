/**
 * The cost of the worst requests: processor time of the Node.js entry for each request on its own, with hostile stored
 * data. No request may take more than 100 ms of the thread that serves all requests, nor of all threads together, except
 * those that name thousands of members.
 */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { HOSTILE_REQUESTS, type HostileRequest } from '../reliability/hostile/requests.ts'
import { ALL_KINDS, makeStored, type StoredTenants } from '../reliability/hostile/stored.ts'
import { wholeFrom } from './options.ts'
import { ADMIN_TOKEN, exactProcessorMs, newFolder, type Peer, servingMs, start } from './peers/peer.ts'
import { readOptions, runSection } from './section.ts'
import { figure, markdownTable } from './table.ts'

const GOAL_MS = 100
const IDLE_MS = 200

interface Cost {
  readonly request: HostileRequest
  readonly status: number
  readonly answer: string
  readonly sentBytes: number
  readonly answeredBytes: number
  /** The minimum over all rounds, because the first one includes compilation. */
  readonly processorMs: number
  /** The same, of the thread that serves requests. */
  readonly servingMs: number
}

const values = readOptions('hostile')

await runSection(main)

async function main(): Promise<number> {
  const rounds = wholeFrom(1, 'rounds', values.rounds)
  const requests = HOSTILE_REQUESTS.filter(({ kind }) => values.kind === undefined || kind === values.kind)
  if (requests.length === 0) {
    const kinds = new Set(HOSTILE_REQUESTS.map(({ kind }) => `"${kind}"`))
    throw new Error(`--kind must be one of ${[...kinds].join(', ')}, got "${values.kind}"`)
  }
  const file = join(newFolder(), 'hostile.sqlite')
  const tenants = makeStored(file, 1, ALL_KINDS)
  const server = await start('Node.js', { database: file })
  const costs: Cost[] = []
  for (const one of requests) costs.push(await costOf(server, tenants, one, rounds))
  print(costs)
  if (values.out !== undefined) writeFileSync(values.out, JSON.stringify(costs.map(rowOf), null, 2))
  return costs.every(isRight) ? 0 : 1
}

function isRight({ request: { goalMs = GOAL_MS }, status, ...spent }: Cost): boolean {
  const isWithin = spent.servingMs <= GOAL_MS && spent.processorMs <= goalMs
  return (status < 500 || status === 503) && isWithin
}

async function costOf(
  server: Peer,
  tenants: StoredTenants,
  hostile: HostileRequest,
  rounds: number,
): Promise<Cost> {
  const headers = {
    Authorization: `Bearer ${tokenOf(tenants, hostile)}`,
    'Content-Type': 'application/scim+json',
  }
  let [status, answer] = [0, '']
  let spent = { processorMs: Number.POSITIVE_INFINITY, servingMs: Number.POSITIVE_INFINITY }
  const paths = [hostile.path, ...(hostile.morePaths ?? [])]
  for (let round = 0; round < rounds && (round < paths.length || paths.length === 1); round++) {
    if (round > 0 && paths.length > 1) await idle(server)
    if (hostile.reset !== undefined) await send(server.port, hostile.reset, headers)
    const [processorBefore, servingBefore] = [exactProcessorMs(server), servingMs(server)]
    ;({ status, answer } = await send(
      server.port,
      { ...hostile, path: paths[round] ?? hostile.path },
      headers,
    ))
    spent = {
      processorMs: Math.min(spent.processorMs, exactProcessorMs(server) - processorBefore),
      servingMs: Math.min(spent.servingMs, servingMs(server) - servingBefore),
    }
  }
  const sentBytes = hostile.path.length + Buffer.byteLength(hostile.body ?? '')
  return {
    request: hostile,
    status,
    answer,
    sentBytes,
    answeredBytes: Buffer.byteLength(answer),
    ...spent,
  }
}

/** Resolves when the server does nothing any more after an answer. */
async function idle(server: Peer): Promise<void> {
  for (let before = -IDLE_MS; exactProcessorMs(server) - before > 1; ) {
    before = exactProcessorMs(server)
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  }
}

/**
 * Uses a separate connection: a server that rejects a body closes it, and may respond before it was sent completely.
 */
function send(
  port: number,
  { method, path, body }: Pick<HostileRequest, 'method' | 'path' | 'body'>,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; answer: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false })
    sent.on('response', async (response) => {
      let answer = ''
      for await (const chunk of response.setEncoding('utf8')) answer += chunk
      resolve({ status: response.statusCode ?? 0, answer })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

function tokenOf(tenants: StoredTenants, { tenant, token }: HostileRequest): string {
  const { id, token: provision, readToken } = tenants[tenant]
  switch (token) {
    case 'provision':
      return provision
    case 'read':
      return readToken
    case 'administrator':
      return ADMIN_TOKEN
    case 'forged':
      return `scim_${id}_${randomBytes(32).toString('base64url')}`
  }
}

function print(costs: readonly Cost[]): void {
  const kinds = Map.groupBy(costs, ({ request }) => request.kind)
  const worst = Array.from(kinds, ([, all]) => all.toSorted((a, b) => b.processorMs - a.processorMs)[0])
  const header = [
    'kind',
    'request',
    'status',
    'KB sent',
    'KB answered',
    'ms',
    'ms serving',
    'ms per 100 KB sent',
  ]
  console.log(
    `The worst of each kind, of ${costs.length} requests; at most ${GOAL_MS} ms, more with thousands of members\n`,
  )
  console.log(markdownTable(header, worst.filter((cost) => cost !== undefined).map(cellsOf)))
  console.log('\nAll of them, the most costly first\n')
  console.log(markdownTable(header, costs.toSorted((a, b) => b.processorMs - a.processorMs).map(cellsOf)))
  for (const cost of costs.filter((one) => !isRight(one))) {
    console.error(
      `${cost.request.name}: ${cost.status} after ${figure(cost.processorMs)} ms, ${figure(cost.servingMs)} of them serving, ${cost.answer.slice(0, 200)}`,
    )
  }
}

function rowOf({ request: { kind, name }, answer: _, ...cost }: Cost) {
  return { kind, name, ...cost }
}

function cellsOf(cost: Cost): readonly string[] {
  const { request, status, sentBytes, answeredBytes, processorMs, servingMs: serving } = cost
  return [
    request.kind,
    request.name,
    String(status),
    figure(sentBytes / 1024),
    figure(answeredBytes / 1024),
    figure(processorMs),
    figure(serving),
    // The ratio is meaningless for requests with hardly any bytes.
    sentBytes < 10_000 ? '' : figure((processorMs * 100 * 1024) / sentBytes),
  ]
}
