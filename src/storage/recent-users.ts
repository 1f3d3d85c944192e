/**
 * Users as this isolate has last seen them, so that a change can be decided without reading first. Clients read a
 * user and then change it. What is remembered may be old: it is only good for a write that holds when the database
 * has the very same content, and never for an answer.
 */
import type { StoredRow } from './resources.ts'

/** With the size below at most 32 MB, of the 128 MB that an isolate has; a few MB with users as they are. */
const MAX_USERS = 2_000
const MAX_CHARACTERS = 8_000

const recent = new Map<string, StoredRow>()

export function rememberUser(tenantId: string, user: StoredRow): void {
  const key = `${tenantId} ${user.id}`
  // A Map keeps the order of insertion, so the first one is the one that was not seen for longest.
  recent.delete(key)
  if (user.json.length > MAX_CHARACTERS) return
  recent.set(key, user)
  if (recent.size <= MAX_USERS) return
  const [oldest] = recent.keys()
  if (oldest !== undefined) recent.delete(oldest)
}

/** The user as it was last seen, without its groups. */
export function recallUser(tenantId: string, id: string): StoredRow | undefined {
  return recent.get(`${tenantId} ${id}`)
}

/** Forgets a user that is not what was remembered. */
export function forgetUser(tenantId: string, id: string): void {
  recent.delete(`${tenantId} ${id}`)
}
