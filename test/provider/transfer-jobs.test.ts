/**
 * The jobs that export and import a directory, with few queries in each invocation and interrupted at every point.
 */
import { env } from 'cloudflare:workers'
import { uuidv7 } from 'uuidv7'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runJob } from '../../src/provider/jobs/runner.ts'
import {
  beginImport,
  cancelImport,
  type JobStart,
  startExport,
  startImport,
  startMove,
} from '../../src/provider/jobs/start.ts'
import { openExportFile } from '../../src/provider/transfer/export-file.ts'
import { storeUpload } from '../../src/provider/transfer/upload.ts'
import { type D1Binding, noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { getJob, type Job } from '../../src/storage/tenants/jobs.ts'
import { catalogueOf, type Databases } from '../../src/storage/tenants/locations.ts'
import { pruneChunks } from '../../src/storage/transfer/chunks.ts'
import { clearLocations, threeDatabases } from '../support/databases.ts'
import {
  exported,
  fileOf,
  groupLine,
  idOf,
  imported,
  memberLine,
  sha256,
  userLine,
  users,
} from '../support/directory-file.ts'
import { faultyBinding } from '../support/faults.ts'
import { admin, type Client, newClient } from '../support/harness.ts'
import { soundState } from '../support/tenant-state.ts'

beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined))
afterEach(() => void vi.restoreAllMocks())
afterAll(clearLocations)

/** Statements in one invocation on the free plan. */
const MAX_STATEMENTS = 50
const HOUR_MS = 60 * 60_000

function oneDatabase(wrap: (binding: D1Binding) => D1Binding = (binding) => binding): Databases {
  return {
    names: ['DB'],
    maxBytes: Number.POSITIVE_INFINITY,
    open: () => openDatabase(wrap(env.DB), noFigures()),
  }
}

const startOf = ({ tenantId }: Client, databases = oneDatabase()): JobStart => ({
  databases,
  resourceTypes: RESOURCE_TYPES,
  tenantId,
  home: 'DB',
  newId: uuidv7,
  now: Date.now(),
})

/** Runs the job of a tenant once. */
function run(
  { tenantId }: Client,
  databases = oneDatabase(),
  maxStatements = MAX_STATEMENTS,
  now = Date.now,
) {
  return runJob({ databases, resourceTypes: RESOURCE_TYPES, maxStatements, now }, tenantId)
}

/** Runs the job of a tenant to its end. @returns the number of invocations */
async function runToEnd(client: Client, databases = oneDatabase()): Promise<number> {
  for (let runs = 1; runs < 1_000; runs++) if ((await run(client, databases)) === undefined) return runs
  throw new Error('the job does not end')
}

async function jobOf({ tenantId }: Client, { id }: Pick<Job, 'id'>): Promise<Job> {
  const job = await getJob(catalogueOf(oneDatabase()), tenantId, id)
  if (job === undefined) throw new Error(`there is no job ${id}`)
  return job
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text)
}

/** Stores a file as an upload does. */
async function uploaded(client: Client, text: string): Promise<Job> {
  const start = startOf(client)
  const job = await startImport(start)
  const file = { tenantId: client.tenantId, jobId: job.id }
  const lines = await storeUpload(start.databases.open('DB'), file, once(text), Date.now)
  const begun = await beginImport(start, job, lines)
  if (begun === undefined) throw new Error('the import was cancelled')
  return begun
}

async function fileOfJob(
  { tenantId }: Client,
  { id: jobId }: Pick<Job, 'id'>,
  binding: D1Binding = env.DB,
): Promise<string> {
  const bytes = await openExportFile(openDatabase(binding, noFigures()), { tenantId, jobId })
  if (bytes === undefined) throw new Error('there is no file')
  let text = ''
  const decoder = new TextDecoder()
  for await (const some of bytes) text += decoder.decode(some, { stream: true })
  return text
}

async function exportedByJob(client: Client): Promise<string> {
  const job = await startExport(startOf(client), false)
  await runToEnd(client)
  return await fileOfJob(client, job)
}

async function chunkCount({ tenantId }: Client, binding: D1Binding = env.DB): Promise<number> {
  const { results } = await binding
    .prepare('SELECT count(*) AS n FROM transfer_chunks WHERE tenant_id = ?')
    .bind(tenantId)
    .all<{ n: number }>()
  return Number(results[0]?.n)
}

const stateOf = async ({ tenantId }: Client) => (await admin('GET', `/tenants/${tenantId}`)).body
const EMPTY = { state: 'ready', userCount: 0, groupCount: 0 }

