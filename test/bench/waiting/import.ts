/** An import of a tenant's export into another tenant of the same server. */
import { setTimeout } from 'node:timers/promises'
import { ADMIN_TOKEN } from '../peers/peer.ts'

const COPY = 'copy'
const POLL_MS = 200

/** @throws {Error} if the import fails */
export async function importCopy(port: number): Promise<void> {
  await admin(port, 'POST', '/tenants', { id: COPY, name: 'Copy', groupLimit: 1_000_000 })
  const exported = await admin(port, 'GET', '/tenants/default/export')
  let job = await jobOf(admin(port, 'POST', `/tenants/${COPY}/imports`, await exported.text()))
  while (job.state !== 'done') {
    if (job.state === 'failed') throw new Error(`the import failed: ${job.error}`)
    await setTimeout(POLL_MS)
    job = await jobOf(admin(port, 'GET', `/tenants/${COPY}/jobs/${job.id}`))
  }
}

interface Job {
  readonly id: string
  readonly state: string
  readonly error: string | null
}

async function jobOf(answer: Promise<Response>): Promise<Job> {
  return (await (await answer).json()) as Job
}

async function admin(port: number, method: string, path: string, body?: object | string): Promise<Response> {
  const answer = await fetch(`http://127.0.0.1:${port}/admin/api${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${ADMIN_TOKEN}`,
      'Content-Type': typeof body === 'string' ? 'application/jsonl' : 'application/json',
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return answer
}
