/** GET /metrics, for Prometheus. Only runtimes that measure have it, and only with a token; otherwise the path is unknown. */
import type { Handler } from 'hono'
import { timingSafeEqual } from 'hono/utils/buffer'
import { isBlocked, recordFailedAuthentication } from '../edge/failed-authentication.ts'
import type { HttpEnv } from '../runtime.ts'
import { bearerToken } from './request.ts'

export const metrics: Handler<HttpEnv> = async (c) => {
  if (c.env.metrics === undefined) return c.notFound()
  if (isBlocked('metrics', c)) return c.body(null, 429)
  const { token, render } = c.env.metrics
  if (await timingSafeEqual(bearerToken(c) ?? '', token)) {
    const headers = {
      'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
      'Cache-Control': 'no-store',
    }
    return c.body(await render(), 200, headers)
  }
  if (await recordFailedAuthentication('metrics', c)) return c.body(null, 429)
  return c.body(null, 401, { 'WWW-Authenticate': 'Bearer realm="scim-worker metrics"' })
}
