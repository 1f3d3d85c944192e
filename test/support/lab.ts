/**
 * The app with a Runtime of the test's own: on the real D1 and the real Durable Object, but with whatever
 * is to go wrong in between.
 */
import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { uuidv7 } from 'uuidv7'
import { createApp } from '../../src/app.ts'
import type { GroupWriteAnswer, GroupWriter } from '../../src/provider/groups/group-writer.ts'
import type { Runtime } from '../../src/runtime.ts'
import { type D1Binding, openDatabase } from '../../src/storage/database/database.ts'
import { ONE_DATABASE } from './one-database.ts'

export const app = createApp()

/** A runtime as in production, but for what is given. */
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
    settings: {
      adminToken: 'test-admin-token',
      serverTiming: true,
      requestLog: false,
      logRetentionDays: '30',
      accessTeamDomain: undefined,
      accessAudience: undefined,
    },
    ...parts,
  }
}

/** A Durable Object by any name: production knows one for each tenant, named after it. */
export function coordinatorNamed(name: string): GroupWriter {
  const stub = env.GROUP_COORDINATOR.getByName(name)
  return { write: (request) => stub.write(request) as Promise<GroupWriteAnswer> }
}

/** Sends a request to the app. */
export async function sendTo(runtime: Runtime, request: Request): Promise<Response> {
  return await app.fetch(request, runtime)
}

/** Gives a Durable Object another database, until it is reset. */
export async function wrapCoordinator(name: string, wrap: (binding: D1Binding) => D1Binding): Promise<void> {
  const stub = env.GROUP_COORDINATOR.getByName(name)
  await runInDurableObject(stub, (instance) => {
    const own = instance as unknown as { env: { DB: D1Binding } }
    const DB = wrap(env.DB)
    Object.defineProperty(own, 'env', { value: { ...own.env, DB }, configurable: true })
  })
}
