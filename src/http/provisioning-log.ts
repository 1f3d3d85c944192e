/**
 * Records refused writes in the provisioning log; accepted ones are logged by storage, in the batch of the
 * write itself.
 */
import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { HttpEnv } from '../runtime.ts'
import { isComplex } from '../scim/comparison.ts'
import { ScimError } from '../scim/error.ts'
import type { ResourceType } from '../scim/schema/definition.ts'
import type { LogAction, LogEntry } from '../storage/log-entry.ts'
import { logRefused } from '../storage/provisioning-log.ts'
import { errorResponse } from './errors.ts'
import { typeNamed } from './request.ts'

const ACTIONS: Readonly<Record<string, LogAction>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'update',
  DELETE: 'delete',
}

/** No token, a body that did not come, too many at once. */
const NOT_LOOKED_AT: ReadonlySet<number> = new Set([401, 408, 429])

/**
 * Logs what the handlers after it refuse of resources of a type. When the token turns out not to be valid, the answer is 401
 * and nothing is logged; when the log cannot be written, the client is told to come again.
 */
export function provisioningLog(typeName: string) {
  return createMiddleware<HttpEnv>(async function provisioningLog(c, next) {
    const action = ACTIONS[c.req.method]
    if (action === undefined) return next()
    await next()
    const { error } = c
    // A search is a POST that writes nothing.
    if (!(error instanceof ScimError) || c.req.path.endsWith('/.search')) return
    // Not let in, or not looked at: "try again" is no decision about the write.
    if (NOT_LOOKED_AT.has(error.status) || error.status >= 500) return
    try {
      await logRefused(
        c.get('db'),
        c.get('credentials'),
        refusedEntry(c, typeNamed(c, typeName), action, error),
      )
    } catch (failure) {
      c.res = errorResponse(c, failure)
    }
  })
}

function refusedEntry(
  c: Context<HttpEnv>,
  type: ResourceType,
  action: LogAction,
  error: ScimError,
): LogEntry {
  const body = c.get('body')
  const name = isComplex(body) ? body[type.nameAttribute] : undefined
  return {
    id: c.env.newId(),
    time: c.get('credentials').now,
    action,
    outcome: 'refused',
    resourceType: type.name,
    resourceId: c.req.param('id') ?? null,
    resourceName: typeof name === 'string' && name.isWellFormed() ? name : null,
    status: error.status,
    scimType: error.scimType ?? null,
    detail: error.detail,
    changes: [],
    ignored: [],
    requestId: c.get('requestId'),
  }
}
