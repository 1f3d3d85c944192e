/**
 * Runs the 25 tests of Microsoft's validation for the app gallery against an endpoint, without an Entra tenant, and
 * decides as the validator does.
 *
 * Microsoft: SCIM-Validation-Test-Overview.md, "What Passing Means".
 */
import type { Clock, Instant, NewId } from '../clock.ts'
import type { JobConfig } from '../documents/job.ts'
import type { ClientCredentialsGrant, FederatedGrant } from '../oauth/grant.ts'
import type { Fetch } from '../protocol/fetch.ts'
import { schemasRequest } from '../protocol/requests.ts'
import type { TenantUrl } from '../protocol/tenant-url.ts'
import type { TokenSource } from '../protocol/token-source.ts'
import { hasGroupSchema } from './direct/schema-discoverability.ts'
import { SCIM_TESTS } from './direct/scim-tests.ts'
import { GALLERY_JOB, mapsManager } from './gallery-job.ts'
import type { GalleryContext, GalleryTest, Verdict } from './gallery-test.ts'
import { GROUP_TESTS } from './provisioning/group-tests.ts'
import { USER_TESTS } from './provisioning/user-tests.ts'
import { GallerySession, type TimedExchange } from './session.ts'

/** In the order of Microsoft's inventory; the number of a test is its position, from 1. */
export const GALLERY_TESTS: readonly GalleryTest[] = [...USER_TESTS, ...GROUP_TESTS, ...SCIM_TESTS]

export interface GalleryOptions {
  readonly tenantUrl: TenantUrl
  readonly tokens: TokenSource
  readonly clientCredentials?: ClientCredentialsGrant
  readonly federation?: FederatedGrant
  readonly fetch: Fetch
  readonly clock: Clock
  readonly newId: NewId
  /** The mappings; GALLERY_JOB by default. */
  readonly job?: JobConfig
  /** The names of the tests to run, all by default: the validator's "EnabledTests". */
  readonly enabled?: readonly string[]
  readonly signal?: AbortSignal
  readonly onResult?: (result: GalleryResult) => void
}

export interface GalleryResult {
  readonly number: number
  readonly test: GalleryTest
  readonly outcome: 'PASSED' | 'FAILED' | 'WARNING' | 'SKIPPED'
  /** What the validator says. */
  readonly words: string
  readonly remark?: string
  readonly exchanges: readonly TimedExchange[]
  readonly startedAt: Instant
  readonly durationMs: number
}

export interface GalleryVerdict {
  /** The validator's "overallLogicAppResult". */
  readonly overall: 'Succeeded' | 'Failed'
  /** The sentences that explain a failure. */
  readonly reasons: readonly string[]
}

const NO_GROUPS =
  'FAILED - [Initialization Phase] Schema_Discovery - /Schemas did not return Group schema. Group provisioning is mandatory.'

/** Runs the tests one after the other. An aborted run gives the results so far. */
export async function runGallerySuite(options: GalleryOptions): Promise<GalleryResult[]> {
  const results: GalleryResult[] = []
  const job = options.job ?? GALLERY_JOB
  const hasGroups = job.groups !== undefined && (await supportsGroups(options))
  for (const [index, test] of GALLERY_TESTS.entries()) {
    if (options.signal?.aborted) break
    if (options.enabled?.includes(test.name) === false) continue
    const result = await runTest(test, index + 1, options, hasGroups)
    results.push(result)
    options.onResult?.(result)
  }
  return results
}

const AUTHENTICATION = ['Validate_Credentials_Test', 'Federated_Identity_Test']

/** Every mandatory test must pass or be skipped, and one of the two tests of authentication must pass. */
export function galleryVerdict(results: readonly GalleryResult[]): GalleryVerdict {
  const isAuthentication = ({ test }: GalleryResult) => AUTHENTICATION.includes(test.name)
  const failures = results.filter((result) => result.outcome === 'FAILED' && !isAuthentication(result))
  const isAuthenticated = results.some((result) => isAuthentication(result) && result.outcome === 'PASSED')
  const reasons = [
    ...failures.map(({ test, words }) => `${test.name}: ${words}`),
    ...(isAuthenticated
      ? []
      : [
          'Neither Validate_Credentials_Test nor Federated_Identity_Test passed; one of them must: use --auth client-credentials or --auth federated',
        ]),
  ]
  return { overall: reasons.length === 0 ? 'Succeeded' : 'Failed', reasons }
}

async function supportsGroups(options: GalleryOptions): Promise<boolean> {
  const { body } = await new GallerySession(options).send(schemasRequest())
  return hasGroupSchema(body)
}

async function runTest(
  test: GalleryTest,
  number: number,
  options: GalleryOptions,
  hasGroups: boolean,
): Promise<GalleryResult> {
  const job = options.job ?? GALLERY_JOB
  const known = withoutRunning(test, { ...options, job }, hasGroups)
  if (known !== undefined)
    return { ...known, number, test, exchanges: [], startedAt: options.clock.now(), durationMs: 0 }
  const { fetch, clock } = options
  const session = new GallerySession(options)
  const context: GalleryContext = { ...options, job, session, tokenOptions: { fetch, clock } }
  const started = clock.now()
  const verdict = await test.run(context)
  const remaining = await session.cleanUp()
  return {
    ...{ number, test, ...graded(test, verdict, remaining) },
    ...{ exchanges: session.exchanges, startedAt: started, durationMs: clock.now() - started },
  }
}

function withoutRunning(
  { needs, category }: GalleryTest,
  { job, clientCredentials, federation }: GalleryOptions & { readonly job: JobConfig },
  hasGroups: boolean,
): Pick<GalleryResult, 'outcome' | 'words'> | undefined {
  if (needs === 'groups' && !hasGroups && category === 'mandatory')
    return { outcome: 'FAILED', words: NO_GROUPS }
  const isMissing =
    (needs === 'groups' && !hasGroups) ||
    (needs === 'manager' && !mapsManager(job)) ||
    (needs === 'client credentials' && clientCredentials === undefined) ||
    (needs === 'federation' && federation === undefined)
  return isMissing ? { outcome: 'SKIPPED', words: 'SKIPPED' } : undefined
}

function graded(
  { category }: GalleryTest,
  { passed, words, remark }: Verdict,
  remaining: readonly string[],
): Pick<GalleryResult, 'outcome' | 'words' | 'remark'> {
  const failure = category === 'optional' ? 'WARNING' : 'FAILED'
  const left = remaining.length === 0 ? [] : [`not deleted afterwards: ${remaining.join(', ')}`]
  const remarks = [...(remark === undefined ? [] : [remark]), ...left]
  return {
    ...{ outcome: passed ? 'PASSED' : failure, words },
    ...(remarks.length === 0 ? {} : { remark: remarks.join('; ') }),
  }
}
