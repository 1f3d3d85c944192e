/**
 * Revokes a token, for the admin API and the dashboard. A revocation takes effect at once, even during a move of the tenant.
 */

import { revokeToken } from '../storage/access/tokens.ts'
import { GuardError } from '../storage/database/database.ts'
import { runningJob } from '../storage/tenants/jobs.ts'
import { catalogueOf } from '../storage/tenants/locations.ts'
import { administrationDatabases } from './database.ts'
import type { JobContext } from './jobs.ts'

/**
 * Revokes a token from the next request on. During a move, the token is revoked in both databases, in the source first. If a
 * page was read before the revocation and written after it, the copy differs from the source, and the move is cancelled.
 *
 * @returns false if the tenant has no such token
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
