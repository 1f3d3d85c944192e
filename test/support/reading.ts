/**
 * The Reading for tests of the core, with the default profile unless another one is given.
 */
import { PROFILES, type Profile } from '../../src/scim/profile.ts'
import type { CollectingReading } from '../../src/scim/reading.ts'
import type { ResourceType } from '../../src/scim/schema/definition.ts'
import { USER_RESOURCE_TYPE } from '../../src/scim/schema/resource-type.ts'
import { Work } from '../../src/scim/work.ts'

export const { tolerant: TOLERANT, strict: STRICT } = PROFILES

/** A reading with a new work counter. */
export function reading(
  type: ResourceType = USER_RESOURCE_TYPE,
  profile: Profile = TOLERANT,
  work: Work = new Work(),
): CollectingReading {
  return { type, profile, work, ignored: [] }
}
