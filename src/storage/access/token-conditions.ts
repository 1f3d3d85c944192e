/**
 * The check of tokens in SQL: the conditions and the statements that batches of reads and of writes contain.
 */
import { and, eq, gt, isNull, or, type Placeholder, type SQL, sql } from 'drizzle-orm'
import { prepared, type Slots, type SqlValue } from '../database/database.ts'
import { type ResultSource, remembered } from '../database/remembered.ts'
import { tokens } from '../tables/tables.ts'
import type { Actor, TenantContext } from '../tenants/context.ts'

/** The claims of a request, which each of its batches checks. */
export interface Credentials extends Actor {
  /** The version of the tenant's configuration by which the request is handled: see ../tenants/context.ts. */
  readonly tenantVersion: number
}

/** What the check of a token compares: the actor, and the configuration that its request was computed with. */
export function credentialsOf({ actor, version }: Pick<TenantContext, 'actor' | 'version'>): Credentials {
  return { ...actor, tenantVersion: version }
}

/** The condition on `tokens` that the credentials are valid now. @param values the values, or slots for them */
export function isValidToken(values: Readonly<Record<keyof Credentials, SqlValue | Placeholder>>): SQL {
  const { tenantId, tokenHash, now } = values as Slots<keyof Credentials>
  return sql`${and(
    eq(tokens.hash, tokenHash),
    eq(tokens.tenantId, tenantId),
    isNull(tokens.revokedAt),
    or(isNull(tokens.expiresAt), gt(tokens.expiresAt, now)),
  )}`
}

/** Like isValidToken; also requires that the tenant is ready and that its configuration is that of the credentials. */
export function isAdmittedToken(values: Parameters<typeof isValidToken>[0]): SQL {
  const { tenantVersion } = values as Slots<keyof Credentials>
  return sql`${isValidToken(values)} AND ${eq(tokens.tenantState, 'ready')}
    AND ${eq(tokens.tenantVersion, tenantVersion)}`
}

/** The input of `refusalOf`. The tenant is read only if its configuration differs. */
function checkedColumns(tenantVersion: Placeholder): SQL {
  return sql`coalesce(credential_id, tokens.id) AS id, credential_id AS credentialId, hash, scope, expires_at AS expiresAt, revoked_at AS revokedAt, client_id AS clientId,
    cursor_key AS cursorKey, tenant_state AS tenantState, tenant_version AS tenantVersion,
    CASE WHEN tenant_version <> ${tenantVersion}
      THEN (SELECT configuration FROM tenants WHERE id = tokens.tenant_id) END AS configuration`
}

/** If the token is not found, a second SELECT tells whether the tenant lives elsewhere; otherwise it reads nothing. */
export const checkStatement = prepared(
  ({ tenantId, tokenHash, tenantVersion }: Slots<'tenantId' | 'tokenHash' | 'tenantVersion'>) =>
    sql`SELECT ${remembered(tenantId, 'hash')} ${checkedColumns(tenantVersion)}, NULL AS database FROM tokens
      WHERE hash = ${tokenHash} AND tenant_id = ${tenantId} UNION ALL ${elsewhere(tenantId)} LIMIT 1`,
)

/** What a found token follows from. A new version of the configuration is in the row, too. Uses of a token are not among the columns. */
export const SOURCES_OF_TOKENS: readonly ResultSource[] = [
  {
    table: 'tokens',
    columns:
      'tenant_id, hash, id, credential_id, scope, expires_at, revoked_at, client_id, cursor_key, tenant_state, tenant_version',
    concerns: (row) => `${row}.tenant_id, ${row}.hash`,
  },
]

/**
 * A row in the form of `checkedColumns` for a tenant that lives in another database. Its `database` is empty if this one
 * has neither the tenant nor its address.
 */
function elsewhere(tenantId: Placeholder): SQL {
  const nothing = sql.raw('NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL')
  return sql`SELECT ${nothing}, database FROM tenant_locations WHERE tenant_id = ${tenantId}
    UNION ALL SELECT ${nothing}, '' WHERE NOT EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId})`
}

/**
 * The source of a guard: one row. `writer` is the id that the log has of a token that may write, or else the reason for a refusal
 * (`IS_NOT_WRITER`); `client` is the client of the token.
 */
export function writer({ tenantId, tokenHash, now, tenantVersion }: Slots<keyof Credentials>): SQL {
  return sql`(SELECT coalesce(found, (SELECT 'moved' FROM tenant_locations WHERE tenant_id = ${tenantId}), 'none') AS writer,
      client FROM (SELECT 1) LEFT JOIN (
    SELECT client_id AS client, CASE WHEN revoked_at IS NOT NULL THEN 'revoked' 
      WHEN expires_at <= ${now} THEN iif(credential_id IS NULL, 'expired', 'lapsed')
      WHEN tenant_state <> 'ready' THEN CASE tenant_state WHEN 'moving' THEN 'moving'
        WHEN 'moved' THEN 'moved' WHEN 'arriving' THEN 'moved' ELSE 'importing' END
      WHEN scope <> 'provision' THEN 'read'
      WHEN tenant_version <> ${tenantVersion} THEN 'stale tenant' ELSE coalesce(credential_id, id) END AS found
    FROM tokens WHERE hash = ${tokenHash} AND tenant_id = ${tenantId}) ON true)`
}

/** True of a row of `writer` without a token. */
export const IS_NOT_WRITER: SQL = sql`writer IN
  ('none', 'revoked', 'expired', 'lapsed', 'importing', 'moving', 'moved', 'read', 'stale tenant')`

export const guardStatement = prepared(
  (slots: Slots<keyof Credentials>) =>
    sql`INSERT INTO guards (rule) SELECT writer FROM ${writer(slots)} WHERE ${IS_NOT_WRITER}`,
)

/** CROSS JOIN fixes the order: SQLite would otherwise scan all tokens of the tenant. */
export const selectWriters = prepared(
  ({ tenantId, tenantVersion, hashes }: Slots<'tenantId' | 'tenantVersion' | 'hashes'>) =>
    sql`SELECT ${checkedColumns(tenantVersion)}, NULL AS database
      FROM json_each(${hashes}) AS j CROSS JOIN tokens ON hash = j.value WHERE tenant_id = ${tenantId}
      UNION ALL ${elsewhere(tenantId)}`,
)
