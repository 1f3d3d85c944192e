/**
 * Clients that request large answers and do not read them: the process of a self-hosted server stays small and serves
 * other clients. On Deno and on Node.js.
 */
import { existsSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { MAX_LOADED_MEMBERS, MAX_PAGE_BYTES, MAX_TENANT_UNREAD_ANSWER_BYTES } from '../../src/scim/limits.ts'
import { DENO, DENO_MISSING } from './support/find-deno.ts'
import {
  ADMIN_TOKEN,
  buildModules,
  newToken,
  type Server,
  scim,
  startServer,
  temporaryFolder,
} from './support/server.ts'

const modules = buildModules()
/** Their answers add up to about 1.5 GB. */
const CLIENTS = 150
/** An answer of about 10 MB: the operating system buffers up to 4 MB for a connection. */
const MEMBERS = MAX_LOADED_MEMBERS
/** The length of the names of the members. */
const NAME_CHARACTERS = 300
/**
 * Without a limit it was 1.9 GB for one list of these users, and 1.5 GB for the results of one commit. Up to 520 were
 * measured on a busy machine, where garbage collection runs later.
 */
const MAX_MEGABYTES = 800

const sockets: Socket[] = []
afterAll(() => {
  for (const socket of sockets) socket.destroy()
})

/** Inserts users with documents of a megabyte into one tenant, and a large group into the other. */
function addLargeAnswers({ databaseFile }: Server): void {
  const database = new DatabaseSync(databaseFile, { timeout: 10_000 })
  database.exec(`
    INSERT INTO tenants (id, name, created_at) VALUES ('other', 'Other', 0);
    INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
    SELECT tenants.id, 'user-' || value, json_object('userName', 'user-' || value, 'title', hex(zeroblob(450000))),
      json_object('userName', 'user-' || value), 1, 0, 0
    FROM tenants CROSS JOIN json_each('[1,2,3,4,5,6,7,8,9,10,11,12]') WHERE tenants.id = 'other';
    CREATE TEMPORARY TABLE numbers AS
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MEMBERS}) SELECT i FROM n;
    BEGIN;
    INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
    SELECT 'default', 'user-' || i, json_object('userName', name), json_object('userName', name), 1, 0, 0
    FROM (SELECT i, printf('%0${NAME_CHARACTERS}d', i) AS name FROM numbers);
    INSERT INTO groups (tenant_id, id, data, keys, version, created_at, last_modified, member_count)
    VALUES ('default', 'all', '{"displayName":"all"}', '{"displayName":"all"}', 1, 0, 0, ${MEMBERS});
    INSERT INTO memberships (tenant_id, group_id, member_id, member_type)
    SELECT 'default', 'all', 'user-' || i, 'User' FROM numbers;
    COMMIT`)
  database.close()
}

/** Sends a request and does not read the answer. */
function askAndIgnore(port: number, token: string): void {
  const socket = connect(port, '127.0.0.1')
    .pause()
    .on('error', () => undefined)
  socket.write(`GET /scim/v2/Groups/all HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  sockets.push(socket)
}

async function tokenOfOther(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/admin/api/tenants/other/tokens`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'Test', scope: 'read' }),
  })
  return ((await answer.json()) as { token: string }).token
}

for (const runtime of ['Deno', 'Node.js'] as const) {
  const isMissing = runtime === 'Deno' && DENO === undefined
  describe.skipIf(isMissing)(
    isMissing ? `on Deno (skipped: ${DENO_MISSING})` : `on ${runtime}`,
    { timeout: 180_000 },
    () => {
      it('limits unread answers, and other tenants are not affected', async () => {
        const server = await startServer(modules, { runtime, folder: temporaryFolder() })
        addLargeAnswers(server)
        const [token, other] = [await newToken(server.port), await tokenOfOther(server.port)]
        for (let i = 0; i < CLIENTS; i++) askAndIgnore(server.port, token)

        const ask = () => scim(server.port, token, 'GET', '/Groups/all')
        const statusOfAnswer = async () => {
          const answer = await ask()
          await answer.body?.cancel()
          return answer.status
        }
        let refused = await ask()
        for (let i = 0; i < 20 && refused.status === 200; i++) {
          await refused.body?.cancel()
          refused = await ask()
        }
        expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '5'])
        expect(await refused.json()).toMatchObject({
          status: '503',
          detail: expect.stringContaining(`and ${MAX_TENANT_UNREAD_ANSWER_BYTES} may`),
        })

        const whole = await scim(server.port, other, 'GET', '/Users?count=1000')
        expect(whole.status).toBe(200)
        const page = await whole.text()
        expect(page.length).toBeGreaterThan(MAX_PAGE_BYTES * 0.7)
        expect(JSON.parse(page)).toMatchObject({ totalResults: 12, itemsPerPage: 4 })
        if (existsSync(`/proc/${server.child.pid}/status`))
          expect(peakMegabytes(server)).toBeLessThan(MAX_MEGABYTES)

        for (const socket of sockets.splice(0)) socket.destroy()
        // Earlier requests are answered first, even if their clients are gone.
        await expect.poll(statusOfAnswer, { timeout: 60_000 }).toBe(200)
      })
    },
  )
}

/** The peak memory of the process. */
function peakMegabytes({ child }: Server): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}
