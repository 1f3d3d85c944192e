/**
 * Delivers the events of webhooks in this process, in place of the alarms on Cloudflare. Webhooks wait for their receivers
 * side by side, so one that does not answer delays no other; each batch waits for its turn, so that clients are not delayed.
 */
import { deliverDue, type NextRun, type WebhookRunner } from '../provider/webhooks/deliver.ts'
import { MAX_PAUSE_MS } from '../provider/webhooks/retries.ts'
import { dueWebhooks, type WebhookAddress } from '../storage/webhooks/delivery.ts'

/** The pause after a run that failed because of the database. */
const FAILED_PAUSE_MS = 30_000
/** Runs at the same time, and so connections. A process may have as few as 1,024 open files. */
const MAX_RUNS = 200
/** SQLite reads LIMIT -1 as no limit. */
const ALL_WEBHOOKS = -1

interface Sender {
  readonly address: WebhookAddress
  /** Undefined while it runs or waits for a free run. */
  timer?: ReturnType<typeof setTimeout> | undefined
  /** Poked during the run. */
  isPoked: boolean
  isForced: boolean
}

export class WebhookTimer {
  readonly #runner: WebhookRunner
  /** By the id of the webhook: those that run, or wait for the time of their next run. */
  readonly #senders = new Map<string, Sender>()
  readonly #waiting: Sender[] = []
  readonly #running = new Set<Promise<void>>()
  #isStopped = false

  constructor(runner: Omit<WebhookRunner, 'isStopped'>) {
    this.#runner = { ...runner, isStopped: () => this.#isStopped }
  }

  /** Delivers what is due, soon. @param isForced also during the pause after a failure */
  poke(address: WebhookAddress, isForced = false): void {
    if (this.#isStopped) return
    const present = this.#senders.get(address.webhookId)
    if (present === undefined) {
      this.#start({ address, isPoked: false, isForced: false })
    } else if (present.timer === undefined) {
      present.isPoked = true
      present.isForced ||= isForced
    } else if (isForced) {
      clearTimeout(present.timer)
      this.#start(present)
    }
  }

  async pokeEach(webhooks: readonly WebhookAddress[]): Promise<void> {
    for (const address of webhooks) this.poke(address)
  }

  /** Pokes all webhooks of all databases that are behind: after a start, and for pokes that were lost. */
  async pokeAll(): Promise<void> {
    const { databases, now } = this.#runner
    for (const name of databases.names) {
      const due = { now: now(), maxPauseMs: MAX_PAUSE_MS, limit: ALL_WEBHOOKS }
      await this.pokeEach(await dueWebhooks(databases.open(name), due))
    }
  }

  /** Resolves when no run is in progress. Each run ends after the event that it is sending. */
  async stop(): Promise<void> {
    this.#isStopped = true
    for (const { timer } of this.#senders.values()) clearTimeout(timer)
    await Promise.all(this.#running)
  }

  #start(sender: Sender): void {
    sender.timer = undefined
    this.#senders.set(sender.address.webhookId, sender)
    this.#waiting.push(sender)
    this.#fill()
  }

  #fill(): void {
    while (!this.#isStopped && this.#running.size < MAX_RUNS) {
      const sender = this.#waiting.shift()
      if (sender === undefined) return
      const run = this.#run(sender).finally(() => {
        this.#running.delete(run)
        this.#fill()
      })
      this.#running.add(run)
    }
  }

  async #run(sender: Sender): Promise<void> {
    sender.isPoked = false
    sender.isForced = false
    const next = await this.#deliver(sender.address)
    if (this.#isStopped) return
    if (next === 0 || sender.isForced || (next === 'idle' && sender.isPoked)) {
      this.#start(sender)
    } else if (typeof next === 'number') {
      sender.timer = setTimeout(() => this.#start(sender), next)
    } else {
      this.#senders.delete(sender.address.webhookId)
    }
  }

  async #deliver(address: WebhookAddress): Promise<NextRun> {
    try {
      return await deliverDue(this.#runner, address)
    } catch (error) {
      console.error(JSON.stringify({ job: 'deliver events', ...address, message: String(error) }))
      return FAILED_PAUSE_MS
    }
  }
}
