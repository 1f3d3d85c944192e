/**
 * Delivers the events of a webhook: reads the next ones, posts each in its order, and stores the progress. A runtime calls
 * it again when the result says so, and when there are new events. An event counts as delivered once its receiver answers
 * with 2xx, and the next one is not sent before. So each event is delivered at least once and in order; a repetition has
 * the same id.
 */
import type { EventStream } from '../../storage/events/feed.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { catalogueOf, type Databases, locateTenant } from '../../storage/tenants/locations.ts'
import {
  type DeliveryState,
  type DueEvents,
  dueEventsQuery,
  type Progress,
  storeProgress,
  type WebhookAddress,
} from '../../storage/webhooks/delivery.ts'
import type { Delivery } from '../../storage/webhooks/webhooks.ts'
import { type FeedEvent, feedEvents } from '../events/event-feed.ts'
import { feedCursors } from '../events/feed-cursor.ts'
import { NoAnswer, type PostWebhook, type WebhookAnswer } from './post.ts'
import { MAX_PAUSE_MS, pauseAfter } from './retries.ts'
import { webhookHeaders } from './signature.ts'
import { webhookUrlProblem } from './webhook-url.ts'

export interface WebhookRunner {
  readonly databases: Databases
  /** The types that are shipped. */
  readonly resourceTypes: readonly StoredResourceType[]
  readonly post: PostWebhook
  /** See `webhookUrlProblem`. */
  readonly allowLoopback: boolean
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** From 0 to 1. */
  readonly random: () => number
  /** True once the run is to end after the present event, without loss. */
  readonly isStopped?: () => boolean
}

/** What to do after a run: run again after some milliseconds, nothing until there are new events, or nothing ever. */
export type NextRun = number | 'idle' | 'gone'

/**
 * Events of a run. The free plan of Cloudflare allows 50 subrequests in an invocation, those to the database included.
 * https://developers.cloudflare.com/workers/platform/limits/#subrequests
 */
const MAX_RUN_EVENTS = 40
/** A run with slow answers ends earlier, because its progress is stored at its end. */
const MAX_RUN_MS = 20_000
/** While the tenant is moved to another database. */
const MOVING_PAUSE_MS = 30_000
/** RFC 9110 §15.5.11. Standard Webhooks: the receiver wants no more deliveries. */
const GONE = 410

/**
 * Delivers the events that are due, as far as one run goes.
 *
 * @throws if the database does not answer: nothing is lost, and what was delivered since the run began is repeated
 */
export async function deliverDue(runner: WebhookRunner, address: WebhookAddress): Promise<NextRun> {
  const { databases, resourceTypes, now } = runner
  const [first] = databases.names
  const home = databases.names.length === 1 ? first : await locateTenant(databases, address.tenantId)
  const db = home === first ? catalogueOf(databases) : databases.open(home)
  const due = dueEventsQuery(resourceTypes, address, MAX_RUN_EVENTS)
  const found = due.read(await db.batch(due.statements))
  if (found === undefined || found.state.tenantState === 'deleting') return 'gone'
  const { state } = found
  if (['moving', 'arriving', 'moved'].includes(state.tenantState)) return MOVING_PAUSE_MS
  if (!state.isActive || state.tenantState !== 'ready') return 'idle'
  const early = (state.nextAttemptAt ?? 0) - now()
  if (early > 0 && early <= MAX_PAUSE_MS) return early
  const run = new Run(runner, address, found)
  await run.send()
  if (!run.hasProgress) return 'idle'
  // If another run or an administrator was first, the next run begins with what they have stored.
  if (!(await storeProgress(db, address, state.revision, run.progress))) return 0
  return run.next
}

/** One run: what it has sent, and what follows from the answers. */
class Run {
  readonly #runner: WebhookRunner
  readonly #address: WebhookAddress
  readonly #due: DueEvents
  readonly #deliveries: Delivery[] = []
  #seq: number
  #attempts: number
  #failingSince: number | null
  #nextAttemptAt: number | null
  #lastAttemptAt: number | undefined
  #lastSuccessAt: number | undefined
  #lastError: string | null | undefined
  #disabledReason: string | undefined
  /** Whether all events of the page were delivered. */
  #isComplete = false

  constructor(runner: WebhookRunner, address: WebhookAddress, due: DueEvents) {
    const { seq, attempts, failingSince, nextAttemptAt } = due.state
    this.#runner = runner
    this.#address = address
    this.#due = due
    this.#seq = seq
    this.#attempts = attempts
    this.#failingSince = failingSince
    this.#nextAttemptAt = nextAttemptAt
  }

