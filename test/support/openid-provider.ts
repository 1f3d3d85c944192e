/**
 * An OpenID provider behind `fetch`, which can be told to misbehave.
 */
import { type JWTHeaderParameters, type JWTPayload, UnsecuredJWT } from 'jose'
import { Issuer } from './issuer.ts'

export const CLIENT_ID = 'scim-worker'
export const CLIENT_SECRET = 'the-secret-of-the-client'

const ACCESS_TOKEN = 'the-access-token'
const SUBJECT = 'subject-1'

/** What the provider does in a sign-in; by default, what it should. */
export interface Behaviour {
  /** Claims that replace those of the ID token. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Partial<JWTHeaderParameters>
  /** The ID token instead of a signed one. */
  readonly idToken?: (claims: JWTPayload) => string | Promise<string>
  /** The answer of the token endpoint instead of tokens. */
  readonly token?: () => Response | Promise<Response>
  /** The metadata instead of the usual. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /** The claims of the UserInfo endpoint; without them, the provider has none. */
  readonly userInfo?: Readonly<Record<string, unknown>>
  /** The answer to each request. */
  readonly answer?: (url: string) => Response | Promise<Response> | undefined
}

interface Granted {
  readonly nonce: string
  readonly challenge: string
  readonly redirectUri: string
}

export class OpenIdProvider {
  readonly issuer: Issuer
  behaviour: Behaviour = {}
  /** By code. A code is used once. */
  readonly #granted = new Map<string, Granted>()

  private constructor(issuer: Issuer) {
    this.issuer = issuer
    issuer.answer = (url, init) => this.#serve(url, init)
  }

  /** @param origin where it is served; by default, behind `fetch` only */
  static async create(origin = `https://${crypto.randomUUID()}.example`): Promise<OpenIdProvider> {
    return new OpenIdProvider(await Issuer.create({ origin }))
  }

  get url(): string {
    return this.issuer.issuer
  }

  /** The person signs in at the provider's page. @returns the address that the browser is sent back to */
  authorize(location: string): URL {
    const asked = new URL(location).searchParams
    const code = crypto.randomUUID()
    const redirectUri = asked.get('redirect_uri') ?? ''
    this.#granted.set(code, {
      nonce: asked.get('nonce') ?? '',
      challenge: asked.get('code_challenge') ?? '',
      redirectUri,
    })
    const back = new URL(redirectUri)
    back.searchParams.set('code', code)
    back.searchParams.set('state', asked.get('state') ?? '')
    return back
  }

  async #serve(url: string, init: RequestInit | undefined): Promise<Response> {
    const special = await this.behaviour.answer?.(url)
    if (special !== undefined) return special
    if (url === `${this.url}/.well-known/openid-configuration`) return Response.json(this.#metadata())
    if (url === this.issuer.jwksUri) return Response.json({ keys: this.issuer.keys.map(({ jwk }) => jwk) })
    if (url === `${this.url}/token`) return await this.#token(init)
    if (url === `${this.url}/userinfo`) return this.#userInfo(init)
    return new Response('not found', { status: 404 })
  }

  #metadata() {
    return {
      issuer: this.url,
      authorization_endpoint: `${this.url}/authorize`,
      token_endpoint: `${this.url}/token`,
      jwks_uri: this.issuer.jwksUri,
      ...(this.behaviour.userInfo !== undefined && { userinfo_endpoint: `${this.url}/userinfo` }),
      response_types_supported: ['code'],
      id_token_signing_alg_values_supported: ['RS256'],
      ...this.behaviour.metadata,
    }
  }

  async #token(init: RequestInit | undefined): Promise<Response> {
    const { token, claims, header, idToken } = this.behaviour
    if (token !== undefined) return await token()
    const form = new URLSearchParams(String(init?.body))
    const code = form.get('code') ?? ''
    const granted = this.#granted.get(code)
    this.#granted.delete(code)
    const isProven =
      granted !== undefined &&
      granted.redirectUri === form.get('redirect_uri') &&
      granted.challenge === (await challengeOf(form.get('code_verifier') ?? ''))
    if (!isProven) return Response.json({ error: 'invalid_grant' }, { status: 400 })
    const now = Math.floor(Date.now() / 1000)
    const all: JWTPayload = {
      iss: this.url,
      aud: CLIENT_ID,
      sub: SUBJECT,
      iat: now,
      exp: now + 300,
      nbf: now,
      nonce: granted.nonce,
      azp: undefined,
      email: 'anna@example.com',
      email_verified: true,
      groups: ['staff'],
      ...claims,
    }
    const id_token = idToken === undefined ? await this.issuer.token(all, header) : await idToken(all)
    return Response.json({ access_token: ACCESS_TOKEN, token_type: 'Bearer', id_token })
  }

  #userInfo(init: RequestInit | undefined): Response {
    const isKnown = new Headers(init?.headers).get('Authorization') === `Bearer ${ACCESS_TOKEN}`
    if (isKnown) return Response.json({ sub: SUBJECT, ...this.behaviour.userInfo })
    return new Response(null, {
      status: 401,
      headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
    })
  }
}

async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

/** A token with `alg: none`. */
export function unsigned(claims: JWTPayload): string {
  return new UnsecuredJWT(claims).encode()
}
