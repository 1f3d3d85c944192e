/**
 * Access tokens (RFC 6749 §4.4): tokens of an hour or a few that a client gets for a credential. tokens.ts checks them
 * like any other token. A batch checks the credential and stores the token, so a credential that is revoked at the same
 * moment either gets no token, or its token is revoked with it.
 */
import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import type { JwtRefusal } from '../../jwt/verify.ts'
import { MINUTE_MS } from '../../scim/duration.ts'
import { ACCESS_TOKENS_PER_MINUTE, MAX_ACCESS_TOKENS, MIN_TOKEN_LIFETIME_SECONDS } from '../../scim/limits.ts'
import { type Database, prepared, type Row, type Slots, statement } from '../database/database.ts'
import { importing, moving, TenantElsewhere, TenantMissing } from '../tenants/context.ts'
import { AccessRefused } from './access-refused.ts'
import { LAST_USED_INTERVAL_MS } from './known-tokens.ts'
import { isSameSecret } from './secrets.ts'
import type { TokenScope } from './tokens.ts'

/** Why a client gets no access token: one answer for the client, a tagged reason for the logs. */
export type CredentialRefusal =
  /** The tenant has no such client, or the client was deleted. */
  | 'unknown client'
  /** Not a secret of the client. */
  | 'wrong secret'
  | 'revoked secret'
  | 'expired secret'
  /** The client has no issuer whose assertions it may present. */
  | 'no federation'
  | AssertionRefusal

/** The check that an assertion does not pass: see jwt/verify.ts. */
export type AssertionRefusal = `assertion: ${JwtRefusal}`

/** A token to issue. */
export interface AccessTokenRequest {
  readonly tenantId: string
  readonly clientId: string
  /** UUIDv7 of the token. */
  readonly id: string
  /** SHA-256 of the token, hexadecimal. */
  readonly tokenHash: string
  /** Whether the client asks for less than it may do. */
  readonly readOnly: boolean
  /** Milliseconds since 1970. */
  readonly now: number
}

export type AccessTokenAnswer =
  | {
      readonly outcome: 'issued'
      readonly scope: TokenScope
      /** Seconds from `now`. */
      readonly lifetime: number
    }
  | {
      readonly outcome: 'refused'
      readonly reason: CredentialRefusal
      /** The id of the credential, if the client has it. */
      readonly credentialId: string | undefined
    }
  | {
      /** The keys of an issuer are needed, and cannot be had. */
      readonly outcome: 'unavailable'
      readonly reason: 'no keys'
      readonly credentialId: string
    }
  /** Valid, but the client got too many tokens within a minute. */
  | { readonly outcome: 'too many' }

/**
 * When the token ends. It may outlive its credential by the shortest lifetime that Microsoft accepts, and by no more.
 *
 * @param end when the credential ends, in milliseconds since 1970
 */
export function expiry(now: Placeholder, end: SQL): SQL {
  return sql`min(${now} + c.token_lifetime * 1000, max(${end}, ${now} + ${sql.raw(String(MIN_TOKEN_LIFETIME_SECONDS * 1000))}))`
}

/** The number of tokens that a client got within a minute. */
export function recentTokens(clientId: Placeholder, now: Placeholder): SQL {
  return sql`(SELECT count(*) FROM (SELECT created_at FROM tokens WHERE client_id = ${clientId}
    AND credential_id IS NOT NULL ORDER BY id DESC LIMIT ${sql.raw(String(ACCESS_TOKENS_PER_MINUTE))})
    WHERE created_at > ${now} - ${sql.raw(String(MINUTE_MS))})`
}

type SecretSlot = 'tenantId' | 'clientId' | 'secretHash' | 'now'

/** The secret `k`, its client `c` and its tenant `t`. */
function secretOf({ tenantId, clientId, secretHash }: Slots<'tenantId' | 'clientId' | 'secretHash'>): SQL {
  return sql`client_secrets AS k CROSS JOIN clients AS c ON c.id = k.client_id AND c.deleted_at IS NULL
    CROSS JOIN tenants AS t ON t.id = k.tenant_id AND t.state <> 'deleting'
    WHERE k.hash = ${secretHash} AND k.client_id = ${clientId} AND k.tenant_id = ${tenantId}`
}

/** The columns of the check, except `database`: the other database of the tenant; or empty if this one has no such tenant. */
const NOTHING = sql.raw('NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL')

const checkStatement = prepared((slots: Slots<SecretSlot>) => {
  const { tenantId, clientId, now } = slots
  return sql`SELECT k.id, k.hash, k.revoked_at AS revokedAt, k.expires_at AS expiresAt, c.scope, t.state,
      ${expiry(now, sql`k.expires_at`)} AS tokenExpiresAt, ${recentTokens(clientId, now)} AS recent, NULL AS database
    FROM ${secretOf(slots)}
    UNION ALL SELECT ${NOTHING}, database FROM tenant_locations WHERE tenant_id = ${tenantId}
    UNION ALL SELECT ${NOTHING}, '' WHERE NOT EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId}) LIMIT 1`
})

