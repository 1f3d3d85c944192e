/**
 * Applies a PATCH to a user in memory, and finds attributes by name, for tests of the core.
 */
import type { Complex } from '../../src/scim/comparison.ts'
import { applyPatch } from '../../src/scim/patch/apply.ts'
import { parsePatch } from '../../src/scim/patch/parse.ts'
import type { Profile } from '../../src/scim/profile.ts'
import type { Attribute } from '../../src/scim/schema/definition.ts'
import { findAttribute } from '../../src/scim/schema/lookup.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../src/scim/schema/resource-type.ts'
import { reading } from './reading.ts'
import { PATCH_OP } from './urns.ts'

/** The user after the operations, without `schemas` and `userName`. @throws {ScimError} */
export function patchedBy(profile: Profile, resource: Complex, ...Operations: readonly object[]): Complex {
  const how = reading(USER_RESOURCE_TYPE, profile)
  const { operations } = parsePatch({ schemas: [PATCH_OP], Operations }, how)
  const { schemas, userName, ...rest } = applyPatch({ userName: 'x', ...resource }, operations, how).resource
  return rest
}

/** An attribute of User or Group, such as `emails`, or a sub-attribute, such as `emails/type`. */
export function attributeOf(name: string): Attribute {
  const [first = '', ...rest] = name.split('/')
  const top = findAttribute([...USER_RESOURCE_TYPE.attributes, ...GROUP_RESOURCE_TYPE.attributes], first)
  const found = rest.length === 0 ? top : findAttribute(top?.subAttributes ?? [], rest.join('/'))
  if (found === undefined) throw new Error(`no attribute ${name}`)
  return found
}
