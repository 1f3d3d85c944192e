/**
 * The hourly maintenance of every database: deletes old log entries, events, access tokens and files, warns of credentials
 * that expire soon, notices clients that are silent, continues deletions, tidies jobs, and pokes webhooks that are behind.
 */
import { DAY_MS, HOUR_MS } from '../scim/duration.ts'
import { deleteEndedCredentials } from '../storage/access/access-tokens.ts'
import { pruneAudit } from '../storage/administrators/audit-trail.ts'
import { countStatements, type Database, MAX_QUERIES_FREE } from '../storage/database/database.ts'
import { pruneEvents } from '../storage/events/pruning.ts'
import { continueTasks } from '../storage/extensions/task-runner.ts'
import { logExpiryWarnings } from '../storage/log/expiry-warnings.ts'
import { finishGroupDeletions } from '../storage/resources/deleted-groups.ts'
import { pruneTombstones } from '../storage/resources/tombstones.ts'
import { fillMissingWords } from '../storage/search/missing-words.ts'
import { pruneConflicts, sweepSources } from '../storage/sources/sweep.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import { finishDeletions } from '../storage/tenants/deletion.ts'
import type { Databases } from '../storage/tenants/locations.ts'
import { fillNameWords } from '../storage/tenants/name-words.ts'
import { pruneChunks } from '../storage/transfer/chunks.ts'
import { fillMissingValues } from '../storage/values/missing-values.ts'
import { dueWebhooks, type WebhookAddress } from '../storage/webhooks/delivery.ts'
import { HEALTH_STATEMENTS, noticeClientHealth } from './client-health.ts'
import { tidyJobs } from './jobs/runner.ts'
import { MAX_PRUNING_STATEMENTS, pruneProvisioningLog } from './retention.ts'
import { forgetTenant } from './tenants.ts'
import { MAX_PAUSE_MS } from './webhooks/retries.ts'

/** Events that a run deletes: more than a database gets in an hour. The next run deletes the rest. */
const MAX_PRUNED_EVENTS = 50_000

/** Deleted resources that a run removes for good; a large group has a row for each thousand members. */
const MAX_PRUNED_TOMBSTONES = 5_000

/** The statements for credentials that have ended or expire soon. */
const CREDENTIAL_STATEMENTS = 3
/** So that a request with a token that has just expired is told apart from one with an unknown token. */
const ACCESS_TOKENS_KEPT_MS = HOUR_MS
/**
 * Webhooks that a run pokes on Cloudflare, where each poke is a subrequest, of which the free plan has 50. Few pokes are
 * lost, and those of the webhooks that have waited longest are repeated first.
 * https://developers.cloudflare.com/workers/platform/limits/#subrequests
 */
const MAX_POKES = 10
/** SQLite reads LIMIT -1 as no limit. */
const ALL_WEBHOOKS = -1

/** The statements with which a run sweeps sources: a hundred chunks of a directory. The next run goes on. */
const MAX_SWEEP_STATEMENTS = 500

/** The most statements of `tidyJobs` for each database. */
const JOB_STATEMENTS = 3
/** The statements of each run beside those that prune the log: events, deleted resources, webhooks and health. */
const FIXED_STATEMENTS = 3 + HEALTH_STATEMENTS
/**
 * The fewest statements with which a run can prune the log of a database, notice the health of clients, and continue deletions
 * and schema changes.
 */
const MIN_SHARE = 17 + FIXED_STATEMENTS

export interface Maintenance {
  readonly databases: Databases
  /** The types that are shipped. */
  readonly resourceTypes: readonly StoredResourceType[]
  /** Milliseconds since 1970, according to the clock. */
  readonly now: number
  /** Of the provisioning log. */
  readonly retentionDays: number
  readonly eventRetentionDays: number
  readonly tombstoneDays: number
  /** Has webhooks deliver, whose pokes were lost. */
  readonly pokeWebhooks: (due: readonly WebhookAddress[]) => Promise<void>
  /** Statements that a run may send; Infinity if the database is in the same process. */
  readonly maxStatements: number
}

/** What was done, for the application log. */
export type MaintenanceNote = Readonly<Record<string, unknown>>

/**
 * Maintains each database, even if another one fails. If one run may not send enough statements for all databases, they take
 * turns every hour.
 *
 * @param note called after each part, because a later part may fail
 * @throws the first failure, after everything else was done
 */
export async function maintain(run: Maintenance, note: (done: MaintenanceNote) => void): Promise<void> {
  const names = namesInTurn(run.databases.names, databasesInARun(run.maxStatements), run.now)
  const failures: unknown[] = []
  const attempt = async (part: () => Promise<void>) => await part().catch((error) => failures.push(error))
  for (const name of names) {
    await attempt(async () => {
      try {
        await maintainDatabase(run, name, names.length, note)
      } catch (cause) {
        throw run.databases.names.length === 1 ? cause : failureOf(name, cause)
      }
    })
  }
  await attempt(() => tidyJobs(run.databases, names, run.now))
  if (failures.length > 0) throw failures[0]
}

function failureOf(name: string, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new Error(`the hourly run failed at the database "${name}": ${reason}`, { cause })
}

