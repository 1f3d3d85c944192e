/**
 * Server-Timing: what the request cost at the database (https://www.w3.org/TR/server-timing/). It is the
 * instrument of the performance goals; off unless SERVER_TIMING is "1".
 */
import { createMiddleware } from 'hono/factory'
import type { HttpEnv } from '../runtime.ts'
import { noFigures, serverTimingOf } from '../storage/database.ts'

/** Opens the database of the request and reports its figures on every response. */
export const serverTiming = createMiddleware<HttpEnv>(async function serverTiming(c, next) {
  const figures = c.env.figures ?? noFigures()
  c.set('figures', figures)
  c.set('db', c.env.openDatabase(figures))
  if (!c.env.settings.serverTiming) return next()
  await next()
  c.res.headers.set('Server-Timing', serverTimingOf(figures))
})
