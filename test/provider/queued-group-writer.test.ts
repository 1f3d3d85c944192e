import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import type { GroupWriteRequest } from '../../src/provider/group-writer.ts'
import { QueuedGroupWriter } from '../../src/provider/queued-group-writer.ts'
import { type Database, openDatabase } from '../../src/storage/database.ts'
import { credentialsOf } from '../../src/storage/tokens.ts'
import { GROUP, newClient, TENANT_URL } from '../support/harness.ts'

/** A database whose batches wait until the gate opens, for one tenant's proven writes. */
function gated(database: Database, gate: Promise<void>): Database {
  return { batch: async (statements) => gate.then(() => database.batch(statements)) }
}

async function creation(token: string, displayName: string, isProven: boolean): Promise<GroupWriteRequest> {
  const credentials = await credentialsOf(token, Date.now())
  if (credentials === undefined) throw new Error(`no token: ${token}`)
  const body = { schemas: [GROUP], displayName }
  return {
    kind: 'create',
    body,
    credentials,
    isProven,
    preconditions: {},
    tenantUrl: TENANT_URL,
    requestId: 'test',
  }
}

describe('the line before group writes', () => {
  it('cannot be filled by strangers, is bounded, and goes on when the database does', async () => {
    const { tenantId, token } = await newClient()
    let open = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    let isFirst = true
    const writer = new QueuedGroupWriter({
      openDatabase: (figures) => {
        const database = openDatabase(env.DB, figures)
        if (!isFirst) return database
        isFirst = false
        return gated(database, gate)
      },
      newId: () => crypto.randomUUID(),
      now: Date.now,
    })
    const first = writer.write(await creation(token, 'First', true))
    const stranger = `scim_${tenantId}_${'A'.repeat(43)}`
    const strangers = await Promise.all(
      Array.from({ length: 20 }, async () => writer.write(await creation(stranger, 'Stranger', false))),
    )
    expect(strangers.map(({ refusal }) => refusal?.status)).toEqual(Array(20).fill(401))
    const request = await creation(token, 'Same', true)
    const line = Array.from({ length: 520 }, () => writer.write(request))
    const refused = (await Promise.all(line.slice(500))).map(({ refusal }) => refusal)
    expect(refused.map((refusal) => refusal?.status)).toEqual(Array(20).fill(429))
    expect(refused[0]?.detail).toContain('500 writes are waiting')
    open()
    expect((await first).rendered).toMatchObject({ version: 1 })
    const statuses = (await Promise.all(line.slice(0, 500))).map(({ refusal }) => refusal?.status ?? 201)
    expect(statuses).toEqual([201, ...Array(499).fill(409)])
  })

  it('refuses what stood in it too long, and runs what comes after', async () => {
    const { token } = await newClient()
    let now = 0
    let open = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const writer = new QueuedGroupWriter({
      openDatabase: (figures) => gated(openDatabase(env.DB, figures), gate),
      newId: () => crypto.randomUUID(),
      now: () => now,
    })
    const first = writer.write(await creation(token, 'First', true))
    const late = writer.write(await creation(token, 'Late', true))
    now = 20_001
    const next = writer.write(await creation(token, 'Next', true))
    open()
    expect((await first).rendered).toBeDefined()
    expect((await late).refusal).toMatchObject({ status: 429, detail: expect.stringContaining('20000 ms') })
    expect((await next).rendered).toBeDefined()
  })
})