/** The databases whose turn it is in this hour. @param now milliseconds since 1970 */
export function namesInTurn(names: readonly string[], count: number, now: number): readonly string[] {
  if (count >= names.length) return names
  const first = (Math.floor(now / HOUR_MS) * count) % names.length
  return [...names.slice(first), ...names.slice(0, first)].slice(0, count)
}

function databasesInARun(maxStatements: number): number {
  return Math.max(1, Math.floor(maxStatements / (MIN_SHARE + JOB_STATEMENTS)))
}

/** Tells what a part has done. @param setting that the part depends on */
type Tell = (job: string, done: MaintenanceNote, setting?: MaintenanceNote) => void

async function maintainDatabase(
  run: Maintenance,
  name: string,
  count: number,
  note: (done: MaintenanceNote) => void,
): Promise<void> {
  const { databases, resourceTypes, now, maxStatements } = run
  const isLimited = maxStatements !== Number.POSITIVE_INFINITY
  const forJobs = JOB_STATEMENTS * count
  const share = Math.floor((Math.min(maxStatements, MAX_QUERIES_FREE) - forJobs) / count)
  const db = countStatements(databases.open(name))
  const where = databases.names.length === 1 ? {} : { database: name }
  const tell: Tell = (job, done, setting = {}) => note({ job, ...setting, ...where, ...done })
  const tellOf = (job: string, what: string, found: readonly unknown[]) => {
    if (found.length > 0) tell(job, { [what]: found })
  }
  const most = Math.min(MAX_PRUNING_STATEMENTS, share - FIXED_STATEMENTS)
  const hoursApart = Math.ceil(databases.names.length / count)
  const clockAheadMs = await prune(db, run, { maxStatements: most, hoursApart }, tell)
  const keptFrom = now - clockAheadMs - run.retentionDays * DAY_MS
  // Before the webhooks are looked up, so that the events are sent at once.
  const noticed = await noticeClientHealth(db, now, isLimited ? HEALTH_STATEMENTS : maxStatements)
  tellOf('notice the health of clients', 'clients', noticed)
  const limit = isLimited ? Math.ceil(MAX_POKES / count) : ALL_WEBHOOKS
  const due = await dueWebhooks(db, { now, maxPauseMs: MAX_PAUSE_MS, limit })
  // All parts belong to one invocation: the later ones use the statements that pruning has left.
  const left = () => (isLimited ? share - db.statements : maxStatements)
  const forget = async (tenantId: string) => await forgetTenant(databases, tenantId, name)
  tellOf('finish deletions', 'tenants', await finishDeletions(db, resourceTypes, left(), forget))
  const extended = await continueTasks({ db, types: resourceTypes, tenantId: undefined }, left())
  tellOf('finish schema changes', 'tenants', extended)
  tellOf('finish deletions of groups', 'tenants', await finishGroupDeletions(db, left()))
  // If too few statements are left, a later run does it: a warning may be a day late.
  if (left() >= CREDENTIAL_STATEMENTS) {
    await deleteEndedCredentials(db, { accessTokens: now - ACCESS_TOKENS_KEPT_MS, secrets: keptFrom })
    tellOf('warn of credentials that expire soon', 'warnings', await logExpiryWarnings(db, now))
  }
  while (left() > 1 && (await pruneChunks(db, now)));
  if (left() > 0) await pruneConflicts(db, keptFrom)
  if (left() > 0) await pruneAudit(db, keptFrom)
  // After all that must not wait: a large directory takes days on Cloudflare.
  tellOf('fill in values of users', 'tenants', await fillMissingValues(db, left()))
  const sweep = { now, maxStatements: Math.min(left(), MAX_SWEEP_STATEMENTS) }
  tellOf('sweep sources', 'tenants', await sweepSources(db, resourceTypes, sweep))
  tellOf('fill in words', 'tenants', await fillMissingWords(db, resourceTypes, left()))
  const named = await fillNameWords(db, left())
  if (named > 0) tell('fill in words of tenants', { tenants: named })
  // The last part, because each poke is a subrequest that another part may need.
  if (due.length > 0) tell('poke webhooks', { webhooks: due.length })
  await run.pokeWebhooks(due)
}

/**
 * Deletes log entries, events and deleted resources that are too old.
 *
 * @returns by how much the clock is ahead of the believed time: see retention.ts
 */
async function prune(
  db: Database,
  { now, retentionDays, eventRetentionDays, tombstoneDays }: Maintenance,
  limits: { readonly maxStatements: number; readonly hoursApart: number },
  tell: Tell,
): Promise<number> {
  const result = await pruneProvisioningLog(db, { now, retentionDays, ...limits })
  tell('prune provisioning log', { ...result }, { retentionDays })
  const clockAheadMs = result.clockAheadHours * HOUR_MS
  const before = (days: number) => now - clockAheadMs - days * DAY_MS
  const events = await pruneEvents(db, before(eventRetentionDays), MAX_PRUNED_EVENTS)
  if (events > 0) tell('prune events', { deleted: events }, { eventRetentionDays })
  const tombstones = await pruneTombstones(db, before(tombstoneDays), MAX_PRUNED_TOMBSTONES)
  if (tombstones > 0) tell('prune deleted resources', { deleted: tombstones }, { tombstoneDays })
  return clockAheadMs
}
