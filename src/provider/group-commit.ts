/**
 * Group commit: group writes that wait at the same moment take two round trips together. One batch loads what
 * they need; each is decided in memory, in order of arrival, and sees what those before it changed; one batch
 * stores what came of it, with an entry in the provisioning log for each. A write that is refused fails alone.
 *
 * The second batch is one transaction, in which the database checks its rules: tokens, versions, unique
 * names, the group limit, members that exist. When one of them refuses the batch, somebody else wrote since
 * the load, and nothing is changed: after a stale version all is done once more, after anything else in two
 * halves, until the write that cannot be done stands alone. What got no answer may have been done, so it is
 * never repeated: none of its writes has a known outcome.
 */
import {
  addFigures,
  type Database,
  type DatabaseFigures,
  DatabaseUnavailable,
  noFigures,
} from '../storage/database.ts'
import { loadGroups, storeGroups } from '../storage/groups.ts'
import { TenantElsewhere } from '../storage/tenant-context.ts'
import type { Call, Rendered, Written } from './call.ts'
import { GroupDraft } from './group-draft.ts'
import { databaseRefusal, type GroupDecision, type GroupWrite, type KnownGroup } from './groups.ts'
import { retryWhileStale } from './optimistic.ts'

/** A write whose turn has come. */
export interface PendingWrite {
  readonly call: Call
  readonly write: GroupWrite
  /** Receives what the write costs: see `shared`. */
  readonly figures: DatabaseFigures
  /** What was loaded for it right before, as nobody else was writing: it then is the only one. */
  readonly early?: GroupDraft | undefined
}

export type Outcome = PromiseSettledResult<Rendered | Written>

/** Loads what one write needs, before its turn. @throws {ScimError} 401, 403 */
export async function loadEarly({ db, credentials }: Call, { needs }: GroupWrite): Promise<GroupDraft> {
  const { loaded, refusals } = await loadGroups(db, [credentials], [needs])
  if (refusals[0] !== undefined) throw refusals[0]
  return new GroupDraft(loaded)
}

/** Does writes of one tenant together. @returns what came of each, in their order */
export async function commitWrites(
  open: (figures: DatabaseFigures) => Database,
  pending: readonly PendingWrite[],
): Promise<readonly Outcome[]> {
  let early = pending[0]?.early
  try {
    return await retryWhileStale(() => {
      const draft = early
      early = undefined
      return attempt(open, pending, draft)
    })
  } catch (error) {
    const isForAll = error instanceof DatabaseUnavailable || error instanceof TenantElsewhere
    if (pending.length === 1 || isForAll) {
      return pending.map(() => ({ status: 'rejected', reason: error }))
    }
    const half = Math.ceil(pending.length / 2)
    const first = await commitWrites(open, pending.slice(0, half))
    return [...first, ...(await commitWrites(open, pending.slice(half)))]
  }
}

/** A write that is to be stored, or the reason why not. */
type Verdict =
  | { readonly pending: PendingWrite; readonly known: KnownGroup; readonly decision: GroupDecision }
  | { readonly reason: unknown }

/** Loads, decides, stores. @throws what refuses the batch as a whole */
async function attempt(
  open: (figures: DatabaseFigures) => Database,
  pending: readonly PendingWrite[],
  early: GroupDraft | undefined,
): Promise<readonly Outcome[]> {
  const { draft, refusals } = early === undefined ? await load(open, pending) : { draft: early, refusals: [] }
  const verdicts = pending.map((one, i) => (refusals[i] ? { reason: refusals[i] } : decide(one, draft)))
  const accepted = verdicts.filter((verdict) => 'decision' in verdict)
  if (accepted.length > 0) {
    const log = accepted.map(({ pending: { call }, decision }) => ({
      credentials: call.credentials,
      entry: decision.log,
    }))
    try {
      await shared(
        open,
        accepted.map((verdict) => verdict.pending),
        (db) => storeGroups(db, draft.changes, log),
      )
    } catch (error) {
      const [only] = accepted
      throw pending.length === 1 && only ? databaseRefusal(error, only.decision.change, only.known) : error
    }
  }
  return verdicts.map((verdict) =>
    'decision' in verdict
      ? { status: 'fulfilled', value: verdict.decision.answer }
      : { status: 'rejected', reason: verdict.reason },
  )
}

async function load(open: (figures: DatabaseFigures) => Database, pending: readonly PendingWrite[]) {
  const { loaded, refusals } = await shared(open, pending, (db) =>
    loadGroups(
      db,
      pending.map(({ call }) => call.credentials),
      pending.map(({ write }) => write.needs),
    ),
  )
  return { draft: new GroupDraft(loaded), refusals }
}

/** Decides one write, after those before it. */
function decide(pending: PendingWrite, draft: GroupDraft): Verdict {
  try {
    const known = draft.known(pending.write.needs)
    const decision = pending.write.decide(pending.call, known)
    if (decision.change !== undefined) draft.apply(decision.change)
    return { pending, known, decision }
  } catch (reason) {
    return { reason }
  }
}

/**
 * Runs a batch for several writes. Each of them waited for it, so each has the round trip and its time among
 * its figures. The rows are shared out evenly: what the answers say adds up to what the database did.
 */
async function shared<Result>(
  open: (figures: DatabaseFigures) => Database,
  pending: readonly PendingWrite[],
  run: (db: Database) => Promise<Result>,
): Promise<Result> {
  const figures = noFigures()
  try {
    return await run(open(figures))
  } finally {
    for (const [i, one] of pending.entries()) addFigures(one.figures, shareOf(figures, i, pending.length))
  }
}

function shareOf(figures: DatabaseFigures, index: number, count: number): DatabaseFigures {
  const share = (rows: number) =>
    Math.floor((rows * (index + 1)) / count) - Math.floor((rows * index) / count)
  return { ...figures, rowsRead: share(figures.rowsRead), rowsWritten: share(figures.rowsWritten) }
}
