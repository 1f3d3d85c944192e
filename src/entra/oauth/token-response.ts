/**
 * Interprets the responses of a token endpoint (RFC 6749 §5): an access token, or a failure of the job. Without an
 * access token no request can be sent, so every failure puts the job into quarantine. Pure.
 */
import { isObject, type JsonObject, parseJson } from '../problem.ts'
import type { ErrorCode, Failure, WireResponse } from '../protocol/response.ts'
import { redact } from '../protocol/token-source.ts'

export interface AccessToken {
  readonly ok: true
  readonly token: string
  readonly expiresInSeconds: number
}

export type AccessTokenOutcome = AccessToken | Failure

/** Microsoft's validator assumes this lifetime if the response has no `expires_in`. */
export const DEFAULT_EXPIRES_IN_SECONDS = 3600

/** @param secrets values that the endpoint may repeat in its message, and that must not be logged */
export function interpretTokenResponse(
  url: string,
  answer: WireResponse,
  secrets: readonly string[],
): AccessTokenOutcome {
  if (answer.kind === 'none') {
    const code = answer.reason === 'timeout' ? 'Timeout' : 'WebExceptionProtocolError'
    return failure(code, `Token endpoint ${url}: ${answer.message}`)
  }
  const { status } = answer
  const body = jsonObject(answer.text)
  if (status < 200 || status > 299) {
    const reason = `HTTP ${status}${describeError(status, body, secrets)}`
    return failure(errorCode(status), `Token endpoint ${url}: ${reason}`, status)
  }
  const token = body?.access_token
  if (typeof token !== 'string' || token === '') {
    const reason = body === undefined ? 'a body that is not a JSON object' : 'no "access_token"'
    return failure(REFUSED, `Token endpoint ${url}: HTTP ${status} with ${reason}`, status)
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    const reason = 'an "access_token" that cannot be sent in a header'
    return failure(REFUSED, `Token endpoint ${url}: HTTP ${status} with ${reason}`, status)
  }
  return { ok: true, token, expiresInSeconds: expiresIn(body?.expires_in) }
}

const REFUSED: ErrorCode = 'SystemForCrossDomainIdentityManagementCredentialValidationFailure'

/** Long messages are truncated, because people read the log. */
const MAX_MESSAGE_LENGTH = 300

/** RFC 6749 §5.2 has an error for each refusal; all of them mean that the credentials cannot be used. */
function errorCode(status: number): ErrorCode {
  if (status === 429) return 'TooManyRequests'
  if (status >= 500) return 'InternalServerError'
  return status < 400 ? 'WebExceptionProtocolError' : REFUSED
}

function describeError(status: number, body: JsonObject | undefined, secrets: readonly string[]): string {
  if (status >= 300 && status <= 399) return ': redirects are not followed'
  const { error, error_description: description } = body ?? {}
  if (typeof error !== 'string') return ' without an OAuth error in JSON'
  const message = typeof description === 'string' ? `${error}: ${description}` : error
  // In this order, because a secret that is cut is not recognized.
  return ` ${redact(message, secrets).slice(0, MAX_MESSAGE_LENGTH)}`
}

/** Some endpoints send a string of digits. */
function expiresIn(value: unknown): number {
  const seconds = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0
    ? seconds
    : DEFAULT_EXPIRES_IN_SECONDS
}

export function jsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = parseJson(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function failure(code: ErrorCode, detail: string, status?: number): Failure {
  return { ok: false, code, reach: 'job', detail, ...(status === undefined ? {} : { status }) }
}
