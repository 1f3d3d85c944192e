import { describe, expect, it } from 'vitest'
import { changedAttributes } from '../../src/scim/changes.ts'
import { attribute } from '../../src/scim/schema/definition.ts'
import { USER_RESOURCE_TYPE } from '../../src/scim/schema/resource-type.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

describe('changedAttributes', () => {
  it.for<[what: string, before: object, after: object, changes: readonly object[]]>([
    ['nothing', { title: 'a', emails: [{ value: 'x' }] }, { title: 'a', emails: [{ value: 'x' }] }, []],
    [
      'the order of keys',
      { name: { givenName: 'a', familyName: 'b' } },
      { name: { familyName: 'b', givenName: 'a' } },
      [],
    ],
    ['a value', { title: 'a' }, { title: 'b' }, [{ attribute: 'title', old: 'a', new: 'b' }]],
    ['only its case', { title: 'a' }, { title: 'A' }, [{ attribute: 'title', old: 'a', new: 'A' }]],
    ['an addition', {}, { active: false }, [{ attribute: 'active', new: false }]],
    ['a removal', { title: 'a' }, {}, [{ attribute: 'title', old: 'a' }]],
    [
      'sub-attributes separately',
      { name: { givenName: 'a', familyName: 'b' } },
      { name: { givenName: 'A', middleName: 'c' } },
      [
        { attribute: 'name.familyName', old: 'b' },
        { attribute: 'name.givenName', old: 'a', new: 'A' },
        { attribute: 'name.middleName', new: 'c' },
      ],
    ],
    [
      'a multi-valued attribute, as a whole',
      { emails: [{ value: 'x' }] },
      { emails: [{ value: 'x' }, { value: 'y' }] },
      [{ attribute: 'emails', old: [{ value: 'x' }], new: [{ value: 'x' }, { value: 'y' }] }],
    ],
    [
      'an extension',
      {},
      { [ENTERPRISE]: { manager: { value: 'm' } } },
      [{ attribute: `${ENTERPRISE}:manager.value`, new: 'm' }],
    ],
    ['schemas, which are derived', { schemas: ['a'] }, { schemas: ['a', 'b'] }, []],
  ])('names %s', ([, before, after, changes]) => {
    expect(changedAttributes({ ...before }, { ...after }, USER_RESOURCE_TYPE)).toEqual(changes)
  })

  it('does not contain values that are never returned', () => {
    const type = {
      ...USER_RESOURCE_TYPE,
      attributes: [attribute('secret', 'string', '', { returned: 'never' })],
    }
    expect(JSON.stringify(changedAttributes({ secret: 'hidden' }, { secret: 'too' }, type))).not.toMatch(
      /hidden|too/,
    )
  })
})
