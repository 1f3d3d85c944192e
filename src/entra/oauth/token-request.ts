/**
 * Builds the requests for access tokens and assertions (RFC 6749 §4.4, RFC 7523 §2.2). Pure.
 *
 * Microsoft: SCIMTests_Workflow.json and Workload-Identity-Federation-for-SCIM-Provisioning.md in
 * https://github.com/AzureAD/SCIMReferenceCode.
 */
import type { ClientCredentialsGrant, FederatedGrant, Workload } from './grant.ts'

export interface TokenRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** The parameters of the form, in the order in which they are sent. */
  readonly form: Readonly<Record<string, string>>
  /** Values that must not be shown or logged. */
  readonly secrets: readonly string[]
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export function clientCredentialsRequest(grant: ClientCredentialsGrant): TokenRequest {
  const { tokenEndpoint, clientId, clientSecret, clientAuthentication } = grant
  const basic = clientAuthentication === 'basic'
  return {
    url: tokenEndpoint,
    headers: basic ? { Authorization: basicAuthorization(clientId, clientSecret) } : {},
    form: {
      grant_type: 'client_credentials',
      ...(basic ? {} : { client_id: clientId, client_secret: clientSecret }),
      ...scopeOf(grant),
    },
    secrets: [clientSecret, ...(basic ? [basicAuthorization(clientId, clientSecret).slice(6)] : [])],
  }
}

/** The request with an assertion of Entra in place of a client secret. */
export function federatedRequest(grant: FederatedGrant, assertion: string): TokenRequest {
  return {
    url: grant.tokenEndpoint,
    headers: {},
    form: {
      grant_type: 'client_credentials',
      client_id: grant.clientId,
      client_assertion: assertion,
      client_assertion_type: ASSERTION_TYPE,
      ...scopeOf(grant),
      baseAddress: grant.baseAddress,
    },
    secrets: [assertion],
  }
}

/** The request for an assertion of the application about itself. */
export function assertionRequest(workload: Workload, tokenEndpoint: string): TokenRequest {
  const { applicationId, applicationSecret } = workload
  return {
    url: tokenEndpoint,
    headers: {},
    form: {
      grant_type: 'client_credentials',
      client_id: applicationId,
      ...(applicationSecret === undefined ? {} : { client_secret: applicationSecret }),
      scope: `api://${applicationId}/.default`,
    },
    secrets: applicationSecret === undefined ? [] : [applicationSecret],
  }
}

function scopeOf({ scope }: { readonly scope?: string }): { scope?: string } {
  return scope === undefined ? {} : { scope }
}

/** RFC 6749 §2.3.1: client identifier and secret are each encoded as form values before Basic encodes both. */
function basicAuthorization(clientId: string, clientSecret: string): string {
  return `Basic ${btoa(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`)}`
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}
