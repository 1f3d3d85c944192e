/**
 * Finds changes of an extension schema that are incompatible with stored values. Stored values are not converted, so
 * their meaning must not change.
 */
import type { Attribute } from './definition.ts'
import type { ExtensionSchema } from './extension.ts'
import { findAttribute } from './lookup.ts'

/** A change that is allowed only if no resource has a value at the path. */
export interface Incompatibility {
  /** The field of the new schema, such as `attributes[0].type`, or `attributes` for a removed attribute. */
  readonly field: string
  /** Describes the change: `"type" of "level"`. */
  readonly what: string
  /** The path of the stored values: the URN of the schema, then attribute names. */
  readonly path: readonly [string, ...string[]]
}

/** The characteristics on which the meaning and comparison of stored values depend. */
const FIXED = ['type', 'multiValued', 'caseExact'] as const

/** @returns an empty array if all values of the old schema are valid in the new one */
export function incompatibilities(
  before: ExtensionSchema,
  after: ExtensionSchema,
): readonly Incompatibility[] {
  if (before.resourceType !== after.resourceType) {
    return [{ field: 'resourceType', what: 'the resource type', path: [before.id] }]
  }
  return changesOf(before.attributes, after.attributes, 'attributes', [before.id])
}

function changesOf(
  before: readonly Attribute[],
  after: readonly Attribute[],
  field: string,
  path: readonly [string, ...string[]],
): readonly Incompatibility[] {
  return before.flatMap((old) => {
    const now = findAttribute(after, old.name)
    const oldPath = [...path, old.name] as const
    if (now === undefined) return [{ field, what: `the attribute "${old.name}", left out`, path: oldPath }]
    const at = `${field}[${after.indexOf(now)}]`
    if (now.name !== old.name) {
      return [{ field: `${at}.name`, what: `the spelling of "${old.name}"`, path: oldPath }]
    }
    const changed = FIXED.find((characteristic) => now[characteristic] !== old[characteristic])
    if (changed !== undefined) {
      return [{ field: `${at}.${changed}`, what: `"${changed}" of "${old.name}"`, path: oldPath }]
    }
    return changesOf(old.subAttributes ?? [], now.subAttributes ?? [], `${at}.subAttributes`, oldPath)
  })
}
