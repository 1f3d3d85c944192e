/**
 * Keeps replicas consistent with the administrator: after a response about a tenant, no read at a replica returns an
 * older state of that tenant (storage/database/replicas.ts). The administrator's own reads go to the primary.
 */
import { createMiddleware } from 'hono/factory'
import type { HttpEnv } from '../runtime.ts'

/**
 * Reports every request, including reads: if the report of a revocation was lost, the next look at the list of tokens
 * makes it hold at replicas too. For routes below `/tenants/:tenant`, after authentication.
 */
export const reportTenant = createMiddleware<HttpEnv>(async function reportTenant(c, next) {
  const { replicas } = c.env
  const tenantId = c.req.param('tenant')
  await next()
  if (replicas === undefined || tenantId === undefined) return
  try {
    await replicas.noteWrite(tenantId)
  } catch (failure) {
    // Hono keeps headers that were set before an error.
    c.header('Location', undefined)
    throw failure
  }
})
