/**
 * Starts the Worker as `npm start` does, on a free port with its own database, and stops it. With RUNNING_ORIGIN and
 * RUNNING_ADMIN_TOKEN, the tests run against a server that runs already, such as a self-hosted one.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

const START_TIMEOUT_MS = 90_000

declare module 'vitest' {
  interface ProvidedContext {
    /** The origin of the running worker. */
    origin: string
    adminToken: string
  }
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const { RUNNING_ORIGIN, RUNNING_ADMIN_TOKEN = '' } = process.env
  if (RUNNING_ORIGIN !== undefined) {
    project.provide('origin', RUNNING_ORIGIN)
    project.provide('adminToken', RUNNING_ADMIN_TOKEN)
    return undefined
  }
  const folder = mkdtempSync(join(tmpdir(), 'scim-worker-browser-'))
  const port = await freePort()
  const args = ['src/local/start.mjs', '--port', String(port), '--persist-to', folder]
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  await untilRunning(server)
  project.provide('origin', `http://127.0.0.1:${port}`)
  project.provide('adminToken', adminToken())
  return async () => {
    const ended = new Promise((done) => server.once('exit', done))
    server.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      probe.close(() => done(port))
    })
  })
}

function untilRunning(server: ChildProcess): Promise<void> {
  return new Promise((done, failed) => {
    let output = ''
    const timer = setTimeout(() => {
      server.kill('SIGTERM')
      failed(new Error(`the worker did not start:\n${output}`))
    }, START_TIMEOUT_MS)
    const read = (chunk: Buffer) => {
      output += chunk
      if (!output.includes('scim-worker is running')) return
      clearTimeout(timer)
      done()
    }
    server.stdout?.on('data', read)
    server.stderr?.on('data', read)
    server.once('exit', (code) => {
      clearTimeout(timer)
      failed(new Error(`the worker ended with exit code ${code}:\n${output}`))
    })
  })
}

/** The ADMIN_TOKEN in the file that `npm start` names. */
function adminToken(): string {
  const token = /^ADMIN_TOKEN="?([^"\n]+)/m.exec(readFileSync('.dev.vars', 'utf8'))?.[1]
  if (token === undefined) throw new Error('there is no ADMIN_TOKEN in .dev.vars')
  return token
}
