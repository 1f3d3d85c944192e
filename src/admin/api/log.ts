/** Handler of the provisioning log route. */

import { readTogether } from '../../storage/database/query.ts'
import { logPageQuery } from '../../storage/log/log-pages.ts'
import { tenantQuery } from '../../storage/tenants/queries.ts'
import type { logRoutes } from '../contract/log.ts'
import { requireTypeName } from '../errors.ts'
import { logEntryJson } from '../read-models.ts'
import { requireTenant } from '../require-tenant.ts'
import type { Handlers } from './serve.ts'

const PAGE_SIZE = 100

export const logHandlers: Handlers<typeof logRoutes> = {
  async listLog({ db, parameters: { id }, query: { cursor, q, ...filters }, c }) {
    // Entries of failed access have the type "Client".
    requireTypeName([...c.get('resourceTypes').map(({ name }) => name), 'Client'], filters.resourceType)
    const { tenant, page } = await readTogether(db, {
      tenant: tenantQuery(id),
      page: logPageQuery({
        tenantId: id,
        filters: { ...filters, text: q },
        before: cursor,
        size: PAGE_SIZE,
        areComplete: true,
      }),
    })
    requireTenant(tenant, id)
    return {
      status: 200,
      body: { entries: page.entries.map(logEntryJson), nextCursor: page.next ?? null },
    }
  },
}
