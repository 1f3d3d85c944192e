/**
 * The check of bearer tokens. token-administration.ts generates and revokes tokens, access-tokens.ts issues access tokens.
 *
 * A token is `scim_<tenantId>_<43 characters>`: 32 random bytes in base64url. Only its SHA-256 is stored: 256 bits of
 * randomness cannot be guessed, so a slow hash would protect nothing. The batch that does the work also checks the
 * token, so revocation and expiry take effect with the next request, and no cache can outlive them. Threats: a copy
 * of the database (it holds no token), timing (the look-up is by hash, and the found hash is compared in constant
 * time), a token of another tenant (the tenant is part of the condition).
 */
import { HeldError } from '../../scim/error.ts'
import {
  type Database,
  DatabaseUnavailable,
  GuardError,
  inBackground,
  type Statement,
  type StatementResult,
} from '../database/database.ts'
import type { tokens } from '../tables/tables.ts'
import {
  type Actor,
  changing,
  importing,
  moving,
  type TenantContext,
  TenantElsewhere,
} from '../tenants/context.ts'
import { AccessRefused } from './access-refused.ts'
import {
  forgetToken,
  isKnownValid,
  type KnownClient,
  knownClient,
  recordContact,
  recordFeedRead,
  recordUse,
} from './known-tokens.ts'
import { type Sha256, sha256 } from './secrets.ts'
import {
  type Credentials,
  checkStatement,
  credentialsOf,
  guardStatement,
  selectWriters,
} from './token-conditions.ts'
import { type Refusal, requireToken, writerRefusal } from './token-refusals.ts'
import { contactStatements, feedReadStatements, lastUsedStatements } from './token-uses.ts'

const TOKEN = /^scim_([a-z][a-z0-9-]{0,39})_[A-Za-z0-9_-]{43}$/
const NAMED_TENANT = /^scim_([a-z][a-z0-9-]{0,39})_/

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

interface ReadOptions {
  /** For a read of the event feed: the position after which it reads, if it has one. Such a read provisions nothing. */
  readonly feed?: { readonly seq: number | undefined }
  /** Statements that are left out when the batch is repeated. They test `isAdmittedToken`. */
  readonly notes?: readonly Statement[]
  /** Whether the statements may take long: see Database. */
  readonly isLong?: boolean
}

/**
 * Reads with a token: the check and the statements are one batch. It is repeated once when the database does not
 * answer, without "last used", which a full disk cannot store. A write is never repeated, because it may have been
 * done although the answer was lost; its client is told to try again.
 *
 * @param options see ReadOptions
 * @returns the results of the statements
 * @throws {ScimError} 401; the results are discarded then
 * @throws {StaleTenant} likewise
 */
export async function readAs(
  tenant: TenantContext,
  statements: readonly Statement[],
  { feed, notes = [], isLong }: ReadOptions = {},
): Promise<readonly StatementResult[]> {
  const database = isLong ? inBackground(tenant.database) : tenant.database
  const credentials = credentialsOf(tenant)
  const feedRead = feedReadStatements(credentials, feed?.seq)
  // Without statements, the read only checks the token; another one follows, or the request is not about the directory.
  const isProvisioning = feed === undefined && statements.length > 0
  const contact = isProvisioning ? contactStatements(credentials) : []
  const touch = [...notes, ...lastUsedStatements(credentials), ...contact, ...feedRead]
  try {
    const results = await runAs(database, credentials, statements, touch)
    if (feedRead.length > 0) recordFeedRead(credentials)
    if (isProvisioning) recordContact(credentials)
    return results
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable)) throw error
    const results = await runAs(database, credentials, statements, [])
    // A full disk stores no contact either: it is tried again in a minute, and not with each read.
    if (isProvisioning) recordContact(credentials)
    return results
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
  const touch = writerTouch(credentials)
  const [check] = await tenant.database.batch([checkStatement(credentials), ...statements, ...touch])
  requireToken(check?.rows[0], credentials, 'write')
  recordContact(credentials)
}

/** What a request of a writer notes about its use of the token. */
function writerTouch(credentials: Credentials): readonly Statement[] {
  return [...lastUsedStatements(credentials), ...contactStatements(credentials)]
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
  const touch = uses.flatMap(writerTouch)
  const [found, ...results] = await db.batch([check, ...statements, ...touch])
  const refusals = writers.map((writer) => writerRefusal(found?.rows ?? [], writer))
  for (const use of uses) recordContact(use)
  return { results: results.slice(0, statements.length), refusals }
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
  const touch = uses.flatMap(writerTouch)
  try {
    const results = await db.batch([...guards, ...statements, ...touch])
    for (const use of uses) {
      recordUse(use)
      recordContact(use)
    }
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
    case 'held':
      throw new HeldError({ cause })
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

/** Each token once, at its latest time: if it is valid then, it was valid before. */
function latestUses(writers: readonly Credentials[]): readonly Credentials[] {
  const latest = new Map<string, Credentials>()
  for (const writer of writers) {
    const known = latest.get(writer.tokenHash)
    if (known === undefined || known.now < writer.now) latest.set(writer.tokenHash, writer)
  }
  return [...latest.values()]
}
