/**
 * The assertion of a client (RFC 7523 §2.2): a token that is signed by the issuer in the federation of the client. The
 * federation is looked up by the id of the client before the assertion is read, so an assertion cannot choose its issuer.
 *
 * With Microsoft Entra ID the subject of an assertion is the object id of an application there, not the id of the client
 * here. RFC 7523 §3, point 2B, requires the latter, so this is a profile of it.
 *
 * An assertion may be sent again: Entra uses one for 65 minutes. A copy of it is worth no more than a copy of the access
 * token, and both travel over the same connection.
 */
import type { Context } from 'hono'
import { logFault } from '../../edge/log-fault.ts'
import { isAllowedJwksUri } from '../../jwt/jwks-uri.ts'
import { findKey, type KeySet, KeysUnavailable } from '../../jwt/key-sets.ts'
import { type Algorithm, type PublicKey, publicKeysOf } from '../../jwt/public-key.ts'
import { type Expected, JwtRefused, verifyJwt } from '../../jwt/verify.ts'
import type { HttpEnv, Runtime } from '../../runtime.ts'
import { MAX_ASSERTION_LIFETIME_SECONDS } from '../../scim/limits.ts'
import type { AccessTokenAnswer, AccessTokenRequest } from '../../storage/access/access-tokens.ts'
import { type CheckedAssertion, issueForAssertion, readTrust } from '../../storage/access/assertion-tokens.ts'
import type { Trust } from '../../storage/access/trusts.ts'
import type { Database } from '../../storage/database/database.ts'

/**
 * Issues an access token for an assertion, in two round trips. A refused assertion takes one.
 *
 * @throws {ScimError} 503 while the tenant is moved or imported; {TenantElsewhere}
 */
export async function issueWithAssertion(
  c: Context<HttpEnv>,
  db: Database,
  request: AccessTokenRequest,
  assertion: string,
): Promise<AccessTokenAnswer> {
  const trust = await readTrust(db, request)
  if ('outcome' in trust) return trust
  let keys: KeySet | undefined
  try {
    const { exp } = await verifyJwt(assertion, {
      expected: expectedBy(trust),
      now: request.now,
      findKey: async (kid, alg) => {
        const found = await keyOf(c.env, trust, kid, alg)
        keys = found?.set
        return found?.key
      },
    })
    return await issueForAssertion(db, request, {
      trust,
      // A NumericDate may have a fraction (RFC 7519 §2).
      expiresAt: Math.floor(exp * 1000),
      fetched: toStore(keys, trust),
    })
  } catch (error) {
    const credentialId = request.clientId
    if (error instanceof JwtRefused) {
      return { outcome: 'refused', reason: `assertion: ${error.reason}`, credentialId }
    }
    if (!(error instanceof KeysUnavailable)) throw error
    logFault(c, error)
    return { outcome: 'unavailable', reason: 'no keys', credentialId }
  }
}

function expectedBy({ issuer, audiences, subject, tid, azp }: Trust): Expected {
  return {
    ...{ issuer, audiences, subject, tid: tid ?? undefined, azp: azp ?? undefined },
    maxLifetimeSeconds: MAX_ASSERTION_LIFETIME_SECONDS,
  }
}

/**
 * A key of the issuer: one that the administrator has entered, or one at the URL of its keys.
 *
 * @throws {KeysUnavailable}
 */
async function keyOf(
  { fetch, now, settings }: Runtime,
  { jwksUri: url, jwks, jwksFetchedAt: fetchedAt }: Trust,
  kid: string,
  alg: Algorithm,
): Promise<{ readonly key: PublicKey; readonly set?: KeySet } | undefined> {
  const keys = jwks === null ? undefined : publicKeysOf(JSON.parse(jwks))
  if (url === null) {
    const key = keys?.find((one) => one.kid === kid && one.alg === alg)
    return key && { key }
  }
  if (!isAllowedJwksUri(url, settings.federationHosts)) {
    throw new KeysUnavailable(`FEDERATION_HOSTS no longer has the host of ${url}`)
  }
  const stored = keys && fetchedAt !== null ? { keys, fetchedAt } : undefined
  return await findKey({ url, fetch, now, stored }, kid, alg)
}

/** The keys that were fetched after those that are stored with the trust. */
function toStore(set: KeySet | undefined, { jwksFetchedAt }: Trust): CheckedAssertion['fetched'] {
  if (set === undefined || set.fetchedAt === jwksFetchedAt) return undefined
  return { jwks: JSON.stringify({ keys: set.keys.map(({ jwk }) => jwk) }), fetchedAt: set.fetchedAt }
}
