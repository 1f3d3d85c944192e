/**
 * `npm run bench -- transfer`: how long jobs take to export a tenant and to import its file into another tenant, in how many
 * calls of the runner that each keep to the queries of an invocation. The other tenant is exported too, and the files are
 * compared.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { uuidv7 } from 'uuidv7'
import { runJob } from '../../src/provider/jobs/runner.ts'
import { beginImport, type JobStart, startExport, startImport } from '../../src/provider/jobs/start.ts'
import { openExportFile } from '../../src/provider/transfer/export-file.ts'
import { storeUpload } from '../../src/provider/transfer/upload.ts'
import { SqliteD1 } from '../../src/sqlite/d1.ts'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { getJob } from '../../src/storage/tenants/jobs.ts'
import { catalogueOf, type Databases } from '../../src/storage/tenants/locations.ts'
import { fillTenant, openMigrated, TENANT, timed } from './local-tenant.ts'
import { wholeFrom } from './options.ts'
import { readOptions, runSection } from './section.ts'
import { markdownTable } from './table.ts'

const COPY = 'copy'

await runSection(main)

async function main(): Promise<number> {
  const values = readOptions('transfer')
  const users = wholeFrom(1, 'users', values.users)
  const memberships = wholeFrom(0, 'memberships', values.memberships)
  const maxStatements = wholeFrom(50, 'queries', values.queries)
  const folder = mkdtempSync(join(tmpdir(), 'bench-transfer-'))
  try {
    const file = openMigrated(join(folder, 'DB.sqlite'))
    fillTenant(file.database, users, memberships)
    file.database.exec(
      `INSERT INTO tenants (id, name, group_limit, created_at) VALUES ('${COPY}', 'Copy', ${users * memberships + 1}, 0)`,
    )
    const { binding } = new SqliteD1(file.database)
    const result = { users, memberships, maxStatements, ...(await transferred(binding, maxStatements)) }
    print(result)
    if (values.out !== undefined) writeFileSync(values.out, JSON.stringify(result))
    file.close()
    return result.isSame ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Phase {
  readonly seconds: number
  /** Calls of the runner; 0 for a request. */
  readonly calls: number
  readonly queries: number
  readonly longestMs: number
}

async function transferred(binding: SqliteD1['binding'], maxStatements: number) {
  const figures = { longestMs: 0, queries: 0 }
  const databases: Databases = timed(
    {
      names: ['DB'],
      maxBytes: Number.POSITIVE_INFINITY,
      open: () => openDatabase(binding, noFigures(), Number.POSITIVE_INFINITY),
    },
    figures,
  )
  const phases: Record<string, Phase> = {}
  const measure = async <Result>(name: string, work: () => Promise<[calls: number, result: Result]>) => {
    Object.assign(figures, { longestMs: 0, queries: 0 })
    const started = performance.now()
    const [calls, result] = await work()
    phases[name] = { seconds: (performance.now() - started) / 1_000, calls, ...figures }
    return result
  }
  const run = async (tenantId: string) => {
    let calls = 0
    for (let pause: number | undefined = 0; pause !== undefined; calls++) {
      pause = await runJob(
        { databases, resourceTypes: RESOURCE_TYPES, maxStatements, now: Date.now },
        tenantId,
      )
    }
    return calls
  }
  const exportOf = async (tenantId: string, name: string) => {
    const { id: jobId } = await startExport(startOf(databases, tenantId), false)
    await measure(name, async () => [await run(tenantId), undefined])
    return { tenantId, jobId }
  }
  const file = await exportOf(TENANT, 'export')
  const parts = await measure('download', async () => [0, await bytesOf(databases, file)])
  const start = startOf(databases, COPY)
  const job = await startImport(start)
  await measure('upload', async () => {
    const upload = { tenantId: COPY, jobId: job.id }
    const lines = await storeUpload(databases.open('DB'), upload, inTurn(parts), Date.now)
    return [0, await beginImport(start, job, lines)]
  })
  const [stored] = await databases
    .open('DB')
    .batch([
      { sql: 'SELECT sum(length(data)) AS bytes FROM transfer_chunks WHERE tenant_id = ?1', params: [COPY] },
    ])
  await measure('import', async () => [await run(COPY), undefined])
  const again = await bytesOf(databases, await exportOf(COPY, 'export again'))
  const found = await getJob(catalogueOf(databases), COPY, job.id)
  const isSame = found?.state === 'done' && digestOf(parts) === digestOf(again)
  return {
    phases,
    bytes: parts.reduce((sum, { length }) => sum + length, 0),
    storedBytes: Number(stored?.rows[0]?.bytes),
    isSame,
    maxMemoryBytes: process.resourceUsage().maxRSS * 1_024,
  }
}

function startOf(databases: Databases, tenantId: string): JobStart {
  return { databases, resourceTypes: RESOURCE_TYPES, tenantId, home: 'DB', newId: uuidv7, now: Date.now() }
}

async function bytesOf(
  databases: Databases,
  file: { tenantId: string; jobId: string },
): Promise<readonly Uint8Array[]> {
  const bytes = await openExportFile(databases.open('DB'), file)
  if (bytes === undefined) throw new Error('the export failed')
  const parts: Uint8Array[] = []
  for await (const part of bytes) parts.push(part)
  return parts
}

async function* inTurn(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts
}

function digestOf(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

function print(
  result: Awaited<ReturnType<typeof transferred>> & {
    users: number
    memberships: number
    maxStatements: number
  },
) {
  const { users, memberships, maxStatements, phases, bytes, storedBytes, isSame, maxMemoryBytes } = result
  const rows = Object.entries(phases).map(([name, { seconds, calls, queries, longestMs }]) => [
    name,
    seconds.toFixed(1),
    String(calls),
    String(queries),
    longestMs.toFixed(0),
  ])
  console.log(markdownTable(['phase', 'seconds', 'calls', 'queries', 'longest batch in ms'], rows))
  const mib = (count: number) => (count / 1024 / 1024).toFixed(1)
  console.log(
    `\n${users} users with ${memberships} memberships each, calls of ${maxStatements} queries at most: ` +
      `the file has ${mib(bytes)} MiB, ${mib(storedBytes)} MiB as stored; both exports are ${isSame ? 'the same' : 'NOT the same'}. ` +
      `The process had ${mib(maxMemoryBytes)} MiB at most, the two files included.`,
  )
}
