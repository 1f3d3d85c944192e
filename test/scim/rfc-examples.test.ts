/**
 * The examples of RFC 7643 §8 and RFC 7644 §3, processed by the core. The resources to which they are applied are not from
 * the RFCs: see test/fixtures/rfc7644/README.md.
 */
import { describe, expect, it } from 'vitest'
import type { Complex } from '../../src/scim/comparison.ts'
import { evaluateFilter } from '../../src/scim/filter/evaluate.ts'
import { parseFilter } from '../../src/scim/filter/parser.ts'
import { resolveFilter } from '../../src/scim/filter/resolve.ts'
import { applyPatch } from '../../src/scim/patch/apply.ts'
import { applyMemberChanges, splitMembers } from '../../src/scim/patch/members.ts'
import { parsePatch } from '../../src/scim/patch/parse.ts'
import { PROFILES } from '../../src/scim/profile.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../src/scim/schema/resource-type.ts'
import { validateResource } from '../../src/scim/validation.ts'
import group from '../fixtures/rfc7643/group.json' with { type: 'json' }
import userEnterprise from '../fixtures/rfc7643/user-enterprise.json' with { type: 'json' }
import userFull from '../fixtures/rfc7643/user-full.json' with { type: 'json' }
import userMinimal from '../fixtures/rfc7643/user-minimal.json' with { type: 'json' }
import createUser from '../fixtures/rfc7644/create-user.json' with { type: 'json' }
import filters from '../fixtures/rfc7644/filters.json' with { type: 'json' }
import patches from '../fixtures/rfc7644/patch.json' with { type: 'json' }
import { reading } from '../support/reading.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

describe.for(Object.values(PROFILES).map((profile) => [profile.name, profile] as const))(
  'the %s profile',
  ([, profile]) => {
    describe('the representations of RFC 7643 §8', () => {
      it.for<[what: string, user: Complex]>([
        ['§8.1 minimal User', userMinimal],
        ['§8.2 full User', userFull],
        ['§8.3 enterprise User', userEnterprise],
        ['the User of RFC 7644 §3.3', createUser],
      ])('are valid, and all writable attributes are kept: %s', ([, user]) => {
        const { id, meta, groups, password, ...kept } = structuredClone(user)
        const extension = kept[ENTERPRISE] as Complex | undefined
        if (extension !== undefined) delete (extension.manager as Complex).displayName
        const { resource, ignored } = validateResource(user, reading(USER_RESOURCE_TYPE, profile))
        expect(resource).toMatchObject(kept)
        for (const name of ['id', 'meta', 'groups']) expect(resource).not.toHaveProperty(name)
        expect(ignored.filter((name) => name !== 'password')).toEqual([])
      })

      it('are valid: §8.4 Group', () => {
        const { resource, ignored } = validateResource(group, reading(GROUP_RESOURCE_TYPE, profile))
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
        const resolved = resolveFilter(parseFilter(filter, profile), USER_RESOURCE_TYPE, profile)
        const found = filters.users.filter((user) => evaluateFilter(resolved, user))
        expect(found.map(({ id }) => id)).toEqual(matches)
      })
    })

    describe('the PATCH requests of RFC 7644 §3.5.2', () => {
      it.for(patches.filter(({ type }) => type === 'User'))(
        '§$section $name',
        ({ request, resource, after }) => {
          const { operations, ignored } = parsePatch(request, reading(USER_RESOURCE_TYPE, profile))
          const patched = applyPatch({ ...resource }, operations, reading(USER_RESOURCE_TYPE, profile))
          expect(patched.resource).toMatchObject({ ...after })
          expect([...ignored, ...patched.ignored]).toEqual([])
          // The second time it changes nothing or has nothing to remove.
          if (!profile.deviations.removesAbsentValues && operations.some(({ op }) => op === 'remove')) return
          expect(
            applyPatch(patched.resource, operations, reading(USER_RESOURCE_TYPE, profile)).resource,
          ).toEqual(patched.resource)
        },
      )

      it.for(patches.filter(({ type }) => type === 'Group'))(
        '§$section $name',
        ({ request, members, membersAfter }) => {
          const { operations } = parsePatch(request, reading(GROUP_RESOURCE_TYPE, profile))
          const changes = splitMembers(operations, reading(GROUP_RESOURCE_TYPE, profile))
          expect(changes.rest).toEqual([])
          const before = (members ?? []).map((value) => ({ value }))
          expect([...applyMemberChanges(before, changes.members, profile)]).toEqual(membersAfter)
        },
      )
    })
  },
)
