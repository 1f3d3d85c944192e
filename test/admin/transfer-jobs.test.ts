/**
 * Exports and imports by jobs: `POST …/exports`, `POST …/imports`, the file of an export, and the dashboard.
 */
import { env } from 'cloudflare:workers'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { Browser, textOf as pageText } from '../support/dashboard.ts'
import {
  exported,
  fileOf,
  groupLine,
  imported,
  type Line,
  memberLine,
  textOf,
  userLine,
  users,
} from '../support/directory-file.ts'
import { type Answer, admin, type Client, newClient, ORIGIN, send } from '../support/harness.ts'

const HEADERS = { Authorization: 'Bearer test-admin-token' }

const file = await fileOf([...users(3), groupLine(4), memberLine(4, 1), memberLine(4, 2)])
const bomb = await gzipOf(`${'x'.repeat(1_900_000)}\n`.repeat(11))

const pathOf = ({ tenantId }: Client) => `/tenants/${tenantId}`
const stateOf = async (client: Client) => (await admin('GET', pathOf(client))).body
const download = (client: Client, jobId: string) => admin('GET', `${pathOf(client)}/jobs/${jobId}/file`)

function upload(client: Client, body: BodyInit, headers: Record<string, string> = {}): Promise<Answer> {
  const url = `${ORIGIN}/admin/api${pathOf(client)}/imports`
  return send(new Request(url, { method: 'POST', headers: { ...HEADERS, ...headers }, body }))
}

function gzipOf(text: string): Promise<ArrayBuffer> {
  const gzip = new Response(text).body?.pipeThrough(new CompressionStream('gzip'))
  return new Response(gzip).arrayBuffer()
}

/** Waits until a job has ended. */
async function ended(client: Client, jobId: string) {
  return await vi.waitFor(
    async () => {
      const { body } = await admin('GET', `${pathOf(client)}/jobs/${jobId}`)
      expect(body.state).not.toBe('running')
      return body
    },
    { timeout: 25_000, interval: 20 },
  )
}

async function exportJob(client: Client, query = ''): Promise<Answer['body']> {
  const { status, body } = await admin('POST', `${pathOf(client)}/exports${query}`)
  expect([status, body.kind, body.state]).toEqual([202, 'export', 'running'])
  return await ended(client, body.id)
}

async function chunksOf({ tenantId }: Client): Promise<number | undefined> {
  const { results } = await env.DB.prepare('SELECT count(*) AS n FROM transfer_chunks WHERE tenant_id = ?1')
    .bind(tenantId)
    .all<{ n: number }>()
  return results[0]?.n
}

// The cron trigger of other tests would run them.
afterAll(() => env.DB.prepare(`DELETE FROM jobs WHERE step = 'none'`).run())

/** Random printable characters. */
function noise(length: number): string {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return new TextDecoder().decode(bytes.map((byte) => 33 + (byte % 94)))
}

/** A job of which no runner knows. */
async function addJob({ tenantId }: Client, kind: string, state: string): Promise<string> {
  const id = crypto.randomUUID()
  await env.DB.prepare(
    `INSERT INTO jobs (id, tenant_id, kind, state, step, source, created_at) VALUES (?1, ?2, ?3, ?4, 'none', 'DB', 0)`,
  )
    .bind(id, tenantId, kind, state)
    .run()
  return id
}

