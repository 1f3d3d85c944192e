/**
 * The identity that the emulated issuer asserts, and the addresses of the issuer, which have the paths of
 * login.microsoftonline.com. Pure.
 */

export interface WorkloadIdentity {
  readonly tenantId: string
  /** The application (client) id, which is the audience of the assertion and its `azp`. */
  readonly applicationId: string
  /** The object id of the application's service principal, which is the subject. */
  readonly objectId: string
  /** The form of the audience. Entra uses the id alone, although the scope has the form of a URI. */
  readonly audience: 'guid' | 'uri'
}

/** Invented, and always the same, so that a target's trust remains valid. */
export const DEFAULT_IDENTITY: WorkloadIdentity = {
  tenantId: '5f1d4c0a-6e0b-4c2f-9a52-7a1f0d3b8e64',
  applicationId: 'c3b7a1e8-2d94-4f60-8b15-90e6f2a7d4c1',
  objectId: '8d2e6f47-b3c1-4a95-a7d0-1e4f5b6c9a38',
  audience: 'guid',
}

export interface IssuerAddresses {
  readonly issuer: string
  readonly tokenEndpoint: string
  readonly jwksUri: string
}

export function issuerAddresses(origin: string, tenantId: string): IssuerAddresses {
  const tenant = `${origin}/${tenantId}`
  return {
    issuer: `${tenant}/v2.0`,
    tokenEndpoint: `${tenant}/oauth2/v2.0/token`,
    jwksUri: `${tenant}/discovery/v2.0/keys`,
  }
}

export function audienceOf({ applicationId, audience }: WorkloadIdentity): string {
  return audience === 'guid' ? applicationId : `api://${applicationId}`
}

/** The body of a target's federation trust: PUT /admin/api/tenants/{id}/clients/{clientId}/federation. */
export function federationTrust(origin: string, identity: WorkloadIdentity) {
  const { issuer, jwksUri } = issuerAddresses(origin, identity.tenantId)
  const { objectId: subject, tenantId: tid } = identity
  return { issuer, jwksUri, subject, audiences: [audienceOf(identity)], tid }
}
