/**
 * The part of a Runtime that is about several databases, where there is one.
 */
import type { Runtime } from '../../src/runtime.ts'

export const ONE_DATABASE: Pick<Runtime, 'databaseNames' | 'maxDatabaseBytes' | 'wakeJobs'> = {
  databaseNames: ['DB'],
  maxDatabaseBytes: Number.POSITIVE_INFINITY,
  wakeJobs: async () => undefined,
}
