/**
 * The steps of `check` for an endpoint with OAuth 2.0: those of Microsoft's validator for gallery applications, which
 * requires a usable access token and a page of users read with it.
 *
 * Microsoft: SCIMTests_Workflow.json in https://github.com/AzureAD/SCIMReferenceCode, and the page "Requirements for
 * user provisioning in the app gallery".
 */
import type { Grant } from '../oauth/grant.ts'
import { requestAssertion, sendTokenRequest, type TokenClientOptions } from '../oauth/token-client.ts'
import { clientCredentialsRequest, federatedRequest, type TokenRequest } from '../oauth/token-request.ts'
import { DEFAULT_EXPIRES_IN_SECONDS, interpretTokenResponse, jsonObject } from '../oauth/token-response.ts'
import type { JsonObject } from '../problem.ts'
import { pageRequest, type ScimRequest } from '../protocol/requests.ts'
import type { WireResponse } from '../protocol/response.ts'
import { ScimClient } from '../protocol/scim-client.ts'
import type { TenantUrl } from '../protocol/tenant-url.ts'
import { redact, secretToken } from '../protocol/token-source.ts'
import type { CheckResult } from './check-result.ts'
import { combine, type Finding, finding } from './findings.ts'

const VALIDATOR =
  'https://github.com/AzureAD/SCIMReferenceCode, Microsoft.SCIM.LogicAppValidationTemplate/StandardLogicApp/SCIMTests_Workflow.json'
const RFC6749 = 'https://www.rfc-editor.org/rfc/rfc6749#section-5.1'

/** The validator divides `expires_in` by 60 as integers, so 3,599 seconds are 59 minutes and fail. */
const MIN_LIFETIME_MINUTES = 60
const MAX_LIFETIME_MINUTES = 360

const VALIDATION_FAILS = 'Microsoft’s validation for the app gallery fails'
const NO_TOKEN = 'Test connection fails, and a running job goes into quarantine'

export interface TokenCheckOptions extends TokenClientOptions {
  readonly grant: Grant
  readonly tenantUrl: TenantUrl
}

/** Runs the steps in order. A step that needs the token of an earlier one is skipped without it. */
export async function* checkTokenEndpoint(options: TokenCheckOptions): AsyncGenerator<CheckResult> {
  const { grant, clock } = options
  let request: TokenRequest
  if (grant.kind === 'client-credentials') request = clientCredentialsRequest(grant)
  else {
    const started = clock.now()
    const assertion = await requestAssertion(grant.workload, options)
    const title = 'get an assertion from the issuer'
    const durationMs = clock.now() - started
    if (!assertion.ok) {
      const consequence = 'The issuer is not part of the endpoint: correct its address, application or secret'
      yield { title, grade: 'error', message: assertion.detail, consequence, durationMs }
      return
    }
    yield { title, grade: 'success', message: 'an assertion', durationMs }
    request = federatedRequest(grant, assertion.token)
  }
  const { result, token } = await checkTokenRequest(request, options)
  yield result
  yield token === undefined ? skippedPage() : await checkPage(token, options)
}

async function checkTokenRequest(
  request: TokenRequest,
  options: TokenCheckOptions,
): Promise<{ result: CheckResult; token?: string }> {
  const { grant, clock } = options
  const started = clock.now()
  const { answer } = await sendTokenRequest(request, options)
  const outcome = interpretTokenResponse(request.url, answer, request.secrets)
  const shared = {
    title: `request an access token with ${describeCredential(grant)}`,
    request: shownRequest(request),
    answer: shownAnswer(answer, request.secrets, outcome.ok ? outcome.token : undefined),
    durationMs: clock.now() - started,
  }
  if (!outcome.ok)
    return {
      result: {
        ...shared,
        ...finding('error', outcome.detail),
        consequence: `${VALIDATION_FAILS}. ${NO_TOKEN}`,
        source: VALIDATOR,
      },
    }
  const { grade, message, source } = gradeTokenResponse(answer, grant.kind)
  const bad = grade === 'deviation' ? { consequence: VALIDATION_FAILS } : {}
  return {
    result: { ...shared, grade, message, ...bad, ...(source === undefined ? {} : { source }) },
    token: outcome.token,
  }
}

