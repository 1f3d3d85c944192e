/**
 * Compares the mapped values of an object with the values at the target. Pure.
 *
 * A missing attribute is added and a different value is replaced. An attribute without a source value is left alone.
 * Strings are compared case-sensitively: if an endpoint changes the case of a value, Entra sends it in every cycle.
 */
import { isRoles, type MappedValue, type MappedValues } from '../../mappings/attribute-mapping.ts'
import type { JsonObject } from '../../problem.ts'
import { readTargetPath } from '../../protocol/attribute-path.ts'
import type { AttributeChange } from '../../protocol/requests.ts'
import { hasRoles } from '../../protocol/roles.ts'

export interface Difference extends AttributeChange {
  readonly oldValue: unknown
}

export function compareAttributes(values: MappedValues, target: JsonObject): Difference[] {
  const differences: Difference[] = []
  for (const [path, value] of values) {
    const shown = readTargetPath(target, path)
    if (isSame(value, shown)) continue
    differences.push({ op: shown === undefined ? 'add' : 'replace', path, value, oldValue: shown })
  }
  return differences
}

/** As above, for a provider that does not read the target: the values differ from those of the last export. */
export function compareWithExport(
  values: MappedValues,
  exported: Readonly<Record<string, MappedValue>>,
): Difference[] {
  return [...values].flatMap(([path, value]) => {
    const oldValue = exported[path]
    if (JSON.stringify(oldValue) === JSON.stringify(value)) return []
    return [{ op: oldValue === undefined ? 'add' : 'replace', path, value, oldValue }]
  })
}

/** Booleans and integers returned as text equal the value that was sent. */
function isSame(value: MappedValue, shown: unknown): boolean {
  if (isRoles(value)) return hasRoles(shown, value)
  if (shown === undefined) return false
  if (typeof value === 'boolean') return shown === value || String(shown).toLowerCase() === String(value)
  if (typeof value === 'number') return Number(shown) === value
  return typeof value === 'object' ? JSON.stringify(value) === JSON.stringify(shown) : value === shown
}
