/**
 * Named tokens of administrators: `scimadmin_<43 characters>`, 32 random bytes in base64url. Only the SHA-256 is stored. The
 * role and the tenants of a token never change, so a session of the dashboard that began with it remembers them.
 */
import { type SQL, sql } from 'drizzle-orm'
import { DAY_MS, MINUTE_MS } from '../../scim/duration.ts'
import { MAX_ADMIN_TOKENS } from '../../scim/limits.ts'
import { sha256, toBase64Url } from '../access/secrets.ts'
import { type Database, statement } from '../database/database.ts'
import { type Query, readTogether } from '../database/query.ts'
import { selection } from '../tables/selection.ts'
import { adminTokens } from '../tables/tables.ts'

const PREFIX = 'scimadmin_'
const TOKEN_BYTES = 32
/** How long a token that was revoked or has expired stays in the list. */
const KEPT_MS = 90 * DAY_MS
/** The shortest time between two writes of "last used". */
const LAST_USED_INTERVAL_MS = MINUTE_MS
/** Shown of a token: the prefix with four characters, and the last four. The other 35 have 210 bits. */
const SHOWN = { first: PREFIX.length + 4, last: 4 } as const

const ADMIN_TOKEN = selection(adminTokens, [
  'id',
  'name',
  'role',
  'tenants',
  'firstCharacters',
  'lastCharacters',
  'createdBy',
  'createdAt',
  'expiresAt',
  'lastUsedAt',
  'revokedAt',
])

/** A token without its secret. Times in milliseconds since 1970. */
export type AdminToken = ReturnType<typeof ADMIN_TOKEN.fromRow>

export type NewAdminToken = Omit<AdminToken, 'lastUsedAt' | 'revokedAt'> & { readonly hash: string }

/** Whether a bearer token has the form of a named one. Any other is not looked up. */
function isAdminTokenForm(token: string): boolean {
  return /^scimadmin_[\w-]{43}$/.test(token)
}

/** Generates a token. Only the hash and the shown characters are to be stored. */
export async function generateAdminToken(): Promise<
  { readonly token: string } & Pick<NewAdminToken, 'hash' | 'firstCharacters' | 'lastCharacters'>
> {
  const token = PREFIX + toBase64Url(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)))
  return {
    token,
    hash: await sha256(token),
    firstCharacters: token.slice(0, SHOWN.first),
    lastCharacters: token.slice(-SHOWN.last),
  }
}

/**
 * Stores a token, unless it is stored already, and deletes those that ended long ago.
 *
 * @returns "taken" if the id is in use, "full" if there are MAX_ADMIN_TOKENS valid ones
 */
export async function insertAdminToken(
  db: Database,
  token: NewAdminToken,
): Promise<'stored' | 'taken' | 'full'> {
  const { id, name, role, tenants, hash, firstCharacters, lastCharacters } = token
  const { createdBy, createdAt, expiresAt } = token
  const list = tenants === null ? null : JSON.stringify(tenants)
  const [, inserted, present] = await db.batch([
    statement(sql`DELETE FROM admin_tokens
      WHERE coalesce(revoked_at, expires_at) < ${createdAt - KEPT_MS}`),
    statement(sql`INSERT INTO admin_tokens (id, name, role, tenants, hash, first_characters, last_characters, created_by,
        created_at, expires_at)
      SELECT ${id}, ${name}, ${role}, ${list}, ${hash}, ${firstCharacters}, ${lastCharacters}, ${createdBy},
        ${createdAt}, ${expiresAt}
      WHERE (SELECT count(*) FROM admin_tokens WHERE ${isLive(createdAt)}) < ${MAX_ADMIN_TOKENS}
      ON CONFLICT (id) DO NOTHING`),
    statement(sql`SELECT 1 FROM admin_tokens WHERE id = ${id}`),
  ])
  if (inserted?.changes === 1) return 'stored'
  return present?.rows.length === 1 ? 'taken' : 'full'
}

/** A condition: the token is neither revoked nor expired. */
function isLive(now: number): SQL {
  return sql`(revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ${now}))`
}

/** All valid tokens and the newest of those that have ended, newest first. */
export function adminTokensQuery(now: number): Query<readonly AdminToken[]> {
  const valid = sql`SELECT id FROM admin_tokens WHERE ${isLive(now)}`
  const ended = sql`SELECT id FROM admin_tokens WHERE NOT ${isLive(now)} ORDER BY id DESC LIMIT ${MAX_ADMIN_TOKENS}`
  return {
    statements: [
      ADMIN_TOKEN.where(sql`id IN (${valid}) OR id IN (SELECT id FROM (${ended})) ORDER BY id DESC`),
    ],
    read: ([result]) => ADMIN_TOKEN.all(result),
  }
}

/** Revokes a token from the next request on. A second revocation keeps the first time. @returns undefined when unknown */
export async function revokeAdminToken(
  db: Database,
  id: string,
  now: number,
): Promise<AdminToken | undefined> {
  const [, found] = await db.batch([
    statement(sql`UPDATE admin_tokens SET revoked_at = coalesce(revoked_at, ${now}) WHERE id = ${id}`),
    ADMIN_TOKEN.where(sql`id = ${id}`),
  ])
  return ADMIN_TOKEN.first(found)
}

/**
 * The valid token with this text, in one round trip. The first use in a minute is noted.
 *
 * @returns undefined if there is none, or it was revoked or has expired
 */
export async function findAdminToken(
  db: Database,
  token: string,
  now: number,
): Promise<AdminToken | undefined> {
  if (!isAdminTokenForm(token)) return undefined
  const hash = await sha256(token)
  const isValid = sql`hash = ${hash} AND ${isLive(now)}`
  const check = ADMIN_TOKEN.where(isValid)
  const isDue = now - (noted.get(hash) ?? Number.NEGATIVE_INFINITY) >= LAST_USED_INTERVAL_MS
  const note = statement(sql`UPDATE admin_tokens SET last_used_at = ${now}
    WHERE ${isValid} AND coalesce(last_used_at, 0) <= ${now - LAST_USED_INTERVAL_MS}`)
  const { found } = await readTogether(db, {
    found: { statements: isDue ? [check, note] : [check], read: ([result]) => ADMIN_TOKEN.first(result) },
  })
  if (found !== undefined && isDue) remember(hash, now)
  return found
}

/** When "last used" of each token was noted by this isolate, by its hash. It only saves statements. */
const noted = new Map<string, number>()

function remember(hash: string, now: number): void {
  if (noted.size >= MAX_ADMIN_TOKENS) noted.clear()
  noted.set(hash, now)
}
