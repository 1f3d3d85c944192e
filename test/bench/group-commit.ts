/**
 * The gain of group commit: 50 clients add members to a group concurrently, with writes alone and batched, in turn. The
 * database responds immediately or 20 ms later. Everything runs in one process: the SCIM app on a SQLite file, without
 * sockets.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, openDatabase } from '../../src/storage/database/database.ts'
import { openInProcess } from './in-process.ts'
import { ratiosOf, spreadOf } from './load/statistics.ts'
import { wholeFrom } from './options.ts'
import { readOptions, runSection } from './section.ts'
import { figure, markdownTable } from './table.ts'

const CLIENTS = 50
/** The added latency of the database, the writes of each client in a round, and the goal. */
const CASES = [
  { delayMs: 0, each: 20, goal: 1.5 },
  { delayMs: 20, each: 2, goal: 5 },
] as const

const values = readOptions('group-commit')
const folder = mkdtempSync(join(tmpdir(), 'bench-group-commit-'))
await runSection(main)
rmSync(folder, { recursive: true })

async function main(): Promise<number> {
  const rounds = wholeFrom(1, 'rounds', values.rounds)
  const results = []
  for (const { delayMs, each, goal } of CASES) {
    const alone: number[] = []
    const together: number[] = []
    for (let round = 0; round < rounds; round++) {
      alone.push(await writesPerSecond(delayMs, each, 1))
      together.push(await writesPerSecond(delayMs, each, undefined))
    }
    results.push({ delayMs, goal, alone, together, ratio: spreadOf(ratiosOf(together, alone)) })
  }
  const rows = results.map(({ delayMs, goal, alone, together, ratio: { median, min, max } }) => [
    `${delayMs} ms`,
    figure(spreadOf(alone).median),
    figure(spreadOf(together).median),
    `${figure(median)} (${figure(min)} to ${figure(max)})`,
    `${goal} ${median >= goal ? 'reached' : 'NOT REACHED'}`,
  ])
  console.log(`Members added by ${CLIENTS} clients to one group, writes a second\n`)
  console.log(markdownTable(['more for each round trip', 'alone', 'together', 'ratio', 'goal'], rows))
  if (values.out !== undefined) writeFileSync(values.out, JSON.stringify(results, null, 2))
  return 0
}

/** @param maxWrites the maximum number of writes in a batch */
async function writesPerSecond(
  delayMs: number,
  each: number,
  maxWrites: number | undefined,
): Promise<number> {
  const server = await openInProcess({
    folder,
    maxWrites,
    open: (binding, figures) => delayed(openDatabase(binding, figures, Infinity), delayMs),
  })
  try {
    const users = await Promise.all(
      Array.from({ length: CLIENTS * each }, (_, i) => server.create('/Users', { userName: `user ${i}` })),
    )
    const group = await server.create('/Groups', { displayName: 'Group' })
    const started = performance.now()
    await Promise.all(
      Array.from({ length: CLIENTS }, async (_, client) => {
        for (const value of users.slice(client * each, (client + 1) * each)) {
          const Operations = [{ op: 'add', path: 'members', value: [{ value }] }]
          await server.send('PATCH', `/Groups/${group}`, { Operations }, 204)
        }
      }),
    )
    return (users.length * 1_000) / (performance.now() - started)
  } finally {
    server.close()
  }
}

function delayed(database: Database, delayMs: number): Database {
  if (delayMs === 0) return database
  return {
    batch: async (statements) => {
      await new Promise((wait) => setTimeout(wait, delayMs))
      return await database.batch(statements)
    },
  }
}
