/**
 * Readers of the event feed that wait for an event. All readers of a tenant share one look at the database, at a fixed
 * interval, so waiting takes next to no processor time, and writes have nothing to do for it: events of other processes
 * are noticed as well.
 */
import { MAX_WAITING_READERS } from '../../scim/limits.ts'
import type { Database } from '../../storage/database/database.ts'
import { newestEvent } from '../../storage/events/feed.ts'

/** A position in the feed of a tenant, and the database that it lives in. */
export interface AwaitedPosition {
  readonly tenantId: string
  /** Undefined: the first database. */
  readonly databaseName: string | undefined
  /** The number of the last event that the reader has seen. */
  readonly seq: number
}

interface Reader {
  readonly seq: number
  readonly wake: () => void
}

interface WaitersOptions {
  /** @param name of the binding; undefined: the first database */
  readonly openDatabase: (name: string | undefined) => Database
  /** Between two looks at the database. */
  readonly intervalMs: number
}

export class EventWaiters {
  readonly #options: WaitersOptions
  /** By tenant. A tenant in the map has a running `#look`. */
  readonly #readers = new Map<string, Set<Reader>>()
  #isStopped = false

  constructor(options: WaitersOptions) {
    this.#options = options
  }

  /**
   * Resolves when there is an event after the position, when the time is over, or when the service stops. A database that
   * does not answer ends no wait: the read that follows reports it.
   *
   * @returns false at once if too many readers of the tenant are waiting: an exception would not cross the border of a
   *   Durable Object
   */
  async wait({ tenantId, databaseName, seq }: AwaitedPosition, ms: number): Promise<boolean> {
    if (this.#isStopped) return true
    const present = this.#readers.get(tenantId)
    const readers = present ?? new Set<Reader>()
    if (readers.size >= MAX_WAITING_READERS) return false
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer)
        readers.delete(reader)
        resolve()
      }
      const timer = setTimeout(end, ms)
      const reader: Reader = { seq, wake: end }
      readers.add(reader)
      if (present !== undefined) return
      this.#readers.set(tenantId, readers)
      void this.#look(tenantId, databaseName, readers)
    })
    return true
  }

  /** Ends all waits. */
  stop(): void {
    this.#isStopped = true
    for (const readers of this.#readers.values()) for (const { wake } of readers) wake()
  }

  /** Looks until no reader is left. */
  async #look(tenantId: string, databaseName: string | undefined, readers: Set<Reader>): Promise<void> {
    const { openDatabase, intervalMs } = this.#options
    while (readers.size > 0) {
      try {
        const newest = await newestEvent(openDatabase(databaseName), tenantId)
        for (const { seq, wake } of readers) if (newest > seq) wake()
      } catch (error) {
        console.error(JSON.stringify({ job: 'wait for events', tenantId, message: String(error) }))
      }
      await new Promise((resolve) => setTimeout(resolve, intervalMs))
    }
    this.#readers.delete(tenantId)
  }
}
