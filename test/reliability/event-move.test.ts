/**
 * Consumers of the event feed while their tenant moves between databases: cursors stay valid, and nothing is missed or told
 * twice.
 */

import { Webhook } from 'standardwebhooks'
import { uuidv7 } from 'uuidv7'
import { afterAll, describe, expect, it } from 'vitest'
import { DirectoryCopy } from '../../src/consumer/directory-copy.ts'
import { runJob } from '../../src/provider/jobs/runner.ts'
import { startMove } from '../../src/provider/jobs/start.ts'
import { deliverDue } from '../../src/provider/webhooks/deliver.ts'
import type { WebhookPost } from '../../src/provider/webhooks/post.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { insertWebhook, newSecret } from '../../src/storage/webhooks/webhooks.ts'
import { clearLocations, newClientIn, sendSeveral, statesOf, threeDatabases } from '../support/databases.ts'
import { allEvents, now, seqOf, type TestEvent, typesOf } from '../support/feed.ts'
import { changesOf, contentOf, freshCopy } from '../support/follower.ts'
import { Client, TENANT_URL } from '../support/harness.ts'

afterAll(clearLocations)

async function move(tenantId: string, from: string, to: string): Promise<void> {
  const databases = threeDatabases()
  const start = {
    databases,
    resourceTypes: RESOURCE_TYPES,
    tenantId,
    home: from,
    newId: uuidv7,
    now: Date.now(),
  }
  await startMove(start, to)
  for (let calls = 0; calls < 1_000; calls++) {
    const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements: 50, now: Date.now }
    if ((await runJob(run, tenantId)) === undefined) return
  }
  throw new Error('the job does not end')
}

describe('a tenant that moves between databases', () => {
  it('keeps its events, their ids and its cursors', async () => {
    const { tenantId, token } = await newClientIn('DB')
    const client = new Client(tenantId, token, sendSeveral)
    const options = {
      tenantUrl: TENANT_URL,
      token,
      sleep: async () => undefined,
      fetch: async (input: unknown, init?: RequestInit) => {
        const { status, headers, body } = await sendSeveral(new Request(String(input), init))
        return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers })
      },
    }
    const copy = new DirectoryCopy()
    await changesOf(copy, options)
    const user = await client.createUser()
    const group = await client.createGroup({ members: [{ value: user.id }] })
    const cursor = await now(client)
    const before = await allEvents(client)
    const seen = [...(await changesOf(copy, options))]
    for (const [from, to] of [
      ['DB', 'DB2'],
      ['DB2', 'DB3'],
      ['DB3', 'DB'],
    ] as const) {
      await client.patch(`/Users/${user.id}`, { op: 'replace', path: 'title', value: `before ${to}` })
      await move(tenantId, from, to)
      expect((await statesOf(tenantId))[to]).toBe('ready')
      await client.patch(`/Users/${user.id}`, { op: 'replace', path: 'title', value: `in ${to}` })
      seen.push(...(await changesOf(copy, options)))
    }
    const after = await allEvents(client)
    // Without the data, which has the present versions of members.
    const identity = ({ id, type, timestamp, cursor, source }: TestEvent) => ({
      id,
      type,
      timestamp,
      cursor,
      source,
    })
    expect(after.slice(0, before.length).map(identity)).toEqual(before.map(identity))
    expect(typesOf(await allEvents(client, cursor))).toEqual(Array(6).fill('user.updated'))
    const numbers = seen.map((change) => (change.kind === 'event' ? seqOf(change.event) : 0))
    expect(numbers).toEqual(after.map(seqOf))
    expect(contentOf(copy)).toEqual(contentOf(await freshCopy(options)))
    expect(copy.groups.get(group.id)?.members).toEqual(new Set([user.id]))
  })

  it('wakes the readers that wait in its new database', async () => {
    const { tenantId, token } = await newClientIn('DB')
    const client = new Client(tenantId, token, sendSeveral)
    const after = await now(client)
    // This reader looks at the old database until its time is over.
    const early = client.feed(`?after=${after}&wait=6`)
    await move(tenantId, 'DB', 'DB2')
    const late = client.feed(`?after=${after}&wait=20`)
    await new Promise((wait) => setTimeout(wait, 300))
    const started = Date.now()
    await client.createUser()
    expect(typesOf((await late).body.events)).toEqual(['user.created'])
    expect(Date.now() - started).toBeLessThan(5_000)
    expect(typesOf((await early).body.events)).toEqual(['user.created'])
  })

  it('has its webhooks go on in the new database, also if it leaves while an event is sent', async () => {
    const { tenantId, token } = await newClientIn('DB')
    const client = new Client(tenantId, token, sendSeveral)
    const databases = threeDatabases()
    const secret = newSecret(uuidv7(), Date.now())
    const webhookId = uuidv7()
    const fresh = { id: webhookId, url: 'https://receiver.example.com/', types: null, createdAt: 1, secret }
    expect(await insertWebhook(databases.open('DB'), tenantId, fresh)).toBeDefined()
    const received: number[] = []
    let beforeAnswer: () => Promise<unknown> = async () => undefined
    const run = async () => {
      const runner = { resourceTypes: RESOURCE_TYPES, allowLoopback: false, now: Date.now, random: () => 0 }
      const post = async ({ headers, body }: WebhookPost) => {
        received.push(seqOf(new Webhook(secret.secret).verify(body, { ...headers }) as TestEvent))
        await beforeAnswer()
        return { status: 204, retryAfter: null }
      }
      return await deliverDue({ ...runner, databases, post }, { tenantId, webhookId })
    }
    await client.createUser()
    await client.createUser()
    beforeAnswer = async () => {
      beforeAnswer = async () => undefined
      await move(tenantId, 'DB', 'DB2')
    }
    // What was sent meanwhile is not stored in the database that the tenant has left: it is repeated.
    expect(await run()).toBe(0)
    await client.createUser()
    expect(await run()).toBe('idle')
    await move(tenantId, 'DB2', 'DB')
    await client.createUser()
    expect(await run()).toBe('idle')
    expect(received).toEqual([2, 3, 2, 3, 4, 5])
  })
})
