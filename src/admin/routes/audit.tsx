/**
 * The audit trail: of the installation, and of a tenant.
 */
import { Hono } from 'hono'
import { attachment } from '../attachment.ts'
import type { AuditFilterForm } from '../components/audit-filters.tsx'
import type { FormError } from '../components/form.tsx'
import type { AdminContext, AdminEnv } from '../env.ts'
import { AdminError } from '../errors.ts'
import { AuditPage } from '../pages/audit.tsx'
import {
  type AuditSearch,
  auditCauseOf,
  auditPageOf,
  auditStreamOf,
  type FoundEntries,
} from '../people/audit-pages.ts'
import { auditCsvOf } from '../people/audit-text.ts'
import { streamOf } from '../stream-of.ts'
import { loadWithTenant, parseTime } from './request.ts'

const PAGE_SIZE = 50
const NOTHING: FoundEntries = { items: [], next: undefined }

export const audit = new Hono<AdminEnv>()

audit.get('/audit', async (c) => {
  const { form, search, error } = filtersOf(c)
  const before = cursorOf(c)
  const page = search === undefined ? NOTHING : await auditPageOf(c, { ...search, before, size: PAGE_SIZE })
  return c.html(
    <AuditPage
      administrator={c.get('administrator')}
      page={page}
      form={form}
      error={error}
      isFirst={before === undefined}
    />,
    error === undefined ? 200 : 400,
  )
})

audit.get('/audit.csv', (c) => csvResponse(c, undefined))

audit.get('/tenants/:tenant/audit', async (c) => {
  const { form, search, error } = filtersOf(c)
  const [before, cause] = [cursorOf(c), causeOf(c)]
  const tenantId = c.req.param('tenant')
  const entries = async () => {
    if (cause !== undefined) return await auditCauseOf(c, { tenantId, ...cause })
    return search === undefined
      ? NOTHING
      : await auditPageOf(c, { ...search, tenantId, before, size: PAGE_SIZE })
  }
  const [{ tenant }, page] = await Promise.all([loadWithTenant(c, () => ({})), entries()])
  return c.html(
    <AuditPage
      administrator={c.get('administrator')}
      tenant={tenant}
      page={page}
      form={form}
      error={error}
      isFirst={before === undefined && cause === undefined}
      cause={cause?.id}
    />,
    error === undefined ? 200 : 400,
  )
})

audit.get('/tenants/:tenant/audit.csv', async (c) => {
  const { tenant } = await loadWithTenant(c, () => ({}))
  return csvResponse(c, tenant.id)
})

/** @throws {AdminError} 400 for an invalid filter */
function csvResponse(c: AdminContext, tenantId: string | undefined): Response {
  const { search, error } = filtersOf(c)
  if (search === undefined) throw new AdminError(400, 'invalid', error?.message ?? '')
  const day = new Date(c.env.now()).toISOString().slice(0, 10)
  const name = tenantId === undefined ? `audit-trail-${day}` : `audit-trail-${tenantId}-${day}`
  return c.body(streamOf(auditCsvOf(auditStreamOf(c, { ...search, tenantId }))), 200, {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': attachment(`${name}.csv`),
  })
}

/** The filters of the request: the form, and what it asks for or the error in it. */
function filtersOf(c: AdminContext): {
  readonly form: AuditFilterForm
  readonly search?: Omit<AuditSearch, 'tenantId'>
  readonly error?: FormError
} {
  const { q, to } = c.req.query()
  const form = { q, to }
  try {
    return { form, search: { text: q?.trim() || undefined, to: parseTime('to', to) } }
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    return { form, error: { field: error.field, message: error.message } }
  }
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
