/**
 * Validate_Credentials_Test and Federated_Identity_Test. One of them must pass.
 *
 * Microsoft: SCIMTests_Workflow.json. Of the three flows of federation, this is the generic one.
 */
import type { ClientCredentialsGrant, FederatedGrant } from '../../oauth/grant.ts'
import { requestAssertion, sendTokenRequest } from '../../oauth/token-client.ts'
import { clientCredentialsRequest, federatedRequest, type TokenRequest } from '../../oauth/token-request.ts'
import { jsonObject } from '../../oauth/token-response.ts'
import type { JsonObject } from '../../problem.ts'
import { pageRequest, type ScimRequest } from '../../protocol/requests.ts'
import type { WireResponse } from '../../protocol/response.ts'
import { redact, secretToken } from '../../protocol/token-source.ts'
import { failed, type GalleryContext, success, type Verdict } from '../gallery-test.ts'
import { textOf } from '../requests.ts'
import { GallerySession } from '../session.ts'

const MIN_MINUTES = 60
const MAX_MINUTES = 360
const DEFAULT_EXPIRES_IN = 3600

export async function validateCredentials(
  context: GalleryContext,
  grant: ClientCredentialsGrant,
): Promise<Verdict> {
  // The validator sends the secret in the body only.
  const request = clientCredentialsRequest({ ...grant, clientAuthentication: 'body' })
  const { status, body } = await requestToken(context, request)
  if (status < 200 || status > 299)
    return tokenFailure(`Token endpoint returned HTTP ${status}. Expected 2xx.`)
  const token = textOf(body.access_token)
  if (token === '')
    return tokenFailure('Token endpoint returned 2xx but response did not contain an access_token field.')
  const minutes = lifetimeMinutes(body)
  if (minutes === undefined) return tokenFailure('Unexpected failure')
  if (minutes < MIN_MINUTES)
    return lifetimeFailure('Token validity is less than 60 minutes. Minimum required: 60 minutes.')
  if (minutes > MAX_MINUTES)
    return lifetimeFailure('Token validity exceeds 360 minutes (6 hours). Maximum allowed: 360 minutes.')
  const page = await readPage(context, token)
  return page >= 200 && page <= 299
    ? success()
    : failed(`Action: SCIM_Validate_Get_Users - SCIM /Users returned HTTP ${page}. Expected 2xx.`)
}

/** The issuer of the assertion is not part of the endpoint. Only the status and `access_token` are looked at. */
export async function validateFederation(context: GalleryContext, grant: FederatedGrant): Promise<Verdict> {
  const { tokenOptions } = context
  const assertion = await requestAssertion(grant.workload, tokenOptions)
  if (!assertion.ok) return { passed: false, words: 'Entra token acquisition failed' }
  const { scope: _scope, ...withoutScope } = grant
  const { status, body } = await requestToken(context, federatedRequest(withoutScope, assertion.token))
  const passed = status >= 200 && status <= 299 && textOf(body.access_token) !== ''
  return passed ? success() : { passed, words: 'Federated token exchange failed' }
}

function tokenFailure(reason: string): Verdict {
  return failed(`Action: Acquire_OAuth2_Token - ${reason}`)
}

function lifetimeFailure(reason: string): Verdict {
  return failed(`Action: Check_Token_Validity_Range - ${reason}`)
}

/** `div` of two integers is an integer, so that 3,599 seconds are 59 minutes. A text cannot be divided. */
function lifetimeMinutes({ expires_in: value }: JsonObject): number | undefined {
  const seconds = value ?? DEFAULT_EXPIRES_IN
  if (typeof seconds !== 'number') return undefined
  return Number.isInteger(seconds) ? Math.trunc(seconds / 60) : seconds / 60
}

async function requestToken(
  { session, clock, tokenOptions }: GalleryContext,
  request: TokenRequest,
): Promise<{ readonly status: number; readonly body: JsonObject }> {
  const started = clock.now()
  const { answer } = await sendTokenRequest(request, tokenOptions)
  const exchange = { request: shownRequest(request), answer: shownAnswer(answer, request.secrets) }
  session.record({ ...exchange, durationMs: clock.now() - started })
  if (answer.kind === 'none') return { status: 0, body: {} }
  return { status: answer.status, body: jsonObject(answer.text) ?? {} }
}

async function readPage(context: GalleryContext, token: string): Promise<number> {
  const { tenantUrl, tokenOptions, session } = context
  const client = new GallerySession({ ...tokenOptions, tenantUrl, tokens: secretToken(token) })
  const { status } = await client.send(pageRequest('User', 1, 1))
  for (const exchange of client.exchanges) session.record(exchange)
  return status
}

function shownRequest({ url, form, secrets }: TokenRequest): ScimRequest {
  const body = Object.fromEntries(
    Object.entries(form).map(([name, value]) => [name, secrets.includes(value) ? '***' : value]),
  )
  return { method: 'POST', path: url, body }
}

function shownAnswer(answer: WireResponse, secrets: readonly string[]): WireResponse {
  if (answer.kind === 'none') return answer
  const body = jsonObject(answer.text)
  if (body?.access_token === undefined) return { ...answer, text: redact(answer.text, secrets) }
  return { ...answer, text: JSON.stringify({ ...body, access_token: '***' }) }
}
