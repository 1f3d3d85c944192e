/**
 * Consumers of the event feed that read from the worker, for tests.
 */
import type { ClientOptions } from '../../src/consumer/directory-client.ts'
import { DirectoryCopy } from '../../src/consumer/directory-copy.ts'
import { type DirectoryChange, followDirectory } from '../../src/consumer/follow.ts'
import { type Client, newToken, send, TENANT_URL } from './harness.ts'

/** Requests go to the worker, with the token of a reader. */
export async function reader(client: Client): Promise<ClientOptions> {
  const { token } = await newToken(client.tenantId, { scope: 'read' })
  return {
    tenantUrl: TENANT_URL,
    token,
    sleep: async () => undefined,
    fetch: async (input, init) => {
      const { status, headers, body } = await send(new Request(input as string, init))
      return new Response(JSON.stringify(body), { status, headers })
    },
  }
}

/** Brings a copy up to date. @returns its changes, without what administrators did, which changes nothing of it */
export async function changesOf(
  copy: DirectoryCopy,
  options: ClientOptions,
): Promise<readonly DirectoryChange[]> {
  const changes: DirectoryChange[] = []
  for await (const change of followDirectory(copy, { ...options, once: true })) {
    if (change.kind === 'read' || change.event.type !== 'administrator.acted') changes.push(change)
  }
  return changes
}

/** What a copy holds, without its position and the versions at which it was read. */
export function contentOf({ users, groups }: DirectoryCopy) {
  const sorted = <Item>(map: ReadonlyMap<string, Item>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    users: sorted(users).map(([id, { attributes }]) => [id, attributes]),
    groups: sorted(groups).map(([id, { attributes, members }]) => [
      id,
      attributes,
      [...(members ?? [])].sort(),
    ]),
  }
}

/** A copy of the directory as it is now. */
export async function freshCopy(options: ClientOptions): Promise<DirectoryCopy> {
  const fresh = new DirectoryCopy()
  await changesOf(fresh, options)
  return fresh
}
