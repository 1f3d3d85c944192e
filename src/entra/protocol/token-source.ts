/**
 * Supplies the bearer token of each request: always the same one, or access tokens of OAuth 2.0 (../oauth/).
 */
import type { Failure } from './response.ts'

export type TokenOutcome = { readonly ok: true; readonly token: string } | Failure

export interface TokenSource {
  /** Returns a token that is expected to be valid. When `signal` aborts, waiting for a retry ends. */
  token(signal?: AbortSignal): Promise<TokenOutcome>
  /**
   * Reports that a token was answered with 401.
   * @returns whether another token is available, so that the request can be repeated
   */
  reject(token: string): boolean
}

/** The Secret Token that an administrator entered. */
export function secretToken(token: string): TokenSource {
  return { token: async () => ({ ok: true, token }), reject: () => false }
}

/** Shorter values occur in ordinary text. */
const MIN_REDACTED_LENGTH = 8

/** Replaces secrets in a text that is shown or logged, such as an error message that repeats the request. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= MIN_REDACTED_LENGTH)
    .flatMap(spellings)
    .reduce((redacted, spelling) => redacted.replaceAll(spelling, '***'), text)
}

/** A value as it is, in a URL, in a form, and in JSON. */
function spellings(secret: string): string[] {
  const form = new URLSearchParams([['', secret]]).toString().slice(1)
  return [secret, encodeURIComponent(secret), form, JSON.stringify(secret).slice(1, -1)]
}
