/**
 * `npm run bench -- move`: how long a tenant takes from one local database to another, and in how many calls of the runner
 * that each keep to the queries of an invocation. Two SQLite files with D1's limits; afterwards both are compared.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { uuidv7 } from 'uuidv7'
import { runJob } from '../../src/provider/jobs/runner.ts'
import { startMove } from '../../src/provider/jobs/start.ts'
import { SqliteD1 } from '../../src/sqlite/d1.ts'
import type { OpenFile } from '../../src/sqlite/open.ts'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { getJob } from '../../src/storage/tenants/jobs.ts'
import { catalogueOf, type Databases } from '../../src/storage/tenants/locations.ts'
import { fillTenant, openMigrated, TENANT, timed } from './local-tenant.ts'
import { wholeFrom } from './options.ts'
import { readOptions, runSection } from './section.ts'
import { markdownTable } from './table.ts'

await runSection(main)

async function main(): Promise<number> {
  const values = readOptions('move')
  const users = wholeFrom(1, 'users', values.users)
  const memberships = wholeFrom(0, 'memberships', values.memberships)
  const maxStatements = wholeFrom(50, 'queries', values.queries)
  const folder = mkdtempSync(join(tmpdir(), 'bench-move-'))
  try {
    const files = ['DB', 'DB2'].map((name) => openMigrated(join(folder, `${name}.sqlite`)))
    const result = {
      users,
      memberships,
      maxStatements,
      ...(await moved(files, users, memberships, maxStatements)),
    }
    print(result)
    if (values.out !== undefined) writeFileSync(values.out, JSON.stringify(result))
    for (const file of files) file.close()
    return result.isSame ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function moved(files: readonly OpenFile[], users: number, memberships: number, maxStatements: number) {
  const [source, target] = files.map(({ database }) => database) as [DatabaseSync, DatabaseSync]
  fillTenant(source, users, memberships)
  const before = digest(source)
  const batches = { longestMs: 0, queries: 0 }
  const databases = timed(databasesOf(files), batches)
  const job = {
    databases,
    resourceTypes: RESOURCE_TYPES,
    tenantId: TENANT,
    home: 'DB',
    newId: uuidv7,
    now: Date.now(),
  }
  const { id } = await startMove(job, 'DB2')
  const seconds: Record<string, number> = {}
  let calls = 0
  for (let pause: number | undefined = 0; pause !== undefined; calls++) {
    const step = (await getJob(catalogueOf(databases), TENANT, id))?.step ?? ''
    const started = performance.now()
    pause = await runJob({ databases, resourceTypes: RESOURCE_TYPES, maxStatements, now: Date.now }, TENANT)
    seconds[step] = (seconds[step] ?? 0) + (performance.now() - started) / 1_000
  }
  const found = await getJob(catalogueOf(databases), TENANT, id)
  const isSame = found?.state === 'done' && digest(target) === before && digest(source) === ''
  const total = Object.values(seconds).reduce((sum, one) => sum + one, 0)
  return { calls, seconds, total, isSame, ...batches, maxMemoryBytes: process.resourceUsage().maxRSS * 1_024 }
}

function databasesOf(files: readonly OpenFile[]): Databases {
  const [first, second] = files.map(({ database }) => new SqliteD1(database).binding)
  if (first === undefined || second === undefined) throw new Error('two files are needed')
  const opened = { DB: first, DB2: second }
  return {
    names: ['DB', 'DB2'],
    maxBytes: Number.POSITIVE_INFINITY,
    open: (name) => openDatabase(opened[name as keyof typeof opened], noFigures(), Number.POSITIVE_INFINITY),
  }
}

/** What a database holds of the tenant, in a few numbers; an empty text when it holds nothing. */
function digest(database: DatabaseSync): string {
  const row = database
    .prepare(
      `SELECT user_count AS users, group_count AS groups, membership_count AS memberships,
        (SELECT sum(octet_length(data) + octet_length(keys)) FROM users WHERE tenant_id = ?1) AS bytes,
        (SELECT count(*) FROM memberships WHERE tenant_id = ?1) AS rows FROM tenants WHERE id = ?1`,
    )
    .get(TENANT)
  return row === undefined ? '' : JSON.stringify(row)
}

function print(
  result: Awaited<ReturnType<typeof moved>> & { users: number; memberships: number; maxStatements: number },
) {
  const { users, memberships, maxStatements, calls, seconds, total, isSame, longestMs, maxMemoryBytes } =
    result
  const rows = Object.entries(seconds).map(([step, time]) => [step, time.toFixed(1)])
  console.log(
    markdownTable(['step at the start of a call', 'seconds'], [...rows, ['together', total.toFixed(1)]]),
  )
  console.log(
    `\n${users} users with ${memberships} memberships each: ${calls} calls of ${maxStatements} queries at most; ` +
      `the copy is ${isSame ? 'the same, and the source is empty' : 'NOT the same'}. ` +
      `${((total * 1_000_000) / users).toFixed(0)} s for a million users; the longest batch took ${longestMs.toFixed(0)} ms; ` +
      `the process had ${(maxMemoryBytes / 1024 / 1024).toFixed(0)} MiB at most, the filling of the source included.`,
  )
}
