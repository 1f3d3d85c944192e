/**
 * The group coordinator: one Durable Object for each tenant, named after it, runs the tenant's group
 * writes in their order. It keeps a queue of its own, because waiting for D1 inside a Durable Object lets
 * other requests in, and blockConcurrencyWhile would stop reads and reset the object when a write throws.
 * What waits while a batch is at D1 goes together in the next one: a line that took one write for each
 * round trip would be no faster than D1 is far away.
 *
 * The queue is for fairness and to spare lost races. It does not fence: the platform may run a second copy
 * of an object for a moment, so the group limit, unique names and versions are held by the database too.
 *
 * Only requests with a token that the Worker has seen valid reach it (http/bearer-auth.ts): a name that a stranger made
 * up would make an object. It checks the token all the same, with each batch.
 *
 * Its alarm runs the tenant's job (provider/jobs/), which goes on in as many invocations as it takes.
 *
 * It also keeps the tenant's bookmark (storage/replicas.ts). Reports of writes come from the Worker, those of
 * group writes too: the platform makes sure that a copy is the current one when an event begins, not when a
 * write that has waited in the queue ends.
 * https://developers.cloudflare.com/durable-objects/platform/known-issues/#global-uniqueness
 */
import { DurableObject } from 'cloudflare:workers'
import { bindingOf, databasesOf } from '../bindings.ts'
import { idGenerator } from '../id-generator.ts'
import type { GroupWriteAnswer, GroupWriteRequest, GroupWriter } from '../provider/group-writer.ts'
import { runJob } from '../provider/jobs/runner.ts'
import { QueuedGroupWriter } from '../provider/queued-group-writer.ts'
import { type D1Binding, MAX_QUERIES_FREE, noFigures, openDatabase } from '../storage/database.ts'
import { type KeptBookmark, TenantBookmark } from '../storage/replicas.ts'
import { RESOURCE_TYPES } from '../storage/resource-tables.ts'

const newId = idGenerator()

/** The pause after a job could not even be read: the database of the catalogue does not answer. */
const FAILED_PAUSE_MS = 30_000
/** The key of the tenant whose job an alarm goes on with: an alarm does not tell the name of its object. */
const TENANT_KEY = 'tenantId'

interface CoordinatorEnv {
  readonly DB: D1Binding
  readonly GROUP_COORDINATOR: DurableObjectNamespace<GroupCoordinator>
}

export class GroupCoordinator extends DurableObject<CoordinatorEnv> implements GroupWriter {
  readonly #writer = new QueuedGroupWriter({
    openDatabase: (name, figures) => openDatabase(bindingOf(this.env, name), figures),
    resourceTypes: RESOURCE_TYPES,
    newId,
    now: Date.now,
  })
  readonly #bookmark = new TenantBookmark(Date.now)
  /** How often jobs were woken. */
  #wakes = 0

  write(request: GroupWriteRequest): Promise<GroupWriteAnswer> {
    return this.#writer.write(request)
  }

  /** Has the job of the tenant go on at once, and again until it ends. */
  async wakeJobs(tenantId: string): Promise<void> {
    this.#wakes++
    await this.ctx.storage.put(TENANT_KEY, tenantId)
    await this.ctx.storage.setAlarm(Date.now())
  }

  /** Goes on with the job, as far as one invocation may ask D1. */
  override async alarm(): Promise<void> {
    const tenantId = await this.ctx.storage.get<string>(TENANT_KEY)
    if (tenantId === undefined) return
    const wakes = this.#wakes
    const pauseMs = await this.#runJob(tenantId)
    if (pauseMs !== undefined) await this.ctx.storage.setAlarm(Date.now() + pauseMs)
    // Another job may have begun when this one had just ended.
    else if (wakes === this.#wakes) await this.ctx.storage.deleteAll()
  }

  async #runJob(tenantId: string): Promise<number | undefined> {
    try {
      const databases = databasesOf(this.env, noFigures())
      // As an event of its own: the platform then makes sure that this copy of the object is the current one.
      const noteWrite = () => this.env.GROUP_COORDINATOR.getByName(tenantId).forgetBookmark()
      const maxStatements = MAX_QUERIES_FREE
      const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements, now: Date.now, noteWrite }
      return await runJob(run, tenantId)
    } catch (error) {
      console.error(JSON.stringify({ job: 'run jobs', tenantId, message: String(error) }))
      return FAILED_PAUSE_MS
    }
  }

  getBookmark(): KeptBookmark {
    return this.#bookmark.get()
  }

  keepBookmark(bookmark: string, mark: string): void {
    this.#bookmark.keep(bookmark, mark)
  }

  forgetBookmark(): void {
    this.#bookmark.forget()
  }
}
