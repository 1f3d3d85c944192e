/**
 * The server on one machine, without its port: the app on a SQLite file, what the platform gives a Worker
 * otherwise (timer, rate limits, coordinators), and an end that loses nothing. Entry files give it requests.
 */
import { createHash } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { createApp } from '../app.ts'
import { pruneProvisioningLog } from '../provider/retention.ts'
import type { RateLimitName, Runtime } from '../runtime.ts'
import { SqliteD1 } from '../sqlite/d1.ts'
import { type Migration, migrate } from '../sqlite/migrations.ts'
import { openFile, startError } from '../sqlite/open.ts'
import { type DatabaseFigures, noFigures, openDatabase } from '../storage/database.ts'
import { forwarded, type Received } from './forwarded.ts'
import { groupWriters } from './group-writers.ts'
import { InFlight } from './in-flight.ts'
import { RateLimits } from './rate-limits.ts'
import type { ServerSettings } from './settings.ts'
import { MemoryOfAnswers } from './unread-answers.ts'

const HOUR_MS = 60 * 60 * 1000
/** The first pruning comes soon after the start: a server may be restarted every day. */
const FIRST_PRUNING_MS = 60 * 1000
/** How long the end waits for requests that are being answered. */
const STOP_TIMEOUT_MS = 10_000
const RETRY_AFTER_SECONDS = 5
/** Limits that count addresses: here the address is known from the connection, whatever a header says. */
const BY_ADDRESS: ReadonlySet<RateLimitName> = new Set(['signIn', 'failedAuthentication'])

export interface Service {
  /** @param sent resolves when the answer has left, where the runtime tells */
  fetch(received: Received, sent?: Promise<unknown>): Promise<Response>
  /** Finishes what is under way, moves the log into the database file and closes it. */
  stop(): Promise<void>
  /** The migrations that were applied at the start. */
  readonly migrated: readonly string[]
}

/** @throws {StartError} when the database cannot be used */
export function startService(settings: ServerSettings, migrations: readonly Migration[]): Service {
  const { file, migrated } = openMigrated(settings, migrations)
  const d1 = new SqliteD1(file.database)
  const open = (figures: DatabaseFigures) => openDatabase(d1.binding, figures, Number.POSITIVE_INFINITY)
  const runtimeOf = runtimes(settings, open)
  const app = createApp()
  const inFlight = new InFlight()
  const stopPruning = pruneHourly(open, settings.logRetentionDays)
  let stopped: Promise<void> | undefined

  const stop = async () => {
    stopPruning()
    if (!(await inFlight.none(STOP_TIMEOUT_MS))) {
      console.error(`error: ${inFlight.count} requests took longer than ${STOP_TIMEOUT_MS} ms and were ended`)
    }
    await d1.idle()
    file.close()
  }
  return {
    migrated,
    fetch: (received, sent) => {
      if (stopped !== undefined) return Promise.resolve(stoppingAnswer())
      const { request, address } = settings.trustProxy ? forwarded(received) : received
      return inFlight.track(() => app.fetch(request, runtimeOf(address)), sent)
    },
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}

function openMigrated(settings: ServerSettings, migrations: readonly Migration[]) {
  const file = openFile(settings.databaseFile, settings)
  try {
    return { file, migrated: migrate(file.database, migrations) }
  } catch (error) {
    // A full disk, say. The lock goes with the process.
    throw startError(error, settings.databaseFile)
  }
}

/** @returns what the app is given with a request from an address */
function runtimes(
  settings: ServerSettings,
  open: (figures: DatabaseFigures) => ReturnType<typeof openDatabase>,
): (address: string) => Runtime {
  const now = Date.now
  const limits = new RateLimits(settings.rateLimits, now)
  const shared = {
    openDatabase: open,
    groupWriter: groupWriters({ openDatabase: open, newId: uuidv7, now }),
    now,
    newId: uuidv7,
    // At once: Web Cryptography hashes in another thread, and the way there and back takes forty times as long.
    sha256: (text: string) => createHash('sha256').update(text).digest('hex'),
    fetch: (...request: Parameters<typeof fetch>) => fetch(...request),
    answers: new MemoryOfAnswers(),
    settings: settings.app,
  }
  return (address) => ({
    ...shared,
    isAllowed: async (name, key) => limits.isAllowed(name, BY_ADDRESS.has(name) ? address : key),
  })
}

/** The cron of wrangler.toml. @returns ends it */
function pruneHourly(
  open: (figures: DatabaseFigures) => ReturnType<typeof openDatabase>,
  retentionDays: number,
): () => void {
  let timer = setTimeout(prune, FIRST_PRUNING_MS)
  let isStopped = false
  async function prune(): Promise<void> {
    try {
      const deleted = await pruneProvisioningLog(open(noFigures()), Date.now(), retentionDays)
      console.log(JSON.stringify({ job: 'prune provisioning log', retentionDays, deleted }))
    } catch (error) {
      // The next hour tries again.
      console.error(JSON.stringify({ job: 'prune provisioning log', message: String(error) }))
    }
    if (!isStopped) timer = setTimeout(prune, HOUR_MS)
  }
  return () => {
    isStopped = true
    clearTimeout(timer)
  }
}

function stoppingAnswer(): Response {
  return new Response(null, {
    status: 503,
    headers: { 'Retry-After': String(RETRY_AFTER_SECONDS), Connection: 'close' },
  })
}
