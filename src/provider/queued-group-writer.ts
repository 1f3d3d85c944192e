/**
 * The group writer that runs the writes of one tenant in the order of their arrival: what the Durable Object
 * does on Cloudflare, and the process itself elsewhere. Writes that wait while the database is busy go
 * together: see group-commit.ts.
 */
import { ScimError } from '../scim/error.ts'
import { MAX_WORK_UNITS } from '../scim/limits.ts'
import { Work } from '../scim/work.ts'
import { AccessRefused } from '../storage/access-refused.ts'
import { type Database, type DatabaseFigures, DatabaseUnavailable, noFigures } from '../storage/database.ts'
import { isKnownValid } from '../storage/known-tokens.ts'
import type { StoredResourceType } from '../storage/resource-tables.ts'
import { type TenantContext, withTenant } from '../storage/tenant-context.ts'
import { requireWriter } from '../storage/tokens.ts'
import type { Call, Rendered, Written } from './call.ts'
import { commitWrites, loadEarly, type PendingWrite } from './group-commit.ts'
import {
  type GroupWriteAnswer,
  type GroupWriteRequest,
  type GroupWriter,
  prepareGroupWrite,
} from './group-writer.ts'
import type { GroupDeletion, GroupWrite } from './groups.ts'
import { type QueueLimits, QueueOverflow, SerialQueue } from './serial-queue.ts'

/**
 * The line before a tenant's group writes. One that goes alone takes two round trips to the database: at 20 ms
 * each the longest line of them is twenty seconds of waiting, and clients hang up after thirty or more.
 */
const QUEUE_LIMITS: QueueLimits = { maxWaiting: 500, maxWaitMs: 20_000 }

/** Writes that go together. */
const MAX_WRITES = 50
/**
 * Groups that they change. With the statements of each, a commit has fewer than 50: the free plan allows no more in an
 * invocation, and whether each statement of a batch counts is not said.
 * https://developers.cloudflare.com/d1/platform/limits/
 */
const MAX_GROUPS = 9
/** Characters in the bodies of writes that go together: no more than one large body has, which D1 takes as well. */
const MAX_CHARACTERS = 1_000_000

export interface QueuedGroupWriterOptions {
  /** @param name of the binding of the tenant's database */
  readonly openDatabase: (name: string | undefined, figures: DatabaseFigures) => Database
  /** The types that are shipped. */
  readonly resourceTypes: readonly StoredResourceType[]
  readonly newId: () => string
  /** Milliseconds. */
  readonly now: () => number
  /** Writes that go together; 1 turns group commit off. */
  readonly maxWrites?: number
}

/** A write in the line. */
interface Job extends Omit<PendingWrite, 'write'> {
  readonly write: GroupWrite | GroupDeletion
  readonly characters: number
}

/** One for each tenant. */
export class QueuedGroupWriter implements GroupWriter {
  readonly #queue: SerialQueue<Job, Rendered | Written | undefined>
  readonly #options: QueuedGroupWriterOptions

