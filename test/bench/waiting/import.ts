/**
 * An import of a tenant's export into another tenant of the same server, in another thread: files of this size keep a client
 * busy, and its requests to /healthz would wait for that.
 */
import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { ADMIN_TOKEN } from '../peers/peer.ts'

/** What the client of an import waits for, in this order. */
export const PHASES = ['export', 'upload', 'job'] as const
export type Phase = (typeof PHASES)[number]

export interface ImportThreadData {
  readonly port: number
  readonly adminToken: string
}

/** @param enter called when a phase begins @throws {Error} if the import fails */
export async function importCopy(port: number, enter: (phase: Phase) => void): Promise<void> {
  const workerData: ImportThreadData = { port, adminToken: ADMIN_TOKEN }
  const thread = new Worker(join(import.meta.dirname, 'import-thread.ts'), { workerData })
  thread.on('message', enter)
  await once(thread, 'exit')
}
