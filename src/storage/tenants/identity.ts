/**
 * Who a database is. Each database has a row with the name of its binding and the id of its installation, which is the
 * id of the first database's row. If two bindings are swapped, or a binding has the database of another installation,
 * nothing is read from it or written to it: its tenants would seem to be deleted, or be served from old copies.
 *
 * The first batch that an isolate sends to a database checks the row, so the check takes no round trip. Bindings change
 * only with a deployment, and that starts new isolates.
 */
import { sql } from 'drizzle-orm'
import { type Database, GuardError, type Statement, statement } from '../database/database.ts'
import { selection } from '../tables/selection.ts'
import { databaseIdentity } from '../tables/tables.ts'
import { NamedDatabaseUnavailable } from './locations.ts'

export interface Identity {
  /** The name of the binding, such as "DB2". */
  readonly name: string
  /** A random id, the same in all databases of an installation. */
  readonly installation: string
}

/** The database at a binding is not the one that belongs there. */
export class WrongDatabase extends NamedDatabaseUnavailable {
  /** Undefined if the database has no identity. */
  readonly found: Identity | undefined
  readonly expected: Identity

  constructor(expected: Identity, found: Identity | undefined) {
    const what =
      found === undefined
        ? 'a database without an identity and without the tenants that the catalogue places there'
        : textOf(found)
    super(
      `the binding "${expected.name}" has ${what}, expected ${textOf(expected)}; see docs/operate/growth.md`,
    )
    this.found = found
    this.expected = expected
  }
}

function textOf({ name, installation }: Identity): string {
  return `the database "${name}" of the installation ${installation}`
}

/** A database at a binding. */
export interface BoundDatabase {
  readonly name: string
  /** The binding itself: another object is checked again. */
  readonly binding: unknown
  readonly db: Database
}

const IDENTITY = selection(databaseIdentity, ['name', 'installation'])

/**
 * Ends its batch if the database has another identity or none. A SELECT cannot raise an error of its own, but
 * json_extract reports a path that it cannot parse. The path depends on a row, so SQLite does not evaluate it in advance.
 *
 * @param installation null for the first database, whose installation is the expected one
 */
function checkStatement(name: string, installation: string | null): Statement {
  const isRight = sql`name = ${name} AND installation = coalesce(${installation}, installation)`
  return statement(sql`SELECT installation, json_extract('{}', iif(${isRight}, '$', 'guard: wrong database')) AS checked
    FROM (SELECT 1) LEFT JOIN database_identity ON id = 1`)
}

/** The databases of one installation that this process has checked. */
export class Identities {
  readonly #checked = new Map<string, unknown>()
  #installation: string | undefined

  /**
   * A database that is checked by its first batch.
   *
   * @param bound the database
   * @param firstOf opens the database that holds the catalogue
   * @throws {WrongDatabase} from each batch, if it is not the database that belongs to the binding; nothing is changed
   */
  checked(bound: BoundDatabase, firstOf: () => BoundDatabase): Database {
    const { name, binding, db } = bound
    const isChecked = () => this.#checked.get(name) === binding
    if (isChecked()) return db
    const first = firstOf()
    return {
      ...(db.hasThread && { hasThread: true }),
      batch: async (statements, isLong) => {
        if (isChecked()) return await db.batch(statements, isLong)
        const isFirst = name === first.name
        if (!isFirst && this.#installation === undefined) await this.checked(first, firstOf).batch([])
        try {
          return await this.#batch(bound, isFirst, statements)
        } catch (error) {
          if (!(error instanceof GuardError) || error.rule !== 'wrong database') throw error
        }
        await this.#claim(bound, first)
        return await this.#batch(bound, isFirst, statements)
      },
    }
  }

  /** @throws {GuardError} "wrong database" */
  async #batch({ name, binding, db }: BoundDatabase, isFirst: boolean, statements: readonly Statement[]) {
    const check = checkStatement(name, isFirst ? null : (this.#installation ?? null))
    const [found, ...results] = await db.batch([check, ...statements])
    if (isFirst) this.#installation = String(found?.rows[0]?.installation)
    this.#checked.set(name, binding)
    return results
  }

  /**
   * Gives a database without an identity its own, at the first use after its creation or after the update that
   * introduced identities.
   *
   * @throws {WrongDatabase} it has another identity, or is empty and should not be
   */
  async #claim(bound: BoundDatabase, first: BoundDatabase): Promise<void> {
    const isFirst = bound.name === first.name
    const found = await identityOf(bound.db)
    const installation = isFirst ? (found?.installation ?? crypto.randomUUID()) : (this.#installation ?? '')
    const expected = { name: bound.name, installation }
    if (found === undefined && (isFirst || (await holdsItsTenants(bound, first.db)))) {
      await bound.db.batch([
        statement(sql`INSERT INTO database_identity (id, name, installation)
          VALUES (1, ${expected.name}, ${installation}) ON CONFLICT (id) DO NOTHING`),
      ])
      return
    }
    throw new WrongDatabase(expected, found)
  }
}

/** @returns undefined before the first use */
export async function identityOf(db: Database): Promise<Identity | undefined> {
  const [found] = await db.batch([IDENTITY.where(sql`id = 1`)])
  return IDENTITY.first(found)
}

/** The most tenants that are looked up. */
const MAX_LOOKED_UP = 1_000

/**
 * Whether a database without an identity has one of the tenants that the catalogue places there, if there are any. A
 * new database that replaces a lost one has none.
 */
async function holdsItsTenants({ name, db }: BoundDatabase, catalogue: Database): Promise<boolean> {
  const [located] = await catalogue.batch([
    statement(sql`SELECT json_group_array(tenant_id) AS ids FROM
      (SELECT tenant_id FROM tenant_locations WHERE database = ${name} LIMIT ${MAX_LOOKED_UP})`),
  ])
  const ids = String(located?.rows[0]?.ids)
  if (ids === '[]') return true
  const [held] = await db.batch([
    statement(sql`SELECT 1 FROM tenants WHERE id IN (SELECT value FROM json_each(${ids})) LIMIT 1`),
  ])
  return held?.rows.length === 1
}
