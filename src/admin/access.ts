/**
 * Cloudflare Access in front of the dashboard: checks the token that Access adds to every request that it admits.
 *
 * @see https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/
 */
import { createRemoteJWKSet, customFetch, errors, jwtVerify } from 'jose'
import type { AdminContext } from './env.ts'
import { AdminError } from './errors.ts'

export interface AccessSettings {
  /** Such as "acme.cloudflareaccess.com". */
  readonly teamDomain: string
  /** The AUD tag of the application. */
  readonly audience: string
}

// The keys of each team are kept between requests. jose fetches them again if they are old or a key is unknown.
const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>()

/**
 * The e-mail address of the administrator, from the token of Access. For a service token: its name.
 *
 * @throws {AdminError} 403 if the token is missing or invalid, 503 if the keys cannot be fetched
 */
export async function accessEmail(
  c: AdminContext,
  { teamDomain, audience }: AccessSettings,
): Promise<string> {
  const token = c.req.header('Cf-Access-Jwt-Assertion')
  if (token === undefined) throw refused('This request did not come through Cloudflare Access')
  const issuer = issuerOf(teamDomain)
  try {
    const options = { issuer, audience, algorithms: ['RS256'], requiredClaims: ['exp', 'iat'] }
    const { payload } = await jwtVerify(token, keysOf(c, issuer), options)
    return typeof payload.email === 'string' ? payload.email : String(payload.common_name ?? payload.sub)
  } catch (error) {
    if (isInvalidToken(error)) throw refused('The token of Cloudflare Access is not valid')
    throw keysUnavailable({ cause: error })
  }
}

function keysUnavailable(options: ErrorOptions): AdminError {
  const message = 'The keys of Cloudflare Access cannot be fetched; try again.'
  return new AdminError(503, 'unavailable', message, undefined, options)
}

function refused(message: string): AdminError {
  return new AdminError(
    403,
    'forbidden',
    `${message}. Open the dashboard at the address that Access protects.`,
  )
}

/** @param teamDomain the team domain as shown in Cloudflare's dashboard, or the name of the team alone */
function issuerOf(teamDomain: string): string {
  const host = teamDomain.replace(/^https:\/\//, '').replace(/\/+$/, '')
  return `https://${host.includes('.') ? host : `${host}.cloudflareaccess.com`}`
}

/** jose's error codes that concern the keys or the request for them. All other codes concern the token. */
const KEY_SERVER_ERRORS: ReadonlySet<string> = new Set([
  errors.JOSEError.code,
  errors.JWKInvalid.code,
  errors.JWKSInvalid.code,
  errors.JWKSTimeout.code,
])

/** True if the token is at fault. Any other error, such as a failing network, leaves its validity open. */
function isInvalidToken(error: unknown): boolean {
  return error instanceof errors.JOSEError && !KEY_SERVER_ERRORS.has(error.code)
}

function keysOf(c: AdminContext, issuer: string) {
  const known = keySets.get(issuer)
  if (known !== undefined) return known
  const keys = createRemoteJWKSet(new URL('/cdn-cgi/access/certs', issuer), { [customFetch]: c.env.fetch })
  keySets.set(issuer, keys)
  return keys
}
