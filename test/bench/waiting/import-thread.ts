/** The thread of import.ts. It tells which phase begins. */
import { setTimeout } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { ImportThreadData, Phase } from './import.ts'

const COPY = 'copy'
const POLL_MS = 200

interface Job {
  readonly id: string
  readonly state: string
  readonly error: string | null
}

const { port, adminToken } = workerData as ImportThreadData
await admin('POST', '/tenants', { id: COPY, name: 'Copy', groupLimit: 1_000_000 })
enter('export')
const exported = await (await admin('GET', '/tenants/default/export')).text()
enter('upload')
let job = await jobOf(admin('POST', `/tenants/${COPY}/imports`, exported))
enter('job')
while (job.state !== 'done') {
  if (job.state === 'failed') throw new Error(`the import failed: ${job.error}`)
  await setTimeout(POLL_MS)
  job = await jobOf(admin('GET', `/tenants/${COPY}/jobs/${job.id}`))
}

function enter(phase: Phase): void {
  parentPort?.postMessage(phase)
}

async function jobOf(answer: Promise<Response>): Promise<Job> {
  return (await (await answer).json()) as Job
}

async function admin(method: string, path: string, body?: object | string): Promise<Response> {
  const answer = await fetch(`http://127.0.0.1:${port}/admin/api${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${adminToken}`,
      'Content-Type': typeof body === 'string' ? 'application/jsonl' : 'application/json',
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return answer
}
