/**
 * Cloudflare Access in front of the dashboard: checks the token that Access adds to every request that it admits.
 *
 * @see https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/
 */
import type { Administrator } from '../administrators/administrator.ts'
import { EVERYTHING } from '../administrators/role.ts'
import { grantsOf, type RoleRule } from '../administrators/role-rules.ts'
import { findKey, KeysUnavailable } from '../jwt/key-sets.ts'
import { type Claims, JwtRefused, verifyJwt } from '../jwt/verify.ts'
import { isComplex } from '../scim/comparison.ts'
import type { AdminContext } from './env.ts'
import { AdminError } from './errors.ts'

export interface AccessSettings {
  /** Such as "acme.cloudflareaccess.com". */
  readonly teamDomain: string
  /** The AUD tag of the application. */
  readonly audience: string
}

/**
 * The administrator whom the token of Access names: by the e-mail address, or the name of a service token. The roles follow
 * from ADMIN_ROLES. Without that setting, everybody whom Access admits is an owner.
 *
 * @throws {AdminError} 403 if the token is missing or invalid, 503 if the keys cannot be fetched
 */
export async function accessAdministrator(
  c: AdminContext,
  { teamDomain, audience }: AccessSettings,
): Promise<Administrator> {
  const token = c.req.header('Cf-Access-Jwt-Assertion')
  if (token === undefined) throw refused('This request did not come through Cloudflare Access')
  const issuer = issuerOf(teamDomain)
  const { fetch, now } = c.env
  const source = { url: `${issuer}/cdn-cgi/access/certs`, fetch, now }
  try {
    const claims = await verifyJwt(token, {
      expected: { issuer, audiences: [audience] },
      now: now(),
      findKey: async (kid, alg) => (await findKey(source, kid, alg))?.key,
    })
    return administratorOf(claims, c.env.settings.adminRoles)
  } catch (error) {
    if (error instanceof JwtRefused) throw refused('The token of Cloudflare Access is not valid')
    if (error instanceof KeysUnavailable) throw keysUnavailable({ cause: error })
    throw error
  }
}

function administratorOf(
  { email: address, common_name, sub, custom }: Claims,
  rules: readonly RoleRule[] | undefined,
): Administrator {
  const email = typeof address === 'string' ? address : undefined
  const name = email ?? String(common_name ?? sub)
  const grants = rules === undefined ? EVERYTHING : grantsOf(rules, { email, groups: groupsOf(custom) })
  return { name, via: 'Cloudflare Access', grants }
}

/** The groups of the identity provider, which Access passes on as a custom claim of OpenID Connect. */
function groupsOf(custom: unknown): readonly string[] {
  const groups = isComplex(custom) ? custom.groups : undefined
  return Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : []
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
