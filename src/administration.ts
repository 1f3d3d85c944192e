/** The part of the server for administrators, and the OpenAPI document, which describes it: see parts.ts. */
import type { Hono } from 'hono'
import { adminApi } from './admin/api.ts'
import { dashboard } from './admin/routes.tsx'
import { openapi } from './http/openapi.ts'
import type { HttpEnv } from './runtime.ts'

export { verboseHealth } from './admin/health.ts'

export function addAdministration(app: Hono<HttpEnv>): void {
  app.route('/admin/api', adminApi())
  app.route('/admin', dashboard())
  app.route('/openapi.json', openapi)
}
