/**
 * The tests of Microsoft's validation for the app gallery as rows: what each one does, what it requires, and what the
 * validator says. Types only.
 *
 * Microsoft: Microsoft.SCIM.LogicAppValidationTemplate/StandardLogicApp in https://github.com/AzureAD/SCIMReferenceCode:
 * SCIM-Validation-Test-Overview.md (August 2026) and the workflow files.
 */
import type { Clock, NewId } from '../clock.ts'
import type { JobConfig } from '../documents/job.ts'
import type { ClientCredentialsGrant, FederatedGrant } from '../oauth/grant.ts'
import type { TokenClientOptions } from '../oauth/token-client.ts'
import type { TenantUrl } from '../protocol/tenant-url.ts'
import type { GallerySession } from './session.ts'

/** The workflow file that defines a test. */
export type Workflow = 'UserTests_Workflow.json' | 'GroupTests_Workflow.json' | 'SCIMTests_Workflow.json'

export interface GalleryTest {
  readonly name: string
  /** An optional test that fails is a warning and does not change the overall result. */
  readonly category: 'mandatory' | 'optional'
  /** What the job must map. Without groups, a mandatory test fails; without the rest, a test is skipped. */
  readonly needs?: 'groups' | 'manager' | 'client credentials' | 'federation'
  /** The requests in order, in short form. */
  readonly requests: readonly string[]
  /** When the validator lets the test pass. */
  readonly passes: string
  readonly workflow: Workflow
  /** Details that were not confirmed by the files, and what the suite does instead. */
  readonly notConfirmed?: string
  readonly run: (context: GalleryContext) => Promise<Verdict>
}

/** The validator's words: `success…` or `FAILED - …`. */
export interface Verdict {
  readonly passed: boolean
  readonly words: string
  /** What the validator tolerates but a person should know. */
  readonly remark?: string
}

export interface GalleryContext {
  readonly job: JobConfig
  readonly session: GallerySession
  readonly tenantUrl: TenantUrl
  readonly clientCredentials?: ClientCredentialsGrant
  readonly federation?: FederatedGrant
  readonly tokenOptions: TokenClientOptions
  readonly clock: Clock
  readonly newId: NewId
  readonly signal?: AbortSignal
}

export function success(detail?: string): Verdict {
  return { passed: true, words: detail === undefined ? 'success' : `success (${detail})` }
}

export function failed(words: string): Verdict {
  return { passed: false, words: `FAILED - ${words}` }
}
