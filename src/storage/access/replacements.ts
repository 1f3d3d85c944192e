/**
 * The rotation of tokens and client secrets: a new credential is created beside the old one, which stays valid until it is
 * revoked, so that the client misses no request. The old one names the new one. If the new one is revoked first, nothing
 * replaces the old one any more, and it can be rotated again.
 */
import { type SQL, sql } from 'drizzle-orm'
import { type Database, type Statement, statement, UniqueError } from '../database/database.ts'
import type { Query } from '../database/query.ts'

/** A credential that administrators generate. */
export type CredentialKind = 'token' | 'secret'

const TABLES = { token: sql.raw('tokens'), secret: sql.raw('client_secrets') } as const

function tableOf(kind: CredentialKind): SQL {
  return TABLES[kind]
}

/** @returns "taken" if the form of a new credential was sent before: its id was chosen when the form was shown */
export async function onceOnly<T>(stored: Promise<T>): Promise<T | 'taken'> {
  try {
    return await stored
  } catch (error) {
    if (error instanceof UniqueError) return 'taken'
    throw error
  }
}

/** The condition on a credential that a valid one replaces it. @param now milliseconds since 1970 */
export function isReplaced(kind: CredentialKind, now: number): SQL {
  return sql`EXISTS (SELECT 1 FROM ${tableOf(kind)} AS successor WHERE successor.id = ${tableOf(kind)}.replaced_by
    AND successor.revoked_at IS NULL AND coalesce(successor.expires_at > ${now}, 1))`
}

/**
 * The condition on a credential that it may be rotated: it is not revoked, and no valid one replaces it. With two valid
 * successors, it would be unclear which one is in use.
 */
export function isRotatable(kind: CredentialKind, tenantId: string, id: string, now: number): SQL {
  return sql`tenant_id = ${tenantId} AND id = ${id} AND revoked_at IS NULL AND NOT ${isReplaced(kind, now)}`
}

/**
 * Follows the statement that revokes a credential: what it replaced is from then on replaced by what replaces it, if
 * anything.
 */
export function passOnStatement(kind: CredentialKind, tenantId: string, id: string): Statement {
  const table = tableOf(kind)
  return statement(sql`UPDATE ${table} SET replaced_by = revoked.replaced_by
    FROM (SELECT replaced_by FROM ${table} WHERE id = ${id} AND revoked_at IS NOT NULL) AS revoked
    WHERE tenant_id = ${tenantId} AND ${table}.replaced_by = ${id}`)
}

/**
 * Keeps a credential that was to be revoked after its rotation: both stay valid.
 *
 * @returns false if the tenant has no such credential, or it was revoked or not rotated, or the tenant is not ready
 */
export async function keepCredential(
  db: Database,
  kind: CredentialKind,
  tenantId: string,
  id: string,
): Promise<boolean> {
  const keep = statement(sql`UPDATE ${tableOf(kind)} SET replaced_by = NULL
    WHERE tenant_id = ${tenantId} AND id = ${id} AND revoked_at IS NULL AND replaced_by IS NOT NULL
      AND EXISTS (SELECT 1 FROM tenants WHERE tenants.id = ${tenantId} AND state = 'ready')`)
  const [kept] = await db.batch([{ ...keep, act: {} }])
  return (kept?.changes ?? 0) > 0
}

/** A credential that an administrator generated. */
interface FoundCredential {
  readonly kind: CredentialKind
  readonly credential: { readonly id: string; readonly clientId: string }
}

/** @returns undefined when the tenant has no such credential */
export function credentialQuery(tenantId: string, id: string): Query<FoundCredential | undefined> {
  const kinds = ['token', 'secret'] as const
  return {
    statements: kinds.map((kind) =>
      statement(sql`SELECT id, client_id AS clientId FROM ${isOwn(kind, tenantId, id)}`),
    ),
    read: (results) => {
      const found = kinds.flatMap((kind, i) =>
        (results[i]?.rows ?? []).map((row) => ({
          kind,
          credential: { id: String(row.id), clientId: String(row.clientId) },
        })),
      )
      return found[0]
    },
  }
}

/** A subquery of the id of its client. */
export function clientOfCredential(tenantId: string, id: string): SQL {
  const clientOf = (kind: CredentialKind) => sql`(SELECT client_id FROM ${isOwn(kind, tenantId, id)})`
  return sql`coalesce(${clientOf('token')}, ${clientOf('secret')})`
}

/** The table with a condition. Access tokens are no credentials of administrators. */
function isOwn(kind: CredentialKind, tenantId: string, id: string): SQL {
  const generated = kind === 'token' ? sql` AND credential_id IS NULL` : sql``
  return sql`${tableOf(kind)} WHERE tenant_id = ${tenantId} AND id = ${id}${generated}`
}
