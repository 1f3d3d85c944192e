/**
 * The group writer of a tenant: runs its group writes in the order of arrival, in the Durable Object on Cloudflare and in
 * the process itself elsewhere. Writes that wait while the database is busy are committed together (commit-writes.ts).
 */
import { MAX_WORK_UNITS } from '../../scim/limits.ts'
import { Work } from '../../scim/work.ts'
import { isKnownValid } from '../../storage/access/known-tokens.ts'
import { requireWriter } from '../../storage/access/tokens.ts'
import {
  BATCH_TIMEOUT_MS,
  type Database,
  type DatabaseFigures,
  noFigures,
} from '../../storage/database/database.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { withTenant } from '../../storage/tenants/context.ts'
import type { Call, Rendered } from '../call.ts'
import { commitWrites, preload, type QueuedWrite } from './commit-writes.ts'
import type { GroupDraft } from './group-draft.ts'
import type { GroupDeletion, GroupWrite } from './group-write.ts'
import {
  failedAnswer,
  type GroupWriteAnswer,
  type GroupWriteRequest,
  type GroupWriter,
} from './group-writer.ts'
import { prepareWrite } from './membership-write.ts'
import { type QueueLimits, SerialQueue } from './serial-queue.ts'

/**
 * A chunk of one write takes two round trips: at 20 ms each, 500 such writes take twenty seconds, and clients give up
 * after thirty or more.
 */
export const QUEUE_LIMITS: QueueLimits = { maxWaiting: 500, maxWaitMs: 20_000 }

/** A write that takes longer has an object that does not answer: it waits, is checked, loaded and stored. */
export const MAX_GROUP_WRITE_MS: number = QUEUE_LIMITS.maxWaitMs + 3 * BATCH_TIMEOUT_MS

/** Writes in a chunk. */
const MAX_WRITES = 50
/**
 * Groups that a chunk changes. With the statements of each of them, a commit has fewer than 50 statements: the free plan
 * allows no more queries in an invocation, and Cloudflare does not say whether each statement of a batch counts.
 * https://developers.cloudflare.com/d1/platform/limits/
 */
const MAX_GROUPS = 9
/** Characters in the bodies of a chunk, by default: as many as one large body has, which D1 is known to take. */
const MAX_CHARACTERS = 1_000_000

export interface QueuedGroupWriterOptions {
  /** @param name of the binding of the tenant's database; undefined: the first database */
  readonly openDatabase: (name: string | undefined, figures: DatabaseFigures) => Database
  /** The types that are shipped. */
  readonly resourceTypes: readonly StoredResourceType[]
  readonly newId: () => string
  /** Has pending work on a tenant done soon: see ../jobs/runner.ts. */
  readonly wakeJobs: (tenantId: string) => Promise<void>
  /** Milliseconds. */
  readonly now: () => number
  /** Writes in a chunk; 1 turns group commit off. */
  readonly maxWrites?: number
  /** Characters in the bodies of a chunk with several writes. */
  readonly maxCharacters?: number
}

/** One for each tenant. */
export class QueuedGroupWriter implements GroupWriter {
  readonly #queue: SerialQueue<QueuedWrite, Rendered | undefined>
  readonly #options: QueuedGroupWriterOptions

