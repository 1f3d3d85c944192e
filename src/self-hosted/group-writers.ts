/**
 * The group coordinators of one process. The group writes of each tenant run in order, as in the Durable Object.
 * open.ts ensures that there is only one process.
 */
import type { GroupWriter } from '../provider/groups/group-writer.ts'
import { QueuedGroupWriter, type QueuedGroupWriterOptions } from '../provider/groups/queued-group-writer.ts'
import { inTurn } from '../storage/database/database.ts'

/** The number of tenants whose empty queues are kept. */
const MAX_IDLE = 1_000

/**
 * Characters in the bodies of a chunk with several writes. They save a wait for the disk, which is short beside the time
 * that SQLite takes for a chunk of this length; a chunk runs to its end once it has begun.
 */
const MAX_CHARACTERS = 64 * 1024

export interface GroupWritersOptions extends Omit<QueuedGroupWriterOptions, 'maxCharacters'> {
  /** Waits for a turn of the tenant. Each batch of a chunk takes one. @returns undefined when the turn is immediate */
  readonly turn?: (tenantId: string) => Promise<void> | undefined
}

interface Coordinator {
  readonly writer: GroupWriter
  running: number
}

/** @returns a function from a tenant to the coordinator of its group writes */
export function groupWriters({ turn, ...options }: GroupWritersOptions): (tenantId: string) => GroupWriter {
  const coordinators = new Map<string, Coordinator>()
  const newWriter = (tenantId: string) =>
    new QueuedGroupWriter({
      ...options,
      maxCharacters: MAX_CHARACTERS,
      openDatabase: (name, figures) =>
        inTurn(options.openDatabase(name, figures), turn && (() => turn(tenantId))),
    })
  const coordinatorOf = (tenantId: string): Coordinator => {
    const present = coordinators.get(tenantId)
    if (present !== undefined) return present
    const added = { writer: newWriter(tenantId), running: 0 }
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
