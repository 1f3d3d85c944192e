/**
 * The one rule of "active" of a User, for every write. Only an explicit true gives access, and only an explicit false
 * takes it. What is left out, removed, null or "" says nothing, so it keeps what is stored: a client that does not
 * assert "active" must not give a disabled user its access back. RFC 7643 §4.1.1 leaves the default to the service
 * provider: a user of which nothing was ever said is active.
 */
import type { Complex } from './comparison.ts'
import type { Attribute, ResourceType } from './schema/definition.ts'
import { ACTIVE } from './schema/user.ts'

/** True of a type whose resources have this "active": they can be disabled. */
export function canBeDisabled({ attributes }: Pick<ResourceType, 'attributes'>): boolean {
  return attributes.includes(ACTIVE)
}

/** Whether the user has access. */
export function isActive(user: Complex): boolean {
  return user.active !== false
}

/** The resource with "active", if its type has it: as it says itself, else as the stored one. @param before undefined for a new one */
export function withActive(resource: Complex, type: ResourceType, before: Complex = {}): Complex {
  return canBeDisabled(type) ? { active: isActive(before), ...resource } : resource
}

/** True for the attribute that keeps its value when it is removed or set to nothing. */
export function isKeptOnRemoval(attribute: Attribute): boolean {
  return attribute === ACTIVE
}
