/** A provisioning job for tests, with a store, a manual clock, sequential ids and an editable directory. */

import type { Clock } from '../../../src/entra/clock.ts'
import { type Directory, parseDirectory } from '../../../src/entra/documents/directory.ts'
import { DEFAULT_JOB, type JobConfig, providerOf } from '../../../src/entra/documents/job.ts'
import { type JobState, newState } from '../../../src/entra/documents/state.ts'
import { type CycleResult, runCycle } from '../../../src/entra/engine/cycle.ts'
import type { CycleContext } from '../../../src/entra/engine/cycle-context.ts'
import { importDirectory } from '../../../src/entra/engine/import.ts'
import type { LogEntry } from '../../../src/entra/engine/provisioning-log.ts'
import type { Fetch } from '../../../src/entra/protocol/fetch.ts'
import { ScimClient } from '../../../src/entra/protocol/scim-client.ts'
import { parseTenantUrl } from '../../../src/entra/protocol/tenant-url.ts'
import { secretToken, type TokenSource } from '../../../src/entra/protocol/token-source.ts'
import { BASE, ScimStore } from './scim-store.ts'

/** A clock that only advances by a call or a sleep. */
export class ManualClock implements Clock {
  #now: number
  readonly slept: number[] = []

  constructor(start = '2026-05-04T08:00:00Z') {
    this.#now = Date.parse(start)
  }

  now(): number {
    return this.#now
  }

  async sleep(ms: number): Promise<void> {
    this.slept.push(ms)
    this.#now += ms
  }

  advance(ms: number): void {
    this.#now += ms
  }
}

/** Sequential UUIDs, by which the queries of the connection test are recognized. */
export function countingIds(): () => string {
  let last = 0
  return () => `00000000-0000-4000-8000-${String(++last).padStart(12, '0')}`
}

/** The endpoint of a job. */
export interface Endpoint {
  readonly tenantUrl: string
  readonly token?: string
  /** In place of `token`. */
  readonly tokens?: TokenSource
  readonly fetch: Fetch
  readonly timeoutMs?: number
}

export class JobHarness {
  readonly store = new ScimStore()
  readonly #endpoint: Endpoint
  readonly clock = new ManualClock()
  readonly log: LogEntry[] = []
  readonly newId = countingIds()
  state: JobState
  job: JobConfig = { ...DEFAULT_JOB, concurrency: 1 }
  directory: { users: Record<string, unknown>[]; groups: Record<string, unknown>[]; assignments?: unknown[] }
  retryAll = false
  pushNow = false
  stop = new AbortController()

  /** Without an endpoint, requests go to `store`. */
  constructor(
    directory: JobHarness['directory'],
    job: Partial<JobConfig> = {},
    endpoint?: Endpoint | ((clock: Clock) => Endpoint),
  ) {
    this.directory = directory
    this.job = { ...this.job, ...job }
    this.#endpoint = (typeof endpoint === 'function' ? endpoint(this.clock) : endpoint) ?? {
      tenantUrl: BASE,
      token: 'secret',
      fetch: this.store.fetch,
      timeoutMs: 200,
    }
    this.state = newState({ tenantUrl: this.#endpoint.tenantUrl, tenant: '' })
  }

  client(): ScimClient {
    const { tenantUrl, token = '', tokens = secretToken(token), ...endpoint } = this.#endpoint
    return new ScimClient({
      ...endpoint,
      tokens,
      tenantUrl: parseTenantUrl(tenantUrl),
      clock: this.clock,
      signal: this.stop.signal,
      wire: providerOf(this.job).wire,
    })
  }

  parsed(): Directory {
    const { directory, problems } = parseDirectory(structuredClone(this.directory))
    if (problems.length > 0) throw new Error(JSON.stringify(problems))
    return directory
  }

  context(): CycleContext {
    const { job, state, clock, newId, retryAll, pushNow } = this
    return {
      job,
      state,
      imported: importDirectory(this.parsed(), job, state, clock.now()),
      client: this.client(),
      clock,
      newId,
      emit: (event) => {
        if (event.type === 'log') this.log.push(event.entry)
      },
      onStateChanged: () => undefined,
      signal: this.stop.signal,
      retryAll,
      pushNow,
    }
  }

  async cycle(): Promise<CycleResult> {
    this.log.length = 0
    return runCycle(this.context())
  }

  /** Runs a cycle and returns its requests without those of the connection test. */
  async requestsOfCycle(): Promise<{ method: string; path: string; body: unknown }[]> {
    this.store.received.length = 0
    await this.cycle()
    return this.store.takeRequests().map(({ method, path, body }) => ({ method, path, body }))
  }

  user(id: string): Record<string, unknown> {
    const user = this.directory.users.find((candidate) => candidate.id === id)
    if (user === undefined) throw new Error(`no user ${id}`)
    return user
  }

  group(id: string): Record<string, unknown> & { members: string[] } {
    const group = this.directory.groups.find((candidate) => candidate.id === id)
    if (group === undefined) throw new Error(`no group ${id}`)
    return group as Record<string, unknown> & { members: string[] }
  }
}
