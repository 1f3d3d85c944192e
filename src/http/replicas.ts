/**
 * Reads from replicas, and reports writes to storage/database/replicas.ts, if the runtime has replicas.
 */
import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { HttpEnv } from '../runtime.ts'
import { isKnownValid } from '../storage/access/known-tokens.ts'
import { errorResponse } from './errors.ts'

/**
 * Opens a replica for reads, and reports a write before its response is sent. Only for recently accepted tokens: an
 * unverified token must not cause requests to the coordinator of the tenant that it names.
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
    // Otherwise the error response would keep these headers.
    for (const name of ['Location', 'Content-Location', 'ETag']) c.header(name, undefined)
    c.res = errorResponse(c, failure)
  }
})

/** RFC 7644 §3.4.3: a search is a POST but not a write. */
function isRead(c: Context<HttpEnv>): boolean {
  const { method, path } = c.req
  return method === 'GET' || method === 'HEAD' || (method === 'POST' && path.endsWith('/.search'))
}
