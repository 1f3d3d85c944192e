/**
 * The tenant as a value: the context of a request. An isolate remembers a snapshot of each tenant that it has served, and
 * a request begins with the snapshot, so resolving the tenant costs no round trip. The batch that does the work proves
 * the snapshot: the token check (../access/tokens.ts) also compares the version of the configuration. If the database has another
 * version, the results are discarded and nothing is written; the request is handled again with the configuration that the
 * check returned. An unknown tenant is assumed to have the default configuration, as most tenants do.
 */
import type { DeprovisionThreshold } from '../../scim/deprovisioning.ts'
import { ScimError } from '../../scim/error.ts'
import { MAX_BODY_BYTES } from '../../scim/limits.ts'
import { isProfileName, PROFILES, type Profile, type ProfileName } from '../../scim/profile.ts'
import { decodeExtensions, type EncodedExtensions } from '../../scim/schema/tenant-extensions.ts'
import type { Database } from '../database/database.ts'
import { extendedTypes, type StoredResourceType, withoutValues } from '../tables/resource-tables.ts'
import { locationStatement, missingTenant } from './locations.ts'

/**
 * The choices of an administrator for a tenant: the JSON in `tenants.configuration`. A missing member has its
 * default.
 */
export interface TenantConfiguration {
  /** The named set of deviations from the RFCs that clients of the tenant are allowed. */
  readonly profile?: ProfileName
  /** Extension schemas: see storage/extensions/. */
  readonly schemas?: EncodedExtensions
  /** Who may change a resource; "observe" by default. */
  readonly sourceMode?: SourceMode
  /** Above this, writes that take access away are held. Not guarded by default. */
  readonly deprovisionGuard?: DeprovisionThreshold
  /** The ids of its active webhooks, so that a write knows whom to tell without a query: see ../webhooks/webhooks.ts. */
  readonly webhooks?: readonly string[]
  /** True until the values of all its users are filled in: see ../values/missing-values.ts. */
  readonly valuesMissing?: true
}

/**
 * Who may change a resource: "observe" lets every client, and shows conflicts. "owner" lets only the client that created
 * it, if that is known, and the administrator.
 */
export const SOURCE_MODES = ['observe', 'owner'] as const
export type SourceMode = (typeof SOURCE_MODES)[number]

/** A tenant as this isolate last saw it. It may be out of date until a batch has proven it. */
export interface TenantSnapshot {
  readonly tenantId: string
  /**
   * Identifies the configuration. 0 is the default configuration. Any other number is used for one configuration
   * only, even after the tenant was deleted and created again. Database triggers raise it.
   */
  readonly version: number
  /** The name of the database that the tenant lives in; undefined: the first one, which every runtime has. */
  readonly databaseName: string | undefined
  readonly resourceTypes: readonly StoredResourceType[]
  readonly profile: Profile
  readonly limits: TenantLimits
  readonly sourceMode: SourceMode
  /** Above this, writes that take access away are held; undefined: they are not. */
  readonly deprovisionGuard: DeprovisionThreshold | undefined
  /** The ids of its active webhooks. */
  readonly webhooks: readonly string[]
}

/** The claim of a bearer token: who asks, and when. Nothing of it is proven until a batch has checked it. */
export interface Actor {
  readonly tenantId: string
  /** SHA-256 of the token, hexadecimal. */
  readonly tokenHash: string
  /** Milliseconds since 1970: the moment at which the token must be valid. */
  readonly now: number
}

/** The tenant of one request. */
export interface TenantContext extends TenantSnapshot {
  readonly actor: Actor
  /** The tenant's database, opened for this request. */
  readonly database: Database
}

/**
 * The limits that must be known before the batch of the request, and are therefore part of the snapshot. Today all tenants
 * have the same. Other limits are elsewhere on purpose:
 *
 * - The group limit of a tenant, and whether names of groups are unique: the transaction that adds the group reads them
 *   from its row (../resources/groups.ts), because a remembered number may be out of date.
 * - The limits of the protocol, such as the page size: constants in scim/limits.ts, which /ServiceProviderConfig shows
 *   without authentication and docs/protocol/limits.md lists.
 */
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
 * The database has no tenant of this id. It lives in another one, or was lost by a restore, or does not exist. The
 * results are invalid, and nothing was written.
 */
export class TenantMissing extends TenantElsewhere {
  /** The answer if the tenant does not exist. */
  readonly refusal: ScimError

  constructor(refusal: ScimError) {
    super(undefined)
    this.refusal = refusal
  }
}

/**
 * The snapshot that follows from a configuration. A rollback may leave the name of a profile that only a later version
 * knows: such a tenant has the default profile.
 *
 * @param shipped the types of all tenants
 */
