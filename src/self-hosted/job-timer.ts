/**
 * Does the pending work on tenants in this process, in place of the alarms on Cloudflare. Each batch waits for its turn, so
 * that clients are not delayed.
 */
import { type JobRun, runJob } from '../provider/jobs/runner.ts'
import { MAX_QUERIES_FREE } from '../storage/database/database.ts'
import { tenantsWithDeletedGroups } from '../storage/resources/deleted-groups.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import { tenantsWithJobs } from '../storage/tenants/jobs.ts'
import { catalogueOf, type Databases } from '../storage/tenants/locations.ts'

/** The pause after an attempt that could not read the job. */
const FAILED_PAUSE_MS = 30_000

export class JobTimer {
  readonly #databases: Databases
  readonly #resourceTypes: readonly StoredResourceType[]
  readonly #calls: Required<Pick<JobRun, 'pokeWebhooks' | 'administration'>>
  readonly #running = new Map<string, { timer?: ReturnType<typeof setTimeout>; isWoken: boolean }>()
  #isStopped = false
  #current: Promise<void> = Promise.resolve()

  /** @param resourceTypes the types that are shipped */
  constructor(
    databases: Databases,
    resourceTypes: readonly StoredResourceType[],
    calls: Required<Pick<JobRun, 'pokeWebhooks' | 'administration'>>,
  ) {
    this.#databases = databases
    this.#resourceTypes = resourceTypes
    this.#calls = calls
  }

  /** Does the pending work on a tenant, now and until it is done. A pause of its job ends. */
  wake(tenantId: string): void {
    const present = this.#running.get(tenantId)
    if (present !== undefined) {
      present.isWoken = true
      if (present.timer !== undefined) this.#schedule(tenantId, 0)
      return
    }
    this.#running.set(tenantId, { isWoken: false })
    this.#schedule(tenantId, 0)
  }

  /** Continues all work that was interrupted by the end of a process. */
  async wakeAll(): Promise<void> {
    for (const tenantId of await tenantsWithJobs(catalogueOf(this.#databases))) this.wake(tenantId)
    for (const name of this.#databases.names) {
      for (const tenantId of await tenantsWithDeletedGroups(this.#databases.open(name))) this.wake(tenantId)
    }
  }

  /** Resolves when no unit of a job is in progress. */
  async stop(): Promise<void> {
    this.#isStopped = true
    for (const { timer } of this.#running.values()) clearTimeout(timer)
    await this.#current
  }

  #schedule(tenantId: string, pauseMs: number): void {
    const entry = this.#running.get(tenantId)
    if (entry === undefined || this.#isStopped) return
    clearTimeout(entry.timer)
    entry.timer = setTimeout(() => {
      delete entry.timer
      // One after the other, because all of them write to the same disk.
      this.#current = this.#current.then(() => this.#run(tenantId))
    }, pauseMs)
  }

  async #run(tenantId: string): Promise<void> {
    const entry = this.#running.get(tenantId)
    if (entry === undefined || this.#isStopped) return
    entry.isWoken = false
    const pauseMs = await this.#runJob(tenantId)
    if (entry.isWoken) return this.#schedule(tenantId, 0)
    if (pauseMs !== undefined) return this.#schedule(tenantId, pauseMs)
    this.#running.delete(tenantId)
  }

  async #runJob(tenantId: string): Promise<number | undefined> {
    try {
      const run = {
        databases: this.#databases,
        resourceTypes: this.#resourceTypes,
        maxStatements: MAX_QUERIES_FREE,
        now: Date.now,
        ...this.#calls,
      }
      return await runJob(run, tenantId)
    } catch (error) {
      console.error(JSON.stringify({ job: 'run jobs', tenantId, message: String(error) }))
      return FAILED_PAUSE_MS
    }
  }
}