const insertStatement = prepared((slots: Slots<SecretSlot | 'id' | 'tokenHash' | 'readOnly'>) => {
  const { clientId, id, tokenHash, readOnly, now } = slots
  return sql`INSERT INTO tokens (id, tenant_id, client_id, name, scope, hash, created_at, expires_at, credential_id)
    SELECT ${id}, k.tenant_id, k.client_id, k.name, iif(${readOnly}, 'read', c.scope), ${tokenHash}, ${now},
      ${expiry(now, sql`k.expires_at`)}, k.id
    FROM ${secretOf(slots)} AND k.revoked_at IS NULL AND k.expires_at > ${now} AND t.state = 'ready'
      AND ${recentTokens(clientId, now)} < ${sql.raw(String(ACCESS_TOKENS_PER_MINUTE))}`
})

/** Deletes the oldest tokens of a client beyond MAX_ACCESS_TOKENS. */
export const evictStatement = prepared(({ clientId }: Slots<'clientId'>) => {
  const issued = sql`tokens WHERE client_id = ${clientId} AND credential_id IS NOT NULL`
  return sql`DELETE FROM ${issued} AND id <= (
    SELECT id FROM ${issued} ORDER BY id DESC LIMIT 1 OFFSET ${sql.raw(String(MAX_ACCESS_TOKENS))})`
})

const touchStatement = prepared(
  ({ secretHash, clientId, now, before }: Slots<'secretHash' | 'clientId' | 'now' | 'before'>) =>
    sql`UPDATE client_secrets SET last_used_at = ${now} WHERE hash = ${secretHash} AND client_id = ${clientId}
      AND revoked_at IS NULL AND expires_at > ${now} AND (last_used_at IS NULL OR last_used_at <= ${before})`,
)

/**
 * Issues an access token for a client secret, in one round trip. An unknown client and a wrong secret take the same
 * statements.
 *
 * @param secretHash SHA-256 of the secret, hexadecimal
 * @throws {ScimError} 503 while the tenant is moved or imported; {TenantElsewhere|TenantMissing}
 */
export async function issueForSecret(
  db: Database,
  request: AccessTokenRequest,
  secretHash: string,
): Promise<AccessTokenAnswer> {
  const { tenantId, clientId, now } = request
  const values = {
    ...request,
    secretHash,
    readOnly: Number(request.readOnly),
    before: now - LAST_USED_INTERVAL_MS,
  }
  const [check, client] = await db.batch([
    checkStatement(values),
    statement(
      sql`SELECT 1 FROM clients WHERE id = ${clientId} AND tenant_id = ${tenantId} AND deleted_at IS NULL`,
    ),
    insertStatement(values),
    evictStatement(values),
    touchStatement(values),
  ])
  const row = check?.rows[0]
  if (row?.database === '') throw new TenantMissing(new AccessRefused('unknown'))
  if (row !== undefined && row.database !== null) throw new TenantElsewhere(String(row.database))
  if (row === undefined || !isSameSecret(String(row.hash), secretHash)) {
    return refused(client?.rows.length === 0 ? 'unknown client' : 'wrong secret')
  }
  if (row.revokedAt !== null) return refused('revoked secret', row)
  if (Number(row.expiresAt) <= now) return refused('expired secret', row)
  requireReady(row)
  if (Number(row.recent) >= ACCESS_TOKENS_PER_MINUTE) return { outcome: 'too many' }
  const scope = request.readOnly ? 'read' : (row.scope as TokenScope)
  return { outcome: 'issued', scope, lifetime: Math.floor((Number(row.tokenExpiresAt) - now) / 1000) }
}

export function refused(
  reason: CredentialRefusal,
  row?: Row,
): AccessTokenAnswer & { readonly outcome: 'refused' } {
  return { outcome: 'refused', reason, credentialId: row && String(row.id) }
}

/** @throws {ScimError} 503; {TenantElsewhere} */
export function requireReady({ state }: Row): void {
  if (state === 'moving') throw moving()
  if (state === 'moved' || state === 'arriving') throw new TenantElsewhere(undefined)
  if (state !== 'ready') throw importing()
}

/** Both sides of a move must stay equal. */
const ON_THE_MOVE = sql.raw("(SELECT id FROM tenants WHERE state IN ('moving', 'arriving', 'moved'))")

/**
 * Deletes access tokens that have expired, and secrets that were revoked or expired so long ago that the log does not name
 * them. All times in milliseconds since 1970.
 *
 * @param times when the youngest of them expired or were revoked
 */
export async function deleteEndedCredentials(
  db: Database,
  { accessTokens, secrets }: { readonly accessTokens: number; readonly secrets: number },
): Promise<void> {
  await db.batch([
    statement(sql`DELETE FROM tokens WHERE expires_at < ${accessTokens} AND credential_id IS NOT NULL
      AND tenant_id NOT IN ${ON_THE_MOVE}`),
    statement(sql`DELETE FROM client_secrets WHERE (revoked_at < ${secrets} OR expires_at < ${secrets})
      AND tenant_id NOT IN ${ON_THE_MOVE}`),
  ])
}
