/**
 * The tenant as a value: everything that its requests depend on. An isolate remembers the tenants that it has served,
 * and a request begins with the remembered context, so resolving the tenant costs no round trip. The batch that does
 * the work verifies the context: the token check (../access/tokens.ts) also compares the version of the
 * configuration. If the versions differ, the results are discarded, nothing is written, and the request runs once
 * more with the configuration that the check returned. An unknown tenant is assumed to have the default
 * configuration, which most have.
 */
import { ScimError } from '../../scim/error.ts'
import { MAX_BODY_BYTES } from '../../scim/limits.ts'
import { isProfileName, PROFILES, type Profile, type ProfileName } from '../../scim/profile.ts'
import { decodeExtensions, type EncodedExtensions } from '../../scim/schema/tenant-extensions.ts'
import type { Database } from '../database/database.ts'
import { extendedTypes, type StoredResourceType } from '../tables/resource-tables.ts'
import { locationStatement } from './locations.ts'

/**
 * The choices of an administrator for a tenant: the JSON in `tenants.configuration`. A missing member has its
 * default.
 */
export interface TenantConfiguration {
  /** The named set of deviations from the RFCs that clients of the tenant are allowed. */
  readonly profile?: ProfileName
  /** Extension schemas: see extensions.ts. */
  readonly schemas?: EncodedExtensions
}

export interface TenantContext {
  readonly tenantId: string
  /**
   * Identifies the configuration. 0 is the default configuration. Any other number is used for one configuration
   * only, even after the tenant was deleted and created again. Database triggers raise it.
   */
  readonly version: number
  /** The name of the tenant's database; undefined for the first one, which every runtime has. */
  readonly database: string | undefined
  readonly resourceTypes: readonly StoredResourceType[]
  readonly profile: Profile
  readonly limits: TenantLimits
}

export interface TenantLimits {
  /** The largest body of one request. */
  readonly bodyBytes: number
}

/** A configuration as it is stored. */
export interface ConfigurationRecord {
  readonly version: number
  /** JSON text; null for the default configuration. */
  readonly configuration: string | null
}

/** The configuration of the tenant is not the one that the request was handled with. */
export class StaleTenant extends Error {
  /** The stored configuration. */
  readonly current: ConfigurationRecord

  constructor(current: ConfigurationRecord, options?: ErrorOptions) {
    super('the configuration of the tenant has changed', options)
    this.current = current
  }
}

/** The tenant does not live in the database that was asked. The results are invalid, and nothing was written. */
export class TenantElsewhere extends Error {
  /** The tenant's database according to the one that was asked. */
  readonly database: string | undefined

  constructor(database: string | undefined, options?: ErrorOptions) {
    super('the tenant lives in another database', options)
    this.database = database
  }
}

/**
 * The context that follows from a configuration. A profile of a later version, which is left after a rollback, is
 * unknown; its tenant then has the default profile.
 *
 * @param types the shipped ones
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

/** The names of the databases of tenants that do not live in the first one, in the order of insertion. */
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

/** A tenant with a configuration of its own. */
interface RememberedTenant {
  readonly record: ConfigurationRecord
  /** Built at the first use: a process serves one list of types, tests serve several. */
  readonly contexts: WeakMap<readonly StoredResourceType[], TenantContext>
}

const MAX_TENANTS = 1_000
/**
 * The limit for all configurations as JSON. The contexts that are built from them take about ten times as much
 * memory.
 */
const MAX_CHARACTERS = 1024 * 1024

/** In the order of insertion. */
const remembered = new Map<string, RememberedTenant>()
let rememberedCharacters = 0

/** The version of the configuration that this isolate remembers. */
export function recallVersion(tenantId: string): number {
  return remembered.get(tenantId)?.record.version ?? 0
}

/**
 * The tenant as this isolate remembers it. The context is unverified until a batch has checked the version and that
 * the tenant lives in the database of that batch.
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
 * Runs an operation of a tenant with the remembered context. Runs it once more if the tenant lives in another
 * database, and once more if its configuration differs.
 *
 * @param types the shipped ones
 * @param openCatalogue opens the first database, which knows where the tenant lives
 * @param run parses, reads and writes from the beginning: it may be called up to three times
 * @throws {ScimError} 503 when the tenant changes again meanwhile, or moves; nothing is changed then
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

/** The first database answers as the catalogue. Any other one has a forwarding address, which may be out of date. */
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

/** The tenant is moving to another database. Reads are served; a write succeeds after the move. */
export function moving(options?: ErrorOptions): ScimError {
  return new ScimError(503, undefined, 'the directory is being moved; try again later', options)
}

/** The configuration changes repeatedly, or changed while several writes were stored together. */
export function changing(options?: ErrorOptions): ScimError {
  return new ScimError(503, undefined, 'the configuration of the tenant is being changed; try again', options)
}
