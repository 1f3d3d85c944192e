/**
 * The one rule of "active" of a User, for every write. Only an explicit true gives access, and only an explicit false
 * takes it. What is left out, removed, null or "" says nothing, so it keeps what is stored: a client that does not
 * assert "active" must not give a disabled user its access back. RFC 7643 §4.1.1 leaves the default to the service
 * provider: a user of which nothing was ever said is active.
 */
import type { Complex } from './comparison.ts'
import type { Attribute } from './schema/definition.ts'
import { ACTIVE } from './schema/user.ts'

/** Whether the user has access. */
export function isActive(user: Complex): boolean {
  return user.active !== false
}

/** The user with "active": as it says itself, else as the stored one. @param before undefined for a new user */
export function withActive(user: Complex, before: Complex = {}): Complex {
  return { active: isActive(before), ...user }
}

/** True for the attribute that keeps its value when it is removed or set to nothing. */
export function keepsValue(attribute: Attribute): boolean {
  return attribute === ACTIVE
}
