/**
 * How long a step of a job keeps everybody else waiting on one machine, where a process does one thing at a time: the
 * processor time of the longest batch.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runJob } from '../../src/provider/jobs/runner.ts'
import {
  beginImport,
  startCleanup,
  startExport,
  startImport,
  startMove,
} from '../../src/provider/jobs/start.ts'
import { storeUpload } from '../../src/provider/transfer/upload.ts'
import { SqliteD1 } from '../../src/sqlite/d1.ts'
import { migrate } from '../../src/sqlite/migrations.ts'
import { type OpenFile, openFile } from '../../src/sqlite/open.ts'
import { MAX_QUERIES_FREE, noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { deleteTenant } from '../../src/storage/tenants/deletion.ts'
import { getJob } from '../../src/storage/tenants/jobs.ts'
import type { Databases } from '../../src/storage/tenants/locations.ts'
import { getTenant } from '../../src/storage/tenants/queries.ts'
import { temporaryFolder } from '../deno/support/server.ts'
import { MIGRATIONS } from '../support/migrations.ts'

const LONGEST_MS = 100
const USERS = 12_000
const LARGE_USERS = 100
const GROUPS = 12

let files: OpenFile[]
beforeEach(() => {
  const folder = temporaryFolder()
  files = ['DB', 'DB2'].map((name) => {
    const file = openFile(join(folder, `${name}.sqlite`), { synchronous: 'NORMAL', busyTimeoutMs: 1_000 })
    migrate(file.database, MIGRATIONS)
    return file
  })
  fill(files[0]?.database as DatabaseSync)
})
afterEach(() => {
  for (const file of files) file.close()
})

/** Users as Entra sends them, and some that are almost as large as they may be. */
function fill(database: DatabaseSync): void {
  const insert = (count: number, kind: number, bytes: number) =>
    database.exec(`WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ${count})
      INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
      SELECT 'acme', printf('0000000${kind}-0000-7000-8000-%012d', value), user, user, 1, 0, 0
      FROM (SELECT value, json_object('userName', 'user-${kind}-' || value, 'externalId', 'e-${kind}-' || value,
        'displayName', 'User ' || value, 'title', hex(zeroblob(${bytes / 2}))) AS user FROM n)`)
  database.exec("INSERT INTO tenants (id, name, group_limit, created_at) VALUES ('acme', 'Acme', 200, 0)")
  insert(USERS, 1, 1_200)
  insert(LARGE_USERS, 2, 900_000)
}

/** @returns the databases, and the processor time of their longest batch, in milliseconds */
function measured(): { databases: Databases; longestMs: () => number } {
  const bindings = new Map(['DB', 'DB2'].map((name, i) => [name, new SqliteD1(fileAt(i)).binding]))
  let longestMs = 0
  const open = (name: string) => {
    const binding = bindings.get(name)
    if (binding === undefined) throw new Error(`there is no file ${name}`)
    const db = openDatabase(binding, noFigures(), Number.POSITIVE_INFINITY)
    return {
      async batch(...[statements]: Parameters<typeof db.batch>) {
        const before = process.cpuUsage()
        const results = await db.batch(statements)
        const { user, system } = process.cpuUsage(before)
        longestMs = Math.max(longestMs, (user + system) / 1_000)
        return results
      },
    }
  }
  const databases: Databases = { names: ['DB', 'DB2'], maxBytes: Number.POSITIVE_INFINITY, open }
  return { databases, longestMs: () => longestMs }
}

function fileAt(index: number): DatabaseSync {
  return files[index]?.database as DatabaseSync
}

function usersIn(index: number): unknown {
  return fileAt(index).prepare("SELECT count(*) AS n FROM users WHERE tenant_id = 'acme'").get()?.n
}

