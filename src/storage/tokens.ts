/**
 * Bearer tokens of clients: issue, check, revoke.
 *
 * A token is `scim_<tenantId>_<43 characters>`: 32 random bytes in base64url. Only its SHA-256 is stored:
 * 256 bits of randomness cannot be guessed, so a slow hash would protect nothing. A token is checked in
 * the very batch that does the work, so revocation and expiry hold from the next request on, and no cache
 * can outlive them. Threats: a copy of the database (it holds no token), timing (lookup is by hash, and
 * the hash found is compared in constant time), a token of another tenant (the tenant is part of the
 * condition).
 */
import { and, eq, gt, isNull, or, type Placeholder, type SQL, sql } from 'drizzle-orm'
import { ScimError } from '../scim/error.ts'
import { AccessRefused } from './access-refused.ts'
import {
  type Database,
  DatabaseUnavailable,
  GuardError,
  prepared,
  type Row,
  type Slots,
  type SqlValue,
  type Statement,
  type StatementResult,
  statement,
} from './database.ts'
import {
  type Actor,
  forgetToken,
  isKnownValid,
  isLastUsedDue,
  knownActor,
  LAST_USED_INTERVAL_MS,
  recordUse,
} from './known-tokens.ts'
import { isSameSecret, type Sha256, sha256, toBase64Url } from './secrets.ts'
import { tokens } from './tables.ts'
import { changing, moving, recallVersion, StaleTenant, TenantElsewhere } from './tenant-context.ts'

const TOKEN_BYTES = 32
const TOKEN = /^scim_([a-z][a-z0-9-]{0,39})_[A-Za-z0-9_-]{43}$/
const NAMED_TENANT = /^scim_([a-z][a-z0-9-]{0,39})_/

/** What a request claims to be: nothing of it is proven until a batch has checked it. */
export interface Credentials {
  readonly tenantId: string
  /** SHA-256 of the token, hexadecimal. */
  readonly tokenHash: string
  /** Milliseconds since 1970: the moment at which the token must be valid. */
  readonly now: number
  /** The version of the tenant's configuration by which the request is handled: see tenant-context.ts. */
  readonly tenantVersion: number
}

export type TokenScope = 'provision' | 'read'

/**
 * The claim of a token. The tenant is read off the token, so that the query can go with the check.
 *
 * @returns undefined when the text has not the form of a token
 */
export async function credentialsOf(
  token: string,
  now: number,
  hash: Sha256 = sha256,
): Promise<Credentials | undefined> {
  const tenantId = TOKEN.exec(token)?.[1]
  if (tenantId === undefined) return undefined
  return { tenantId, tokenHash: await hash(token), now, tenantVersion: recallVersion(tenantId) }
}

/** The tenant that a token names, also one that is not whole. It proves nothing. */
export function tenantNamedBy(token: string | undefined): string | undefined {
  return NAMED_TENANT.exec(token ?? '')?.[1]
}

/** A new token for a tenant, and the hash to store. The token is not kept anywhere. */
export async function generateToken(tenantId: string): Promise<{ token: string; hash: string }> {
  const bytes = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES))
  const token = `scim_${tenantId}_${toBase64Url(bytes)}`
  return { token, hash: await sha256(token) }
}

/**
 * Reads with a token: the check and the statements in one batch. Repeated once when the database does not
 * answer, without "last used", which a full disk cannot take. A write is never repeated: it may have been done
 * although nobody heard of it. Its client is told to try again.
 *
 * @returns the results of the statements
 * @throws {ScimError} 401; what was read is then thrown away
 * @throws {StaleTenant} likewise
 */
export async function readAs(
  db: Database,
  credentials: Credentials,
  statements: readonly Statement[],
): Promise<readonly StatementResult[]> {
  try {
    return await runAs(db, credentials, statements)
  } catch (error) {
    if (error instanceof DatabaseUnavailable) return await runAs(db, credentials, statements, [])
    throw error
  }
}

/**
 * The check and the statements in one batch, whatever the scope of the token.
 *
 * @throws {ScimError} 401; 503 during an import
 * @throws {StaleTenant}
 */
