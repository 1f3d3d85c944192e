/** Handlers of the routes of the audit trail. It is in the first database. */
import { getTenant } from '../../storage/tenants/queries.ts'
import type { auditRoutes } from '../contract/audit.ts'
import { auditPageOf } from '../people/audit-pages.ts'
import { auditEntryJson } from '../people/audit-text.ts'
import { requireTenant } from '../require-tenant.ts'
import type { Handlers } from './serve.ts'

const PAGE_SIZE = 100

export const auditHandlers: Handlers<typeof auditRoutes> = {
  async listAudit({ query: { cursor, ...search }, c }) {
    const { items, next } = await auditPageOf(c, { ...search, before: cursor, size: PAGE_SIZE })
    return { status: 200, body: { entries: items.map(auditEntryJson), nextCursor: cursorText(next) } }
  },

  async listTenantAudit({ db, parameters: { id: tenantId }, query: { cursor, ...search }, c }) {
    requireTenant(await getTenant(db, tenantId), tenantId)
    const { items, next } = await auditPageOf(c, { ...search, tenantId, before: cursor, size: PAGE_SIZE })
    return { status: 200, body: { entries: items.map(auditEntryJson), nextCursor: cursorText(next) } }
  },
}

function cursorText(next: number | undefined): string | null {
  return next === undefined ? null : String(next)
}
