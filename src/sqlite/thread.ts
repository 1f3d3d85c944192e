/**
 * The thread that runs long batches, on a connection of its own. See database-threads.ts, which starts it. It is built as
 * a text, so that the server stays a single module.
 */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { CHECKPOINT } from '../storage/database/checkpoint.ts'
import { BatchRunner } from './batch-runner.ts'
import { toD1Error } from './d1-error.ts'
import type { Answer, Task, ThreadSettings } from './database-threads.ts'
import { LEFT_OUT } from './fair-queue.ts'
import { D1_LIMITS } from './limits.ts'

const { path, isReader, synchronous, busyTimeoutMs, cacheKib, ended } = workerData as ThreadSettings
const database = new DatabaseSync(path, {
  readOnly: isReader,
  timeout: busyTimeoutMs,
  enableForeignKeyConstraints: true,
})
database.exec(`PRAGMA synchronous=${synchronous}; PRAGMA cache_size=-${cacheKib}; PRAGMA temp_store=MEMORY`)
Object.assign(database.limits, D1_LIMITS)
let running = 0
// SQLite has no other way to end a statement from outside that node:sqlite offers: neither interrupt nor a progress handler.
database.function('goes_on', () => {
  if (Atomics.load(ended, 0) === running) throw new Error(LEFT_OUT)
  return 1
})
const runner = new BatchRunner(database)
// IMMEDIATE takes the write lock at the start: otherwise another program could make the transaction fail half way.
const begin = isReader ? 'BEGIN' : 'BEGIN IMMEDIATE'

parentPort?.on('message', (task: Task) => parentPort?.postMessage(answer(task)))

function answer({ id, statements }: Task): Answer {
  running = id
  const batch = statements.map(({ sql, params }) => ({
    sql: sql.replaceAll(CHECKPOINT, 'goes_on()'),
    params,
  }))
  try {
    return { id, results: transaction(() => runner.prepare(batch).run()) }
  } catch (error) {
    return { id, error: toD1Error(error).message }
  }
}

function transaction<Result>(run: () => Result): Result {
  database.exec(begin)
  try {
    const result = run()
    database.exec('COMMIT')
    return result
  } catch (error) {
    rollBack()
    throw error
  }
}

function rollBack(): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // SQLite has already rolled back.
  }
}
