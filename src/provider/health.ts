/** The state of each database for operators: /healthz?verbose and metrics. */
import { DatabaseUnavailable } from '../storage/database/database.ts'
import { readTogether } from '../storage/database/query.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import { askDatabase, type Databases } from '../storage/tenants/locations.ts'
import { type DatabaseSize, databaseSize } from '../storage/tenants/size.ts'
import { type Backlog, backlogQuery } from '../storage/webhooks/backlog.ts'

export interface DatabaseHealth {
  readonly name: string
  /** Undefined if the database does not respond, or is not the right one. */
  readonly found: (DatabaseSize & Backlog) | undefined
}

/** Asks all databases, in the order of their names. */
export async function databaseHealth(
  databases: Databases,
  types: readonly StoredResourceType[],
): Promise<readonly DatabaseHealth[]> {
  return await Promise.all(
    databases.names.map(async (name) => ({ name, found: await healthOf(databases, types, name) })),
  )
}

async function healthOf(databases: Databases, types: readonly StoredResourceType[], name: string) {
  try {
    return await askDatabase(databases, name, async (db) => {
      const { backlog } = await readTogether(db, { backlog: backlogQuery() })
      return { ...(await databaseSize(db, types)), ...backlog }
    })
  } catch (error) {
    if (error instanceof DatabaseUnavailable) return undefined
    throw error
  }
}
