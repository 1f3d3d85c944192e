/**
 * The group coordinators of one process: each tenant's group writes run in their order, as they do in the
 * Durable Object. open.ts sees to it that there is one process.
 */
import type { GroupWriter } from '../provider/groups/group-writer.ts'
import { QueuedGroupWriter, type QueuedGroupWriterOptions } from '../provider/groups/queued-group-writer.ts'

/** Tenants whose queues are kept while nobody stands in them. */
const MAX_IDLE = 1_000

interface Coordinator {
  readonly writer: GroupWriter
  running: number
}

/** @returns who runs the group writes of a tenant */
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

/** Tenants come and go, so their names must not pile up. */
function forgetIdle(coordinators: Map<string, Coordinator>): void {
  for (const [tenantId, { running }] of coordinators) if (running === 0) coordinators.delete(tenantId)
}
