/**
 * Checks an endpoint: runs the scenario in each dialect on objects that it creates, and deletes them afterwards.
 * Requests go through an injected fetch; the caller maps the grades to exit codes.
 */

import type { Clock, NewId } from '../clock.ts'
import type { Grant } from '../oauth/grant.ts'
import type { Fetch } from '../protocol/fetch.ts'
import { type Dialect, deleteRequest, type ScimRequest } from '../protocol/requests.ts'
import { type Exchange, ScimClient } from '../protocol/scim-client.ts'
import type { TenantUrl } from '../protocol/tenant-url.ts'
import type { TokenSource } from '../protocol/token-source.ts'
import type { CheckResult } from './check-result.ts'
import { type CheckObject, type CheckStep, scenarioSteps } from './scenario.ts'
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
  readonly signal?: AbortSignal
  readonly onResult?: (result: CheckResult) => void
}

/** Thrown when a step needs an object that could not be created. */
class MissingObject extends Error {
  override readonly name = 'MissingObject'
}

/** Runs all steps in order. The created objects are deleted at the end, also after an error or an abort. */
export async function checkEndpoint(options: CheckOptions): Promise<CheckResult[]> {
  const results: CheckResult[] = []
  const { grant } = options
  if (grant !== undefined) {
    for await (const result of checkTokenEndpoint({ ...options, grant })) {
      results.push(result)
      options.onResult?.(result)
    }
  }
  for (const dialect of options.dialects) {
    if (options.signal?.aborted) break
    const scenario = new Scenario(options, dialect)
    try {
      for await (const result of scenario.run()) {
        results.push(result)
        options.onResult?.(result)
      }
    } finally {
      const cleanUpFailure = await scenario.cleanUp()
      if (cleanUpFailure !== undefined) {
        results.push(cleanUpFailure)
        options.onResult?.(cleanUpFailure)
      }
    }
  }
  return results
}

class Scenario {
  readonly #options: CheckOptions
  readonly #dialect: Dialect
  readonly #ids = new Map<CheckObject, string>()
  readonly #existing = new Set<CheckObject>()
  readonly #client: ScimClient
  #exchange: Exchange | undefined

  constructor(options: CheckOptions, dialect: Dialect) {
    const { tenantUrl, tokens, fetch, clock } = options
    this.#options = options
    this.#dialect = dialect
    const onExchange = (exchange: Exchange) => {
      this.#exchange = exchange
    }
    this.#client = new ScimClient({ tenantUrl, tokens, fetch, clock, onExchange })
  }

  async *run(): AsyncGenerator<CheckResult> {
    const namePrefix = `entra-check-${this.#options.newId().slice(0, 8)}`
    for (const step of scenarioSteps(this.#dialect, namePrefix, this.#options.newId)) {
      if (this.#options.signal?.aborted) return
      yield await this.#runStep(step)
    }
  }

  /** Deletes the objects that still exist. Returns a result only if a deletion failed. */
  async cleanUp(): Promise<CheckResult | undefined> {
    const remaining: string[] = []
    for (const object of this.#existing) {
      const type = object.startsWith('group') ? 'Group' : 'User'
      const id = this.#ids.get(object) ?? ''
      const outcome = await this.#client.send('delete', deleteRequest(type, id))
      if (!outcome.ok) remaining.push(`${type} ${id} (${outcome.detail})`)
    }
    if (remaining.length === 0) return undefined
    const message = `could not be deleted: ${remaining.join(', ')}`
    return { dialect: this.#dialect, title: 'clean up', grade: 'error', message, durationMs: 0 }
  }

  readonly #idOf = (object: CheckObject): string => {
    const id = this.#ids.get(object)
    if (id === undefined)
      throw new MissingObject(`requires the object "${object}", which could not be created`)
    return id
  }

  async #runStep(step: CheckStep): Promise<CheckResult> {
    const { title } = step
    const dialect = this.#dialect
    try {
      const assertion = step.assertion(this.#idOf)
      const request = step.request(this.#idOf)
      const { answer, durationMs } = await this.#send(request)
      const { grade, message, resource } = assertion(answer)
      if (step.captures !== undefined && typeof resource?.id === 'string')
        this.#rememberId(step.captures, resource.id)
      if (step.removes !== undefined && grade !== 'error') this.#existing.delete(step.removes)
      const bad = grade === 'deviation' || grade === 'error'
      const result = { dialect, title, grade, message, request, answer, durationMs }
      return bad ? { ...result, consequence: step.consequence } : result
    } catch (error) {
      if (!(error instanceof MissingObject)) throw error
      return { dialect, title, grade: 'skipped', message: error.message, durationMs: 0 }
    }
  }

  async #send(request: ScimRequest): Promise<Exchange> {
    this.#exchange = undefined
    const outcome = await this.#client.send('match', request)
    if (this.#exchange !== undefined) return this.#exchange
    if (outcome.ok) throw new Error('the client did not report the exchange')
    // Without an access token the client sends nothing.
    const answer = { kind: 'none', reason: 'network', message: outcome.detail } as const
    return { request, answer, durationMs: 0 }
  }

  #rememberId(object: CheckObject, id: string): void {
    this.#ids.set(object, id)
    this.#existing.add(object)
  }
}