export async function runAs(
  db: Database,
  credentials: Credentials,
  statements: readonly Statement[],
  touch: readonly Statement[] = lastUsedStatements(credentials),
): Promise<readonly StatementResult[]> {
  const [check, ...results] = await db.batch([checkStatement(credentials), ...statements, ...touch])
  requireToken(check?.rows[0], credentials, 'read')
  return results.slice(0, statements.length)
}

/**
 * As runAs, for what belongs to a write: none is done while the tenant is being moved, so a statement that writes must ask
 * for `isAdmittedToken`.
 *
 * @throws {ScimError} 401; 503 during an import or a move
 * @throws {StaleTenant|TenantElsewhere}
 */
export async function runAsWriter(
  db: Database,
  credentials: Credentials,
  statements: readonly Statement[],
): Promise<void> {
  const touch = lastUsedStatements(credentials)
  const [check] = await db.batch([checkStatement(credentials), ...statements, ...touch])
  requireToken(check?.rows[0], credentials, 'write')
}

/**
 * Reads for several writers of one tenant, each with its own token, all with one configuration. One that may not write
 * keeps no other from reading: what was read for it is to be thrown away.
 *
 * @returns the results of the statements, and for each writer why it may not write
 */
export async function readAsWriters(
  db: Database,
  writers: readonly Credentials[],
  statements: readonly Statement[],
): Promise<{
  readonly results: readonly StatementResult[]
  readonly refusals: readonly (Refusal | undefined)[]
}> {
  const uses = latestUses(writers)
  const hashes = JSON.stringify(uses.map(({ tokenHash }) => tokenHash))
  const { tenantId = null, tenantVersion = null } = writers[0] ?? {}
  const check = selectWriters({ tenantId, tenantVersion, hashes })
  const touch = uses.flatMap(lastUsedStatements)
  const [found, ...results] = await db.batch([check, ...statements, ...touch])
  return {
    results: results.slice(0, statements.length),
    refusals: writers.map((writer) => writerRefusal(found?.rows ?? [], writer)),
  }
}

/**
 * Writes with a token: a guard ends the batch when the token may not write, so nothing is changed.
 *
 * @returns the results of the statements
 * @throws {ScimError} 401, or 403 when the token may only read
 * @throws {StaleTenant}
 * @throws {GuardError|UniqueError} from the statements
 */
export async function writeAs(
  db: Database,
  credentials: Credentials,
  statements: readonly Statement[],
): Promise<readonly StatementResult[]> {
  return await writeAsAll(db, [credentials], statements)
}

/** As writeAs, for several writers of one tenant: nothing is changed unless all of them may write. */
export async function writeAsAll(
  db: Database,
  writers: readonly Credentials[],
  statements: readonly Statement[],
): Promise<readonly StatementResult[]> {
  const uses = latestUses(writers)
  return await writeGuarded(db, uses, uses.map(guardStatement), statements)
}

/**
 * As writeAs, with other guards than a statement for each token.
 *
 * @param guards end the batch when one of the tokens may not write: see `writerToken`
 */
export async function writeGuarded(
  db: Database,
  uses: readonly Credentials[],
  guards: readonly Statement[],
  statements: readonly Statement[],
): Promise<readonly StatementResult[]> {
  const touch = uses.flatMap(lastUsedStatements)
  try {
    const results = await db.batch([...guards, ...statements, ...touch])
    for (const use of uses) recordUse(use)
    return results.slice(guards.length, guards.length + statements.length)
  } catch (error) {
    if (error instanceof GuardError) await throwRefusal(db, uses, error)
    throw error
  }
}

