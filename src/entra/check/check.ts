/**
 * The verdict on an endpoint: walks it through the life of a directory in both dialects, on objects of its own making,
 * and deletes them again. Sends by an injected fetch; decides nothing about exit codes.
 */

import type { Clock, NewId } from '../clock.ts'
import type { WireAnswer } from '../protocol/answer.ts'
import { type Dialect, deleteRequest, type ScimRequest } from '../protocol/requests.ts'
import { type Exchange, type Fetch, ScimClient } from '../protocol/scim-client.ts'
import type { TenantUrl } from '../protocol/tenant-url.ts'
import type { Grade } from './assertions.ts'
import { type CheckObject, type CheckStep, lifeSteps } from './scenario.ts'

export interface CheckResult {
  readonly dialect: Dialect
  readonly title: string
  readonly grade: Grade
  readonly message: string
  /** What Entra would do about it; only for a deviation or an error. */
  readonly consequence?: string
  readonly request?: ScimRequest
  readonly answer?: WireAnswer
  readonly durationMs: number
}

export interface CheckOptions {
  readonly tenantUrl: TenantUrl
  readonly token: string
  readonly fetch: Fetch
  readonly clock: Clock
  readonly newId: NewId
  readonly dialects: readonly Dialect[]
  readonly signal?: AbortSignal
  readonly onResult?: (result: CheckResult) => void
}

/** A step needs an object that could not be created. */
class MissingObject extends Error {
  override readonly name = 'MissingObject'
}

/** All steps in order. What was created is deleted, also after an error or an abort. */
export async function checkEndpoint(options: CheckOptions): Promise<CheckResult[]> {
  const results: CheckResult[] = []
  for (const dialect of options.dialects) {
    if (options.signal?.aborted) break
    const life = new Life(options, dialect)
    try {
      for await (const result of life.run()) {
        results.push(result)
        options.onResult?.(result)
      }
    } finally {
      const left = await life.cleanUp()
      if (left !== undefined) {
        results.push(left)
        options.onResult?.(left)
      }
    }
  }
  return results
}

class Life {
  readonly #options: CheckOptions
  readonly #dialect: Dialect
  readonly #ids = new Map<CheckObject, string>()
  readonly #alive = new Set<CheckObject>()
  readonly #client: ScimClient
  #exchange: Exchange | undefined

  constructor(options: CheckOptions, dialect: Dialect) {
    const { tenantUrl, token, fetch, clock } = options
    this.#options = options
    this.#dialect = dialect
    const onExchange = (exchange: Exchange) => {
      this.#exchange = exchange
    }
    this.#client = new ScimClient({ tenantUrl, token, fetch, clock, onExchange })
  }

  async *run(): AsyncGenerator<CheckResult> {
    const mark = `entra-check-${this.#options.newId().slice(0, 8)}`
    for (const step of lifeSteps(this.#dialect, mark, this.#options.newId)) {
      if (this.#options.signal?.aborted) return
      yield await this.#take(step)
    }
  }

  /** A result only when something could not be deleted. */
  async cleanUp(): Promise<CheckResult | undefined> {
    const left: string[] = []
    for (const object of this.#alive) {
      const type = object.startsWith('group') ? 'Group' : 'User'
      const id = this.#ids.get(object) ?? ''
      const outcome = await this.#client.send('delete', deleteRequest(type, id))
      if (!outcome.ok) left.push(`${type} ${id} (${outcome.detail})`)
    }
    if (left.length === 0) return undefined
    const message = `left behind: ${left.join(', ')}`
    return { dialect: this.#dialect, title: 'clean up', grade: 'error', message, durationMs: 0 }
  }

  readonly #idOf = (object: CheckObject): string => {
    const id = this.#ids.get(object)
    if (id === undefined) throw new MissingObject(`needs the ${object} object, which could not be created`)
    return id
  }

  async #take(step: CheckStep): Promise<CheckResult> {
    const { title } = step
    const dialect = this.#dialect
    try {
      const judge = step.judge(this.#idOf)
      const request = step.request(this.#idOf)
      const { answer, durationMs } = await this.#send(request)
      const { grade, message, resource } = judge(answer)
      if (step.captures !== undefined && typeof resource?.id === 'string')
        this.#keep(step.captures, resource.id)
      if (step.removes !== undefined && grade !== 'error') this.#alive.delete(step.removes)
      const bad = grade === 'deviation' || grade === 'error'
      const result = { dialect, title, grade, message, request, answer, durationMs }
      return bad ? { ...result, consequence: step.consequence } : result
    } catch (error) {
      if (!(error instanceof MissingObject)) throw error
      return { dialect, title, grade: 'skipped', message: error.message, durationMs: 0 }
    }
  }

  async #send(request: ScimRequest): Promise<Exchange> {
    await this.#client.send('match', request)
    if (this.#exchange === undefined) throw new Error('the client reported no exchange')
    return this.#exchange
  }

  #keep(object: CheckObject, id: string): void {
    this.#ids.set(object, id)
    this.#alive.add(object)
  }
}
