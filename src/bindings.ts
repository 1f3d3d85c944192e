/**
 * The databases of a Worker by the names of their bindings: `DB`, and as many of `DB2`, `DB3`, … as wrangler.toml has.
 */
import type { D1Binding, DatabaseFigures } from './storage/database.ts'
import { openDatabase } from './storage/database.ts'
import type { Databases } from './storage/databases.ts'

/** The one that every deployment has: it holds the catalogue. */
const FIRST = 'DB'
const NAME = /^DB(?:[2-9]|[1-9]\d+)$/
/**
 * Bytes that a database holds at most on the paid plan, where several databases are worth their while:
 * https://developers.cloudflare.com/d1/platform/limits/
 */
export const MAX_DATABASE_BYTES = 10_000_000_000

/** The names of the databases, the first one first. */
export function databaseNames(env: object): Databases['names'] {
  const more = Object.keys(env).filter((name) => NAME.test(name))
  return [FIRST, ...more.toSorted((a, b) => Number(a.slice(2)) - Number(b.slice(2)))]
}

/** @throws {Error} the catalogue names a binding that this deployment does not have */
export function bindingOf<Binding extends D1Binding>(env: { readonly DB: Binding }, name = FIRST): Binding {
  const binding = name === FIRST || NAME.test(name) ? (env as Record<string, unknown>)[name] : undefined
  if (binding !== undefined) return binding as Binding
  throw new Error(`there is no binding "${name}" of a database; see wrangler.toml`)
}

/** All databases, for what is not a request. @param figures receives what they cost */
export function databasesOf(env: { readonly DB: D1Binding }, figures: DatabaseFigures): Databases {
  return {
    names: databaseNames(env),
    maxBytes: MAX_DATABASE_BYTES,
    open: (name) => openDatabase(bindingOf(env, name), figures),
  }
}
