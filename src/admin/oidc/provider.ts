/**
 * The OpenID provider: its metadata, and requests to it. It is trusted to name people, not to behave: each request has a time
 * limit, each answer a size limit, and no redirect is followed.
 */
import {
  type AuthorizationServer,
  allowInsecureRequests,
  type Client,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type CustomFetchOptions,
  clockSkew,
  customFetch,
  discoveryRequest,
  None,
  processDiscoveryResponse,
} from 'oauth4webapi'
import { readBounded } from '../../jwt/bounded-body.ts'
import type { OidcSettings, Runtime } from '../../runtime.ts'
import { MINUTE_MS } from '../../scim/duration.ts'

const TIMEOUT_MS = 5_000
const MAX_BYTES = 200_000
const METADATA_FRESH_MS = 10 * MINUTE_MS

/** The provider does not answer, or with something else. The message says what, for the administrator. */
export class ProviderUnavailable extends Error {}

/** The provider as this server uses it. */
export interface Provider {
  readonly metadata: AuthorizationServer
  readonly client: Client
  readonly authentication: ClientAuth
  readonly options: RequestOptions
}

export interface RequestOptions {
  readonly [customFetch]: (url: string, init: Sent) => Promise<Response>
  readonly [allowInsecureRequests]: boolean
}

/** A request of oauth4webapi. */
type Sent = CustomFetchOptions<'GET' | 'POST', URLSearchParams | undefined>

type ProviderRuntime = Pick<Runtime, 'fetch' | 'now'>

/** By issuer, with the time of the request. */
const known = new Map<string, { readonly metadata: AuthorizationServer; readonly fetchedAt: number }>()

/** @throws {ProviderUnavailable} and the errors of oauth4webapi */
export async function openProvider(oidc: OidcSettings, runtime: ProviderRuntime): Promise<Provider> {
  const options: RequestOptions = {
    [customFetch]: (url, init) => boundedFetch(runtime.fetch, url, init),
    // The settings allow http for this machine only.
    [allowInsecureRequests]: isInsecure(oidc),
  }
  const metadata = await metadataOf(oidc, runtime, options)
  const client: Client = {
    client_id: oidc.clientId,
    // The library compares times with its own clock.
    [clockSkew]: Math.round((runtime.now() - Date.now()) / 1000),
  }
  return { metadata, client, authentication: authenticationOf(oidc, metadata), options }
}

/** The host of the provider, by which administrators know it. */
export function providerName({ issuer }: OidcSettings): string {
  return new URL(issuer).host
}

/** An endpoint from the metadata. @throws {ProviderUnavailable} if it is missing or not protected by TLS */
export function endpointOf(
  oidc: OidcSettings,
  metadata: AuthorizationServer,
  name: 'authorization_endpoint' | 'end_session_endpoint' | 'jwks_uri',
): URL {
  const text = metadata[name]
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isInsecure(oidc))) return url
  throw new ProviderUnavailable(`its metadata has no "${name}" with https`)
}

function isInsecure({ issuer }: OidcSettings): boolean {
  return issuer.startsWith('http:')
}

async function metadataOf(
  { issuer }: OidcSettings,
  { now }: ProviderRuntime,
  options: RequestOptions,
): Promise<AuthorizationServer> {
  const cached = known.get(issuer)
  const age = now() - (cached?.fetchedAt ?? Number.NEGATIVE_INFINITY)
  if (cached !== undefined && age >= 0 && age < METADATA_FRESH_MS) return cached.metadata
  const url = new URL(issuer)
  const response = await discoveryRequest(url, { algorithm: 'oidc', ...options })
  const metadata = await processDiscoveryResponse(url, response)
  known.set(issuer, { metadata, fetchedAt: now() })
  return metadata
}

/** RFC 6749 §2.3.1 asks for Basic; a provider may support the body only. */
function authenticationOf({ clientSecret }: OidcSettings, metadata: AuthorizationServer): ClientAuth {
  if (clientSecret === undefined) return None()
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
  return methods.includes('client_secret_basic')
    ? ClientSecretBasic(clientSecret)
    : ClientSecretPost(clientSecret)
}

/** @throws {ProviderUnavailable} */
async function boundedFetch(
  fetch: Runtime['fetch'],
  url: string,
  { method, headers, body }: Sent,
): Promise<Response> {
  const controller = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new ProviderUnavailable(`it did not answer within ${TIMEOUT_MS / 1000} seconds`))
      controller.abort()
    }, TIMEOUT_MS)
  })
  try {
    const { signal } = controller
    const init = { method, headers, body: body ?? null, redirect: 'manual', signal } as const
    return await Promise.race([expiry, wholeResponse(fetch, url, init)])
  } catch (cause) {
    if (cause instanceof ProviderUnavailable) throw cause
    throw new ProviderUnavailable('it cannot be reached', { cause })
  } finally {
    if (timer !== undefined) clearTimeout(timer)
  }
}

async function wholeResponse(fetch: Runtime['fetch'], url: string, init: RequestInit): Promise<Response> {
  const { body, status, headers } = await fetch(url, init)
  const text = await readBounded(body, MAX_BYTES)
  if (text === undefined) throw new ProviderUnavailable(`it answered with more than ${MAX_BYTES} bytes`)
  const contentType = headers.get('Content-Type') ?? ''
  const challenge = headers.get('WWW-Authenticate')
  return new Response(text, {
    status,
    headers: {
      'Content-Type': contentType,
      ...(challenge !== null && { 'WWW-Authenticate': challenge }),
    },
  })
}
