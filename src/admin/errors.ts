/**
 * Errors of the administrator's part: the API answers `{ "error": { "code", "message", "field" } }` with
 * the fitting status, the dashboard a page that says the same (src/admin/routes.tsx).
 */
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { ScimError } from '../scim/error.ts'
import { DatabaseUnavailable, GuardError } from '../storage/database.ts'
import { TenantMoved } from '../storage/databases.ts'

/** An expected failure. `message` is safe for the wire; `field` names the input that it is about. */
export class AdminError extends Error {
  readonly status: ContentfulStatusCode
  readonly code: string
  readonly field: string | undefined

  constructor(
    status: ContentfulStatusCode,
    code: string,
    message: string,
    field?: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.status = status
    this.code = code
    this.field = field
  }
}

/** 400 for a field: what was found, and what is allowed. */
export function invalidField(field: string, expected: string, found: unknown): AdminError {
  const text = found === undefined ? 'nothing' : JSON.stringify(found)
  return new AdminError(400, 'invalid', `"${field}" must be ${expected}, found ${text.slice(0, 100)}`, field)
}

/** The only place where the admin API turns errors into responses. */
export function adminErrorResponse(c: Context, error: unknown): Response {
  // Middleware of Hono brings its own response along: the challenge of a 401.
  if (error instanceof HTTPException) return error.getResponse()
  const known = toAdminError(error)
  if (known.status >= 500) logFault(c, error)
  const { code, message, field } = known
  const retry: Record<string, string> =
    known.status === 503 || known.status === 429 ? { 'Retry-After': '5' } : {}
  return c.json({ error: { code, message, ...(field !== undefined && { field }) } }, known.status, retry)
}

/** The message of a fault, never a statement or its values: those hold names of people. */
export function logFault(c: Context, error: unknown): void {
  const causes: string[] = []
  for (let at = error; at instanceof Error; at = at.cause) causes.push(at.message)
  console.error(JSON.stringify({ requestId: c.get('requestId'), route: c.req.routePath, causes }))
}

/** Of what the core and the reading of bodies refuse. */
const CODES: Readonly<Record<number, string>> = {
  404: 'notFound',
  408: 'timeout',
  409: 'conflict',
  413: 'tooLarge',
  429: 'tooMany',
  503: 'unavailable',
}

/** What is expected as it is, everything else without detail. */
export function toAdminError(error: unknown): AdminError {
  if (error instanceof AdminError) return error
  if (error instanceof DatabaseUnavailable) {
    return new AdminError(503, 'unavailable', 'the directory does not answer at the moment; try again')
  }
  if (error instanceof TenantMoved || (error instanceof GuardError && error.rule === 'moving')) {
    return new AdminError(503, 'unavailable', 'the tenant is being moved to another database; try again')
  }
  if (error instanceof ScimError) {
    const { status, detail } = error
    return new AdminError(status as ContentfulStatusCode, CODES[status] ?? 'invalid', detail)
  }
  return new AdminError(500, 'internal', 'an unexpected error; the request id names it in the log')
}
