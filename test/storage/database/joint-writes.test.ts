/** The bounds of joint writes, and what happens without their queue. test/provider/joint-writes.test.ts has their outcomes. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  BATCH_TIMEOUT_MS,
  type Database,
  DatabaseUnavailable,
  GuardError,
  noFigures,
  type Statement,
  translateError,
} from '../../../src/storage/database/database.ts'
import {
  CurrentWrites,
  type Joint,
  JointWrites,
  withJointWrites,
} from '../../../src/storage/database/joint-writes.ts'

afterEach(() => void vi.useRealTimers())

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)
const statement = (text = ''): Statement => ({ sql: 'SELECT ?1', params: [text] })

/** A database that answers when it is released. */
function heldDatabase() {
  const sizes: number[] = []
  const { promise, resolve: release } = Promise.withResolvers<void>()
  const database: Database = {
    async batch(statements) {
      sizes.push(statements.length)
      await promise
      return statements.map(() => ({ rows: [], changes: 1 }))
    },
  }
  return { database, sizes, release }
}

describe('a joint transaction', () => {
  it.for([
    ['statements', 3, '', [3, 3, 45, 9]],
    ['characters', 1, 'x'.repeat(300_000), [1, 1, 3, 3, 3, 3, 3, 3]],
  ] as const)('is bounded in %s', async ([, statements, text, expected]) => {
    const { database, sizes, release } = heldDatabase()
    const queue = new JointWrites(() => database, Date.now)
    const answers = numbers(20).map((i) =>
      queue.run(
        `${i}`,
        numbers(statements).map(() => statement(text)),
      ),
    )
    release()
    await Promise.all(answers)
    expect(sizes).toEqual(expected)
  })

  it('has one write of a resource; the next one has it in its turn', async () => {
    const { database, sizes, release } = heldDatabase()
    const queue = new JointWrites(() => database, Date.now)
    const answers = ['a', 'b', 'c', 'c', 'd', 'c'].map((id) => queue.run(id, [statement()]))
    release()
    await Promise.all(answers)
    expect(sizes).toEqual([1, 1, 2, 1, 1])
  })

  it('does not wait for many changes of one resource', async () => {
    const sent: string[] = []
    const database: Database = {
      async batch(statements) {
        sent.push(...statements.map(({ params }) => String(params[0])))
        await Promise.resolve()
        return statements.map(() => ({ rows: [], changes: 1 }))
      },
    }
    const queue = new JointWrites(() => database, Date.now)
    await Promise.all(['x', 'x', 'x', 'x', 'x', 'y'].map((id) => queue.run(id, [statement(id)])))
    expect(sent).toEqual(['x', 'x', 'y', 'x', 'x', 'x'])
  })

  it('is not repeated because a later change of one of its resources fails', async () => {
    const sent: string[][] = []
    const database: Database = {
      async batch(statements) {
        const texts = statements.map(({ params }) => String(params[0]))
        sent.push(texts)
        await Promise.resolve()
        if (texts.includes('stale')) throw new GuardError('stale version')
        return statements.map(() => ({ rows: [], changes: 1 }))
      },
    }
    const queue = new JointWrites(() => database, Date.now)
    const writes = ['a', 'b', 'c', 'c', 'd', 'e', 'b', 'f']
    const answers = writes.map((id, i) =>
      queue.run(id, [statement(writes.indexOf(id) === i ? 'first' : 'stale')]),
    )
    const failures = (await Promise.all(answers)).map((answer) => answer?.failure)
    expect(failures.map((failure) => failure !== undefined)).toEqual(
      writes.map((id, i) => writes.indexOf(id) !== i),
    )
    // Each write is sent once.
    expect(sent.flat()).toHaveLength(writes.length)
    expect(sent.map((texts) => texts.length)).toEqual([1, 1, 4, 1, 1])
  })
})

