/**
 * Group commit: how much faster writes are together than one by one. The test compares durations, so it is not part of
 * `npm test`; group-commit.test.ts counts round trips.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { change, newCoordinator, requestOf, statusOf } from '../support/coordinator.ts'
import { type Client, newClient } from '../support/harness.ts'

const times = <T>(count: number, what: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, i) => what(i)))

/** A tenant with users. */
interface Scene {
  readonly client: Client
  readonly ids: readonly string[]
}

async function newScene(users: number): Promise<Scene> {
  const client = await newClient()
  return { client, ids: (await times(users, () => client.createUser())).map(({ id }) => String(id)) }
}

describe('50 clients that add members at the same time', () => {
  const CLIENTS = 50

  /** Each client sends its next write after the answer to the previous one. @returns milliseconds and batches */
  async function run({ client, ids }: Scene, each: number, maxWrites: number, delayMs: number) {
    const { id } = await client.createGroup()
    const { writer, batches } = await newCoordinator(client, {
      maxWrites,
      binding: {
        prepare: (text) => env.DB.prepare(text),
        async batch<T>(statements: D1PreparedStatement[]) {
          if (delayMs > 0) await new Promise((wait) => setTimeout(wait, delayMs))
          return await env.DB.batch<T>(statements)
        },
      },
    })
    const before = batches.length
    const started = performance.now()
    await times(CLIENTS, async (lane) => {
      for (let i = 0; i < each; i++) {
        const request = await requestOf(client, change(id, 'add', ids[lane * each + i] ?? ''))
        expect(statusOf(await writer.write(request))).toBe(200)
      }
    })
    const ms = performance.now() - started
    expect((await client.get(`/Groups/${id}`)).body.meta.version).toBe(`W/"${1 + CLIENTS * each}"`)
    return { ms, batches: batches.length - before }
  }

  it('are done at least 5 times as fast together when each round trip takes 20 ms', async () => {
    const scene = await newScene(CLIENTS * 2)
    const alone = await run(scene, 2, 1, 20)
    const together = await run(scene, 2, 50, 20)
    expect(alone.batches).toBe(2 * CLIENTS * 2)
    expect(together.batches * 5).toBeLessThanOrEqual(alone.batches)
    expect(together.ms * 5).toBeLessThanOrEqual(alone.ms)
  })

  it('are done at least 1.5 times as fast together without any delay', async () => {
    const scene = await newScene(CLIENTS * 4)
    const ratios: number[] = []
    for (let round = 0; round < 3; round++) {
      const alone = await run(scene, 4, 1, 0)
      const together = await run(scene, 4, 50, 0)
      ratios.push(alone.ms / together.ms)
    }
    expect(ratios.sort((a, b) => a - b)[1]).toBeGreaterThanOrEqual(1.5)
  })
})
