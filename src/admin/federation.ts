/**
 * The federation of a client, for the admin API and the dashboard: completes and checks what the administrator typed.
 */
import type * as v from 'valibot'
import { allowedHosts, isAllowedJwksUri } from '../jwt/jwks-uri.ts'
import { publicKeysOf } from '../jwt/public-key.ts'
import type { NewTrust, Trust } from '../storage/access/trusts.ts'
import { choice } from './contract/allowed.ts'
import type { FEDERATION_INPUT } from './contract/federation.ts'
import { AdminError, invalidField } from './errors.ts'
import { issuerIdentifier, type tenantUrl, tokenUrl } from './tenant-url.ts'

type Context = Parameters<typeof tenantUrl>[0]
type FederationInput = v.InferOutput<typeof FEDERATION_INPUT>

/**
 * The trust to store. The default claims are those of a client that signs its own assertions (RFC 7523 §3, points 1 to 3).
 *
 * @throws {AdminError} 400
 */
export function trustOf(c: Context, clientId: string, input: FederationInput): NewTrust {
  const { issuer = clientId, subject = clientId, audiences = [tokenUrl(c), issuerIdentifier(c)] } = input
  const { tid, azp } = input
  return {
    ...{ clientId, issuer, subject, audiences, tid, azp },
    ...keysOf(c, input),
    createdAt: c.env.now(),
  }
}

function keysOf(
  { env }: Context,
  { jwksUri, jwks }: Pick<FederationInput, 'jwksUri' | 'jwks'>,
): Pick<Trust, 'jwksUri' | 'jwks'> {
  if ((jwksUri === undefined) === (jwks === undefined)) {
    throw new AdminError(400, 'invalid', 'exactly one of "jwksUri" and "jwks" is needed', 'jwksUri')
  }
  if (jwksUri !== undefined) {
    const { federationHosts } = env.settings
    if (isAllowedJwksUri(jwksUri, federationHosts)) return { jwksUri, jwks: null }
    const hosts = choice(allowedHosts(federationHosts))
    throw invalidField('jwksUri', `an https URL with the host ${hosts} (setting FEDERATION_HOSTS)`, jwksUri)
  }
  const keys = publicKeysOf(jwks)
  if (keys !== undefined && keys.length > 0) {
    return { jwksUri: null, jwks: JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }) }
  }
  const allowed =
    'a JWK Set with a public key that has a "kid": RSA of 2048 to 4096 bits, or EC with the curve P-256'
  throw invalidField('jwks', allowed, jwks)
}
