/** Compares an export of a directory with a tenant, for the admin API and the dashboard. */
import { compareExport, type StoredDirectory, type StoredEntry } from '../drift/compare.ts'
import type { DriftResult, MatchKey } from '../drift/difference.ts'
import { DriftError } from '../drift/drift-error.ts'
import { exportedIn } from '../drift/export-formats.ts'
import type { JsonObject } from '../drift/json-elements.ts'
import { scimAttributes } from '../drift/scim-attributes.ts'
import { textOf } from '../drift/text.ts'
import { type CountedDatabase, countStatements, type Database } from '../storage/database/database.ts'
import {
  type ComparedRow,
  comparedPage,
  findCompared,
  memberIdsPage,
} from '../storage/resources/compared-resources.ts'
import { type StoredResourceType, typeNamed } from '../storage/tables/resource-tables.ts'
import { getTenant } from '../storage/tenants/queries.ts'
import { AdminError } from './errors.ts'
import type { JobContext } from './jobs.ts'
import { requireTenant } from './require-tenant.ts'
import { notReady } from './tenant-state.ts'

export interface DriftInput {
  readonly bytes: AsyncIterable<Uint8Array>
  readonly match?: MatchKey | undefined
  /** The group whose members a CSV file lists. */
  readonly group?: string | undefined
}

/** Statements of the request besides those of the comparison. */
const OTHER_STATEMENTS = 10

/**
 * @throws {AdminError} 400 for a file that cannot be compared, 404, and 409 if the tenant is not ready, or is too large for
 *   one request on this platform
 */
export async function driftOf(
  c: JobContext,
  db: Database,
  tenantId: string,
  { bytes, match, group }: DriftInput,
): Promise<DriftResult> {
  const tenant = requireTenant(await getTenant(db, tenantId), tenantId)
  if (tenant.state !== 'ready' && tenant.state !== 'moving') throw notReady(tenant)
  const notes: string[] = []
  const exported = exportedIn(textOf(bytes), group, { add: (note) => notes.push(note) })
  const stored = storedDirectory(
    limited(countStatements(db), c.env.maxQueries),
    c.get('resourceTypes'),
    tenantId,
  )
  try {
    return await compareExport(exported, stored, { match, notes })
  } catch (error) {
    if (error instanceof DriftError) throw new AdminError(400, 'invalid', error.message)
    throw error
  }
}

/** @throws {AdminError} 409 instead of a query that the platform does not allow */
function limited(db: CountedDatabase, maxQueries = Number.POSITIVE_INFINITY): Database {
  return {
    batch(statements) {
      if (db.statements + statements.length + OTHER_STATEMENTS > maxQueries) {
        const message = `the comparison takes more than the ${maxQueries} queries that a request may send; use "npm run entra -- drift"`
        throw new AdminError(409, 'conflict', message)
      }
      return db.batch(statements, true)
    },
  }
}

function storedDirectory(
  db: Database,
  types: readonly StoredResourceType[],
  tenantId: string,
): StoredDirectory {
  return {
    async find(type, column, values) {
      const found = await findCompared(db, tenantId, { type: typeNamed(types, type), column, values })
      return found.map((row) => row && entryOf(row))
    },
    async *pages(type) {
      for (let after = ''; ; ) {
        const rows = await comparedPage(db, tenantId, typeNamed(types, type), after)
        if (rows.length === 0) return
        yield rows.map(entryOf)
        after = rows.at(-1)?.id ?? ''
      }
    },
    async *members(groupId) {
      for (let after = ''; ; ) {
        const ids = await memberIdsPage(db, tenantId, groupId, after)
        if (ids.length === 0) return
        yield ids
        after = ids.at(-1) ?? ''
      }
    },
  }
}

function entryOf({ id, compared }: ComparedRow): StoredEntry {
  return { id, attributes: scimAttributes(JSON.parse(compared) as JsonObject) }
}
