/**
 * Errors of the admin API and the dashboard. The API answers with a status and
 * `{ "error": { "code", "message", "field" } }`, the dashboard with a page (src/admin/routes.tsx).
 */
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { logFault } from '../edge/log-fault.ts'
import { TransferRefused } from '../provider/transfer/refused.ts'
import { quote, ScimError, shorten } from '../scim/error.ts'
import { ClientGone, DatabaseUnavailable, GuardError } from '../storage/database/database.ts'
import { NamedDatabaseUnavailable, TenantMoved } from '../storage/tenants/locations.ts'
import { choice } from './contract/allowed.ts'

/**
 * An expected failure. `message` is safe to send; `field` names the invalid input, if there is one. `onPage` is what the
 * dashboard says instead, because it has other ways out than the admin API.
 */
export class AdminError extends Error {
  readonly status: ContentfulStatusCode
  readonly code: string
  readonly field: string | undefined
  readonly onPage: string

  constructor(
    status: ContentfulStatusCode,
    code: string,
    message: string,
    field?: string,
    { onPage = message, ...options }: ErrorOptions & { readonly onPage?: string } = {},
  ) {
    super(message, options)
    this.status = status
    this.code = code
    this.field = field
    this.onPage = onPage
  }
}

/** A 400 for a field, with the value found and the values allowed. */
export function invalidField(field: string, expected: string, found: unknown): AdminError {
  const text = found === undefined ? 'nothing' : JSON.stringify(found)
  return new AdminError(400, 'invalid', `"${field}" must be ${expected}, found ${text.slice(0, 100)}`, field)
}

/** @param found the field "resourceType"; undefined if it is not given @throws {AdminError} 400 */
export function requireTypeName(names: readonly string[], found: string | undefined): void {
  if (found === undefined || names.includes(found)) return
  throw invalidField('resourceType', choice(names.map((name) => `"${name}"`)), found)
}

/** A 400 for a field that a body or a query cannot have. */
export function unknownField(field: string, known: readonly string[]): AdminError {
  const use = known.length === 0 ? 'the request has no fields' : `use one of ${known.join(', ')}`
  return new AdminError(400, 'invalid', `${quote(field)} is not a known field; ${use}`, shorten(field))
}

/** The only place where the admin API turns errors into responses. */
export function adminErrorResponse(c: Context, error: unknown): Response {
  // An HTTPException of Hono has its own response, such as the 401 with its challenge.
  if (error instanceof HTTPException) return error.getResponse()
  const known = toAdminError(error)
  if (known.status >= 500) logFault(c, error)
  const { code, message, field } = known
  const retry: Record<string, string> =
    known.status === 503 || known.status === 429 ? { 'Retry-After': '5' } : {}
  return c.json({ error: { code, message, ...(field !== undefined && { field }) } }, known.status, retry)
}

/** The answer for an unknown path. */
export function adminNotFound(c: Context): Response {
  return adminErrorResponse(c, new AdminError(404, 'notFound', `there is no ${shorten(c.req.path)}`))
}

/** The answer to every request while a setting has an invalid value. */
export function adminMisconfigured(c: Context): Response {
  const message = 'the server is not configured; its log names the setting'
  return adminErrorResponse(c, new AdminError(503, 'notConfigured', message))
}

/** The error codes of ScimErrors, by status. */
const CODES: Readonly<Record<number, string>> = {
  404: 'notFound',
  408: 'timeout',
  409: 'conflict',
  413: 'tooLarge',
  429: 'tooMany',
  503: 'unavailable',
}

/** Turns any error into an AdminError. An unexpected error becomes a 500 without details. */
export function toAdminError(error: unknown): AdminError {
  if (error instanceof AdminError) return error
  if (error instanceof ClientGone)
    return new AdminError(499 as ContentfulStatusCode, 'invalid', error.message)
  if (error instanceof NamedDatabaseUnavailable) return new AdminError(503, 'unavailable', error.message)
  if (error instanceof DatabaseUnavailable) {
    return new AdminError(503, 'unavailable', 'the database does not respond; try again')
  }
  if (error instanceof TenantMoved || (error instanceof GuardError && error.rule === 'moving')) {
    return new AdminError(503, 'unavailable', 'the tenant is being moved to another database; try again')
  }
  if (error instanceof TransferRefused) {
    const { status, message, field } = error
    return new AdminError(status as ContentfulStatusCode, CODES[status] ?? 'invalid', message, field)
  }
  if (error instanceof ScimError) {
    const { status, detail } = error
    return new AdminError(status as ContentfulStatusCode, CODES[status] ?? 'invalid', detail)
  }
  return new AdminError(500, 'internal', 'unexpected error; the log has details under the request id')
}
