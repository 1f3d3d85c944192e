/**
 * Revoking a token, by the admin API or the dashboard: at once, also while the tenant is being moved.
 */
import { GuardError } from '../storage/database.ts'
import { catalogueOf } from '../storage/databases.ts'
import { runningJob } from '../storage/jobs.ts'
import { revokeToken } from '../storage/tokens.ts'
import { administrationDatabases } from './database.ts'
import type { JobContext } from './jobs.ts'

/**
 * Revokes a token from the next request on. While the tenant is being moved it is revoked on both sides, the source first: a
 * copy that had been read before, and is written after, differs from the source, so that the move is given up.
 *
 * @returns false when the tenant has no such token
 */
export async function revokeTokenOf(c: JobContext, tenantId: string, tokenId: string): Promise<boolean> {
  const now = c.env.now()
  try {
    return await revokeToken(c.get('db'), tenantId, tokenId, now)
  } catch (error) {
    if (!(error instanceof GuardError) || error.rule !== 'moving') throw error
    const databases = administrationDatabases(c, c.get('figures'))
    const job = await runningJob(catalogueOf(databases), tenantId)
    if (job?.kind !== 'move' || job.target === null) throw error
    const atSource = await revokeToken(databases.open(job.source), tenantId, tokenId, now)
    const atTarget = await revokeToken(databases.open(job.target), tenantId, tokenId, now)
    return atSource || atTarget
  }
}
