/**
 * A store whose access tokens come from a token endpoint (RFC 6749 §4.4), with the interface of fetch. The endpoint
 * accepts one client, with its secret in the header or in the body, or with an assertion that `verifyAssertion` accepts.
 */
import type { Fetch } from '../../../src/entra/protocol/fetch.ts'
import { aborted, BASE, error, json, ScimStore } from './scim-store.ts'

export const TOKEN_ENDPOINT = 'https://scim.test.example/oauth/token'
export const CLIENT_ID = 'acme_T7x k+2'
/** With characters that URLs, forms and JSON escape. */
export const CLIENT_SECRET = 'correct horse:battery/staple+50%"\\'

export interface TokenRequestSeen {
  readonly authorization: string | null
  readonly contentType: string | null
  readonly form: Record<string, string>
}

type TokenResponder = (request: TokenRequestSeen) => Response | Promise<Response> | undefined

export class OAuthStore {
  readonly store = new ScimStore()
  /** Token requests, in order. */
  readonly requests: TokenRequestSeen[] = []
  /** Tokens that the SCIM endpoint accepts. */
  readonly valid = new Set<string>()
  expiresIn: unknown = 3600
  secret = CLIENT_SECRET
  /** Replaces the response of the token endpoint. */
  respond: TokenResponder = () => undefined
  verifyAssertion: (assertion: string) => Promise<boolean> = async () => false
  #issued = 0

  readonly fetch: Fetch = async (url, init) => {
    if (url === TOKEN_ENDPOINT) return this.#token(init)
    const token = new Headers(init.headers).get('authorization')?.slice('Bearer '.length) ?? ''
    if (this.valid.has(token)) return this.store.fetch(url, init)
    this.store.received.push({
      method: init.method,
      path: url.slice(BASE.length),
      headers: new Headers(init.headers),
      body: undefined,
    })
    return error(401, `the access token ${token} is not valid`)
  }

  revokeAll(): void {
    this.valid.clear()
  }

  async #token(init: Parameters<Fetch>[1]): Promise<Response> {
    const headers = new Headers(init.headers)
    const form = Object.fromEntries(new URLSearchParams(init.body))
    const request = {
      authorization: headers.get('authorization'),
      contentType: headers.get('content-type'),
      form,
    }
    this.requests.push(request)
    const odd = await Promise.race([this.respond(request), aborted(init.signal)])
    if (odd !== undefined) return odd
    if (!(await this.#authenticates(request))) return oauthError(401, 'invalid_client', 'unknown client')
    const token = `access-token-${++this.#issued}`
    this.valid.add(token)
    return json(200, { access_token: token, token_type: 'Bearer', expires_in: this.expiresIn })
  }

  async #authenticates({ authorization, form }: TokenRequestSeen): Promise<boolean> {
    if (form.client_assertion !== undefined)
      return form.client_id === CLIENT_ID && (await this.verifyAssertion(form.client_assertion))
    const [id, secret] =
      authorization === null ? [form.client_id, form.client_secret] : basicCredentials(authorization)
    return id === CLIENT_ID && secret === this.secret
  }
}

/** Each half is a form value (RFC 6749 §2.3.1). */
function basicCredentials(authorization: string): (string | undefined)[] {
  const [id = '', secret = ''] = atob(authorization.slice('Basic '.length)).split(':')
  return [id, secret].map((half) => new URLSearchParams(`half=${half}`).get('half') ?? undefined)
}

export function oauthError(
  status: number,
  code: string,
  description: string,
  headers: Record<string, string> = {},
): Response {
  return json(status, { error: code, error_description: description }, headers)
}
