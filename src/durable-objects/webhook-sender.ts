/**
 * The sender of a webhook: one Durable Object per webhook, named after its id, so that a receiver that does not answer
 * delays no other. Its alarm delivers what is due (provider/webhooks/deliver.ts) in as many invocations as it takes. The
 * position and the pause after a failure are in the database of the tenant; the object holds only where to look.
 */
import { DurableObject } from 'cloudflare:workers'
import { databasesOf } from '../bindings.ts'
import { loadBackgroundWork } from '../parts.ts'
import type { NextRun } from '../provider/webhooks/deliver.ts'
import { postByFetch } from '../provider/webhooks/post.ts'
import { type D1Binding, noFigures } from '../storage/database/database.ts'
import { RESOURCE_TYPES } from '../storage/tables/resource-tables.ts'
import type { WebhookAddress } from '../storage/webhooks/delivery.ts'

/** The pause before the next attempt if the database does not answer. */
const FAILED_PAUSE_MS = 30_000
/** The storage key of the address: an alarm does not know the name of its object. */
const ADDRESS_KEY = 'address'

interface SenderEnv {
  readonly DB: D1Binding
  readonly ALLOW_LOOPBACK_WEBHOOKS?: string
}

export class WebhookSender extends DurableObject<SenderEnv> {
  /** The stored address, so that a poke writes it once. */
  #address: WebhookAddress | undefined

  /**
   * Delivers what is due, soon. A pending alarm stays: it is soon as well, or the end of the pause after a failure.
   *
   * @param isForced delivers at once, also during such a pause
   */
  async poke(address: WebhookAddress, isForced: boolean): Promise<void> {
    this.#address ??= await this.ctx.storage.get<WebhookAddress>(ADDRESS_KEY)
    if (this.#address === undefined) {
      await this.ctx.storage.put(ADDRESS_KEY, address)
      this.#address = address
    }
    // While an alarm runs there is none, so a poke during a run has another run follow.
    if (isForced || (await this.ctx.storage.getAlarm()) === null) {
      await this.ctx.storage.setAlarm(Date.now())
    }
  }

  override async alarm(): Promise<void> {
    const address = await this.ctx.storage.get<WebhookAddress>(ADDRESS_KEY)
    if (address === undefined) return
    const next = await this.#deliver(address)
    if (typeof next === 'number') await this.ctx.storage.setAlarm(Date.now() + next)
    if (next !== 'gone') return
    this.#address = undefined
    await this.ctx.storage.deleteAll()
  }

  async #deliver(address: WebhookAddress): Promise<NextRun> {
    try {
      const { deliverDue } = await loadBackgroundWork()
      return await deliverDue(
        {
          databases: databasesOf(this.env, noFigures()),
          resourceTypes: RESOURCE_TYPES,
          post: postByFetch((...request) => fetch(...request)),
          allowLoopback: String(this.env.ALLOW_LOOPBACK_WEBHOOKS) === '1',
          now: Date.now,
          random: Math.random,
        },
        address,
      )
    } catch (error) {
      console.error(JSON.stringify({ job: 'deliver events', ...address, message: String(error) }))
      return FAILED_PAUSE_MS
    }
  }
}

/**
 * Pokes the senders of webhooks. A failed poke is only logged: the changes are committed, and the hourly sweep finds the
 * webhook.
 */
export async function pokeSenders(
  senders: DurableObjectNamespace<WebhookSender>,
  webhooks: readonly WebhookAddress[],
  isForced: boolean,
): Promise<void> {
  const pokes = webhooks.map(async (address) => {
    try {
      await senders.getByName(address.webhookId).poke(address, isForced)
    } catch (error) {
      console.error(JSON.stringify({ job: 'poke webhooks', ...address, message: String(error) }))
    }
  })
  await Promise.all(pokes)
}
