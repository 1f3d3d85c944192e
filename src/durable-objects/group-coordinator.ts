/**
 * The group coordinator: one Durable Object for each tenant, named after it, runs the tenant's group
 * writes one at a time. It keeps a queue of its own, because waiting for D1 inside a Durable Object lets
 * other requests in, and blockConcurrencyWhile would stop reads and reset the object when a write throws.
 *
 * The queue is for fairness and to spare lost races. It does not fence: the platform may run a second copy
 * of an object for a moment, so the group limit, unique names and versions are held by the database too.
 */
import { DurableObject } from 'cloudflare:workers'
import { uuidv7 } from 'uuidv7'
import {
  answerOf,
  GROUP_QUEUE_LIMITS,
  type GroupWriteAnswer,
  type GroupWriteRequest,
  type GroupWriter,
  prepareGroupWrite,
} from '../provider/group-writer.ts'
import { SerialQueue } from '../provider/serial-queue.ts'
import { type D1Binding, noFigures, openDatabase } from '../storage/database.ts'

export class GroupCoordinator extends DurableObject<{ DB: D1Binding }> implements GroupWriter {
  readonly #queue = new SerialQueue(GROUP_QUEUE_LIMITS, Date.now)

  /** Runs a write when its turn comes. Refusals are answers; what throws is a fault of ours. */
  async write(request: GroupWriteRequest): Promise<GroupWriteAnswer> {
    const figures = noFigures()
    const { credentials, tenantUrl, requestId } = request
    try {
      const write = prepareGroupWrite(request)
      const db = openDatabase(this.env.DB, figures)
      const call = { db, credentials, tenantUrl, requestId, newId: uuidv7 }
      const rendered = await this.#queue.run(() => write(call))
      return { figures, rendered }
    } catch (error) {
      return answerOf(error, figures)
    }
  }
}
