/**
 * The check of bearer tokens. token-administration.ts generates and revokes tokens, access-tokens.ts issues access tokens.
 *
 * A token is `scim_<tenantId>_<43 characters>`: 32 random bytes in base64url. Only its SHA-256 is stored: 256 bits of
 * randomness cannot be guessed, so a slow hash would protect nothing. The batch that does the work also checks the
 * token, so revocation and expiry take effect with the next request, and no cache can outlive them. Threats: a copy
 * of the database (it holds no token), timing (the look-up is by hash, and the found hash is compared in constant
 * time), a token of another tenant (the tenant is part of the condition).
 */
import { and, eq, gt, isNull, or, type Placeholder, type SQL, sql } from 'drizzle-orm'
import { ScimError } from '../../scim/error.ts'
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
} from '../database/database.ts'
import { tokens } from '../tables/tables.ts'
import {
  type Actor,
  changing,
  importing,
  moving,
  StaleTenant,
  type TenantContext,
  TenantElsewhere,
  TenantMissing,
} from '../tenants/context.ts'
import { AccessRefused } from './access-refused.ts'
import {
  forgetToken,
  isFeedReadDue,
  isKnownValid,
  isLastUsedDue,
  type KnownClient,
  knownClient,
  LAST_USED_INTERVAL_MS,
  recordFeedRead,
  recordUse,
} from './known-tokens.ts'
import { isSameSecret, type Sha256, sha256 } from './secrets.ts'

const TOKEN = /^scim_([a-z][a-z0-9-]{0,39})_[A-Za-z0-9_-]{43}$/
const NAMED_TENANT = /^scim_([a-z][a-z0-9-]{0,39})_/

/** The claims of a request, which each of its batches checks. */
export interface Credentials extends Actor {
  /** The version of the tenant's configuration by which the request is handled: see ../tenants/context.ts. */
  readonly tenantVersion: number
}

export function credentialsOf({ actor, version }: Pick<TenantContext, 'actor' | 'version'>): Credentials {
  return { ...actor, tenantVersion: version }
}

export type TokenScope = (typeof tokens.$inferSelect)['scope']

/**
 * The actor that a token claims. The tenant is part of the token, so the check and the query are one batch.
 *
 * @returns undefined if the text does not have the form of a token
 */
export async function actorOf(token: string, now: number, hash: Sha256 = sha256): Promise<Actor | undefined> {
  const tenantId = TOKEN.exec(token)?.[1]
  if (tenantId === undefined) return undefined
  return { tenantId, tokenHash: await hash(token), now }
}

/** The tenant that a token names, even an incomplete one. It proves nothing. */
export function tenantNamedBy(token: string | undefined): string | undefined {
  return NAMED_TENANT.exec(token ?? '')?.[1]
}

/**
 * Reads with a token: the check and the statements are one batch. It is repeated once when the database does not
 * answer, without "last used", which a full disk cannot store. A write is never repeated, because it may have been
 * done although the answer was lost; its client is told to try again.
 *
 * @param feedSeq for a read of the event feed: the position after which it reads
 * @returns the results of the statements
 * @throws {ScimError} 401; the results are discarded then
 * @throws {StaleTenant} likewise
 */
export async function readAs(
  tenant: TenantContext,
  statements: readonly Statement[],
  feedSeq?: number,
): Promise<readonly StatementResult[]> {
  const { database } = tenant
  const credentials = credentialsOf(tenant)
  const feedRead = feedReadStatements(credentials, feedSeq)
  const touch = [...lastUsedStatements(credentials), ...feedRead]
  try {
    const results = await runAs(database, credentials, statements, touch)
    if (feedRead.length > 0) recordFeedRead(credentials)
    return results
  } catch (error) {
    if (error instanceof DatabaseUnavailable) return await runAs(database, credentials, statements, [])
    throw error
  }
}

/**
 * The check and the statements in one batch, whatever the scope of the token.
 *
 * @throws {ScimError} 401; 503 during an import
 * @throws {StaleTenant}
 */
