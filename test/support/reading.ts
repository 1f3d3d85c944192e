/**
 * How tests of the core read a request: as the default profile has it, unless they say otherwise.
 */
import { PROFILES, type Profile } from '../../src/scim/profile.ts'
import type { CollectingReading } from '../../src/scim/reading.ts'
import type { ResourceType } from '../../src/scim/schema/definition.ts'
import { USER_RESOURCE_TYPE } from '../../src/scim/schema/resource-type.ts'
import { Work } from '../../src/scim/work.ts'

export const { tolerant: TOLERANT, strict: STRICT } = PROFILES

/** A reading with a counter of its own. */
export function reading(
  type: ResourceType = USER_RESOURCE_TYPE,
  profile: Profile = TOLERANT,
  work: Work = new Work(),
): CollectingReading {
  return { type, profile, work, ignored: [] }
}
