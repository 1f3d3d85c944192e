/**
 * Everything under the Tenant URL.
 */
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { methodNotAllowed } from 'hono/method-not-allowed'
import type { HttpEnv } from '../runtime.ts'
import { ScimError } from '../scim/error.ts'
import { bearerAuth } from './bearer-auth.ts'
import { discovery } from './discovery.ts'
import { onError, onMethodNotAllowed, onNotFound } from './errors.ts'
import { groups } from './groups.ts'
import { serverTiming } from './server-timing.ts'
import { users } from './users.ts'

/** The largest body: some 25,000 members in one PATCH. */
export const MAX_BODY_BYTES = 1024 * 1024

/** The SCIM API as an app of its own; mounted at TENANT_PATH. */
export function scim(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>()
  app.onError(onError)
  app.notFound(onNotFound)
  app.use(serverTiming)
  app.use(methodNotAllowed({ app, onMethodNotAllowed }))
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => {
        throw new ScimError(413, undefined, `the body is larger than ${MAX_BODY_BYTES} bytes, the limit`)
      },
    }),
  )
  for (const path of ['/Users', '/Groups'] as const) {
    app.use(path, bearerAuth)
    app.use(`${path}/*`, bearerAuth)
  }
  app.route('/Users', users)
  app.route('/Groups', groups)
  app.route('/', discovery)
  return app
}