/** Why a guard ended a batch, where it says that a token may not write, or by which configuration. */
async function throwRefusal(db: Database, uses: readonly Credentials[], cause: GuardError): Promise<void> {
  switch (cause.rule) {
    case 'no token':
    case 'revoked token':
    case 'expired token': {
      // Of several it is not said which.
      const [only] = uses
      if (only !== undefined && uses.length === 1) forgetToken(only)
      throw new AccessRefused(REASONS[cause.rule], undefined, { cause })
    }
    case 'read token':
      throw new AccessRefused('wrong scope', undefined, { cause })
    case 'importing':
      throw importing({ cause })
    case 'moving':
      throw moving({ cause })
    case 'moved':
      throw new TenantElsewhere(undefined, { cause })
    case 'stale tenant':
      await throwStaleTenant(db, uses, cause)
  }
}

const REASONS = { 'no token': 'unknown', 'revoked token': 'revoked', 'expired token': 'expired' } as const

/** A guard does not tell the configuration, so that it is read: once after each change. */
async function throwStaleTenant(
  db: Database,
  uses: readonly Credentials[],
  cause: GuardError,
): Promise<never> {
  const [first] = uses
  if (first !== undefined) await runAs(db, first, [], [])
  throw changing({ cause })
}

/**
 * Checks a token that was not seen valid here, in a round trip of its own, before anything is done for its request.
 *
 * @throws {ScimError} 401
 */
export async function proveToken(db: Database, credentials: Credentials): Promise<void> {
  if (!isKnownValid(credentials)) await readAs(db, credentials, [])
}

/** Checks that a token may write. @throws {ScimError} 401, or 403 when it may only read */
export async function requireWriter(db: Database, credentials: Credentials): Promise<void> {
  await writeAs(db, credentials, [])
}

/**
 * The client that a token stands for, asked in a round trip of its own if this isolate has not heard of it yet.
 *
 * @throws {ScimError} 401
 */
export async function actorOf(db: Database, credentials: Credentials): Promise<Actor> {
  const known = knownActor(credentials)
  if (known !== undefined) return known
  await readAs(db, credentials, [])
  const actor = knownActor(credentials)
  if (actor === undefined) throw new Error('a token that is valid has no client')
  return actor
}

/** Half a directory is never shown, nor written to. */
function importing(options?: ErrorOptions): ScimError {
  return new ScimError(503, undefined, 'the directory is being imported; try again later', options)
}

/** The condition on `tokens` that credentials are valid now. @param values themselves, or slots for them */
export function isValidToken(values: Readonly<Record<keyof Credentials, SqlValue | Placeholder>>): SQL {
  const { tenantId, tokenHash, now } = values as Slots<keyof Credentials>
  return sql`${and(
    eq(tokens.hash, tokenHash),
    eq(tokens.tenantId, tenantId),
    isNull(tokens.revokedAt),
    or(isNull(tokens.expiresAt), gt(tokens.expiresAt, now)),
  )}`
}

/** As isValidToken, that the tenant lets its clients in, and that it has the configuration that they were met with. */
export function isAdmittedToken(values: Parameters<typeof isValidToken>[0]): SQL {
  const { tenantVersion } = values as Slots<keyof Credentials>
  return sql`${isValidToken(values)} AND ${eq(tokens.tenantState, 'ready')}
    AND ${eq(tokens.tenantVersion, tenantVersion)}`
}

/** What `refusalOf` and `requireWriterRow` look at. The tenant is read only when its configuration is another one. */
function checkedColumns(tenantVersion: Placeholder): SQL {
  return sql`tokens.id, hash, scope, expires_at AS expiresAt, revoked_at AS revokedAt, client_id AS clientId,
    cursor_key AS cursorKey, tenant_state AS tenantState, tenant_version AS tenantVersion,
    CASE WHEN tenant_version <> ${tenantVersion}
      THEN (SELECT configuration FROM tenants WHERE id = tokens.tenant_id) END AS configuration`
}

/** Where the token is not found, it is asked whether the tenant lives elsewhere: nothing is read for that otherwise. */
const checkStatement = prepared(
  ({ tenantId, tokenHash, tenantVersion }: Slots<'tenantId' | 'tokenHash' | 'tenantVersion'>) =>
    sql`SELECT ${checkedColumns(tenantVersion)}, NULL AS database FROM tokens
      WHERE hash = ${tokenHash} AND tenant_id = ${tenantId} UNION ALL ${elsewhere(tenantId)} LIMIT 1`,
)