async function runAs(
  db: Database,
  credentials: Credentials,
  statements: readonly Statement[],
  touch: readonly Statement[],
): Promise<readonly StatementResult[]> {
  const [check, ...results] = await db.batch([checkStatement(credentials), ...statements, ...touch])
  requireToken(check?.rows[0], credentials, 'read')
  return results.slice(0, statements.length)
}

/**
 * Like runAs, for statements that belong to a write. While the tenant is being moved, none is run. A statement that
 * writes must test `isAdmittedToken`.
 *
 * @throws {ScimError} 401; 503 during an import or a move
 * @throws {StaleTenant|TenantElsewhere}
 */
export async function runAsWriter(tenant: TenantContext, statements: readonly Statement[]): Promise<void> {
  const credentials = credentialsOf(tenant)
  const touch = lastUsedStatements(credentials)
  const [check] = await tenant.database.batch([checkStatement(credentials), ...statements, ...touch])
  requireToken(check?.rows[0], credentials, 'write')
}

/**
 * Reads for several writers of one tenant, each with its own token, all with the same configuration. A writer that is
 * refused does not affect the others; its results are to be discarded.
 *
 * @returns the results of the statements, and for each writer the reason for a refusal
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
 * Writes with a token. A guard ends the batch when the token may not write, so nothing is changed.
 *
 * @returns the results of the statements
 * @throws {ScimError} 401, or 403 when the token may only read
 * @throws {StaleTenant}
 * @throws {GuardError|UniqueError} from the statements
 */
export async function writeAs(
  tenant: TenantContext,
  statements: readonly Statement[],
): Promise<readonly StatementResult[]> {
  return await writeAsAll(tenant.database, [credentialsOf(tenant)], statements)
}

/** Like writeAs, for several writers of one tenant: nothing is changed unless all of them may write. */
export async function writeAsAll(
  db: Database,
  writers: readonly Credentials[],
  statements: readonly Statement[],
): Promise<readonly StatementResult[]> {
  const uses = latestUses(writers)
  return await writeGuarded(db, uses, uses.map(guardStatement), statements)
}

