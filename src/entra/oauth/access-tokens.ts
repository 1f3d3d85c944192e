/**
 * Keeps the access token of a job: fetched for the first request, renewed before it expires and after a 401, and shared
 * by concurrent requests. The assertion of a workload is kept in the same way, because Entra reuses it too.
 */
import type { Clock, Instant } from '../clock.ts'
import type { TokenOutcome, TokenSource } from '../protocol/token-source.ts'
import type { FederatedGrant, Grant } from './grant.ts'
import { requestAssertion, requestToken, type TokenClientOptions } from './token-client.ts'
import { clientCredentialsRequest, federatedRequest } from './token-request.ts'
import type { AccessTokenOutcome } from './token-response.ts'

/** A token is renewed this long before it expires, or after half of its lifetime if that is later. */
const RENEWAL_MARGIN_MS = 5 * 60_000

/** The access tokens of a grant, requested from the target's token endpoint. */
export function accessTokens(grant: Grant, options: TokenClientOptions): TokenSource {
  if (grant.kind === 'federated') return federatedTokens(grant, options)
  const request = clientCredentialsRequest(grant)
  return new KeptToken(options.clock, (signal) => requestToken(request, options, signal))
}

function federatedTokens(grant: FederatedGrant, options: TokenClientOptions): TokenSource {
  const assertions = new KeptToken(options.clock, (signal) =>
    requestAssertion(grant.workload, options, signal),
  )
  return new KeptToken(options.clock, async (signal) => {
    const assertion = await assertions.token(signal)
    if (!assertion.ok) return assertion
    const outcome = await requestToken(federatedRequest(grant, assertion.token), options, signal)
    // The next attempt, in a later cycle, presents a new assertion.
    if (!outcome.ok) assertions.reject(assertion.token)
    return outcome
  })
}

class KeptToken implements TokenSource {
  readonly #clock: Clock
  readonly #request: (signal?: AbortSignal) => Promise<AccessTokenOutcome>
  #kept: { readonly token: string; readonly renewAt: Instant } | undefined
  #requested: Promise<TokenOutcome> | undefined

  constructor(clock: Clock, request: (signal?: AbortSignal) => Promise<AccessTokenOutcome>) {
    this.#clock = clock
    this.#request = request
  }

  async token(signal?: AbortSignal): Promise<TokenOutcome> {
    const kept = this.#kept
    if (kept !== undefined && this.#clock.now() < kept.renewAt) return { ok: true, token: kept.token }
    this.#requested ??= this.#renew(signal).finally(() => {
      this.#requested = undefined
    })
    return this.#requested
  }

  /** Concurrent requests report the same token; only the first report drops it. */
  reject(token: string): boolean {
    if (this.#kept?.token === token) this.#kept = undefined
    return true
  }

  async #renew(signal?: AbortSignal): Promise<TokenOutcome> {
    const requestedAt = this.#clock.now()
    const outcome = await this.#request(signal)
    if (!outcome.ok) return outcome
    const lifetimeMs = outcome.expiresInSeconds * 1000
    const renewAt = requestedAt + Math.max(lifetimeMs - RENEWAL_MARGIN_MS, lifetimeMs / 2)
    this.#kept = { token: outcome.token, renewAt }
    return outcome
  }
}
