/**
 * Writes the audit trail: one entry for each request of an administrator that may change something, accepted or refused, and
 * for each sign-in. This middleware is the only place that does.
 */
import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { logFault } from '../../edge/log-fault.ts'
import { clientNetwork } from '../../edge/network.ts'
import type { HttpEnv } from '../../runtime.ts'
import { shorten } from '../../scim/error.ts'
import { MAX_SCHEMA_URN_CHARACTERS } from '../../scim/limits.ts'
import { SessionEnded } from '../../storage/access/sessions.ts'
import {
  beginningAudit,
  insertAuditEntry,
  type NewAuditEntry,
} from '../../storage/administrators/audit-trail.ts'
import { AdministratorEvent } from '../../storage/events/administrator-events.ts'
import { PERMISSIONS, type Rule } from '../contract/permissions.ts'
import { ADMIN_API_PATH, ROUTES } from '../contract/routes.ts'
import { administrationDatabase } from '../database.ts'
import { toAdminError } from '../errors.ts'
import { isShown } from './audit-note.ts'
import {
  formOperationOf,
  isSignIn,
  operationOf,
  type RecordedOperation,
  signInOperationOf,
} from './operations.ts'

const MAX_TEXT_CHARACTERS = 500
/** Of a tenant's id: a path may name anything. */
const MAX_ID_CHARACTERS = 100
/** Of a target, of which the URN of a schema may be the longest. */
const MAX_TARGET_CHARACTERS = MAX_SCHEMA_URN_CHARACTERS
const TOO_MANY = 429

/**
 * Around authentication and all handlers. The first transaction of the request that writes to the first database also stores
 * its entry, as begun: a crash cannot leave a change without one. The outcome is stored after the request; if that fails, the
 * application log has the error, and the answer stays: what was done is done.
 */
export const audit = createMiddleware<HttpEnv>(async function audit(c, next) {
  const begun = beginning(c)
  await next()
  const operation = recordedOperation(c)
  if (operation === undefined) return
  const entry = entryOf(c, operation)
  if (entry === undefined) return
  try {
    // Without the check of the session, which the request may have ended.
    await insertAuditEntry(administrationDatabase({ env: c.env }, c.get('figures')), entry, begun.key)
  } catch (error) {
    logFault(c, error)
  }
})

/** @returns an object whose key is set as soon as the entry may have been stored */
function beginning(c: Context<HttpEnv>): { key?: string } {
  const begun: { key?: string } = {}
  const operation = recordedOperation(c)
  if (operation === undefined || isSignIn(operation)) return begun
  c.set('event', eventOf(c, operation))
  const begin = () => {
    const entry = entryOf(c, operation)
    if (entry === undefined) return undefined
    begun.key ??= `begun ${c.env.newId()}`
    return { key: begun.key, entry: { ...entry, outcome: 'begun', status: 0, detail: null } as const }
  }
  c.set('beginAudit', (db) => beginningAudit(db, begin))
  c.set('db', administrationDatabase(c, c.get('figures')))
  return begun
}

/** What the event feed of the tenant tells of the request, if it changes something. */
function eventOf(c: Context<HttpEnv>, operation: RecordedOperation): AdministratorEvent {
  const event = new AdministratorEvent({
    request() {
      const entry = entryOf(c, operation)
      if (entry === undefined || entry.tenantId === null) return undefined
      const { tenantId, requestId, time: now, target, source, via } = entry
      return { tenantId, requestId, now, operation, target, source, via }
    },
    onTold: ({ tenantId }, webhooks) => c.env.pokeWebhooks(tenantId, webhooks),
    /** The change is stored, so an event that cannot be stored does not refuse it. */
    async tellAtHome(name, act) {
      const home = c.get('home') as string | undefined
      if (home === undefined || home === name) return
      try {
        await event.tell(c.env.openDatabase(home, c.get('figures')), act)
      } catch (error) {
        logFault(c, error)
      }
    },
  })
  return event
}

/** @returns undefined for a request that the trail does not name */
function recordedOperation(c: Context<HttpEnv>): RecordedOperation | undefined {
  const other = signInOperationOf(c) ?? formOperationOf(c)
  if (other !== undefined) return other
  const operation = operationOf(c)
  // The answer to HEAD has no body, so nothing is taken away.
  if (operation === undefined || c.req.method === 'HEAD') return undefined
  const rule: Rule = PERMISSIONS[ROUTES[operation].permission]
  return c.req.method === 'GET' && rule.isRecorded !== true ? undefined : operation
}

/** @returns undefined if there is nobody to name, or the sign-ins are too many to be stored */
function entryOf(c: Context<HttpEnv>, operation: RecordedOperation): NewAuditEntry | undefined {
  const administrator = c.get('administrator') as HttpEnv['Variables']['administrator'] | undefined
  const { status } = c.res
  if (administrator === undefined && (!isSignIn(operation) || status === TOO_MANY)) return undefined
  if (c.error instanceof SessionEnded) return undefined
  const isRefused = status >= 400
  const { target, changes } = c.get('auditNote') ?? {}
  const where = pathOf(c)
  return {
    time: c.env.now(),
    administrator: shorten(administrator?.name ?? `someone at ${clientNetwork(c)}`),
    via: administrator?.via ?? null,
    operation,
    source: c.req.path.startsWith(`${ADMIN_API_PATH}/`) ? 'admin API' : 'dashboard',
    tenantId: where.tenantId?.slice(0, MAX_ID_CHARACTERS) ?? null,
    target: (target ?? where.target)?.slice(0, MAX_TARGET_CHARACTERS) ?? null,
    outcome: isRefused ? 'refused' : 'accepted',
    status,
    detail: isRefused ? detailOf(c) : null,
    changes: JSON.stringify(Object.values(changes ?? {})),
    requestId: c.get('requestId'),
  }
}

/** The tenant in the path, and the last other parameter. */
function pathOf(c: Context<HttpEnv>): { readonly tenantId?: string; readonly target?: string } {
  const tenantId = c.get('pathTenant')
  const parameters = Object.values(c.req.param() as Readonly<Record<string, string>>)
  const target = parameters.filter((value) => value !== tenantId).at(-1)
  return { ...(tenantId !== undefined && { tenantId }), ...(target !== undefined && { target }) }
}

/**
 * Why the request was refused, without the value of a field that the trail does not show: everybody who may read the tenant
 * reads it. A form that is shown again tells it in the form only.
 */
function detailOf(c: Context<HttpEnv>): string | null {
  if (c.error === undefined) return null
  const { message, field } = toAdminError(c.error)
  const shown = field === undefined || isShown(field) ? message : message.replace(/, found .*$/s, '')
  return shown.slice(0, MAX_TEXT_CHARACTERS)
}
