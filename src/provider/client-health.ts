/**
 * Notices changes of the health of clients: a part of the hourly run. The position is stored with the changes, so a run that
 * ends early, or may send few statements, is continued by the next one.
 */
import { type ClientHealth, type HealthState, healthOf } from '../scim/client-health.ts'
import type { ClientEventType } from '../scim/events.ts'
import type { Database } from '../storage/database/database.ts'
import { readTogether } from '../storage/database/query.ts'
import { type HealthChange, healthChangeStatements } from '../storage/events/client-events.ts'
import { type ClientWithFacts, nextClientsQuery } from '../storage/log/client-facts.ts'
import { storePositionStatement, sweepPositionQuery } from '../storage/log/client-sweep.ts'

/** The clients of a chunk: with their logs, at most 40,000 rows. */
const CHUNK = 200
/** Two that read, and three that write. */
const CHUNK_STATEMENTS = 5
const POSITION_STATEMENTS = 1
/** The statements for the position and one chunk. */
export const HEALTH_STATEMENTS = POSITION_STATEMENTS + CHUNK_STATEMENTS

/** A change, for the application log. */
export type NoticedChange = Pick<HealthChange, 'clientId' | 'before' | 'after'>

/**
 * Looks at each client of a database once, as far as the statements suffice.
 *
 * @param now milliseconds since 1970
 * @returns the changes
 */
export async function noticeClientHealth(
  db: Database,
  now: number,
  maxStatements: number,
): Promise<readonly NoticedChange[]> {
  const noticed: NoticedChange[] = []
  let left = maxStatements - POSITION_STATEMENTS
  if (left < CHUNK_STATEMENTS) return noticed
  const { start } = await readTogether(db, { start: sweepPositionQuery })
  let [position, stored, hasWrapped] = [start, start, start === '']
  for (; left >= CHUNK_STATEMENTS; left -= CHUNK_STATEMENTS) {
    const { clients } = await readTogether(db, { clients: nextClientsQuery(position, CHUNK, now) })
    const changes = clients.flatMap((client) => changeOf(client, now))
    const isEnd = clients.length < CHUNK
    position = isEnd ? '' : (clients.at(-1)?.clientId ?? '')
    const statements = [
      ...(changes.length > 0 ? healthChangeStatements(changes, now) : []),
      ...(position === stored ? [] : [storePositionStatement(position)]),
    ]
    if (statements.length > 0) await db.batch(statements)
    stored = position
    noticed.push(...changes.map(({ clientId, before, after }) => ({ clientId, before, after })))
    if (isEnd && hasWrapped) break
    if (isEnd) hasWrapped = true
    else if (hasWrapped && start !== '' && position >= start) break
  }
  return noticed
}

function changeOf({ clientId, name, facts }: ClientWithFacts, now: number): readonly HealthChange[] {
  const health = healthOf(facts, now)
  const before = facts.noticed?.state ?? null
  const after = health.state
  if (before === after || (before === null && after === 'new')) return []
  const data = { clientId, clientName: name, previousState: before ?? 'new', ...healthJson(health) }
  return [{ clientId, before, after, type: eventTypeOf(before, after), data }]
}

function eventTypeOf(before: HealthState | null, after: HealthState): ClientEventType | null {
  if (after === 'late') return 'client.late'
  if (after === 'silent') return 'client.silent'
  if (after === 'failing') return 'client.failing'
  return before === null || before === 'new' || before === after ? null : 'client.recovered'
}

/** The health of a client as the admin API and the events have it. Times in RFC 3339. */
export function healthJson(health: ClientHealth) {
  const { state, since, lastProvisioningAt, usualIntervalMs, cadence, writes, refused, failedSignIns } =
    health
  return {
    state,
    since: isoTimeOrNull(since),
    lastProvisioningAt: isoTimeOrNull(lastProvisioningAt),
    usualIntervalSeconds: usualIntervalMs === null ? null : Math.round(usualIntervalMs / 1000),
    cadence,
    refusedShare: writes === 0 ? 0 : refused / writes,
    failedSignIns,
  }
}

function isoTimeOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
