/**
 * GET /healthz reports whether the database is readable and writable. It requires no authentication and shows no details.
 */
import type { Handler } from 'hono'
import type { HttpEnv } from '../runtime.ts'

export const healthz: Handler<HttpEnv> = async (c) => {
  const isHealthy = await c.env.isHealthy()
  return c.json({ status: isHealthy ? 'ok' : 'unavailable' }, isHealthy ? 200 : 503, {
    'Cache-Control': 'no-store',
  })
}
