/**
 * Warnings in the provisioning log before tokens and client secrets expire.
 */
import { type SQL, sql } from 'drizzle-orm'
import { DAY_MS } from '../../scim/duration.ts'
import { WARNING_DAYS } from '../access/expiry.ts'
import { isReplaced } from '../access/replacements.ts'
import { type Database, statement } from '../database/database.ts'
import { firstIdAt } from './log-pages.ts'

/** A warning that was logged. */
export interface ExpiryWarning {
  readonly tenantId: string
  readonly clientId: string
  /** The id of the token or of the secret. */
  readonly credentialId: string
  readonly detail: string
}

/**
 * How long a warning may be late. An entry of the log is kept for a day at least, and its key prevents a second one, so no
 * warning is given twice.
 */
const WINDOW_MS = DAY_MS

/**
 * Logs the warnings that have become due, with one statement. Credentials that were replaced need none.
 *
 * @param now milliseconds since 1970
 */
export async function logExpiryWarnings(db: Database, now: number): Promise<readonly ExpiryWarning[]> {
  const id = sql`${firstIdAt(now)} || '-7' || substr(lower(hex(randomblob(2))), 2) || '-8' ||
    substr(lower(hex(randomblob(2))), 2) || '-' || lower(hex(randomblob(6)))`
  const thresholds = WARNING_DAYS.map(
    (days) => sql`WHEN k.expires_at > ${now + days * DAY_MS - WINDOW_MS} THEN ${days}`,
  )
  const days = sql`CASE ${sql.join(thresholds, sql` `)} END`
  const detail = sql`'the ' || kind || ' expires at ' || strftime('%Y-%m-%d %H:%M', k.expires_at / 1000, 'unixepoch') ||
    ' UTC; generate another one, enter it at the client, then revoke this one'`
  const [logged] = await db.batch([
    statement(sql`INSERT INTO provisioning_log (tenant_id, id, time, token_id, client_id, action, outcome, resource_type,
        resource_id, resource_name, status, detail, changes, ignored, request_id, fold_key)
      SELECT k.tenant_id, ${id}, ${now}, k.id, k.client_id, 'warn', 'accepted', 'Client',
        k.client_id, k.name, 0, ${detail}, '[]', '[]', '', 'warn ' || k.id || ' ' || ${days}
      FROM (
        SELECT 'token' AS kind, id, tenant_id, client_id, name, expires_at FROM tokens
        WHERE (${isDue(now)}) AND credential_id IS NULL AND revoked_at IS NULL AND NOT ${isReplaced('token', now)}
        UNION ALL SELECT 'secret', id, tenant_id, client_id, name, expires_at FROM client_secrets
        WHERE (${isDue(now)}) AND revoked_at IS NULL AND NOT ${isReplaced('secret', now)}) AS k
      JOIN tenants AS t ON t.id = k.tenant_id AND t.state = 'ready'
      JOIN clients AS c ON c.id = k.client_id AND c.deleted_at IS NULL
      WHERE true ON CONFLICT (tenant_id, fold_key) WHERE fold_key IS NOT NULL DO NOTHING
      RETURNING tenant_id AS tenantId, client_id AS clientId, token_id AS credentialId, detail`),
  ])
  return (logged?.rows ?? []) as unknown as readonly ExpiryWarning[]
}

function isDue(now: number): SQL {
  const windows = WARNING_DAYS.map((days) => {
    const end = now + days * DAY_MS
    return sql`(expires_at > ${end - WINDOW_MS} AND expires_at <= ${end})`
  })
  return sql.join(windows, sql` OR `)
}
