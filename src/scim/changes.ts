/**
 * The differences between two states of a resource. They determine the version and the provisioning log entry.
 */
import { pathText } from './attribute-path.ts'
import { type Complex, isComplex, sameValue } from './comparison.ts'
import type { Attribute, ResourceType } from './schema/definition.ts'

/** One changed attribute. `old` is missing if it had no value before, `new` if it has none now. */
export interface AttributeChange {
  readonly attribute: string
  readonly old?: unknown
  readonly new?: unknown
}

/** Replaces the values of attributes with returned "never". */
const HIDDEN = '(not shown)'

/**
 * Returns the attributes that differ: each sub-attribute of a single-valued complex attribute, and each multi-valued
 * attribute as a whole. "schemas" is derived from the other attributes and not included.
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