/** A row like those of `checkedColumns` for a tenant that lives in another database. */
function elsewhere(tenantId: Placeholder): SQL {
  return sql`SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, database
    FROM tenant_locations WHERE tenant_id = ${tenantId}`
}

/**
 * What a guard selects from: one row with `writer`, the id of a token that may write, else why it may not, which the
 * database refuses as an id (`isNotWriter`); and with `client`, whose it is.
 */
export function writer({ tenantId, tokenHash, now, tenantVersion }: Slots<keyof Credentials>): SQL {
  return sql`(SELECT coalesce(found, (SELECT 'moved' FROM tenant_locations WHERE tenant_id = ${tenantId}), 'none') AS writer,
      client FROM (SELECT 1) LEFT JOIN (
    SELECT client_id AS client, CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN expires_at <= ${now} THEN 'expired'
      WHEN tenant_state <> 'ready' THEN CASE tenant_state WHEN 'moving' THEN 'moving'
        WHEN 'moved' THEN 'moved' WHEN 'arriving' THEN 'moved' ELSE 'importing' END
      WHEN scope <> 'provision' THEN 'read'
      WHEN tenant_version <> ${tenantVersion} THEN 'stale tenant' ELSE id END AS found
    FROM tokens WHERE hash = ${tokenHash} AND tenant_id = ${tenantId}) ON true)`
}

/** True of a row of `writer` that names no token. */
export const IS_NOT_WRITER: SQL = sql`writer IN
  ('none', 'revoked', 'expired', 'importing', 'moving', 'moved', 'read', 'stale tenant')`

const guardStatement = prepared(
  (slots: Slots<keyof Credentials>) =>
    sql`INSERT INTO guards (rule) SELECT writer FROM ${writer(slots)} WHERE ${IS_NOT_WRITER}`,
)

/** Each token once, at the latest of its moments: valid then, it was valid at the earlier ones. */
function latestUses(writers: readonly Credentials[]): readonly Credentials[] {
  const latest = new Map<string, Credentials>()
  for (const writer of writers) {
    const known = latest.get(writer.tokenHash)
    if (known === undefined || known.now < writer.now) latest.set(writer.tokenHash, writer)
  }
  return [...latest.values()]
}

/** CROSS JOIN keeps the order: SQLite would rather look through all tokens of the tenant. */
const selectWriters = prepared(
  ({ tenantId, tenantVersion, hashes }: Slots<'tenantId' | 'tenantVersion' | 'hashes'>) =>
    sql`SELECT ${checkedColumns(tenantVersion)}, NULL AS database
      FROM json_each(${hashes}) AS j CROSS JOIN tokens ON hash = j.value WHERE tenant_id = ${tenantId}
      UNION ALL ${elsewhere(tenantId)}`,
)

/** Each writer is judged at its own moment: a token may expire between two of them. */
function writerRefusal(rows: readonly Row[], credentials: Credentials): Refusal | undefined {
  const row = rows.find(({ hash }) => isSameSecret(String(hash), credentials.tokenHash))
  const refusal = refusalOf(row ?? rows.find(({ database }) => database !== null), credentials, 'write')
  if (refusal instanceof ScimError || refusal instanceof TenantElsewhere || row?.scope === 'provision')
    return refusal
  return new AccessRefused('wrong scope', String(row?.id))
}

/** @throws {ScimError} 401, 503; {StaleTenant|TenantElsewhere} */
function requireToken(row: Row | undefined, credentials: Credentials, use: 'read' | 'write'): void {
  const isFound =
    row !== undefined && (row.database !== null || isSameSecret(String(row.hash), credentials.tokenHash))
  const refusal = refusalOf(isFound ? row : undefined, credentials, use)
  if (refusal !== undefined) throw refusal
}

type Refusal = ScimError | StaleTenant | TenantElsewhere

