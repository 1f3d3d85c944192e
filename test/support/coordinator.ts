/**
 * A group writer that belongs to the test, on the real D1. The test can block its database: the writes that arrive then
 * wait, and are committed together.
 */
import { env } from 'cloudflare:workers'
import { uuidv7 } from 'uuidv7'
import type { GroupWriteAnswer, GroupWriteRequest } from '../../src/provider/groups/group-writer.ts'
import { QueuedGroupWriter } from '../../src/provider/groups/queued-group-writer.ts'
import type { OpenDatabase } from '../../src/runtime.ts'
import { actorOf } from '../../src/storage/access/tokens.ts'
import { type D1Binding, openDatabase } from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { type Client, GROUP, PATCH_OP, TENANT_URL } from './harness.ts'

/** The part of a request that differs between writes. */
export type Write = Pick<GroupWriteRequest, 'kind'> & Partial<GroupWriteRequest>

export const create = (displayName: string, ...members: readonly string[]): Write => ({
  kind: 'create',
  body: { schemas: [GROUP], displayName, members: members.map((value) => ({ value })) },
})

export const change = (id: string, op: 'add' | 'remove', ...members: readonly string[]): Write =>
  patch(id, { op, path: 'members', value: members.map((value) => ({ value })) })

export const rename = (id: string, value: string): Write =>
  patch(id, { op: 'replace', path: 'displayName', value })

export const patch = (id: string, ...Operations: readonly unknown[]): Write => ({
  kind: 'patch',
  id,
  body: { schemas: [PATCH_OP], Operations },
})

/** A write request as the HTTP layer creates it. */
export async function requestOf({ token }: Client, write: Write): Promise<GroupWriteRequest> {
  const credentials = await actorOf(token, Date.now())
  if (credentials === undefined) throw new Error(`no token: ${token}`)
  return { credentials, preconditions: {}, tenantUrl: TENANT_URL, requestId: 'test', ...write }
}

export interface Coordinator {
  readonly writer: QueuedGroupWriter
  /** Batches sent to the database since the last `together`. */
  readonly batches: readonly (readonly D1PreparedStatement[])[]
  /** Called before each batch. @param batch its number since the last `together` */
  before: (batch: number) => Promise<void> | void
  /** Sends writes while the database is blocked, and unblocks it. @returns the answers, in the order of the requests */
  together(requests: readonly GroupWriteRequest[]): Promise<readonly GroupWriteAnswer[]>
}

export async function newCoordinator(
  client: Client,
  options: { binding?: D1Binding; timeoutMs?: number; maxWrites?: number; now?: () => number } = {},
): Promise<Coordinator> {
  const { binding = env.DB, timeoutMs, ...more } = options
  let gate = Promise.resolve()
  let batches: (readonly D1PreparedStatement[])[] = []
  const held: D1Binding = {
    prepare: (text) => binding.prepare(text),
    async batch<T>(statements: D1PreparedStatement[]) {
      await gate
      batches.push(statements)
      await coordinator.before(batches.length - 1)
      return await binding.batch<T>(statements)
    },
  }
  const openHeld: OpenDatabase = (_name, figures) => openDatabase(held, figures, timeoutMs)
  const writer = new QueuedGroupWriter({
    openDatabase: openHeld,
    resourceTypes: RESOURCE_TYPES,
    newId: uuidv7,
    wakeJobs: async () => undefined,
    now: Date.now,
    ...more,
  })
  // This write is refused after its token was seen valid, so all later writes of the token are queued at once.
  const plug = await requestOf(client, patch('none', { op: 'replace', path: 'externalId', value: 'x' }))
  const coordinator: Coordinator = {
    writer,
    get batches() {
      return batches
    },
    before: () => undefined,
    async together(requests) {
      let open = () => {}
      gate = new Promise((resolve) => {
        open = resolve
      })
      const plugged = writer.write(plug)
      const answers = requests.map((request) => writer.write(request))
      const { before } = coordinator
      // The batch of the plug is not counted.
      coordinator.before = () => {
        batches = []
        coordinator.before = before
      }
      open()
      await plugged
      return await Promise.all(answers)
    },
  }
  await writer.write(plug)
  return coordinator
}

/** The status that the HTTP layer makes of an answer: 200 for all that succeeded. */
export function statusOf({ refusal, isUnavailable }: GroupWriteAnswer): number {
  return isUnavailable ? 503 : (refusal?.status ?? 200)
}
