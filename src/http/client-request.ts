/**
 * What every request of a client has, whether its token is accepted or not: figures of its cost, and a limit of refused
 * tokens.
 */
import { createMiddleware } from 'hono/factory'
import type { HttpEnv } from '../runtime.ts'
import { noFigures, serverTimingOf } from '../storage/database/database.ts'
import { countFailedAuthentication } from './rate-limit.ts'
import { workOf } from './work.ts'

/**
 * Counts the cost of the request, and refused tokens. If SERVER_TIMING is "1", the response reports the cost: database
 * and units of work (https://www.w3.org/TR/server-timing/). Performance tests read it.
 */
export const clientRequest = createMiddleware<HttpEnv>(async function clientRequest(c, next) {
  const figures = c.env.figures ?? noFigures()
  c.set('figures', figures)
  await next()
  if (c.res.status === 401) await countFailedAuthentication(c)
  if (!c.env.settings.serverTiming) return
  c.res.headers.set('Server-Timing', `${serverTimingOf(figures)}, work;desc="${workOf(c).spent} units"`)
})
