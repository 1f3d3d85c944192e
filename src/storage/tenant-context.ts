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
import { PROFILES, type Profile, type ProfileName } from '../scim/profile.ts'
import type { StoredResourceType } from './resource-tables.ts'

/** What an administrator has chosen for a tenant: the JSON in `tenants.configuration`. What is not in it has its default. */
export interface TenantConfiguration {
  /** Which deviations of clients from the RFCs are allowed for. */
  readonly profile?: ProfileName
  /** The binding of the database that holds the tenant. */
  readonly database?: string
}

export interface TenantContext {
  readonly tenantId: string
  /**
   * Names the configuration: 0 is the default one, and any other number is never used for another configuration again,
   * not even after the tenant was deleted and made anew. Raised by triggers of the database.
   */
  readonly version: number
  /** The binding of the database that holds the tenant; undefined: the one that every runtime has. */
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

/**
 * The context that follows from a configuration.
 *
 * @param types those that are shipped
 */
export function tenantContextOf(
  tenantId: string,
  version: number,
  { profile = 'tolerant', database }: TenantConfiguration,
  types: readonly StoredResourceType[],
): TenantContext {
  return {
    tenantId,
    version,
    database,
    profile: PROFILES[profile],
    resourceTypes: types,
    limits: { bodyBytes: MAX_BODY_BYTES },
  }
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

/** The tenant as this isolate has last seen it. Nothing of it is proven until a batch has checked its version. */
export function recallTenant(tenantId: string, types: readonly StoredResourceType[]): TenantContext {
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
 * Runs what depends on a tenant: with the context that is remembered, and once more when the database has another
 * configuration.
 *
 * @param types those that are shipped
 * @param run parses, reads and writes, all from the beginning: it may be called a second time
 * @throws {ScimError} 503 when the configuration changes once more meanwhile; nothing is changed then
 */
export async function withTenant<Result>(
  tenantId: string,
  types: readonly StoredResourceType[],
  run: (tenant: TenantContext) => Promise<Result>,
): Promise<Result> {
  try {
    return await run(recallTenant(tenantId, types))
  } catch (error) {
    if (!(error instanceof StaleTenant)) throw error
    rememberTenant(tenantId, error.current)
  }
  try {
    return await run(recallTenant(tenantId, types))
  } catch (error) {
    if (!(error instanceof StaleTenant)) throw error
    rememberTenant(tenantId, error.current)
    throw changing({ cause: error })
  }
}

/** Somebody changes the configuration again and again, or while several writes are stored together. */
export function changing(options?: ErrorOptions): ScimError {
  return new ScimError(503, undefined, 'the configuration of the tenant is being changed; try again', options)
}
