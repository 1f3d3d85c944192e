/**
 * Records rejected writes and reads in the provisioning log. Storage records accepted writes, in the same batch as the
 * write. Accepted reads are not recorded.
 */
import type { Context } from 'hono'
import type { HttpEnv } from '../runtime.ts'
import { comparisonKey, isComplex } from '../scim/comparison.ts'
import { HeldError, type ScimError, TakenError } from '../scim/error.ts'
import { type KeptRequest, keptDetail, keptRequest } from '../scim/kept-request.ts'
import type { ResourceType } from '../scim/schema/definition.ts'
import { credentialsOf } from '../storage/access/token-conditions.ts'
import { heldStatements } from '../storage/guard/deprovisioning.ts'
import type { LogAction, LogEntry } from '../storage/log/log-entry.ts'
import { logRefused, logRefusedRead } from '../storage/log/provisioning-log.ts'
import { takenStatement } from '../storage/sources/conflicts.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'

const ACTIONS: Readonly<Record<string, LogAction>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'update',
  DELETE: 'delete',
}

/** Statuses that are not decisions about the write: no valid token, body timeout, too many requests. A held write is one. */
const NOT_LOGGED: ReadonlySet<number> = new Set([401, 408, 429])

/**
 * Logs a rejected write. The same batch verifies the token and the tenant's configuration.
 *
 * @returns false if the rejection is not logged, and so no query was sent
 * @throws {ScimError} 401 if the token is invalid; nothing is logged
 * @throws {StaleTenant} if the configuration used for the rejection is outdated; nothing is logged
 * @throws {DatabaseUnavailable} if the log cannot be written; the client should retry
 */
export async function logRefusal(
  c: Context<HttpEnv>,
  type: StoredResourceType,
  error: ScimError,
): Promise<boolean> {
  const action = c.get('loggedWrite')?.action ?? ACTIONS[c.req.method]
  // A search is a POST but not a write.
  if (action === undefined || c.req.path.endsWith('/.search')) return false
  const isHeld = error instanceof HeldError
  if ((NOT_LOGGED.has(error.status) && !isHeld) || error.status >= 500) return false
  const tenant = c.get('tenant')
  const also = isHeld ? heldStatements(tenant) : conflictsOf(c, type, error)
  const request = requestOf(c, error)
  await logRefused(tenant, { entry: refusedEntry(c, type, action, error), request, also })
  // A hold that begins, and a conflict that opens, are events.
  if (also.length > 0) c.env.pokeWebhooks(tenant.tenantId, tenant.webhooks)
  return true
}

/** What the log keeps of the request: nothing of a token that may only read, or of a body that is not JSON. */
function requestOf(c: Context<HttpEnv>, error: ScimError): KeptRequest | undefined {
  const body = c.get('body')
  if (!c.env.settings.logBodies || body === undefined || error.status === 403) return undefined
  return keptRequest(c.req.method, body, c.get('tenant').resourceTypes)
}

/**
 * Logs a read that asks for something impossible, such as a filter that does not parse. Every other refusal of a read, such
 * as 404, is an ordinary answer.
 *
 * @returns false if the rejection is not logged, and so no query was sent
 * @throws {ScimError|StaleTenant} as `logRefusal`
 */
export async function logReadRefusal(
  c: Context<HttpEnv>,
  type: StoredResourceType,
  error: ScimError,
): Promise<boolean> {
  const isRead = c.req.method === 'GET' || c.req.path.endsWith('/.search')
  if (!isRead || error.status !== 400) return false
  await logRefusedRead(c.get('tenant'), { ...refusedEntry(c, type, 'read', error), resourceName: null })
  return true
}

/** The value that another resource has may be that of another source. */
function conflictsOf(c: Context<HttpEnv>, type: StoredResourceType, error: ScimError) {
  if (!(error instanceof TakenError)) return []
  const write = { credentials: credentialsOf(c.get('tenant')), requestId: c.get('requestId'), type }
  const attribute = type.attributes.find(({ name }) => name === error.attribute)
  const key = attribute && String(comparisonKey(attribute, error.value))
  return key === undefined ? [] : [takenStatement(write, { attribute: error.attribute, key })]
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
    resourceId: c.get('loggedWrite')?.resourceId ?? c.req.param('id') ?? null,
    resourceName: typeof name === 'string' && name.isWellFormed() ? name : null,
    status: error.status,
    scimType: error.scimType ?? null,
    detail: keptDetail(error.detail, c.get('tenant').resourceTypes, askedOf(c)),
    changes: [],
    ignored: [],
    requestId: c.get('requestId'),
  }
}

/** The query of a read, or the filter of a search. A write has none. */
function askedOf(c: Context<HttpEnv>): string {
  const body = c.get('body')
  const filter = isComplex(body) && c.req.path.endsWith('/.search') ? body.filter : undefined
  return typeof filter === 'string' ? filter : Object.values(c.req.query()).join(' ')
}
