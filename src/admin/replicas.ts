/**
 * What an administrator was shown or told of a tenant, no replica contradicts from then on
 * (storage/database/replicas.ts). The administrator's own reads all go to the primary.
 */
import { createMiddleware } from 'hono/factory'
import type { HttpEnv } from '../runtime.ts'

/**
 * Reports every request, reads too: a revocation whose own report got lost holds once it was seen in the
 * list of tokens. For routes below `/tenants/:tenant`, after the administrator was let in.
 */
export const reportTenant = createMiddleware<HttpEnv>(async function reportTenant(c, next) {
  const { replicas } = c.env
  const tenantId = c.req.param('tenant')
  await next()
  if (replicas === undefined || tenantId === undefined) return
  try {
    await replicas.noteWrite(tenantId)
  } catch (failure) {
    // It would stay.
    c.header('Location', undefined)
    throw failure
  }
})
