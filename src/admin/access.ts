/**
 * Cloudflare Access in front of the dashboard: checks the token that Access adds to every request it lets
 * through (https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/).
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

// The team's keys, kept between requests: jose fetches them again when they are old or a key is unknown.
const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>()

/**
 * Who Access says it is.
 *
 * @throws {AdminError} 403 when the request did not come through Access, 503 when its keys cannot be had
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
    if (isRefusal(error)) throw refused('The token of Cloudflare Access is not valid here')
    throw keysMissing({ cause: error })
  }
}

function keysMissing(options: ErrorOptions): AdminError {
  const message = 'The keys of Cloudflare Access cannot be fetched; try again.'
  return new AdminError(503, 'unavailable', message, undefined, options)
}

function refused(message: string): AdminError {
  return new AdminError(
    403,
    'forbidden',
    `${message}; open the dashboard by the address that Access protects.`,
  )
}

/** The team domain as it is written in the dashboard of Cloudflare, or only the name of the team. */
function issuerOf(teamDomain: string): string {
  const host = teamDomain.replace(/^https:\/\//, '').replace(/\/+$/, '')
  return `https://${host.includes('.') ? host : `${host}.cloudflareaccess.com`}`
}

/** Codes of jose that are about the keys or how they are fetched. All its other errors are about the token. */
const KEY_SERVER_ERRORS: ReadonlySet<string> = new Set([
  errors.JOSEError.code,
  errors.JWKInvalid.code,
  errors.JWKSInvalid.code,
  errors.JWKSTimeout.code,
])

/** A fault of the token; anything else, such as a network that fails, means that we cannot tell. */
function isRefusal(error: unknown): boolean {
  return error instanceof errors.JOSEError && !KEY_SERVER_ERRORS.has(error.code)
}

function keysOf(c: AdminContext, issuer: string) {
  const known = keySets.get(issuer)
  if (known !== undefined) return known
  const keys = createRemoteJWKSet(new URL('/cdn-cgi/access/certs', issuer), { [customFetch]: c.env.fetch })
  keySets.set(issuer, keys)
  return keys
}
