/**
 * Records refused writes in the provisioning log; accepted ones are logged by storage, in the batch of the
 * write itself.
 */
import type { Context } from 'hono'
import type { HttpEnv } from '../runtime.ts'
import { isComplex } from '../scim/comparison.ts'
import type { ScimError } from '../scim/error.ts'
import type { ResourceType } from '../scim/schema/definition.ts'
import type { LogAction, LogEntry } from '../storage/log/log-entry.ts'
import { logRefused } from '../storage/log/provisioning-log.ts'

const ACTIONS: Readonly<Record<string, LogAction>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'update',
  DELETE: 'delete',
}

/** No token, a body that did not come, too many at once. */
const NOT_LOOKED_AT: ReadonlySet<number> = new Set([401, 408, 429])

/**
 * Logs a write that was refused.
 *
 * @returns false when the log has nothing to say of it: then the database was not asked
 * @throws {ScimError} 401 when the token turns out not to be valid: then nothing is logged
 * @throws {StaleTenant} the refusal followed from a configuration that the tenant no longer has: nothing is logged either
 * @throws {DatabaseUnavailable} the log cannot be written: the client is told to come again
 */
export async function logRefusal(
  c: Context<HttpEnv>,
  type: ResourceType,
  error: ScimError,
): Promise<boolean> {
  const action = ACTIONS[c.req.method]
  // A search is a POST that writes nothing.
  if (action === undefined || c.req.path.endsWith('/.search')) return false
  // Not let in, or not looked at: "try again" is no decision about the write.
  if (NOT_LOOKED_AT.has(error.status) || error.status >= 500) return false
  await logRefused(c.get('tenant'), refusedEntry(c, type, action, error))
  return true
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
    time: c.get('tenant').actor.now,
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
