/**
 * Joint writes: the batches of several requests in one transaction. D1 runs one transaction at a time, and each has a cost of
 * its own, so many small ones wait for each other.
 *
 * The batch of a write depends on no other: its guards are part of it. So the batches that wait are sent as one, in the order
 * of arrival. If the database refuses that, nothing is changed, and each of them is sent alone: the outcome of a write is
 * always that of its own batch. A transaction without an answer may have been applied, so nothing of it is sent again.
 *
 * On Workers, the queue is in the Durable Object of the tenant. A queue in an isolate was tried: one request would wait for a
 * promise of another one, and workerd cancels such requests.
 * https://developers.cloudflare.com/workers/observability/errors/
 */
import {
  addFigures,
  BATCH_TIMEOUT_MS,
  type Database,
  type DatabaseFigures,
  DatabaseUnavailable,
  type JointWrite,
  type Statement,
  type StatementResult,
  translateError,
  withTimeout,
} from './database.ts'

/**
 * If an isolate has no more writes of a tenant under way, it sends them alone. All others go through the queue: beside it,
 * transactions of single writes would take half of the time of a busy database (test/bench/joint-writes.ts).
 */
const MAX_DIRECT = 2
/** Transactions of a queue at the same time: the next one is under way while one is at the database. */
const MAX_IN_FLIGHT = 2
/**
 * Statements of a joint transaction: the free plan allows 50 queries in an invocation, and Cloudflare does not say whether
 * each statement of a batch counts. https://developers.cloudflare.com/d1/platform/limits/
 */
const MAX_STATEMENTS = 45
/** Characters of its parameters: as many as one large body has, which D1 is known to take. */
const MAX_CHARACTERS = 1_000_000
const MAX_WAITING = 500
/** With the batch itself, a client waits for twice as long. */
const MAX_WAIT_MS = BATCH_TIMEOUT_MS
const LATE = `the batch was not sent within ${MAX_WAIT_MS} ms`
/** An object that does not answer would hold its clients: it waits, sends the joint batch, and then each write alone. */
const MAX_ANSWER_MS = MAX_WAIT_MS + 2 * BATCH_TIMEOUT_MS

/** Plain data: the queue may be in another process. */
export interface JointAnswer {
  readonly roundTrips: number
  readonly results?: readonly StatementResult[]
  /** The text of the error of the database. */
  readonly failure?: string
}

interface Waiting {
  readonly since: number
  readonly resourceId: string
  /** Whether a write of the same resource was before it, so that it was decided on a row that is about to change. */
  readonly isStale: boolean
  readonly statements: readonly Statement[]
  readonly answer: (answer: JointAnswer) => void
}

/** The queue of the joint writes of one tenant. */
export class JointWrites {
  readonly #open: () => Database
  readonly #now: () => number
  #waiting: readonly Waiting[] = []
  readonly #inFlight = new Set<readonly Waiting[]>()

  /** @param now milliseconds */
  constructor(open: () => Database, now: () => number) {
    this.#open = open
    this.#now = now
  }

