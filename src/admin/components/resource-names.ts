/** The names of resource types and attributes on all pages. */
import type { ResourceType } from '../../scim/schema/definition.ts'

/** "Users". */
export function pluralOf({ endpoint }: Pick<ResourceType, 'endpoint'>): string {
  return endpoint.slice(1)
}

/** "Users and groups". */
export function allOf(types: readonly ResourceType[]): string {
  const [first = '', ...others] = types.map(pluralOf)
  return [first, ...others.map((name) => name.toLowerCase())].join(' and ')
}

/** "Native object id", for `nativeObjectId`. */
export function labelOf(attribute: string): string {
  const words = attribute.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`
}
