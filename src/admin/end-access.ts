/**
 * Ending access, by the admin API or the dashboard: at once, also while the tenant is being moved.
 */
import { deleteClient } from '../storage/clients.ts'
import { type Database, GuardError } from '../storage/database.ts'
import { catalogueOf, type Databases, locateTenant, TenantMoved } from '../storage/databases.ts'
import { runningJob } from '../storage/jobs.ts'
import { revokeToken } from '../storage/tokens.ts'
import { administrationDatabases } from './database.ts'
import type { JobContext } from './jobs.ts'

/** Revokes a token from the next request on. @returns false when the tenant has no such token */
export async function revokeTokenOf(c: JobContext, tenantId: string, tokenId: string): Promise<boolean> {
  const now = c.env.now()
  return await onEachSide(c, tenantId, (db) => revokeToken(db, tenantId, tokenId, now))
}

/** Deletes a client, whose tokens end with it. @returns false when the tenant has no such client */
export async function deleteClientOf(c: JobContext, tenantId: string, clientId: string): Promise<boolean> {
  const now = c.env.now()
  return await onEachSide(c, tenantId, (db) => deleteClient(db, tenantId, clientId, now))
}

/**
 * Ends access at the home of a tenant. While the tenant is being moved it is ended on both sides, the source first: a
 * copy that had been read before, and is written after, differs from the source, so that the move is given up.
 *
 * @param end of one database: true when there was something to end
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

/** The databases that a tenant is moved between, the source first; its home alone when the move has just ended. */
async function sidesOf(databases: Databases, tenantId: string): Promise<readonly string[]> {
  const job = await runningJob(catalogueOf(databases), tenantId)
  if (job?.kind === 'move' && job.target !== null) return [job.source, job.target]
  return [await locateTenant(databases, tenantId)]
}
