/**
 * Runs the self-hosted server in this process on a database file with hostile tenants, and measures the cost of
 * requests.
 */
import { statSync } from 'node:fs'
import { MAX_WORK_UNITS } from '../../../src/scim/limits.ts'
import { STORED_UNITS } from '../../../src/scim/work.ts'
import { startService } from '../../../src/self-hosted/service.ts'
import { MAX_ROW_BYTES } from '../../../src/storage/database/database.ts'
import { MIGRATIONS } from '../../support/migrations.ts'
import { serverSettings } from '../../support/server-settings.ts'

/**
 * Units of work that a request may make. What is too much is refused before it is done, and no step is larger than a stored
 * document that is read, written or deleted. Only a group of very many members can take more, and none here has them.
 */
export const MOST_WORK = MAX_WORK_UNITS + STORED_UNITS * MAX_ROW_BYTES

const ORIGIN = 'http://127.0.0.1'

/** The cost of one request. Bytes are those of the database file and of the heap. */
export interface RequestCost {
  readonly status: number
  readonly answer: string
  readonly sentBytes: number
  /** Of all threads of this process. */
  readonly processorMs: number
  /** Units of work: see src/scim/work.ts. */
  readonly work: number
  readonly rowsRead: number
  readonly rowsWritten: number
  /** Growth of the database file and its log. */
  readonly storedBytes: number
  /** Growth of the heap until the response was read, without collected garbage. */
  readonly heapBytes: number
}

export interface Request {
  readonly method: string
  readonly path: string
  readonly body?: string | undefined
}

export interface Lab {
  /** Sends a request and measures it. */
  cost(request: Request, token: string): Promise<RequestCost>
  stop(): Promise<void>
}

/** @param folder contains the database of stored.ts */
export function startLab(folder: string): Lab {
  const settings = serverSettings(folder, { synchronous: 'NORMAL', serverTiming: true })
  const file = settings.databaseFile
  const service = startService(settings, MIGRATIONS)
  return {
    async cost({ method, path, body }, token) {
      const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/scim+json' }
      const request = new Request(`${ORIGIN}${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
      })
      const before = { bytes: bytesOf(file), heap: process.memoryUsage().heapUsed, cpu: process.cpuUsage() }
      const response = await service.fetch({ request, address: '192.0.2.1' })
      const answer = await response.text()
      const { user, system } = process.cpuUsage(before.cpu)
      return {
        status: response.status,
        answer,
        sentBytes: Buffer.byteLength(path) + Buffer.byteLength(body ?? ''),
        processorMs: (user + system) / 1_000,
        ...countsOf(response.headers.get('Server-Timing') ?? ''),
        storedBytes: Math.max(0, bytesOf(file) - before.bytes),
        heapBytes: Math.max(0, process.memoryUsage().heapUsed - before.heap),
      }
    },
    stop: () => service.stop(),
  }
}

function bytesOf(file: string): number {
  return [file, `${file}-wal`].reduce(
    (sum, name) => sum + (statSync(name, { throwIfNoEntry: false })?.size ?? 0),
    0,
  )
}

function countsOf(serverTiming: string): Pick<RequestCost, 'work' | 'rowsRead' | 'rowsWritten'> {
  const [, rowsRead, rowsWritten, work] =
    /(\d+) rows read, (\d+) rows written", work;desc="(\d+) units"/.exec(serverTiming) ?? []
  return { rowsRead: Number(rowsRead), rowsWritten: Number(rowsWritten), work: Number(work) }
}
