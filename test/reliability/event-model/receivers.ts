/**
 * Receivers of webhooks that keep a copy of the directory from their deliveries alone, over a network that loses requests
 * and answers. One is served by its Durable Object, whose pokes get lost and which is killed; the other one by two runners
 * at the same time, whose database fails.
 */
import { runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { Webhook } from 'standardwebhooks'
import { vi } from 'vitest'
import { DirectoryCopy } from '../../../src/consumer/directory-copy.ts'
import { pokeSenders } from '../../../src/durable-objects/webhook-sender.ts'
import { deliverDue, type WebhookRunner } from '../../../src/provider/webhooks/deliver.ts'
import { NoAnswer, type WebhookPost } from '../../../src/provider/webhooks/post.ts'
import { MAX_PAUSE_MS } from '../../../src/provider/webhooks/retries.ts'
import { type Database, noFigures, openDatabase } from '../../../src/storage/database/database.ts'
import { newestEvent } from '../../../src/storage/events/feed.ts'
import { RESOURCE_TYPES } from '../../../src/storage/tables/resource-tables.ts'
import { dueWebhooks, type WebhookAddress } from '../../../src/storage/webhooks/delivery.ts'
import { seqOf, type TestEvent } from '../../support/feed.ts'
import { admin } from '../../support/harness.ts'

/** Of requests and of answers. */
const LOST_ONE_IN = 12
/** Between runs, and between looks for webhooks that are behind. */
const PAUSE_MS = 10
const LOST_POKES = 0.3

export class Receiver {
  readonly copy = new DirectoryCopy()
  /** The number of the last event. Before the first one, that of the newest event when the webhook was created. */
  last: number
  repeated = 0
  /** Gaps, wrong orders, and events that need more than their deliveries. */
  readonly problems: string[] = []
  readonly name: string
  readonly #verifier: Webhook
  readonly #random: () => number

  constructor(name: string, { secret, last }: { secret: string; last: number }, random: () => number) {
    this.name = name
    this.last = last
    this.#verifier = new Webhook(secret)
    this.#random = random
  }

  /** @throws {NoAnswer} if the request or its answer gets lost */
  receive({ headers, body }: Pick<WebhookPost, 'headers' | 'body'>): void {
    if (this.#random() * LOST_ONE_IN < 1) throw new NoAnswer('the request was lost')
    try {
      this.#note(this.#verifier.verify(body, { ...headers }) as TestEvent)
    } catch (error) {
      this.problems.push(`the receiver of the ${this.name} cannot read a delivery: ${error}`)
    }
    if (this.#random() * LOST_ONE_IN < 1) throw new NoAnswer('the answer was lost')
  }

  /** An event that was seen before may come again at any time. Each new one has the next number. */
  #note(event: TestEvent): void {
    const seq = seqOf(event)
    if (seq <= this.last) {
      this.repeated++
      return
    }
    if (seq !== this.last + 1) {
      this.problems.push(`the receiver of the ${this.name} got event ${seq} after event ${this.last}`)
    }
    this.last = seq
    if (this.copy.apply(event) !== undefined) this.problems.push(`event ${seq} lacks its values`)
  }
}

/** Receivers while they are served. */
export interface Receivers {
  readonly all: readonly Receiver[]
  /** In place of `Runtime.pokeWebhooks`. */
  readonly poke: (tenantId: string, webhookIds: readonly string[]) => void
  /** Resolves when the receivers have got all events: call it after the last write. */
  readonly end: () => Promise<void>
}

/** @param db fails now and then */
export async function startReceivers(
  tenantId: string,
  random: () => number,
  db: () => Database,
): Promise<Receivers> {
  const webhooks: { id: string; url: string; receiver: Receiver }[] = []
  for (const name of ['Durable Object', 'two runners']) {
    const url = `https://${crypto.randomUUID()}.example.com/`
    const { body } = await admin('POST', `/tenants/${tenantId}/webhooks`, { url })
    const last = await newestEvent(openDatabase(env.DB, noFigures()), tenantId)
    const receiver = new Receiver(name, { secret: body.secret, last }, random)
    webhooks.push({ id: body.id as string, url, receiver })
  }
  const [byObject, byRunners] = webhooks
  if (byObject === undefined || byRunners === undefined) throw new Error('there are two webhooks')
  const network = vi.spyOn(globalThis, 'fetch').mockImplementation(async (url, init) => {
    const found = webhooks.find((webhook) => webhook.url === String(url))
    found?.receiver.receive({ headers: init?.headers as Record<string, string>, body: String(init?.body) })
    return new Response(null, { status: found === undefined ? 404 : 204 })
  })
  let isOver = false
  const serving = Promise.all([
    serve(tenantId, byObject.id, () => isOver),
    ...[0, 1].map(() => run({ tenantId, webhookId: byRunners.id }, byRunners.receiver, db, () => isOver)),
  ])
  return {
    all: webhooks.map(({ receiver }) => receiver),
    poke: (_tenantId, webhookIds) => {
      const told = webhookIds.filter((id) => id === byObject.id && random() >= LOST_POKES)
      const addresses = told.map((webhookId) => ({ tenantId, webhookId }))
      void pokeSenders(env.WEBHOOK_SENDER, addresses, false)
    },
    end: async () => {
      isOver = true
      await serving
      network.mockRestore()
    },
  }
}

/** The sweep for lost pokes. */
async function serve(tenantId: string, id: string, isOver: () => boolean): Promise<void> {
  for (;;) {
    const over = isOver()
    const due = await dueWebhooks(openDatabase(env.DB, noFigures()), {
      now: Date.now(),
      maxPauseMs: MAX_PAUSE_MS,
      limit: 1_000,
    })
    const own = due.filter(({ webhookId }) => webhookId === id)
    await pokeSenders(env.WEBHOOK_SENDER, own, false)
    // A busy workerd keeps an alarm waiting for long. A killed object does not answer.
    await runDurableObjectAlarm(env.WEBHOOK_SENDER.getByName(id)).catch(() => undefined)
    if ((await endPause(tenantId, id)) && over) return
    await pause()
  }
}

async function run(
  address: WebhookAddress,
  receiver: Receiver,
  db: () => Database,
  isOver: () => boolean,
): Promise<void> {
  const runner: WebhookRunner = {
    databases: { names: ['DB'], maxBytes: Number.POSITIVE_INFINITY, open: db },
    resourceTypes: RESOURCE_TYPES,
    allowLoopback: false,
    now: Date.now,
    random: () => 0,
    post: async (post) => {
      await pause()
      receiver.receive(post)
      return { status: 200, retryAfter: null }
    },
  }
  for (;;) {
    const over = isOver()
    // Without an answer of the database, the next run repeats what was sent.
    await deliverDue(runner, address).catch(() => undefined)
    if ((await endPause(address.tenantId, address.webhookId)) && over) return
    await pause()
  }
}

/** An administrator does not wait for the end of the pause after a failure. @returns whether all events were delivered */
async function endPause(tenantId: string, id: string): Promise<boolean> {
  const path = `/tenants/${tenantId}/webhooks/${id}`
  const { attempts, eventsBehind } = (await admin('GET', path)).body
  if (attempts > 0) await admin('PATCH', path, { state: 'active' })
  return eventsBehind === 0
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
}
