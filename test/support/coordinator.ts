/**
 * A group writer on the real D1 whose database can be paused, so that writes queue up and run as one group.
 */
import { env } from 'cloudflare:workers'
import { uuidv7 } from 'uuidv7'
import type { GroupWriteAnswer, GroupWriteRequest } from '../../src/provider/group-writer.ts'
import { QueuedGroupWriter } from '../../src/provider/queued-group-writer.ts'
import type { OpenDatabase } from '../../src/runtime.ts'
import { type D1Binding, openDatabase } from '../../src/storage/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/resource-tables.ts'
import { credentialsOf } from '../../src/storage/tokens.ts'
import { type Client, GROUP, PATCH_OP, TENANT_URL } from './harness.ts'

/** The part of a request that differs between tests. */
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
  const credentials = await credentialsOf(token, Date.now())
  if (credentials === undefined) throw new Error(`no token: ${token}`)
  return { credentials, preconditions: {}, tenantUrl: TENANT_URL, requestId: 'test', ...write }
}

export interface Coordinator {
  readonly writer: QueuedGroupWriter
  /** The batches sent to the database since the last `together`. */
  readonly batches: readonly (readonly D1PreparedStatement[])[]
  /** Called before each batch with its number since the last `together`. */
  before: (batch: number) => Promise<void> | void
  /** Sends writes while the database is paused, then resumes it. @returns the responses in order */
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
    now: Date.now,
    ...more,
  })
  // This write is rejected after its token is verified. Later writes with the token are queued at once.
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
      // Does not count the batch of the write that pauses the queue.
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

/** The HTTP status of a response. 200 represents all successful writes. */
export function statusOf({ refusal, isUnavailable }: GroupWriteAnswer): number {
  return isUnavailable ? 503 : (refusal?.status ?? 200)
}
