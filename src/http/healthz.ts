/**
 * GET /healthz: whether the database answers. No authentication, no detail.
 */
import type { Handler } from 'hono'
import type { HttpEnv } from '../runtime.ts'
import { isAnswering, noFigures } from '../storage/database.ts'

export const healthz: Handler<HttpEnv> = async (c) => {
  const isHealthy = await isAnswering(c.env.openDatabase(noFigures()))
  return c.json({ status: isHealthy ? 'ok' : 'unavailable' }, isHealthy ? 200 : 503, {
    'Cache-Control': 'no-store',
  })
}