/** The validator tests the lifetime of a token only with client credentials; the gallery's rule is the same for both. */
function gradeTokenResponse(
  answer: WireResponse,
  kind: Grant['kind'],
): Finding & { readonly source?: string } {
  const body = answer.kind === 'answer' ? (jsonObject(answer.text) ?? {}) : {}
  const lifetime = lifetimeFinding(body, kind)
  const type =
    typeof body.token_type === 'string' && body.token_type.toLowerCase() === 'bearer'
      ? []
      : [finding('acceptable', `"token_type" is ${shownValue(body.token_type)}, RFC 6749 requires "Bearer"`)]
  const combined = combine([lifetime, ...type], lifetime.message)
  if (combined.grade === 'success') return combined
  return { ...combined, source: lifetime.grade === 'success' ? RFC6749 : VALIDATOR }
}

function lifetimeFinding({ expires_in: value }: JsonObject, kind: Grant['kind']): Finding {
  const seconds = value === undefined ? DEFAULT_EXPIRES_IN_SECONDS : value
  const bad = kind === 'client-credentials' ? 'deviation' : 'acceptable'
  if (typeof seconds !== 'number' || !Number.isInteger(seconds))
    return finding(bad, `"expires_in" is ${shownValue(value)}, expected a whole number of seconds`)
  const minutes = Math.trunc(seconds / 60)
  if (minutes >= MIN_LIFETIME_MINUTES && minutes <= MAX_LIFETIME_MINUTES)
    return finding(
      'success',
      value === undefined ? 'valid for 60 minutes, by default' : `valid for ${minutes} minutes`,
    )
  return finding(
    bad,
    `"expires_in" is ${seconds}, which is ${minutes} whole minutes; ` +
      `expected ${MIN_LIFETIME_MINUTES} to ${MAX_LIFETIME_MINUTES} minutes`,
  )
}

const PAGE_TITLE = 'read a page of users with the access token'

async function checkPage(token: string, options: TokenCheckOptions): Promise<CheckResult> {
  const { tenantUrl, fetch, clock, timeoutMs } = options
  const request = pageRequest('User', 1, 1)
  let result: CheckResult | undefined
  const client = new ScimClient({
    ...{ tenantUrl, fetch, clock, tokens: secretToken(token) },
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    onExchange: ({ answer, durationMs }) => {
      const ok = answer.kind === 'answer' && answer.status >= 200 && answer.status <= 299
      const message = answer.kind === 'none' ? answer.message : `HTTP ${answer.status}`
      const bad = { consequence: VALIDATION_FAILS, source: VALIDATOR }
      const shared = { title: PAGE_TITLE, message, request, answer, durationMs }
      result = ok ? { ...shared, grade: 'success' } : { ...shared, grade: 'error', ...bad }
    },
  })
  await client.send('match', request)
  if (result === undefined) throw new Error('the client did not report the exchange')
  return result
}

function skippedPage(): CheckResult {
  return { title: PAGE_TITLE, grade: 'skipped', message: 'requires an access token', durationMs: 0 }
}

function describeCredential(grant: Grant): string {
  if (grant.kind === 'federated') return 'an assertion of Entra'
  return grant.clientAuthentication === 'basic'
    ? 'a client secret in the Authorization header'
    : 'a client secret in the body'
}

/** The request without its secrets. The parameters of the form are shown as an object. */
function shownRequest({ url, form, secrets }: TokenRequest): ScimRequest {
  const body = Object.fromEntries(
    Object.entries(form).map(([name, value]) => [name, secrets.includes(value) ? '***' : value]),
  )
  return { method: 'POST', path: url, body }
}

function shownAnswer(
  answer: WireResponse,
  secrets: readonly string[],
  token: string | undefined,
): WireResponse {
  if (answer.kind === 'none') return answer
  // JSON may contain a token in other places and spellings, so a successful response is not shown as sent.
  if (token !== undefined)
    return { ...answer, text: JSON.stringify({ ...jsonObject(answer.text), access_token: '***' }) }
  return { ...answer, text: redact(answer.text, secrets) }
}

function shownValue(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value)
}
