/**
 * GET /healthz: whether the database answers and takes writes. No authentication, no detail.
 */
import type { Handler } from 'hono'
import type { HttpEnv } from '../runtime.ts'

export const healthz: Handler<HttpEnv> = async (c) => {
  const isHealthy = await c.env.isHealthy()
  return c.json({ status: isHealthy ? 'ok' : 'unavailable' }, isHealthy ? 200 : 503, {
    'Cache-Control': 'no-store',
  })
}
