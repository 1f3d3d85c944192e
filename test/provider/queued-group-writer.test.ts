import { env } from 'cloudflare:workers'
import { uuidv7 } from 'uuidv7'
import { describe, expect, it } from 'vitest'
import { type GroupWriteAnswer, renderedOf } from '../../src/provider/groups/group-writer.ts'
import { REMOVED_MEMBERSHIP_UNITS, VISIT_UNITS } from '../../src/scim/work.ts'
import { groupWriters } from '../../src/self-hosted/group-writers.ts'
import { type D1Binding, DatabaseUnavailable, openDatabase } from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { change, create, newCoordinator, requestOf, statusOf } from '../support/coordinator.ts'
import { Client, GROUP, newClient, newToken, PATCH_OP } from '../support/harness.ts'

describe('the work of a group write', () => {
  it('includes the loaded and the removed members if it needs the whole list', async () => {
    const client = await newClient()
    const users = await Promise.all(Array.from({ length: 20 }, () => client.createUser()))
    const members = users.map(({ id }) => ({ value: id }))
    const [few, many] = [await client.createGroup(), await client.createGroup({ members })]
    const { writer } = await newCoordinator(client)
    const body = { schemas: [PATCH_OP], Operations: [{ op: 'remove', path: 'members' }] }
    const spent = async (id: string) =>
      (await writer.write(await requestOf(client, { kind: 'patch', id, body }))).spent ?? 0
    expect((await spent(many.id)) - (await spent(few.id))).toBe(20 * (VISIT_UNITS + REMOVED_MEMBERSHIP_UNITS))
  })
})

describe('the queue of group writes', () => {
  it('loads again if another write was done while a new token was checked', async () => {
    const client = await newClient()
    const { id: user } = await client.createUser()
    const { id } = await client.createGroup({ members: [{ value: user }] })
    const other = new Client(client.tenantId, (await newToken(client.tenantId)).token)
    let answer: Promise<GroupWriteAnswer> | undefined
    let isLoading = false
    const { writer } = await newCoordinator(client, {
      binding: {
        prepare: (text) => env.DB.prepare(text),
        async batch<T>(statements: D1PreparedStatement[]) {
          const results = await env.DB.batch<T>(statements)
          if (isLoading) {
            isLoading = false
            answer = writer.write(await requestOf(client, change(id, 'remove', user)))
            await answer
          }
          return results
        },
      },
    })
    isLoading = true
    const added = await writer.write(await requestOf(other, change(id, 'add', user)))
    expect([(await answer)?.rendered?.version, added.rendered?.version]).toEqual([2, 3])
    expect(added.figures.roundTrips).toBe(3)
    const next = await writer.write(await requestOf(other, change(id, 'add', user)))
    expect([next.rendered?.version, next.figures.roundTrips]).toEqual([3, 2])
  })

  it('cannot be filled by strangers, is bounded, and continues when the database does', async () => {
    const client = await newClient()
    const { writer, together } = await newCoordinator(client)
    const stranger = new Client(client.tenantId, `scim_${client.tenantId}_${'A'.repeat(43)}`)
    const strange = await requestOf(stranger, create('Stranger'))
    const same = await requestOf(client, create('Same'))
    const answers = await together([...Array(20).fill(strange), ...Array(520).fill(same)])
    const statuses = answers.map(statusOf)
    expect(statuses.slice(0, 20)).toEqual(Array(20).fill(401))
    expect(statuses.slice(20)).toEqual([200, ...Array(499).fill(409), ...Array(20).fill(429)])
    expect(answers.at(-1)?.refusal?.detail).toContain('500 writes are waiting')
    expect((await writer.write(await requestOf(client, create('Next')))).rendered).toMatchObject({
      version: 1,
    })
  })

  it('refuses a write that has waited too long, and runs those after it', async () => {
    const client = await newClient()
    let now = 0
    const coordinator = await newCoordinator(client, { now: () => now })
    const request = await requestOf(client, create('Late'))
    coordinator.before = () => {
      now = 20_001
    }
    const { writer, together } = coordinator
    // The time passes while the first write is at the database.
    const [first, late] = [writer.write(await requestOf(client, create('First'))), writer.write(request)]
    expect((await first).rendered).toBeDefined()
    expect((await late).refusal).toMatchObject({ status: 429, detail: expect.stringContaining('20000 ms') })
    expect((await together([request])).map(statusOf)).toEqual([200])
  })

  it('takes a turn of its tenant for each batch, where tenants take turns', async () => {
    const client = await newClient()
    const done: string[] = []
    const binding: D1Binding = {
      prepare: (text) => env.DB.prepare(text),
      batch: (statements) => {
        done.push('batch')
        return env.DB.batch(statements)
      },
    }
    const writerOf = groupWriters({
      openDatabase: (_name, figures) => openDatabase(binding, figures),
      turn: async (owner) => {
        done.push(owner)
      },
      resourceTypes: RESOURCE_TYPES,
      newId: uuidv7,
      wakeJobs: async () => undefined,
      now: Date.now,
    })
    const requests = ['a', 'b', 'c'].map((name) => requestOf(client, create(name)))
    const [first, ...others] = await Promise.all(requests)
    const { tenantId } = client
    if (first === undefined) throw new Error('no request')
    // The first write of a token is checked before it is queued; the check also loads.
    expect(statusOf(await writerOf(tenantId).write(first))).toBe(200)
    await Promise.all(others.map((request) => writerOf(tenantId).write(request)))
    expect(done).toEqual(
      Array(done.length / 2)
        .fill([tenantId, 'batch'])
        .flat(),
    )
    expect(done).toHaveLength(12)
  })

  it('answers an error of its own with a fault, which is not retried, unlike a database that does not answer', async () => {
    const client = await newClient()
    const { writer } = await newCoordinator(client)
    // No request has such a body: it stands for an unexpected error.
    const body = {
      schemas: [GROUP],
      get displayName() {
        throw new Error('unexpected')
      },
    }
    const answer = await writer.write(await requestOf(client, { kind: 'create', body }))
    expect(answer).toMatchObject({ fault: expect.stringContaining('unexpected') })
    expect(() => renderedOf(answer)).toThrow('the group writer failed')
    expect(() => renderedOf(answer)).not.toThrow(DatabaseUnavailable)
  })
})