  constructor(options: QueuedGroupWriterOptions) {
    const { now, maxWrites = MAX_WRITES, maxCharacters = MAX_CHARACTERS } = options
    this.#options = options
    this.#queue = new SerialQueue({
      limits: QUEUE_LIMITS,
      now,
      chunkSize: (waiting) => chunkSize(waiting, { maxWrites, maxCharacters }),
      run: (chunk) => runChunk(options, chunk),
    })
  }

  async write(request: GroupWriteRequest): Promise<GroupWriteAnswer> {
    const figures = noFigures()
    const { credentials: actor, tenantUrl, requestId, spent = 0, keepsDeleted = false } = request
    const work = new Work('invalidValue', MAX_WORK_UNITS, spent)
    const { openDatabase, resourceTypes, newId } = this.#options
    const open = (name: string | undefined) => openDatabase(name, figures)
    let webhooks: readonly string[] = []
    try {
      const rendered = await withTenant(
        { actor, resourceTypes, openDatabase: open, openCatalogue: () => open(undefined) },
        (tenant) => {
          work.rewind(spent)
          webhooks = tenant.webhooks
          return this.#enqueue(request, { tenant, tenantUrl, requestId, newId, keepsDeleted, work }, figures)
        },
      )
      return { figures, spent: work.spent, rendered, webhooks }
    } catch (error) {
      return { ...failedAnswer(error, figures), spent: work.spent }
    }
  }

  /** @throws {StaleTenant} the tenant has another configuration: nothing is written */
  async #enqueue(
    request: GroupWriteRequest,
    call: Call,
    figures: DatabaseFigures,
  ): Promise<Rendered | undefined> {
    const write = prepareWrite(request, call)
    const accepted = this.#queue.acceptedWhileIdle
    const loaded = isKnownValid(call.tenant.actor) ? undefined : await authorize(call, write)
    // Another write may have changed the groups since they were loaded.
    const isUpToDate = accepted !== undefined && accepted === this.#queue.acceptedWhileIdle
    const preloaded = isUpToDate ? loaded : undefined
    return await this.#queue.run({ call, write, figures, characters: lengthOf(request.body), preloaded })
  }
}

/**
 * Checks a token that this process has not seen valid before its write is queued. Otherwise anybody who knows the name
 * of a tenant could fill its queue. The check also loads what the write needs: if the queue is idle, such a write takes
 * two round trips like any other; if it is not, the first write of a token takes three.
 *
 * @throws {ScimError} 401, 403
 */
async function authorize(call: Call, write: GroupWrite | GroupDeletion): Promise<GroupDraft | undefined> {
  if ('decide' in write) return await preload(call, write)
  await requireWriter(call.tenant)
  return undefined
}

/** @returns a function that measures a body as JSON once: for a megabyte it takes a few milliseconds */
function lengthOf(body: unknown): () => number {
  let length: number | undefined
  return () => {
    length ??= JSON.stringify(body)?.length ?? 0
    return length
  }
}

/**
 * The number of waiting writes that are committed together. A deletion is a chunk of its own, and so is a write that
 * needs the whole list of members, because its length is not known. All writes of a chunk have the same snapshot of the
 * tenant.
 */
function chunkSize(
  waiting: readonly QueuedWrite[],
  { maxWrites, maxCharacters }: { readonly maxWrites: number; readonly maxCharacters: number },
): number {
  if (waiting.length === 1) return 1
  let characters = 0
  const groups = new Set<unknown>()
  const end = waiting.findIndex((queued, i) => {
    const { call, write } = queued
    characters += queued.characters()
    if ('run' in write || write.needs.allMembers) return true
    if (!isSameSnapshot(call, waiting[0]?.call)) return true
    // A group that is to be created has no id yet.
    groups.add(write.needs.id || queued)
    return i === maxWrites || groups.size > MAX_GROUPS || characters > maxCharacters
  })
  return end === -1 ? waiting.length : Math.max(1, end)
}

function isSameSnapshot({ tenant }: Call, first: Call | undefined): boolean {
  return tenant.version === first?.tenant.version && tenant.databaseName === first.tenant.databaseName
}

function runChunk({ openDatabase, wakeJobs }: QueuedGroupWriterOptions, chunk: readonly QueuedWrite[]) {
  const writes: QueuedWrite<GroupWrite>[] = []
  for (const { write, ...queued } of chunk) {
    if ('run' in write) return Promise.allSettled([runDeletion(write, queued.call, wakeJobs)])
    writes.push({ ...queued, write })
  }
  const name = writes[0]?.call.tenant.databaseName
  return commitWrites((figures) => openDatabase(name, figures), writes)
}

async function runDeletion(
  deletion: GroupDeletion,
  call: Call,
  wakeJobs: QueuedGroupWriterOptions['wakeJobs'],
): Promise<undefined> {
  const { leavesMemberships } = await deletion.run(call)
  if (!leavesMemberships) return
  const { tenantId } = call.tenant
  try {
    await wakeJobs(tenantId)
  } catch (error) {
    // The group is deleted. The hourly run deletes the rest.
    console.error(JSON.stringify({ job: 'delete memberships', tenantId, message: String(error) }))
  }
}
