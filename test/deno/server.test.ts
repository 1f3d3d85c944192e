/**
 * The server on one machine as its administrator meets it: a process with a folder, a port and signals.
 * Each test runs on Deno, with the permissions that README.md names, and on Node.js.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { MIGRATIONS } from '../sqlite/support/files.ts'
import { DENO, DENO_MISSING } from './support/find-deno.ts'
import {
  buildModules,
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
        // One file is left: the log was moved into it.
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

      it('makes an ADMIN_TOKEN on its first start, and says where it is', async () => {
        const where = folder()
        const server = await start({ folder: where, env: { ADMIN_TOKEN: '' } })
        expect(server.output()).toContain('ADMIN_TOKEN in data/settings.env')
        const token = /^ADMIN_TOKEN="([\w-]{43})"$/m.exec(settingsFile(where))?.[1]
        const answer = await fetch(`http://127.0.0.1:${server.port}/admin/api/tenants`, {
          headers: { Authorization: `Bearer ${token}` },
        })
        expect(answer.status).toBe(200)
      })

      it('answers what is under way when it is told to end, and takes nothing more', async () => {
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

      it('believes a proxy only when told so', async () => {
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

      it('limits attempts to sign in by address, whatever the headers say', async () => {
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

      it('copies the database while it is served', async () => {
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

        it('when the file is no database, and leaves it as it is', async () => {
          const where = folder()
          const file = join(where, 'data', 'directory.sqlite')
          writeFileSync(file, 'x'.repeat(10_000))
          const { code, text } = await refused({ folder: where })
          oneLine(text, code)
          expect(text).toContain('"data/directory.sqlite" is no SQLite database, or is damaged')
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
          ['ADMIN_TOKEN', 'short', 'ADMIN_TOKEN has 5 characters, at least 16 are needed'],
          ['TLS_CERT_FILE', 'cert.pem', 'TLS_KEY_FILE is not set; TLS needs both'],
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
          oneLine(answer.text.split('\n').at(-1) ?? '', answer.code)
          expect(answer.text).toContain(message)
          expect(answer.text).not.toMatch(/^ +at /m)
        })

        it('when the settings file has a name that is no setting', async () => {
          const where = folder()
          writeFileSync(join(where, 'data', 'settings.env'), 'LOG_RETENTON_DAYS=5\n')
          const { code, text } = await refused({ folder: where })
          oneLine(text, code)
          expect(text).toContain('"LOG_RETENTON_DAYS" in data/settings.env is not a setting')
        })
      })
    },
  )
}