/** A file of several chunks, because its users are long, with groups in groups. */
const [title, nickName] = ['t'.repeat(900), 'n'.repeat(900)]
const PEOPLE = 900
const lines = [
  ...Array.from({ length: PEOPLE }, (_, i) => userLine(i + 1, { title, nickName })),
  groupLine(9_001),
  groupLine(9_002),
  memberLine(9_001, 1),
  memberLine(9_001, PEOPLE),
  memberLine(9_002, 9_001, 'Group'),
]
const file = await fileOf(lines)

/** Compares files of megabytes, which no message should show. */
async function expectSame(found: string, expected: string, message?: string): Promise<void> {
  expect([found.length, await sha256(found)], message).toEqual([expected.length, await sha256(expected)])
}

/** The file as an export of the imported directory writes it. */
async function canonical(): Promise<string> {
  const { tenantId } = await newClient()
  await imported(tenantId, file)
  return await exported(tenantId)
}

describe('a directory that is too large for one invocation', () => {
  it('is exported, imported, and exported again with the same result, 50 queries at a time', {
    timeout: 120_000,
  }, async () => {
    const [from, to] = [await newClient(), await newClient()]
    const people = users(12_000)
    const groups = Array.from({ length: 4 }, (_, i) => groupLine(20_001 + i))
    const members = groups.flatMap((_, i) => people.map((__, j) => memberLine(20_001 + i, j + 1)))
    const { status } = await imported(from.tenantId, await fileOf([...people, ...groups, ...members]))
    expect(status).toBe(200)
    const job = await startExport(startOf(from), false)
    let most = 0
    const counting = oneDatabase((binding) => ({
      prepare: (text) => binding.prepare(text),
      async batch<T>(statements: D1PreparedStatement[]) {
        queries += statements.length
        return await binding.batch<T>(statements)
      },
    }))
    let queries = 0
    let runs = 0
    for (let pause: number | undefined = 0; pause !== undefined; runs++) {
      queries = 0
      pause = await run(from, counting)
      most = Math.max(most, queries)
    }
    expect(await jobOf(from, job)).toMatchObject({ state: 'done', error: null })
    expect([runs > 1, most <= MAX_STATEMENTS]).toEqual([true, true])
    const text = await fileOfJob(from, job)
    await expectSame(text, await exported(from.tenantId))
    const { id: importId } = await uploaded(to, text)
    runs = 0
    for (let pause: number | undefined = 0; pause !== undefined; runs++) {
      queries = 0
      pause = await run(to, counting)
      most = Math.max(most, queries)
      if (pause !== undefined) expect((await to.get('/Users')).status).toBe(503)
    }
    expect([runs > 2, most <= MAX_STATEMENTS]).toEqual([true, true])
    expect(await jobOf(to, { id: importId })).toMatchObject({ state: 'done', error: null })
    await expectSame(await exportedByJob(to), text)
    await soundState(to.tenantId)
  })
})

