/**
 * The server on one machine, without its port: the app on a SQLite file, what the platform gives a Worker
 * otherwise (timer, rate limits, coordinators), and an end that loses nothing. Entry files give it requests.
 */
import { createHash } from 'node:crypto'
import { createApp } from '../app.ts'
import { idGenerator, MAX_ID_LEAD_MS } from '../id-generator.ts'
import { pruneProvisioningLog } from '../provider/retention.ts'
import type { HeldBodies, OpenDatabase, RateLimitName, Runtime } from '../runtime.ts'
import { MAX_HELD_BODY_BYTES, MAX_HELD_BODY_BYTES_PER_TENANT } from '../scim/limits.ts'
import { SqliteD1 } from '../sqlite/d1.ts'
import { highestId } from '../sqlite/highest-id.ts'
import { type Migration, migrate } from '../sqlite/migrations.ts'
import { openFile, startError } from '../sqlite/open.ts'
import { type DatabaseFigures, inTurn, noFigures, openDatabase } from '../storage/database.ts'
import { continueTasks } from '../storage/extensions.ts'
import { probeCommitted, rememberedHealth } from '../storage/health.ts'
import { firstIdAt } from '../storage/log-pages.ts'
import { RESOURCE_TYPES } from '../storage/resource-tables.ts'
import { finishDeletions } from '../storage/tenants.ts'
import { type Forwarded, ForwardedError, forwarded, type Received } from './forwarded.ts'
import { groupWriters } from './group-writers.ts'
import { BodyBudget } from './held-bodies.ts'
import { InFlight } from './in-flight.ts'
import { RateLimits } from './rate-limits.ts'
import { badRequestAnswer } from './refusal.ts'
import type { ServerSettings } from './settings.ts'
import { Turns } from './turns.ts'
import { MemoryOfAnswers } from './unread-answers.ts'

const HOUR_MS = 60 * 60 * 1000
/** The first pruning comes soon after the start: a server may be restarted every day. */
const FIRST_PRUNING_MS = 60 * 1000
/** How long the end waits for requests that are being answered. */
const STOP_TIMEOUT_MS = 10_000
const RETRY_AFTER_SECONDS = 5
/** The owner of the turns of what is done by the hour: no tenant has this name. */
const TIMER = 'the timer'

export interface Service {
  /** @param sent resolves when the answer has left, where the runtime tells */
  fetch(received: Received, sent?: Promise<unknown>): Promise<Response>
  /** Finishes what is under way, moves the log into the database file and closes it. @throws {StartError} */
  stop(): Promise<void>
  /** The migrations that were applied at the start. */
  readonly migrated: readonly string[]
}

/** @throws {StartError} when the database cannot be used */
export function startService(settings: ServerSettings, migrations: readonly Migration[]): Service {
  const { file, migrated } = openMigrated(settings, migrations)
  const d1 = new SqliteD1(file.database)
  const open = (figures: DatabaseFigures) => openDatabase(d1.binding, figures, Number.POSITIVE_INFINITY)
  const newId = idGenerator(highestId(file.database, firstIdAt(Date.now() + MAX_ID_LEAD_MS)))
  const turns = new Turns(() => performance.now())
  const probe = () => probeCommitted(open(noFigures()))
  const runtimeOf = runtimes(
    settings,
    open,
    turns,
    newId,
    rememberedHealth(probe, () => performance.now()),
  )
  const app = createApp()
  const inFlight = new InFlight()
  const bodies = new BodyBudget({
    bytes: MAX_HELD_BODY_BYTES,
    bytesPerOwner: MAX_HELD_BODY_BYTES_PER_TENANT,
  })
  const openInTurn = (figures: DatabaseFigures) => inTurn(open(figures), () => turns.take(TIMER))
  const stopPruning = pruneHourly(openInTurn, settings.logRetentionDays)
  let stopped: Promise<void> | undefined

  const answer = async (received: Received): Promise<Response> => {
    const from = settings.trustProxy ? forwardedOrRefusal(received) : { origin: undefined, ...received }
    if (from instanceof Response) return from
    const { held, release } = bodies.open()
    try {
      return await app.fetch(received.request, runtimeOf(from, held))
    } finally {
      release()
    }
  }
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
      return inFlight.track(() => answer(received), sent)
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

/** @returns what the app is given with a request */
function runtimes(
  settings: ServerSettings,
  open: (figures: DatabaseFigures) => ReturnType<typeof openDatabase>,
  turns: Turns,
  newId: () => string,
  isHealthy: () => Promise<boolean>,
): (from: Forwarded, heldBodies: HeldBodies) => Runtime {
  // Somebody may set the clock: what only measures how long something takes goes by one that nobody can.
  const elapsedMs = () => performance.now()
  const openDatabase: OpenDatabase = (_name, figures) => open(figures)
  const limits = new RateLimits(settings.rateLimits, elapsedMs)
  const shared = {
    openDatabase,
    isHealthy,
    groupWriter: groupWriters({ openDatabase, resourceTypes: RESOURCE_TYPES, newId, now: elapsedMs }),
    now: () => Date.now(),
    newId,
    // At once: Web Cryptography hashes in another thread, and the way there and back takes forty times as long.
    sha256: (text: string) => createHash('sha256').update(text).digest('hex'),
    isAllowed: async (name: RateLimitName, key: string) => limits.isAllowed(name, key),
    later: (ms: number, task: () => Promise<void>) => setTimeout(task, ms).unref(),
    fetch: (...request: Parameters<typeof fetch>) => fetch(...request),
    answers: new MemoryOfAnswers(),
    turn: (owner: string) => turns.take(owner),
    settings: settings.app,
  }
  return ({ address, origin }, heldBodies) => ({
    ...shared,
    heldBodies,
    clientAddress: address,
    // The setting counts more than what a proxy says.
    publicOrigin: settings.publicOrigin ?? origin,
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
      const result = await pruneProvisioningLog(open(noFigures()), Date.now(), retentionDays)
      console.log(JSON.stringify({ job: 'prune provisioning log', retentionDays, ...result }))
      const tenants = await finishDeletions(open(noFigures()), RESOURCE_TYPES, Number.POSITIVE_INFINITY)
      if (tenants.length > 0) console.log(JSON.stringify({ job: 'finish deletions', tenants }))
      const extended = await continueTasks(open(noFigures()), undefined, Number.POSITIVE_INFINITY)
      if (extended.length > 0)
        console.log(JSON.stringify({ job: 'finish schema changes', tenants: extended }))
    } catch (error) {
      // The next hour tries again.
      console.error(JSON.stringify({ job: 'prune and finish deletions', message: String(error) }))
    }
    if (!isStopped) timer = setTimeout(prune, HOUR_MS)
  }
  return () => {
    isStopped = true
    clearTimeout(timer)
  }
}

/** What the proxy says, or why it cannot be. */
function forwardedOrRefusal(received: Received): Forwarded | Response {
  try {
    return forwarded(received)
  } catch (error) {
    if (!(error instanceof ForwardedError)) throw error
    return badRequestAnswer(error.message)
  }
}

function stoppingAnswer(): Response {
  return new Response(null, {
    status: 503,
    headers: { 'Retry-After': String(RETRY_AFTER_SECONDS), Connection: 'close' },
  })
}
