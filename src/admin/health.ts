/**
 * GET /healthz?verbose: what an operator wants to see in one look. Only for the administrator's token; for anybody else it is
 * /healthz.
 */
import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { timingSafeEqual } from 'hono/utils/buffer'
import { isBlocked, recordFailedAuthentication } from '../edge/failed-authentication.ts'
import { databaseHealth } from '../provider/health.ts'
import type { HttpEnv } from '../runtime.ts'
import { noFigures } from '../storage/database/database.ts'
import { administrationDatabases } from './database.ts'
import { VERSION } from './version.ts'

export const verboseHealth = createMiddleware<HttpEnv>(async function verboseHealth(c, next) {
  if (c.req.query('verbose') === undefined || !(await isAdministrator(c))) return await next()
  const { isHealthy, now, databaseFile } = c.env
  const healthy = await isHealthy()
  const found = await databaseHealth(administrationDatabases(c, noFigures()), c.get('resourceTypes'))
  const databases = found.map(({ name, found: health }) => ({
    name,
    ...(health ?? { error: 'it does not respond, or is not the right one' }),
    file: databaseFile?.(name),
  }))
  const body = { status: healthy ? 'ok' : 'unavailable', version: VERSION, checkedAt: now(), databases }
  c.header('Cache-Control', 'no-store')
  return c.body(JSON.stringify(body, timesAsText), healthy ? 200 : 503, {
    'Content-Type': 'application/json',
  })
})

/** A refused token counts as in the admin API. */
async function isAdministrator(c: Context<HttpEnv>): Promise<boolean> {
  const { adminToken } = c.env.settings
  const token = /^Bearer +(.+)$/i.exec(c.req.header('Authorization') ?? '')?.[1]
  if (adminToken === undefined || token === undefined || isBlocked('admin', c)) return false
  if (await timingSafeEqual(token, adminToken)) return true
  await recordFailedAuthentication('admin', c)
  return false
}

/** Members whose names tell a time are written as in the admin API (RFC 3339). */
function timesAsText(name: string, value: unknown): unknown {
  return typeof value === 'number' && /(?:At|Since)$/.test(name) ? new Date(value).toISOString() : value
}
