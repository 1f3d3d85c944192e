/** GET /metrics, for Prometheus. Only runtimes that measure have it, and only with a token; otherwise the path is unknown. */
import type { Handler } from 'hono'
import { timingSafeEqual } from 'hono/utils/buffer'
import { isBlocked, recordFailedAuthentication } from '../edge/failed-authentication.ts'
import type { HttpEnv } from '../runtime.ts'
import { ScimError } from '../scim/error.ts'
import { tooManyFailedAuthentications } from './rate-limit.ts'
import { bearerToken } from './request.ts'

/** @throws {ScimError} 401 or 429, which http/errors.ts answers in the form of the admin API */
export const metrics: Handler<HttpEnv> = async (c) => {
  if (c.env.metrics === undefined) return c.notFound()
  if (isBlocked('metrics', c)) throw tooManyFailedAuthentications()
  const { token, render } = c.env.metrics
  if (await timingSafeEqual(bearerToken(c) ?? '', token)) {
    const headers = {
      'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
      'Cache-Control': 'no-store',
    }
    return c.body(await render(), 200, headers)
  }
  if (await recordFailedAuthentication('metrics', c)) throw tooManyFailedAuthentications()
  const detail = '/metrics needs the header "Authorization: Bearer …" with METRICS_TOKEN'
  throw new ScimError(401, undefined, detail)
}
