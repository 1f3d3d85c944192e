/** Conflicts and owners, for the admin API and the dashboard. */
import { quote } from '../scim/error.ts'
import { clientQuery } from '../storage/access/clients.ts'
import { fromBase64Url, toBase64Url } from '../storage/access/secrets.ts'
import type { Database } from '../storage/database/database.ts'
import { type Query, readTogether } from '../storage/database/query.ts'
import {
  CONFLICT_KINDS,
  type Conflict,
  type ConflictKey,
  type ConflictsRequest,
  closeConflicts,
  conflictsQuery,
} from '../storage/sources/open-conflicts.ts'
import { getTenant } from '../storage/tenants/queries.ts'
import { AdminError, invalidField } from './errors.ts'
import { requireTenant } from './require-tenant.ts'
import { notReady } from './tenant-state.ts'

/** The id of a conflict in URLs: its kind and its key in base64url. */
export function conflictIdOf({ kind, key }: ConflictKey): string {
  return toBase64Url(new TextEncoder().encode(`${kind} ${key}`))
}

function conflictOfId(id: string): ConflictKey | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(id) || id.length % 4 === 1) return undefined
  const [name, ...rest] = fromBase64Url(id).split(' ')
  const kind = CONFLICT_KINDS.find((one) => one === name)
  return kind && { kind, key: rest.join(' ') }
}

/**
 * Reads conflicts together with other data, and resolves those whose reason is gone, in a second round trip if there are any.
 *
 * @returns the conflicts that are left, and the other data
 */
export async function readConflicts<Rest>(
  db: Database,
  request: ConflictsRequest,
  others: Query<Rest>,
): Promise<{ readonly rest: Rest; readonly found: readonly Conflict[]; readonly left: readonly Conflict[] }> {
  const { found, rest } = await readTogether(db, { found: conflictsQuery(request), rest: others })
  const gone = request.state === 'open' ? found.filter(({ holds }) => !holds) : []
  await closeConflicts(db, request.tenantId, gone, { state: 'resolved', now: request.now })
  return { rest, found, left: found.filter((conflict) => !gone.includes(conflict)) }
}

/** @throws {AdminError} 404 */
export async function dismissConflict(
  db: Database,
  tenantId: string,
  conflictId: string,
  now: number,
): Promise<void> {
  const key = conflictOfId(conflictId)
  const isDone = key && (await closeConflicts(db, tenantId, [key], { state: 'dismissed', now }))
  if (isDone) return
  requireTenant(await getTenant(db, tenantId), tenantId)
  throw new AdminError(
    404,
    'notFound',
    `tenant ${quote(tenantId)} has no conflict ${quote(conflictId)} to dismiss`,
  )
}

/**
 * Checks that clients exist and may write.
 *
 * @param clients by the name of their field; null is allowed
 * @throws {AdminError} 400; 404 for an unknown tenant; 409 or 503 if it is not ready
 */
export async function requireOwners(
  db: Database,
  tenantId: string,
  clients: Readonly<Record<string, string | null>>,
): Promise<void> {
  const tenant = requireTenant(await getTenant(db, tenantId), tenantId)
  if (tenant.state !== 'ready') throw notReady(tenant)
  for (const [field, id] of Object.entries(clients)) {
    if (id === null) continue
    const { client } = await readTogether(db, { client: clientQuery(tenantId, id) })
    if (client === undefined) throw invalidField(field, 'the id of a client of this tenant, or null', id)
  }
}
