/**
 * The errors of a sign-in by OpenID Connect, in words for the sign-in page.
 */
import {
  AuthorizationResponseError,
  OperationProcessingError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi'
import { KeysUnavailable } from '../../jwt/key-sets.ts'
import { JwtRefused } from '../../jwt/verify.ts'
import type { OidcSettings } from '../../runtime.ts'
import { ProviderUnavailable, providerName } from './provider.ts'
import { SignInRefused } from './sign-in.ts'

export interface SignInFailure {
  readonly status: 400 | 503
  /** Sentences. What the provider says in it may be anything: see `Layout` for hidden characters. */
  readonly message: string
}

const MAX_DESCRIPTION_CHARACTERS = 300

/** @returns undefined for an error that is not one of the sign-in */
export function signInFailure(oidc: OidcSettings, error: unknown): SignInFailure | undefined {
  const host = providerName(oidc)
  if (error instanceof SignInRefused) return { status: 400, message: `${error.message} Sign in again.` }
  if (error instanceof ProviderUnavailable) {
    return { status: 503, message: `The sign-in at ${host} failed: ${error.message}.` }
  }
  if (error instanceof KeysUnavailable) {
    return { status: 503, message: `The keys of ${host} cannot be fetched. Try again.` }
  }
  if (error instanceof JwtRefused) return invalid(host, JWT_REASONS[error.reason] ?? error.reason)
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) {
    return refused(host, error.error, error.error_description)
  }
  if (error instanceof WWWAuthenticateChallengeError) return refused(host, 'invalid_client', undefined)
  if (error instanceof OperationProcessingError) return invalid(host, error.message)
  return undefined
}

/** Reasons that say too little to an administrator. */
const JWT_REASONS: Readonly<Record<string, string>> = {
  malformed:
    'the ID token is malformed, or longer than 16,384 characters, mostly because of very many groups',
}

function invalid(host: string, reason: string): SignInFailure {
  return { status: 400, message: `The answer of ${host} is refused: ${reason}.` }
}

/** What to do about the usual errors of RFC 6749 §4.1.2.1 and §5.2, and of OpenID Connect Core 1.0 §3.1.2.6. */
const ADVICE: Readonly<Record<string, string>> = {
  access_denied: 'Ask for access to the application there.',
  invalid_client: 'Compare OIDC_CLIENT_ID and OIDC_CLIENT_SECRET with the application there.',
  invalid_grant: 'The code was used before or has expired. Sign in again.',
  invalid_scope: 'Compare OIDC_SCOPES with what the application there allows.',
  redirect_uri_mismatch: 'Add the redirect URI of this server to the application there.',
  unauthorized_client: 'The application there must allow the authorization code flow.',
}

function refused(host: string, code: string, description: string | undefined): SignInFailure {
  const said = description === undefined ? code : `${description} (${code})`
  const advice = Object.hasOwn(ADVICE, code) ? ` ${ADVICE[code]}` : ''
  return {
    status: 400,
    message: `${host} refused the sign-in: ${said.slice(0, MAX_DESCRIPTION_CHARACTERS)}.${advice}`,
  }
}