describe('an export by a job', () => {
  it('writes the same file as an export in one request, for an empty directory too', async () => {
    const [empty, full] = [await newClient(), await newClient()]
    await imported(full.tenantId, file)
    for (const client of [empty, full]) {
      await expectSame(await exportedByJob(client), await exported(client.tenantId))
    }
  })

  it.for(['error before', 'error after'] as const)(
    'writes the same file, whichever batch is interrupted (%s)',
    {
      timeout: 120_000,
    },
    async (fault) => {
      const client = await newClient()
      await imported(client.tenantId, file)
      const expected = await exported(client.tenantId)
      for (let at = 0, isEnd = false; !isEnd; at++) {
        const job = await startExport(startOf(client), false)
        let next = 0
        const broken = oneDatabase((binding) =>
          faultyBinding(binding, () => (next++ === at ? fault : undefined)),
        )
        await run(client, broken, 1_000).catch(() => undefined)
        isEnd = next <= at
        await runToEnd(client)
        await expectSame(await fileOfJob(client, job), expected, `after batch ${at}`)
      }
    },
  )

  it('is written once by three runners at the same time', async () => {
    const client = await newClient()
    await imported(client.tenantId, file)
    const job = await startExport(startOf(client), false)
    await Promise.all([1, 2, 3].map(() => runToEnd(client)))
    await expectSame(await fileOfJob(client, job), await exported(client.tenantId))
  })

  it('can be imported if clients write meanwhile', async () => {
    const [client, to] = [await newClient(), await newClient()]
    await imported(client.tenantId, file)
    const job = await startExport(startOf(client), false)
    let batches = 0
    const writing = oneDatabase((binding) => ({
      prepare: (text) => binding.prepare(text),
      async batch<T>(statements: D1PreparedStatement[]) {
        batches++
        if (batches % 3 === 0) {
          const { id } = await client.createUser()
          const members = [{ value: id }, { value: idOf(2) }]
          await client.patch(`/Groups/${idOf(9_001)}`, { op: 'add', path: 'members', value: members })
          await client.createGroup({ members })
        }
        return await binding.batch<T>(statements)
      },
    }))
    while ((await run(client, writing, 20)) !== undefined);
    await uploaded(to, await fileOfJob(client, job))
    await runToEnd(to)
    const { userCount, state } = await stateOf(to)
    expect([state, userCount >= PEOPLE]).toEqual(['ready', true])
    await soundState(to.tenantId)
  })

  it('fails if the tenant is deleted meanwhile, even if another one has its id by then', async () => {
    const client = await newClient()
    await imported(client.tenantId, file)
    const job = await startExport(startOf(client), false)
    await run(client, oneDatabase(), 20)
    expect(await chunkCount(client)).toBeGreaterThan(0)
    expect((await admin('DELETE', `/tenants/${client.tenantId}`)).status).toBe(204)
    expect(await chunkCount(client)).toBe(0)
    await admin('POST', '/tenants', { id: client.tenantId, name: 'Another' })
    await runToEnd(client)
    expect(await jobOf(client, job)).toMatchObject({
      state: 'failed',
      error: 'the tenant was deleted',
    })
    expect(await chunkCount(client)).toBe(0)
  })

  it('replaces the file of an earlier one', async () => {
    const client = await newClient()
    const first = await startExport(startOf(client), false)
    await runToEnd(client)
    await client.createUser()
    const second = await startExport(startOf(client), false)
    await runToEnd(client)
    await expect(fileOfJob(client, first)).rejects.toThrow('there is no file')
    expect(await fileOfJob(client, second)).toContain('"users":1')
  })

  it('keeps its file when the tenant moves to another database', async () => {
    const client = await newClient()
    await imported(client.tenantId, file)
    const job = await startExport(startOf(client), false)
    await runToEnd(client)
    const text = await fileOfJob(client, job)
    const databases = threeDatabases()
    await startMove({ ...startOf(client), databases }, 'DB2')
    await runToEnd(client, databases)
    expect([await chunkCount(client), await chunkCount(client, env.TEST_DB2)]).toEqual([
      0,
      expect.any(Number),
    ])
    await expectSame(await fileOfJob(client, job, env.TEST_DB2), text)
  })
})

describe('the hourly run', () => {
  it('deletes old files, except of a tenant that is being moved', async () => {
    const [old, moving, current] = [await newClient(), await newClient(), await newClient()]
    for (const client of [old, moving, current]) await exportedByJob(client)
    for (const { tenantId } of [old, moving]) {
      await env.DB.prepare(
        'UPDATE transfer_chunks SET created_at = created_at - 172800000 WHERE tenant_id = ?1',
      )
        .bind(tenantId)
        .run()
    }
    const setState = (state: string) =>
      env.DB.prepare('UPDATE tenants SET state = ?2 WHERE id = ?1').bind(moving.tenantId, state).run()
    await setState('moving')
    const db = openDatabase(env.DB, noFigures())
    while (await pruneChunks(db, Date.now()));
    await setState('ready')
    const counts = await Promise.all([old, moving, current].map((client) => chunkCount(client)))
    expect(counts.map((count) => count > 0)).toEqual([false, true, true])
  })
})

