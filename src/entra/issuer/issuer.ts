/**
 * An issuer of assertions in place of login.microsoftonline.com: token endpoint, keys, and metadata of one tenant, as a
 * function from request to response. It accepts any secret, because it stands for the sign-in of Entra's own service:
 * whoever can reach it is the workload.
 *
 * Microsoft: "Microsoft identity platform and the OAuth 2.0 client credentials flow" (requests and errors).
 */
import type { Clock, NewId } from '../clock.ts'
import { assertionClaims, EXPIRES_IN_SECONDS, signAssertion } from './assertion.ts'
import type { Fault } from './faults.ts'
import { type IssuerAddresses, issuerAddresses, type WorkloadIdentity } from './identity.ts'
import { newSigningKey, publicKey, type SigningKey } from './signing-keys.ts'

export interface IssuerOptions {
  /** Scheme, host and port under which the issuer is reached. */
  readonly origin: string
  readonly identity: WorkloadIdentity
  /** The published keys; the last one signs. */
  readonly keys: readonly [SigningKey, ...SigningKey[]]
  readonly faults?: ReadonlySet<Fault>
  /** The issuer's clock. Clock skew is a clock that is ahead or behind. */
  readonly clock: Clock
  readonly newId: NewId
}

/** Longer than the time that a target should wait. */
const SLOW_MS = 10_000
const HUGE_BYTES = 1_000_000

export class Issuer {
  readonly addresses: IssuerAddresses
  readonly #options: IssuerOptions
  readonly #faults: ReadonlySet<Fault>
  readonly #published: SigningKey[]
  #current: SigningKey

  constructor(options: IssuerOptions) {
    this.#options = options
    this.#faults = options.faults ?? new Set()
    this.#published = [...options.keys]
    this.#current = options.keys.at(-1) ?? options.keys[0]
    this.addresses = issuerAddresses(options.origin, options.identity.tenantId)
  }

  /** Answers a request to the issuer. */
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    const tenant = `/${this.#options.identity.tenantId}`
    if (!pathname.startsWith(`${tenant}/`)) return tenantNotFound(pathname)
    switch (pathname.slice(tenant.length)) {
      case '/oauth2/v2.0/token':
        return request.method === 'POST' ? this.#token(request) : new Response(null, { status: 405 })
      case '/v2.0/.well-known/openid-configuration':
        return json(200, this.#metadata())
      case '/discovery/v2.0/keys':
        return this.#keys()
      case '/discovery/v2.0/keys/moved':
        return json(200, this.#jwks())
      default:
        return new Response(null, { status: 404 })
    }
  }

  async #token(request: Request): Promise<Response> {
    if (this.#faults.has('token-outage')) return new Response('Service Unavailable', { status: 503 })
    const { applicationId } = this.#options.identity
    const form = new URLSearchParams(await request.text())
    for (const name of ['grant_type', 'client_id', 'scope']) {
      const missing = `AADSTS900144: The request body must contain the following parameter: '${name}'.`
      if (!form.get(name)) return oauthError(400, 'invalid_request', missing)
    }
    if (form.get('grant_type') !== 'client_credentials')
      return oauthError(400, 'unsupported_grant_type', 'AADSTS70003: The grant type is not supported.')
    if (form.get('client_id') !== applicationId) {
      const unknown = `AADSTS700016: Application '${form.get('client_id')}' was not found in the directory.`
      return oauthError(400, 'unauthorized_client', unknown)
    }
    const scope = form.get('scope') ?? ''
    if (![`api://${applicationId}/.default`, `${applicationId}/.default`].includes(scope)) {
      const invalid = `AADSTS70011: The provided value for the input parameter 'scope' is not valid: ${scope}`
      return oauthError(400, 'invalid_scope', invalid)
    }
    return json(200, {
      token_type: 'Bearer',
      expires_in: EXPIRES_IN_SECONDS,
      ext_expires_in: EXPIRES_IN_SECONDS,
      access_token: await this.#assertion(),
    })
  }

  async #assertion(): Promise<string> {
    const { origin, identity, clock, newId } = this.#options
    if (this.#faults.has('key-rotation')) {
      this.#current = await newSigningKey()
      this.#published.push(this.#current)
    }
    const key = this.#faults.has('unpublished-key') ? await newSigningKey() : this.#current
    const claims = assertionClaims({ origin, identity, now: clock.now(), newId, faults: this.#faults })
    return signAssertion(claims, key, this.#faults)
  }

  async #keys(): Promise<Response> {
    if (this.#faults.has('jwks-outage')) return new Response('Service Unavailable', { status: 503 })
    if (this.#faults.has('jwks-html'))
      return new Response('<!DOCTYPE html><title>Sign in to your account</title>', {
        headers: { 'content-type': 'text/html; charset=utf-8' },
      })
    if (this.#faults.has('jwks-redirect'))
      return new Response(null, { status: 302, headers: { location: `${this.addresses.jwksUri}/moved` } })
    if (this.#faults.has('jwks-slow')) await this.#options.clock.sleep(SLOW_MS)
    if (this.#faults.has('jwks-huge'))
      return new Response(JSON.stringify(this.#jwks()) + ' '.repeat(HUGE_BYTES), { headers: JSON_TYPE })
    return json(200, this.#jwks())
  }

  #jwks(): object {
    const { issuer } = this.addresses
    return { keys: this.#published.map((key) => ({ ...publicKey(key), issuer })) }
  }

  #metadata(): object {
    const { issuer, tokenEndpoint, jwksUri } = this.addresses
    return {
      issuer,
      token_endpoint: tokenEndpoint,
      token_endpoint_auth_methods_supported: ['client_secret_post'],
      jwks_uri: jwksUri,
      response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
      subject_types_supported: ['pairwise'],
      id_token_signing_alg_values_supported: ['RS256'],
    }
  }
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' }

function json(status: number, body: object): Response {
  const headers = { ...JSON_TYPE, 'cache-control': 'no-store, no-cache' }
  return new Response(JSON.stringify(body), { status, headers })
}

function oauthError(status: number, error: string, description: string): Response {
  return json(status, { error, error_description: description })
}

function tenantNotFound(pathname: string): Response {
  const [, tenant = ''] = pathname.split('/')
  return oauthError(400, 'invalid_request', `AADSTS90002: Tenant '${tenant}' not found.`)
}
