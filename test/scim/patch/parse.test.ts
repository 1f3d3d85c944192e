import { describe, expect, it } from 'vitest'
import { pathText } from '../../../src/scim/attribute-path.ts'
import { parsePatch } from '../../../src/scim/patch/parse.ts'
import { USER_RESOURCE_TYPE } from '../../../src/scim/schema/resource-type.ts'
import { reading } from '../../support/reading.ts'

const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const UMBRELLA = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User'

const parse = (...Operations: readonly unknown[]) =>
  parsePatch({ schemas: [PATCH_OP], Operations }, reading(USER_RESOURCE_TYPE))

/** The operations as arrays of op, canonical path and value. */
const operationsOf = (...operations: readonly unknown[]) =>
  parse(...operations).operations.map(({ op, target, value }) => [op, pathText(target.path), value])

describe('parsePatch', () => {
  it('parses operations with a path', () => {
    expect(
      operationsOf(
        { op: 'add', path: 'TITLE', value: 'x' },
        { op: 'replace', path: 'name.givenName', value: null },
        { op: 'remove', path: 'emails[type eq "work"]' },
      ),
    ).toEqual([
      ['add', 'title', 'x'],
      ['replace', 'name.givenName', null],
      ['remove', 'emails', undefined],
    ])
  })

  // RFC 7644 §3.5.2.1: 'If omitted, the target location is assumed to be the resource itself.'
  it('splits an operation without a path by the keys of its value, including flat keys', () => {
    const value = {
      displayName: 'B',
      'name.givenName': 'Babs',
      [`${UMBRELLA}:nativeObjectId`]: 'n',
      'emails[type eq "work"].value': 'b@x',
      [ENTERPRISE]: { division: 'd' },
    }
    for (const path of [undefined, null, '']) {
      expect(operationsOf({ op: 'replace', path, value: [value] })).toHaveLength(5)
      expect(operationsOf({ op: 'replace', path, value })).toEqual([
        ['replace', 'displayName', 'B'],
        ['replace', 'name.givenName', 'Babs'],
        ['replace', `${UMBRELLA}:nativeObjectId`, 'n'],
        ['replace', 'emails', 'b@x'],
        ['replace', ENTERPRISE, { division: 'd' }],
      ])
    }
  })

  it('ignores and reports unknown attributes of a value, and ignores read-only ones', () => {
    const value = JSON.parse(
      '{"shoeSize": 1, "__proto__": 2, "id": "x", "meta": {}, "groups": [], "schemas": []}',
    )
    expect(parse({ op: 'add', value })).toMatchObject({ operations: [], ignored: ['shoeSize', '__proto__'] })
  })

  it.for<[body: object]>([
    [{ Operations: [] }],
    [{ schemas: [PATCH_OP], Operations: [] }],
    [{ schemas: [PATCH_OP.toLowerCase()], operations: [] }],
    [{ SCHEMAS: ['urn:example:more', PATCH_OP], OPERATIONS: [] }],
  ])('accepts the message %j', ([body]) => {
    expect(parsePatch(body, reading(USER_RESOURCE_TYPE))).toMatchObject({ operations: [], ignored: [] })
  })

  it('accepts the members of an operation regardless of case', () => {
    expect(operationsOf({ OP: 'add', Path: 'title', VALUE: 'x' })).toEqual([['add', 'title', 'x']])
  })

  it.for<[what: string, body: unknown, scimType: string, detail: RegExp]>([
    ['no object', [], 'invalidSyntax', /found an array/],
    ['null', null, 'invalidSyntax', /found null/],
    [
      'no Operations',
      { schemas: [PATCH_OP] },
      'invalidSyntax',
      /"Operations" must be an array, found nothing/,
    ],
    ['Operations as an object', { Operations: {} }, 'invalidSyntax', /found an object/],
    [
      'other schemas',
      { schemas: [ENTERPRISE], Operations: [] },
      'invalidSyntax',
      /must contain .*PatchOp", found "urn:/,
    ],
    ['schemas as text', { schemas: PATCH_OP, Operations: [] }, 'invalidSyntax', /found a string/],
    [
      'an operation that is null',
      { Operations: [null] },
      'invalidSyntax',
      /Operations\[0\] must be an object, found null/,
    ],
    [
      'no op',
      { Operations: [{ path: 'title', value: 'x' }] },
      'invalidSyntax',
      /Operations\[0\].op .* found nothing/,
    ],
    ['an unknown op', { Operations: [{ op: 'move', path: 'title' }] }, 'invalidSyntax', /found "move"/],
    [
      'a number as path',
      { Operations: [{ op: 'add', path: 5, value: 'x' }] },
      'invalidPath',
      /found a number/,
    ],
    [
      'add without a value',
      { Operations: [{ op: 'add', path: 'title' }] },
      'invalidValue',
      /"add" needs a value/,
    ],
    [
      'replace without a path and a value',
      { Operations: [{ op: 'replace' }] },
      'invalidValue',
      /"replace" needs a value/,
    ],
    [
      'a string as value without a path',
      { Operations: [{ op: 'add', value: 'x' }] },
      'invalidValue',
      /must be an object if there is no path, found a string/,
    ],
    [
      'a list of two as value without a path',
      { Operations: [{ op: 'add', value: [{}, {}] }] },
      'invalidValue',
      /found an array/,
    ],
    // RFC 7644 §3.5.2.2: 'If "path" is unspecified, the operation fails with … "noTarget".'
    ['remove without a path', { Operations: [{ op: 'remove', value: {} }] }, 'noTarget', /needs a path/],
    [
      'an unknown path',
      { Operations: [{ op: 'add', path: 'shoeSize', value: 1 }] },
      'invalidPath',
      /"shoeSize"/,
    ],
    [
      'a wrong filter',
      { Operations: [{ op: 'remove', path: 'emails[x pr]' }] },
      'invalidFilter',
      /no attribute "x"/,
    ],
  ])('rejects %s', ([, body, scimType, detail]) => {
    expect(() => parsePatch(body, reading(USER_RESOURCE_TYPE))).toThrow(
      expect.objectContaining({ status: 400, scimType, detail: expect.stringMatching(detail) }),
    )
  })

  it('shortens a long text in its message', () => {
    const long = 'x'.repeat(100_000)
    for (const operation of [
      { op: long },
      { op: 'add', path: long, value: 1 },
      { op: 'add', path: `emails[${long} eq 1]`, value: 1 },
      { op: 'remove', path: `emails[value eq "${long}"].${long}` },
    ]) {
      expect(() => parse(operation)).toThrow(/^.{20,600}$/)
    }
    expect(() => parsePatch({ schemas: [long], Operations: [] }, reading(USER_RESOURCE_TYPE))).toThrow(
      /^.{20,600}$/,
    )
  })
})
