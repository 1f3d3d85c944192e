/**
 * How a job obtains its access tokens, as entered on the Provisioning page: OAuth 2.0 client credentials, or a workload
 * identity of Entra (federation).
 */

/** Where the token request carries the client secret: RFC 6749 §2.3.1 allows both, and Entra's connectors use both. */
export const CLIENT_AUTHENTICATIONS = ['body', 'basic'] as const
export type ClientAuthentication = (typeof CLIENT_AUTHENTICATIONS)[number]

export interface ClientCredentialsGrant {
  readonly kind: 'client-credentials'
  /** URL of the target's token endpoint. */
  readonly tokenEndpoint: string
  readonly clientId: string
  readonly clientSecret: string
  readonly clientAuthentication: ClientAuthentication
  readonly scope?: string
}

export interface FederatedGrant {
  readonly kind: 'federated'
  /** URL of the target's token endpoint. */
  readonly tokenEndpoint: string
  /** The client that the target assigned to the trust. */
  readonly clientId: string
  readonly scope?: string
  /** The Tenant URL, which Microsoft's validator sends although it is not a standard parameter. */
  readonly baseAddress: string
  readonly workload: Workload
}

/** The application in Entra whose assertion replaces the client secret. */
export interface Workload {
  /** The issuer of the assertion, e.g. `https://login.microsoftonline.com/<tenant id>/v2.0`. */
  readonly issuer: string
  readonly applicationId: string
  /** The secret with which the application signs in at the issuer; the emulated issuer does not require it. */
  readonly applicationSecret?: string
}

export type Grant = ClientCredentialsGrant | FederatedGrant
