/**
 * The databases of a Worker by the names of their bindings: `DB`, and as many of `DB2`, `DB3`, … as wrangler.toml has.
 */
import type { D1Binding, Database, DatabaseFigures } from './storage/database/database.ts'
import { openDatabase } from './storage/database/database.ts'
import { Identities } from './storage/tenants/identity.ts'
import { type Databases, missingDatabase } from './storage/tenants/locations.ts'

/** The database of every deployment: it holds the catalogue. */
const FIRST = 'DB'
const NAME = /^DB(?:[2-9]|[1-9]\d+)$/
/**
 * The most bytes of a database on the paid plan, for which several databases are useful:
 * https://developers.cloudflare.com/d1/platform/limits/
 */
export const MAX_DATABASE_BYTES = 10_000_000_000

/** The names of the databases, beginning with the first one. */
export function databaseNames(env: object): Databases['names'] {
  const more = Object.keys(env).filter((name) => NAME.test(name))
  return [FIRST, ...more.toSorted((a, b) => Number(a.slice(2)) - Number(b.slice(2)))]
}

/** @throws {NamedDatabaseUnavailable} the catalogue names a binding that this deployment does not have */
export function bindingOf<Binding extends D1Binding>(env: { readonly DB: Binding }, name = FIRST): Binding {
  const binding = name === FIRST || NAME.test(name) ? (env as Record<string, unknown>)[name] : undefined
  if (binding !== undefined) return binding as Binding
  throw missingDatabase(name)
}

/** The databases that this isolate has checked, by their first binding: all requests have the same one. */
const identities = new WeakMap<D1Binding, Identities>()

/**
 * Opens a database of a Worker for one request. Its first batch in this isolate checks that it is the right one.
 *
 * @param name of the binding; undefined: the first database
 * @param figures receives the cost
 * @throws {NamedDatabaseUnavailable} the catalogue names a binding that this deployment does not have
 */
export function openBinding(
  env: { readonly DB: D1Binding },
  name: string | undefined,
  figures: DatabaseFigures,
): Database {
  return checkedBinding(env, name, openDatabase(bindingOf(env, name), figures), figures)
}

/** The same check for a binding that is opened in another way. */
export function checkedBinding(
  env: { readonly DB: D1Binding },
  name: string | undefined,
  db: Database,
  figures: DatabaseFigures,
): Database {
  const known = identities.get(env.DB) ?? new Identities()
  identities.set(env.DB, known)
  const firstOf = () => ({ name: FIRST, binding: env.DB, db: openDatabase(env.DB, figures) })
  return known.checked({ name: name ?? FIRST, binding: bindingOf(env, name), db }, firstOf)
}

/** All databases, for work outside of requests. @param figures receives the cost */
export function databasesOf(env: { readonly DB: D1Binding }, figures: DatabaseFigures): Databases {
  return {
    names: databaseNames(env),
    maxBytes: MAX_DATABASE_BYTES,
    open: (name) => openBinding(env, name, figures),
  }
}