/** Whether a token lets its bearer in at that moment, by that configuration; why it does not. Remembers which. */
function refusalOf(
  row: Row | undefined,
  credentials: Credentials,
  use: 'read' | 'write',
): Refusal | undefined {
  if (row !== undefined && row.database !== null) return new TenantElsewhere(String(row.database))
  const reason =
    row === undefined
      ? 'unknown'
      : row.revokedAt != null
        ? 'revoked'
        : row.expiresAt != null && Number(row.expiresAt) <= credentials.now
          ? 'expired'
          : undefined
  if (row === undefined || reason !== undefined) {
    forgetToken(credentials)
    return new AccessRefused(reason ?? 'unknown', row && String(row.id))
  }
  recordUse(credentials, { clientId: String(row.clientId), cursorKey: String(row.cursorKey) })
  const notReady = row.tenantState === 'ready' ? undefined : notReadyFor(row, use)
  return notReady ?? staleTenant(row, credentials)
}

/** Why clients of a tenant are not let in. @returns undefined for a read while the tenant is being moved */
function notReadyFor({ tenantState }: Row, use: 'read' | 'write'): ScimError | TenantElsewhere | undefined {
  if (tenantState === 'moving') return use === 'read' ? undefined : moving()
  if (tenantState === 'moved' || tenantState === 'arriving') return new TenantElsewhere(undefined)
  return importing()
}

function staleTenant(
  { tenantVersion, configuration = null }: Row,
  credentials: Credentials,
): StaleTenant | undefined {
  const version = Number(tenantVersion)
  if (version === credentials.tenantVersion) return undefined
  return new StaleTenant({ version, configuration: configuration === null ? null : String(configuration) })
}

const touchStatement = prepared((slots: Slots<keyof Credentials | 'before'>) => {
  const isOld = sql`(last_used_at IS NULL OR last_used_at <= ${slots.before})`
  return sql`UPDATE tokens SET last_used_at = ${slots.now} WHERE ${isValidToken(slots)} AND ${isOld}`
})

/** Rides in the batch that checks the token, so that it costs no round trip of its own. */
function lastUsedStatements(credentials: Credentials): readonly Statement[] {
  const { tokenHash, now } = credentials
  if (!isLastUsedDue(tokenHash, now)) return []
  return [touchStatement({ ...credentials, before: now - LAST_USED_INTERVAL_MS })]
}

/** A token as the administrator sees it: everything but the secret. Times in milliseconds since 1970. */
export interface TokenInfo {
  readonly id: string
  /** The client whose it is. */
  readonly clientId: string
  readonly name: string
  /** That of the client. */
  readonly scope: TokenScope
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly lastUsedAt: number | null
  readonly revokedAt: number | null
}

/** A token to store. */
export interface NewToken extends Pick<TokenInfo, 'id' | 'name' | 'createdAt' | 'expiresAt'> {
  readonly hash: string
  /** Of a client of the tenant; undefined: a client of the token's name is made for it. */
  readonly clientId?: string | undefined
  /** Of the client that is made for it; a client that is there has its own. */
  readonly scope?: TokenScope | undefined
}

export type StoredToken = Pick<TokenInfo, 'id' | 'clientId' | 'name' | 'scope' | 'createdAt' | 'expiresAt'>

/**
 * Stores a new token.
 *
 * @returns undefined when there is no such tenant, or it is being deleted; when there is no such client, or it was deleted
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
    statement(sql`SELECT id, client_id AS clientId, name, scope, created_at AS createdAt, expires_at AS expiresAt
      FROM tokens WHERE tenant_id = ${tenantId} AND id = ${id} AND hash = ${hash}`),
  ])
  return stored?.rows[0] as unknown as StoredToken | undefined
}

/** Revokes a token from the next request on. Revoking it again keeps the first time. @returns false when unknown */
export async function revokeToken(db: Database, tenantId: string, id: string, now: number): Promise<boolean> {
  const [result] = await db.batch([
    statement(sql`UPDATE tokens SET revoked_at = coalesce(revoked_at, ${now})
      WHERE tenant_id = ${tenantId} AND id = ${id}`),
  ])
  return result?.changes === 1
}
