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

  /** The account of one request. @returns `held`, which takes bytes, and `release`, which returns all of them */
  open(): { readonly held: HeldBodies; readonly release: () => void } {
    const taken = new Map<string, number>()
    const take = (owner: string, bytes: number): void => {
      this.#take(owner, bytes)
      taken.set(owner, (taken.get(owner) ?? 0) + bytes)
    }
    const release = () => {
      for (const [owner, bytes] of taken) this.#giveBack(owner, bytes)
      taken.clear()
    }
    return { held: { take }, release }
  }

  #take(owner: string, bytes: number): void {
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

  #giveBack(owner: string, bytes: number): void {
    this.#bytes -= bytes
    const left = (this.#byOwner.get(owner) ?? 0) - bytes
    if (left > 0) this.#byOwner.set(owner, left)
    else this.#byOwner.delete(owner)
  }
}
