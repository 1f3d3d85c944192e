/**
 * Tokens for the administrator: generate, store, revoke. tokens.ts checks them.
 */
import { sql } from 'drizzle-orm'
import { type Database, statement } from '../database/database.ts'
import { selection } from '../tables/selection.ts'
import { tokens } from '../tables/tables.ts'
import { sha256, toBase64Url } from './secrets.ts'
import type { TokenScope } from './tokens.ts'

const TOKEN_BYTES = 32

/** Generates a token for a tenant. Only the hash is to be stored. */
export async function generateToken(tenantId: string): Promise<{ token: string; hash: string }> {
  const bytes = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES))
  const token = `scim_${tenantId}_${toBase64Url(bytes)}`
  return { token, hash: await sha256(token) }
}

/** A token without its secret, for the administrator. Times in milliseconds since 1970. */
export interface TokenInfo {
  readonly id: string
  /** The client that it belongs to. */
  readonly clientId: string
  readonly name: string
  /** The scope of the client. */
  readonly scope: TokenScope
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly lastUsedAt: number | null
  readonly revokedAt: number | null
}

/** A token to store. */
export interface NewToken extends Pick<TokenInfo, 'id' | 'name' | 'createdAt' | 'expiresAt'> {
  readonly hash: string
  /** A client of the tenant; if undefined, a client with the token's name is created. */
  readonly clientId?: string | undefined
  /** The scope of the client that is created; an existing client keeps its own. */
  readonly scope?: TokenScope | undefined
}

export type StoredToken = Pick<TokenInfo, 'id' | 'clientId' | 'name' | 'scope' | 'createdAt' | 'expiresAt'>

/** A trigger gives each token a client, so `client_id` is never NULL. */
export const TOKEN_CLIENT_ID = sql<string>`client_id`

export const STORED_TOKEN = selection(tokens, ['id', 'name', 'scope', 'createdAt', 'expiresAt'], {
  computed: { clientId: TOKEN_CLIENT_ID },
})

/**
 * Stores a new token.
 *
 * @returns undefined when there is no such tenant or client, or it is being deleted
 */
export async function insertToken(
  db: Database,
  tenantId: string,
  { id, name, hash, createdAt, expiresAt, clientId, scope = 'provision' }: NewToken,
): Promise<StoredToken | undefined> {
  const [, stored] = await db.batch([
    clientId === undefined
      ? statement(sql`INSERT INTO tokens (id, tenant_id, name, scope, hash, created_at, expires_at)
          SELECT ${id}, id, ${name}, ${scope}, ${hash}, ${createdAt}, ${expiresAt}
          FROM tenants WHERE id = ${tenantId} AND state <> 'deleting'`)
      : statement(sql`INSERT INTO tokens (id, tenant_id, client_id, name, scope, hash, created_at, expires_at)
          SELECT ${id}, tenant_id, id, ${name}, scope, ${hash}, ${createdAt}, ${expiresAt}
          FROM clients WHERE id = ${clientId} AND tenant_id = ${tenantId} AND deleted_at IS NULL`),
    STORED_TOKEN.where(sql`tenant_id = ${tenantId} AND id = ${id} AND hash = ${hash}`),
  ])
  return STORED_TOKEN.first(stored)
}

/** Revokes a token from the next request on. A second revocation keeps the first time. @returns false when unknown */
export async function revokeToken(db: Database, tenantId: string, id: string, now: number): Promise<boolean> {
  const [result] = await db.batch([
    statement(sql`UPDATE tokens SET revoked_at = coalesce(revoked_at, ${now})
      WHERE tenant_id = ${tenantId} AND id = ${id}`),
  ])
  return result?.changes === 1
}
