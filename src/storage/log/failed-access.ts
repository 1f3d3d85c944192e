/**
 * Failed access in the provisioning log: one entry for each tenant, token, reason and minute, however often and in
 * however many isolates it happened.
 */
import { sql } from 'drizzle-orm'
import type { AccessRefusal } from '../access/access-refused.ts'
import { type Database, statement } from '../database/database.ts'

/** Requests that were refused for one reason. */
export interface FailedAccess {
  /** The tenant that the token names. Nothing is stored if there is no such tenant. */
  readonly tenantId: string
  readonly reason: Exclude<AccessRefusal, 'wrong scope'>
  /** The id of the token, if the tenant has it. */
  readonly tokenId: string | undefined
  /** UUIDv7 of the entry. */
  readonly id: string
  /** The time of the first request, in milliseconds since 1970. */
  readonly time: number
  /** The id of the first request. */
  readonly requestId: string
  readonly count: number
}

const MINUTE_MS = 60_000

const DETAILS = {
  malformed: 'the token names this tenant but is incomplete: a token is scim_<tenant>_<43 characters>',
  unknown: 'the token is not one of this tenant',
  revoked: 'the token was revoked',
  expired: 'the token has expired',
} as const satisfies Readonly<Record<FailedAccess['reason'], string>>

/** The states of a tenant in which its log is not being copied or deleted. */
const WRITABLE = sql`('ready', 'importing', 'undoing')`

/**
 * Stores all of them with one statement.
 *
 * @returns those of tenants that are being moved: the log at the source must not change, because it is compared with the
 *   copy
 */
export async function logFailedAccess(
  db: Database,
  all: readonly FailedAccess[],
): Promise<readonly FailedAccess[]> {
  const rows = all.map(({ reason, ...row }) => ({
    ...row,
    detail: DETAILS[reason],
    key: `authenticate ${Math.floor(row.time / MINUTE_MS)} ${reason} ${row.tokenId ?? ''}`,
  }))
  const value = (name: keyof (typeof rows)[number]) => sql`e.value ->> ${sql.raw(`'$.${name}'`)}`
  const [, moving] = await db.batch([
    statement(sql`INSERT INTO provisioning_log (tenant_id, id, time, token_id, client_id, action, outcome, resource_type,
        resource_id, resource_name, status, detail, changes, ignored, request_id, repeated, fold_key)
      SELECT tenants.id, ${value('id')}, ${value('time')}, coalesce(t.id, ''), t.client_id, 'authenticate', 'refused',
        'Client', t.client_id, t.name, 401, ${value('detail')}, '[]', '[]', ${value('requestId')},
        ${value('count')} - 1, ${value('key')}
      FROM json_each(${JSON.stringify(rows)}) AS e CROSS JOIN tenants ON tenants.id = ${value('tenantId')}
      LEFT JOIN tokens AS t ON t.id = ${value('tokenId')} AND t.tenant_id = tenants.id
      WHERE tenants.state IN ${WRITABLE}
      ON CONFLICT (tenant_id, fold_key) WHERE fold_key IS NOT NULL
      DO UPDATE SET repeated = repeated + excluded.repeated + 1`),
    statement(sql`SELECT DISTINCT tenants.id FROM json_each(${JSON.stringify(rows)}) AS e
      CROSS JOIN tenants ON tenants.id = ${value('tenantId')}
      WHERE tenants.state IN ('moving', 'arriving', 'moved')`),
  ])
  const ids = new Set(moving?.rows.map(({ id }) => id))
  return all.filter(({ tenantId }) => ids.has(tenantId))
}
