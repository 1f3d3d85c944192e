/**
 * Resources that this isolate has read or written recently, so that a change can be decided without a read: clients
 * read or match a user and then change it. A remembered resource may be out of date. It may only be used for a write that
 * takes effect if the database has exactly that content, and never for an answer.
 */
import { hasMembers } from '../../scim/schema/resource-type.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { type StoredRow, storedKey } from '../tables/stored-resources.ts'
import type { TenantContext } from '../tenants/context.ts'

/** With MAX_CHARACTERS at most 32 MB, of the 128 MB of an isolate; a few MB with ordinary users. */
const MAX_RESOURCES = 2_000
const MAX_CHARACTERS = 8_000

/**
 * The resources that were remembered last, and those before. When the first map is full, it replaces the second one, so that
 * nothing is moved or deleted one by one: a Map takes long to find its first entry after many deletions.
 */
let [recent, earlier] = [new Map<string, StoredRow>(), new Map<string, StoredRow>()]

/** Remembers a resource. Groups are not remembered, because their writes are queued. */
export function rememberResource(
  { tenantId, database }: Pick<TenantContext, 'tenantId' | 'database'>,
  type: StoredResourceType,
  resource: StoredRow,
): void {
  if (hasMembers(type) || database.isExplained) return
  const key = resource.keyIn(tenantId, type.table)
  const before = recall(key)
  const newest = before !== undefined && tellsNothingNew(resource, before) ? before : resource
  if (newest === recent.get(key)) return
  if (resource.json.length > MAX_CHARACTERS) {
    forget(key)
    return
  }
  recent.set(key, newest)
  if (recent.size >= MAX_RESOURCES / 2) [recent, earlier] = [new Map(), recent]
}

/** A resource that was read without its sources tells nothing new about them. */
function tellsNothingNew({ version, json, sources }: StoredRow, before: StoredRow): boolean {
  if (version !== before.version || json !== before.json) return false
  return (
    sources === undefined ||
    (sources.createdBy === before.sources?.createdBy && sources.modifiedBy === before.sources?.modifiedBy)
  )
}

/** The resource as it was remembered, without its memberships. */
export function recallResource(
  tenantId: string,
  type: StoredResourceType,
  id: string,
): StoredRow | undefined {
  return recall(keyOf(tenantId, type, id))
}

/** Forgets a resource that differs from the stored one. */
export function forgetResource(tenantId: string, type: StoredResourceType, id: string): void {
  forget(keyOf(tenantId, type, id))
}

function recall(key: string): StoredRow | undefined {
  return recent.get(key) ?? earlier.get(key)
}

function forget(key: string): void {
  recent.delete(key)
  earlier.delete(key)
}

function keyOf(tenantId: string, { table }: StoredResourceType, id: string): string {
  return storedKey(tenantId, table, id)
}
