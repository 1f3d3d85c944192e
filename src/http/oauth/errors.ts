/**
 * Errors of the token endpoint (RFC 6749 §5.2). This is the only place that makes responses of them.
 */
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { logFault } from '../../edge/log-fault.ts'
import type { HttpEnv } from '../../runtime.ts'
import { ScimError, shorten } from '../../scim/error.ts'
import { AccessRefused } from '../../storage/access/access-refused.ts'
import { DatabaseUnavailable } from '../../storage/database/database.ts'
import type { LoggedReason } from '../../storage/log/failed-access.ts'
import { RETRY_AFTER_SECONDS } from '../errors.ts'

/**
 * The codes of RFC 6749 §5.2. That section has none for 429, 500 and 503, so these use the codes of §4.1.2.1 with the same
 * meaning.
 */
export type OauthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_scope'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'temporarily_unavailable'
  | 'server_error'

/** Why a credential is refused, for the logs. */
export type RefusedReason = LoggedReason | 'no credential' | 'unsupported method'

/** An expected failure. */
export class OauthError extends Error {
  readonly status: number
  readonly code: OauthErrorCode
  /** Why the credential was refused, for the logs only. */
  readonly reason: RefusedReason | undefined

  /** @param description is sent to the client */
  constructor(
    status: number,
    code: OauthErrorCode,
    description: string,
    { reason, ...options }: ErrorOptions & { readonly reason?: RefusedReason } = {},
  ) {
    super(description, options)
    this.status = status
    this.code = code
    this.reason = reason
  }
}

export function invalidRequest(description: string): OauthError {
  return new OauthError(400, 'invalid_request', description)
}

/** The same error for every reason, so that an attacker does not learn how close a guess was. */
export function invalidClient(reason: RefusedReason): OauthError {
  const description = 'the client is unknown, or its credential is wrong, expired or revoked'
  return new OauthError(401, 'invalid_client', description, { reason })
}

/** For an assertion whose signature cannot be checked now. */
export function keysUnavailable(reason: RefusedReason): OauthError {
  const description = 'the keys of the issuer cannot be fetched; try again later'
  return new OauthError(503, 'temporarily_unavailable', description, { reason })
}

/** For a client with too many access tokens, and for an address with too many refused credentials. */
export function tooManyRequests(origin: string): OauthError {
  return new OauthError(429, 'temporarily_unavailable', `too many requests ${origin}; try again later`)
}

/** The error of every request while a setting has an invalid value. */
export function misconfigured(): OauthError {
  return new OauthError(
    503,
    'temporarily_unavailable',
    'the server is misconfigured; its log names the setting',
  )
}

/** A text from the request for a description, in the characters that RFC 6749 §5.2 allows. */
export function quoted(text: string): string {
  return `'${shorten(text).replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')}'`
}

/** An error as a response of the token endpoint (RFC 6749 §5.2). */
export function oauthErrorResponse(c: Context<HttpEnv>, error: unknown): Response {
  const { status, code, message } = oauthErrorOf(c, error)
  const body = JSON.stringify({ error: code, error_description: message })
  return c.body(body, status as ContentfulStatusCode, { ...JSON_HEADERS, ...headersOf(status) })
}

/** The headers of every response (RFC 6749 §5.1). */
export const JSON_HEADERS = {
  'Content-Type': 'application/json',
  'Cache-Control': 'no-store',
  Pragma: 'no-cache',
} as const

function headersOf(status: number): Record<string, string> {
  // RFC 9110 §15.5.2 requires a challenge. RFC 6749 §5.2: it matches the scheme of the request, if that has one.
  if (status === 401) return { 'WWW-Authenticate': 'Basic realm="scim-worker", charset="UTF-8"' }
  if (status === 405) return { Allow: 'POST' }
  return status === 429 || status === 503 ? { 'Retry-After': String(RETRY_AFTER_SECONDS) } : {}
}

function oauthErrorOf(c: Context<HttpEnv>, error: unknown): OauthError {
  if (error instanceof OauthError) return error
  // The tenant does not exist.
  if (error instanceof AccessRefused) return invalidClient('unknown client')
  if (error instanceof ScimError) return ofScimError(error)
  logFault(c, error)
  return error instanceof DatabaseUnavailable
    ? new OauthError(503, 'temporarily_unavailable', 'the database does not respond; try again')
    : new OauthError(500, 'server_error', 'unexpected error; the log has details under the request id')
}

/** A failure that other endpoints have too: of the address, of the body, or because the tenant is moved. */
function ofScimError({ status, detail }: ScimError): OauthError {
  const description = detail.replaceAll('"', "'").replace(/[^\x20-\x7e]|\\/g, '?')
  if (status === 429 || status === 503) return new OauthError(status, 'temporarily_unavailable', description)
  return invalidRequest(description)
}
