/**
 * One line of JSON in the application log for each request: what an operator needs at 3 a.m., and nothing
 * of any person. Off when REQUEST_LOG is "0".
 */
import { createMiddleware } from 'hono/factory'
import type { HttpEnv } from '../runtime.ts'
import { AccessRefused } from '../storage/access/access-refused.ts'
import { routeOf } from './errors.ts'

/** Writes the line when the answer is ready. `d1` holds what the request cost at the database. */
export const requestLog = createMiddleware<HttpEnv>(async function requestLog(c, next) {
  if (!c.env.settings.requestLog) return next()
  const started = c.env.now()
  await next()
  console.log(
    JSON.stringify({
      requestId: c.get('requestId'),
      // As claimed by the token; `status` tells whether it was true.
      tenant: c.get('actor')?.tenantId ?? null,
      method: c.req.method,
      route: routeOf(c),
      status: c.res.status,
      // Why the token was refused; the client is not told.
      ...(c.error instanceof AccessRefused && { refused: c.error.reason }),
      durationMs: c.env.now() - started,
      d1: c.get('figures') ?? null,
    }),
  )
})