describe('a write beside two others of its tenant', () => {
  /** @returns the database of a request while two writes of the tenant are at it */
  function busyDatabase(send: Joint['send']) {
    const current = new CurrentWrites(() => 0)
    for (const _ of numbers(2)) current.begin('acme')
    const { database, sizes, release } = heldDatabase()
    release()
    const figures = noFigures()
    return { db: withJointWrites(database, figures, { current, send }), sizes, figures }
  }

  it('is sent directly if the queue is full', async () => {
    const { db, sizes } = busyDatabase(async () => undefined)
    await db.jointly?.({ tenantId: 'acme', resourceId: '1' }).batch([statement()])
    expect(sizes).toEqual([1])
  })

  it('may have been applied if the queue does not answer', async () => {
    const { db, sizes } = busyDatabase(() => Promise.reject(new Error('reset')))
    const done = db.jointly?.({ tenantId: 'acme', resourceId: '1' }).batch([statement()])
    await expect(done).rejects.toThrow(DatabaseUnavailable)
    expect(sizes).toEqual([])
  })

  it('may have been applied if the queue holds it for too long, and is not sent again', async () => {
    vi.useFakeTimers()
    const { db, sizes } = busyDatabase(() => new Promise(() => {}))
    const done = db.jointly?.({ tenantId: 'acme', resourceId: '1' }).batch([statement()])
    const refused = expect(done).rejects.toThrow(DatabaseUnavailable)
    await vi.advanceTimersByTimeAsync(4 * BATCH_TIMEOUT_MS)
    await refused
    expect(sizes).toEqual([])
  })

  it('is sent directly in another tenant', async () => {
    const { db, sizes } = busyDatabase(() => Promise.reject(new Error('not asked')))
    await db.jointly?.({ tenantId: 'other', resourceId: '1' }).batch([statement()])
    expect(sizes).toEqual([1])
  })

  it('has the errors and the figures of its own batch', async () => {
    const failure =
      'D1_ERROR: UNIQUE constraint failed: users.tenant_id, users.user_name_key: SQLITE_CONSTRAINT'
    const { db, figures } = busyDatabase(async () => ({ roundTrips: 2, failure }))
    const done = db.jointly?.({ tenantId: 'acme', resourceId: '1' }).batch([statement()])
    await expect(done).rejects.toMatchObject({ columns: 'users.tenant_id, users.user_name_key' })
    expect(figures.roundTrips).toBe(2)
  })
})

describe('the queue', () => {
  it('refuses writes beyond its length', async () => {
    const { database, release } = heldDatabase()
    const queue = new JointWrites(() => database, Date.now)
    const answers = numbers(503).map((i) => queue.run(`${i}`, [statement()]))
    expect(await answers.at(-1)).toBeUndefined()
    release()
    const answered = await Promise.all(answers)
    expect(answered.filter((answer) => answer === undefined)).toHaveLength(1)
  })

  it('refuses writes that waited too long, which were not sent', async () => {
    let now = 0
    const { database, sizes, release } = heldDatabase()
    const queue = new JointWrites(
      () => database,
      () => now,
    )
    const early = numbers(3).map((i) => queue.run(`${i}`, [statement()]))
    now = BATCH_TIMEOUT_MS
    const later = queue.run('later', [statement()])
    now++
    release()
    const refused = await early[2]
    expect(refused).toEqual({ roundTrips: 0, failure: expect.stringContaining('not sent') })
    expect(translateError(new Error(refused?.failure))).toBeInstanceOf(DatabaseUnavailable)
    expect(await later).toHaveProperty('results')
    expect(sizes).toEqual([1, 1, 1])
  })

  it('holds nothing of the writes before, however long it is never empty', async () => {
    let sent = 0
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    const database: Database = {
      async batch(statements) {
        if (++sent === 20_000) end()
        else if (sent < 20_000) void queue.run(`${sent}`, [statement()])
        return statements.map(() => ({ rows: [], changes: 1 }))
      },
    }
    const queue = new JointWrites(() => database, Date.now)
    const before = usedBytes()
    void queue.run('first', [statement()])
    await ended
    const after = usedBytes()
    expect(after - before).toBeLessThan(4_000_000)
  })
})

/** The bytes of the heap that are in use. */
function usedBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}

describe('the writes of an isolate', () => {
  const isDirect = (current: CurrentWrites) => current.begin('acme').isDirect

  it('are all in the queue while more than two are under way', () => {
    const current = new CurrentWrites(() => 0)
    const writes = numbers(4).map(() => current.begin('acme'))
    expect(writes.map((write) => write.isDirect)).toEqual([true, true, false, false])
    // Beside the two that are in the queue.
    for (const { end } of writes.slice(0, 2)) end()
    const next = current.begin('acme')
    expect(next.isDirect).toBe(false)
    for (const { end } of [next, ...writes.slice(2)]) end()
    expect(isDirect(current)).toBe(true)
  })

  it('do not count for longer than a batch may take, even if their request was ended', () => {
    let now = 0
    const current = new CurrentWrites(() => now)
    for (const _ of numbers(2)) current.begin('acme')
    expect(isDirect(current)).toBe(false)
    now = BATCH_TIMEOUT_MS
    expect(isDirect(current)).toBe(true)
  })

  it('count once, even if another one took longer than that', () => {
    let now = 0
    const current = new CurrentWrites(() => now)
    const { end } = current.begin('acme')
    now = BATCH_TIMEOUT_MS
    for (const _ of numbers(2)) expect(isDirect(current)).toBe(true)
    end()
    expect(isDirect(current)).toBe(false)
  })
})
