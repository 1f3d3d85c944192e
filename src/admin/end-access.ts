/**
 * Ends the access of a token, secret or client, for the admin API and the dashboard. It takes effect at once, even during a move of the
 * tenant.
 */
import { revokeSecret } from '../storage/access/client-secrets.ts'
import { deleteClient } from '../storage/access/clients.ts'
import { revokeToken } from '../storage/access/token-administration.ts'
import { type Database, GuardError } from '../storage/database/database.ts'
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

/** Deletes a client and ends its tokens. @returns false if the tenant has no such client */
export async function deleteClientOf(c: JobContext, tenantId: string, clientId: string): Promise<boolean> {
  const now = c.env.now()
  return await onEachSide(c, tenantId, (db) => deleteClient(db, tenantId, clientId, now))
}

/**
 * Ends access in the database of a tenant. During a move, access ends in both databases, in the source first. If a page was
 * read before that and is written after it, the copy differs from the source, and the move is abandoned.
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
    const databases = administrationDatabases(c, c.get('figures'))
    let isFound = false
    for (const name of await sidesOf(databases, tenantId)) {
      isFound = (await end(databases.open(name))) || isFound
    }
    return isFound
  }
}

/** The source and the target of a move; only the home of the tenant if the move has just ended. */
async function sidesOf(databases: Databases, tenantId: string): Promise<readonly string[]> {
  const job = await runningJob(catalogueOf(databases), tenantId)
  if (job?.kind === 'move' && job.target !== null) return [job.source, job.target]
  return [await locateTenant(databases, tenantId)]
}
