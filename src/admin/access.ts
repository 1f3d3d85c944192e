/**
 * Cloudflare Access in front of the dashboard: checks the token that Access adds to every request that it admits.
 *
 * @see https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/
 */
import { findKey, KeysUnavailable } from '../jwt/key-sets.ts'
import { JwtRefused, verifyJwt } from '../jwt/verify.ts'
import type { AdminContext } from './env.ts'
import { AdminError } from './errors.ts'

export interface AccessSettings {
  /** Such as "acme.cloudflareaccess.com". */
  readonly teamDomain: string
  /** The AUD tag of the application. */
  readonly audience: string
}

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
  const { fetch, now } = c.env
  const source = { url: `${issuer}/cdn-cgi/access/certs`, fetch, now }
  try {
    const { email, common_name, sub } = await verifyJwt(token, {
      expected: { issuer, audiences: [audience] },
      now: now(),
      findKey: async (kid, alg) => (await findKey(source, kid, alg))?.key,
    })
    return typeof email === 'string' ? email : String(common_name ?? sub)
  } catch (error) {
    if (error instanceof JwtRefused) throw refused('The token of Cloudflare Access is not valid')
    if (error instanceof KeysUnavailable) throw keysUnavailable({ cause: error })
    throw error
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
