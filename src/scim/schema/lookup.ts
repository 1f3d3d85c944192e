/**
 * From a name to its definition. Attribute names and URNs compare without regard to case
 * (RFC 7643 §2.1, RFC 7644 §3.10). Lookup tables are made once per list of attributes.
 */
import type { Attribute } from './definition.ts'

// Maps, not objects: `__proto__` and `constructor` are names like any other.
const tables = new WeakMap<readonly Attribute[], ReadonlyMap<string, Attribute>>()

/** The attribute of that name in the list, whatever its case, or undefined. */
export function findAttribute(attributes: readonly Attribute[], name: string): Attribute | undefined {
  let table = tables.get(attributes)
  if (table === undefined) {
    table = new Map(attributes.map((attribute) => [attribute.name.toLowerCase(), attribute]))
    tables.set(attributes, table)
  }
  return table.get(name.toLowerCase())
}
