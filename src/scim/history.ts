/**
 * The history of a resource: the values that a change has replaced, by which it can be shown and taken back. Pure.
 *
 * Values are kept for each top-level attribute as a whole: of an extension, all of its values. Values that are never
 * returned, such as passwords, are not kept.
 */
import { type Complex, isComplex, sameValue } from './comparison.ts'
import { MAX_PREVIOUS_BYTES } from './limits.ts'
import type { Attribute, ResourceType } from './schema/definition.ts'
import { fitsInBytes } from './utf8.ts'

/**
 * The previous values of the attributes that a change has changed; null for those that had none.
 *
 * @returns undefined if they take more than MAX_PREVIOUS_BYTES
 */
export function previousValues(
  before: Complex,
  after: Complex,
  { attributes }: ResourceType,
): Complex | undefined {
  const previous: Complex = {}
  for (const attribute of attributes) {
    const { name, returned } = attribute
    if (returned === 'never' || sameValue(before[name], after[name])) continue
    previous[name] = withoutSecrets(before[name], attribute) ?? null
  }
  return fitsInBytes(JSON.stringify(previous), MAX_PREVIOUS_BYTES) ? previous : undefined
}

/**
 * The resource with earlier values.
 *
 * @param values as from `previousValues`; secrets inside a complex attribute stay as they are
 */
export function withValues(resource: Complex, values: Complex, { attributes }: ResourceType): Complex {
  const result: Complex = { ...resource }
  for (const attribute of attributes) {
    const { name } = attribute
    if (!Object.hasOwn(values, name)) continue
    const value = withSecrets(values[name] ?? undefined, resource[name], attribute)
    if (value === undefined) delete result[name]
    else result[name] = value
  }
  return result
}

function secretsOf({ subAttributes = [] }: Attribute): readonly string[] {
  return subAttributes.filter(({ returned }) => returned === 'never').map(({ name }) => name)
}

function withoutSecrets(value: unknown, attribute: Attribute): unknown {
  const secrets = secretsOf(attribute)
  if (secrets.length === 0) return value
  const without = (one: unknown) =>
    isComplex(one) ? Object.fromEntries(Object.entries(one).filter(([name]) => !secrets.includes(name))) : one
  return Array.isArray(value) ? value.map(without) : without(value)
}

/** The elements of a multi-valued attribute have no identity, so only a single value keeps its secrets. */
function withSecrets(value: unknown, current: unknown, attribute: Attribute): unknown {
  if (!isComplex(current)) return value
  const kept = Object.fromEntries(
    Object.entries(current).filter(([name]) => secretsOf(attribute).includes(name)),
  )
  if (Object.keys(kept).length === 0) return value
  return { ...(isComplex(value) ? value : {}), ...kept }
}