describe('an export by a job', () => {
  it('offers the same file as an export in one request, any number of times', async () => {
    const client = await newClient()
    await imported(client.tenantId, file)
    const job = await exportJob(client)
    expect(job).toMatchObject({ state: 'done', step: null, error: null, progress: { done: 6, total: 6 } })
    const expected = await exported(client.tenantId)
    for (let times = 0; times < 2; times++) {
      const { status, headers, body } = await download(client, job.id)
      expect([status, body]).toEqual([200, expected])
      expect(headers.get('Content-Type')).toBe('application/jsonl')
      expect(headers.get('Content-Disposition')).toBe(`attachment; filename="${client.tenantId}.jsonl"`)
    }
  })

  it('includes the clients and the schemas of the tenant', async () => {
    const client = await newClient()
    await client.createUser()
    const urn = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User'
    await admin('PUT', `${pathOf(client)}/schemas/${urn}`, {
      attributes: [{ name: 'badge', type: 'string' }],
    })
    const { id } = await exportJob(client, '?clients=include')
    const lines: readonly Line[] = (await download(client, id)).body
      .trim()
      .split('\n')
      .map((line: string) => JSON.parse(line))
    expect(lines.map(({ kind }) => kind)).toEqual(['schema', 'client', 'user', 'end'])
  })

  it('is refused during another job, and for a tenant that is not ready or unknown', async () => {
    const client = await newClient()
    const id = await addJob(client, 'move', 'running')
    const other = await admin('POST', `${pathOf(client)}/exports`)
    expect([other.status, other.body.error.message]).toEqual([
      409,
      `The move of tenant "${client.tenantId}" to "null" is running; see GET /admin/api${pathOf(client)}/jobs/${id}`,
    ])
    const browser = await new Browser().signIn()
    const page = pageText((await browser.post(`/admin/tenants/${client.tenantId}/export`, {})).html)
    expect(page).toContain('to "null" is running. “Export and import” shows its progress.')
    expect(page).not.toContain('/admin/api')
    await env.DB.prepare(`UPDATE jobs SET state = 'done', target = 'DB2' WHERE id = ?1`).bind(id).run()
    await imported(client.tenantId, textOf([userLine(1)]), '?end=later')
    const importing = await admin('POST', `${pathOf(client)}/exports`)
    expect([importing.status, importing.body.error.message]).toEqual([
      409,
      expect.stringContaining('has an import in progress'),
    ])
    expect((await admin('POST', '/tenants/unknown/exports')).status).toBe(404)
    expect((await admin('POST', `${pathOf(client)}/exports?clients=all`)).status).toBe(400)
  })

  it('offers no file for another job, for one that is not done, and after a day', async () => {
    const client = await newClient()
    const refusal = async (jobId: string) => {
      const { status, body } = await download(client, jobId)
      return [status, body.error.message]
    }
    expect((await refusal('unknown'))[0]).toBe(404)
    const failed = await addJob(client, 'export', 'failed')
    expect(await refusal(failed)).toEqual([409, 'the job must be a finished export, but it is failed'])
    const moved = await addJob(client, 'move', 'done')
    expect(await refusal(moved)).toEqual([
      409,
      'the job must be a finished export, but it is of the kind "move"',
    ])
    const { id } = await exportJob(client)
    const deleted = [404, 'the file of this export was deleted; export the tenant again']
    await env.DB.prepare('UPDATE jobs SET finished_at = finished_at - 86400000 WHERE id = ?1').bind(id).run()
    expect(await refusal(id)).toEqual(deleted)
    const next = await exportJob(client)
    await exportJob(client)
    expect(await refusal(next.id)).toEqual(deleted)
  })
})

