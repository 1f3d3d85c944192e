/**
 * The audit trail: of the installation, and of a tenant.
 */
import { Hono } from 'hono'
import type { AdminContext, AdminEnv } from '../env.ts'
import { AuditPage } from '../pages/audit.tsx'
import { auditCauseOf, auditPageOf, auditStreamOf } from '../people/audit-pages.ts'
import { auditCsvOf } from '../people/audit-text.ts'
import { streamOf } from '../stream-of.ts'
import { loadWithTenant } from './request.ts'

const PAGE_SIZE = 50

export const audit = new Hono<AdminEnv>()

audit.get('/audit', async (c) => {
  const before = cursorOf(c)
  const page = await auditPageOf(c, { before, size: PAGE_SIZE })
  return c.html(
    <AuditPage administrator={c.get('administrator')} page={page} isFirst={before === undefined} />,
  )
})

audit.get('/audit.csv', (c) => csvResponse(c, undefined))

audit.get('/tenants/:tenant/audit', async (c) => {
  const [before, cause] = [cursorOf(c), causeOf(c)]
  const tenantId = c.req.param('tenant')
  const [{ tenant }, page] = await Promise.all([
    loadWithTenant(c, () => ({})),
    cause === undefined
      ? auditPageOf(c, { tenantId, before, size: PAGE_SIZE })
      : auditCauseOf(c, { tenantId, ...cause }),
  ])
  return c.html(
    <AuditPage
      administrator={c.get('administrator')}
      tenant={tenant}
      page={page}
      isFirst={before === undefined && cause === undefined}
      cause={cause?.id}
    />,
  )
})

audit.get('/tenants/:tenant/audit.csv', async (c) => {
  const { tenant } = await loadWithTenant(c, () => ({}))
  return csvResponse(c, tenant.id)
})

function csvResponse(c: AdminContext, tenantId: string | undefined): Response {
  const day = new Date(c.env.now()).toISOString().slice(0, 10)
  const name = tenantId === undefined ? `audit-trail-${day}` : `audit-trail-${tenantId}-${day}`
  return c.body(streamOf(auditCsvOf(auditStreamOf(c, tenantId))), 200, {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': `attachment; filename="${name}.csv"`,
  })
}

/** What the page of a change asks for: who made it. */
function causeOf(c: AdminContext): { readonly id: string; readonly at: number } | undefined {
  const { of: id, at = '' } = c.req.query()
  return id && /^\d{1,15}$/.test(at) ? { id, at: Number(at) } : undefined
}

function cursorOf(c: AdminContext): number | undefined {
  const before = c.req.query('before') ?? ''
  return /^\d{1,15}$/.test(before) ? Number(before) : undefined
}
