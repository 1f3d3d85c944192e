/**
 * An in-memory endpoint that passes Microsoft's validation for the app gallery: the store with a token endpoint, schemas,
 * pages, and managers. A fault replaces or changes one of its responses.
 */
import { GALLERY_JOB } from '../../../src/entra/gallery/gallery-job.ts'
import { attributeOf, targetAttributes } from '../../../src/entra/gallery/target-attributes.ts'
import { DEFAULT_IDENTITY } from '../../../src/entra/issuer/identity.ts'
import { Issuer } from '../../../src/entra/issuer/issuer.ts'
import { newSigningKey } from '../../../src/entra/issuer/signing-keys.ts'
import type { ClientCredentialsGrant, FederatedGrant } from '../../../src/entra/oauth/grant.ts'
import type { Fetch, FetchInit } from '../../../src/entra/protocol/fetch.ts'
import { parseTenantUrl } from '../../../src/entra/protocol/tenant-url.ts'
import { secretToken } from '../../../src/entra/protocol/token-source.ts'
import { ManualClock } from './job-harness.ts'
import { BASE, error, json } from './scim-store.ts'
import { CLIENT_ID, CLIENT_SECRET, OAuthStore, TOKEN_ENDPOINT } from './token-endpoint.ts'

/** One key for all servers, because a new one takes longer than a test. */
const signingKey = newSigningKey()

const LOGIN = 'https://login.microsoftonline.com'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

export interface Sent {
  /** `POST /Users` or `POST token`. */
  readonly line: string
  readonly body: string
}

export interface GalleryFault {
  /** A response in place of the server's. */
  readonly respond?: (request: Sent) => Response | undefined
  /** Whether a change is answered with 204 but not made. */
  readonly ignores?: (request: Sent) => boolean
  /** Changes a JSON response. */
  // biome-ignore lint/suspicious/noExplicitAny: -- faults edit what they know
  readonly edit?: (body: any, request: Sent) => void
  readonly expiresIn?: unknown
}

/** Options of the suite for a server with one fault, or with none. */
export async function galleryServer(fault: GalleryFault = {}) {
  const clock = new ManualClock()
  const oauth = new OAuthStore()
  if ('expiresIn' in fault) oauth.expiresIn = fault.expiresIn
  oauth.verifyAssertion = async () => true
  const newId = () => crypto.randomUUID()
  const keys = [await signingKey] as const
  const issuer = new Issuer({
    origin: LOGIN,
    identity: DEFAULT_IDENTITY,
    keys,
    faults: new Set(),
    clock,
    newId,
  })
  const fetch: Fetch = (url, init) =>
    url.startsWith(LOGIN) ? issuer.fetch(new Request(url, init)) : answer(oauth, fault, url, init)
  const client = { tokenEndpoint: TOKEN_ENDPOINT, clientId: CLIENT_ID }
  const clientCredentials: ClientCredentialsGrant = {
    ...{ kind: 'client-credentials', ...client, clientSecret: CLIENT_SECRET, clientAuthentication: 'body' },
  }
  const workload = { issuer: issuer.addresses.issuer, applicationId: DEFAULT_IDENTITY.applicationId }
  const federation: FederatedGrant = { kind: 'federated', ...client, baseAddress: BASE, workload }
  oauth.valid.add('a-secret-token')
  const tokens = secretToken('a-secret-token')
  return {
    tenantUrl: parseTenantUrl(BASE),
    tokens,
    clientCredentials,
    federation,
    fetch,
    clock,
    newId,
    oauth,
  }
}

async function answer(
  oauth: OAuthStore,
  fault: GalleryFault,
  url: string,
  init: FetchInit,
): Promise<Response> {
  const path = url === TOKEN_ENDPOINT ? 'token' : url.slice(BASE.length)
  const request: Sent = { line: `${init.method} ${path}`, body: init.body ?? '' }
  const odd = fault.respond?.(request)
  if (odd !== undefined) return odd
  if (fault.ignores?.(request) === true) return new Response(null, { status: 204 })
  const response = await rightAnswer(oauth, path, url, init)
  const text = await response.text()
  if (text === '' || fault.edit === undefined) return new Response(text === '' ? null : text, response)
  const body = JSON.parse(text)
  fault.edit(body, request)
  return json(response.status, body)
}

async function rightAnswer(oauth: OAuthStore, path: string, url: string, init: FetchInit): Promise<Response> {
  if (path === '/Schemas') return json(200, { Resources: schemas() })
  const response = (await oauth.fetch(url, withManager(init))) as Response
  const startIndex = new URL(url).searchParams.get('startIndex')
  if (startIndex === null || response.status !== 200) return response
  return json(200, { ...JSON.parse(await response.text()), startIndex: Number(startIndex) })
}

/** The manager is a complex attribute, which the requests set by its value. */
function withManager(init: FetchInit): FetchInit {
  if (init.method !== 'PATCH' || !init.body?.includes(`${ENTERPRISE}:manager`)) return init
  const body = JSON.parse(init.body)
  for (const operation of body.Operations)
    operation.value = operation.value === '' ? null : { value: operation.value }
  return { ...init, body: JSON.stringify(body) }
}

/** Schemas that have exactly what the job maps. */
function schemas() {
  const users = targetAttributes(GALLERY_JOB, 'User').map(({ name }) => name)
  const core = [...new Set(users.filter((name) => !name.startsWith('urn:')).map(attributeOf))]
  const lists = ['emails', 'addresses', 'phoneNumbers']
  const subAttributes = ['value', 'formatted', 'streetAddress', 'locality', 'region', 'postalCode', 'country']
  const complex = (name: string, multiValued: boolean, parts: object[]) => ({
    ...{ name, type: 'complex', multiValued, subAttributes: parts },
  })
  const types = { name: 'type', type: 'string', canonicalValues: ['work', 'mobile', 'fax'] }
  const parts = (names: readonly string[]) => names.map((name) => ({ name, type: 'string' }))
  const attribute = (name: string) => {
    if (lists.includes(name)) return complex(name, true, [types, ...parts(subAttributes)])
    if (name === 'name') return complex(name, false, parts(['givenName', 'familyName', 'formatted']))
    return { name, type: 'string', required: name === 'userName' }
  }
  const extension = users
    .filter((name) => name.startsWith('urn:'))
    .map((name) => ({ name: attributeOf(name) }))
  const group = targetAttributes(GALLERY_JOB, 'Group').map(({ name }) => ({ name, type: 'string' }))
  return [
    { id: 'urn:ietf:params:scim:schemas:core:2.0:User', attributes: core.map(attribute) },
    { id: ENTERPRISE, attributes: extension },
    { id: 'urn:ietf:params:scim:schemas:core:2.0:Group', attributes: group },
  ]
}

/** A refusal with a SCIM error. */
export function refuse(status = 400, detail = 'refused by the fault'): Response {
  return error(status, detail)
}
