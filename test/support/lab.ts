/**
 * The app with a custom Runtime: it uses the real D1 and the real Durable Object, but tests can inject faults.
 */
import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { uuidv7 } from 'uuidv7'
import { createApp } from '../../src/app.ts'
import type { GroupWriteAnswer, GroupWriter } from '../../src/provider/groups/group-writer.ts'
import type { Runtime } from '../../src/runtime.ts'
import { type D1Binding, openDatabase } from '../../src/storage/database/database.ts'
import { ONE_DATABASE } from './one-database.ts'
import { TEST_SETTINGS } from './settings.ts'

export const app = createApp()

/** The runtime of production with the given overrides. */
export function labRuntime(parts: Partial<Runtime> = {}): Runtime {
  return {
    openDatabase: (_name, figures) => openDatabase(env.DB, figures),
    ...ONE_DATABASE,
    isHealthy: async () => true,
    groupWriter: coordinatorNamed,
    now: Date.now,
    newId: uuidv7,
    isAllowed: async () => true,
    later: () => undefined,
    fetch: () => Promise.reject(new Error('the lab has no network')),
    settings: TEST_SETTINGS,
    ...parts,
  }
}

/** A Durable Object by name. In production, the name is the tenant id. */
export function coordinatorNamed(name: string): GroupWriter {
  const stub = env.GROUP_COORDINATOR.getByName(name)
  return { write: (request) => stub.write(request) as Promise<GroupWriteAnswer> }
}

/** Sends a request to the app. */
export async function sendTo(runtime: Runtime, request: Request): Promise<Response> {
  return await app.fetch(request, runtime)
}

/** Replaces the database of a Durable Object until it is reset. */
export async function wrapCoordinator(name: string, wrap: (binding: D1Binding) => D1Binding): Promise<void> {
  const stub = env.GROUP_COORDINATOR.getByName(name)
  await runInDurableObject(stub, (instance) => {
    const own = instance as unknown as { env: { DB: D1Binding } }
    const DB = wrap(env.DB)
    Object.defineProperty(own, 'env', { value: { ...own.env, DB }, configurable: true })
  })
}