  /** @returns undefined if too many writes wait already: this one was not sent. Does not throw */
  async run(resourceId: string, statements: readonly Statement[]): Promise<JointAnswer | undefined> {
    if (this.#waiting.length >= MAX_WAITING) return undefined
    const isStale = [this.#waiting, ...this.#inFlight].flat().some((one) => one.resourceId === resourceId)
    return await new Promise((answer) => {
      this.#waiting = [...this.#waiting, { since: this.#now(), resourceId, isStale, statements, answer }]
      void this.#drain()
    })
  }

  /** A loop, because calls that await each other would all be held for as long as writes arrive. */
  async #drain(): Promise<void> {
    while (this.#waiting.length > 0 && this.#inFlight.size < MAX_IN_FLIGHT) {
      const isStaleInFlight = [...this.#inFlight].some(([first]) => first?.isStale)
      const together = firstThatFit(this.#waiting, !isStaleInFlight)
      this.#waiting = this.#waiting.filter((one) => !together.includes(one))
      this.#inFlight.add(together)
      await this.#send(together, 0)
      this.#inFlight.delete(together)
      this.#refuseLate()
    }
  }

  /** If the database does not answer, clients would wait for the batches of all others before. */
  #refuseLate(): void {
    const now = this.#now()
    const isLate = ({ since }: Waiting) => now - since > MAX_WAIT_MS
    for (const { answer } of this.#waiting.filter(isLate)) answer({ roundTrips: 0, failure: LATE })
    this.#waiting = this.#waiting.filter((one) => !isLate(one))
  }

  async #send(writes: readonly Waiting[], roundTripsBefore: number): Promise<void> {
    const roundTrips = roundTripsBefore + 1
    try {
      const results = await this.#open().batch(writes.flatMap(({ statements }) => statements))
      let start = 0
      for (const { statements, answer } of writes) {
        answer({ roundTrips, results: results.slice(start, start + statements.length) })
        start += statements.length
      }
    } catch (error) {
      if (writes.length > 1 && !(error instanceof DatabaseUnavailable))
        await Promise.all(writes.map((write) => this.#send([write], roundTrips)))
      else for (const { answer } of writes) answer({ roundTrips, failure: textOf(error) })
    }
  }
}

/** The text from which `translateError` made the error. */
function textOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error ? cause.message : String(cause)
}

/**
 * A stale write is a transaction of its own: the others in it would be sent again when it fails.
 *
 * @param mayBeStale whether it may be a stale one although others wait: many changes of one user do not hold them up
 */
function firstThatFit(waiting: readonly Waiting[], mayBeStale: boolean): readonly Waiting[] {
  const fresh = waiting.filter(({ isStale }) => !isStale)
  if (fresh.length === 0 || (mayBeStale && waiting[0]?.isStale)) return waiting.slice(0, 1)
  let [taken, count, characters] = [0, 0, 0]
  return fresh.filter(({ statements }) => {
    count += statements.length
    for (const { params } of statements)
      for (const value of params) characters += typeof value === 'string' ? value.length : 0
    if (taken > 0 && (count > MAX_STATEMENTS || characters > MAX_CHARACTERS)) return false
    taken++
    return true
  })
}

/** A write that an isolate has begun. */
interface CurrentWrite {
  /** Whether it may go to the database directly. */
  readonly isDirect: boolean
  /** To be called at its end. */
  readonly end: () => void
}

/** The writes of an isolate that are under way. */
export class CurrentWrites {
  readonly #now: () => number
  /** When each began, by tenant. */
  readonly #begun = new Map<string, readonly number[]>()

  constructor(now: () => number) {
    this.#now = now
  }

  begin(tenantId: string): CurrentWrite {
    const now = this.#now()
    // A request may have been ended before its answer.
    const others = (this.#begun.get(tenantId) ?? []).filter((time) => now - time < BATCH_TIMEOUT_MS)
    this.#begun.set(tenantId, [...others, now])
    const end = () => {
      const left = [...(this.#begun.get(tenantId) ?? [])]
      const index = left.indexOf(now)
      // One that took too long is not counted any more.
      if (index >= 0) left.splice(index, 1)
      if (left.length === 0) this.#begun.delete(tenantId)
      else this.#begun.set(tenantId, left)
    }
    return { isDirect: others.length < MAX_DIRECT, end }
  }
}

export interface Joint {
  readonly current: CurrentWrites
  /** Puts a batch into the queue of the tenant. Rejects if the queue does not answer: the batch may have been applied */
  readonly send: (write: JointWrite, statements: readonly Statement[]) => Promise<JointAnswer | undefined>
}

/** The database of a request. A write goes to it directly, unless more of its tenant are under way. */
export function withJointWrites(
  database: Database,
  figures: DatabaseFigures,
  { current, send }: Joint,
): Database {
  return {
    ...database,
    jointly: (write) => ({
      async batch(statements) {
        const { isDirect, end } = current.begin(write.tenantId)
        try {
          return await (isDirect ? database.batch(statements) : viaQueue(write, statements))
        } finally {
          end()
        }
      },
    }),
  }

  async function viaQueue(write: JointWrite, statements: readonly Statement[]) {
    const answer = await withTimeout(send(write, statements), MAX_ANSWER_MS).catch((cause: unknown) => {
      if (isOfEarlierVersion(cause)) return undefined
      throw new DatabaseUnavailable('the queue of joint writes does not answer', { cause })
    })
    if (answer === undefined) return await database.batch(statements)
    const { roundTrips, results, failure } = answer
    figures.roundTrips += roundTrips
    if (results === undefined) throw translateError(new Error(failure))
    for (const { cost } of results) if (cost) addFigures(figures, { roundTrips: 0, ...cost })
    return results
  }
}

/** Whether the queue is an object without joint writes, as during a deployment. Nothing was sent then. */
function isOfEarlierVersion(error: unknown): boolean {
  return error instanceof TypeError && /RPC receiver does not implement/.test(error.message)
}
