/**
 * Ends the access of a token, secret or client, for the admin API and the dashboard. It takes effect at once, even during a move of the
 * tenant.
 */

import { verifyAgain } from '../provider/jobs/start.ts'
import { revokeSecret } from '../storage/access/client-secrets.ts'
import { deleteClient } from '../storage/access/clients.ts'
import { revokeToken } from '../storage/access/token-administration.ts'
import { deleteTrust } from '../storage/access/trusts.ts'
import { type Database, DatabaseUnavailable, GuardError } from '../storage/database/database.ts'
import { runningJob } from '../storage/tenants/jobs.ts'
import { catalogueOf, type Databases, locateTenant, TenantMoved } from '../storage/tenants/locations.ts'
import { administrationDatabases } from './database.ts'
import type { JobContext } from './jobs.ts'

/** Revokes a token from the next request on. @returns false if the tenant has no such token */
export async function revokeTokenOf(c: JobContext, tenantId: string, tokenId: string): Promise<boolean> {
  const now = c.env.now()
  return await onEachSide(c, tenantId, (db) => revokeToken(db, tenantId, tokenId, now))
}

/**
 * Revokes a secret and its access tokens from the next request on.
 *
 * @returns false if the tenant, or the client if one is given, has no such secret
 */
export async function revokeSecretOf(
  c: JobContext,
  tenantId: string,
  secret: { readonly id: string; readonly clientId?: string },
): Promise<boolean> {
  const now = c.env.now()
  return await onEachSide(c, tenantId, (db) => revokeSecret(db, tenantId, secret, now))
}

/** Removes the federation of a client and ends its access tokens. @returns false if the tenant has no such client with one */
export async function deleteTrustOf(c: JobContext, tenantId: string, clientId: string): Promise<boolean> {
  const now = c.env.now()
  return await onEachSide(c, tenantId, (db) => deleteTrust(db, tenantId, clientId, now))
}

/** Deletes a client and ends its tokens. @returns false if the tenant has no such client */
export async function deleteClientOf(c: JobContext, tenantId: string, clientId: string): Promise<boolean> {
  const now = c.env.now()
  return await onEachSide(c, tenantId, (db) => deleteClient(db, tenantId, clientId, now))
}

/**
 * Ends access in the database of a tenant. During a move, access ends in both databases, in the source first. The
 * verification of the move makes it end at the target too, if a page was read before and is written after it, or if the
 * target does not respond now.
 *
 * @param end ends access in one database; true if there was something to end
 */
async function onEachSide(
  c: JobContext,
  tenantId: string,
  end: (db: Database) => Promise<boolean>,
): Promise<boolean> {
  try {
    return await end(c.get('db'))
  } catch (error) {
    const isOnTheMove =
      error instanceof TenantMoved || (error instanceof GuardError && error.rule === 'moving')
    if (!isOnTheMove) throw error
    return await onBothSides(administrationDatabases(c, c.get('figures')), tenantId, end)
  }
}

async function onBothSides(
  databases: Databases,
  tenantId: string,
  end: (db: Database) => Promise<boolean>,
): Promise<boolean> {
  const job = await runningJob(catalogueOf(databases), tenantId)
  // The move may just have ended.
  if (job?.kind !== 'move' || job.target === null) {
    return await end(databases.open(await locateTenant(databases, tenantId)))
  }
  const isFound = await end(databases.open(job.source))
  try {
    return (await end(databases.open(job.target))) || isFound
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable) || !(await verifyAgain(databases, tenantId))) throw error
    return isFound
  }
}
