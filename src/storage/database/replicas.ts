/**
 * Reads at replicas of D1. A replica may be arbitrarily far behind. A query with a bookmark waits until the replica
 * has at least the state of that bookmark (https://developers.cloudflare.com/d1/best-practices/read-replication/).
 * SCIM clients do not send bookmarks, so each tenant has one bookmark holder, which all isolates ask:
 *
 * - A writer reports its write to the holder before it answers its client. The holder then drops the bookmark.
 * - A reader asks the holder first. Without a bookmark, it reads at the primary and offers the bookmark of that read.
 * - The holder accepts an offer only with its current epoch, which the reader was given when it asked. Each write
 *   begins a new epoch, and so does each new holder. A bookmark is therefore never older than a write that was
 *   answered before the bookmark was given out, revocations of tokens included, however late and from wherever
 *   messages arrive.
 *
 * Bookmarks are never compared. A holder has memory only: a lost bookmark costs one read at the primary.
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
 * The longest time that a bookmark is used. A write that nobody could report (a Worker that ended between its write
 * and its report, SQL by hand, a restore) is visible at every replica after this time.
 */
const MAX_AGE_MS = 60_000
/** The beginnings of statements that change nothing. None of our writes begins with WITH. */
const READ = /^(?:SELECT|WITH) /
/** How long a read waits for the holder before it goes to the primary. */
const ASK_TIMEOUT_MS = 1_000
/** How long a replica may take, including the wait for the state of the bookmark, before the primary is asked. */
const REPLICA_TIMEOUT_MS = 5_000
/**
 * How long a report may take, and how often it is tried: a Durable Object that was moved answers the second request.
 */
const REPORT_TIMEOUT_MS = 5_000
const REPORT_TRIES = 2

export interface HeldBookmark {
  /** Undefined when none is known. */
  readonly bookmark: string | undefined
  /** The current epoch. It makes the bookmark of a read that begins now acceptable. */
  readonly epoch: string
}

/** The bookmark of one tenant, in the memory of its holder. */
export class TenantBookmark {
  readonly #now: () => number
  #bookmark: string | undefined
  #epoch = ''
  #epochStart = 0

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#now = now
    this.forget()
  }

  get(): HeldBookmark {
    if (this.#now() - this.#epochStart >= MAX_AGE_MS) this.forget()
    return { bookmark: this.#bookmark, epoch: this.#epoch }
  }

  /** Accepts an offer. @param bookmark of a read at the primary that began after `epoch` was given out */
  offer(bookmark: string, epoch: string): void {
    if (epoch === this.#epoch) this.#bookmark = bookmark
  }

  forget(): void {
    this.#bookmark = undefined
    // Random and not a counter: another instance of this object must not use the same epoch.
    this.#epoch = crypto.randomUUID()
    this.#epochStart = this.#now()
  }
}

/** The holder of a tenant's bookmark, wherever it runs. Each call is an event of its own there. */
export interface BookmarkHolder {
  get(): Promise<HeldBookmark>
  offer(bookmark: string, epoch: string): Promise<void>
  forget(): Promise<void>
}

/** What the app sees of replicas. */
export interface Replicas {
  /**
   * A database for reads of a tenant. The reads see every write that was answered before, wherever they run.
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
  holderOf: (tenantId: string) => BookmarkHolder,
  inBackground: (promise: Promise<unknown>) => void,
): Replicas {
  return {
    openDatabase(name, tenantId, figures) {
      const binding = bindingOf(name)
      const primary = openDatabase(binding, figures)
      return {
        async batch(statements) {
          const isRead = statements.every(({ sql }) => READ.test(sql))
          const held = isRead ? heldFor(name, await ask(holderOf(tenantId))) : undefined
          if (held === undefined) return await primary.batch(statements)
          if (held.bookmark === undefined) return await readAtPrimary(statements, held.epoch)
          try {
            const session = binding.withSession(held.bookmark)
            return await openDatabase(session, figures, REPLICA_TIMEOUT_MS).batch(statements)
          } catch {
            // The replica does not answer, rejects the bookmark, or lacks the newest migration.
            return await primary.batch(statements)
          }
        },
      }

      async function readAtPrimary(statements: readonly Statement[], epoch: string) {
        const session = binding.withSession('first-primary')
        const results = await openDatabase(session, figures).batch(statements)
        inBackground(offer(session.getBookmark(), epoch))
        return results
      }

      async function offer(bookmark: string | null, epoch: string): Promise<void> {
        if (bookmark !== null) await holderOf(tenantId).offer(labelled(name, bookmark), epoch).catch(ignore)
      }
    },
    async noteWrite(tenantId) {
      for (let tries = 1; ; tries++) {
        try {
          return await withTimeout(holderOf(tenantId).forget(), REPORT_TIMEOUT_MS)
        } catch (cause) {
          if (tries === REPORT_TRIES) throw new DatabaseUnavailable('a write was not reported', { cause })
        }
      }
    },
  }
}

/** Labels a bookmark with its database. After a move, a bookmark of the previous database is meaningless. */
function labelled(name: string | undefined, bookmark: string): string {
  return `${name ?? ''} ${bookmark}`
}

/** What the holder has, without the bookmark if that is of another database. */
function heldFor(name: string | undefined, held: HeldBookmark | undefined): HeldBookmark | undefined {
  const label = labelled(name, '')
  if (held?.bookmark === undefined) return held
  const bookmark = held.bookmark.startsWith(label) ? held.bookmark.slice(label.length) : undefined
  return { ...held, bookmark }
}

/** @returns undefined when the holder cannot be reached */
function ask(holder: BookmarkHolder): Promise<HeldBookmark | undefined> {
  return withTimeout(holder.get(), ASK_TIMEOUT_MS).catch(ignore)
}

/** Without the holder, reads go to the primary. */
function ignore(): undefined {
  return undefined
}
