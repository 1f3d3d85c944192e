/** Describes what a target needs to trust the emulated issuer. Pure. */
import { federationTrust, type WorkloadIdentity } from '../issuer/identity.ts'

export function describeTrust(origin: string, identity: WorkloadIdentity): string {
  const trust = federationTrust(origin, identity)
  return [
    'The federation trust of the target needs:',
    `  Issuer     ${trust.issuer}`,
    `  JWKS URL   ${trust.jwksUri}`,
    `  Subject    ${trust.subject}`,
    `  Audience   ${trust.audiences.join(', ')}`,
    `  Tenant id  ${trust.tid}`,
    `If the target is scim-worker, it also needs the setting FEDERATION_HOSTS=${new URL(origin).host}`,
    `and, for PUT /admin/api/tenants/{id}/clients/{clientId}/federation, the body`,
    `  ${JSON.stringify(trust)}`,
    '',
  ].join('\n')
}
