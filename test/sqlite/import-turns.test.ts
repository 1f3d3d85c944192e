/** An import in one process with requests: they have a turn while its lines are read. */
import { join } from 'node:path'
import { uuidv7 } from 'uuidv7'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { runJob } from '../../src/provider/jobs/runner.ts'
import { beginImport, startImport } from '../../src/provider/jobs/start.ts'
import { exportedText } from '../../src/provider/transfer/export-lines.ts'
import { storeUpload } from '../../src/provider/transfer/upload.ts'
import { SqliteD1 } from '../../src/sqlite/d1.ts'
import { migrate } from '../../src/sqlite/migrations.ts'
import { type OpenFile, openFile } from '../../src/sqlite/open.ts'
import {
  type Database,
  MAX_QUERIES_FREE,
  noFigures,
  openDatabase,
} from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import type { Databases } from '../../src/storage/tenants/locations.ts'
import { getTenant } from '../../src/storage/tenants/queries.ts'
import { temporaryFolder } from '../deno/support/server.ts'
import { MIGRATIONS } from '../support/migrations.ts'

const USERS = 1_000

let file: OpenFile
beforeEach(() => {
  file = openFile(join(temporaryFolder(), 'DB.sqlite'), { synchronous: 'NORMAL', busyTimeoutMs: 1_000 })
  migrate(file.database, MIGRATIONS)
  file.database.exec(`INSERT INTO tenants (id, name, group_limit, created_at) VALUES ('acme', 'Acme', 200, 0), ('copy', 'Copy', 200, 0);
    WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ${USERS})
    INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
    SELECT 'acme', printf('00000001-0000-7000-8000-%012d', value), user, user, 1, 0, 0
    FROM (SELECT value, json_object('userName', 'user-' || value, 'active', json('true'), 'title', hex(zeroblob(100))) AS user FROM n)`)
})
afterEach(() => file.close())

it('by a job lets others run while its lines are read', async () => {
  let [turns, turnsAtStatement, turnsBetween, isDone] = [0, 0, 0, false]
  const opened = openDatabase(new SqliteD1(file.database).binding, noFigures(), Number.POSITIVE_INFINITY)
  const db: Database = {
    batch(statements) {
      turnsBetween = Math.max(turnsBetween, turns - turnsAtStatement)
      return opened.batch(statements).finally(() => (turnsAtStatement = turns))
    },
  }
  const databases: Databases = { names: ['DB'], maxBytes: Number.POSITIVE_INFINITY, open: () => db }
  const tenant = await getTenant(db, 'acme')
  if (tenant === undefined) throw new Error('no tenant')
  let lines = ''
  for await (const part of exportedText({ db, tenant, types: RESOURCE_TYPES, extensions: [] }, false))
    lines += part
  async function* body() {
    yield new TextEncoder().encode(lines)
  }
  const common = { databases, resourceTypes: RESOURCE_TYPES }
  const start = { ...common, tenantId: 'copy', home: 'DB', newId: uuidv7, now: Date.now() }
  const job = await startImport(start)
  await beginImport(start, job, await storeUpload(db, { tenantId: 'copy', jobId: job.id }, body(), Date.now))
  const others = (async () => {
    for (; !isDone; turns++) await new Promise((resolve) => setTimeout(resolve, 0))
  })()
  await runJob({ ...common, maxStatements: MAX_QUERIES_FREE, now: Date.now }, 'copy').finally(
    () => (isDone = true),
  )
  await others
  expect((await getTenant(db, 'copy'))?.userCount).toBe(USERS)
  // The timers of both may fall into one turn, and the last part is shorter.
  expect(turnsBetween).toBeGreaterThan(lines.length / 60_000)
})
