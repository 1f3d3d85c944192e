/**
 * Runs the self-hosted server in this process on a database file with hostile tenants, and measures the cost of
 * requests.
 */
import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { MAX_WORK_UNITS } from '../../../src/scim/limits.ts'
import { STORED_UNITS } from '../../../src/scim/work.ts'
import { startService } from '../../../src/self-hosted/service.ts'
import { MAX_ROW_BYTES } from '../../../src/storage/database/database.ts'
import { MIGRATIONS } from '../../support/migrations.ts'
import { serverSettings } from '../../support/server-settings.ts'
import { HOSTILE_USERS, userId } from './stored.ts'

/**
 * Units of work that a request may make. What is too much is refused before it is done, and no step is larger than a stored
 * document that is read, written or deleted. Only a group of very many members can take more, and none here has them.
 */
export const MOST_WORK = MAX_WORK_UNITS + STORED_UNITS * MAX_ROW_BYTES

/**
 * Bytes that a request may store: a change stores the whole document again, however small it is, and MOST_WORK is enough for
 * two of the largest ones. A background job may store some meanwhile.
 */
export const MOST_STORED_BYTES = 3 * MAX_ROW_BYTES

const ORIGIN = 'http://127.0.0.1'

/** The cost of one request. Bytes are those of the database file and of the heap. */
export interface RequestCost {
  readonly status: number
  readonly answer: string
  readonly sentBytes: number
  /**
   * Of the thread that serves all requests. Others are served between the operations of a bulk request, so this is the
   * most between two such pauses.
   */
  readonly servingMs: number
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
  readonly headers?: Readonly<Record<string, string>> | undefined
}

export interface Lab {
  /** Sends a request and measures it. */
  cost(request: Request, token: string): Promise<RequestCost>
  /** Gives the first users of a tenant their stored data again, which requests have replaced. */
  restore(tenantId: string): void
  stop(): Promise<void>
}

/** @param folder contains the database of stored.ts */
export function startLab(folder: string): Lab {
  const settings = serverSettings(folder, { synchronous: 'NORMAL', serverTiming: true })
  const file = settings.databaseFile
  const stored = firstUsers(file)
  const service = startService(settings, MIGRATIONS)
  return {
    restore: (tenantId) =>
      restoreUsers(
        file,
        stored.filter((user) => user.tenant_id === tenantId),
      ),
    async cost({ method, path, body, headers: more }, token) {
      const headers = {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/scim+json',
        ...more,
      }
      const request = new Request(`${ORIGIN}${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
      })
      const before = {
        bytes: bytesOf(file),
        heap: process.memoryUsage().heapUsed,
        all: process.cpuUsage(),
      }
      const serving = servingTime(path.endsWith('/Bulk'))
      const response = await service.fetch({ request, address: '192.0.2.1' })
      const answer = await response.text()
      const servingMs = serving()
      const all = process.cpuUsage(before.all)
      return {
        status: response.status,
        answer,
        sentBytes: Buffer.byteLength(path) + Buffer.byteLength(body ?? ''),
        servingMs,
        processorMs: (all.user + all.system) / 1_000,
        ...countsOf(response.headers.get('Server-Timing') ?? ''),
        storedBytes: Math.max(0, bytesOf(file) - before.bytes),
        heapBytes: Math.max(0, process.memoryUsage().heapUsed - before.heap),
      }
    },
    stop: () => service.stop(),
  }
}

/** @returns a function that ends the measurement, and returns the milliseconds of this thread */
function servingTime(hasPauses: boolean): () => number {
  let [longest, before, isRunning] = [0, process.threadCpuUsage(), true]
  const measure = () => {
    const { user, system } = process.threadCpuUsage(before)
    longest = Math.max(longest, (user + system) / 1_000)
    before = process.threadCpuUsage()
    // Runs when the event loop does: when it would serve others.
    if (isRunning && hasPauses) setImmediate(measure)
  }
  if (hasPauses) setImmediate(measure)
  return () => {
    isRunning = false
    measure()
    return longest
  }
}

type StoredUser = Readonly<Record<'tenant_id' | 'id' | 'data' | 'keys', string>>

function firstUsers(file: string): readonly StoredUser[] {
  const database = new DatabaseSync(file)
  const rows = database
    .prepare('SELECT tenant_id, id, data, keys FROM users WHERE id <= ?')
    .all(userId(HOSTILE_USERS))
  database.close()
  return rows as unknown as readonly StoredUser[]
}

/** As an administrator does who changes the file by SQL: the server compares what it remembers with what is stored. */
function restoreUsers(file: string, users: readonly StoredUser[]): void {
  const database = new DatabaseSync(file, { timeout: 5_000 })
  database.exec('BEGIN IMMEDIATE')
  const update = database.prepare(
    'UPDATE users SET data = ?1, keys = ?2 WHERE tenant_id = ?3 AND id = ?4 AND data <> ?1',
  )
  for (const { tenant_id: tenantId, id, data, keys } of users) update.run(data, keys, tenantId, id)
  database.exec('COMMIT')
  database.close()
}

function bytesOf(file: string): number {
  return [file, `${file}-wal`].reduce(
    (sum, name) => sum + (statSync(name, { throwIfNoEntry: false })?.size ?? 0),
    0,
  )
}

/** The token endpoint counts no work, and nothing is counted for a request that is refused before the directory is asked. */
function countsOf(serverTiming: string): Pick<RequestCost, 'work' | 'rowsRead' | 'rowsWritten'> {
  const [, rowsRead = 0, rowsWritten = 0] = /(\d+) rows read, (\d+) rows written"/.exec(serverTiming) ?? []
  const [, work = 0] = /work;desc="(\d+) units"/.exec(serverTiming) ?? []
  return { rowsRead: Number(rowsRead), rowsWritten: Number(rowsWritten), work: Number(work) }
}
