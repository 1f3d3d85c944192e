/**
 * Client secrets (RFC 6749 §2.3.1) for the administrator: generate, list, revoke. access-tokens.ts checks them.
 *
 * A secret is `scims_<43 characters>`: 32 random bytes in base64url, with a prefix by which scanners for leaked secrets
 * can recognise it. Only its SHA-256 is stored, for the reason that tokens.ts gives.
 */
import { sql } from 'drizzle-orm'
import { type Database, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { selection } from '../tables/selection.ts'
import { clientSecrets } from '../tables/tables.ts'
import { type Client, insertClientStatement } from './clients.ts'
import { hasRoomFor, isShown } from './credential-limits.ts'
import { isRotatable, onceOnly, passOnStatement } from './replacements.ts'
import { lastCharactersOf, sha256, toBase64Url } from './secrets.ts'

/** A secret without its text. Times in milliseconds since 1970. */
export interface SecretInfo {
  readonly id: string
  readonly clientId: string
  readonly name: string
  /** Its last four characters. */
  readonly lastCharacters: string
  readonly createdAt: number
  readonly expiresAt: number
  /** The latest issue of an access token, accurate to the minute. */
  readonly lastUsedAt: number | null
  readonly revokedAt: number | null
  /** The id of the secret that replaces it; null if none does. */
  readonly replacedBy: string | null
}

/** A secret to store. */
export interface NewSecret
  extends Pick<SecretInfo, 'id' | 'clientId' | 'name' | 'lastCharacters' | 'createdAt' | 'expiresAt'> {
  readonly hash: string
}

const SECRET_BYTES = 32

/** Generates a secret. Only the hash and the last characters are to be stored. */
export async function generateSecret(): Promise<
  { secret: string } & Pick<NewSecret, 'hash' | 'lastCharacters'>
> {
  const secret = `scims_${toBase64Url(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)))}`
  return { secret, hash: await sha256(secret), lastCharacters: lastCharactersOf(secret) }
}

const SECRET = selection(clientSecrets, [
  'id',
  'clientId',
  'name',
  'lastCharacters',
  'createdAt',
  'expiresAt',
  'lastUsedAt',
  'revokedAt',
  'replacedBy',
])

/** The secrets of a tenant, or of one of its clients, newest first, with the newest of those that are revoked. */
export function secretsQuery(tenantId: string, clientId?: string): Query<readonly SecretInfo[]> {
  const ofClient = clientId === undefined ? sql`` : sql`AND client_id = ${clientId}`
  return {
    statements: [
      SECRET.where(
        sql`tenant_id = ${tenantId} ${ofClient} AND ${isShown('secrets', tenantId)} ORDER BY id DESC`,
      ),
    ],
    read: ([result]) => SECRET.all(result),
  }
}

/**
 * Stores a new secret.
 *
 * @param newClient the client to create with it; undefined: the client exists
 * @returns undefined when there is no such tenant or client, it is being deleted, or a limit is reached
 */
export async function insertSecret(
  db: Database,
  tenantId: string,
  { id, clientId, name, hash, lastCharacters, createdAt, expiresAt }: NewSecret,
  newClient?: Pick<Client, 'name' | 'scope' | 'tokenLifetime'>,
): Promise<SecretInfo | undefined> {
  const insert =
    statement(sql`INSERT INTO client_secrets (id, tenant_id, client_id, name, hash, last_characters,
      created_at, expires_at)
    SELECT ${id}, tenant_id, id, ${name}, ${hash}, ${lastCharacters}, ${createdAt}, ${expiresAt}
    FROM clients WHERE id = ${clientId} AND tenant_id = ${tenantId} AND deleted_at IS NULL
      AND ${hasRoomFor('secrets', tenantId)}`)
  const results = await db.batch([
    ...(newClient ? [insertClientStatement(tenantId, { ...newClient, id: clientId, createdAt })] : []),
    { ...insert, act: { target: id } },
    SECRET.where(sql`tenant_id = ${tenantId} AND id = ${id} AND hash = ${hash}`),
  ])
  return SECRET.first(results.at(-1))
}

/**
 * Like insertSecret, for a secret whose id was chosen when its form was shown, so that the form works once.
 *
 * @returns "taken" when the form was sent before
 */
export async function insertSecretOnce(
  ...parameters: Parameters<typeof insertSecret>
): Promise<SecretInfo | 'taken' | undefined> {
  return await onceOnly(insertSecret(...parameters))
}

/**
 * Stores a replacement of a secret, with the same client, name and lifetime, and records it in the old one.
 *
 * @returns the stored secret; "taken" when the form was sent before; undefined when the old one is unknown, revoked or
 *   already rotated, or the limit is reached
 */
export async function rotateSecret(
  db: Database,
  tenantId: string,
  oldId: string,
  { id, hash, lastCharacters, createdAt }: Pick<NewSecret, 'id' | 'hash' | 'lastCharacters' | 'createdAt'>,
): Promise<SecretInfo | 'taken' | undefined> {
  const isOld = sql`${isRotatable('secret', tenantId, oldId, createdAt)}
    AND EXISTS (SELECT 1 FROM clients WHERE id = client_secrets.client_id AND deleted_at IS NULL)`
  const insert =
    statement(sql`INSERT INTO client_secrets (id, tenant_id, client_id, name, hash, last_characters, created_at, expires_at)
      SELECT ${id}, tenant_id, client_id, name, ${hash}, ${lastCharacters}, ${createdAt},
        ${createdAt} + expires_at - created_at
      FROM client_secrets WHERE ${isOld} AND ${hasRoomFor('secrets', tenantId)}`)
  const results = await onceOnly(
    db.batch([
      { ...insert, act: {} },
      statement(sql`UPDATE client_secrets SET replaced_by = ${id} WHERE ${isOld}
        AND EXISTS (SELECT 1 FROM client_secrets WHERE id = ${id})`),
      SECRET.where(sql`tenant_id = ${tenantId} AND id = ${id} AND hash = ${hash}`),
    ]),
  )
  return results === 'taken' ? results : SECRET.first(results[2])
}

/**
 * Revokes a secret and all access tokens that were issued for it, from the next request on. A second revocation keeps
 * the first time.
 *
 * @param clientId the client that must own the secret; undefined: any client of the tenant
 * @returns false when unknown
 */
export async function revokeSecret(
  db: Database,
  tenantId: string,
  { id, clientId }: { readonly id: string; readonly clientId?: string | undefined },
  now: number,
): Promise<boolean> {
  const isSecret = sql`tenant_id = ${tenantId} AND id = ${id} AND client_id = coalesce(${clientId ?? null}, client_id)`
  const revoke = statement(
    sql`UPDATE client_secrets SET revoked_at = coalesce(revoked_at, ${now}) WHERE ${isSecret}`,
  )
  const isValid = sql`EXISTS (SELECT 1 FROM client_secrets WHERE ${isSecret} AND revoked_at IS NULL)`
  const [revoked] = await db.batch([
    { ...revoke, act: { when: isValid } },
    statement(sql`UPDATE tokens SET revoked_at = coalesce(revoked_at, ${now})
      WHERE client_id = (SELECT client_id FROM client_secrets WHERE ${isSecret}) AND credential_id = ${id}`),
    passOnStatement('secret', tenantId, id),
  ])
  return revoked?.changes === 1
}
