/**
 * The parts of the server that are loaded when they are first needed. Most isolates serve only directories, and never parse and
 * evaluate them. `npm run deploy` uploads each part as a module of its own (src/local/worker-modules.mjs); where everything is
 * one file, a part is still evaluated only on its first use.
 *
 * Each caller imports for itself and shares no promise with others: on Workers, a request that waits for the promise of another
 * request hangs if that one is canceled. The runtime loads a module once.
 */
import type { Hono } from 'hono'
import { METADATA_PATH, TOKEN_PATH } from './http/url.ts'
import type { HttpEnv } from './runtime.ts'

/** Adds the routes of a part to an app. */
export type AddRoutes = (app: Hono<HttpEnv>) => void

/** Routes that are loaded with the first request for one of their paths. */
export interface LazyRoutes {
  /** Including everything below them. */
  readonly paths: readonly string[]
  readonly load: () => Promise<AddRoutes>
}

/** The dashboard, the admin API and the OpenAPI document. */
export const loadAdministration = () => import('./administration.ts')

/** What timers and alarms do: maintenance, jobs, and deliveries of webhooks. */
export const loadBackgroundWork = () => import('./background-work.ts')

export const ADMIN_PATH = '/admin'
const OPENAPI_PATH = '/openapi.json'

export const LAZY_ROUTES: readonly LazyRoutes[] = [
  {
    paths: [ADMIN_PATH, OPENAPI_PATH],
    load: async () => (await loadAdministration()).addAdministration,
  },
  {
    paths: [TOKEN_PATH, METADATA_PATH],
    load: async () => (await import('./http/oauth/authorization-server.ts')).addAuthorizationServer,
  },
]
