/**
 * The form of a guide: what an administrator does at one identity provider to connect it. A guide is data. Its texts mark
 * what the provider's own pages say with *asterisks*, and values with `backticks`: see marked-text.tsx.
 */
import type { CredentialKind } from '../../../storage/access/replacements.ts'

/** The values of this server that a provider asks for. */
export type ServerValue = 'tenantUrl' | 'tokenUrl' | 'clientId' | CredentialKind

/** A field on the provider's page. */
export interface GuideField {
  /** Its name there. */
  readonly label: string
  /** A value of this server, a text to copy, or what to choose. */
  readonly value: ServerValue | { readonly copy: string } | { readonly choose: string }
  /** The field is only there with this kind of credential; undefined: with each. */
  readonly with?: CredentialKind
  readonly hint?: string
}

export interface MappingRow {
  /** The path of the SCIM attribute. */
  readonly target: string
  /** What it is called at the provider: an attribute, or an expression. */
  readonly source: string
  /** By this attribute, the provider finds a resource that exists already. */
  readonly isMatching?: true
  readonly hint?: string
}

export interface ConnectGuide {
  /** The last segment of the page's path. */
  readonly id: string
  readonly name: string
  /** The application to choose there, by its name. */
  readonly application: string
  /** A name for its credential, unless the administrator chooses another. */
  readonly credentialName: string
  /** What it can authenticate with; the recommended kind comes first. */
  readonly credentials: readonly [CredentialKind, ...CredentialKind[]]
  /** Which kind to choose, if there are two. */
  readonly credentialHint?: string
  /** It can also authenticate with an assertion: see docs/connect/oauth.md. */
  readonly canFederate?: true
  /** It may be a client that only reads. */
  readonly mayOnlyRead?: true
  readonly addSteps: readonly string[]
  /** Where the fields are. */
  readonly fieldSteps: readonly string[]
  readonly fields: readonly GuideField[]
  /** What tests the connection. */
  readonly testStep: string
  /** Where the mappings are, and what to do with them. */
  readonly mappingSteps: readonly string[]
  /** The title of the column with its attributes. */
  readonly sourceTitle: string
  readonly users: readonly MappingRow[]
  /** Undefined if it sends no groups. */
  readonly groups?: readonly MappingRow[]
  readonly startSteps: readonly string[]
  /** Which of them sends the first user, and the first group. */
  readonly sendsUser: string
  readonly sendsGroup?: string
  /** What the same pages are called in older versions. */
  readonly older?: readonly string[]
  /** What one sees there and here if all is well. */
  readonly success: readonly string[]
  readonly notes: readonly string[]
}
