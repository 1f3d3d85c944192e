/**
 * The tenant as a value: what its requests are handled by. An isolate remembers the tenants that it has served, and a
 * request is begun with what is remembered, so that resolving the tenant costs no round trip. It is proven by the batch
 * that does the work: the check of the token (tokens.ts) compares the version of the configuration too. When the
 * database has another one, what was read is thrown away and nothing is written; the request is handled once more with
 * the configuration that the check brought along. A tenant that is not remembered is taken to have the default
 * configuration, which most have.
 */
import { ScimError } from '../scim/error.ts'
import { MAX_BODY_BYTES } from '../scim/limits.ts'
import { isProfileName, PROFILES, type Profile, type ProfileName } from '../scim/profile.ts'
import { decodeExtensions, type EncodedExtensions } from '../scim/schema/tenant-extensions.ts'
import type { Database } from './database.ts'
import { locationStatement } from './databases.ts'
import { extendedTypes, type StoredResourceType } from './resource-tables.ts'

/** What an administrator has chosen for a tenant: the JSON in `tenants.configuration`. What is not in it has its default. */
export interface TenantConfiguration {
  /** Which deviations of clients from the RFCs are allowed for. */
  readonly profile?: ProfileName
  /** Extension schemas: see extensions.ts. */
  readonly schemas?: EncodedExtensions
}

export interface TenantContext {
  readonly tenantId: string
  /**
   * Names the configuration: 0 is the default one, and any other number is never used for another configuration again,
   * not even after the tenant was deleted and made anew. Raised by triggers of the database.
   */
  readonly version: number
  /** The name of the database that the tenant lives in; undefined: the first one, which every runtime has. */
  readonly database: string | undefined
  readonly resourceTypes: readonly StoredResourceType[]
  readonly profile: Profile
  readonly limits: TenantLimits
}

export interface TenantLimits {
  /** Of the body of one request. */
  readonly bodyBytes: number
}

/** A configuration as the database has it. */
export interface ConfigurationRecord {
  readonly version: number
  /** JSON text; null for the default configuration. */
  readonly configuration: string | null
}

/** The tenant has another configuration than the one that a request was handled by. */
export class StaleTenant extends Error {
  /** The configuration that it has. */
  readonly current: ConfigurationRecord

  constructor(current: ConfigurationRecord, options?: ErrorOptions) {
    super('the configuration of the tenant has changed', options)
    this.current = current
  }
}

/** The tenant does not live in the database that was asked: nothing was read that counts, and nothing was written. */
export class TenantElsewhere extends Error {
  /** Where it lives, as that database has it. */
  readonly database: string | undefined

  constructor(database: string | undefined, options?: ErrorOptions) {
    super('the tenant lives in another database', options)
    this.database = database
  }
}

/**
 * The context that follows from a configuration. A profile of a later version, which a rollback leaves behind, is not
 * known here: its tenant has the default one.
 *
 * @param types those that are shipped
 */
export function tenantContextOf(
  tenantId: string,
  version: number,
  { profile, schemas }: TenantConfiguration,
  types: readonly StoredResourceType[],
): TenantContext {
  return {
    tenantId,
    version,
    database: undefined,
    profile: PROFILES[isProfileName(profile) ? profile : 'tolerant'],
    resourceTypes: schemas === undefined ? types : extendedTypes(types, decodeExtensions(schemas)),
    limits: { bodyBytes: MAX_BODY_BYTES },
  }
}

/** Names of databases, of tenants that do not live in the first one. The first of the Map was remembered first. */
const locations = new Map<string, string>()
const MAX_LOCATIONS = 10_000

/** @param name undefined for the first database */
function rememberLocation(tenantId: string, name: string | undefined): void {
  locations.delete(tenantId)
  if (name === undefined) return
  const [oldest] = locations.keys()
  if (locations.size >= MAX_LOCATIONS && oldest !== undefined) locations.delete(oldest)
  locations.set(tenantId, name)
}

/** A tenant whose configuration is not the default one. */
interface RememberedTenant {
  readonly record: ConfigurationRecord
  /** Made at the first use: a process serves one list of types, tests serve more. */
  readonly contexts: WeakMap<readonly StoredResourceType[], TenantContext>
}

