/**
 * Group commit: the group writes of a chunk share two round trips. One batch loads what all of them need. Each write is
 * then decided in memory, in the order of arrival, and sees the changes of those before it. One batch stores the
 * changes, with an entry in the provisioning log for each write. A refused write does not affect the others.
 *
 * The second batch is a transaction in which the database enforces its rules: valid tokens, versions, unique names, the
 * group limit, existing members. If a rule refuses the batch, another writer was faster, and nothing is changed. After a
 * stale version the chunk is loaded and decided again. After any other refusal each half of the chunk is tried by
 * itself, down to the one write that cannot be done. A batch without an answer may have been applied, so it is never
 * repeated: the outcome of all its writes is unknown.
 */
import { hasMembers } from '../../scim/schema/resource-type.ts'
import { credentialsOf } from '../../storage/access/token-conditions.ts'
import {
  addFigures,
  type Database,
  type DatabaseFigures,
  DatabaseUnavailable,
  noFigures,
  type Statement,
} from '../../storage/database/database.ts'
import { deprovisionStatements } from '../../storage/guard/deprovisioning.ts'
import { loadGroups, storeGroups } from '../../storage/resources/groups.ts'
import { TenantElsewhere } from '../../storage/tenants/context.ts'
import type { Call, Rendered } from '../call.ts'
import { retryWhileStale } from '../optimistic.ts'
import { GroupDraft } from './group-draft.ts'
import { databaseRefusal } from './group-refusals.ts'
import type { GroupDecision, GroupDeletion, GroupWrite } from './group-write.ts'

/** A write in the queue. */
export interface QueuedWrite<Write extends GroupWrite | GroupDeletion = GroupWrite | GroupDeletion> {
  readonly call: Call
  readonly write: Write
  /** Receives the cost of the write: see `runShared`. */
  readonly figures: DatabaseFigures
  /** Measures its body as JSON. */
  readonly characters: () => number
  /** State loaded while the queue was idle; set only for a chunk of one. */
  readonly preloaded?: GroupDraft | undefined
}

/** Opens the database of the tenant. */
type Open = (figures: DatabaseFigures) => Database

/** Loads the state that a write needs before it is queued. @throws {ScimError} 401, 403 */
export async function preload({ tenant }: Call, { needs }: GroupWrite): Promise<GroupDraft> {
  const { loaded, refusals } = await loadGroups(
    tenant.database,
    [credentialsOf(tenant)],
    [needs],
    tenant.sourceMode,
  )
  if (refusals[0] !== undefined) throw refusals[0]
  return new GroupDraft(loaded)
}

/** Commits writes of one tenant together. @returns the outcome of each, in the order of the writes */
export async function commitWrites(
  open: Open,
  writes: readonly QueuedWrite<GroupWrite>[],
): Promise<readonly PromiseSettledResult<Rendered>[]> {
  let preloaded = writes[0]?.preloaded
  try {
    return await retryWhileStale(() => {
      const draft = preloaded
      // It holds for the first attempt only.
      preloaded = undefined
      return attempt(open, writes, draft)
    })
  } catch (error) {
    const isForAll = error instanceof DatabaseUnavailable || error instanceof TenantElsewhere
    if (writes.length === 1 || isForAll) return writes.map(() => rejected(error))
    const half = Math.ceil(writes.length / 2)
    const first = await commitWrites(open, writes.slice(0, half))
    return [...first, ...(await commitWrites(open, writes.slice(half)))]
  }
}

/** A write that is to be stored. */
interface Decided {
  readonly queued: QueuedWrite<GroupWrite>
  readonly decision: GroupDecision
}

