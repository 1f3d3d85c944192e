/** An undo whose runner is lost before and after every batch: it ends as one that nothing disturbs. */
import { env } from 'cloudflare:workers'
import { uuidv7 } from 'uuidv7'
import { describe, expect, it } from 'vitest'
import { runJob } from '../../src/provider/jobs/runner.ts'
import { startUndo } from '../../src/provider/jobs/start.ts'
import {
  type Database,
  MAX_QUERIES_FREE,
  noFigures,
  openDatabase,
} from '../../src/storage/database/database.ts'
import { readTogether } from '../../src/storage/database/query.ts'
import { type UndoWindow, windowQuery } from '../../src/storage/events/undo.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import type { Databases } from '../../src/storage/tenants/locations.ts'
import { admin, Client, newClient } from '../support/harness.ts'
import { anotherClient, EVER } from '../support/undo.ts'

class Killed extends Error {}

/** A database whose n-th batch, counted from 0, ends its caller: before or after it is done. */
function dyingAt(
  n: number,
  when: 'before' | 'after',
): { databases: Databases; readonly hasDied: () => boolean } {
  const db = openDatabase(env.DB, noFigures())
  let [count, hasDied] = [0, false]
  const dying: Database = {
    async batch(statements) {
      // A process that has ended sends nothing more.
      if (hasDied) throw new Killed()
      const isNow = count++ === n
      if (isNow && when === 'before') {
        hasDied = true
        throw new Killed()
      }
      const results = await db.batch(statements)
      if (!isNow) return results
      hasDied = true
      throw new Killed()
    },
  }
  return { databases: { names: ['DB'], maxBytes: 1e12, open: () => dying }, hasDied: () => hasDied }
}

/** A database whose n-th batch, counted from 0, has a fault that no repetition solves. */
function failingAt(n: number): Databases {
  const db = openDatabase(env.DB, noFigures())
  let count = 0
  const failing: Database = {
    batch: async (statements) => {
      if (count++ === n) throw new Error('a fault')
      return await db.batch(statements)
    },
  }
  return { names: ['DB'], maxBytes: 1e12, open: () => failing }
}

/** Starts an undo, which the test runs. */
async function started(tenantId: string, request: UndoWindow) {
  const databases: Databases = {
    names: ['DB'],
    maxBytes: 1e12,
    open: () => openDatabase(env.DB, noFigures()),
  }
  const { found } = await readTogether(databases.open('DB'), { found: windowQuery(tenantId, request) })
  const start = {
    databases,
    resourceTypes: RESOURCE_TYPES,
    tenantId,
    home: 'DB',
    newId: uuidv7,
    now: Date.now(),
  }
  const { id } = await startUndo(start, found.window, 4)
  return { id, databases }
}

async function prepared() {
  const first = await newClient()
  const { token, id: clientId } = await anotherClient(first, 'Old connector')
  const second = new Client(first.tenantId, token)
  const [a, b] = [await first.createUser({ title: 'Ranger' }), await first.createUser()]
  const group = await first.createGroup({ members: [{ value: a.id }, { value: b.id }] })
  const gone = await first.createGroup({ members: [{ value: a.id }] })
  await second.patch(`/Users/${a.id}`, { op: 'replace', path: 'title', value: 'Warden' })
  await second.request('DELETE', `/Users/${b.id}`)
  await second.request('DELETE', `/Groups/${gone.id}`)
  await second.createUser()
  const { tenantId } = first
  const { id: jobId, databases } = await started(tenantId, { clientId, from: 0, to: Date.now() + 60_000 })
  const state = async () => {
    const users = (await first.get('/Users')).body.Resources.map(
      ({ userName, title }: Record<string, unknown>) => [userName, title],
    )
    const groups = (await first.get('/Groups')).body.Resources.map(
      ({ displayName, members = [] }: { displayName: string; members: { value: string }[] }) => [
        displayName,
        members.map(({ value }) => value).sort(),
      ],
    )
    return { users: users.sort(), groups: groups.sort() }
  }
  const expected = {
    users: [
      [a.userName, 'Ranger'],
      [b.userName, undefined],
    ].sort(),
    groups: [
      [group.displayName, [a.id, b.id].sort()],
      [gone.displayName, [a.id]],
    ].sort(),
  }
  const window = { clientId, ...EVER }
  return { tenantId, databases, jobId, window, state, expected }
}

