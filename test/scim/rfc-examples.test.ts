/**
 * The examples of RFC 7643 §8 and RFC 7644 §3, run through the core. What they are applied to is ours:
 * see test/fixtures/rfc7644/README.md.
 */
import { describe, expect, it } from 'vitest'
import type { Complex } from '../../src/scim/comparison.ts'
import { evaluateFilter } from '../../src/scim/filter/evaluate.ts'
import { parseFilter } from '../../src/scim/filter/parser.ts'
import { resolveFilter } from '../../src/scim/filter/resolve.ts'
import { applyPatch } from '../../src/scim/patch/apply.ts'
import { applyMemberChanges, splitMembers } from '../../src/scim/patch/members.ts'
import { parsePatch } from '../../src/scim/patch/parse.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../src/scim/schema/resource-type.ts'
import { validateResource } from '../../src/scim/validation.ts'
import group from '../fixtures/rfc7643/group.json' with { type: 'json' }
import userEnterprise from '../fixtures/rfc7643/user-enterprise.json' with { type: 'json' }
import userFull from '../fixtures/rfc7643/user-full.json' with { type: 'json' }
import userMinimal from '../fixtures/rfc7643/user-minimal.json' with { type: 'json' }
import createUser from '../fixtures/rfc7644/create-user.json' with { type: 'json' }
import filters from '../fixtures/rfc7644/filters.json' with { type: 'json' }
import patches from '../fixtures/rfc7644/patch.json' with { type: 'json' }

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

describe('the representations of RFC 7643 §8', () => {
  it.for<[what: string, user: Complex]>([
    ['§8.1 minimal User', userMinimal],
    ['§8.2 full User', userFull],
    ['§8.3 enterprise User', userEnterprise],
    ['the User of RFC 7644 §3.3', createUser],
  ])('are valid, and all that a client may set is kept: %s', ([, user]) => {
    const { id, meta, groups, password, ...kept } = structuredClone(user)
    const extension = kept[ENTERPRISE] as Complex | undefined
    if (extension !== undefined) delete (extension.manager as Complex).displayName
    const { resource, ignored } = validateResource(user, USER_RESOURCE_TYPE)
    expect(resource).toMatchObject(kept)
    for (const name of ['id', 'meta', 'groups']) expect(resource).not.toHaveProperty(name)
    expect(ignored.filter((name) => name !== 'password')).toEqual([])
  })

  it('are valid: §8.4 Group', () => {
    const { resource, ignored } = validateResource(group, GROUP_RESOURCE_TYPE)
    expect(ignored).toEqual([])
    expect(resource).toEqual({
      schemas: group.schemas,
      displayName: 'Tour Guides',
      members: group.members.map(({ display, ...member }) => member),
    })
  })
})

describe('the filters of RFC 7644 §3.4.2.2', () => {
  it.for(filters.filters)('$filter', ({ filter, matches }) => {
    const resolved = resolveFilter(parseFilter(filter), USER_RESOURCE_TYPE)
    const found = filters.users.filter((user) => evaluateFilter(resolved, user))
    expect(found.map(({ id }) => id)).toEqual(matches)
  })
})

describe('the PATCH requests of RFC 7644 §3.5.2', () => {
  it.for(patches.filter(({ type }) => type === 'User'))('§$section $name', ({ request, resource, after }) => {
    const { operations, ignored } = parsePatch(request, USER_RESOURCE_TYPE)
    const patched = applyPatch({ ...resource }, operations, USER_RESOURCE_TYPE)
    expect(patched.resource).toMatchObject({ ...after })
    expect([...ignored, ...patched.ignored]).toEqual([])
    // Once more changes nothing.
    expect(applyPatch(patched.resource, operations, USER_RESOURCE_TYPE).resource).toEqual(patched.resource)
  })

  it.for(patches.filter(({ type }) => type === 'Group'))(
    '§$section $name',
    ({ request, members, membersAfter }) => {
      const { operations } = parsePatch(request, GROUP_RESOURCE_TYPE)
      const changes = splitMembers(operations, GROUP_RESOURCE_TYPE)
      expect(changes.rest).toEqual([])
      const before = (members ?? []).map((value) => ({ value }))
      expect([...applyMemberChanges(before, changes.members)]).toEqual(membersAfter)
    },
  )
})
