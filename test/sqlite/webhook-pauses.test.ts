/** Webhooks of a self-hosted server that wait for seconds: after a failure, and for a receiver that never answers. */
import { expect, it } from 'vitest'
import { idsOf, receiverOf, SOON, tenantWith } from './support/webhook-service.ts'

it('an event is tried again with the same id and a new time, and later events wait', async () => {
  const receiver = await receiverOf((response, _, count) => response.writeHead(count === 1 ? 500 : 204).end())
  const tenant = await tenantWith(receiver.url)
  await tenant.createUser()
  await expect.poll(async () => (await tenant.webhook()).attempts, SOON).toBe(1)
  // A poke does not override the pause.
  await tenant.createUser()
  expect(await tenant.webhook()).toMatchObject({
    eventsBehind: 2,
    lastError: 'the receiver answered 500',
    lastSuccessAt: null,
    state: 'active',
  })
  await expect.poll(() => receiver.received.length, { timeout: 10_000 }).toBe(3)
  const [failed, again, next] = receiver.received
  const [first, second] = await tenant.events()
  expect([failed?.id, again?.id, next?.id]).toEqual([first?.id, first?.id, second?.id])
  const times = [failed, again].map((one) => Number(one?.headers['webhook-timestamp']))
  expect(Number(times[1]) - Number(times[0])).toBeGreaterThanOrEqual(5)
  await expect.poll(tenant.webhook, SOON).toMatchObject({ attempts: 0, eventsBehind: 0, lastError: null })
  expect((await tenant.deliveries()).map(({ status }: { status: number }) => status)).toEqual([204, 204, 500])
})

it('a receiver that never answers delays no other, and fails after 10 seconds', async () => {
  const hanging = await receiverOf(() => undefined)
  const stuck = await tenantWith(hanging.url)
  const others = []
  for (let i = 0; i < 20; i++) others.push(await tenantWith((await receiverOf()).url))
  const begun = performance.now()
  await stuck.createUser()
  for (const tenant of others) await tenant.createUser()
  for (const tenant of others) await expect.poll(tenant.webhook, SOON).toMatchObject({ eventsBehind: 0 })
  expect(performance.now() - begun).toBeLessThan(8_000)
  await expect
    .poll(async () => (await stuck.webhook()).lastError, { timeout: 15_000 })
    .toBe('no answer within 10 seconds')
})

it('a receiver that accepts and never ends its answer has accepted after 10 seconds', async () => {
  const receiver = await receiverOf((response) => response.writeHead(200).write('a'))
  const tenant = await tenantWith(receiver.url)
  await tenant.createUser()
  await expect
    .poll(tenant.webhook, { timeout: 15_000 })
    .toMatchObject({ eventsBehind: 0, attempts: 0, lastError: null })
  expect(receiver.received).toHaveLength(1)
})

it('a thousand webhooks, of which one hangs: the others get everything at once', {
  timeout: 120_000,
}, async () => {
  const hanging = await receiverOf(() => undefined)
  const good = await receiverOf()
  const tenants = []
  for (let i = 0; i < 50; i++) {
    const tenant = await tenantWith(i === 0 ? hanging.url : `${good.url}?${i}`, ['user.created'])
    for (let j = 1; j < 20; j++) await tenant.addWebhook(`${good.url}?${i}-${j}`)
    tenants.push(tenant)
  }
  const begun = performance.now()
  for (const tenant of tenants) await tenant.createUser()
  await expect.poll(() => good.received.length, { timeout: 60_000, interval: 20 }).toBe(999)
  // The hanging one has not even failed yet.
  expect(performance.now() - begun).toBeLessThan(10_000)
  expect(new Set(idsOf(good.received)).size).toBe(50)
  expect(hanging.received).toHaveLength(1)
})