const administration = { newId: uuidv7, keepsDeleted: true }

async function runWith(databases: Databases, tenantId: string): Promise<void> {
  const run = {
    databases,
    resourceTypes: RESOURCE_TYPES,
    maxStatements: 1_000,
    now: Date.now,
    administration,
  }
  while ((await runJob(run, tenantId)) !== undefined);
}

describe('an undo', () => {
  it.for(['before', 'after'] as const)(
    'is done once although its runner ends %s a batch',
    { timeout: 300_000 },
    async (when) => {
      // Each time from another batch on: the whole job has about seventy.
      for (let from = 0; from < 3; from++) {
        const { tenantId, databases, state, expected } = await prepared()
        for (let kills = 0; ; kills++) {
          const dying = dyingAt(kills === 0 ? from : 6 + kills, when)
          const ended = await runWith(dying.databases, tenantId).then(
            () => true,
            () => false,
          )
          if (ended && !dying.hasDied()) break
          if (kills > 20) {
            await runWith(databases, tenantId)
            break
          }
        }
        expect(await state()).toEqual(expected)
      }
    },
  )

  it('that has failed for good can still be read, and started again', { timeout: 60_000 }, async () => {
    const { tenantId, databases, jobId, state, expected, window } = await prepared()
    await runWith(failingAt(6), tenantId)
    const { status, body } = await admin('GET', `/tenants/${tenantId}/undo/${jobId}`)
    expect([status, body.job]).toMatchObject([200, { state: 'failed', error: 'a fault' }])
    const again = await admin('POST', `/tenants/${tenantId}/undo`, window)
    expect(again.status).toBe(202)
    await runWith(databases, tenantId)
    expect(await state()).toEqual(expected)
  })

  it('sends no more statements in a call than a plan of Cloudflare allows', { timeout: 60_000 }, async () => {
    const first = await newClient()
    const { token, id: clientId } = await anotherClient(first, 'Old connector')
    const second = new Client(first.tenantId, token)
    const users = []
    for (let i = 0; i < 12; i++) users.push(await first.createUser())
    const members = users.map(({ id }) => ({ value: id }))
    const groups = [await first.createGroup({ members }), await first.createGroup({ members })]
    for (const { id } of users.slice(6)) await second.request('DELETE', `/Users/${id}`)
    for (const { id } of users.slice(0, 6))
      await second.patch(`/Users/${id}`, { op: 'replace', path: 'userName', value: `changed-${id}` })
    await second.request('DELETE', `/Groups/${groups[0].id}`)
    for (let i = 0; i < 6; i++) {
      const { id } = await second.createUser()
      await second.patch(`/Groups/${groups[1].id}`, { op: 'add', path: 'members', value: [{ value: id }] })
    }
    await started(first.tenantId, { clientId, from: 0, to: Date.now() + 60_000 })
    const db = openDatabase(env.DB, noFigures())
    let statements = 0
    const counting: Database = {
      batch: async (batch) => {
        statements += batch.length
        return await db.batch(batch)
      },
    }
    const databases: Databases = { names: ['DB'], maxBytes: 1e12, open: () => counting }
    const most: number[] = []
    const run = { databases, resourceTypes: RESOURCE_TYPES, now: Date.now, administration }
    for (let pause: number | undefined = 0; pause !== undefined; most.push(statements)) {
      statements = 0
      pause = await runJob({ ...run, maxStatements: MAX_QUERIES_FREE }, first.tenantId)
    }
    expect(Math.max(...most)).toBeLessThanOrEqual(MAX_QUERIES_FREE)
    expect((await first.get('/Users')).body.totalResults).toBe(12)
    expect((await first.get(`/Groups/${groups[0].id}`)).body.members).toHaveLength(12)
    expect((await first.get(`/Groups/${groups[1].id}`)).body.members).toHaveLength(12)
  })
})
