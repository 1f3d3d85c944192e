/**
 * The self-hosted server from the view of its administrator: a process with a folder, a port and signals. Each test
 * runs on Deno, with the permissions that README.md names, and on Node.js.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { get } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { MIGRATIONS } from '../sqlite/support/files.ts'
import { DENO, DENO_MISSING } from './support/find-deno.ts'
import {
  ADMIN_TOKEN,
  buildModules,
  exchange,
  newToken,
  type RuntimeName,
  refusal,
  scim,
  settingsFile,
  startServer,
  temporaryFolder,
} from './support/server.ts'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const MANY_BYTES = 64 * 1024 * 1024
const modules = buildModules()

const RUNTIMES: readonly RuntimeName[] = ['Deno', 'Node.js']

for (const runtime of RUNTIMES) {
  const isMissing = runtime === 'Deno' && DENO === undefined
  describe.skipIf(isMissing)(
    isMissing ? `on Deno (skipped: ${DENO_MISSING})` : `on ${runtime}`,
    {
      timeout: 60_000,
    },
    () => {
      const folder = () => {
        const made = temporaryFolder()
        mkdirSync(join(made, 'data'))
        return made
      }
      const start = (options: { folder?: string; port?: number; env?: Record<string, string> } = {}) =>
        startServer(modules, { runtime, folder: folder(), ...options })
      const refused = (options: { folder: string; port?: number; env?: Record<string, string> }) =>
        refusal(modules, { runtime, ...options })
      const createUser = (port: number, token: string, userName: string) =>
        scim(port, token, 'POST', '/Users', { schemas: [USER], userName })

      it('runs long lists and group writes in threads, and ends them with the server', async () => {
        const where = folder()
        const server = await start({ folder: where })
        const token = await newToken(server.port)
        const operations = Array.from({ length: 100 }, (_, i) => ({
          method: 'POST',
          path: '/Users',
          bulkId: String(i),
          data: { schemas: [USER], userName: `user-${i}`, title: i === 7 ? 'Auditor' : 'Clerk' },
        }))
        const ids: string[] = []
        for (let round = 0; round < 11; round++) {
          const named = operations.map(({ data, ...rest }) => ({
            ...rest,
            data: { ...data, userName: `${round}-${data.userName}` },
          }))
          const bulk = { schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'], Operations: named }
          const done = await scim(server.port, token, 'POST', '/Bulk', bulk)
          const { Operations } = (await done.json()) as { Operations: { location: string }[] }
          ids.push(...Operations.map(({ location }) => location.slice(location.lastIndexOf('/') + 1)))
        }
        expect(ids).toHaveLength(1_100)
        const members = ids.map((value) => ({ value }))
        const group = { schemas: [GROUP], displayName: 'Everybody', members }
        const created = await scim(server.port, token, 'POST', '/Groups', group)
        expect(created.status).toBe(201)
        const found = await scim(server.port, token, 'GET', '/Users?count=0&filter=title ew "tor"')
        expect(await found.json()).toMatchObject({ totalResults: 11 })
        const of = await scim(
          server.port,
          token,
          'GET',
          `/Groups?filter=members.value eq "${ids[3]}"&count=1`,
        )
        expect(await of.json()).toMatchObject({ totalResults: 1, Resources: [{ displayName: 'Everybody' }] })
        server.child.kill('SIGTERM')
        expect(await server.ended).toBe(0)
        expect(server.output()).not.toContain('error')
        // The threads have closed their connections before the last checkpoint.
        expect(readdirSync(join(where, 'data')).sort()).toEqual(['directory.sqlite', 'directory.sqlite.lock'])
      })

      it('serves users and groups, and keeps them when it ends and starts again', async () => {
        const where = folder()
        const first = await start({ folder: where })
        expect(first.output()).toContain(`Tenant URL   http://127.0.0.1:${first.port}/scim/v2`)
        const token = await newToken(first.port)
        const created = await createUser(first.port, token, 'anna@quillfern.example')
        expect(created.status).toBe(201)
        const user = (await created.json()) as { id: string }
        expect(created.headers.get('Location')).toBe(
          `http://127.0.0.1:${first.port}/scim/v2/Users/${user.id}`,
        )
        const members = [{ value: user.id }]
        const group = await scim(first.port, token, 'POST', '/Groups', {
          schemas: [GROUP],
          displayName: 'A',
          members,
        })
        expect(group.status).toBe(201)

        first.child.kill('SIGTERM')
        expect(await first.ended).toBe(0)
        // A single file is left: the WAL was checkpointed.
        expect(readdirSync(join(where, 'data')).sort()).toEqual(['directory.sqlite', 'directory.sqlite.lock'])
        expect(statSync(join(where, 'data', 'directory.sqlite')).mode & 0o777).toBe(0o600)

        const second = await start({ folder: where })
        const found = await scim(
          second.port,
          token,
          'GET',
          '/Users?filter=userName%20eq%20%22ANNA@quillfern.example%22',
        )
        expect(await found.json()).toMatchObject({
          totalResults: 1,
          Resources: [{ groups: [{ display: 'A' }] }],
        })
        second.child.kill('SIGINT')
        expect(await second.ended).toBe(0)
      })

      it('generates an ADMIN_TOKEN at its first start, and prints where it is stored', async () => {
        const where = folder()
        const server = await start({ folder: where, env: { ADMIN_TOKEN: '' } })
        expect(server.output()).toContain('ADMIN_TOKEN in data/settings.env')
        const token = /^ADMIN_TOKEN="([\w-]{43})"$/m.exec(settingsFile(where))?.[1]
        const answer = await fetch(`http://127.0.0.1:${server.port}/admin/api/tenants`, {
          headers: { Authorization: `Bearer ${token}` },
        })
        expect(answer.status).toBe(200)
      })

      it('answers requests in progress when it is stopped, and accepts no others', async () => {
        const server = await start()
        const token = await newToken(server.port)
        const writes = Array.from({ length: 200 }, (_, i) =>
          createUser(server.port, token, `u${i}@quillfern.example`).then(
            ({ status }) => status,
            () => 'refused',
          ),
        )
        await Promise.race(writes)
        server.child.kill('SIGTERM')
        const answers = new Set(await Promise.all(writes))
        expect(await server.ended).toBe(0)
        expect([...answers].every((answer) => [201, 503, 'refused'].includes(answer))).toBe(true)
      })

      it('trusts a proxy only if configured', async () => {
        const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'scim.quillfern.example' }
        const locationOf = async (env: Record<string, string>) => {
          const { port } = await start({ env })
          const token = await newToken(port)
          const body = { schemas: [USER], userName: 'a' }
          const created = await scim(port, token, 'POST', '/Users', body, headers)
          return created.headers.get('Location')?.replace(String(port), 'PORT')
        }
        expect(await locationOf({})).toMatch(/^http:\/\/127\.0\.0\.1:PORT\/scim\/v2\/Users\//)
        expect(await locationOf({ TRUST_PROXY: '1' })).toMatch(
          /^https:\/\/scim\.quillfern\.example\/scim\/v2\/Users\//,
        )
      })

      it('refuses invalid headers of a trusted proxy', async () => {
        const { port } = await start({ env: { TRUST_PROXY: '1' } })
        for (const headers of [
          { 'X-Forwarded-Host': 'a/admin/api/tenants?' },
          { 'X-Forwarded-Host': 'user@a' },
          { 'X-Forwarded-Proto': 'javascript' },
        ]) {
          expect((await fetch(`http://127.0.0.1:${port}/healthz`, { headers })).status).toBe(400)
        }
        const odd = await exchange(port, 'GET /healthz HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n')
        expect(odd.text).toMatch(/^HTTP\/1\.1 400 /)
      })

      it('answers 400 to an invalid Host, and routes by the path alone', async () => {
        const { port } = await start()
        const ask = (host: string, target = '/scim/v2/Users') =>
          exchange(
            port,
            `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${ADMIN_TOKEN}\r\nConnection: close\r\n\r\n`,
          )
        const odd = ['a/admin/api/tenants?', 'a/admin/api/tenants#', 'a/', 'a?', 'user@a', 'a b', 'a\\b', '']
        const hosts = [...odd, 'a:b', 'a:99999', 'a:', '[::1', '1.2.3.999', 'ex%61mple', '-', 'x'.repeat(300)]
        for (const host of hosts) {
          const { text } = await ask(host)
          expect([host, text.slice(0, 13)]).toEqual([host, 'HTTP/1.1 400 '])
          expect([host, text]).toEqual([host, expect.stringMatching(/\r\n\r\n\{.*\\?"Host\\?"/)])
          expect(text).not.toContain('"tenants"')
        }
        // A second host, in the request line.
        expect((await ask('a', 'http://b/healthz')).text).toMatch(/^HTTP\/1\.1 400 /)
        for (const host of ['a', 'EXAMPLE.com', 'a_b.example:8443', '[::1]', '[::1]:99', '127.0.0.1']) {
          expect([host, (await ask(host)).text.slice(0, 13)]).toEqual([host, 'HTTP/1.1 401 '])
        }
      })

      it('does not resolve ".." in a path, nor find the administration behind double slashes', async () => {
        const { port } = await start()
        for (const path of [
          '/scim/v2/../../admin/api/tenants',
          '/scim/v2/%2e%2E/..%2fadmin',
          '//admin/api/tenants',
        ]) {
          const { text } = await exchange(
            port,
            `GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${ADMIN_TOKEN}\r\nConnection: close\r\n\r\n`,
          )
          expect([path, text.slice(0, 10)]).toEqual([path, 'HTTP/1.1 4'])
        }
        expect((await fetch(`http://127.0.0.1:${port}//scim//v2/ServiceProviderConfig/`)).status).toBe(200)
      })

      // Deno discards the rest of every refused body itself.
      it.runIf(runtime === 'Node.js')(
        'does not read the whole body of a request with an invalid address',
        async () => {
          const { port } = await start()
          for (const [path, host] of [
            ['/scim/v2/Users', 'a/b'],
            ['/scim/v2/../x', 'a'],
          ]) {
            const { sent, text } = await sendWithoutEnd(
              port,
              `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${MANY_BYTES}\r\n\r\n`,
            )
            expect([path, text]).toEqual([path, expect.stringMatching(/^HTTP\/1\.1 4/)])
            expect([path, sent < MANY_BYTES / 4]).toEqual([path, true])
          }
        },
      )

      it('answers a wrongly framed body as a fault of the client', async () => {
        const { port } = await start()
        const token = await newToken(port)
        const head = `POST /scim/v2/Users HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nTransfer-Encoding: chunked\r\n\r\n`
        const { text } = await exchange(port, `${head}2;${'x'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`)
        expect(text).toMatch(/^HTTP\/1\.1 4(?:00|13) /)
      })

      it('announces that it closes the connection of a refused upload, and sends no reset', async () => {
        const { port } = await start()
        const length = 900_000
        const head = `POST /scim/v2/Users HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer scim_default_${'A'.repeat(43)}\r\nContent-Length: ${length}\r\n\r\n`
        const half = 'x'.repeat(length / 2)
        // The other half is sent after the answer.
        const { text, error } = await exchange(port, head + half, half)
        expect(text).toMatch(/^HTTP\/1\.1 401 [\s\S]*\r\nconnection: close\r\n[\s\S]*"status":"401"/i)
        expect(error).toBeUndefined()
      })

      it('serves the next request of a client with persistent connections after a refused upload', async () => {
        const { port } = await start()
        const agent = new Agent({ keepAlive: true, maxSockets: 1 })
        const send = (method: string, path: string, body: string) =>
          new Promise<number | undefined>((resolve, reject) => {
            const headers = { Authorization: `Bearer scim_default_${'A'.repeat(43)}` }
            const sent = request({ agent, host: '127.0.0.1', port, method, path, headers }, (answer) => {
              answer.resume().on('end', () => resolve(answer.statusCode))
            })
            sent.on('error', reject).end(body)
          })
        // The connection used to be cut after half a second.
        for (const waitMs of [0, 0, 490, 500, 510, 550]) {
          expect(await send('POST', '/scim/v2/Users', 'x'.repeat(900_000))).toBe(401)
          await new Promise((wait) => setTimeout(wait, waitMs))
          expect(await send('GET', '/healthz', '')).toBe(200)
        }
        agent.destroy()
      })

      it('uses PUBLIC_URL, whatever host the request names', async () => {
        const PUBLIC_URL = 'https://scim.quillfern.example'
        const { port, output } = await start({ env: { PUBLIC_URL, TRUST_PROXY: '1' } })
        expect(output()).toContain(`Tenant URL   ${PUBLIC_URL}/scim/v2`)
        const token = await newToken(port)
        const created = await scim(
          port,
          token,
          'POST',
          '/Users',
          { schemas: [USER], userName: 'a' },
          { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'http' },
        )
        expect(created.headers.get('Location')).toMatch(`${PUBLIC_URL}/scim/v2/Users/`)
        const signedIn = await fetch(`http://127.0.0.1:${port}/admin/sign-in`, {
          method: 'POST',
          redirect: 'manual',
          headers: { Origin: PUBLIC_URL, 'Content-Type': 'application/x-www-form-urlencoded' },
          body: `token=${ADMIN_TOKEN}`,
        })
        expect(signedIn.headers.get('Set-Cookie')).toMatch(/^__Host-scim_admin=.*; Secure/)
      })

      it('limits sign-in attempts by address, whatever the headers are', async () => {
        const { port } = await start({ env: { SIGN_IN_LIMIT: '2' } })
        const attempt = async (address: string) => {
          const answer = await fetch(`http://127.0.0.1:${port}/admin/sign-in`, {
            method: 'POST',
            headers: {
              'Content-Type': 'application/x-www-form-urlencoded',
              Origin: `http://127.0.0.1:${port}`,
              'Sec-Fetch-Site': 'same-origin',
              'CF-Connecting-IP': address,
            },
            body: 'token=wrong',
          })
          return answer.status
        }
        expect([await attempt('1.1.1.1'), await attempt('2.2.2.2'), await attempt('3.3.3.3')]).toEqual([
          401, 401, 429,
        ])
      })

      it('counts the addresses from a trusted proxy by their network', async () => {
        const { port } = await start({ env: { TRUST_PROXY: '1', FAILED_AUTHENTICATION_LIMIT: '2' } })
        const guess = async (address: string, token = 'wrong') => {
          const headers = { Authorization: `Bearer ${token}`, 'X-Forwarded-For': `6.6.6.6, ${address}` }
          return (await fetch(`http://127.0.0.1:${port}/admin/api/tenants`, { headers })).status
        }
        const addresses = ['2001:db8:0:7::1', '2001:DB8:0:7:ffff::2', '[2001:db8:0:7::3]:443']
        const statuses: number[] = []
        for (const address of addresses) statuses.push(await guess(address))
        expect(statuses).toEqual([401, 401, 429])
        expect(await guess('2001:db8:0:7::4', ADMIN_TOKEN)).toBe(429)
        expect(await guess('2001:db8:0:8::1', ADMIN_TOKEN)).toBe(200)
        expect([
          await guess('192.0.2.1:5'),
          await guess('::ffff:192.0.2.1'),
          await guess('192.0.2.1'),
        ]).toEqual([401, 401, 429])
      })

      it('copies the database while the server runs', async () => {
        const server = await start()
        const token = await newToken(server.port)
        await createUser(server.port, token, 'anna@quillfern.example')
        const copy = folder()
        const target = join(copy, 'data', 'directory.sqlite')
        const { code, text } = await refusal(modules, {
          runtime,
          folder: server.folder,
          command: ['backup', 'data/copy'],
        })
        expect([code, text]).toEqual([0, expect.stringContaining('and the copy is intact')])
        renameSync(join(server.folder, 'data', 'copy'), target)
        const restored = await start({ folder: copy })
        const found = await scim(restored.port, token, 'GET', '/Users')
        expect(await found.json()).toMatchObject({ totalResults: 1 })
      })

      it('speaks TLS with certificate files, opening its port itself', async ({ skip }) => {
        const where = folder()
        const names = { key: join(where, 'data', 'key.pem'), cert: join(where, 'data', 'cert.pem') }
        const asked = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
        const made = spawnSync('openssl', [
          ...asked,
          '-subj',
          '/CN=localhost',
          '-keyout',
          names.key,
          '-out',
          names.cert,
        ])
        if (made.status !== 0) skip('openssl is not on the PATH')
        const env = { TLS_CERT_FILE: 'data/cert.pem', TLS_KEY_FILE: 'data/key.pem' }
        const server = await startServer(modules, { runtime, manner: 'itself', folder: where, env })
        expect(server.output()).toContain(`https://127.0.0.1:${server.port}/scim/v2`)
        const status = await new Promise((resolve, reject) => {
          const options = {
            host: '127.0.0.1',
            port: server.port,
            path: '/healthz',
            rejectUnauthorized: false,
          }
          get(options, (answer) => resolve(answer.statusCode)).on('error', reject)
        })
        expect(status).toBe(200)
        server.child.kill('SIGTERM')
        expect(await server.ended).toBe(0)
      })

      describe('refuses to start with one line', () => {
        const oneLine = (text: string, code: number | null) => {
          expect(code).toBe(1)
          expect(text.split('\n')).toHaveLength(1)
          expect(text).toMatch(/^error: /)
        }

        it('when the folder is missing', async () => {
          const { code, text } = await refused({ folder: temporaryFolder() })
          oneLine(text, code)
          expect(text).toBe('error: the folder "data" does not exist; make it: mkdir -p -m 700 data')
        })

        it('when the port is taken', async () => {
          const { port } = await start()
          const where = folder()
          const { code, text } = await refusal(modules, { runtime, manner: 'itself', folder: where, port })
          oneLine(text, code)
          expect(text).toMatch(/is taken by another process; end that one, or choose another port$/)
          expect(readdirSync(join(where, 'data'))).toEqual([])
        })

        it.skipIf(runtime !== 'Deno')('when the port that "deno serve" opens is taken', async () => {
          const { port } = await start()
          const { code, text } = await refused({ folder: folder(), port })
          const lines = text.split('\n').filter((line) => !line.startsWith('Applied migrations'))
          oneLine(lines.join('\n'), code)
          expect(text).toMatch(/is taken by another process; end that one, or choose another port$/)
        })

        it('when another server has the database', async () => {
          const where = folder()
          await start({ folder: where })
          const { code, text } = await refused({ folder: where })
          oneLine(text, code)
          expect(text).toContain('"data/directory.sqlite" is served by another process')
        })

        it('when its lock cannot be opened', async () => {
          const where = folder()
          mkdirSync(join(where, 'data', 'directory.sqlite.lock'))
          const { code, text } = await refused({ folder: where })
          oneLine(text, code)
          expect(text).toContain('"data/directory.sqlite.lock" is a folder')
        })

        it.skipIf(runtime !== 'Deno')('when several workers are to serve one file', async () => {
          const manner = 'deno serve --parallel'
          const { code, text } = await refusal(modules, {
            ...{ runtime, manner, folder: folder(), env: { DENO_JOBS: '2' } },
          })
          expect(code).toBe(1)
          expect(text).toContain('or by another worker of "deno serve --parallel"')
        })

        it('when the file is not a database, and leaves it unchanged', async () => {
          const where = folder()
          const file = join(where, 'data', 'directory.sqlite')
          writeFileSync(file, 'x'.repeat(10_000))
          const { code, text } = await refused({ folder: where })
          oneLine(text, code)
          expect(text).toContain('"data/directory.sqlite" is not a SQLite database, or is damaged')
          expect(statSync(file).size).toBe(10_000)
        })

        it('when the database is newer', async () => {
          const where = folder()
          const server = await start({ folder: where })
          server.child.kill('SIGTERM')
          await server.ended
          const database = new DatabaseSync(join(where, 'data', 'directory.sqlite'))
          expect(database.prepare('SELECT name FROM d1_migrations ORDER BY id').all()).toMatchObject(
            MIGRATIONS.map(({ name }) => ({ name })),
          )
          database.exec("INSERT INTO d1_migrations (name) VALUES ('9999_later.sql')")
          database.close()
          const { code, text } = await refused({ folder: where })
          oneLine(text, code)
          expect(text).toContain(
            'the database is newer than this program, which does not know its migration "9999_later.sql"',
          )
        })

        it.for([
          [
            'LOG_RETENTION_DAYS',
            'soon',
            'LOG_RETENTION_DAYS must be a whole number from 1 to 36500, found "soon"',
          ],
          ['SYNCHRONOUS', 'OFF', 'SYNCHRONOUS must be "FULL" or "NORMAL", found "OFF"'],
          ['ADMIN_TOKEN', 'short', 'ADMIN_TOKEN must have at least 16 characters, found 5'],
          ['TLS_CERT_FILE', 'cert.pem', 'TLS_KEY_FILE is not set; TLS needs both'],
          ['PUBLIC_URL', 'scim.example.com', 'PUBLIC_URL must be a scheme and a host such as'],
          ['PUBLIC_URL', 'https://scim.example.com/scim/v2', 'found "https://scim.example.com/scim/v2"'],
          ['ACCESS_TEAM_DOMAIN', 'acme', 'ACCESS_AUD is not set; Cloudflare Access needs both'],
          ['ACCESS_AUD', 'x', 'ACCESS_TEAM_DOMAIN is not set; Cloudflare Access needs both'],
          ['HOST', '', 'HOST must name the address to listen on'],
        ] as const)('when %s is "%s"', async ([name, value, message]) => {
          const { code, text } = await refused({ folder: folder(), env: { [name]: value } })
          oneLine(text, code)
          expect(text).toContain(message)
        })

        it.for([
          ['is not there', undefined, 'TLS_CERT_FILE: "data/cert.pem" does not exist'],
          ['is not one', 'text', 'TLS_CERT_FILE and TLS_KEY_FILE must be a certificate and its key in PEM'],
        ] as const)('when the certificate %s', async ([, text, message]) => {
          const where = folder()
          writeFileSync(join(where, 'data', 'key.pem'), 'text')
          if (text !== undefined) writeFileSync(join(where, 'data', 'cert.pem'), text)
          const env = { TLS_CERT_FILE: 'data/cert.pem', TLS_KEY_FILE: 'data/key.pem' }
          const answer = await refusal(modules, { runtime, manner: 'itself', folder: where, env })
          oneLine(answer.text, answer.code)
          expect(answer.text).toContain(message)
          expect(readdirSync(join(where, 'data'))).not.toContain('directory.sqlite')
        })

        it('when the settings file has an unknown setting', async () => {
          const where = folder()
          writeFileSync(join(where, 'data', 'settings.env'), 'LOG_RETENTON_DAYS=5\n')
          const { code, text } = await refused({ folder: where })
          oneLine(text, code)
          expect(text).toContain('"LOG_RETENTON_DAYS" in data/settings.env is not a setting')
        })

        it('when a line of the settings file is not a setting, without repeating it', async () => {
          const where = folder()
          writeFileSync(
            join(where, 'data', 'settings.env'),
            '# mine\n\nexport REQUEST_LOG=0\nADMIN_TOKEN 5up3r-s3cr3t\n',
          )
          const { code, text } = await refused({ folder: where })
          oneLine(text, code)
          expect(text).toContain('line 4 of data/settings.env is neither NAME=VALUE nor a comment')
          expect(text).not.toContain('s3cr3t')
        })
      })
    },
  )
}

/**
 * Sends the head of a request, and bytes of its body until the server ends the connection or has taken all of them.
 */
function sendWithoutEnd(port: number, head: string): Promise<{ sent: number; text: string }> {
  return new Promise((resolve) => {
    const chunk = Buffer.alloc(64 * 1024, ' ')
    const socket = connect({ port, host: '127.0.0.1' })
    let [sent, text] = [0, '']
    const send = () => {
      while (!socket.destroyed && sent < MANY_BYTES) {
        sent += chunk.byteLength
        if (!socket.write(chunk)) return
      }
      socket.destroy()
    }
    socket.on('data', (data) => (text += data.toString('latin1')))
    socket.on('drain', send)
    // A reset is one way to end the connection.
    socket.on('error', () => undefined)
    socket.on('close', () => resolve({ sent, text }))
    socket.write(head)
    send()
  })
}
