/**
 * Follows a directory: an exact copy of its users and groups, and every change to it, in order.
 */
import { type ClientOptions, DirectoryClient, Refused } from './directory-client.ts'
import type { DirectoryCopy, DirectoryEvent } from './directory-copy.ts'

export interface FollowOptions extends ClientOptions {
  /** Ends when the copy is up to date, instead of waiting for changes. */
  readonly once?: boolean
}

/** The first time, after an import, after a change of schemas, or because the cursor was not valid any more. */
type Reason = 'first' | 'imported' | 'schemas' | 'expired'

export type DirectoryChange =
  /** The whole directory was read. */
  | { readonly kind: 'read'; readonly reason: Reason }
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
  if (copy.cursor === undefined) yield await readAll(client, copy, 'first')
  for (;;) {
    const page = await client.events(copy.cursor ?? '', once ? 0 : WAIT_SECONDS).catch(expired)
    if (page === undefined) {
      yield await readAll(client, copy, 'expired')
      continue
    }
    for (const event of page.events) {
      if (event.type.startsWith('tenant.')) {
        yield await readAll(client, copy, event.type === 'tenant.imported' ? 'imported' : 'schemas')
        break
      }
      const [kind, { id = '' }] = [copy.apply(event), event.data]
      const resource = kind && (await client.one(kind, id))
      if (kind !== undefined && resource !== undefined) copy[kind].set(id, resource)
      copy.cursor = event.cursor
      yield { kind: 'event', event }
    }
    if (page.events.length === 0) copy.cursor = page.cursor
    if (once && !page.hasMore) return
  }
}

function expired(error: unknown): undefined {
  if (error instanceof Refused && /^(cursor_expired|invalid_cursor)$/.test(error.code ?? '')) return
  throw error
}

/**
 * Reads the whole directory. The position is taken first: the events after it tell what happens while the pages are read.
 * The copy changes when everything was read.
 */
async function readAll(
  client: DirectoryClient,
  copy: DirectoryCopy,
  reason: Reason,
): Promise<DirectoryChange> {
  const { cursor } = await client.events('now', 0)
  const [users, groups] = [await client.all('users'), await client.all('groups')]
  Object.assign(copy, { users, groups, cursor })
  return { kind: 'read', reason }
}