/**
 * Like writeAs, with other guards than a statement for each token.
 *
 * @param guards end the batch when one of the tokens may not write: see `writer`
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

/** Throws the reason for which a guard ended a batch, if the guard refused a token or a configuration. */
async function throwRefusal(db: Database, uses: readonly Credentials[], cause: GuardError): Promise<void> {
  if (cause.rule === 'no token') await throwMissingTenant(db, uses)
  switch (cause.rule) {
    case 'no token':
    case 'revoked token':
    case 'expired token':
    case 'lapsed token': {
      // With several writers, the guard does not tell which one was refused.
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

const REASONS = {
  'no token': 'unknown',
  'revoked token': 'revoked',
  'expired token': 'expired',
  'lapsed token': 'lapsed',
} as const

/** The guard does not tell whether the token is unknown or the whole tenant, so a second batch asks. */
async function throwMissingTenant(db: Database, uses: readonly Credentials[]): Promise<void> {
  const [only] = uses
  if (only === undefined) return
  const [check] = await db.batch([checkStatement(only)])
  const row = check?.rows[0]
  if (row?.database === '') requireToken(row, only, 'write')
}

/** A guard does not return the configuration, so a second batch reads it: once after each change. */
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
 * Checks a token that is not known here, in a separate round trip, before any work for its request.
 *
 * @throws {ScimError} 401
 */
export async function proveToken(tenant: TenantContext): Promise<void> {
  if (!isKnownValid(tenant.actor)) await readAs(tenant, [])
}

/** Checks that a token may write. @throws {ScimError} 401, or 403 when it may only read */
export async function requireWriter(tenant: TenantContext): Promise<void> {
  await writeAs(tenant, [])
}

/**
 * The client of the actor: known from an earlier check, or else read in a round trip of its own.
 *
 * @throws {ScimError} 401
 */
export async function clientOf(tenant: TenantContext): Promise<KnownClient> {
  const known = knownClient(tenant.actor)
  if (known !== undefined) return known
  await readAs(tenant, [])
  const client = knownClient(tenant.actor)
  if (client === undefined) throw new Error('a valid token has no client')
  return client
}

/** The condition on `tokens` that the credentials are valid now. @param values the values, or slots for them */
export function isValidToken(values: Readonly<Record<keyof Credentials, SqlValue | Placeholder>>): SQL {
  const { tenantId, tokenHash, now } = values as Slots<keyof Credentials>
  return sql`${and(
    eq(tokens.hash, tokenHash),
    eq(tokens.tenantId, tenantId),
    isNull(tokens.revokedAt),
    or(isNull(tokens.expiresAt), gt(tokens.expiresAt, now)),
  )}`
}

/** Like isValidToken; also requires that the tenant is ready and that its configuration is that of the credentials. */
export function isAdmittedToken(values: Parameters<typeof isValidToken>[0]): SQL {
  const { tenantVersion } = values as Slots<keyof Credentials>
  return sql`${isValidToken(values)} AND ${eq(tokens.tenantState, 'ready')}
    AND ${eq(tokens.tenantVersion, tenantVersion)}`
}

/** The input of `refusalOf`. The tenant is read only if its configuration differs. */
function checkedColumns(tenantVersion: Placeholder): SQL {
  return sql`coalesce(credential_id, tokens.id) AS id, credential_id AS credentialId, hash, scope, expires_at AS expiresAt, revoked_at AS revokedAt, client_id AS clientId,
    cursor_key AS cursorKey, tenant_state AS tenantState, tenant_version AS tenantVersion,
    CASE WHEN tenant_version <> ${tenantVersion}
      THEN (SELECT configuration FROM tenants WHERE id = tokens.tenant_id) END AS configuration`
}

/** If the token is not found, a second SELECT tells whether the tenant lives elsewhere; otherwise it reads nothing. */
const checkStatement = prepared(
  ({ tenantId, tokenHash, tenantVersion }: Slots<'tenantId' | 'tokenHash' | 'tenantVersion'>) =>
    sql`SELECT ${checkedColumns(tenantVersion)}, NULL AS database FROM tokens
      WHERE hash = ${tokenHash} AND tenant_id = ${tenantId} UNION ALL ${elsewhere(tenantId)} LIMIT 1`,
)

/**
 * A row in the form of `checkedColumns` for a tenant that lives in another database. Its `database` is empty if this one
 * has neither the tenant nor its address.
 */
function elsewhere(tenantId: Placeholder): SQL {
  const nothing = sql.raw('NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL')
  return sql`SELECT ${nothing}, database FROM tenant_locations WHERE tenant_id = ${tenantId}
    UNION ALL SELECT ${nothing}, '' WHERE NOT EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId})`
}

/**
 * The source of a guard: one row. `writer` is the id that the log has of a token that may write, or else the reason for a refusal
 * (`IS_NOT_WRITER`); `client` is the client of the token.
 */
export function writer({ tenantId, tokenHash, now, tenantVersion }: Slots<keyof Credentials>): SQL {
  return sql`(SELECT coalesce(found, (SELECT 'moved' FROM tenant_locations WHERE tenant_id = ${tenantId}), 'none') AS writer,
      client FROM (SELECT 1) LEFT JOIN (
    SELECT client_id AS client, CASE WHEN revoked_at IS NOT NULL THEN 'revoked' 
      WHEN expires_at <= ${now} THEN iif(credential_id IS NULL, 'expired', 'lapsed')
      WHEN tenant_state <> 'ready' THEN CASE tenant_state WHEN 'moving' THEN 'moving'
        WHEN 'moved' THEN 'moved' WHEN 'arriving' THEN 'moved' ELSE 'importing' END
      WHEN scope <> 'provision' THEN 'read'
      WHEN tenant_version <> ${tenantVersion} THEN 'stale tenant' ELSE coalesce(credential_id, id) END AS found
    FROM tokens WHERE hash = ${tokenHash} AND tenant_id = ${tenantId}) ON true)`
}

/** True of a row of `writer` without a token. */
export const IS_NOT_WRITER: SQL = sql`writer IN
  ('none', 'revoked', 'expired', 'lapsed', 'importing', 'moving', 'moved', 'read', 'stale tenant')`

const guardStatement = prepared(
  (slots: Slots<keyof Credentials>) =>
    sql`INSERT INTO guards (rule) SELECT writer FROM ${writer(slots)} WHERE ${IS_NOT_WRITER}`,
)

/** Each token once, at its latest time: if it is valid then, it was valid before. */
function latestUses(writers: readonly Credentials[]): readonly Credentials[] {
  const latest = new Map<string, Credentials>()
  for (const writer of writers) {
    const known = latest.get(writer.tokenHash)
    if (known === undefined || known.now < writer.now) latest.set(writer.tokenHash, writer)
  }
  return [...latest.values()]
}

/** CROSS JOIN fixes the order: SQLite would otherwise scan all tokens of the tenant. */
const selectWriters = prepared(
  ({ tenantId, tenantVersion, hashes }: Slots<'tenantId' | 'tenantVersion' | 'hashes'>) =>
    sql`SELECT ${checkedColumns(tenantVersion)}, NULL AS database
      FROM json_each(${hashes}) AS j CROSS JOIN tokens ON hash = j.value WHERE tenant_id = ${tenantId}
      UNION ALL ${elsewhere(tenantId)}`,
)

/** Each writer is checked at its own time: a token may expire between two of them. */
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

/** The reason for which a token is refused at that time and with that configuration, if any. Records the result. */
function refusalOf(
  row: Row | undefined,
  credentials: Credentials,
  use: 'read' | 'write',
): Refusal | undefined {
  if (row?.database === '') {
    forgetToken(credentials)
    return new TenantMissing(new AccessRefused('unknown'))
  }
  if (row !== undefined && row.database !== null) return new TenantElsewhere(String(row.database))
  const reason =
    row === undefined
      ? 'unknown'
      : row.revokedAt != null
        ? 'revoked'
        : row.expiresAt != null && Number(row.expiresAt) <= credentials.now
          ? row.credentialId == null
            ? 'expired'
            : 'lapsed'
          : undefined
  if (row === undefined || reason !== undefined) {
    forgetToken(credentials)
    return new AccessRefused(reason ?? 'unknown', row && String(row.id))
  }
  recordUse(credentials, { clientId: String(row.clientId), cursorKey: String(row.cursorKey) })
  const notReady = row.tenantState === 'ready' ? undefined : notReadyFor(row, use)
  return notReady ?? staleTenant(row, credentials)
}

/**
 * The reason for which clients of a tenant are refused. @returns undefined for a read while the tenant is being moved
 */
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

/** Runs in the batch that checks the token, so it costs no round trip. */
function lastUsedStatements(credentials: Credentials): readonly Statement[] {
  const { tokenHash, now } = credentials
  if (!isLastUsedDue(tokenHash, now)) return []
  return [touchStatement({ ...credentials, before: now - LAST_USED_INTERVAL_MS })]
}

const feedReadStatement = prepared((slots: Slots<keyof Credentials | 'seq' | 'before'>) => {
  const isOld = sql`(feed_read_at IS NULL OR feed_read_at <= ${slots.before})`
  return sql`UPDATE tokens SET feed_seq = ${slots.seq}, feed_read_at = ${slots.now}
    WHERE ${isValidToken(slots)} AND ${isOld}`
})

/** Remembers the position of a reader at most once a minute, so long polls write no more than that. */
function feedReadStatements(credentials: Credentials, seq: number | undefined): readonly Statement[] {
  if (seq === undefined || !isFeedReadDue(credentials)) return []
  return [feedReadStatement({ ...credentials, seq, before: credentials.now - LAST_USED_INTERVAL_MS })]
}
