/**
 * The group coordinators of one process: each tenant's group writes run one at a time, as they do in the
 * Durable Object. open.ts sees to it that there is one process.
 */
import {
  answerOf,
  GROUP_QUEUE_LIMITS,
  type GroupWriteAnswer,
  type GroupWriteRequest,
  type GroupWriter,
  prepareGroupWrite,
} from '../provider/group-writer.ts'
import { SerialQueue } from '../provider/serial-queue.ts'
import { type Database, type DatabaseFigures, noFigures } from '../storage/database.ts'

export interface GroupWritersOptions {
  readonly openDatabase: (figures: DatabaseFigures) => Database
  readonly newId: () => string
  /** Milliseconds. */
  readonly now: () => number
}

/** Tenants whose queues are kept while nobody stands in them. */
const MAX_IDLE = 1_000

interface Coordinator {
  readonly queue: SerialQueue
  running: number
}

/** @returns who runs the group writes of a tenant */
export function groupWriters(options: GroupWritersOptions): (tenantId: string) => GroupWriter {
  const coordinators = new Map<string, Coordinator>()
  const coordinatorOf = (tenantId: string): Coordinator => {
    const present = coordinators.get(tenantId)
    if (present !== undefined) return present
    const added = { queue: new SerialQueue(GROUP_QUEUE_LIMITS, options.now), running: 0 }
    if (coordinators.size >= MAX_IDLE) forgetIdle(coordinators)
    coordinators.set(tenantId, added)
    return added
  }
  return (tenantId) => ({
    write: async (request) => {
      const coordinator = coordinatorOf(tenantId)
      coordinator.running++
      try {
        return await write(request, coordinator.queue, options)
      } finally {
        coordinator.running--
      }
    },
  })
}

/** Anybody can name a tenant, so the names must not pile up. */
function forgetIdle(coordinators: Map<string, Coordinator>): void {
  for (const [tenantId, { running }] of coordinators) if (running === 0) coordinators.delete(tenantId)
}

/** Refusals are answers; what throws is a fault of ours. */
async function write(
  request: GroupWriteRequest,
  queue: SerialQueue,
  { openDatabase, newId }: GroupWritersOptions,
): Promise<GroupWriteAnswer> {
  const figures = noFigures()
  const { credentials, tenantUrl, requestId } = request
  try {
    const run = prepareGroupWrite(request)
    const call = { db: openDatabase(figures), credentials, tenantUrl, requestId, newId }
    const rendered = await queue.run(() => run(call))
    return { figures, rendered }
  } catch (error) {
    return answerOf(error, figures)
  }
}
