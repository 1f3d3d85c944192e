/** The endpoint that is provisioned: a local worker of its own, with a database of its own, as `npm start` runs it. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, ROOT } from '../peers/peer.ts'

export interface Endpoint {
  readonly tenantUrl: string
  readonly token: string
  close(): Promise<void>
}

const START_TIMEOUT_MS = 120_000

/** @throws {Error} when it does not answer in time. */
export async function startWorker(folder: string, groups: number): Promise<Endpoint> {
  const port = await freePort()
  const args = ['--port', String(port), '--persist-to', join(folder, 'state')]
  const child = spawn(process.execPath, [join(ROOT, 'src/local/start.mjs'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise<void>((done) => child.on('exit', () => done()))
  const close = async () => {
    child.kill('SIGTERM')
    await ended
  }
  try {
    const origin = `http://127.0.0.1:${port}`
    await waitUntilHealthy(origin, () => child.exitCode !== null)
    return { tenantUrl: `${origin}/scim/v2`, token: await newToken(origin, groups), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function waitUntilHealthy(origin: string, hasEnded: () => boolean): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (Date.now() < deadline && !hasEnded()) {
    const response = await fetch(`${origin}/healthz`).catch(() => undefined)
    if (response?.ok) return
    await new Promise((wait) => setTimeout(wait, 200))
  }
  throw new Error(`the local worker did not answer within ${START_TIMEOUT_MS / 1000} s`)
}

/** A tenant of its own, whose limit has room for the groups. */
async function newToken(origin: string, groupLimit: number): Promise<string> {
  const vars = readFileSync(join(ROOT, '.dev.vars'), 'utf8')
  const adminToken = /^\s*ADMIN_TOKEN\s*=\s*"?([^"\s]+)"?/m.exec(vars)?.[1] ?? ''
  const post = async (path: string, body: object) => {
    const response = await fetch(`${origin}/admin/api/tenants${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (response.status !== 201) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as { token: string }
  }
  await post('', { id: 'bench', name: 'Bench', groupLimit })
  return (await post('/bench/tokens', { name: 'bench', scope: 'provision' })).token
}
