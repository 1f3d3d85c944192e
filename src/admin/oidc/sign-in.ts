/**
 * Sign-in by OpenID Connect: the authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0 §3.1, RFC 7636).
 * oauth4webapi builds the requests and checks the answers; the signature of the ID token is checked too.
 */
import {
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  generateRandomCodeVerifier,
  generateRandomNonce,
  generateRandomState,
  processAuthorizationCodeResponse,
  validateAuthResponse,
} from 'oauth4webapi'
import { namedGroups, nameGroups } from '../../administrators/role-rules.ts'
import { publicOrigin } from '../../edge/url.ts'
import { findKey } from '../../jwt/key-sets.ts'
import { type Claims, verifyJwt } from '../../jwt/verify.ts'
import type { OidcSettings } from '../../runtime.ts'
import { endSessionOnce } from '../../storage/access/sessions.ts'
import type { AdminContext } from '../env.ts'
import type { Holder } from '../people/session-cookie.ts'
import { endpointOf, openProvider, type Provider } from './provider.ts'
import { clearTransaction, storeTransaction, type Transaction, transactionOf } from './transaction.ts'
import { claimsOfUserInfo } from './user-info.ts'

const CALLBACK_PATH = '/admin/sign-in/callback'

/** What a sign-in needs from the settings. */
export interface OidcSignIn {
  readonly oidc: OidcSettings
  readonly adminToken: string
}

/** The sign-in cannot go on, through no fault of the provider. The message is a sentence. */
export class SignInRefused extends Error {}

