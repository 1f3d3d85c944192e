/**
 * POST /oauth/token: a client exchanges its credential for an access token (RFC 6749 §4.4). The id of the client names its
 * tenant. Issuing takes one round trip for a secret, and two for an assertion.
 */
import { type Context, Hono } from 'hono'
import { isBlocked, recordFailedAuthentication } from '../../edge/failed-authentication.ts'
import type { HttpEnv } from '../../runtime.ts'
import { type AccessTokenAnswer, issueForSecret } from '../../storage/access/access-tokens.ts'
import { forgetToken, isKnownValid, recordUse } from '../../storage/access/known-tokens.ts'
import { sha256 } from '../../storage/access/secrets.ts'
import { generateToken } from '../../storage/access/token-administration.ts'
import { noFigures, serverTimingOf } from '../../storage/database/database.ts'
import { inHomeOf } from '../../storage/tenants/context.ts'
import { recordFailedAccess } from '../failed-access.ts'
import { issueWithAssertion } from './assertion.ts'
import { type ClientCredential, clientCredential, tenantOfClient } from './client-credential.ts'
import {
  invalidClient,
  JSON_HEADERS,
  keysUnavailable,
  OauthError,
  oauthErrorResponse,
  quoted,
  tooManyRequests,
} from './errors.ts'
import { readTokenForm, type TokenForm } from './form.ts'
import { isReadOnly, oauthScope } from './scope.ts'

/** The app of the token endpoint, mounted at TOKEN_PATH. */
export const tokenEndpoint = new Hono<HttpEnv>()
  .onError((error, c) => oauthErrorResponse(c, error))
  .use(async (c, next) => {
    c.set('figures', noFigures())
    await next()
    if (c.res.status === 401) await countRefusal(c)
    if (c.env.settings.serverTiming) c.res.headers.set('Server-Timing', serverTimingOf(c.get('figures')))
  })
  .use((c, next) => {
    if (c.req.method === 'POST') return next()
    const description = `method ${quoted(c.req.method)} is not supported; use POST`
    throw new OauthError(405, 'invalid_request', description)
  })
  .post('/', issueToken)

/** Counts a refused credential for the address of its client. */
async function countRefusal(c: Context<HttpEnv>): Promise<void> {
  if (!(await recordFailedAuthentication('oauth', c))) return
  c.res = oauthErrorResponse(c, tooManyRefusals())
  // Hono keeps the headers of the first response.
  c.res.headers.delete('WWW-Authenticate')
}

function tooManyRefusals(): OauthError {
  return tooManyRequests('with invalid credentials')
}

async function issueToken(c: Context<HttpEnv>): Promise<Response> {
  const form = await readTokenForm(c)
  requireGrant(form)
  const readOnly = isReadOnly(form.scope)
  const credential = clientCredential(c.req.header('Authorization'), form)
  const { token, answer } = await issueFor(c, credential, readOnly)
  if (answer.outcome === 'too many') throw tooManyRequests('for access tokens of this client')
  if (answer.outcome !== 'issued') throw recorded(c, credential.clientId, answer)
  const body = {
    access_token: token,
    token_type: 'Bearer',
    expires_in: answer.lifetime,
    scope: oauthScope(answer.scope),
  }
  return c.body(JSON.stringify(body), 200, JSON_HEADERS)
}

/** @throws {OauthError} 400 */
function requireGrant({ grant_type: grant }: TokenForm): void {
  if (grant === 'client_credentials') return
  const expected = "grant_type must be 'client_credentials'"
  if (grant === undefined) throw new OauthError(400, 'invalid_request', `${expected}, found nothing`)
  throw new OauthError(400, 'unsupported_grant_type', `${expected}, found ${quoted(grant)}`)
}

/** @throws {OauthError} 401 if the id names no tenant; 429 for an address with too many refused credentials */
async function issueFor(
  c: Context<HttpEnv>,
  { clientId, kind, text }: ClientCredential,
  readOnly: boolean,
): Promise<{ readonly token: string; readonly answer: AccessTokenAnswer }> {
  const tenantId = tenantOfClient(clientId)
  const now = c.env.now()
  const textHash = await (c.env.sha256 ?? sha256)(text)
  const known = { tokenHash: textHash, now }
  // Clients share addresses: one that was served before is still served.
  if (isBlocked('oauth', c) && !isKnownValid(known)) throw tooManyRefusals()
  if (tenantId === undefined) throw invalidClient('unknown client')
  const { token, hash: tokenHash } = await generateToken(tenantId)
  const request = { tenantId, clientId, id: c.env.newId(), tokenHash, readOnly, now }
  const answer = await inHomeOf(tenantId, opener(c), (db) =>
    kind === 'secret' ? issueForSecret(db, request, textHash) : issueWithAssertion(c, db, request, text),
  )
  if (answer.outcome === 'refused') forgetToken(known)
  if (answer.outcome === 'issued') {
    recordUse(known)
    // A replica must know the token when the client sends it.
    await c.env.replicas?.noteWrite(tenantId)
  }
  return { token, answer }
}

function opener(c: Context<HttpEnv>): Parameters<typeof inHomeOf>[1] {
  const figures = c.get('figures')
  return {
    openDatabase: (name) => c.env.openDatabase(name, figures),
    openCatalogue: () => c.env.openDatabase(undefined, figures),
  }
}

/** Records a refused credential for the log of its tenant. */
function recorded(
  c: Context<HttpEnv>,
  clientId: string,
  { outcome, reason, credentialId }: AccessTokenAnswer & { readonly outcome: 'refused' | 'unavailable' },
): OauthError {
  const tenantId = tenantOfClient(clientId)
  if (tenantId !== undefined) recordFailedAccess(c, { tenantId, reason, tokenId: credentialId, clientId })
  return outcome === 'refused' ? invalidClient(reason) : keysUnavailable(reason)
}
