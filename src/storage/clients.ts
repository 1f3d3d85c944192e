/**
 * The clients of a tenant: who acts, whatever they sign in with. Made, changed and deleted by the administrator.
 */
import { sql } from 'drizzle-orm'
import { type Database, type Statement, statement } from './database.ts'
import type { Query } from './query.ts'
import { toBase64Url } from './secrets.ts'
import type { TokenScope } from './tokens.ts'

/** Times in milliseconds since 1970. */
export interface Client {
  readonly id: string
  readonly name: string
  /** What all of its tokens may do. */
  readonly scope: TokenScope
  readonly createdAt: number
  /** To the minute. */
  readonly lastUsedAt: number | null
}

const CLIENT_ID_BYTES = 16

/** A new id: `<tenantId>_<22 characters>`. It is no secret. */
export function newClientId(tenantId: string): string {
  return `${tenantId}_${toBase64Url(crypto.getRandomValues(new Uint8Array(CLIENT_ID_BYTES)))}`
}

const COLUMNS = sql`id, name, scope, created_at AS createdAt, nullif(max(coalesce(last_used_at, 0),
  coalesce((SELECT max(t.last_used_at) FROM tokens AS t WHERE t.tenant_id = clients.tenant_id AND t.client_id = clients.id), 0)
  ), 0) AS lastUsedAt`

/** The clients of a tenant, oldest first, without those that were deleted. */
export function clientsQuery(tenantId: string): Query<readonly Client[]> {
  return {
    statements: [
      statement(sql`SELECT ${COLUMNS} FROM clients WHERE tenant_id = ${tenantId} AND deleted_at IS NULL
        ORDER BY created_at, id`),
    ],
    read: ([result]) => (result?.rows ?? []) as unknown as readonly Client[],
  }
}

/** @returns undefined when the tenant has no such client, or it was deleted */
export function clientQuery(tenantId: string, id: string): Query<Client | undefined> {
  return {
    statements: [selectClient(tenantId, id)],
    read: ([result]) => result?.rows[0] as unknown as Client | undefined,
  }
}

function selectClient(tenantId: string, id: string): Statement {
  return statement(sql`SELECT ${COLUMNS} FROM clients
    WHERE tenant_id = ${tenantId} AND id = ${id} AND deleted_at IS NULL`)
}

/** @returns false when there is no such tenant, or it is being deleted */
export async function insertClient(
  db: Database,
  tenantId: string,
  { id, name, scope, createdAt }: Omit<Client, 'lastUsedAt'>,
): Promise<boolean> {
  const [inserted] = await db.batch([
    statement(sql`INSERT INTO clients (id, tenant_id, name, scope, created_at)
      SELECT ${id}, id, ${name}, ${scope}, ${createdAt} FROM tenants WHERE id = ${tenantId} AND state <> 'deleting'`),
  ])
  return (inserted?.changes ?? 0) > 0
}

/** What an administrator may change; what is undefined stays. A new scope holds for all tokens from the next request on. */
export interface ClientChange {
  readonly name?: string | undefined
  readonly scope?: TokenScope | undefined
}

/** @returns undefined when the tenant has no such client */
export async function updateClient(
  db: Database,
  tenantId: string,
  id: string,
  { name = null, scope = null }: { [Name in keyof ClientChange]: ClientChange[Name] | null },
): Promise<Client | undefined> {
  const [, , found] = await db.batch([
    statement(sql`UPDATE clients SET name = coalesce(${name}, name), scope = coalesce(${scope}, scope)
      WHERE tenant_id = ${tenantId} AND id = ${id} AND deleted_at IS NULL`),
    statement(sql`UPDATE tokens SET scope = (SELECT scope FROM clients WHERE clients.id = ${id})
      WHERE tenant_id = ${tenantId} AND client_id = ${id}`),
    selectClient(tenantId, id),
  ])
  return found?.rows[0] as unknown as Client | undefined
}

/**
 * Deletes a client and revokes all of its tokens, from the next request on. The log goes on to name it.
 *
 * @returns false when the tenant has no such client
 */
export async function deleteClient(
  db: Database,
  tenantId: string,
  id: string,
  now: number,
): Promise<boolean> {
  const [deleted] = await db.batch([
    statement(sql`UPDATE clients SET deleted_at = ${now}
      WHERE tenant_id = ${tenantId} AND id = ${id} AND deleted_at IS NULL`),
    statement(sql`UPDATE tokens SET revoked_at = coalesce(revoked_at, ${now})
      WHERE tenant_id = ${tenantId} AND client_id = ${id}`),
  ])
  return deleted?.changes === 1
}

/** Both sides of a move must stay the same. */
const ON_THE_MOVE = sql.raw("(SELECT id FROM tenants WHERE state IN ('moving', 'arriving', 'moved'))")

/**
 * Forgets tokens that were revoked or have expired before a time, and clients that were deleted before it and have no
 * token left. The log must hold nothing older than that time, so that nothing in it loses its names.
 *
 * @returns how many tokens went
 */
export async function deleteDeadTokens(db: Database, before: number): Promise<number> {
  const [tokens] = await db.batch([
    statement(
      sql`DELETE FROM tokens WHERE (revoked_at < ${before} OR expires_at < ${before}) AND tenant_id NOT IN ${ON_THE_MOVE}`,
    ),
    statement(sql`DELETE FROM clients WHERE deleted_at < ${before} AND tenant_id NOT IN ${ON_THE_MOVE} AND NOT EXISTS (
      SELECT 1 FROM tokens WHERE tokens.tenant_id = clients.tenant_id AND tokens.client_id = clients.id)`),
  ])
  return tokens?.changes ?? 0
}
