/** Tokens for the dashboard, and their rotation: see replacements.ts. */
import { sql } from 'drizzle-orm'
import { type Database, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { selection } from '../tables/selection.ts'
import { tokens } from '../tables/tables.ts'
import { hasRoomFor, isShown } from './credential-limits.ts'
import { isRotatable, onceOnly } from './replacements.ts'
import {
  insertToken,
  type NewToken,
  STORED_TOKEN,
  type StoredToken,
  TOKEN_CLIENT_ID,
  type TokenInfo,
} from './token-administration.ts'

export interface ListedToken extends TokenInfo {
  /** The id of the token that replaces it; null if none does. */
  readonly replacedBy: string | null
}

const LISTED_TOKEN = selection(
  tokens,
  [
    'id',
    'name',
    'scope',
    'lastCharacters',
    'createdAt',
    'expiresAt',
    'lastUsedAt',
    'revokedAt',
    'replacedBy',
  ],
  { computed: { clientId: TOKEN_CLIENT_ID } },
)

/** The tokens that administrators generated, newest first, with the newest of those that are revoked. */
export function tokensQuery(tenantId: string): Query<readonly ListedToken[]> {
  return {
    statements: [
      LISTED_TOKEN.where(
        sql`tenant_id = ${tenantId} AND credential_id IS NULL AND ${isShown('tokens', tenantId)} ORDER BY id DESC`,
      ),
    ],
    read: ([result]) => LISTED_TOKEN.all(result),
  }
}

/**
 * Like insertToken, for a token whose id was chosen when its form was shown, so that the form works once.
 *
 * @returns "taken" when the form was sent before, undefined when there is no such tenant or client
 */
export async function insertTokenOnce(
  db: Database,
  tenantId: string,
  token: NewToken,
): Promise<StoredToken | 'taken' | undefined> {
  return await onceOnly(insertToken(db, tenantId, token))
}

/**
 * Stores a replacement of a token, with the same client, name, scope and lifetime, and records it in the old token.
 *
 * @returns the stored token; "taken" when the form was sent before; undefined when the old token is unknown, revoked
 *   or already rotated, or the limit is reached
 */
export async function rotateToken(
  db: Database,
  tenantId: string,
  oldId: string,
  token: Pick<NewToken, 'id' | 'hash' | 'lastCharacters' | 'createdAt'>,
): Promise<StoredToken | 'taken' | undefined> {
  const { id, hash, lastCharacters, createdAt } = token
  const isOld = sql`${isRotatable('token', tenantId, oldId, createdAt)} AND credential_id IS NULL`
  const insert =
    statement(sql`INSERT INTO tokens (id, tenant_id, client_id, name, scope, hash, last_characters, created_at, expires_at)
      SELECT ${id}, tenant_id, client_id, name, scope, ${hash}, ${lastCharacters}, ${createdAt},
        ${createdAt} + expires_at - created_at
      FROM tokens WHERE ${isOld} AND ${hasRoomFor('tokens', tenantId)}`)
  const results = await onceOnly(
    db.batch([
      { ...insert, act: {} },
      statement(sql`UPDATE tokens SET replaced_by = ${id} WHERE ${isOld}
        AND EXISTS (SELECT 1 FROM tokens WHERE id = ${id})`),
      STORED_TOKEN.where(sql`tenant_id = ${tenantId} AND id = ${id}`),
    ]),
  )
  if (results === 'taken') return results
  const [inserted, , found] = results
  // More than one change when a trigger copies the state of the tenant into the token.
  return inserted?.changes === 0 ? undefined : STORED_TOKEN.first(found)
}
