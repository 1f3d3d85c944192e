/**
 * The events of what administrators do in a tenant. A statement that makes such a change is marked with an Act, and the batch
 * of the statement then also stores the event: both are stored, or neither. A request has at most one event. What changes
 * nothing has none, and neither has a tenant that is being moved, because both sides must stay equal, or deleted.
 */
import { sql } from 'drizzle-orm'
import { ADMINISTRATOR_ACTED } from '../../scim/events.ts'
import {
  type Act,
  type Database,
  type Statement,
  type StatementResult,
  statement,
} from '../database/database.ts'
import { INSERT_EVENTS, newest } from './outbox.ts'

/** The request of an administrator. Its event names nobody: every client that may read gets it. */
export interface ActingRequest {
  readonly tenantId: string
  readonly requestId: string
  /** Milliseconds since 1970. */
  readonly now: number
  /** As in the entry of the audit trail. */
  readonly operation: string
  readonly target: string | null
  readonly source: string
  readonly via: string | null
}

interface Telling {
  /** @returns undefined while the administrator is not known */
  readonly request: () => ActingRequest | undefined
  /** Is called when an event was stored. @param webhooks the ids of the active webhooks of the tenant */
  readonly onTold: (request: ActingRequest, webhooks: readonly string[]) => void
  /** Tells what a statement has changed in a database that does not have the tenant. @param name of that database */
  readonly tellAtHome: (name: string, act: Act) => Promise<void>
}

/** The event of one request. */
export class AdministratorEvent {
  readonly #telling: Telling
  #isTold = false

  constructor(telling: Telling) {
    this.#telling = telling
  }

  /** The same database, whose batches store the event with the first statement that is marked and changes something. */
  storedIn({ jointly: _, ...db }: Database, name: string): Database {
    return {
      ...db,
      batch: async (statements, isLong) => {
        const marked = statements.findIndex(({ act }) => act !== undefined)
        const act = statements[marked]?.act
        const request = act === undefined || this.#isTold ? undefined : this.#telling.request()
        if (act === undefined || request === undefined) return await db.batch(statements, isLong)
        const at = isToldBefore(act) ? marked : marked + 1
        const event = eventStatement(request, act)
        const results = await db.batch([...statements.slice(0, at), event, ...statements.slice(at)], isLong)
        const isStored = this.#note(request, results[at])
        const hasChanged = !isToldBefore(act) && (results[marked]?.changes ?? 0) > 0
        if (!isStored && hasChanged) await this.#telling.tellAtHome(name, act)
        return results.toSpliced(at, 1)
      },
    }
  }

  /** Stores the event of a request that changes nothing in the database, in a transaction of its own. */
  async tell(db: Database, act: Act = {}): Promise<void> {
    const request = this.#isTold ? undefined : this.#telling.request()
    if (request === undefined) return
    const [told] = await db.batch([eventStatement(request, { ...act, when: sql`true` })])
    this.#note(request, told)
  }

  #note(request: ActingRequest, told: StatementResult | undefined): boolean {
    const [row] = told?.rows ?? []
    if (row === undefined) return false
    this.#isTold = true
    this.#telling.onTold(request, JSON.parse(String(row.webhooks)))
    return true
  }
}

function isToldBefore({ when, changed }: Act): boolean {
  return when !== undefined || changed !== undefined
}

/** Returns the ids of the active webhooks if it has stored the event. */
function eventStatement(request: ActingRequest, act: Act): Statement {
  const { tenantId, requestId, now, operation, target, source, via } = request
  const data = JSON.stringify({ operation, target: act.target ?? target, changed: [], source, via })
  const isChange = isToldBefore(act) ? (act.when ?? sql`true`) : sql`changes() > 0`
  const told =
    act.changed === undefined
      ? sql`SELECT ${data} AS data`
      : sql`SELECT json_set(${data}, '$.changed', json(fields)) AS data FROM (SELECT ${act.changed} AS fields)
          WHERE fields <> '[]'`
  return statement(sql`${INSERT_EVENTS}
    SELECT ${tenantId}, coalesce(newest.seq, 0) + 1, ${ADMINISTRATOR_ACTED}, ${now}, NULL, ${requestId}, NULL, told.data, NULL,
      coalesce(newest.total_bytes, 0) + octet_length(told.data)
    FROM ${newest(tenantId)} CROSS JOIN (${told}) AS told
    WHERE ${isChange}
      AND EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId} AND state IN ('ready', 'importing', 'undoing'))
    RETURNING (SELECT json_group_array(id) FROM webhooks
      WHERE webhooks.tenant_id = ${tenantId} AND state = 'active') AS webhooks`)
}