/** Users in three groups. */
async function* importedLines(): AsyncGenerator<Uint8Array> {
  const idOf = (kind: number, number: number) =>
    `0000000${kind}-0000-7000-8000-${String(number).padStart(12, '0')}`
  const line = (record: object) => `${JSON.stringify(record)}\n`
  const resource = (kind: string, id: string, attributes: object) =>
    line({ kind, id, version: 1, createdAt: 0, lastModified: 0, resource: attributes })
  const numbers = Array.from({ length: USERS }, (_, number) => number)
  const groups = [0, 1, 2]
  const text = [
    ...numbers.map((number) =>
      resource('user', idOf(3, number), {
        userName: `user-${number}@quillfern.example`,
        externalId: `e-${number}`,
        displayName: `User ${number}`,
        active: true,
        title: 't'.repeat(600),
      }),
    ),
    ...groups.map((group) => resource('group', idOf(4, group), { displayName: `Group ${group}` })),
    ...groups.flatMap((group) =>
      numbers.map((number) =>
        line({ kind: 'membership', groupId: idOf(4, group), memberId: idOf(3, number), memberType: 'User' }),
      ),
    ),
  ].join('')
  const sha256 = createHash('sha256').update(text).digest('hex')
  const end = { kind: 'end', users: USERS, groups: 3, memberships: 3 * USERS, sha256 }
  yield new TextEncoder().encode(text + line(end))
}

async function runToEnd(databases: Databases, tenantId = 'acme'): Promise<void> {
  const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements: MAX_QUERIES_FREE, now: Date.now }
  while ((await runJob(run, tenantId)) !== undefined);
}

const startOf = (databases: Databases) => ({
  databases,
  resourceTypes: RESOURCE_TYPES,
  tenantId: 'acme',
  home: 'DB',
  newId: () => crypto.randomUUID(),
  now: Date.now(),
})

/** Tried again: the longest of thousands of measurements includes what the garbage collector and a busy machine add at times. */
const MEASURED = { timeout: 120_000, retry: 2 }

describe('a step of a job', MEASURED, () => {
  it('of a move takes less than a tenth of a second', async () => {
    const { databases, longestMs } = measured()
    await startMove(startOf(databases), 'DB2')
    await runToEnd(databases)
    expect([usersIn(0), usersIn(1)]).toEqual([0, USERS + LARGE_USERS])
    expect(longestMs()).toBeLessThan(LONGEST_MS)
  })

  it('of an export takes less than a tenth of a second', async () => {
    const { databases, longestMs } = measured()
    const { id } = await startExport(startOf(databases), false)
    await runToEnd(databases)
    expect(await getJob(databases.open('DB'), 'acme', id)).toMatchObject({ state: 'done' })
    expect(longestMs()).toBeLessThan(LONGEST_MS)
  })

  it('of an import takes less than a tenth of a second', async () => {
    const { databases, longestMs } = measured()
    fileAt(0).exec("INSERT INTO tenants (id, name, group_limit, created_at) VALUES ('copy', 'Copy', 200, 0)")
    const start = { ...startOf(databases), tenantId: 'copy' }
    const job = await startImport(start)
    const file = { tenantId: 'copy', jobId: job.id }
    await beginImport(start, job, await storeUpload(databases.open('DB'), file, importedLines(), Date.now))
    await runToEnd(databases, 'copy')
    const { userCount, membershipCount } = (await getTenant(databases.open('DB'), 'copy')) ?? {}
    expect([userCount, membershipCount]).toEqual([USERS, 3 * USERS])
    expect(longestMs()).toBeLessThan(LONGEST_MS)
  })

  it('of a deletion takes less than a tenth of a second', async () => {
    const { databases, longestMs } = measured()
    expect(await deleteTenant(databases.open('DB'), RESOURCE_TYPES, { id: 'acme', maxBatches: 1 })).toBe(
      'deleting',
    )
    await startCleanup(startOf(databases), 'delete')
    await runToEnd(databases)
    expect(usersIn(0)).toBe(0)
    expect(longestMs()).toBeLessThan(LONGEST_MS)
  })

  it('after the deletion of a group takes less than a tenth of a second', async () => {
    const { databases, longestMs } = measured()
    const database = fileAt(0)
    database.exec(`WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ${GROUPS})
      INSERT INTO groups (tenant_id, id, data, keys, version, created_at, last_modified, member_count)
      SELECT 'acme', 'group-' || value, '{}', '{}', 1, 0, 0, ${USERS + LARGE_USERS} FROM n;
      INSERT INTO memberships (tenant_id, group_id, member_id, member_type)
      SELECT 'acme', groups.id, users.id, 'User' FROM groups CROSS JOIN users;
      DELETE FROM groups WHERE id = 'group-1'`)
    await runToEnd(databases)
    const left = database.prepare('SELECT count(*) AS n FROM memberships').get()?.n
    expect(left).toBe((GROUPS - 1) * (USERS + LARGE_USERS))
    expect(longestMs()).toBeLessThan(LONGEST_MS)
  })
})