  constructor(options: QueuedGroupWriterOptions) {
    const { openDatabase, now, maxWrites = MAX_WRITES } = options
    this.#options = options
    this.#queue = new SerialQueue({
      limits: QUEUE_LIMITS,
      now,
      lotOf: (waiting) => lotOf(waiting, maxWrites),
      run: (lot) => runLot(openDatabase, lot),
    })
  }

  /** Runs a write when its turn comes. Refusals and faults are answers: what throws would look like a writer out of reach. */
  async write(request: GroupWriteRequest): Promise<GroupWriteAnswer> {
    const figures = noFigures()
    const work = new Work('invalidValue', MAX_WORK_UNITS, request.spent)
    const { resourceTypes } = this.#options
    try {
      const { tenantId } = request.credentials
      const openCatalogue = () => this.#options.openDatabase(undefined, figures)
      const rendered = await withTenant(tenantId, resourceTypes, openCatalogue, (tenant) => {
        work.rewind(request.spent ?? 0)
        return this.#writeIn(tenant, request, figures, work)
      })
      return { figures, spent: work.spent, rendered }
    } catch (error) {
      return { ...answerOf(error, figures), spent: work.spent }
    }
  }

  /** @throws {StaleTenant} the tenant has another configuration: nothing is written */
  async #writeIn(
    tenant: TenantContext,
    request: GroupWriteRequest,
    figures: DatabaseFigures,
    work: Work,
  ): Promise<Rendered | Written | undefined> {
    const { tenantUrl, requestId, body } = request
    // What the sender goes by may be older or newer than what this process knows; its own is checked.
    const credentials = { ...request.credentials, tenantVersion: tenant.version }
    const write = prepareGroupWrite(request, { tenant, work })
    const db = this.#options.openDatabase(tenant.database, figures)
    const call = { db, credentials, tenant, tenantUrl, requestId, newId: this.#options.newId, work }
    const characters = JSON.stringify(body)?.length ?? 0
    const before = this.#queue.enteredWhenIdle
    const loaded = isKnownValid(credentials) ? undefined : await letIn(call, write)
    // Of what others have written meanwhile it knows nothing.
    const early = before !== undefined && before === this.#queue.enteredWhenIdle ? loaded : undefined
    return await this.#queue.run({ call, write, figures, early, characters })
  }
}

/**
 * Checks a token that was not seen valid here, before its write gets into line: else anybody who can name a
 * tenant could fill its line.
 *
 * @returns what was loaded with the check: a write that need not wait then takes two round trips like any other, one
 *   that must wait takes a third, once for each token
 * @throws {ScimError} 401, 403
 */
async function letIn(call: Call, write: GroupWrite | GroupDeletion): Promise<PendingWrite['early']> {
  if ('decide' in write) return await loadEarly(call, write)
  await requireWriter(call.db, call.credentials)
  return undefined
}

/**
 * How many of those that wait go together. Deletions go alone, and so does what needs the whole list of
 * members, because nobody knows how long it is. All go by one configuration of the tenant.
 */
function lotOf(waiting: readonly Job[], maxWrites: number): number {
  let characters = 0
  const groups = new Set<unknown>()
  const end = waiting.findIndex((job, i) => {
    characters += job.characters
    if ('run' in job.write || job.write.needs.allMembers) return true
    if (!isSameContext(job.call, waiting[0]?.call)) return true
    // A group that is to be created has no id yet.
    groups.add(job.write.needs.id || job)
    return i === maxWrites || groups.size > MAX_GROUPS || characters > MAX_CHARACTERS
  })
  return end === -1 ? waiting.length : Math.max(1, end)
}

function isSameContext({ tenant }: Call, first: Call | undefined): boolean {
  return tenant.version === first?.tenant.version && tenant.database === first.tenant.database
}

function runLot(open: QueuedGroupWriterOptions['openDatabase'], lot: readonly Job[]) {
  const writes: PendingWrite[] = []
  for (const job of lot) {
    if ('run' in job.write) return Promise.allSettled([job.write.run(job.call)])
    writes.push({ ...job, write: job.write })
  }
  const name = writes[0]?.call.tenant.database
  return commitWrites((figures) => open(name, figures), writes)
}

function answerOf(error: unknown, figures: DatabaseFigures): GroupWriteAnswer {
  if (error instanceof ScimError) {
    const { status, scimType, detail } = error
    const access =
      error instanceof AccessRefused ? { reason: error.reason, tokenId: error.tokenId } : undefined
    return { figures, refusal: { status, scimType, detail, access } }
  }
  if (error instanceof DatabaseUnavailable) return { figures, isUnavailable: true }
  if (error instanceof QueueOverflow) {
    const detail = `too many group writes at the same time: ${error.message}; try again`
    return { figures, refusal: { status: 429, scimType: undefined, detail } }
  }
  return { figures, fault: error instanceof Error ? error.message : String(error) }
}
