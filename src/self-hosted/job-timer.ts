/**
 * Runs the jobs of tenants in this process: what alarms do on Cloudflare. Each batch waits for its turn, so that clients
 * do not notice.
 */
import { runJob } from '../provider/jobs/runner.ts'
import { MAX_QUERIES_FREE } from '../storage/database.ts'
import { catalogueOf, type Databases } from '../storage/databases.ts'
import { tenantsWithJobs } from '../storage/jobs.ts'
import { RESOURCE_TYPES } from '../storage/resource-tables.ts'

/** The pause after a job could not even be read. */
const FAILED_PAUSE_MS = 30_000

export class JobTimer {
  readonly #databases: Databases
  readonly #running = new Map<string, { timer?: ReturnType<typeof setTimeout>; isWoken: boolean }>()
  #isStopped = false
  #current: Promise<void> = Promise.resolve()

  constructor(databases: Databases) {
    this.#databases = databases
  }

  /** Has the job of a tenant go on at once, and again until it ends. */
  wake(tenantId: string): void {
    const present = this.#running.get(tenantId)
    if (present !== undefined) {
      present.isWoken = true
      return
    }
    this.#running.set(tenantId, { isWoken: false })
    this.#schedule(tenantId, 0)
  }

  /** Has all jobs go on that are under way: those that the end of a process has interrupted. */
  async wakeAll(): Promise<void> {
    for (const tenantId of await tenantsWithJobs(catalogueOf(this.#databases))) this.wake(tenantId)
  }

  /** Resolves when no unit is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true
    for (const { timer } of this.#running.values()) clearTimeout(timer)
    await this.#current
  }

  #schedule(tenantId: string, pauseMs: number): void {
    const entry = this.#running.get(tenantId)
    if (entry === undefined || this.#isStopped) return
    entry.timer = setTimeout(() => {
      // One after the other: they all write to the same disk.
      this.#current = this.#current.then(() => this.#run(tenantId))
    }, pauseMs)
  }

  async #run(tenantId: string): Promise<void> {
    const entry = this.#running.get(tenantId)
    if (entry === undefined || this.#isStopped) return
    entry.isWoken = false
    const pauseMs = await this.#runJob(tenantId)
    if (pauseMs !== undefined) return this.#schedule(tenantId, pauseMs)
    if (entry.isWoken) return this.#schedule(tenantId, 0)
    this.#running.delete(tenantId)
  }

  async #runJob(tenantId: string): Promise<number | undefined> {
    try {
      const [databases, maxStatements] = [this.#databases, MAX_QUERIES_FREE]
      return await runJob(
        { databases, resourceTypes: RESOURCE_TYPES, maxStatements, now: Date.now },
        tenantId,
      )
    } catch (error) {
      console.error(JSON.stringify({ job: 'run jobs', tenantId, message: String(error) }))
      return FAILED_PAUSE_MS
    }
  }
}
