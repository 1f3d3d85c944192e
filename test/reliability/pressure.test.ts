/**
 * The queue of group writes under load: bounded in length and waiting time, served in order of arrival, and separate
 * for each tenant.
 */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { QueueOverflow, SerialQueue } from '../../src/provider/groups/serial-queue.ts'
import { faultyBinding } from '../support/faults.ts'
import { type Client, GROUP, newClient } from '../support/harness.ts'
import { wrapCoordinator } from '../support/lab.ts'
import { soundState } from '../support/tenant-state.ts'

afterEach(() => void vi.restoreAllMocks())

/** The maximum length of a queue: src/provider/groups/queued-group-writer.ts. */
const QUEUE_LENGTH = 500

const create = (client: Client, displayName: string) =>
  client.request('POST', '/Groups', { schemas: [GROUP], displayName })

/** A known valid token is queued immediately; an unknown one is checked first. */
const proven = (client: Client) => client.get('/Groups?count=0')

/** Makes the database of a coordinator slow, like a distant one. */
const slowDown = (client: Client) =>
  wrapCoordinator(client.tenantId, (binding) => faultyBinding(binding, () => 'slow'))

/**
 * Blocks the database of a coordinator.
 * @returns a function that unblocks it
 */
async function hold(client: Client): Promise<() => void> {
  let isHeld = true
  await wrapCoordinator(client.tenantId, (binding) => ({
    prepare: (text) => binding.prepare(text),
    async batch<T>(statements: D1PreparedStatement[]) {
      while (isHeld) await new Promise((wait) => setTimeout(wait, 5))
      return await binding.batch<T>(statements)
    },
  }))
  return () => {
    isHeld = false
  }
}

/** Jobs that are functions, with the given concurrency. */
const queueOf = (size: number, maxWaiting: number, maxWaitMs: number, now = Date.now) =>
  new SerialQueue<() => Promise<string>, string>({
    limits: { maxWaiting, maxWaitMs },
    now,
    chunkSize: (waiting) => Math.min(size, waiting.length),
    run: (chunk) => Promise.allSettled(chunk.map((job) => job())),
  })

describe('a queue', () => {
  it.for([1, 4])(
    'runs jobs in the order of arrival, %i at a time, whether or not they fail',
    async (size) => {
      const queue = queueOf(size, 100, 10_000)
      const order: number[] = []
      let running = 0
      const jobs = Array.from({ length: 20 }, (_, i) =>
        queue.run(async () => {
          running++
          expect(running).toBeLessThanOrEqual(size)
          order.push(i)
          await new Promise((wait) => setTimeout(wait, (i * 7) % 5))
          running--
          if (i % 3 === 0) throw new Error('of the job')
          return 'done'
        }),
      )
      const results = await Promise.allSettled(jobs)
      expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i))
      expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(7)
    },
  )

  it('rejects a job if the queue is full or its waiting time has expired', async () => {
    let now = 0
    const queue = queueOf(1, 2, 100, () => now)
    let finish = () => {}
    const first = queue.run(() => new Promise((done) => (finish = () => done('first'))))
    const second = queue.run(async () => 'second')
    const third = queue.run(async () => 'third')
    await expect(queue.run(async () => 'fourth')).rejects.toThrow(QueueOverflow)
    now = 101
    finish()
    await first
    await expect(second).rejects.toThrow('within 100 ms')
    await expect(third).rejects.toThrow(QueueOverflow)
    expect(await queue.run(async () => 'served again')).toBe('served again')
  })
})

describe('the group coordinator', () => {
  it('answers 429 with Retry-After when its queue is full, and completes all accepted writes', {
    timeout: 180_000,
  }, async () => {
    const client = await newClient({ groupLimit: 10_000 })
    await proven(client)
    const release = await hold(client)
    // One write is at the database, the queue is full, and the others exceed it.
    const tooMany = 59
    let refusals = 0
    const answers = await Promise.all(
      Array.from({ length: 1 + QUEUE_LENGTH + tooMany }, async (_, i) => {
        const answer = await create(client, `Group ${i}`)
        if (answer.status === 429 && ++refusals === tooMany) release()
        return answer
      }),
    )
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(tooMany)
    for (const { headers, body } of refused) {
      expect(Number(headers.get('Retry-After'))).toBeGreaterThan(0)
      expect(body).toMatchObject({ status: '429' })
    }
    const accepted = answers.filter(({ status }) => status === 201)
    expect(accepted.length + refused.length).toBe(answers.length)
    const { groups, log } = await soundState(client.tenantId)
    expect(groups).toHaveLength(accepted.length)
    // A rejected write is not in the log, because the client is expected to retry.
    expect(log).toHaveLength(accepted.length)
  })

  it('serves writes in the order in which they arrived', async () => {
    const client = await newClient()
    await proven(client)
    await slowDown(client)
    const writes: Promise<unknown>[] = []
    for (let i = 0; i < 15; i++) {
      writes.push(create(client, `Group ${i}`))
      // The next request is sent after this one has arrived, long before it is finished.
      await new Promise((wait) => setTimeout(wait, 25))
    }
    await Promise.all(writes)
    const { groups } = await soundState(client.tenantId)
    const byTime = [...groups].sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1))
    const names = byTime.map(({ display_name_key }) => display_name_key)
    expect(names).toEqual(Array.from({ length: 15 }, (_, i) => `group ${i}`))
  })

  it('of a blocked tenant does not delay that of another tenant', async () => {
    const [busy, calm] = [await newClient(), await newClient()]
    await Promise.all([proven(busy), proven(calm)])
    const release = await hold(busy)
    let answered = 0
    const stuck = Array.from({ length: 40 }, async (_, i) => {
      const { status } = await create(busy, `Busy ${i}`)
      answered++
      return status
    })
    for (let i = 0; i < 8; i++) expect((await create(calm, `Calm ${i}`)).status).toBe(201)
    expect(answered).toBe(0)
    release()
    expect(await Promise.all(stuck)).toEqual(Array(40).fill(201))
    await soundState(busy.tenantId)
    expect((await soundState(calm.tenantId)).groups).toHaveLength(8)
  })
})
