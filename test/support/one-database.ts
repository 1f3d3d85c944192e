/**
 * The functions of a Runtime with one database and nothing else that works beside requests.
 */
import type { Runtime } from '../../src/runtime.ts'

export const ONE_DATABASE: Pick<
  Runtime,
  'databaseNames' | 'maxDatabaseBytes' | 'wakeJobs' | 'waitForEvent' | 'pokeWebhooks' | 'postWebhook'
> = {
  databaseNames: ['DB'],
  maxDatabaseBytes: Number.POSITIVE_INFINITY,
  wakeJobs: async () => undefined,
  waitForEvent: async () => true,
  pokeWebhooks: () => undefined,
  postWebhook: async () => ({ status: 204, retryAfter: null }),
}
