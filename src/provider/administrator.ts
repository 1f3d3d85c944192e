/**
 * Writes of an administrator: ordinary writes of a client of its own, so that the log, the events, the limits and the rules of
 * the database hold as for any other client.
 */
import { MINUTE_MS } from '../scim/duration.ts'
import { Work } from '../scim/work.ts'
import { admitAdministrator, dismissAdministrator, unknownHash } from '../storage/access/administrator.ts'
import type { Database } from '../storage/database/database.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import { withTenant } from '../storage/tenants/context.ts'
import type { Call } from './call.ts'

/** How long a run may take. */
const TOKEN_MS = 10 * MINUTE_MS

/** The statements before and after a run. */
export const ADMINISTRATOR_STATEMENTS = 3

export interface AdministratorRun {
  readonly tenantId: string
  /** Opens a database by its name; undefined: the first one. */
  readonly openDatabase: (name: string | undefined) => Database
  /** The types that are shipped. */
  readonly resourceTypes: readonly StoredResourceType[]
  readonly newId: () => string
  /** Milliseconds since 1970. */
  readonly now: number
  /** What the log and the events name as the request. */
  readonly requestId: string
  /** Whether resources that it deletes are kept for a while. */
  readonly keepsDeleted: boolean
}

/**
 * Runs writes as the administrator of a tenant.
 *
 * @param run is called again if the tenant has another configuration or lives elsewhere; nothing was written then
 * @throws {ScimError} 503 while the tenant is imported or moved, and what `run` throws
 */
export async function asAdministrator<Result>(
  { tenantId, openDatabase, resourceTypes, newId, now, requestId, keepsDeleted }: AdministratorRun,
  run: (call: Call) => Promise<Result>,
): Promise<Result> {
  const token = { tenantId, id: newId(), hash: unknownHash(), now, expiresAt: now + TOKEN_MS }
  const actor = { tenantId, tokenHash: token.hash, now }
  const openCatalogue = () => openDatabase(undefined)
  return await withTenant({ actor, resourceTypes, openDatabase, openCatalogue }, async (tenant) => {
    await admitAdministrator(tenant.database, token)
    try {
      return await run({ tenant, tenantUrl: '', requestId, newId, keepsDeleted, work: new Work() })
    } finally {
      await dismissAdministrator(tenant.database, token)
    }
  })
}
