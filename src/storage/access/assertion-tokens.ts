/**
 * Access tokens for assertions (RFC 7523 §2.2), in two round trips: the first one reads the trust of the client, by which
 * the caller checks the assertion, and the second one issues the token if the trust is still the same.
 */
import { sql } from 'drizzle-orm'
import { ACCESS_TOKENS_PER_MINUTE } from '../../scim/limits.ts'
import { type Database, prepared, type Row, type Slots, statement } from '../database/database.ts'
import { TenantElsewhere, TenantMissing } from '../tenants/context.ts'
import { AccessRefused } from './access-refused.ts'
import {
  type AccessTokenAnswer,
  type AccessTokenRequest,
  evictStatement,
  expiry,
  recentTokens,
  refused,
  requireReady,
} from './access-tokens.ts'
import { LAST_USED_INTERVAL_MS } from './known-tokens.ts'
import type { TokenScope } from './tokens.ts'
import { TRUST, type Trust } from './trusts.ts'

type ClientSlot = 'tenantId' | 'clientId'

/** The trust `k`, its client `c` and its tenant `t`. */
function trustOf({ tenantId, clientId }: Slots<ClientSlot>) {
  return sql`client_trusts AS k CROSS JOIN clients AS c ON c.id = k.client_id AND c.deleted_at IS NULL
    CROSS JOIN tenants AS t ON t.id = k.tenant_id AND t.state <> 'deleting'
    WHERE k.client_id = ${clientId} AND k.tenant_id = ${tenantId}`
}

const readStatement = prepared(
  (slots: Slots<ClientSlot>) => sql`SELECT ${TRUST.columns}, t.state FROM ${trustOf(slots)}`,
)

/** The other database of the tenant; or empty if this one has no such tenant. */
const locationStatement = prepared(
  ({ tenantId }: Slots<'tenantId'>) =>
    sql`SELECT database FROM tenant_locations WHERE tenant_id = ${tenantId}
      UNION ALL SELECT '' WHERE NOT EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId}) LIMIT 1`,
)

const clientStatement = prepared(
  ({ tenantId, clientId }: Slots<ClientSlot>) =>
    sql`SELECT 1 FROM clients WHERE id = ${clientId} AND tenant_id = ${tenantId} AND deleted_at IS NULL`,
)

/**
 * The trust of a client.
 *
 * @returns a refusal if there is none
 * @throws {ScimError} 503 while the tenant is moved or imported; {TenantElsewhere|TenantMissing}
 */
export async function readTrust(
  db: Database,
  request: Pick<AccessTokenRequest, 'tenantId' | 'clientId'>,
): Promise<Trust | (AccessTokenAnswer & { readonly outcome: 'refused' })> {
  const { tenantId, clientId } = request
  const [found, location, client] = await db.batch([
    readStatement({ tenantId, clientId }),
    locationStatement({ tenantId }),
    clientStatement({ tenantId, clientId }),
  ])
  const row = found?.rows[0]
  if (row === undefined) {
    requireHere(location?.rows[0])
    return refused(client?.rows.length === 0 ? 'unknown client' : 'no federation')
  }
  requireReady(row)
  return TRUST.fromRow(row)
}

/** @throws {TenantElsewhere|TenantMissing} if the database does not have the tenant */
function requireHere(location: Row | undefined): void {
  if (location === undefined) return
  if (location.database === '') throw new TenantMissing(new AccessRefused('unknown'))
  throw new TenantElsewhere(String(location.database))
}

type IssueSlot = ClientSlot | 'createdAt' | 'assertionExpiresAt' | 'now'

const checkStatement = prepared((slots: Slots<IssueSlot>) => {
  const { clientId, createdAt, assertionExpiresAt, now } = slots
  return sql`SELECT c.scope, t.state, ${expiry(now, sql`${assertionExpiresAt}`)} AS tokenExpiresAt,
      ${recentTokens(clientId, now)} AS recent
    FROM ${trustOf(slots)} AND k.created_at = ${createdAt}`
})

const insertStatement = prepared((slots: Slots<IssueSlot | 'id' | 'tokenHash' | 'readOnly'>) => {
  const { clientId, createdAt, assertionExpiresAt, id, tokenHash, readOnly, now } = slots
  return sql`INSERT INTO tokens (id, tenant_id, client_id, name, scope, hash, created_at, expires_at, credential_id)
    SELECT ${id}, k.tenant_id, k.client_id, c.name, iif(${readOnly}, 'read', c.scope), ${tokenHash}, ${now},
      ${expiry(now, sql`${assertionExpiresAt}`)}, k.client_id
    FROM ${trustOf(slots)} AND k.created_at = ${createdAt} AND t.state = 'ready'
      AND ${recentTokens(clientId, now)} < ${sql.raw(String(ACCESS_TOKENS_PER_MINUTE))}`
})

const touchStatement = prepared(
  ({ tenantId, clientId, createdAt, now, before }: Slots<ClientSlot | 'createdAt' | 'now' | 'before'>) =>
    sql`UPDATE client_trusts SET last_used_at = ${now} WHERE tenant_id = ${tenantId} AND client_id = ${clientId}
      AND created_at = ${createdAt} AND (last_used_at IS NULL OR last_used_at <= ${before})`,
)

/** An assertion that the caller has checked. */
export interface CheckedAssertion {
  /** The trust by which it was checked. */
  readonly trust: Trust
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  /** The keys of the issuer, if they were fetched since they were stored with the trust. */
  readonly fetched: { readonly jwks: string; readonly fetchedAt: number } | undefined
}

/**
 * Issues an access token. It does not outlive the assertion, unless less than the shortest lifetime is left.
 *
 * @throws {ScimError} 503 while the tenant is moved or imported; {TenantElsewhere}
 */
export async function issueForAssertion(
  db: Database,
  request: AccessTokenRequest,
  { trust: { createdAt }, expiresAt: assertionExpiresAt, fetched }: CheckedAssertion,
): Promise<AccessTokenAnswer> {
  const { tenantId, clientId, now } = request
  const values = {
    ...request,
    createdAt,
    assertionExpiresAt,
    readOnly: Number(request.readOnly),
    before: now - LAST_USED_INTERVAL_MS,
  }
  const [check] = await db.batch([
    checkStatement(values),
    insertStatement(values),
    evictStatement(values),
    touchStatement(values),
    ...(fetched === undefined
      ? []
      : [
          statement(sql`UPDATE client_trusts SET jwks = ${fetched.jwks}, jwks_fetched_at = ${fetched.fetchedAt}
            WHERE tenant_id = ${tenantId} AND client_id = ${clientId} AND created_at = ${createdAt}`),
        ]),
  ])
  const row = check?.rows[0]
  // It was replaced or removed since it was read.
  if (row === undefined) return refused('no federation')
  requireReady(row)
  if (Number(row.recent) >= ACCESS_TOKENS_PER_MINUTE) return { outcome: 'too many' }
  const scope = request.readOnly ? 'read' : (row.scope as TokenScope)
  return { outcome: 'issued', scope, lifetime: Math.floor((Number(row.tokenExpiresAt) - now) / 1000) }
}
