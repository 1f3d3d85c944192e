/**
 * The gain of joint writes: 1 and 50 clients create users, and patch users that they have just created, with and without
 * joint writes in turn. Each round trip to the database takes 20 ms, and the database is busy with each transaction for
 * the given time, in which it runs no other. Everything runs in one process: the SCIM app on a SQLite file, without sockets.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type D1Binding, noFigures, openDatabase } from '../../src/storage/database/database.ts'
import {
  CurrentWrites,
  type Joint,
  JointWrites,
  withJointWrites,
} from '../../src/storage/database/joint-writes.ts'
import { openInProcess } from './in-process.ts'
import { quantile, ratiosOf, spreadOf } from './load/statistics.ts'
import { wholeFrom } from './options.ts'
import { readOptions, runSection } from './section.ts'
import { figure, markdownTable } from './table.ts'

const ROUND_TRIP_MS = 20
/** For 50 clients that write, at 20 ms in which the database is busy with each transaction. */
const GOAL = 5
/** How long a transaction keeps the database busy, the clients, and the writes of each client in a round. */
const CASES = [0, 5, 20].flatMap((busyMs) => [
  { busyMs, clients: 1, each: 10 },
  { busyMs, clients: 50, each: busyMs === 0 ? 12 : 4 },
])
const KINDS = ['create', 'patch'] as const

const values = readOptions('joint-writes')
const folder = mkdtempSync(join(tmpdir(), 'bench-joint-writes-'))
await runSection(main)
rmSync(folder, { recursive: true })

/** The writes of one round. */
interface Slice {
  readonly perSecond: number
  readonly medianMs: number
}

async function main(): Promise<number> {
  const rounds = wholeFrom(1, 'rounds', values.rounds)
  const results = []
  for (const one of CASES) {
    const alone: Record<(typeof KINDS)[number], Slice>[] = []
    const together: typeof alone = []
    for (let round = 0; round < rounds; round++) {
      alone.push(await slices(one, false))
      together.push(await slices(one, true))
    }
    for (const kind of KINDS) {
      const [before, after] = [alone, together].map((list) => list.map((slice) => slice[kind]))
      if (before && after) results.push({ ...one, kind, before, after })
    }
  }
  const rows = results.map(({ busyMs, clients, kind, before, after }) => {
    const speeds = [before, after].map((list) => list.map(({ perSecond }) => perSecond))
    const { median, min, max } = spreadOf(ratiosOf(speeds[1] ?? [], speeds[0] ?? []))
    const [medianBefore, medianAfter] = [before, after].map(
      (list) => spreadOf(list.map(({ medianMs }) => medianMs)).median,
    )
    const goal = busyMs === 20 && clients > 1 ? `${GOAL} ${median >= GOAL ? 'reached' : 'NOT REACHED'}` : ''
    return [
      `${busyMs} ms`,
      kind,
      String(clients),
      ...speeds.map((list) => figure(spreadOf(list).median)),
      `${figure(median)} (${figure(min)} to ${figure(max)})`,
      `${figure(medianBefore ?? 0)} → ${figure(medianAfter ?? 0)} ms`,
      goal,
    ]
  })
  console.log(`Writes of users in one tenant, ${ROUND_TRIP_MS} ms for each round trip, writes a second\n`)
  console.log(
    markdownTable(
      ['busy for each transaction', 'write', 'clients', 'alone', 'joint', 'ratio', 'median time', 'goal'],
      rows,
    ),
  )
  if (values.out !== undefined) writeFileSync(values.out, JSON.stringify(results, null, 2))
  return 0
}

async function slices({ busyMs, clients, each }: (typeof CASES)[number], isJoint: boolean) {
  const current = new CurrentWrites(Date.now)
  let distant: D1Binding | undefined
  let queue: JointWrites | undefined
  const server = await openInProcess({
    folder,
    open: (binding, figures) => {
      distant ??= distantDatabase(binding, busyMs)
      const away = distant
      const database = openDatabase(away, figures, Infinity)
      if (!isJoint) return database
      queue ??= new JointWrites(() => openDatabase(away, noFigures(), Infinity), Date.now)
      const writes = queue
      const send: Joint['send'] = ({ resourceId }, statements) => writes.run(resourceId, statements)
      return withJointWrites(database, figures, { current, send })
    },
  })
  try {
    // The first request of a token checks it beforehand.
    await server.create('/Users', { userName: 'first' })
    const ids: string[][] = Array.from({ length: clients }, () => [])
    const create = await timed(clients, each, async (client, i) => {
      const text = await server.send('POST', '/Users', userOf(client, i), 201)
      ids[client]?.push(JSON.parse(text).id)
    })
    const patch = await timed(clients, each, async (client, i) => {
      const Operations = [{ op: 'replace', path: 'title', value: `Title ${i}` }]
      await server.send('PATCH', `/Users/${ids[client]?.[i]}`, { Operations }, 200)
    })
    return { create, patch }
  } finally {
    server.close()
  }
}

/** The attributes that Microsoft Entra sends by default. */
function userOf(client: number, i: number) {
  const userName = `user-${client}-${i}@example.com`
  return {
    userName,
    externalId: `${client}-${i}`,
    active: true,
    displayName: `User ${client} ${i}`,
    title: 'Engineer',
    name: { givenName: 'User', familyName: `${client} ${i}` },
    emails: [{ type: 'work', primary: true, value: userName }],
  }
}

/** Each client sends its next write after the answer to the previous one. */
async function timed(
  clients: number,
  each: number,
  send: (client: number, i: number) => Promise<void>,
): Promise<Slice> {
  const times: number[] = []
  const started = performance.now()
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let i = 0; i < each; i++) {
        const sent = performance.now()
        await send(client, i)
        times.push(performance.now() - sent)
      }
    }),
  )
  const perSecond = (times.length * 1_000) / (performance.now() - started)
  return { perSecond, medianMs: quantile(times, 0.5) }
}

/** A database that is far away, and busy for a while with each transaction. */
function distantDatabase(binding: D1Binding, busyMs: number): D1Binding {
  let isFree: Promise<unknown> = Promise.resolve()
  return {
    prepare: (sql) => binding.prepare(sql),
    async batch<T>(statements: Parameters<D1Binding['batch']>[0]) {
      await pause(ROUND_TRIP_MS / 2)
      const answer = isFree.then(async () => {
        if (busyMs > 0) await pause(busyMs)
        return await binding.batch<T>(statements)
      })
      isFree = answer.catch(() => undefined)
      const results = await answer
      await pause(ROUND_TRIP_MS / 2)
      return results
    },
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}
