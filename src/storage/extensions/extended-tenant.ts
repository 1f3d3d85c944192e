import type { Database } from '../database/database.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'

/** A tenant whose extension schemas are read or changed. */
export interface ExtendedTenant {
  /** The database that the tenant lives in. */
  readonly db: Database
  /** The types that are shipped. */
  readonly types: readonly StoredResourceType[]
  readonly tenantId: string
}
