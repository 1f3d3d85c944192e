/**
 * The databases as opened for administrators. An export or a deletion runs hundreds of batches in sequence, so each batch
 * waits for its turn among the requests of tenants.
 */
import { createMiddleware } from 'hono/factory'
import type { HttpEnv, Runtime } from '../runtime.ts'
import { type Database, type DatabaseFigures, inTurn } from '../storage/database/database.ts'
import {
  type Databases,
  locateTenant,
  missingTenant,
  readAtHome,
  TenantMoved,
  writeAtHome,
} from '../storage/tenants/locations.ts'
import { NoSuchTenant } from './require-tenant.ts'

/** The key of the administrator in the queue of turns. It contains a space, so it cannot be the id of a tenant. */
const OWNER = 'the administration'

/** The part of a request's context that is needed to open databases. */
interface Opener {
  readonly env: Pick<Runtime, 'openDatabase' | 'databaseNames' | 'maxDatabaseBytes' | 'turn'>
  /** Undefined outside of requests with a session, or that the audit trail names. */
  readonly get?: <Name extends 'duringSession' | 'beginAudit' | 'event'>(
    name: Name,
  ) => HttpEnv['Variables'][Name]
}

/** Opens the first database. @param figures receives the costs of its statements */
export function administrationDatabase(opener: Opener, figures: DatabaseFigures): Database {
  return administrationDatabases(opener, figures).open(opener.env.databaseNames[0])
}

/**
 * All databases. Batches of the first one also check the session of the administrator, and begin the entry of the audit trail.
 * What changes a tenant also stores the event of the request.
 *
 * @param figures receives the costs of their statements
 */
export function administrationDatabases(opener: Opener, figures: DatabaseFigures): Databases {
  const { env } = opener
  const duringSession = opener.get?.('duringSession') ?? ((db: Database) => db)
  const beginAudit = opener.get?.('beginAudit') ?? ((db: Database) => db)
  const { openDatabase, databaseNames: names, maxDatabaseBytes: maxBytes, turn } = env
  return {
    names,
    maxBytes,
    open: (name) => {
      const db = inTurn(openDatabase(name, figures), turn && (() => turn(OWNER)))
      const audited = name === names[0] ? beginAudit(duringSession(db)) : db
      return opener.get?.('event')?.storedIn(audited, name) ?? audited
    },
  }
}

/**
 * Opens the home database of the tenant in the path. With several databases, this takes one more round trip, to the
 * catalogue. Each batch then checks that the tenant is in that database; a write also checks that it is not being moved. For
 * routes below `/tenants/:tenant`, after authentication: the round trip to the catalogue also checks the session.
 */
export const openHome = createMiddleware<HttpEnv>(async function openHome(c, next) {
  const databases = administrationDatabases(c, c.get('figures'))
  const tenantId = c.req.param('tenant')
  const [first] = databases.names
  c.set('home', first)
  if (tenantId === undefined) return await next()
  if (databases.names.length === 1) {
    await next()
    // A tenant whose database is no longer configured is not unknown.
    if (c.error instanceof NoSuchTenant) await locateTenant(databases, tenantId)
    return
  }
  const catalogue = c.get('db')
  const name = await locateTenant({ ...databases, open: () => catalogue }, tenantId)
  const home = name === first ? catalogue : databases.open(name)
  c.set('home', name)
  const isRead = c.req.method === 'GET' || c.req.method === 'HEAD'
  c.set('db', (isRead ? readAtHome : writeAtHome)(home, tenantId))
  await next()
  // The catalogue knows the tenant.
  if (c.error instanceof NoSuchTenant && name !== first) throw missingTenant(tenantId, name)
  // The tenant has left the first database, and the catalogue does not say for which one: it was deleted there.
  if (
    c.error instanceof TenantMoved &&
    name === first &&
    (await locateTenant(databases, tenantId)) === first
  ) {
    throw new NoSuchTenant(tenantId)
  }
})
