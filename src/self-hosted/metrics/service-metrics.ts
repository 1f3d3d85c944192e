/**
 * What a self-hosted server measures for /metrics. No label has a tenant's or a user's data, so the number of series is fixed
 * by the routes and the databases.
 */
import type { DatabaseHealth } from '../../provider/health.ts'
import type { Metrics, RequestOutcome } from '../../runtime.ts'
import type { FileState } from '../../sqlite/file-state.ts'
import { type Database, DatabaseUnavailable } from '../../storage/database/database.ts'
import { Counter, exposition, type Family, gauge, Histogram, type Sample } from './instruments.ts'
import { EventLoopDelay, processFamilies } from './process.ts'

/** What is read at each scrape. */
export interface MeasuredState {
  readonly databases: readonly DatabaseHealth[]
  readonly files: readonly {
    readonly name: string
    readonly state: FileState
    readonly waitingWrites: number
  }[]
  readonly requestsInFlight: number
  readonly requestsWaiting: number
  readonly heldBodyBytes: number
  readonly unreadAnswerBytes: number
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
/** Refusals that only their status tells. */
const REASONS: Readonly<Record<number, string>> = {
  408: 'slow body',
  413: 'too large',
  429: 'too many requests',
  503: 'unavailable',
}

export class ServiceMetrics {
  readonly #requests = new Counter('scim_http_requests_total', 'Answered requests.')
  readonly #refusals = new Counter(
    'scim_http_refused_total',
    'Refused requests by reason: of credentials, limits and availability.',
  )
  readonly #durations = new Histogram(
    'scim_http_request_duration_seconds',
    'From the arrival of the headers to the answer, without sending its body.',
  )
  readonly #batches = new Histogram(
    'scim_database_batch_seconds',
    'Transactions, with the time that they waited for others. Long ones run in a thread of their own.',
  )
  readonly #unavailable = new Counter(
    'scim_database_unavailable_total',
    'Transactions that the database did not answer.',
  )
  readonly #loop = new EventLoopDelay()

  readonly #token: string

  /** @param token for /metrics */
  constructor(token: string) {
    this.#token = token
  }

  /** For the runtime of requests. @param read called at each scrape */
  served(read: () => Promise<MeasuredState>): Metrics {
    return { token: this.#token, render: async () => this.#text(await read(), Date.now()) }
  }

  /** Of a request that begins now. @returns a function that counts it when its outcome is known */
  observer(): (outcome: RequestOutcome) => void {
    const started = performance.now()
    return (outcome) => this.#count(outcome, (performance.now() - started) / 1000)
  }

  #count({ method, route, status, refused }: RequestOutcome, seconds: number): void {
    const known = METHODS.has(method) ? method : 'other'
    this.#requests.add({ method: known, route, status: `${Math.floor(status / 100)}xx` })
    this.#durations.observe({ method: known, route }, seconds)
    const reason = refused ?? REASONS[status]
    if (reason !== undefined) this.#refusals.add({ reason })
  }

  /** The same database, whose batches are measured. */
  measured(database: string, db: Database): Database {
    return {
      ...(db.hasThread && { hasThread: true }),
      batch: async (statements, isLong = false) => {
        const started = performance.now()
        try {
          return await db.batch(statements, isLong)
        } catch (error) {
          if (error instanceof DatabaseUnavailable) this.#unavailable.add({ database })
          throw error
        } finally {
          const labels = { database, kind: isLong ? 'long' : 'short' }
          this.#batches.observe(labels, (performance.now() - started) / 1000)
        }
      },
    }
  }

  stop(): void {
    this.#loop.stop()
  }

  /** @param now milliseconds since 1970 */
  #text(state: MeasuredState, now: number): string {
    const own = [this.#requests, this.#refusals, this.#durations, this.#batches, this.#unavailable]
    return exposition([
      ...own.map(({ family }) => family),
      ...queueFamilies(state),
      ...fileFamilies(state.files),
      ...databaseFamilies(state.databases, now),
      ...processFamilies(),
      this.#loop.family,
    ])
  }
}

