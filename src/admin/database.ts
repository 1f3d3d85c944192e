/**
 * The databases for the administrator's part. An export or a deletion takes hundreds of batches, one after another, so each
 * of them waits for its turn among the requests of tenants.
 */
import { createMiddleware } from 'hono/factory'
import type { HttpEnv, Runtime } from '../runtime.ts'
import { type Database, type DatabaseFigures, inTurn } from '../storage/database.ts'
import { type Databases, locateTenant, readAtHome, writeAtHome } from '../storage/databases.ts'

/** No tenant has this name: a space is not among the characters of an id. */
const OWNER = 'the administration'

/** What the databases of a request are opened with. */
interface Opener {
  readonly env: Pick<Runtime, 'openDatabase' | 'databaseNames' | 'maxDatabaseBytes' | 'turn'>
}

/** The first database. @param figures receives what it costs */
export function administrationDatabase(opener: Opener, figures: DatabaseFigures): Database {
  return administrationDatabases(opener, figures).open(opener.env.databaseNames[0])
}

/** All databases. @param figures receives what they cost */
export function administrationDatabases({ env }: Opener, figures: DatabaseFigures): Databases {
  const { openDatabase, databaseNames: names, maxDatabaseBytes: maxBytes, turn } = env
  return {
    names,
    maxBytes,
    open: (name) => inTurn(openDatabase(name, figures), turn && (() => turn(OWNER))),
  }
}

/**
 * Opens the database that the tenant of the path lives in, where there are several: one round trip more. Each batch proves
 * that it does, and a write that it stays there. For routes below `/tenants/:tenant`, after the administrator was let in:
 * for one with a session, the round trip to the catalogue has proven the session.
 */
export const openHome = createMiddleware<HttpEnv>(async function openHome(c, next) {
  const databases = administrationDatabases(c, c.get('figures'))
  const tenantId = c.req.param('tenant')
  const [first] = databases.names
  c.set('home', first)
  if (databases.names.length === 1 || tenantId === undefined) return await next()
  const catalogue = c.get('db')
  const name = await locateTenant({ ...databases, open: () => catalogue }, tenantId)
  const home = name === first ? catalogue : databases.open(name)
  c.set('home', name)
  const isRead = c.req.method === 'GET' || c.req.method === 'HEAD'
  c.set('db', (isRead ? readAtHome : writeAtHome)(home, tenantId))
  return await next()
})
