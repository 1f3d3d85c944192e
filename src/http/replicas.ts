/**
 * Reads from replicas, and reports writes to storage/database/replicas.ts, if the runtime has replicas.
 */
import type { Context } from 'hono'
import type { HttpEnv } from '../runtime.ts'
import { isKnownValid } from '../storage/access/known-tokens.ts'
import { errorResponse } from './errors.ts'

/**
 * Has a read go to a replica. Only for recently accepted tokens: an unverified token must not cause requests to the
 * coordinator of the tenant that it names.
 */
export function readFromReplica(c: Context<HttpEnv>): void {
  const { replicas } = c.env
  const actor = c.get('actor')
  if (replicas === undefined || !isRead(c) || !isKnownValid(actor)) return
  c.set('openReplica', (name, figures) => replicas.openDatabase(name, actor.tenantId, figures))
}

/** Reports a write, before its response is sent. */
export async function noteWrite(c: Context<HttpEnv>): Promise<void> {
  if (c.env.replicas === undefined || isRead(c) || !c.res.ok) return
  try {
    await c.env.replicas.noteWrite(c.get('actor').tenantId)
  } catch (failure) {
    // Otherwise the error response would keep these headers.
    for (const name of ['Location', 'Content-Location', 'ETag']) c.header(name, undefined)
    c.res = errorResponse(c, failure)
  }
}

/** RFC 7644 §3.4.3: a search is a POST but not a write. */
function isRead(c: Context<HttpEnv>): boolean {
  const { method, path } = c.req
  return method === 'GET' || method === 'HEAD' || (method === 'POST' && path.endsWith('/.search'))
}
