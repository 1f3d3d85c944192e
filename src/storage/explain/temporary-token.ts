/**
 * The token of an explained request. It is stored at the beginning of each batch, and is gone at its end: a batch of
 * reads deletes it, and a batch of writes is rolled back. So no other request ever sees it.
 */
import { sql } from 'drizzle-orm'
import { MINUTE_MS } from '../../scim/duration.ts'
import { ADMINISTRATOR_NAME } from '../access/administrator.ts'
import { type Statement, statement } from '../database/database.ts'

const LIFETIME_MS = 10 * MINUTE_MS

export interface TemporaryToken {
  readonly tenantId: string
  /** Of the token, and of the client if there is none. */
  readonly id: string
  /** SHA-256, hexadecimal. */
  readonly hash: string
  /** The client that the request is explained as; undefined: a client of the administrator, which exists as long as the token. */
  readonly clientId: string | undefined
  /** Milliseconds since 1970. */
  readonly now: number
}

/** Stores the token, unless the client does not exist. */
export function admitStatements({ tenantId, id, hash, clientId, now }: TemporaryToken): readonly Statement[] {
  const token =
    statement(sql`INSERT INTO tokens (id, tenant_id, client_id, name, scope, hash, created_at, expires_at)
    SELECT ${id}, tenant_id, id, name, scope, ${hash}, ${now}, ${now + LIFETIME_MS}
    FROM clients WHERE id = ${clientId ?? id} AND tenant_id = ${tenantId} AND deleted_at IS NULL`)
  if (clientId !== undefined) return [token]
  const client = statement(sql`INSERT INTO clients (id, tenant_id, name, scope, created_at)
    VALUES (${id}, ${tenantId}, ${ADMINISTRATOR_NAME}, 'provision', ${now})`)
  return [client, token]
}

/** Deletes what `admitStatements` stored. */
export function dismissStatements({ tenantId, id, clientId }: TemporaryToken): readonly Statement[] {
  const token = statement(sql`DELETE FROM tokens WHERE tenant_id = ${tenantId} AND id = ${id}`)
  const client = statement(sql`DELETE FROM clients WHERE tenant_id = ${tenantId} AND id = ${id}`)
  return clientId === undefined ? [token, client] : [token]
}
