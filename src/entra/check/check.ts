/**
 * Checks an endpoint: the connection and the token once, then the other checks in each dialect on objects that it creates,
 * and concurrent clients. Deletes the objects afterwards. Requests go through an injected fetch; the caller maps the grades to exit codes.
 */
import type { Clock, NewId } from '../clock.ts'
import { checkConcurrency } from '../concurrency/check-concurrency.ts'
import { TestObjects } from '../concurrency/test-objects.ts'
import { isBad } from '../grade.ts'
import type { Grant } from '../oauth/grant.ts'
import type { Fetch } from '../protocol/fetch.ts'
import type { Dialect } from '../protocol/requests.ts'
import type { TenantUrl } from '../protocol/tenant-url.ts'
import type { TokenSource } from '../protocol/token-source.ts'
import { CheckClient } from './check-client.ts'
import type { CheckResult } from './check-result.ts'
import type { CheckDefinition, Need } from './checks/check-definition.ts'
import { CHECKS, DIALECT_CHECKS } from './checks/checks.ts'
import { CLIENTS, CONCURRENCY_CHECK, resultOfRace } from './checks/concurrency-check.ts'
import { CONNECTION_CHECKS, RESOURCE_TYPES_TITLE, SCHEMAS_TITLE } from './checks/connection-checks.ts'
import { PRESETS } from './presets.ts'
import { type CheckMappings, CREW_SIZE, managerPath, newNamePrefix, newScene, type Scene } from './scene.ts'
import { StepRunner } from './step-runner.ts'
import { supportsGroups, unsupportedMappings } from './support.ts'
import { checkTokenEndpoint } from './token-endpoint.ts'

export interface CheckOptions {
  readonly tenantUrl: TenantUrl
  readonly tokens: TokenSource
  /** If access tokens come from a token endpoint, it is checked first. */
  readonly grant?: Grant
  readonly fetch: Fetch
  readonly clock: Clock
  readonly newId: NewId
  readonly dialects: readonly Dialect[]
  /** By default those of `entra-custom`, without attributes that the endpoint does not list in /Schemas. */
  readonly mappings?: CheckMappings
  readonly only?: Need
  /** Names of checks that do not run. */
  readonly skip?: readonly string[]
  /** The number of users that one request adds to a group. */
  readonly crewSize?: number
  /** The number of clients that send requests at once. */
  readonly clients?: number
  /** Ends the check after the request in progress. */
  readonly signal?: AbortSignal
  readonly onResult?: (result: CheckResult) => void
}

/**
 * Runs all checks in order. If the endpoint cannot be reached, only the first one. The created objects are deleted at the
 * end, also after an error or an abort.
 * @throws {MappingError} if a mapping cannot be evaluated for the people that `check` invents
 */
export async function checkEndpoint(options: CheckOptions): Promise<CheckResult[]> {
  const run = new CheckRun(options)
  try {
    await run.checkAll()
  } finally {
    await run.cleanUp()
  }
  return run.results
}

class CheckRun {
  readonly results: CheckResult[] = []
  readonly #options: CheckOptions
  readonly #objects: TestObjects
  readonly #prefix: string
  readonly #client: CheckClient
  readonly #steps: StepRunner
  #mappings: CheckMappings

  constructor(options: CheckOptions) {
    this.#options = options
    this.#prefix = newNamePrefix(options.newId)
    this.#mappings = options.mappings ?? PRESETS['entra-custom']
    this.#objects = new TestObjects(this.#prefix)
    this.#client = new CheckClient(options, this.#objects)
    this.#steps = new StepRunner(this.#client)
  }

