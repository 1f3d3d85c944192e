/** Reads what /metrics shows of the present state. */
import { databaseHealth } from '../../provider/health.ts'
import type { SqliteD1 } from '../../sqlite/d1.ts'
import { fileState } from '../../sqlite/file-state.ts'
import { RESOURCE_TYPES } from '../../storage/tables/resource-tables.ts'
import type { Databases } from '../../storage/tenants/locations.ts'
import type { BodyBudget } from '../held-bodies.ts'
import type { InFlight } from '../in-flight.ts'
import type { Turns } from '../turns.ts'
import type { MemoryOfAnswers } from '../unread-answers.ts'
import type { MeasuredState } from './service-metrics.ts'

/** The parts of a service that are measured. */
export interface MeasuredService {
  readonly databases: Databases
  readonly files: readonly { readonly name: string; readonly path: string; readonly d1: SqliteD1 }[]
  readonly turns: Turns
  readonly inFlight: InFlight
  readonly bodies: BodyBudget
  readonly answers: MemoryOfAnswers
}

export async function measuredState(service: MeasuredService): Promise<MeasuredState> {
  const { databases, files, turns, inFlight, bodies, answers } = service
  return {
    databases: await databaseHealth(databases, RESOURCE_TYPES),
    files: files.map(({ name, path, d1: { waitingWrites } }) => ({
      name,
      state: fileState(path),
      waitingWrites,
    })),
    requestsInFlight: inFlight.count,
    requestsWaiting: turns.waiting,
    heldBodyBytes: bodies.bytes,
    unreadAnswerBytes: answers.bytes,
  }
}
