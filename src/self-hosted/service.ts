/**
 * The server on one machine, without its port: the app on a SQLite file, replacements for the services of the Workers
 * platform (timer, rate limits, coordinators), and a shutdown without loss. Entry files pass requests to it.
 */
import { hash } from 'node:crypto'
import { createApp } from '../app.ts'
import { networkOf } from '../edge/network.ts'
import { idGenerator, MAX_ID_LEAD_MS } from '../id-generator.ts'
import { EventWaiters } from '../provider/events/event-waiters.ts'
import { maintain } from '../provider/maintenance.ts'
import { reconcileAndLog } from '../provider/reconcile.ts'
import type { HeldBodies, OpenDatabase, RateLimitName, Runtime } from '../runtime.ts'
import { MAX_HELD_BODY_BYTES, MAX_HELD_BODY_BYTES_PER_TENANT } from '../scim/limits.ts'
import type { Waiter } from '../sqlite/fair-queue.ts'
import { fileState } from '../sqlite/file-state.ts'
import { highestId } from '../sqlite/highest-id.ts'
import type { Migration } from '../sqlite/migrations.ts'
import {
  type DatabaseFigures,
  inBackground,
  inTurn,
  noFigures,
  openDatabase,
} from '../storage/database/database.ts'
import { probeCommitted, rememberedHealth } from '../storage/database/health.ts'
import { firstIdAt } from '../storage/log/log-pages.ts'
import { RESOURCE_TYPES } from '../storage/tables/resource-tables.ts'
import { type BoundDatabase, Identities } from '../storage/tenants/identity.ts'
import { type Databases, missingDatabase } from '../storage/tenants/locations.ts'
import type { WebhookAddress } from '../storage/webhooks/delivery.ts'
import { type OpenDatabaseFile, openDatabases } from './databases.ts'
import { type Forwarded, ForwardedError, forwarded, type Received } from './forwarded.ts'
import { groupWriters } from './group-writers.ts'
import { BodyBudget } from './held-bodies.ts'
import { InFlight } from './in-flight.ts'
import { JobTimer } from './job-timer.ts'
import { ServiceMetrics } from './metrics/service-metrics.ts'
import { measuredState } from './metrics/state.ts'
import { RateLimits } from './rate-limits.ts'
import { badRequestAnswer } from './refusal.ts'
import type { ServerSettings } from './settings.ts'
import { Turns } from './turns.ts'
import { MemoryOfAnswers } from './unread-answers.ts'
import { webhookPost } from './webhook-post.ts'
import { WebhookTimer } from './webhook-timer.ts'

const HOUR_MS = 60 * 60 * 1000
/** The first pruning runs soon after the start, because a server may be restarted every day. */
const FIRST_PRUNING_MS = 60 * 1000
/** Interrupted jobs and deliveries continue after the first requests are answered. */
const FIRST_JOBS_MS = 1_000
/** How long the shutdown waits for requests in progress. */
const STOP_TIMEOUT_MS = 10_000
const RETRY_AFTER_SECONDS = 5
/** Between two looks for new events while readers wait. */
const LOOK_INTERVAL_MS = 100
/** The owner of the turns of hourly work. No tenant can have this name. */
const TIMER = 'the timer'
/**
 * With the network of the client, the owner of the turns of answers that refuse a request before it had a turn. A client
 * that repeats such a request on many connections gets one answer in a round.
 */
const REFUSED = 'refused'

export interface Service {
  /** @param sent resolves when the answer was sent, if the runtime reports it */
  fetch(received: Received, sent?: Promise<unknown>): Promise<Response>
  /** Waits for a turn of the owner among the requests. @returns undefined when the turn is immediate */
  turn(owner: string): Promise<void> | undefined
  /** Finishes requests in progress, checkpoints the WAL and closes the database files. @throws {StartError} */
  stop(): Promise<void>
  /** The migrations that were applied at the start, for each file with some. */
  readonly migrated: readonly { readonly file: string; readonly names: readonly string[] }[]
}

