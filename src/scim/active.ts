/**
 * The rule for "active" of a User, the same for every write. Only an explicit true enables a user, and only an explicit
 * false disables it. Omission, removal, null and "" keep the stored value, so that a client that does not assert "active"
 * cannot enable a disabled user by accident. RFC 7643 §4.1.1 leaves the default to the service provider: a user without a
 * value is active.
 */
import type { Complex } from './comparison.ts'
import type { Attribute, ResourceType } from './schema/definition.ts'
import { ACTIVE } from './schema/user.ts'

/** True if the resources of the type have "active", so that they can be disabled. */
export function canBeDisabled({ attributes }: Pick<ResourceType, 'attributes'>): boolean {
  return attributes.includes(ACTIVE)
}

/** True if the user is enabled. */
export function isActive(user: Complex): boolean {
  return user.active !== false
}

/**
 * Adds "active" to a resource without it, if its type has that attribute.
 *
 * @param before the stored resource, whose value is kept; undefined for a new resource
 */
export function withActive(resource: Complex, type: ResourceType, before: Complex = {}): Complex {
  return canBeDisabled(type) ? { active: isActive(before), ...resource } : resource
}

/** True for "active", which keeps its value when a client removes it or sets it to null. */
export function isKeptOnRemoval(attribute: Attribute): boolean {
  return attribute === ACTIVE
}
