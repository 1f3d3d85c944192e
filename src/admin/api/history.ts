/** Handler of the route of histories. */
import { historyViewQuery, pastOf, pastQuery } from '../../provider/history/history.ts'
import { quote } from '../../scim/error.ts'
import { readTogether } from '../../storage/database/query.ts'
import type { KnownResource } from '../../storage/resources/known-resource.ts'
import { extendedTypes } from '../../storage/tables/resource-tables.ts'
import type { historyRoutes } from '../contract/history.ts'
import { AdminError, invalidField } from '../errors.ts'
import { historyEntryJson, isoTime, isoTimeOrNull } from '../read-models.ts'
import { listSchemas } from '../tenant-schemas.ts'
import type { Handlers } from './serve.ts'

export const historyHandlers: Handlers<typeof historyRoutes> = {
  async getHistory({ db, parameters: { id: tenantId, resourceId: id }, query: { at, cursor }, c }) {
    const types = extendedTypes(c.get('resourceTypes'), await listSchemas(db, tenantId))
    const request = { types, tenantId, id }
    if (at !== undefined) {
      const { found } = await readTogether(db, { found: pastQuery(request, at) })
      const past = await pastOf(db, request, at, found, { cursor })
      if (past === undefined) throw noHistory(tenantId, id)
      const { resource, exists, attributes = null, members, nextMember = null } = past
      const known = { resource: resourceJson(resource), entries: [], keptSince: null, nextCursor: nextMember }
      const body = { ...known, at: isoTime(at), exists, attributes, members: members ?? null }
      return { status: 200, body }
    }
    const { view } = await readTogether(db, { view: historyViewQuery(request, positionOf(cursor)) })
    const { resource, entries, next, keptSince } = view
    if (resource === undefined && entries.length === 0 && cursor === undefined && next === undefined) {
      throw noHistory(tenantId, id)
    }
    return {
      status: 200,
      body: {
        resource: resource === undefined ? null : resourceJson(resource),
        entries: entries.map(historyEntryJson),
        keptSince: isoTimeOrNull(keptSince ?? null),
        ...PRESENT,
        nextCursor: next === undefined ? null : String(next),
      },
    }
  },
}

/** What an answer without a time has none of. */
const PRESENT = { at: null, exists: null, attributes: null, members: null }

function positionOf(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor)
  throw invalidField('cursor', 'the nextCursor of a page of this history', cursor)
}

function resourceJson({ id, type, name, isDeleted }: KnownResource) {
  return { id, resourceType: type.name, name, isDeleted }
}

function noHistory(tenantId: string, id: string): AdminError {
  return new AdminError(
    404,
    'notFound',
    `tenant ${quote(tenantId)} keeps no history of a resource ${quote(id)}`,
  )
}
