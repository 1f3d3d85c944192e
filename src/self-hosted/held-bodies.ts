/**
 * The bytes of request bodies in memory, in total and for each owner. A parsed body takes ten times as much memory as
 * its text and waits for the database, so without a limit a few clients would fill the memory.
 */
import type { HeldBodies } from '../runtime.ts'
import { ScimError } from '../scim/error.ts'

export interface HeldBodyLimits {
  readonly bytes: number
  readonly bytesPerOwner: number
}

export class BodyBudget {
  readonly #limits: HeldBodyLimits
  readonly #byOwner = new Map<string, number>()
  #bytes = 0

  constructor(limits: HeldBodyLimits) {
    this.#limits = limits
  }

  /** The bytes that are held now. */
  get bytes(): number {
    return this.#bytes
  }

  /** The account of one request. */
  open(): BodyAccount {
    return new BodyAccount(this)
  }

  /** @throws {ScimError} 429, 503 */
  take(owner: string, bytes: number): void {
    const own = (this.#byOwner.get(owner) ?? 0) + bytes
    if (own > this.#limits.bytesPerOwner) {
      const detail = `the bodies of your requests under way exceed ${this.#limits.bytesPerOwner} bytes, the limit`
      throw new ScimError(429, undefined, `${detail}; try again`)
    }
    if (this.#bytes + bytes > this.#limits.bytes) {
      const detail = `request bodies in progress exceed the limit of ${this.#limits.bytes} bytes`
      throw new ScimError(503, undefined, `${detail}; try again`)
    }
    this.#bytes += bytes
    this.#byOwner.set(owner, own)
  }

  giveBack(owner: string, bytes: number): void {
    this.#bytes -= bytes
    const left = (this.#byOwner.get(owner) ?? 0) - bytes
    if (left > 0) this.#byOwner.set(owner, left)
    else this.#byOwner.delete(owner)
  }
}

/** What one request takes. Most requests have no body. */
export class BodyAccount implements HeldBodies {
  readonly #budget: BodyBudget
  #taken: Map<string, number> | undefined

  constructor(budget: BodyBudget) {
    this.#budget = budget
  }

  take(owner: string, bytes: number): void {
    this.#budget.take(owner, bytes)
    this.#taken ??= new Map()
    this.#taken.set(owner, (this.#taken.get(owner) ?? 0) + bytes)
  }

  /** Returns all that was taken. */
  release(): void {
    if (this.#taken === undefined) return
    for (const [owner, bytes] of this.#taken) this.#budget.giveBack(owner, bytes)
    this.#taken = undefined
  }
}