  async checkAll(): Promise<void> {
    const { grant, dialects, mappings } = this.#options
    if (grant !== undefined)
      for await (const result of checkTokenEndpoint({ ...this.#options, grant })) this.#add(result)
    const isReached = await this.#checkConnection(this.#scene(dialects[0] ?? 'old'))
    if (!isReached) return
    if (mappings === undefined) this.#leaveOutUnsupported()
    for (const dialect of dialects) {
      const scene = this.#scene(dialect)
      this.#steps.begin()
      for (const check of DIALECT_CHECKS) await this.#runCheck(check, scene, dialect)
    }
    await this.#checkConcurrency()
    for (const check of CHECKS) this.#explainOmission(check)
  }

  /** Concurrent clients, which create and delete objects of their own. */
  async #checkConcurrency(): Promise<void> {
    const { dialects, clients = CLIENTS, signal } = this.#options
    if (this.#omission(CONCURRENCY_CHECK) !== undefined || signal?.aborted) return
    const dialect = dialects[0] ?? 'old'
    const { userNamed } = this.#scene(dialect)
    const groups = this.#omission({ name: '', needs: ['users', 'groups'] }) === undefined
    await checkConcurrency({
      ...{ ...this.#options, dialect, clients, groups, valuesOfUser: userNamed },
      ...{ account: this.#objects, namePrefix: this.#prefix },
      onResult: (race) => this.#add(resultOfRace(race)),
    })
  }

  async cleanUp(): Promise<void> {
    const remaining = await this.#objects.deleteAll((request) => this.#client.sendAfterAbort(request))
    if (remaining.length === 0) return
    const message = `could not be deleted: ${remaining.join(', ')}`
    const findings = [{ grade: 'error', message, cause: 'clean up' }] as const
    this.#add({ title: 'clean up', grade: 'error', message, findings, durationMs: 0 })
  }

  #scene(dialect: Dialect): Scene {
    const { clock, newId, crewSize = CREW_SIZE } = this.#options
    return newScene({ dialect, clock, newId, crewSize, prefix: this.#prefix, mappings: this.#mappings })
  }

  /** Whether the endpoint answers as a SCIM endpoint, so that the other checks can tell more. */
  async #checkConnection(scene: Scene): Promise<boolean> {
    const [connection, ...others] = CONNECTION_CHECKS
    if (connection === undefined) return true
    const [first] = await this.#runCheck(connection, scene)
    const isReached = first === undefined || !isUnreachable(first)
    if (!isReached) {
      const message = 'not run, because the connection test failed'
      this.#add({ title: 'the other checks', grade: 'skipped', message, durationMs: 0 })
      return false
    }
    for (const check of others) await this.#runCheck(check, scene)
    return true
  }

  async #runCheck(check: CheckDefinition, scene: Scene, dialect?: Dialect): Promise<readonly CheckResult[]> {
    if (this.#omission(check) !== undefined) return []
    const results: CheckResult[] = []
    for (const step of check.steps(scene)) {
      if (this.#options.signal?.aborted) return results
      const result = await this.#steps.run(step, check)
      // A request that was aborted tells nothing about the endpoint.
      if (result === undefined || this.#options.signal?.aborted) continue
      const shown = dialect === undefined ? result : { ...result, dialect }
      results.push(shown)
      this.#add(shown)
    }
    return results
  }

  /** The reason why a check does not apply. */
  #omission({ name, needs }: Pick<CheckDefinition, 'name' | 'needs'>): string | undefined {
    const { only, skip = [] } = this.#options
    if (skip.includes(name)) return `--skip ${name}`
    if (only !== undefined && needs.some((need) => need !== only)) return `--only ${only}`
    if (!needs.includes('groups')) return undefined
    if (this.#mappings.groups === undefined) return 'the job does not provision groups'
    return supportsGroups(this.#steps.answerOf(RESOURCE_TYPES_TITLE))
      ? undefined
      : 'the endpoint does not list Group as a resource type'
  }

  #explainOmission(check: CheckDefinition): void {
    const noManager = check.name === 'manager' && managerPath(this.#mappings) === undefined
    const reason = this.#omission(check) ?? (noManager ? 'the manager is not mapped' : undefined)
    if (reason === undefined) return
    this.#add({
      check: check.name,
      title: check.name,
      grade: 'not-applicable',
      message: reason,
      durationMs: 0,
    })
  }

  #leaveOutUnsupported(): void {
    const { users } = this.#mappings
    const unsupported = unsupportedMappings(users, this.#steps.answerOf(SCHEMAS_TITLE))
    this.#mappings = { ...this.#mappings, users: users.filter((mapping) => !unsupported.includes(mapping)) }
    for (const { target } of unsupported) {
      const message = 'not listed in /Schemas: not sent'
      this.#add({ title: target, grade: 'not-applicable', message, durationMs: 0 })
    }
  }

  #add(result: CheckResult): void {
    this.results.push(result)
    this.#options.onResult?.(result)
  }
}

/** A wrong number of resources shows that the endpoint answers; every other error would show at each step. */
function isUnreachable({ grade, findings = [] }: CheckResult): boolean {
  return isBad(grade) && findings.some(({ cause }) => cause.startsWith('connection: '))
}
