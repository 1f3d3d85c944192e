/** Sends the requests of `check`: with the token of the job or another one, and with account of the created objects. */
import type { Clock, NewId } from '../clock.ts'
import type { TestObjects } from '../concurrency/test-objects.ts'
import type { Fetch } from '../protocol/fetch.ts'
import type { ScimRequest } from '../protocol/requests.ts'
import type { WireResponse } from '../protocol/response.ts'
import { type Exchange, ScimClient } from '../protocol/scim-client.ts'
import type { TenantUrl } from '../protocol/tenant-url.ts'
import { secretToken, type TokenSource } from '../protocol/token-source.ts'
import type { Credentials } from './checks/check-definition.ts'

export interface CheckClientOptions {
  readonly tenantUrl: TenantUrl
  readonly tokens: TokenSource
  readonly fetch: Fetch
  readonly clock: Clock
  readonly newId: NewId
  readonly signal?: AbortSignal
}

export class CheckClient {
  readonly #options: CheckClientOptions
  readonly #objects: TestObjects

  constructor(options: CheckClientOptions, objects: TestObjects) {
    this.#options = options
    this.#objects = objects
  }

  get isAborted(): boolean {
    return this.#options.signal?.aborted === true
  }

  /** Sends a request; an abort ends it. The answer is the one that the client shows, without the token. */
  async send(request: ScimRequest, credentials?: Credentials): Promise<Exchange> {
    const { signal, fetch } = this.#options
    const abortable: Fetch =
      signal === undefined
        ? fetch
        : (url, init) => fetch(url, { ...init, signal: AbortSignal.any([init.signal, signal]) })
    this.#objects.expect(request)
    const exchange = await this.#exchange(request, credentials, abortable)
    this.#objects.note(request, exchange.answer)
    return exchange
  }

  /** Sends a request in spite of an abort, to delete objects. */
  async sendAfterAbort(request: ScimRequest): Promise<WireResponse> {
    return (await this.#exchange(request, undefined, this.#options.fetch)).answer
  }

  async #exchange(
    request: ScimRequest,
    credentials: Credentials | undefined,
    fetch: Fetch,
  ): Promise<Exchange> {
    const { tenantUrl, clock, signal } = this.#options
    let exchange: Exchange | undefined
    const onExchange = (reported: Exchange) => {
      exchange = reported
    }
    const client = new ScimClient({
      ...{ tenantUrl, clock, onExchange },
      ...(signal === undefined ? {} : { signal }),
      fetch: credentials === 'none' ? withoutToken(fetch) : fetch,
      tokens: await this.#tokens(credentials),
    })
    const outcome = await client.send('match', request)
    if (exchange !== undefined) return exchange
    if (outcome.ok) throw new Error('the client did not report the exchange')
    // Without an access token the client sends nothing.
    const answer = { kind: 'none', reason: 'network', message: outcome.detail } as const
    return { request, answer, durationMs: 0 }
  }

  async #tokens(credentials: Credentials | undefined): Promise<TokenSource> {
    const { tokens, newId } = this.#options
    if (credentials === 'random') return secretToken(newId())
    if (credentials !== 'altered') return tokens
    const issued = await tokens.token()
    return issued.ok ? secretToken(altered(issued.token)) : tokens
  }
}

function altered(token: string): string {
  const last = token.endsWith('A') ? 'B' : 'A'
  return `${token.slice(0, -1)}${last}`
}

function withoutToken(fetch: Fetch): Fetch {
  return (url, init) => {
    const { Authorization: _, ...headers } = init.headers
    return fetch(url, { ...init, headers })
  }
}