/** Loads, decides and stores. @throws why the whole batch was refused */
async function attempt(
  open: Open,
  writes: readonly QueuedWrite<GroupWrite>[],
  preloaded: GroupDraft | undefined,
): Promise<readonly PromiseSettledResult<Rendered>[]> {
  const { draft, refusals } = preloaded ? { draft: preloaded, refusals: [] } : await load(open, writes)
  const outcomes = writes.map((queued, i) => (refusals[i] ? rejected(refusals[i]) : decide(queued, draft)))
  const decided = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  try {
    if (decided.length > 0) await store(open, decided, draft)
  } catch (error) {
    const [only] = decided
    if (only === undefined || writes.length > 1) throw error
    throw databaseRefusal(error, only.decision.change, draft.known(only.queued.write.needs))
  }
  return outcomes.map((outcome) =>
    outcome.status === 'fulfilled' ? { ...outcome, value: outcome.value.decision.answer } : outcome,
  )
}

async function load(open: Open, writes: readonly QueuedWrite<GroupWrite>[]) {
  const actors = writes.map(({ call }) => credentialsOf(call.tenant))
  const needs = writes.map(({ write }) => write.needs)
  const mode = writes[0]?.call.tenant.sourceMode ?? 'observe'
  const { loaded, refusals } = await runShared(open, writes, (db) => loadGroups(db, actors, needs, mode))
  return { draft: new GroupDraft(loaded), refusals }
}

/** Decides one write after those before it, and adds its change to the draft. */
function decide(queued: QueuedWrite<GroupWrite>, draft: GroupDraft): PromiseSettledResult<Decided> {
  try {
    const decision = queued.write.decide(queued.call, draft.known(queued.write.needs))
    if (decision.change !== undefined) draft.apply(decision.change)
    return { status: 'fulfilled', value: { queued, decision } }
  } catch (reason) {
    return rejected(reason)
  }
}

async function store(open: Open, decided: readonly Decided[], draft: GroupDraft): Promise<void> {
  const told = decided.map(({ queued: { call }, decision }) => ({
    credentials: credentialsOf(call.tenant),
    entry: decision.log,
    events: decision.events,
    lookups: decision.lookups,
  }))
  const writes = decided.map(({ queued }) => queued)
  const guards = guardsOf(decided)
  const type = decided[0]?.queued.call.tenant.resourceTypes.find(hasMembers)
  if (type === undefined) throw new Error('the directory has no resource type with members')
  await runShared(open, writes, (db) => storeGroups(db, type, draft.changes, { writes: told, guards }))
}

/** The statements that count the memberships that are removed, once for each token. */
function guardsOf(decided: readonly Decided[]): readonly Statement[] {
  const byToken = Map.groupBy(decided, ({ queued: { call } }) => call.tenant.actor.tokenHash)
  return [...byToken.values()].flatMap((writes) => {
    const memberships = writes.reduce((sum, { decision }) => sum + (decision.change?.removed.length ?? 0), 0)
    const last = writes.at(-1)
    return last ? deprovisionStatements(last.queued.call.tenant, { users: 0, groups: 0, memberships }) : []
  })
}

/**
 * Runs a batch for several writes. The figures of each write include the round trip and its duration, because each of
 * them waited for it. The rows are divided evenly, so the sum over all answers is what the database did.
 */
async function runShared<Result>(
  open: Open,
  writes: readonly Pick<QueuedWrite, 'figures'>[],
  run: (db: Database) => Promise<Result>,
): Promise<Result> {
  const figures = noFigures()
  try {
    return await run(open(figures))
  } finally {
    for (const [i, write] of writes.entries()) addFigures(write.figures, shareOf(figures, i, writes.length))
  }
}

function shareOf(figures: DatabaseFigures, index: number, count: number): DatabaseFigures {
  const share = (rows: number) =>
    Math.floor((rows * (index + 1)) / count) - Math.floor((rows * index) / count)
  return { ...figures, rowsRead: share(figures.rowsRead), rowsWritten: share(figures.rowsWritten) }
}

function rejected(reason: unknown): PromiseRejectedResult {
  return { status: 'rejected', reason }
}
