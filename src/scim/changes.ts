/**
 * What changed between two states of a resource: for the version, and for the provisioning log.
 */
import { pathText } from './attribute-path.ts'
import { type Complex, isComplex, sameValue } from './comparison.ts'
import type { Attribute, ResourceType } from './schema/definition.ts'

/** One changed attribute. `old` or `new` is missing when there was, or is, no value. */
export interface AttributeChange {
  readonly attribute: string
  readonly old?: unknown
  readonly new?: unknown
}

/** Stands for a value that must not be shown: of attributes that are never returned. */
const HIDDEN = '(not shown)'

/**
 * The attributes that differ, single sub-attributes by themselves, multi-valued attributes as a whole.
 * "schemas" follows from the others, so it is not named.
 */
export function changedAttributes(
  before: Complex,
  after: Complex,
  type: ResourceType,
): readonly AttributeChange[] {
  return type.attributes
    .filter((attribute) => attribute.name !== 'schemas')
    .flatMap((attribute) => changesOf(before[attribute.name], after[attribute.name], [attribute]))
}

function changesOf(
  before: unknown,
  after: unknown,
  steps: [Attribute, ...Attribute[]],
): readonly AttributeChange[] {
  if (sameValue(before, after)) return []
  const attribute = steps.at(-1) ?? steps[0]
  if (attribute.subAttributes !== undefined && !attribute.multiValued) {
    const [old, now] = [before, after].map((value) => (isComplex(value) ? value : {}))
    return attribute.subAttributes.flatMap((sub) =>
      changesOf(old?.[sub.name], now?.[sub.name], [...steps, sub]),
    )
  }
  const shown = (value: unknown) => (attribute.returned === 'never' ? HIDDEN : value)
  return [
    {
      attribute: pathText({ steps }),
      ...(before === undefined ? {} : { old: shown(before) }),
      ...(after === undefined ? {} : { new: shown(after) }),
    },
  ]
}
