/**
 * The issuers that clients trust: an assertion of the issuer replaces a secret (RFC 7523 §2.2). The administrator adds,
 * replaces and removes them. access-tokens.ts issues tokens for assertions.
 */
import { type InferSelectModel, sql } from 'drizzle-orm'
import { type Database, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { selection } from '../tables/selection.ts'
import { clientTrusts } from '../tables/tables.ts'
import { insertClientStatement, type NewClient } from './clients.ts'

/** What an assertion must claim, and where the keys of its issuer are. Times in milliseconds since 1970. */
export type Trust = Readonly<Omit<InferSelectModel<typeof clientTrusts>, 'tenantId'>>

export const TRUST = selection(
  clientTrusts,
  [
    'clientId',
    'issuer',
    'jwksUri',
    'subject',
    'audiences',
    'tid',
    'azp',
    'jwks',
    'jwksFetchedAt',
    'createdAt',
    'lastUsedAt',
  ],
  { alias: 'k' },
)

/** @returns undefined when the client has none */
export function trustQuery(tenantId: string, clientId: string): Query<Trust | undefined> {
  return {
    statements: [TRUST.where(sql`k.tenant_id = ${tenantId} AND k.client_id = ${clientId}`)],
    read: ([result]) => TRUST.first(result),
  }
}

/** The trusts of all clients of a tenant, without deleted ones. */
export function trustsQuery(tenantId: string): Query<readonly Trust[]> {
  const clients = sql`(SELECT id FROM clients WHERE tenant_id = ${tenantId} AND deleted_at IS NULL)`
  return {
    statements: [
      TRUST.where(sql`k.tenant_id = ${tenantId} AND k.client_id IN ${clients} ORDER BY k.client_id`),
    ],
    read: ([result]) => TRUST.all(result),
  }
}

/** A trust to store. */
export type NewTrust = Omit<Trust, 'jwksFetchedAt' | 'lastUsedAt'>

/**
 * Adds or replaces the trust of a client, and revokes the access tokens that were issued for assertions of the earlier one.
 *
 * @param newClient is created before, unless it exists
 * @returns undefined when the tenant has no such client, there is no such tenant, or it has MAX_CLIENTS
 */
export async function putTrust(
  db: Database,
  tenantId: string,
  trust: NewTrust,
  newClient?: NewClient,
): Promise<Trust | undefined> {
  const { clientId, issuer, jwksUri, subject, audiences, tid, azp, jwks, createdAt } = trust
  const replace = statement(sql`INSERT OR REPLACE INTO client_trusts
      (client_id, tenant_id, issuer, jwks_uri, subject, audiences, tid, azp, jwks, created_at)
    SELECT id, tenant_id, ${issuer}, ${jwksUri}, ${subject}, ${JSON.stringify(audiences)}, ${tid}, ${azp}, ${jwks},
      ${createdAt}
    FROM clients WHERE id = ${clientId} AND tenant_id = ${tenantId} AND deleted_at IS NULL`)
  const results = await db.batch([
    ...(newClient === undefined ? [] : [insertClientStatement(tenantId, newClient)]),
    revokeStatement(tenantId, clientId, createdAt),
    { ...replace, act: { target: clientId } },
    TRUST.where(sql`k.tenant_id = ${tenantId} AND k.client_id = ${clientId}`),
  ])
  const [inserted, stored] = results.slice(-2)
  // A deleted client keeps its row for the log, and the row its trust.
  return inserted?.changes === 1 ? TRUST.first(stored) : undefined
}

/**
 * Removes the trust of a client, and revokes the access tokens that were issued for its assertions.
 *
 * @returns false when the client has none
 */
export async function deleteTrust(
  db: Database,
  tenantId: string,
  clientId: string,
  now: number,
): Promise<boolean> {
  const remove = statement(
    sql`DELETE FROM client_trusts WHERE tenant_id = ${tenantId} AND client_id = ${clientId}`,
  )
  const [, deleted] = await db.batch([revokeStatement(tenantId, clientId, now), { ...remove, act: {} }])
  return deleted?.changes === 1
}

function revokeStatement(tenantId: string, clientId: string, now: number) {
  return statement(sql`UPDATE tokens SET revoked_at = coalesce(revoked_at, ${now})
    WHERE tenant_id = ${tenantId} AND client_id = ${clientId} AND credential_id = ${clientId}`)
}
