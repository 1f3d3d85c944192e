/**
 * Resources as this isolate has last seen them, so that a change can be decided without reading first. Clients read a
 * user and then change it. What is remembered may be old: it is only good for a write that holds when the database
 * has the very same content, and never for an answer.
 */
import type { StoredResourceType } from '../tables/resource-tables.ts'
import type { StoredRow } from '../tables/stored-resources.ts'

/** With the size below at most 32 MB, of the 128 MB that an isolate has; a few MB with users as they are. */
const MAX_RESOURCES = 2_000
const MAX_CHARACTERS = 8_000

const recent = new Map<string, StoredRow>()

export function rememberResource(tenantId: string, type: StoredResourceType, resource: StoredRow): void {
  const key = keyOf(tenantId, type, resource.id)
  // A Map keeps the order of insertion, so the first one is the one that was not seen for longest.
  recent.delete(key)
  if (resource.json.length > MAX_CHARACTERS) return
  recent.set(key, resource)
  if (recent.size <= MAX_RESOURCES) return
  const [oldest] = recent.keys()
  if (oldest !== undefined) recent.delete(oldest)
}

/** The resource as it was last seen, without its memberships. */
export function recallResource(
  tenantId: string,
  type: StoredResourceType,
  id: string,
): StoredRow | undefined {
  return recent.get(keyOf(tenantId, type, id))
}

/** Forgets a resource that is not what was remembered. */
export function forgetResource(tenantId: string, type: StoredResourceType, id: string): void {
  recent.delete(keyOf(tenantId, type, id))
}

function keyOf(tenantId: string, { table }: StoredResourceType, id: string): string {
  return `${tenantId} ${table.name} ${id}`
}