function queueFamilies(state: MeasuredState): readonly Family[] {
  const { files, requestsInFlight, requestsWaiting, heldBodyBytes, unreadAnswerBytes } = state
  return [
    gauge('scim_requests_in_flight', 'Requests that are not answered yet.', requestsInFlight),
    gauge('scim_requests_waiting', 'Those of them that wait for their turn.', requestsWaiting),
    gauge(
      'scim_database_writes_waiting',
      'Writes that wait for their commit.',
      samplesOf(files, ({ waitingWrites }) => waitingWrites),
    ),
    gauge('scim_held_body_bytes', 'Request bodies in memory.', heldBodyBytes),
    gauge('scim_unread_answer_bytes', 'Large answers that clients have not read yet.', unreadAnswerBytes),
  ]
}

function fileFamilies(files: MeasuredState['files']): readonly Family[] {
  const of = (value: (state: FileState) => number | undefined) =>
    samplesOf(files, ({ state }) => value(state))
  const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000)
  return [
    gauge(
      'scim_database_bytes',
      'The size of the file.',
      of(({ bytes }) => bytes),
    ),
    gauge(
      'scim_database_wal_bytes',
      'The size of its write-ahead log.',
      of(({ walBytes }) => walBytes),
    ),
    gauge(
      'scim_database_checkpoint_timestamp_seconds',
      'The last checkpoint, in Unix time.',
      of(({ checkpointedAt }) => seconds(checkpointedAt)),
    ),
    gauge(
      'scim_litestream_copy_timestamp_seconds',
      'When Litestream last copied from the write-ahead log, in Unix time.',
      of(({ litestream }) => seconds(litestream?.copiedAt)),
    ),
    gauge(
      'scim_litestream_behind_seconds',
      'From the last copy of Litestream to the last write; 0 if everything is copied.',
      of(({ litestream }) => seconds(litestream?.behindMs)),
    ),
  ]
}

function databaseFamilies(databases: MeasuredState['databases'], now: number): readonly Family[] {
  const found = databases.flatMap(({ name, found: health }) => (health ? [{ name, ...health }] : []))
  const ageSeconds = (time: number | null) => (time === null ? 0 : Math.max(0, now - time) / 1000)
  const jobs = found.flatMap((one) => one.jobs)
  const jobSamples = (what: 'running' | 'failing') =>
    jobs.map((job) => ({ labels: { kind: job.kind }, value: job[what] }))
  return [
    gauge(
      'scim_database_up',
      '1 if the database responds and is the right one.',
      samplesOf(databases, ({ found: health }) => Number(health !== undefined)),
    ),
    gauge(
      'scim_tenants',
      'Tenants, with copies of moved ones.',
      samplesOf(found, ({ tenantCount }) => tenantCount),
    ),
    gauge('scim_jobs_running', 'Running jobs.', jobSamples('running')),
    gauge('scim_jobs_failing', 'Running jobs whose last attempt failed.', jobSamples('failing')),
    gauge(
      'scim_webhooks_active',
      'Active webhooks.',
      samplesOf(found, ({ webhooks }) => webhooks.active),
    ),
    gauge(
      'scim_webhooks_disabled',
      'Disabled webhooks.',
      samplesOf(found, ({ webhooks }) => webhooks.disabled),
    ),
    gauge(
      'scim_webhooks_failing',
      'Active webhooks whose last attempt failed.',
      samplesOf(found, ({ webhooks }) => webhooks.failing),
    ),
    gauge(
      'scim_webhook_events_behind',
      'Events that active webhooks have not got yet.',
      samplesOf(found, ({ webhooks }) => webhooks.eventsBehind),
    ),
    gauge(
      'scim_webhook_lag_seconds',
      'The age of the oldest event that an active webhook has not got; 0 if there is none.',
      samplesOf(found, ({ webhooks }) => ageSeconds(webhooks.behindSince)),
    ),
    gauge(
      'scim_event_newest_timestamp_seconds',
      'The time of the newest event, in Unix time.',
      samplesOf(found, ({ newestEventAt }) => (newestEventAt === null ? undefined : newestEventAt / 1000)),
    ),
  ]
}

/** A sample for each database, except where the value is unknown. */
function samplesOf<One extends { readonly name: string }>(
  list: readonly One[],
  value: (one: One) => number | undefined,
): readonly Sample[] {
  return list.flatMap((one) => {
    const found = value(one)
    return found === undefined ? [] : [{ labels: { database: one.name }, value: found }]
  })
}
