/**
 * Reads at replicas of D1. A replica may be out of date by any time, unless it is asked with a bookmark: then it
 * answers from a state at least as new (https://developers.cloudflare.com/d1/best-practices/read-replication/).
 * Clients carry no bookmark for us, so each tenant has one keeper of it, which all isolates ask:
 *
 * - Who has written tells the keeper before he answers his client; the keeper then forgets.
 * - Who reads asks the keeper first. Without a bookmark the read goes to the primary, and the bookmark of what
 *   it saw is handed in.
 * - What is handed in counts only with the mark that the reader was given when he asked, and a mark ends with
 *   each write and with the keeper. So a bookmark is never older than a write that was answered before it was
 *   given out, the revocation of a token included, however late or from wherever messages arrive.
 *
 * Bookmarks are never compared, and a keeper has memory only: whatever it forgets costs a read at the primary.
 */
import type { D1Database } from '@cloudflare/workers-types'
import {
  type D1Binding,
  type Database,
  type DatabaseFigures,
  DatabaseUnavailable,
  openDatabase,
  type Statement,
  withTimeout,
} from './database.ts'

/**
 * No bookmark is kept longer: what nobody could report (a Worker that ended between its write and its report, SQL
 * by hand, a restore) is seen at every replica after this time.
 */
const MAX_AGE_MS = 60_000
/** How the statements begin that change nothing: none of ours that writes begins with WITH. */
const READ = /^(?:SELECT|WITH) /
/** How long a read waits for the keeper before it goes to the primary. */
const ASK_TIMEOUT_MS = 1_000
/** How long a replica may take, the wait for the bookmark's state included, before the primary is asked. */
const REPLICA_TIMEOUT_MS = 5_000
/** How long a report may take, and how often it is tried: a Durable Object that was moved answers the second time. */
const REPORT_TIMEOUT_MS = 5_000
const REPORT_TRIES = 2

export interface KeptBookmark {
  /** Undefined when none is known. */
  readonly bookmark: string | undefined
  /** Makes the bookmark of a read that begins now acceptable. */
  readonly mark: string
}

/** The bookmark of one tenant, in the memory of its keeper. */
export class TenantBookmark {
  readonly #now: () => number
  #bookmark: string | undefined
  #mark = ''
  #markedAt = 0

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#now = now
    this.forget()
  }

  get(): KeptBookmark {
    if (this.#now() - this.#markedAt >= MAX_AGE_MS) this.forget()
    return { bookmark: this.#bookmark, mark: this.#mark }
  }

  /** @param bookmark of a read at the primary that began after `mark` was given out */
  keep(bookmark: string, mark: string): void {
    if (mark === this.#mark) this.#bookmark = bookmark
  }

  forget(): void {
    this.#bookmark = undefined
    // Random and no count: another copy of this object must not give out the same.
    this.#mark = crypto.randomUUID()
    this.#markedAt = this.#now()
  }
}

/** The keeper of a tenant's bookmark, wherever it is. Each call is an event of its own there. */
export interface BookmarkKeeper {
  get(): Promise<KeptBookmark>
  keep(bookmark: string, mark: string): Promise<void>
  forget(): Promise<void>
}

/** What the app sees of replicas. */
export interface Replicas {
  /**
   * For reads of a tenant: wherever they run, they see every write that was answered before.
   *
   * @param name of the binding of the tenant's database
   */
  openDatabase(name: string | undefined, tenantId: string, figures: DatabaseFigures): Database
  /**
   * To be called between a write and its answer.
   *
   * @throws {DatabaseUnavailable} a replica may not show the write yet, so it must not be answered as done
   */
  noteWrite(tenantId: string): Promise<void>
}

/**
 * @param bindingOf the database of that name
 * @param inBackground lets a promise end after the response was sent
 */
export function d1Replicas(
  bindingOf: (name: string | undefined) => D1Binding & Pick<D1Database, 'withSession'>,
  keeperOf: (tenantId: string) => BookmarkKeeper,
  inBackground: (promise: Promise<unknown>) => void,
): Replicas {
  return {
    openDatabase(name, tenantId, figures) {
      const binding = bindingOf(name)
      const primary = openDatabase(binding, figures)
      return {
        async batch(statements) {
          const isRead = statements.every(({ sql }) => READ.test(sql))
          const kept = isRead ? keptFor(name, await ask(keeperOf(tenantId))) : undefined
          if (kept === undefined) return await primary.batch(statements)
          if (kept.bookmark === undefined) return await readAtPrimary(statements, kept.mark)
          try {
            const session = binding.withSession(kept.bookmark)
            return await openDatabase(session, figures, REPLICA_TIMEOUT_MS).batch(statements)
          } catch {
            // Does not answer, does not take the bookmark, or has not seen the newest migration.
            return await primary.batch(statements)
          }
        },
      }

      async function readAtPrimary(statements: readonly Statement[], mark: string) {
        const session = binding.withSession('first-primary')
        const results = await openDatabase(session, figures).batch(statements)
        inBackground(handIn(session.getBookmark(), mark))
        return results
      }

      async function handIn(bookmark: string | null, mark: string): Promise<void> {
        if (bookmark !== null) await keeperOf(tenantId).keep(labelled(name, bookmark), mark).catch(ignore)
      }
    },
    async noteWrite(tenantId) {
      for (let tries = 1; ; tries++) {
        try {
          return await withTimeout(keeperOf(tenantId).forget(), REPORT_TIMEOUT_MS)
        } catch (cause) {
          if (tries === REPORT_TRIES) throw new DatabaseUnavailable('a write was not reported', { cause })
        }
      }
    },
  }
}

/** A bookmark is one of a database: after a move, that of the database before means nothing. */
function labelled(name: string | undefined, bookmark: string): string {
  return `${name ?? ''} ${bookmark}`
}

/** What is kept, without a bookmark when it is one of another database. */
function keptFor(name: string | undefined, kept: KeptBookmark | undefined): KeptBookmark | undefined {
  const label = labelled(name, '')
  if (kept?.bookmark === undefined) return kept
  const bookmark = kept.bookmark.startsWith(label) ? kept.bookmark.slice(label.length) : undefined
  return { ...kept, bookmark }
}

/** @returns undefined when the keeper cannot be reached */
function ask(keeper: BookmarkKeeper): Promise<KeptBookmark | undefined> {
  return withTimeout(keeper.get(), ASK_TIMEOUT_MS).catch(ignore)
}

/** Without the keeper there is the primary. */
function ignore(): undefined {
  return undefined
}
