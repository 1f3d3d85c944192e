/**
 * Reads at replicas of D1. A replica may be out of date by any time unless the read names a bookmark: it then answers from
 * a state at least as new (https://developers.cloudflare.com/d1/best-practices/read-replication/). Clients do not carry a
 * bookmark for us, so each tenant has one bookmark holder, which all isolates ask:
 *
 * - A writer tells the holder before it answers its client. The holder then forgets the bookmark and begins a new epoch.
 * - A reader asks the holder first. Without a bookmark it reads at the primary, and then offers the bookmark of that
 *   read to the holder.
 * - The holder accepts an offer only in the epoch that the reader was told when it asked. An epoch ends with each write,
 *   and with the holder itself. So a bookmark that the holder gives out is at least as new as every write that was
 *   answered before, including the revocation of a token, no matter how late messages arrive.
 *
 * Bookmarks are never compared. A holder keeps its bookmark in memory only: a lost one costs a read at the primary.
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
 * The longest time that a bookmark is held. Every replica shows a write that nobody reported (SQL by hand, a restore, a
 * Worker that ended between its write and its report) after this time.
 */
const MAX_AGE_MS = 60_000
/** Matches statements that only read: none of our statements that write begins with WITH. */
const READ = /^(?:SELECT|WITH) /
/** How long a read waits for the bookmark holder before it goes to the primary. */
const ASK_TIMEOUT_MS = 1_000
/** How long a replica may take, including the wait for the state of the bookmark, before the primary is asked. */
const REPLICA_TIMEOUT_MS = 5_000
/** How long a report of a write may take, and how often it is tried: a Durable Object that moves answers the second time. */
const REPORT_TIMEOUT_MS = 5_000
const REPORT_TRIES = 2

export interface HeldBookmark {
  /** Undefined if none is known. */
  readonly bookmark: string | undefined
  /** To be named by the offer of a bookmark: it is that of a read that begins now. */
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

  /** @param bookmark of a read at the primary that began in the epoch */
  offer(bookmark: string, epoch: string): void {
    if (epoch === this.#epoch) this.#bookmark = bookmark
  }

  forget(): void {
    this.#bookmark = undefined
    // Random instead of counted: another copy of this object must not give out the same epoch.
    this.#epoch = crypto.randomUUID()
    this.#epochStart = this.#now()
  }
}

/** The holder of a tenant's bookmark, in any process. Each call is an event of its own there. */
export interface BookmarkHolder {
  get(): Promise<HeldBookmark>
  offer(bookmark: string, epoch: string): Promise<void>
  forget(): Promise<void>
}

/** The replicas as the app uses them. */
export interface Replicas {
  /**
   * Opens the database for reads of a tenant. They see every write that was answered before, in whichever isolate.
   *
   * @param name of the binding of the tenant's database
   */
  openDatabase(name: string | undefined, tenantId: string, figures: DatabaseFigures): Database
  /**
   * Reports a write. Must be called before the write is answered.
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
            // The replica does not answer, does not accept the bookmark, or does not have the newest migration yet.
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

/** A bookmark belongs to a database: after a move it means nothing. */
function labelled(name: string | undefined, bookmark: string): string {
  return `${name ?? ''} ${bookmark}`
}

/** The answer of the holder, without its bookmark if that belongs to another database. */
function heldFor(name: string | undefined, held: HeldBookmark | undefined): HeldBookmark | undefined {
  const label = labelled(name, '')
  if (held?.bookmark === undefined) return held
  const bookmark = held.bookmark.startsWith(label) ? held.bookmark.slice(label.length) : undefined
  return { ...held, bookmark }
}

/** @returns undefined if the holder cannot be reached */
function ask(holder: BookmarkHolder): Promise<HeldBookmark | undefined> {
  return withTimeout(holder.get(), ASK_TIMEOUT_MS).catch(ignore)
}

/** Without the holder, reads go to the primary. */
function ignore(): undefined {
  return undefined
}
