/**
 * Follows a directory: an exact copy of its users and groups, and every change to it, in order.
 *
 * @example
 * const copy = new DirectoryCopy()
 * for await (const change of followDirectory(copy, { tenantUrl, token })) {
 *   if (change.kind === 'event') console.log(change.event.type)
 *   await store(JSON.stringify(copy)) // to go on from here after a restart
 * }
 */
import { type ClientOptions, DirectoryClient, Refused } from './directory-client.ts'
import type { CopiedResource, DirectoryCopy, DirectoryEvent } from './directory-copy.ts'

export interface FollowOptions extends ClientOptions {
  /** Ends when the copy is up to date, instead of waiting for changes. */
  readonly once?: boolean
}

/** The first time, after an import, after a change of schemas, or because the cursor was not valid any more. */
type ReadReason = 'first' | 'imported' | 'schemas' | 'expired'

export type DirectoryChange =
  /** The whole directory was read. */
  | { readonly kind: 'read'; readonly reason: ReadReason }
  /** The event was applied to the copy. */
  | { readonly kind: 'event'; readonly event: DirectoryEvent }

const WAIT_SECONDS = 25

/**
 * Keeps the copy up to date and tells each change after it was applied. The copy has the cursor of that change: an
 * application that stores both together goes on after a restart as if nothing had happened.
 *
 * @throws {Refused} the token is not valid
 */
export async function* followDirectory(
  copy: DirectoryCopy,
  { once = false, ...options }: FollowOptions,
): AsyncGenerator<DirectoryChange, void> {
  const client = new DirectoryClient(options)
  if (copy.cursor === undefined) yield await readDirectory(client, copy, 'first')
  for (;;) {
    const page = await client.events(copy.cursor ?? '', once ? 0 : WAIT_SECONDS).catch(expired)
    if (page === undefined) {
      yield await readDirectory(client, copy, 'expired')
      continue
    }
    for (const event of page.events) {
      if (event.type.startsWith('tenant.')) {
        yield await readDirectory(client, copy, event.type === 'tenant.imported' ? 'imported' : 'schemas')
        break
      }
      if (!copy.apply(event)) await readResource(client, copy, event)
      copy.cursor = event.cursor
      yield { kind: 'event', event }
    }
    if (page.events.length === 0) copy.cursor = page.cursor
    if (once && !page.hasMore) return
  }
}

function expired(error: unknown): undefined {
  const isExpired =
    error instanceof Refused && ['cursor_expired', 'invalid_cursor'].includes(String(error.code))
  if (!isExpired) throw error
}

/**
 * Reads the whole directory. The position is taken first: the events after it tell what happens while the pages are read.
 * The copy changes when everything was read.
 */
async function readDirectory(
  client: DirectoryClient,
  copy: DirectoryCopy,
  reason: ReadReason,
): Promise<DirectoryChange> {
  const { cursor } = await client.events('now', 0)
  const [users, groups] = [await byId(client.users()), await byId(client.groups())]
  Object.assign(copy, { users, groups, cursor })
  return { kind: 'read', reason }
}

async function byId(resources: AsyncIterable<CopiedResource>): Promise<Map<string, CopiedResource>> {
  const found = new Map<string, CopiedResource>()
  for await (const resource of resources) found.set(resource.id, resource)
  return found
}

/** Reads a resource whose values an event does not have. */
async function readResource(
  client: DirectoryClient,
  copy: DirectoryCopy,
  { type, data: { id = '' } }: DirectoryEvent,
): Promise<void> {
  const isUser = type.startsWith('user.')
  const resource = isUser ? await client.user(id) : await client.group(id)
  if (resource !== undefined) copy[isUser ? 'users' : 'groups'].set(id, resource)
}
