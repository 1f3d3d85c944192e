/**
 * Reads at replicas, and the report of each write (storage/database/replicas.ts), where the runtime has replicas.
 */
import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { HttpEnv } from '../runtime.ts'
import { isKnownValid } from '../storage/access/known-tokens.ts'
import { errorResponse } from './errors.ts'

/**
 * Lets the database of a read be opened wherever it may be, and reports a write before it is answered. Only for tokens
 * that were seen valid: a stranger who merely names a tenant must not keep its coordinator busy.
 */
export const replicas = createMiddleware<HttpEnv>(async function replicas(c, next) {
  if (c.env.replicas === undefined) return await next()
  const { replicas } = c.env
  const actor = c.get('actor')
  const { tenantId } = actor
  if (isRead(c)) {
    if (isKnownValid(actor)) {
      c.set('openReplica', (name, figures) => replicas.openDatabase(name, tenantId, figures))
    }
    return await next()
  }
  await next()
  if (!c.res.ok) return
  try {
    await replicas.noteWrite(tenantId)
  } catch (failure) {
    // Headers of the answer before would stay.
    for (const name of ['Location', 'Content-Location', 'ETag']) c.header(name, undefined)
    c.res = errorResponse(c, failure)
  }
})

/** RFC 7644 §3.4.3: a search is a POST that writes nothing. */
function isRead(c: Context<HttpEnv>): boolean {
  const { method, path } = c.req
  return method === 'GET' || method === 'HEAD' || (method === 'POST' && path.endsWith('/.search'))
}