function snapshotOf(
  tenantId: string,
  version: number,
  { profile, schemas, sourceMode, deprovisionGuard, webhooks = [], valuesMissing }: TenantConfiguration,
  shipped: readonly StoredResourceType[],
): TenantSnapshot {
  const types = valuesMissing ? withoutValues(shipped) : shipped
  return {
    tenantId,
    version,
    databaseName: undefined,
    profile: PROFILES[isProfileName(profile) ? profile : 'tolerant'],
    resourceTypes: schemas === undefined ? types : extendedTypes(types, decodeExtensions(schemas)),
    limits: { bodyBytes: MAX_BODY_BYTES },
    sourceMode: sourceMode === 'owner' ? 'owner' : 'observe',
    deprovisionGuard,
    webhooks,
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
  readonly snapshots: WeakMap<readonly StoredResourceType[], TenantSnapshot>
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

/** The tenant as this isolate last saw it. */
export function recallTenant(tenantId: string, types: readonly StoredResourceType[]): TenantSnapshot {
  const known = recallConfigured(tenantId, types)
  const databaseName = locations.get(tenantId)
  return databaseName === undefined ? known : { ...known, databaseName }
}

function recallConfigured(tenantId: string, types: readonly StoredResourceType[]): TenantSnapshot {
  const found = remembered.get(tenantId)
  if (found === undefined) return snapshotOf(tenantId, 0, {}, types)
  const { record, snapshots } = found
  const snapshot =
    snapshots.get(types) ??
    snapshotOf(tenantId, record.version, JSON.parse(record.configuration ?? '{}'), types)
  snapshots.set(types, snapshot)
  return snapshot
}

function rememberTenant(tenantId: string, record: ConfigurationRecord): void {
  forgetTenant(tenantId)
  const { configuration } = record
  if (configuration === null) return
  remembered.set(tenantId, { record, snapshots: new WeakMap() })
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
 * Changes of the configuration that a request follows. A schema that comes or goes makes two: at once, and at the end of its
 * task.
 */
const MAX_CHANGES = 2

/** The input of `withTenant`. */
export interface TenantRequest {
  readonly actor: Actor
  /** The types that are shipped. */
  readonly resourceTypes: readonly StoredResourceType[]
  /** Opens the tenant's database. @param name of its binding; undefined: the first database */
  readonly openDatabase: (name: string | undefined) => Database
  /** Opens the first database, which has the catalogue of where tenants live. */
  readonly openCatalogue: () => Database
}

/**
 * Runs a request in the context of its tenant. The run is repeated if the tenant lives in another database than the
 * snapshot says, and if it has another configuration.
 *
 * @param run parses, reads and writes from the beginning: it may be called up to four times
 * @throws {ScimError} 503 if the configuration changes a third time, or the tenant is moved; nothing is changed
 */
export async function withTenant<Result>(
  { actor, resourceTypes, openDatabase, openCatalogue }: TenantRequest,
  run: (tenant: TenantContext) => Promise<Result>,
): Promise<Result> {
  const { tenantId } = actor
  let [changes, isElsewhere] = [0, false]
  for (;;) {
    const snapshot = recallTenant(tenantId, resourceTypes)
    try {
      return await run({ ...snapshot, actor, database: openDatabase(snapshot.databaseName) })
    } catch (error) {
      if (error instanceof StaleTenant) {
        rememberTenant(tenantId, error.current)
        if (++changes > MAX_CHANGES) throw changing({ cause: error })
      } else if (error instanceof TenantElsewhere) {
        await follow(snapshot, openCatalogue, error, isElsewhere)
        isElsewhere = true
      } else throw error
    }
  }
}

/**
 * Runs a request of a tenant that does not depend on its configuration, in the tenant's database. The run is repeated
 * if the tenant lives in another database than this isolate remembers.
 *
 * @throws {ScimError} 503 if the tenant is moved meanwhile
 */
export async function inHomeOf<Result>(
  tenantId: string,
  { openDatabase, openCatalogue }: Pick<TenantRequest, 'openDatabase' | 'openCatalogue'>,
  run: (database: Database) => Promise<Result>,
): Promise<Result> {
  let isElsewhere = false
  for (;;) {
    const databaseName = locations.get(tenantId)
    try {
      return await run(openDatabase(databaseName))
    } catch (error) {
      if (!(error instanceof TenantElsewhere)) throw error
      await follow({ tenantId, databaseName }, openCatalogue, error, isElsewhere)
      isElsewhere = true
    }
  }
}

/**
 * Remembers where a tenant lives.
 *
 * @throws {ScimError} the refusal if the tenant does not exist; 503 if it was followed before, or should be where it is
 *   not; {NamedDatabaseUnavailable}
 */
async function follow(
  asked: Pick<TenantSnapshot, 'tenantId' | 'databaseName'>,
  openCatalogue: () => Database,
  error: TenantElsewhere,
  isElsewhere: boolean,
): Promise<void> {
  const { tenantId, databaseName } = asked
  // The first database has the catalogue, so the tenant does not exist.
  if (error instanceof TenantMissing && databaseName === undefined) throw error.refusal
  rememberLocation(tenantId, await locationOf(asked, openCatalogue, error))
  if (!isElsewhere && locations.get(tenantId) !== databaseName) return
  throw error instanceof TenantMissing && databaseName !== undefined
    ? missingTenant(tenantId, databaseName)
    : moving({ cause: error })
}

/** The first database answers as the catalogue. Any other one has a forwarding address, which may be out of date. */
async function locationOf(
  { tenantId, databaseName }: Pick<TenantSnapshot, 'tenantId' | 'databaseName'>,
  openCatalogue: () => Database,
  { database: name }: TenantElsewhere,
): Promise<string | undefined> {
  if (databaseName === undefined && name !== undefined) return name
  const [found] = await openCatalogue().batch([locationStatement(tenantId)])
  const row = found?.rows[0]
  return row === undefined ? undefined : String(row.database)
}

/** The tenant is moving to another database. Reads are served; a write succeeds after the move. */
export function moving(options?: ErrorOptions): ScimError {
  return new ScimError(503, undefined, 'the directory is being moved; try again later', options)
}

/** An incomplete directory is neither shown nor changed. */
export function importing(options?: ErrorOptions): ScimError {
  return new ScimError(503, undefined, 'the directory is being imported; try again later', options)
}

/** The configuration changes repeatedly, or changed while several writes were stored together. */
export function changing(options?: ErrorOptions): ScimError {
  return new ScimError(503, undefined, 'the configuration of the tenant is being changed; try again', options)
}
