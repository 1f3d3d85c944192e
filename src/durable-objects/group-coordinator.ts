/**
 * The group coordinator: one Durable Object per tenant, named after it. It runs the group writes of the tenant in the
 * order of arrival. It has a queue of its own, because a Durable Object accepts other requests while it waits for D1, and
 * blockConcurrencyWhile would stop reads and reset the object when a write throws. Writes that wait are committed
 * together: with one write per round trip, throughput would depend on the distance to D1.
 *
 * The queue makes writes fair and avoids lost races. It is not a lock: the platform may run a second copy of an object
 * for a moment, so the database also enforces versions, unique names and the group limit.
 *
 * The Worker forwards only requests whose token it has seen valid (http/bearer-auth.ts): otherwise a stranger could create
 * an object for any name. Each batch checks the token again.
 *
 * Writes and deletions of users come here only while others of the tenant are at the database: storage/database/joint-writes.ts.
 *
 * The alarm does the pending work on the tenant (provider/jobs/) in as many invocations as it takes.
 *
 * The coordinator also holds the bookmark of the tenant (storage/database/replicas.ts). The Worker reports all writes,
 * including group writes: the platform checks that a copy of an object is the current one when an event begins, but not
 * when a write that waited in the queue ends.
 * https://developers.cloudflare.com/durable-objects/platform/known-issues/#global-uniqueness
 */
import { DurableObject } from 'cloudflare:workers'
import { databasesOf, openBinding } from '../bindings.ts'
import { idGenerator } from '../id-generator.ts'
import { loadBackgroundWork } from '../parts.ts'
import { type AwaitedPosition, EventWaiters } from '../provider/events/event-waiters.ts'
import type { GroupWriteAnswer, GroupWriteRequest, GroupWriter } from '../provider/groups/group-writer.ts'
import { QueuedGroupWriter } from '../provider/groups/queued-group-writer.ts'
import { type D1Binding, MAX_QUERIES_FREE, noFigures, type Statement } from '../storage/database/database.ts'
import { type JointAnswer, JointWrites } from '../storage/database/joint-writes.ts'
import { type HeldBookmark, TenantBookmark } from '../storage/database/replicas.ts'
import { RESOURCE_TYPES } from '../storage/tables/resource-tables.ts'
import type { WebhookAddress } from '../storage/webhooks/delivery.ts'
import { pokeSenders, type WebhookSender } from './webhook-sender.ts'

const newId = idGenerator()

/** The pause before the next attempt if the catalogue does not answer. */
const FAILED_PAUSE_MS = 30_000
/** The statements that check the databases of a job in a new isolate: the catalogue, the source and the target. */
const IDENTITY_CHECKS = 3
/** Between two looks for new events while readers wait. Each reads one row of D1. */
const LOOK_INTERVAL_MS = 500
/** As in src/settings.ts. */
const DEFAULT_TOMBSTONE_DAYS = 30
/** The storage key of the tenant's id: an alarm does not know the name of its object. */
const TENANT_KEY = 'tenantId'

interface CoordinatorEnv {
  readonly DB: D1Binding
  /** The Worker has checked it: see src/settings.ts. */
  readonly TOMBSTONE_DAYS?: string | number
  readonly GROUP_COORDINATOR: DurableObjectNamespace<GroupCoordinator>
  readonly WEBHOOK_SENDER: DurableObjectNamespace<WebhookSender>
}

export class GroupCoordinator extends DurableObject<CoordinatorEnv> implements GroupWriter {
  readonly #writer = new QueuedGroupWriter({
    openDatabase: (name, figures) => openBinding(this.env, name, figures),
    resourceTypes: RESOURCE_TYPES,
    newId,
    wakeJobs: (tenantId) => this.wakeJobs(tenantId),
    now: Date.now,
  })
  readonly #joint = new Map<string | undefined, JointWrites>()
  readonly #bookmark = new TenantBookmark(Date.now)
  readonly #waiters = new EventWaiters({
    openDatabase: (name) => openBinding(this.env, name, noFigures()),
    intervalMs: LOOK_INTERVAL_MS,
  })
  /** Counts the calls of `wakeJobs`. */
  #wakes = 0

  /** Writes of other resources, by the name of the binding of their database. The Worker has checked their tokens before. */
  writeJointly(
    name: string | undefined,
    resourceId: string,
    statements: readonly Statement[],
  ): Promise<JointAnswer | undefined> {
    const writes =
      this.#joint.get(name) ?? new JointWrites(() => openBinding(this.env, name, noFigures()), Date.now)
    this.#joint.set(name, writes)
    return writes.run(resourceId, statements)
  }

  write(request: GroupWriteRequest): Promise<GroupWriteAnswer> {
    return this.#writer.write(request)
  }

  waitForEvent(position: AwaitedPosition, ms: number): Promise<boolean> {
    return this.#waiters.wait(position, ms)
  }

  /** Does the pending work on the tenant now, and again until it is done. */
  async wakeJobs(tenantId: string): Promise<void> {
    this.#wakes++
    await this.ctx.storage.put(TENANT_KEY, tenantId)
    await this.ctx.storage.setAlarm(Date.now())
  }

  /** Does the work for as many queries as one invocation may send to D1. */
  override async alarm(): Promise<void> {
    const tenantId = await this.ctx.storage.get<string>(TENANT_KEY)
    if (tenantId === undefined) return
    const wakes = this.#wakes
    const pauseMs = await this.#runJob(tenantId)
    // If it was woken in the meantime, the alarm is set already.
    if (wakes !== this.#wakes) return
    if (pauseMs !== undefined) await this.ctx.storage.setAlarm(Date.now() + pauseMs)
    else await this.ctx.storage.deleteAll()
  }

  async #runJob(tenantId: string): Promise<number | undefined> {
    try {
      const databases = databasesOf(this.env, noFigures())
      // An event of its own, so that the platform checks that this copy of the object is the current one.
      const noteWrite = () => this.env.GROUP_COORDINATOR.getByName(tenantId).forgetBookmark()
      const maxStatements = MAX_QUERIES_FREE - IDENTITY_CHECKS
      const pokeWebhooks = (due: readonly WebhookAddress[]) =>
        pokeSenders(this.env.WEBHOOK_SENDER, due, false)
      const keepsDeleted = Number(this.env.TOMBSTONE_DAYS ?? DEFAULT_TOMBSTONE_DAYS) > 0
      const calls = { now: Date.now, administration: { newId, keepsDeleted }, noteWrite, pokeWebhooks }
      const { runJob } = await loadBackgroundWork()
      return await runJob({ databases, resourceTypes: RESOURCE_TYPES, maxStatements, ...calls }, tenantId)
    } catch (error) {
      console.error(JSON.stringify({ job: 'run jobs', tenantId, message: String(error) }))
      return FAILED_PAUSE_MS
    }
  }

  getBookmark(): HeldBookmark {
    return this.#bookmark.get()
  }

  offerBookmark(bookmark: string, epoch: string): void {
    this.#bookmark.offer(bookmark, epoch)
  }

  forgetBookmark(): void {
    this.#bookmark.forget()
  }
}