const MAX_TENANTS = 1_000
/** Of all configurations as JSON: what is made of them takes some ten times as much. */
const MAX_CHARACTERS = 1024 * 1024

/** The first of the Map was remembered first. */
const remembered = new Map<string, RememberedTenant>()
let rememberedCharacters = 0

/** The version of the configuration that this isolate has last seen. */
export function recallVersion(tenantId: string): number {
  return remembered.get(tenantId)?.record.version ?? 0
}

/**
 * The tenant as this isolate has last seen it. Nothing of it is proven until a batch has checked its version, and that it
 * lives in the database of that batch.
 */
export function recallTenant(tenantId: string, types: readonly StoredResourceType[]): TenantContext {
  const known = recallConfigured(tenantId, types)
  const database = locations.get(tenantId)
  return database === undefined ? known : { ...known, database }
}

function recallConfigured(tenantId: string, types: readonly StoredResourceType[]): TenantContext {
  const found = remembered.get(tenantId)
  if (found === undefined) return tenantContextOf(tenantId, 0, {}, types)
  const { record, contexts } = found
  const context =
    contexts.get(types) ??
    tenantContextOf(tenantId, record.version, JSON.parse(record.configuration ?? '{}'), types)
  contexts.set(types, context)
  return context
}

function rememberTenant(tenantId: string, record: ConfigurationRecord): void {
  forgetTenant(tenantId)
  const { configuration } = record
  if (configuration === null) return
  remembered.set(tenantId, { record, contexts: new WeakMap() })
  rememberedCharacters += configuration.length
  for (const oldest of remembered.keys()) {
    const isFull = remembered.size > MAX_TENANTS || rememberedCharacters > MAX_CHARACTERS
    if (!isFull || oldest === tenantId) return
    forgetTenant(oldest)
  }
}

function forgetTenant(tenantId: string): void {
  rememberedCharacters -= remembered.get(tenantId)?.record.configuration?.length ?? 0
  remembered.delete(tenantId)
}

/**
 * Runs what depends on a tenant: with the context that is remembered, once more when the tenant lives in another database,
 * and once more when that has another configuration.
 *
 * @param types those that are shipped
 * @param openCatalogue opens the first database, which is asked where the tenant lives
 * @param run parses, reads and writes, all from the beginning: it may be called a second and a third time
 * @throws {ScimError} 503 when the tenant changes once more meanwhile, or moves; nothing is changed then
 */
export async function withTenant<Result>(
  tenantId: string,
  types: readonly StoredResourceType[],
  openCatalogue: () => Database,
  run: (tenant: TenantContext) => Promise<Result>,
): Promise<Result> {
  let [isStale, isElsewhere] = [false, false]
  for (;;) {
    const tenant = recallTenant(tenantId, types)
    try {
      return await run(tenant)
    } catch (error) {
      if (error instanceof StaleTenant) {
        rememberTenant(tenantId, error.current)
        if (isStale) throw changing({ cause: error })
        isStale = true
      } else if (error instanceof TenantElsewhere) {
        rememberLocation(tenantId, await locationOf(tenant, openCatalogue, error))
        if (isElsewhere || recallTenant(tenantId, types).database === tenant.database)
          throw moving({ cause: error })
        isElsewhere = true
      } else throw error
    }
  }
}

/** What the first database says is the catalogue's word; any other has a forwarding address, which may be old. */
async function locationOf(
  { tenantId, database }: TenantContext,
  openCatalogue: () => Database,
  { database: name }: TenantElsewhere,
): Promise<string | undefined> {
  if (database === undefined && name !== undefined) return name
  const [found] = await openCatalogue().batch([locationStatement(tenantId)])
  const row = found?.rows[0]
  return row === undefined ? undefined : String(row.database)
}

/** The tenant is on its way to another database: reads go on, and a client that repeats its write is served soon. */
export function moving(options?: ErrorOptions): ScimError {
  return new ScimError(503, undefined, 'the directory is being moved; try again later', options)
}

/** Somebody changes the configuration again and again, or while several writes are stored together. */
export function changing(options?: ErrorOptions): ScimError {
  return new ScimError(503, undefined, 'the configuration of the tenant is being changed; try again', options)
}
