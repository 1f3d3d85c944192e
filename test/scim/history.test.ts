/** The values that a change replaces, and a resource with its earlier values. */
import { describe, expect, it } from 'vitest'
import { previousValues, withValues } from '../../src/scim/history.ts'
import { MAX_PREVIOUS_BYTES } from '../../src/scim/limits.ts'
import { attribute, complex } from '../../src/scim/schema/definition.ts'
import { USER_RESOURCE_TYPE } from '../../src/scim/schema/resource-type.ts'

const URN = 'urn:ietf:params:scim:schemas:extension:badge:2.0:User'
const WITH_SECRET = {
  ...USER_RESOURCE_TYPE,
  attributes: [
    ...USER_RESOURCE_TYPE.attributes,
    complex(URN, 'A badge.', [
      attribute('number', 'string', 'Its number.', {}),
      attribute('pin', 'string', 'Its secret.', { returned: 'never' }),
    ]),
  ],
}

describe('the previous values of a change', () => {
  it('are those of the changed attributes alone, and null for an attribute that had none', () => {
    const before = { userName: 'a', title: 'Ranger', name: { givenName: 'A' } }
    const after = { userName: 'a', displayName: 'A', name: { givenName: 'B' } }
    const previous = { title: 'Ranger', displayName: null, name: { givenName: 'A' } }
    expect(previousValues(before, after, USER_RESOURCE_TYPE)).toEqual(previous)
    expect(withValues(after, previous, USER_RESOURCE_TYPE)).toEqual(before)
  })

  it('have no password, and nothing inside an attribute that is never returned', () => {
    const before = { userName: 'a', password: 'old', [URN]: { number: '1', pin: '1111' } }
    const after = { userName: 'a', password: 'new', [URN]: { number: '2', pin: '2222' } }
    const previous = { [URN]: { number: '1' } }
    expect(previousValues(before, after, WITH_SECRET)).toEqual(previous)
    expect(withValues(after, previous, WITH_SECRET)).toEqual({
      ...after,
      [URN]: { number: '1', pin: '2222' },
    })
  })

  it('are not kept beyond MAX_PREVIOUS_BYTES', () => {
    // Quotes and the name take 12 bytes.
    const before = { title: 'x'.repeat(MAX_PREVIOUS_BYTES - 12) }
    expect(previousValues(before, {}, USER_RESOURCE_TYPE)).toEqual(before)
    expect(previousValues({ title: `${before.title}x` }, {}, USER_RESOURCE_TYPE)).toBeUndefined()
    expect(
      previousValues({ title: 'ä'.repeat(MAX_PREVIOUS_BYTES / 2) }, {}, USER_RESOURCE_TYPE),
    ).toBeUndefined()
  })
})
