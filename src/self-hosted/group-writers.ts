/**
 * The group coordinators of one process. The group writes of each tenant run in order, as in the Durable Object.
 * open.ts ensures that there is only one process.
 */
import type { GroupWriter } from '../provider/groups/group-writer.ts'
import { QueuedGroupWriter, type QueuedGroupWriterOptions } from '../provider/groups/queued-group-writer.ts'

/** The number of tenants whose empty queues are kept. */
const MAX_IDLE = 1_000

interface Coordinator {
  readonly writer: GroupWriter
  running: number
}

/** @returns a function from a tenant to the coordinator of its group writes */
export function groupWriters(options: QueuedGroupWriterOptions): (tenantId: string) => GroupWriter {
  const coordinators = new Map<string, Coordinator>()
  const coordinatorOf = (tenantId: string): Coordinator => {
    const present = coordinators.get(tenantId)
    if (present !== undefined) return present
    const added = { writer: new QueuedGroupWriter(options), running: 0 }
    if (coordinators.size >= MAX_IDLE) forgetIdle(coordinators)
    coordinators.set(tenantId, added)
    return added
  }
  return (tenantId) => ({
    write: async (request) => {
      const coordinator = coordinatorOf(tenantId)
      coordinator.running++
      try {
        return await coordinator.writer.write(request)
      } finally {
        coordinator.running--
      }
    },
  })
}

/** Tenants come and go, so idle coordinators must be dropped. */
function forgetIdle(coordinators: Map<string, Coordinator>): void {
  for (const [tenantId, { running }] of coordinators) if (running === 0) coordinators.delete(tenantId)
}
