/**
 * Throughput of the server on Deno and on Node.js, against the Worker under `wrangler dev` and against the
 * floor (the same runtime, one statement, no SCIM), measured in one run: read the ratios, not the numbers.
 *
 *   node test/bench/runtimes.ts [--seconds 3] [--connections 10] [--out bench-runtimes.json]
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { httpRequest, type LoadResult, measure } from './runtimes/load.ts'
import {
  type BenchServer,
  build,
  cleanUp,
  isAvailable,
  processorMs,
  type ServerName,
  start,
  stop,
} from './runtimes/servers.ts'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
const WARM_UP_SECONDS = 1
const SEEDED_USERS = 200

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '10' },
    out: { type: 'string' },
  },
})
const seconds = Number(values.seconds)
const connections = Number(values.connections)

interface Result extends LoadResult {
  /** Processor time of the server for one request: other programs disturb it less than the throughput. */
  readonly cpuMs: number
}

type Results = Record<string, Result>

const results: Partial<Record<ServerName, Results>> = {}
try {
  build()
  for (const name of ['wrangler dev', 'floor Deno', 'Deno', 'floor Node.js', 'Node.js'] as const) {
    if (!isAvailable(name)) continue
    const server = await start(name)
    results[name] = name.startsWith('floor') ? await measureFloor(server) : await measureScim(server)
    await stop(server)
  }
  printTable()
  if (values.out !== undefined)
    writeFileSync(values.out, JSON.stringify({ seconds, connections, results }, null, 2))
} finally {
  cleanUp()
}

async function measureFloor(server: BenchServer): Promise<Results> {
  const json = { 'Content-Type': 'application/json' }
  const read = httpRequest('GET', '/', {})
  const write = httpRequest('POST', '/', json, JSON.stringify({ text: 'x'.repeat(300) }))
  return { read: await load(server, () => read), write: await load(server, () => write) }
}

async function measureScim(server: BenchServer): Promise<Results> {
  const { port } = server
  const headers = {
    Authorization: `Bearer ${await newToken(server)}`,
    'Content-Type': 'application/scim+json',
  }
  const post = async (path: string, body: unknown) => {
    const url = `http://127.0.0.1:${port}/scim/v2${path}`
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    return ((await answer.json()) as { id: string }).id
  }
  const ids: string[] = []
  for (let i = 0; i < SEEDED_USERS; i++) ids.push(await post('/Users', user(`seed-${i}`)))
  const group = await post('/Groups', { schemas: [GROUP], displayName: 'Everybody' })
  const send = (method: string, path: string, body?: unknown) =>
    httpRequest(method, `/scim/v2${path}`, headers, body === undefined ? undefined : JSON.stringify(body))

  let number = 0
  const patched = () => ids[number++ % ids.length]
  const operation = (op: string, path: string, value: unknown) => ({
    schemas: [PATCH_OP],
    Operations: [{ op, path, value }],
  })
  const filter = (name: string) => `/Users?filter=${encodeURIComponent(`userName eq "${name}"`)}`
  // A member that is there already costs less, so each is taken out again.
  let round = 0
  const member = () => {
    const value = [{ value: ids[round % ids.length] }]
    const op = Math.floor(round++ / ids.length) % 2 === 0 ? 'Add' : 'Remove'
    return send('PATCH', `/Groups/${group}`, operation(op, 'members', value))
  }
  return {
    create: await load(server, () => send('POST', '/Users', user(`new-${number++}`))),
    patch: await load(server, () =>
      send('PATCH', `/Users/${patched()}`, operation('Replace', 'displayName', `Name ${number}`)),
    ),
    filter: await load(server, () => send('GET', filter(`seed-${number++ % ids.length}@quillfern.example`))),
    'add member': await load(server, member),
  }
}

function user(name: string) {
  return {
    schemas: [USER],
    userName: `${name}@quillfern.example`,
    externalId: name,
    displayName: name,
    active: true,
    name: { givenName: 'Given', familyName: name },
    emails: [{ type: 'work', value: `${name}@quillfern.example`, primary: true }],
  }
}

async function newToken({ port, adminToken }: BenchServer): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/admin/api/tenants/default/tokens`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'Benchmark' }),
  })
  return ((await answer.json()) as { token: string }).token
}

async function load(server: BenchServer, next: () => string): Promise<Result> {
  const { port } = server
  await measure({ port, connections, seconds: WARM_UP_SECONDS, next })
  const before = processorMs(server)
  const result = await measure({ port, connections, seconds, next })
  const cpuMs = (processorMs(server) - before) / (result.perSecond * seconds)
  if (result.failed > 0) console.error(`${result.failed} failed, first: ${result.failure?.slice(0, 300)}`)
  return { ...result, cpuMs }
}

function printTable(): void {
  const rate = (name: ServerName, what: string) => results[name]?.[what]?.perSecond
  const dev = (what: string) => rate('wrangler dev', what) ?? Number.NaN
  console.log(
    `requests/s at ${connections} connections; x: times wrangler dev; f: of the floor of the runtime`,
  )
  for (const name of ['Deno', 'Node.js'] as const) {
    if (results[name] === undefined) continue
    console.log(
      `\n${name}: floor read ${rate(`floor ${name}`, 'read')?.toFixed(0)}, write ${rate(`floor ${name}`, 'write')?.toFixed(0)}, cpu ${results[`floor ${name}`]?.read?.cpuMs.toFixed(3)} and ${results[`floor ${name}`]?.write?.cpuMs.toFixed(3)} ms`,
    )
    for (const what of ['create', 'patch', 'filter', 'add member']) {
      const own = rate(name, what) ?? Number.NaN
      const floor = rate(`floor ${name}`, what === 'filter' ? 'read' : 'write') ?? Number.NaN
      const { p50Ms = 0, p99Ms = 0, cpuMs = 0 } = results[name]?.[what] ?? {}
      const cells = [own.toFixed(0), `${(own / dev(what)).toFixed(1)}x`, `${(own / floor).toFixed(2)}f`]
      const times = `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, cpu ${cpuMs.toFixed(3)} ms`
      console.log(
        `  ${what.padEnd(12)} ${cells.map((cell) => cell.padStart(9)).join('')}   ${times}   (dev ${dev(what).toFixed(0)})`,
      )
    }
  }
}
