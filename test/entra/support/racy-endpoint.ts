/** A store with the lost updates of a server that reads a resource, computes, and writes it back, without a lock or a version. */
import type { Fetch } from '../../../src/entra/protocol/fetch.ts'
import { BASE, type Resource, type ScimStore } from './scim-store.ts'

/** Which requests are not protected. */
export interface Unprotected {
  readonly groups?: boolean
  readonly users?: boolean
  readonly creates?: boolean
}

/** The fetch of the store with unprotected changes. */
export function racyFetch(store: ScimStore, unprotected: Unprotected): Fetch {
  return async (url, init) => {
    const [, collection = '', id] = new URL(url).pathname.slice(new URL(BASE).pathname.length).split('/')
    const resources = collection === 'Groups' ? store.groups : store.users
    const isRacy = collection === 'Groups' ? unprotected.groups : unprotected.users
    if (init.method === 'PATCH' && isRacy) return changeWithoutLock(store, resources, id ?? '', [url, init])
    if (init.method === 'POST' && unprotected.creates) return createWithoutLock(store, resources, [url, init])
    return store.fetch(url, init)
  }
}

type Call = Parameters<Fetch>

async function changeWithoutLock(
  store: ScimStore,
  resources: Map<string, Resource>,
  id: string,
  call: Call,
): ReturnType<Fetch> {
  const read = structuredClone(resources.get(id))
  await otherRequests()
  if (read !== undefined) resources.set(id, read)
  return store.fetch(...call)
}

/** Checks the name, and stores the resource later. */
async function createWithoutLock(
  store: ScimStore,
  resources: Map<string, Resource>,
  [url, init]: Call,
): ReturnType<Fetch> {
  const body = JSON.parse(init.body ?? '{}')
  const key = url.endsWith('/Users') ? 'userName' : 'displayName'
  const isTaken = [...resources.values()].some((resource) => resource[key] === body[key])
  await otherRequests()
  if (isTaken) return store.fetch(url, init)
  const unique = `${body[key]} ${crypto.randomUUID()}`
  const answer = await store.fetch(url, { ...init, body: JSON.stringify({ ...body, [key]: unique }) })
  for (const resource of resources.values()) if (resource[key] === unique) resource[key] = body[key]
  return answer
}

/** Lets the requests run that were sent at the same time. */
function otherRequests(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5))
}
