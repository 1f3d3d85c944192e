/** Handlers of the database routes. */
import { reconcileAll } from '../../provider/reconcile.ts'
import { DatabaseUnavailable } from '../../storage/database/database.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { identityOf, WrongDatabase } from '../../storage/tenants/identity.ts'
import { askDatabase, type Databases } from '../../storage/tenants/locations.ts'
import { databaseSize } from '../../storage/tenants/size.ts'
import type { databaseRoutes } from '../contract/databases.ts'
import { administrationDatabases } from '../database.ts'
import { toAdminError } from '../errors.ts'
import type { Handlers } from './serve.ts'

export const databaseHandlers: Handlers<typeof databaseRoutes> = {
  async listDatabases({ c }) {
    const databases = administrationDatabases(c, c.get('figures'))
    const list = await Promise.all(
      databases.names.map((name) => describe(databases, c.get('resourceTypes'), name)),
    )
    return { status: 200, body: { databases: list } }
  },

  async reconcileDatabases({ c }) {
    const databases = administrationDatabases(c, c.get('figures'))
    const { findings, failures } = await reconcileAll(databases, c.get('resourceTypes'))
    return {
      status: 200,
      body: { findings, errors: failures.map((failure) => toAdminError(failure).message) },
    }
  },
}

async function describe(databases: Databases, types: readonly StoredResourceType[], name: string) {
  try {
    const [{ bytes, tenantCount: tenants }, identity] = await askDatabase(databases, name, async (db) => [
      await databaseSize(db, types),
      await identityOf(db),
    ])
    return {
      name,
      state: 'ok' as const,
      error: null,
      installation: identity?.installation ?? null,
      tenants,
      bytes,
    }
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable)) throw error
    const isWrong = error instanceof WrongDatabase
    return {
      name,
      state: isWrong ? ('wrong' as const) : ('unavailable' as const),
      error: toAdminError(error).message,
      installation: isWrong ? (error.found?.installation ?? null) : null,
      tenants: null,
      bytes: null,
    }
  }
}
