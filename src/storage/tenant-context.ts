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
import type { ResourceType } from '../scim/schema/definition.ts'
import { RESOURCE_TYPES } from '../scim/schema/resource-type.ts'
import {
  decodeExtensions,
  type EncodedExtensions,
  tenantResourceTypes,
} from '../scim/schema/tenant-extensions.ts'

/** What an administrator has chosen for a tenant: the JSON in `tenants.configuration`. What is not in it has its default. */
export interface TenantConfiguration {
  /** Which deviations of clients from the RFCs are allowed for. */
  readonly profile?: ProfileName
  /** The binding of the database that holds the tenant. */
  readonly database?: string
  /** Extension schemas: see extensions.ts. */
  readonly schemas?: EncodedExtensions
}

export type ProfileName = 'tolerant'

export interface TenantContext {
  readonly tenantId: string
  /**
   * Names the configuration: 0 is the default one, and any other number is never used for another configuration again,
   * not even after the tenant was deleted and made anew. Raised by triggers of the database.
   */
  readonly version: number
  /** The binding of the database that holds the tenant; undefined: the one that every runtime has. */
  readonly database: string | undefined
  readonly resourceTypes: readonly ResourceType[]
  readonly profile: ProfileName
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

/** The context that follows from a configuration. */
export function tenantContextOf(
  tenantId: string,
  version: number,
  { profile = 'tolerant', database, schemas }: TenantConfiguration,
): TenantContext {
  return {
    tenantId,
    version,
    database,
    profile,
    resourceTypes:
      schemas === undefined ? RESOURCE_TYPES : tenantResourceTypes(RESOURCE_TYPES, decodeExtensions(schemas)),
    limits: { bodyBytes: MAX_BODY_BYTES },
  }
}

/** A few MB with ordinary configurations. */
const MAX_TENANTS = 1_000

/** Of tenants whose configuration is not the default one. The first of the Map was remembered first. */
const remembered = new Map<string, TenantContext>()

/** The tenant as this isolate has last seen it. Nothing of it is proven until a batch has checked its version. */
export function recallTenant(tenantId: string): TenantContext {
  return remembered.get(tenantId) ?? tenantContextOf(tenantId, 0, {})
}

function rememberTenant(tenantId: string, { version, configuration }: ConfigurationRecord): void {
  remembered.delete(tenantId)
  if (configuration === null) return
  const [oldest] = remembered.keys()
  if (remembered.size >= MAX_TENANTS && oldest !== undefined) remembered.delete(oldest)
  remembered.set(tenantId, tenantContextOf(tenantId, version, JSON.parse(configuration)))
}

/**
 * Runs what depends on a tenant: with the context that is remembered, and once more when the database has another
 * configuration.
 *
 * @param run parses, reads and writes, all from the beginning: it may be called a second time
 * @throws {ScimError} 503 when the configuration changes once more meanwhile; nothing is changed then
 */
export async function withTenant<Result>(
  tenantId: string,
  run: (tenant: TenantContext) => Promise<Result>,
): Promise<Result> {
  try {
    return await run(recallTenant(tenantId))
  } catch (error) {
    if (!(error instanceof StaleTenant)) throw error
    rememberTenant(tenantId, error.current)
  }
  try {
    return await run(recallTenant(tenantId))
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
