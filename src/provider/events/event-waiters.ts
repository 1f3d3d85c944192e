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
  /**
   * By tenant and database: the readers that come after a move look at the new database. A key of the map has a running
   * `#look`.
   */
  readonly #readers = new Map<string, Set<Reader>>()
  #isStopped = false

  constructor(options: WaitersOptions) {
    this.#options = options
  }

  /**
   * Resolves when there is an event after the position, when the time is over, when the reader leaves, or when the service
   * stops. A database that does not answer ends no wait: the read that follows reports it.
   *
   * @param left is aborted when the reader leaves
   * @returns false at once if too many readers of the tenant are waiting: an exception would not cross the border of a
   *   Durable Object
   */
  async wait(
    { tenantId, databaseName, seq }: AwaitedPosition,
    ms: number,
    left?: AbortSignal,
  ): Promise<boolean> {
    if (this.#isStopped || left?.aborted) return true
    const key = `${tenantId} ${databaseName}`
    const present = this.#readers.get(key)
    const readers = present ?? new Set<Reader>()
    if (readers.size >= MAX_WAITING_READERS) return false
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer)
        left?.removeEventListener('abort', end)
        readers.delete(reader)
        resolve()
      }
      const timer = setTimeout(end, ms)
      const reader: Reader = { seq, wake: end }
      readers.add(reader)
      left?.addEventListener('abort', end)
      if (present !== undefined) return
      this.#readers.set(key, readers)
      void this.#look(key, { tenantId, databaseName }, readers)
    })
    return true
  }

  /** Ends all waits. */
  stop(): void {
    this.#isStopped = true
    for (const readers of this.#readers.values()) for (const { wake } of readers) wake()
  }

  /** Looks until no reader is left. */
  async #look(
    key: string,
    { tenantId, databaseName }: Omit<AwaitedPosition, 'seq'>,
    readers: ReadonlySet<Reader>,
  ): Promise<void> {
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
    this.#readers.delete(key)
  }
}
