/**
 * The assertions of the emulated issuer, with the claims of a real one.
 *
 * Captured: docs/auth/WIF_END_TO_END_PROOF_AND_AUTH_METHOD_REFERENCE.md in https://github.com/pranems/SCIMServer. The
 * claims `aio`, `rh` and `xms_ftd`, which only Microsoft can interpret, are left out.
 */
import { importJWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import type { Instant } from '../clock.ts'
import type { Fault } from './faults.ts'
import { audienceOf, issuerAddresses, type WorkloadIdentity } from './identity.ts'
import { publicKey, type SigningKey } from './signing-keys.ts'

/** The captured assertion was issued five minutes in the past and lives 3,900 seconds, so an hour remains. */
const ISSUED_AGO_SECONDS = 300
const LIFETIME_SECONDS = 3900

/** The remaining lifetime in the issuer's response. */
export const EXPIRES_IN_SECONDS = LIFETIME_SECONDS - ISSUED_AGO_SECONDS - 1

const EXPIRED_SINCE_SECONDS = 3600

/** A tenant, an application and a service principal that no trust names. */
const STRANGER = '00000000-0000-4000-8000-000000000000'

export interface AssertionInput {
  readonly origin: string
  readonly identity: WorkloadIdentity
  readonly now: Instant
  readonly newId: () => string
  readonly faults: ReadonlySet<Fault>
}

export function assertionClaims({ origin, identity, now, newId, faults }: AssertionInput): JWTPayload {
  const { tenantId, applicationId, objectId } = identity
  const subject = faults.has('wrong-subject') ? STRANGER : objectId
  const late = faults.has('expired') ? LIFETIME_SECONDS + EXPIRED_SINCE_SECONDS : ISSUED_AGO_SECONDS
  const iat = Math.floor(now / 1000) - late
  return {
    aud: audienceOf(faults.has('wrong-audience') ? { ...identity, applicationId: STRANGER } : identity),
    iss: issuerAddresses(origin, faults.has('wrong-issuer') ? STRANGER : tenantId).issuer,
    iat,
    nbf: iat,
    exp: iat + LIFETIME_SECONDS,
    azp: applicationId,
    // The application signed in with a secret; "2" would be a certificate.
    azpacr: '1',
    oid: subject,
    sub: subject,
    tid: faults.has('wrong-tenant') ? STRANGER : tenantId,
    uti: newId().replaceAll('-', '').slice(0, 22),
    ver: '2.0',
  }
}

export async function signAssertion(
  claims: JWTPayload,
  key: SigningKey,
  faults: ReadonlySet<Fault>,
): Promise<string> {
  const { kid } = key
  if (faults.has('alg-none')) return new UnsecuredJWT(claims).encode()
  if (faults.has('hs256')) {
    const secret = new TextEncoder().encode(JSON.stringify(publicKey(key)))
    return new SignJWT(claims).setProtectedHeader({ typ: 'JWT', alg: 'HS256', kid }).sign(secret)
  }
  const privateKey = await importJWK(key, 'RS256')
  return new SignJWT(claims).setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid }).sign(privateKey)
}
