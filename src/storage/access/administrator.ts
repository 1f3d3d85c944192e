/**
 * The administrator as a client of a tenant: the actor of the writes that an administrator has done, such as a restore. It
 * counts as deleted from the beginning, so that it is in no list, and gets no token, secret or issuer. Its tokens exist while
 * it writes, and only as hashes that belong to no text: nobody can present one.
 */
import { type SQL, sql } from 'drizzle-orm'
import { MAX_IMPORT_TIME_MS } from '../../scim/limits.ts'
import { type Database, statement } from '../database/database.ts'

/** What follows the id of the tenant in the id of the client. Other clients have 22 characters after the `_`. */
const ID_SUFFIX = '_administrator'

/** The id of the client. */
export function administratorId(tenantId: string): string {
  return `${tenantId}${ID_SUFFIX}`
}

/** The id of the client in SQL. @param tenantId the column with the id of the tenant */
export function administratorIdBeside(tenantId: string): SQL {
  return sql.raw(`${tenantId} || '${ID_SUFFIX}'`)
}

/** The name of the client. */
export const ADMINISTRATOR_NAME = 'Administrator'
/** A client whose deletion is as late as this is never forgotten. */
const DELETED_AT = MAX_IMPORT_TIME_MS

export interface AdministratorToken {
  readonly tenantId: string
  /** UUIDv7. */
  readonly id: string
  readonly hash: string
  /** Milliseconds since 1970. */
  readonly now: number
  readonly expiresAt: number
}

/** A new hash, which is that of no known token. */
export function unknownHash(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}

/** Stores the client, unless it exists, and a token. Stores nothing while the tenant is not ready. */
export async function admitAdministrator(db: Database, token: AdministratorToken): Promise<void> {
  const { tenantId, id, hash, now, expiresAt } = token
  const clientId = administratorId(tenantId)
  const ready = sql`FROM tenants WHERE id = ${tenantId} AND state = 'ready'`
  await db.batch([
    statement(sql`INSERT INTO clients (id, tenant_id, name, scope, created_at, deleted_at)
      SELECT ${clientId}, id, ${ADMINISTRATOR_NAME}, 'provision', ${now}, ${DELETED_AT} ${ready} ON CONFLICT (id) DO NOTHING`),
    // A token with a credential is an access token: it is in no list, and the hourly run deletes it if a process ends.
    statement(sql`INSERT INTO tokens (id, tenant_id, client_id, name, scope, hash, created_at, expires_at, credential_id)
      SELECT ${id}, id, ${clientId}, ${ADMINISTRATOR_NAME}, 'provision', ${hash}, ${now}, ${expiresAt}, ${clientId} ${ready}
      ON CONFLICT (id) DO NOTHING`),
  ])
}

/** Deletes the token. While the tenant is being moved, it stays until it has expired: both sides must stay equal. */
export async function dismissAdministrator(
  db: Database,
  { tenantId, id }: Pick<AdministratorToken, 'tenantId' | 'id'>,
): Promise<void> {
  await db.batch([
    statement(sql`DELETE FROM tokens WHERE tenant_id = ${tenantId} AND id = ${id}
      AND EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId} AND state = 'ready')`),
  ])
}
