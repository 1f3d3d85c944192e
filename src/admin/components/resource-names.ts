/** The names of resource types and attributes on all pages. */
import type { ResourceType } from '../../scim/schema/definition.ts'
import { pluralOf } from '../../scim/schema/resource-type.ts'
import { counted } from './number.ts'

/** "Users and Groups"; with a third type, "Users, Groups and Devices". */
export function allOf(types: readonly Pick<ResourceType, 'endpoint'>[]): string {
  const names = types.map(pluralOf)
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

/** "1 user", "2 users". */
export function countedOf(type: Pick<ResourceType, 'name' | 'endpoint'>, count: number): string {
  return counted(count, type.name.toLowerCase(), pluralOf(type).toLowerCase())
}

/** "Native object id", for `nativeObjectId`. */
export function labelOf(attribute: string): string {
  const words = attribute.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`
}
