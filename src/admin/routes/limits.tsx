/**
 * The page of the limits and settings of the server.
 */
import { Hono } from 'hono'
import * as v from 'valibot'
import { tenantsOf } from '../../administrators/role.ts'
import { readTogether } from '../../storage/database/query.ts'
import { firstTenantQuery } from '../../storage/tenants/queries.ts'
import { TENANT_INPUT } from '../contract/tenants.ts'
import type { AdminEnv } from '../env.ts'
import { tenantValues } from '../limits/tenant-values.ts'
import { LimitsPage } from '../pages/limits.tsx'

export const limits = new Hono<AdminEnv>()

limits.get('/limits', async (c) => {
  const { tenant } = await readTogether(c.get('db'), {
    tenant: firstTenantQuery(tenantsOf(c.get('administrator').grants)),
  })
  const { settings, databaseNames: databases, maxQueries } = c.env
  const ofTenants = tenantValues(v.parse(TENANT_INPUT, { id: 'new', name: 'New' }))
  const administrator = c.get('administrator')
  return c.html(
    <LimitsPage
      {...{ administrator, settings: settings.inForce, ofTenants, databases, maxQueries, tenant }}
    />,
  )
})
