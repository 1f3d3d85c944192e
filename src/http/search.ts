/**
 * Searches across resource types (RFC 7644 §3.4.2.1, §3.4.3), and /Me (§3.11).
 */
import { Hono } from 'hono'
import type { HttpEnv } from '../runtime.ts'
import { ScimError } from '../scim/error.ts'
import { readAs } from '../storage/access/tokens.ts'
import { bearerAuth, directoryAuth } from './bearer-auth.ts'
import { listOf, listParameters, searchParameters } from './request.ts'
import { tenantHandler } from './tenant.ts'

const handle = tenantHandler()

export const search = new Hono<HttpEnv>()
  .get(
    '/',
    directoryAuth,
    handle((c) => listOf(c, listParameters(c), c.get('tenant').resourceTypes)),
  )
  .post(
    '/.search',
    directoryAuth,
    handle(async (c) => listOf(c, await searchParameters(c), c.get('tenant').resourceTypes)),
  )
  .all(
    '/Me',
    bearerAuth,
    handle(async (c) => {
      await readAs(c.get('tenant'), [])
      // RFC 7644 §3.11: a provider that does not support "/Me" SHOULD answer 501.
      throw new ScimError(
        501,
        undefined,
        '/Me is not supported because the token identifies an application, not a person',
      )
    }),
  )
