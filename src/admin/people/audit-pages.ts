/** Reads the audit trail from the first database. */
import type { Context } from 'hono'
import type { HttpEnv } from '../../runtime.ts'
import {
  type AuditCause,
  type AuditEntry,
  type AuditPage,
  auditCauseQuery,
  auditPageQuery,
  streamAudit,
} from '../../storage/administrators/audit-trail.ts'
import { type Page, readTogether } from '../../storage/database/query.ts'
import { administrationDatabase } from '../database.ts'

type AuditContext = Pick<Context<HttpEnv>, 'env' | 'get'>

/** A page of the audit trail, newest entry first. */
export async function auditPageOf(c: AuditContext, page: AuditPage): Promise<Page<AuditEntry, number>> {
  const db = administrationDatabase(c, c.get('figures'))
  return (await readTogether(db, { page: auditPageQuery(page) })).page
}

/** A page with the entry of what made a change, or an empty one. */
export async function auditCauseOf(c: AuditContext, cause: AuditCause): Promise<Page<AuditEntry, number>> {
  const db = administrationDatabase(c, c.get('figures'))
  const { entry } = await readTogether(db, { entry: auditCauseQuery(cause) })
  return { items: entry === undefined ? [] : [entry], next: undefined }
}

/** All entries, newest first. @param tenantId undefined: of all tenants, and of none */
export function auditStreamOf(c: AuditContext, tenantId: string | undefined): ReturnType<typeof streamAudit> {
  return streamAudit(administrationDatabase(c, c.get('figures')), tenantId)
}