describe('an import by a job', () => {
  it.for(['error before', 'error after'] as const)(
    'shows all or nothing, whichever batch is interrupted (%s)',
    {
      timeout: 120_000,
    },
    async (fault) => {
      const expected = await canonical()
      for (let at = 0, isEnd = false; !isEnd; at++) {
        const client = await newClient()
        const job = await uploaded(client, file)
        let next = 0
        const broken = oneDatabase((binding) =>
          faultyBinding(binding, () => (next++ === at ? fault : undefined)),
        )
        await run(client, broken, 1_000).catch(() => undefined)
        isEnd = next <= at
        const { state, userCount } = await stateOf(client)
        expect(state === 'ready' ? [0, PEOPLE] : [userCount], `after batch ${at}`).toContain(userCount)
        expect(['ready', 'importing']).toContain(state)
        await runToEnd(client)
        expect(await jobOf(client, job)).toMatchObject({ state: 'done', error: null })
        await expectSame(await exported(client.tenantId), expected, `after batch ${at}`)
        expect(await chunkCount(client)).toBe(0)
      }
    },
  )

  it('is done once by three runners at the same time', async () => {
    const client = await newClient()
    await uploaded(client, file)
    await Promise.all([1, 2, 3].map(() => runToEnd(client)))
    await expectSame(await exported(client.tenantId), await canonical())
  })

  it.for([
    [
      'a repeated name',
      userLine(1_000, { userName: 'USER-7@quillfern.example' }),
      'an earlier line has the same "userName"',
    ],
    [
      'an unknown attribute',
      userLine(1_000, { nickname2: 'x' }),
      '"resource" has unknown attributes: nickname2',
    ],
    [
      'an unknown member',
      memberLine(9_001, 5_000),
      'no earlier line has the resource of "groupId" or "memberId"',
    ],
  ] as const)('names the line of %s, and undoes everything', async ([, line, problem]) => {
    const client = await newClient()
    const before = lines.slice(0, PEOPLE + 2)
    const job = await uploaded(client, await fileOf([...before, line, memberLine(9_001, 1)]))
    await runToEnd(client)
    expect(await jobOf(client, job)).toMatchObject({
      state: 'failed',
      error: `line ${before.length + 1}: ${problem}`,
    })
    expect(await stateOf(client)).toMatchObject(EMPTY)
    expect((await client.get('/Users')).body.totalResults).toBe(0)
    expect(await chunkCount(client)).toBe(0)
    const again = await uploaded(client, file)
    await runToEnd(client)
    expect((await jobOf(client, again)).state).toBe('done')
  })

  it('undoes everything if the end record does not match', async () => {
    const client = await newClient()
    const job = await uploaded(client, file.replace('user-5@', 'user-five@'))
    await runToEnd(client)
    expect((await jobOf(client, job)).error).toMatch(/the file was changed: "sha256" is/)
    expect(await stateOf(client)).toMatchObject(EMPTY)
  })

  it.for(['error before', 'error after'] as const)(
    'leaves nothing when it is cancelled at any batch (%s)',
    {
      timeout: 120_000,
    },
    async (fault) => {
      for (let at = 0, isEnd = false; !isEnd; at++) {
        const client = await newClient()
        const job = await uploaded(client, file)
        let next = 0
        const broken = oneDatabase((binding) =>
          faultyBinding(binding, () => (next++ === at ? fault : undefined)),
        )
        await run(client, broken, 1_000).catch(() => undefined)
        isEnd = next <= at
        const cancelled = await cancelImport(startOf(client))
        await runToEnd(client)
        const { state, userCount } = await stateOf(client)
        const { state: end, error } = await jobOf(client, job)
        expect([state, userCount, end], `after batch ${at}`).toEqual(
          userCount === PEOPLE ? ['ready', PEOPLE, 'done'] : ['ready', 0, 'failed'],
        )
        expect(error).toBe(end === 'done' ? null : 'cancelled by an administrator')
        expect(userCount === 0 ? cancelled?.id : job.id).toBe(job.id)
        expect(await chunkCount(client)).toBe(0)
      }
    },
  )

  it('is not begun by a runner that is late, after it was cancelled', async () => {
    const client = await newClient()
    await uploaded(client, file)
    let batches = 0
    const late = oneDatabase((binding) => ({
      prepare: (text) => binding.prepare(text),
      async batch<T>(statements: D1PreparedStatement[]) {
        // The batch after the reads is the first one that writes.
        if (batches++ === 3) {
          await cancelImport(startOf(client))
          await runToEnd(client)
        }
        return await binding.batch<T>(statements)
      },
    }))
    await run(client, late)
    expect(await stateOf(client)).toMatchObject(EMPTY)
    expect(await chunkCount(client)).toBe(0)
  })

  it('gives up if a client has created a resource before its first chunk', async () => {
    const client = await newClient()
    const job = await uploaded(client, file)
    await client.createUser()
    await runToEnd(client)
    expect(await jobOf(client, job)).toMatchObject({
      state: 'failed',
      error: 'the tenant was changed before the import began; an import requires an empty tenant',
    })
    expect(await stateOf(client)).toMatchObject({ state: 'ready', userCount: 1 })
    expect(await chunkCount(client)).toBe(0)
  })

  it('waits for its upload, and gives up when nothing more arrives', async () => {
    const client = await newClient()
    const job = await startImport(startOf(client))
    expect(await run(client)).toBeGreaterThan(HOUR_MS / 10)
    expect((await jobOf(client, job)).step).toBe('receiving')
    expect(await run(client, oneDatabase(), MAX_STATEMENTS, () => Date.now() + HOUR_MS)).toBeUndefined()
    expect(await jobOf(client, job)).toMatchObject({ state: 'failed', error: 'the upload was interrupted' })
  })

  it('fails without a trace if its tenant is deleted', async () => {
    const client = await newClient()
    const job = await uploaded(client, await fileOf([...users(3), groupLine(4)]))
    expect((await admin('DELETE', `/tenants/${client.tenantId}`)).status).toBe(204)
    await runToEnd(client)
    expect((await jobOf(client, job)).state).toBe('failed')
    expect(await chunkCount(client)).toBe(0)
  })
})
