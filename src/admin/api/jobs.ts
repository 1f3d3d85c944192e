/** Handlers of the job routes. */
import { getJob } from '../../storage/tenants/jobs.ts'
import { catalogueOf } from '../../storage/tenants/locations.ts'
import type { jobRoutes } from '../contract/jobs.ts'
import { administrationDatabases } from '../database.ts'
import { cancelMoveOf, moveTenant, NoSuchJob } from '../jobs.ts'
import { jobJson } from '../read-models.ts'
import type { Handlers } from './serve.ts'

export const jobHandlers: Handlers<typeof jobRoutes> = {
  async moveTenant({ parameters: { id }, body: { database }, c }) {
    return { status: 202, body: jobJson(await moveTenant(c, id, database)) }
  },

  async cancelMove({ parameters: { id }, c }) {
    return { status: 202, body: jobJson(await cancelMoveOf(c, id)) }
  },

  async getJob({ parameters: { id, jobId }, c }) {
    const catalogue = catalogueOf(administrationDatabases(c, c.get('figures')))
    const job = await getJob(catalogue, id, jobId)
    if (job === undefined) throw new NoSuchJob(id, jobId)
    return { status: 200, body: jobJson(job) }
  },
}