/** @throws {StartError} when the database cannot be used */
export function startService(settings: ServerSettings, migrations: readonly Migration[]): Service {
  const turns = new Turns(() => performance.now())
  const { opened, migrated } = openDatabases(settings, migrations, turns)
  const [first] = opened
  const names: Databases['names'] = [first.name, ...opened.slice(1).map(({ name }) => name)]
  const identities = new Identities()
  const metrics = settings.metricsToken === undefined ? undefined : new ServiceMetrics(settings.metricsToken)
  const bound = (
    { name, d1 }: OpenDatabaseFile,
    figures: DatabaseFigures,
    waiter?: Waiter,
  ): BoundDatabase => {
    const db = openDatabase(d1.bindingFor(waiter), figures, Number.POSITIVE_INFINITY)
    return { name, binding: d1.binding, db: metrics?.measured(name, db) ?? db }
  }
  const open: OpenForWaiter = (name = first.name, figures, waiter) => {
    const found = opened.find((one) => one.name === name)
    if (found === undefined) throw missingDatabase(name)
    return identities.checked(bound(found, figures, waiter), () => bound(first, figures, waiter))
  }
  /** For the work of timers: each batch waits for its turn, and runs in another thread. */
  const databases: Databases = {
    names,
    maxBytes: Number.POSITIVE_INFINITY,
    open: (name) => inBackground(inTurn(open(name, noFigures()), () => turns.take(TIMER))),
  }
  const below = firstIdAt(Date.now() + MAX_ID_LEAD_MS)
  const newId = idGenerator(
    opened
      .map(({ file }) => highestId(file.database, RESOURCE_TYPES, below))
      .sort()
      .findLast((id) => id !== undefined),
  )
  const probe = async () => {
    for (const name of names) await probeCommitted(open(name, noFigures()))
  }
  const { allowLoopbackWebhooks: allowLoopback } = settings.app
  const post = webhookPost(allowLoopback)
  const webhooks = new WebhookTimer({
    databases,
    resourceTypes: RESOURCE_TYPES,
    post,
    allowLoopback,
    now: Date.now,
    random: Math.random,
  })
  const jobs = new JobTimer(databases, RESOURCE_TYPES, {
    pokeWebhooks: (due) => webhooks.pokeEach(due),
    administration: { newId, keepsDeleted: settings.app.tombstoneDays > 0 },
  })
  const waiters = new EventWaiters({
    openDatabase: (name) => open(name, noFigures()),
    intervalMs: LOOK_INTERVAL_MS,
  })
  const answers = new MemoryOfAnswers()
  const inFlight = new InFlight()
  const bodies = new BodyBudget({
    bytes: MAX_HELD_BODY_BYTES,
    bytesPerOwner: MAX_HELD_BODY_BYTES_PER_TENANT,
  })
  const measured = { databases, files: opened, turns, inFlight, bodies, answers }
  const runtimeOf = runtimes(
    settings,
    {
      open,
      names,
      answers,
      databaseFile: (name) => {
        const found = opened.find((one) => one.name === name)
        return found && fileState(found.path)
      },
      metrics: metrics?.served(() => measuredState(measured)),
      wakeJobs: async (tenantId) => jobs.wake(tenantId),
      waitForEvent: (position, ms, left) => waiters.wait(position, ms, left),
      pokeWebhooks: (tenantId, ids, isForced) => {
        for (const webhookId of ids) webhooks.poke({ tenantId, webhookId }, isForced)
      },
      postWebhook: post,
    },
    turns,
    newId,
    rememberedHealth(probe, () => performance.now()),
  )
  const app = createApp()
  // A file may have been replaced by a backup: no request is answered before old copies of tenants are closed.
  const atStart: Databases = { ...databases, open: (name) => open(name, noFigures()) }
  let isReconciled = false
  const reconciled = reconcileAndLog(atStart, RESOURCE_TYPES).then(() => {
    isReconciled = true
  })
  const stopMaintenance = maintainHourly(databases, settings, { jobs, webhooks })
  let stopped: Promise<void> | undefined

  const answer = async (received: Received): Promise<Response> => {
    const from = settings.trustProxy
      ? forwardedOrRefusal(received)
      : { origin: undefined, address: received.address }
    if (from instanceof Response) return from
    const heldBodies = bodies.open()
    const observe = metrics?.observer()
    try {
      if (!isReconciled) await reconciled
      const runtime = runtimeOf(from, { heldBodies, request: received.request, observe })
      const response = await app.fetch(received.request, runtime)
      if (response.status >= 400 && !runtime.hadTurn())
        await turns.take(`${REFUSED} ${networkOf(from.address)}`)
      return response
    } finally {
      heldBodies.release()
    }
  }
  const stop = async () => {
    const maintained = stopMaintenance()
    metrics?.stop()
    waiters.stop()
    await reconciled
    const delivered = webhooks.stop()
    await jobs.stop()
    if (!(await inFlight.none(STOP_TIMEOUT_MS))) {
      console.error(`error: ${inFlight.count} requests took longer than ${STOP_TIMEOUT_MS} ms and were ended`)
    }
    await delivered
    await maintained
    for (const { d1 } of opened) await d1.stop()
    for (const { file } of opened) file.close()
  }
  return {
    migrated,
    fetch: (received, sent) => {
      if (stopped !== undefined) return Promise.resolve(stoppingAnswer())
      return inFlight.track(() => answer(received), sent)
    },
    turn: (owner) => turns.take(owner),
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}

/** Like OpenDatabase. The waiter is who waits for long batches: the work of the server itself by default. */
type OpenForWaiter = (
  name: string | undefined,
  figures: DatabaseFigures,
  waiter?: Waiter,
) => ReturnType<OpenDatabase>

/** What requests ask of the work that goes on beside them. */
type AskedOfService = Pick<
  Runtime,
  'wakeJobs' | 'waitForEvent' | 'pokeWebhooks' | 'postWebhook' | 'answers' | 'databaseFile' | 'metrics'
>

interface PartsOfRequest extends Pick<Runtime, 'observe'> {
  readonly heldBodies: HeldBodies
  readonly request: Request
}

/** The part of a runtime that each request has for itself. */
interface RequestRuntime
  extends Pick<
    Runtime,
    'openDatabase' | 'turn' | 'heldBodies' | 'observe' | 'clientAddress' | 'publicOrigin'
  > {
  readonly hadTurn: () => boolean
}

/** @returns the runtime of the app for a request */
function runtimes(
  settings: ServerSettings,
  { open, names, ...asked }: { open: OpenForWaiter } & AskedOfService & Pick<Databases, 'names'>,
  turns: Turns,
  newId: () => string,
  isHealthy: () => Promise<boolean>,
): (from: Forwarded, its: PartsOfRequest) => Runtime & RequestRuntime {
  // The system clock may be set, so durations are measured with a monotonic one.
  const elapsedMs = () => performance.now()
  const limits = new RateLimits(settings.rateLimits, elapsedMs)
  const shared = {
    databaseNames: names,
    maxDatabaseBytes: Number.POSITIVE_INFINITY,
    ...asked,
    isHealthy,
    groupWriter: groupWriters({
      openDatabase: open,
      turn: (owner) => turns.take(owner),
      resourceTypes: RESOURCE_TYPES,
      newId,
      wakeJobs: asked.wakeJobs,
      now: elapsedMs,
    }),
    now: () => Date.now(),
    newId,
    // Synchronous: Web Cryptography hashes in another thread, and the hand-over takes forty times as long.
    sha256: (text: string) => hash('sha256', text),
    isAllowed: (name: RateLimitName, key: string) => limits.isAllowed(name, key),
    later: (ms: number, task: () => Promise<void>) => setTimeout(task, ms).unref(),
    fetch: (...request: Parameters<typeof fetch>) => fetch(...request),
    settings: settings.app,
  }
  class OfRequest implements RequestRuntime {
    readonly openDatabase: OpenDatabase
    readonly turn: (owner: string) => Promise<void> | undefined
    readonly hadTurn: () => boolean
    readonly heldBodies: HeldBodies
    readonly observe: Runtime['observe']
    readonly clientAddress: string
    readonly publicOrigin: string | undefined

    constructor({ address, origin }: Forwarded, { request, heldBodies, observe }: PartsOfRequest) {
      // On Node.js, the signal of a request is created when it is first asked for.
      const waiter = { owner: '', signal: () => request.signal }
      this.openDatabase = (name, figures) => open(name, figures, waiter)
      this.turn = (owner) => {
        waiter.owner = owner
        return turns.take(owner)
      }
      this.hadTurn = () => waiter.owner !== ''
      this.heldBodies = heldBodies
      this.observe = observe
      this.clientAddress = address
      // The setting takes precedence over the proxy.
      this.publicOrigin = settings.publicOrigin ?? origin
    }
  }
  // Copying what requests have in common would take ten times as long as the rest of it.
  Object.setPrototypeOf(OfRequest.prototype, shared)
  return (from, its) => new OfRequest(from, its) as RequestRuntime as Runtime & RequestRuntime
}

/** What a process continues that an earlier one began. */
interface Interrupted {
  readonly jobs: JobTimer
  readonly webhooks: WebhookTimer
}

/** Ends the hourly work at its next batch. */
class Stopped extends Error {}

/**
 * The hourly work of the cron in wrangler.toml, and interrupted work.
 *
 * @returns a function that stops it, and resolves when nothing of it uses the databases any more
 */
function maintainHourly(
  databases: Databases,
  { logRetentionDays: retentionDays, eventRetentionDays, app: { tombstoneDays } }: ServerSettings,
  { jobs, webhooks }: Interrupted,
): () => Promise<void> {
  const start = () => {
    running = run()
  }
  let timer = setTimeout(start, FIRST_PRUNING_MS)
  let running = Promise.resolve()
  const firstJobs = setTimeout(() => void wakeAll().then(pokeAll), FIRST_JOBS_MS)
  let isStopped = false
  const untilStopped: Databases = {
    ...databases,
    open: (name) =>
      inTurn(databases.open(name), () => {
        if (isStopped) throw new Stopped()
        return undefined
      }),
  }
  async function run(): Promise<void> {
    try {
      const now = Date.now()
      const [resourceTypes, maxStatements] = [RESOURCE_TYPES, Number.POSITIVE_INFINITY]
      const pokeWebhooks = (due: readonly WebhookAddress[]) => webhooks.pokeEach(due)
      await maintain(
        {
          databases: untilStopped,
          resourceTypes,
          now,
          retentionDays,
          eventRetentionDays,
          tombstoneDays,
          maxStatements,
          pokeWebhooks,
        },
        (done) => console.log(JSON.stringify(done)),
      )
    } catch (error) {
      // The next hour tries again, or the next start.
      if (!isStopped)
        console.error(JSON.stringify({ job: 'prune and finish deletions', message: String(error) }))
    }
    if (!isStopped) await reconcileAndLog(databases, RESOURCE_TYPES)
    await wakeAll()
    if (!isStopped) timer = setTimeout(start, HOUR_MS)
  }
  async function wakeAll(): Promise<void> {
    try {
      if (!isStopped) await jobs.wakeAll()
    } catch (error) {
      console.error(JSON.stringify({ job: 'run jobs', message: String(error) }))
    }
  }
  async function pokeAll(): Promise<void> {
    try {
      if (!isStopped) await webhooks.pokeAll()
    } catch (error) {
      console.error(JSON.stringify({ job: 'poke webhooks', message: String(error) }))
    }
  }
  return () => {
    isStopped = true
    clearTimeout(timer)
    clearTimeout(firstJobs)
    return running
  }
}

/** The headers of the proxy, or a refusal if they are invalid. */
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
