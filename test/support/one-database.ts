/**
 * The database functions of a Runtime with one database.
 */
import type { Runtime } from '../../src/runtime.ts'

export const ONE_DATABASE: Pick<Runtime, 'databaseNames' | 'maxDatabaseBytes' | 'wakeJobs' | 'waitForEvent'> =
  {
    databaseNames: ['DB'],
    maxDatabaseBytes: Number.POSITIVE_INFINITY,
    wakeJobs: async () => undefined,
    waitForEvent: async () => true,
  }
