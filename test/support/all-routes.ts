/** All routes of the server in one app, also those that it loads later. */
import { Hono } from 'hono'
import { addDirectory } from '../../src/app.ts'
import { LAZY_ROUTES } from '../../src/parts.ts'
import type { HttpEnv } from '../../src/runtime.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'

/** The app is for looking at its routes: it has nothing that its requests need. */
export async function appWithAllRoutes(): Promise<Hono<HttpEnv>> {
  const app = new Hono<HttpEnv>()
  addDirectory(app, RESOURCE_TYPES, () => new Response())
  for (const { load } of LAZY_ROUTES) (await load())(app)
  return app
}
