/**
 * Adds Server-Timing to responses: the database cost of the request and its units of work
 * (https://www.w3.org/TR/server-timing/). Performance tests read it. Off unless SERVER_TIMING is "1".
 */
import { createMiddleware } from 'hono/factory'
import type { HttpEnv } from '../runtime.ts'
import { noFigures, serverTimingOf } from '../storage/database/database.ts'
import { workOf } from './work.ts'

/** Counts the cost of every request, and reports it if SERVER_TIMING is "1". */
export const serverTiming = createMiddleware<HttpEnv>(async function serverTiming(c, next) {
  const figures = c.env.figures ?? noFigures()
  c.set('figures', figures)
  if (!c.env.settings.serverTiming) return next()
  await next()
  c.res.headers.set('Server-Timing', `${serverTimingOf(figures)}, work;desc="${workOf(c).spent} units"`)
})