describe('an import by a job', () => {
  it('stores a file, plain or compressed, and deletes its chunks', async () => {
    const compressed = await gzipOf(file)
    for (const [body, headers] of [
      [file, {}],
      [compressed, { 'Content-Encoding': 'gzip' }],
    ] as const) {
      const client = await newClient()
      const { status, body: job } = await upload(client, body, headers)
      expect([status, job.kind, job.progress.total]).toEqual([202, 'import', 7])
      expect(await ended(client, job.id)).toMatchObject({ state: 'done', error: null })
      expect(await stateOf(client)).toMatchObject({ state: 'ready', userCount: 3, groupCount: 1 })
      expect((await client.get('/Users')).body.totalResults).toBe(3)
      const copy = await newClient()
      await imported(copy.tenantId, file)
      expect(await exported(client.tenantId)).toBe(await exported(copy.tenantId))
      expect(await chunksOf(client)).toBe(0)
    }
  })

  it('names the line that was refused, in the job and in the dashboard', async () => {
    const client = await newClient()
    const { body } = await upload(client, await fileOf([...users(3), userLine(2)]))
    const job = await ended(client, body.id)
    expect([job.state, job.error]).toEqual(['failed', 'line 4: an earlier line has the same "userName"'])
    expect(await stateOf(client)).toMatchObject({ state: 'ready', userCount: 0 })
    const browser = await new Browser().signIn()
    const { html } = await browser.get(`/admin/tenants/${client.tenantId}/transfer`)
    expect(html).toContain('Import failed: line 4: an earlier line has the same &quot;userName&quot;')
  })

  it.for([
    [
      'without its end record',
      textOf(users(3)),
      {},
      400,
      'the file is incomplete: it must end with the end record',
    ],
    ['that is empty', '', {}, 400, 'the file is incomplete: it must end with the end record'],
    ['that is not UTF-8', new Uint8Array([0x7b, 0xff, 0x0a]), {}, 400, 'the body is not UTF-8'],
    ['that is not gzip', file, { 'Content-Encoding': 'gzip' }, 400, 'the gzip file is damaged or incomplete'],
    [
      'with another encoding',
      file,
      { 'Content-Encoding': 'br' },
      400,
      '"Content-Encoding" must be "gzip" or absent',
    ],
    // 950 MB in 0.93 MB of gzip took 9.7 s of processor time.
    [
      'that is short in gzip only',
      bomb,
      { 'Content-Encoding': 'gzip' },
      413,
      'the file is more than 100 times as long as its compressed bytes',
    ],
    ['with a long line', 'x'.repeat(2_000_001), {}, 413, 'line 1 is too long'],
    [
      'with a line that cannot be compressed',
      `${noise(1_999_000)}\n{"kind":"end"}`,
      {},
      413,
      'line 1 is too long, even compressed',
    ],
    [
      'with many blank lines',
      `${'\n'.repeat(9_999)}{}\n`.repeat(2),
      {},
      400,
      'the file has more than 10000 blank lines',
    ],
  ] as const)('refuses a file %s at once, and stores nothing', async ([, body, headers, status, message]) => {
    const client = await newClient()
    const answer = await upload(client, body, headers)
    expect([answer.status, answer.body.error.message]).toEqual([status, expect.stringContaining(message)])
    await vi.waitFor(async () => expect((await exportedAfter(client)).status).toBe(202), { timeout: 10_000 })
    expect(await stateOf(client)).toMatchObject({ state: 'ready', userCount: 0 })
  })

  /** Another job can begin when the one before has ended. */
  const exportedAfter = (client: Client) => admin('POST', `${pathOf(client)}/exports`)

  it('requires an empty tenant without another job', async () => {
    const client = await newClient()
    await addJob(client, 'export', 'running')
    const busy = await upload(client, file)
    expect([busy.status, busy.body.error.message]).toEqual([
      409,
      expect.stringMatching(/^The export of tenant ".*" is running; see GET/),
    ])
    await client.createUser()
    const full = await upload(client, file)
    expect([full.status, full.body.error.message]).toEqual([
      409,
      `an import requires an empty tenant; "${client.tenantId}" has 1 user`,
    ])
    expect(await chunksOf(client)).toBe(0)
  })

  it('can be cancelled during the upload', async () => {
    const client = await newClient()
    let cancelled: Answer | undefined
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (cancelled !== undefined) {
          controller.enqueue(new TextEncoder().encode(file))
          return controller.close()
        }
        await vi.waitFor(async () => {
          cancelled = await admin('DELETE', `${pathOf(client)}/import`)
          expect(cancelled.status).toBe(202)
        })
      },
    })
    const answer = await upload(client, body)
    expect([answer.status, answer.body.error.message]).toEqual([409, 'the import was cancelled'])
    expect(cancelled?.body.state).toBe('undoing')
    expect(await ended(client, cancelled?.body.jobId)).toMatchObject({
      state: 'failed',
      error: 'cancelled by an administrator',
    })
    expect([await chunksOf(client), (await stateOf(client)).userCount]).toEqual([0, 0])
  })

  it('does not reach a new tenant with the id of a tenant that is deleted during the upload', async () => {
    const client = await newClient()
    const { tenantId: id } = client
    let isNew = false
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (!isNew) {
          await vi.waitFor(async () => {
            const { results } = await env.DB.prepare('SELECT id FROM jobs WHERE tenant_id = ?1')
              .bind(id)
              .all()
            expect(results).toHaveLength(1)
          })
          expect((await admin('DELETE', `/tenants/${id}`)).status).toBe(204)
          expect((await admin('POST', '/tenants', { id, name: 'New' })).status).toBe(201)
          isNew = true
        }
        controller.enqueue(new TextEncoder().encode(file))
        controller.close()
      },
    })
    const answer = await upload(client, body)
    expect([answer.status, answer.body.error.message]).toEqual([409, 'the import was cancelled'])
    expect([await chunksOf(client), (await stateOf(client)).userCount]).toEqual([0, 0])
    const again = await upload(client, file)
    expect([again.status, (await ended(client, again.body.id)).state]).toEqual([202, 'done'])
  })

  it('refuses an import in one request meanwhile', async () => {
    const client = await newClient()
    await imported(client.tenantId, textOf([userLine(1)]), '?end=later')
    await addJob(client, 'import', 'running')
    const { status, body } = await imported(client.tenantId, file)
    expect([status, body.error.message]).toEqual([
      409,
      expect.stringMatching(/^The import into tenant ".*" is running/),
    ])
  })
})