/** Begins a sign-in. @param next the path to open afterwards @returns the address of the provider's page */
export async function beginSignIn(
  c: AdminContext,
  { oidc, adminToken }: OidcSignIn,
  next: string,
): Promise<string> {
  const { metadata } = await openProvider(oidc, c.env)
  const [state, nonce, codeVerifier] = [
    generateRandomState(),
    generateRandomNonce(),
    generateRandomCodeVerifier(),
  ]
  const url = endpointOf(oidc, metadata, 'authorization_endpoint')
  const parameters = {
    client_id: oidc.clientId,
    redirect_uri: redirectUri(c),
    response_type: 'code',
    scope: oidc.scopes,
    code_challenge: await calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  const isShort = encodeURIComponent(next).length <= MAX_ENCODED_CHARACTERS
  await storeTransaction(c, adminToken, { state, nonce, codeVerifier, next: isShort ? next : '/admin' })
  return url.href
}

/**
 * Completes a sign-in with the provider's answer in the query.
 *
 * @returns whom the provider names, and the path to open
 * @throws {SignInRefused} {ProviderUnavailable} {JwtRefused} {KeysUnavailable} and the errors of oauth4webapi
 */
export async function completeSignIn(
  c: AdminContext,
  { oidc, adminToken }: OidcSignIn,
): Promise<{ readonly holder: Holder; readonly next: string }> {
  const transaction = await transactionOf(c, adminToken)
  const parameters = new URL(c.req.url).searchParams
  // Another site can send a browser here with any state: that must not end the sign-in that is under way.
  if (transaction === undefined || parameters.get('state') !== transaction.state) {
    throw new SignInRefused('This sign-in was not begun in this browser, or it took more than ten minutes.')
  }
  clearTransaction(c)
  if (!(await endSessionOnce(c.get('db'), transaction))) {
    throw new SignInRefused('This sign-in was completed before.')
  }
  const provider = await openProvider(oidc, c.env)
  const claims = await claimsOf(c, { oidc, provider, transaction, parameters })
  return { holder: holderOf(c, oidc, claims), next: transaction.next }
}

interface Answered {
  readonly oidc: OidcSettings
  readonly provider: Provider
  readonly transaction: Transaction
  readonly parameters: URLSearchParams
}

/** Redeems the code, and checks the ID token. If it has no groups, although roles depend on them, the UserInfo endpoint is asked. */
async function claimsOf(c: AdminContext, { oidc, provider, transaction, parameters }: Answered) {
  const { metadata, client, authentication, options } = provider
  const { state, nonce, codeVerifier } = transaction
  const checked = validateAuthResponse(metadata, client, parameters, state)
  const response = await authorizationCodeGrantRequest(
    metadata,
    client,
    authentication,
    checked,
    redirectUri(c),
    codeVerifier,
    options,
  )
  const tokens = await processAuthorizationCodeResponse(metadata, client, response, {
    expectedNonce: nonce,
    requireIdToken: true,
  })
  const { fetch, now, settings } = c.env
  const keys = { url: endpointOf(oidc, metadata, 'jwks_uri').href, fetch, now }
  const claims = await verifyJwt(tokens.id_token ?? '', {
    expected: { issuer: metadata.issuer, audiences: [oidc.clientId] },
    now: now(),
    findKey: async (kid, alg) => (await findKey(keys, kid, alg))?.key,
  })
  if (Object.hasOwn(claims, oidc.groupsClaim) || !nameGroups(settings.adminRoles ?? [])) return claims
  const user = await claimsOfUserInfo(provider, tokens.access_token, String(claims.sub))
  return { ...claims, [oidc.groupsClaim]: user[oidc.groupsClaim] }
}

const MAX_NAME_CHARACTERS = 50
/** OpenID Connect Core 1.0 §2 allows 255. */
const MAX_SUBJECT_CHARACTERS = 100
/** The longest address that RFC 5321 §4.5.3.1.3 allows. */
const MAX_EMAIL_CHARACTERS = 254
/** Of an address, which is in the cookie twice. One in ASCII that is as long as is allowed fits. */
const MAX_ENCODED_EMAIL_CHARACTERS = 400
/** Of the groups and of the path to open, as they are encoded. Browsers drop a cookie of more than 4,096 bytes. */
const MAX_ENCODED_CHARACTERS = 2_000

function holderOf(c: AdminContext, { issuer, groupsClaim }: OidcSettings, claims: Claims): Holder {
  const email = verifiedEmail(claims)
  const groups = claims[groupsClaim]
  const all = Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : []
  return {
    via: 'OpenID Connect',
    issuer,
    name: email ?? unverifiedName(claims),
    ...(email !== undefined && { email }),
    groups: fitting(namedGroups(c.env.settings.adminRoles ?? [], [...new Set(all)])),
  }
}

/** @returns undefined without an address that can be used */
function verifiedEmail({ email, email_verified: isVerified }: Claims): string | undefined {
  // A provider that does not say is trusted: Microsoft Entra ID has no such claim.
  const isUsable = isVerified === undefined || isVerified === true || isVerified === 'true'
  if (!isUsable || typeof email !== 'string' || email.length > MAX_EMAIL_CHARACTERS) return undefined
  const isEncodable = email !== '' && email.isWellFormed()
  return isEncodable && encodeURIComponent(email).length <= MAX_ENCODED_EMAIL_CHARACTERS ? email : undefined
}

/**
 * People may choose these names, even the address of somebody else. The audit trail must not show one person as another, so
 * the subject, which is never given to another person (OpenID Connect Core 1.0 §5.7), is always part of it.
 */
function unverifiedName({ preferred_username, name, sub }: Claims): string {
  const subject = String(sub).slice(0, MAX_SUBJECT_CHARACTERS)
  const chosen = [preferred_username, name].find((text) => typeof text === 'string' && text !== '')
  return chosen === undefined || chosen === sub
    ? subject
    : `${String(chosen).slice(0, MAX_NAME_CHARACTERS)} (${subject})`
}

/** The first groups, as many as a cookie holds. */
function fitting(groups: readonly string[]): string[] {
  let left = MAX_ENCODED_CHARACTERS
  return groups.filter((group) => {
    left -= encodeURIComponent(JSON.stringify([group])).length
    return left >= 0
  })
}

function redirectUri(c: AdminContext): string {
  return `${publicOrigin(c)}${CALLBACK_PATH}`
}
