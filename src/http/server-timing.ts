/**
 * Server-Timing: what the request cost at the database (https://www.w3.org/TR/server-timing/). It is the
 * instrument of the performance goals; off unless SERVER_TIMING is "1".
 */
import { createMiddleware } from 'hono/factory'
import type { HttpEnv } from '../runtime.ts'
import { noFigures } from '../storage/database.ts'

/** Opens the database of the request and reports its figures on every response. */
export const serverTiming = createMiddleware<HttpEnv>(async function serverTiming(c, next) {
  const figures = c.env.figures ?? noFigures()
  c.set('figures', figures)
  c.set('db', c.env.openDatabase(figures))
  await next()
  if (!c.env.settings.serverTiming) return
  const { durationMs, roundTrips, rowsRead, rowsWritten } = figures
  const description = `${roundTrips} round trips, ${rowsRead} rows read, ${rowsWritten} rows written`
  c.res.headers.set('Server-Timing', `d1;dur=${durationMs.toFixed(2)};desc="${description}"`)
})
