/**
 * Finds attribute definitions by name. Attribute names and URNs are case-insensitive (RFC 7643 §2.1, RFC 7644 §3.10). A
 * lookup table is created once for each list of attributes.
 */
import type { Attribute } from './definition.ts'

// Maps instead of objects, because clients may send names such as `__proto__` and `constructor`.
const tables = new WeakMap<readonly Attribute[], ReadonlyMap<string, Attribute>>()

/**
 * The attribute with that name, regardless of case.
 *
 * @param attributes undefined for those of an attribute without sub-attributes. Not an empty list, which would get a table
 * @returns undefined if there is none
 */
export function findAttribute(
  attributes: readonly Attribute[] | undefined,
  name: string,
): Attribute | undefined {
  if (attributes === undefined) return undefined
  let table = tables.get(attributes)
  if (table === undefined) {
    table = new Map(
      attributes.flatMap((attribute) => [
        [attribute.name, attribute],
        [attribute.name.toLowerCase(), attribute],
      ]),
    )
    tables.set(attributes, table)
  }
  // Most names are spelled as in the schema.
  return table.get(name) ?? table.get(name.toLowerCase())
}
