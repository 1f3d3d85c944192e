/**
 * Server-Timing: what the request cost at the database, and its units of work (https://www.w3.org/TR/server-timing/). It
 * is the instrument of the performance goals; off unless SERVER_TIMING is "1".
 */
import { createMiddleware } from 'hono/factory'
import type { HttpEnv } from '../runtime.ts'
import { noFigures, serverTimingOf } from '../storage/database/database.ts'
import { workOf } from './request.ts'

/** Reports what the request cost on every response. */
export const serverTiming = createMiddleware<HttpEnv>(async function serverTiming(c, next) {
  const figures = c.env.figures ?? noFigures()
  c.set('figures', figures)
  if (!c.env.settings.serverTiming) return next()
  await next()
  c.res.headers.set('Server-Timing', `${serverTimingOf(figures)}, work;desc="${workOf(c).spent} units"`)
})