  async send(): Promise<void> {
    const { page } = this.#due
    this.#passLost(page.stream)
    const startedAt = this.#runner.now()
    const cursors = await feedCursors(page.stream.key, this.#address.tenantId)
    const events = await feedEvents(this.#address.tenantId, page, cursors)
    for (const [i, event] of events.entries()) {
      const isLate = this.#runner.now() - startedAt > MAX_RUN_MS
      if (this.#runner.isStopped?.() || (i > 0 && isLate)) return
      if (!(await this.#deliver(event, page.events[i]?.seq ?? this.#seq))) return
    }
    this.#isComplete = true
    // After events of other types as well.
    this.#seq = Math.max(this.#seq, page.end.seq)
  }

  /** Events that were deleted before they could be sent: after a long failure, or by a tenant with too many of them. */
  #passLost({ first }: EventStream): void {
    const lost = first - 1 - this.#seq
    if (lost <= 0) return
    const error = `${lost} events were not sent, because they are no longer kept`
    this.#deliveries.unshift({ ...NO_EVENT, time: this.#runner.now(), error })
    this.#lastError = error
    this.#seq = first - 1
  }

  /** @returns whether the receiver has accepted the event */
  async #deliver(event: FeedEvent, seq: number): Promise<boolean> {
    const attempt = this.#attempts + 1
    const { delivery, retryAfter } = await attemptDelivery(this.#runner, this.#due.state, event, attempt)
    this.#deliveries.unshift(delivery)
    this.#lastAttemptAt = delivery.time
    this.#lastError = delivery.error
    if (delivery.error === null) {
      this.#seq = seq
      this.#lastSuccessAt = delivery.time
      this.#attempts = 0
      this.#failingSince = null
      this.#nextAttemptAt = null
      return true
    }
    const now = this.#runner.now()
    const pauseMs = pauseAfter(attempt, retryAfter, now, this.#runner.random())
    this.#attempts = attempt
    this.#failingSince ??= delivery.time
    this.#nextAttemptAt = pauseMs === undefined ? null : now + pauseMs
    if (delivery.status === GONE) this.#disabledReason = 'the receiver answered 410: it wants no more events'
    else if (pauseMs === undefined) {
      this.#disabledReason = `${attempt} attempts failed since ${new Date(this.#failingSince).toISOString()}; the last one: ${delivery.error}`
    }
    return false
  }

  get hasProgress(): boolean {
    return this.#deliveries.length > 0 || this.#seq !== this.#due.state.seq
  }

  get progress(): Progress {
    return {
      seq: this.#seq,
      attempts: this.#attempts,
      failingSince: this.#failingSince,
      nextAttemptAt: this.#nextAttemptAt,
      lastAttemptAt: this.#lastAttemptAt,
      lastSuccessAt: this.#lastSuccessAt,
      lastError: this.#lastError,
      disabledReason: this.#disabledReason,
      deliveries: this.#deliveries,
    }
  }

  get next(): NextRun {
    if (this.#disabledReason !== undefined) return 'idle'
    if (this.#nextAttemptAt !== null) return Math.max(0, this.#nextAttemptAt - this.#runner.now())
    return this.#isComplete && !this.#due.page.hasMore ? 'idle' : 0
  }
}

const NO_EVENT = { eventId: null, type: null, attempt: 1, status: null, durationMs: 0 } as const

/** Sends one event. A failure is part of the result. @param attempt counted from 1 */
export async function attemptDelivery(
  { post, now, allowLoopback }: Pick<WebhookRunner, 'post' | 'now' | 'allowLoopback'>,
  { url, secrets }: Pick<DeliveryState, 'url' | 'secrets'>,
  event: FeedEvent,
  attempt: number,
): Promise<{ readonly delivery: Delivery; readonly retryAfter: string | null }> {
  const time = now()
  const body = JSON.stringify(event)
  const answer = await answerOf(async () => {
    const problem = webhookUrlProblem(url, allowLoopback)
    if (problem !== undefined) throw new NoAnswer(`the URL is not allowed: it must be ${problem}`)
    const headers = await webhookHeaders({ id: event.id, now: time, body, secrets })
    return await post({ url, headers, body })
  })
  const status = 'status' in answer ? answer.status : null
  const delivery = { time, eventId: event.id, type: event.type, attempt, status, error: errorOf(answer) }
  const durationMs = Math.max(0, now() - time)
  return {
    delivery: { ...delivery, durationMs },
    retryAfter: 'retryAfter' in answer ? answer.retryAfter : null,
  }
}

async function answerOf(send: () => Promise<WebhookAnswer>): Promise<WebhookAnswer | NoAnswer> {
  try {
    return await send()
  } catch (error) {
    if (error instanceof NoAnswer) return error
    throw error
  }
}

/** @returns null if the event was delivered */
function errorOf(answer: WebhookAnswer | NoAnswer): string | null {
  if (answer instanceof NoAnswer) return answer.message
  const { status } = answer
  if (status >= 200 && status < 300) return null
  const isRedirect = status >= 300 && status < 400
  return `the receiver answered ${status}${isRedirect ? '; redirects are not followed' : ''}`
}
