/**
 * The group writer that runs one write at a time: what the Durable Object does on Cloudflare, and the
 * process itself elsewhere.
 */
import { ScimError } from '../scim/error.ts'
import { type Database, type DatabaseFigures, DatabaseUnavailable, noFigures } from '../storage/database.ts'
import type { Call } from './call.ts'
import {
  type GroupWriteAnswer,
  type GroupWriteRequest,
  type GroupWriter,
  prepareGroupWrite,
} from './group-writer.ts'
import type { GroupWrite } from './groups.ts'
import { type QueueLimits, QueueOverflow, SerialQueue } from './serial-queue.ts'

/**
 * The line before a tenant's group writes. A write takes two round trips to the database: at 20 ms each
 * these are twenty seconds of waiting, and clients hang up after thirty or more.
 */
const QUEUE_LIMITS: QueueLimits = { maxWaiting: 500, maxWaitMs: 20_000 }

export interface QueuedGroupWriterOptions {
  readonly openDatabase: (figures: DatabaseFigures) => Database
  readonly newId: () => string
  /** Milliseconds. */
  readonly now: () => number
}

/** One for each tenant. */
export class QueuedGroupWriter implements GroupWriter {
  readonly #queue: SerialQueue
  readonly #options: QueuedGroupWriterOptions

  constructor(options: QueuedGroupWriterOptions) {
    this.#options = options
    this.#queue = new SerialQueue(QUEUE_LIMITS, options.now)
  }

  /** Runs a write when its turn comes. Refusals are answers; what throws is a fault of ours. */
  async write(request: GroupWriteRequest): Promise<GroupWriteAnswer> {
    const figures = noFigures()
    const { credentials, tenantUrl, requestId, isProven } = request
    try {
      const write = prepareGroupWrite(request)
      const db = this.#options.openDatabase(figures)
      const call = { db, credentials, tenantUrl, requestId, newId: this.#options.newId }
      return { figures, rendered: await this.#run(write, call, isProven) }
    } catch (error) {
      return answerOf(error, figures)
    }
  }

  /**
   * A token that nobody has seen valid is checked, with the load, before the write gets into line: else
   * anybody who can name a tenant could fill its line. What is loaded there may be old when the turn
   * comes; versions and the rules of the database tell.
   */
  async #run(write: GroupWrite, call: Call, isProven: boolean) {
    if (isProven) return await this.#queue.run(() => write.write(call, undefined))
    const loaded = await write.load(call)
    return await this.#queue.run(() => write.write(call, loaded))
  }
}

/** @throws the error when it is none that a client should see */
function answerOf(error: unknown, figures: DatabaseFigures): GroupWriteAnswer {
  if (error instanceof ScimError) {
    const { status, scimType, detail } = error
    return { figures, refusal: { status, scimType, detail } }
  }
  if (error instanceof DatabaseUnavailable) return { figures, isUnavailable: true }
  if (error instanceof QueueOverflow) {
    const detail = `too many group writes at the same time: ${error.message}; try again`
    return { figures, refusal: { status: 429, scimType: undefined, detail } }
  }
  throw error
}
