/**
 * The group coordinator: one Durable Object for each tenant, named after it, runs the tenant's group
 * writes in their order. It keeps a queue of its own, because waiting for D1 inside a Durable Object lets
 * other requests in, and blockConcurrencyWhile would stop reads and reset the object when a write throws.
 * What waits while a batch is at D1 goes together in the next one: a line that took one write for each
 * round trip would be no faster than D1 is far away.
 *
 * The queue is for fairness and to spare lost races. It does not fence: the platform may run a second copy
 * of an object for a moment, so the group limit, unique names and versions are held by the database too.
 *
 * Only requests with a token that the Worker has seen valid reach it (http/bearer-auth.ts): a name that a stranger made
 * up would make an object. It checks the token all the same, with each batch.
 *
 * It also keeps the tenant's bookmark (storage/replicas.ts). Reports of writes come from the Worker, those of
 * group writes too: the platform makes sure that a copy is the current one when an event begins, not when a
 * write that has waited in the queue ends.
 * https://developers.cloudflare.com/durable-objects/platform/known-issues/#global-uniqueness
 */
import { DurableObject } from 'cloudflare:workers'
import { idGenerator } from '../id-generator.ts'
import type { GroupWriteAnswer, GroupWriteRequest, GroupWriter } from '../provider/group-writer.ts'
import { QueuedGroupWriter } from '../provider/queued-group-writer.ts'
import { type D1Binding, openDatabase } from '../storage/database.ts'
import { type KeptBookmark, TenantBookmark } from '../storage/replicas.ts'
import { RESOURCE_TYPES } from '../storage/resource-tables.ts'

const newId = idGenerator()

export class GroupCoordinator extends DurableObject<{ DB: D1Binding }> implements GroupWriter {
  readonly #writer = new QueuedGroupWriter({
    openDatabase: (_name, figures) => openDatabase(this.env.DB, figures),
    resourceTypes: RESOURCE_TYPES,
    newId,
    now: Date.now,
  })
  readonly #bookmark = new TenantBookmark(Date.now)

  write(request: GroupWriteRequest): Promise<GroupWriteAnswer> {
    return this.#writer.write(request)
  }

  getBookmark(): KeptBookmark {
    return this.#bookmark.get()
  }

  keepBookmark(bookmark: string, mark: string): void {
    this.#bookmark.keep(bookmark, mark)
  }

  forgetBookmark(): void {
    this.#bookmark.forget()
  }
}
