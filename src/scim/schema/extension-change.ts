/**
 * The step from one version of an extension schema to the next: the changes that would contradict stored values. A value
 * that was stored by the old schema is read by the new one as it is, so its meaning must stay the same.
 */
import type { Attribute } from './definition.ts'
import type { ExtensionSchema } from './extension.ts'
import { findAttribute } from './lookup.ts'

/** A change that is possible only while no resource has a value there. */
export interface Incompatibility {
  /** Of the new schema, such as `attributes[0].type`; `attributes` for an attribute that it does not have. */
  readonly field: string
  /** The change in words: `"type" of "level"`. */
  readonly what: string
  /** Where the values are: the URN of the schema, then names of attributes. */
  readonly path: readonly [string, ...string[]]
}

/** The characteristics by which stored values are read and compared. */
const FIXED = ['type', 'multiValued', 'caseExact'] as const

/** @returns nothing when the values of the old schema are values of the new one */
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
