/**
 * For any input, the core returns a value or throws a ScimError, does not change its arguments, and takes time
 * proportional to the input.
 */
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { type Complex, comparisonDocument, isComplex } from '../../src/scim/comparison.ts'
import { ScimError } from '../../src/scim/error.ts'
import { evaluateFilter } from '../../src/scim/filter/evaluate.ts'
import { parseFilter } from '../../src/scim/filter/parser.ts'
import { resolveFilter } from '../../src/scim/filter/resolve.ts'
import { applyPatch } from '../../src/scim/patch/apply.ts'
import { applyMemberChanges, splitMembers } from '../../src/scim/patch/members.ts'
import { parsePatch } from '../../src/scim/patch/parse.ts'
import { parsePath } from '../../src/scim/path.ts'
import { parseProjection, project } from '../../src/scim/projection.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../src/scim/schema/resource-type.ts'
import { validateResource } from '../../src/scim/validation.ts'
import { reading, TOLERANT } from '../support/reading.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const RUNS = { numRuns: 1500, seed: 7644 }

const USER = validateResource(
  {
    userName: 'bjensen',
    title: 'Tour Guide',
    active: true,
    name: { givenName: 'Barbara', familyName: 'Jensen' },
    emails: [
      { value: 'bjensen@example.com', type: 'work', primary: true },
      { value: 'babs@jensen.org', type: 'home' },
    ],
    roles: [{ value: 'admin', primary: true }],
    [ENTERPRISE]: { division: 'd', manager: { value: 'm' } },
  },
  reading(USER_RESOURCE_TYPE),
).resource

/** Runs a function that may reject its input. Any exception other than a ScimError with a 4xx status is a failure. */
function accepted<Result>(run: () => Result): Result | undefined {
  try {
    return run()
  } catch (error) {
    if (error instanceof ScimError && error.status >= 400 && error.status < 500) {
      expect(error.detail.length).toBeLessThan(2000)
      expect(error.detail.isWellFormed()).toBe(true)
      return undefined
    }
    throw error
  }
}

/** Tokens of filters and paths, so that random text gets past the first token. */
const FRAGMENTS = [
  ...'()[]". \t\n\\\0$:,{}'.split(''),
  ...[
    'and',
    'or',
    'not',
    'not (',
    'eq',
    'ne',
    'co',
    'sw',
    'ew',
    'gt',
    'ge',
    'lt',
    'le',
    'pr',
    'true',
    'null',
    '"x"',
  ],
  ...[
    'userName',
    'emails',
    'emails[',
    'type',
    'value',
    'name.givenName',
    'meta.created',
    'active',
    'groups',
    'schemas',
  ],
  ...[
    ENTERPRISE,
    `${ENTERPRISE}:manager`,
    'urn:',
    'urn:a:b',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
  ],
  ...['\ud800', '\udc00', '😀', 'é', 'e\u0301', '\\u0000', '"2011-05-13T04:42:34Z"', '1e999', '-0', '007'],
]
const wild = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 14 }).map((parts) => parts.join(' ')),
  fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 14 }).map((parts) => parts.join('')),
)

const NAMES = [
  ...[
    'userName',
    'USERNAME',
    'title',
    'active',
    'name',
    'emails',
    'roles',
    'addresses',
    'groups',
    'id',
    'meta',
    'schemas',
  ],
  ...[
    'value',
    'type',
    'primary',
    'givenName',
    'display',
    '$ref',
    'manager',
    ENTERPRISE,
    `${ENTERPRISE}:manager.value`,
  ],
  ...['name.givenName', 'emails.value', '__proto__', 'constructor', 'prototype', 'shoeSize', 'members', ''],
]
/** Random JSON with known attribute names, and with `__proto__` as an own key. */
const json: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(
      null,
      true,
      false,
      'True',
      '',
      'work',
      'home',
      'x',
      'y',
      0,
      1.5,
      -1,
      '\ud800',
      'a\0b',
      '{"value":"z"}',
      [],
      {},
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.constantFrom(...NAMES), tie('value')), { maxLength: 4 })
      .map((entries) =>
        JSON.parse(`{${entries.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join(',')}}`),
      ),
  ),
})).value

const PATHS = [
  ...[
    'userName',
    'title',
    'active',
    'name',
    'name.givenName',
    'emails',
    'emails.value',
    'emails.primary',
    'roles',
    'id',
  ],
  ...[
    'emails[type eq "work"]',
    'emails[type eq "other"].value',
    'emails[value pr].primary',
    'roles[primary eq "True"].value',
  ],
  ...[
    'addresses[type eq "work"].locality',
    'emails[not (type eq "work")]',
    'schemas',
    'groups',
    'meta.created',
    'members',
  ],
  ...[
    ENTERPRISE,
    `${ENTERPRISE}:division`,
    `${ENTERPRISE}:manager`,
    `${ENTERPRISE}:manager.value`,
    'members[value eq "a"]',
  ],
]
const operation = fc.record(
  {
    op: fc.constantFrom('add', 'replace', 'remove', 'Add', 'Remove', 'move', 5),
    path: fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...PATHS) }, { weight: 1, arbitrary: wild }, json),
    value: json,
  },
  { requiredKeys: ['op'] },
)
const patchBody = fc.oneof(
  { weight: 9, arbitrary: fc.record({ Operations: fc.array(operation, { maxLength: 5 }) }) },
  { weight: 1, arbitrary: json },
)

afterEach(() => {
  expect(Object.keys(Object.prototype)).toEqual([])
  expect(({} as Complex).polluted).toBeUndefined()
})

describe('any text', () => {
  it('is a filter or rejected', () => {
    const property = fc.property(wild, (text) => {
      const filter = accepted(() => resolveFilter(parseFilter(text, TOLERANT), USER_RESOURCE_TYPE, TOLERANT))
      if (filter !== undefined) expect(typeof evaluateFilter(filter, USER)).toBe('boolean')
      const across = accepted(() =>
        resolveFilter(parseFilter(text, TOLERANT), GROUP_RESOURCE_TYPE, TOLERANT, 'no-value'),
      )
      if (across !== undefined) expect(typeof evaluateFilter(across, {})).toBe('boolean')
    })
    fc.assert(property, RUNS)
  })

  it('is a path or rejected', () => {
    const property = fc.property(wild, (text) => {
      accepted(() => parsePath(text, reading(USER_RESOURCE_TYPE)))
      accepted(() => parsePath(`emails[${text}]`, reading(USER_RESOURCE_TYPE)))
    })
    fc.assert(property, RUNS)
  })

  it('is accepted in a projection, which keeps "always" attributes and adds nothing', () => {
    const names = fc.array(fc.oneof(wild, fc.constantFrom(...PATHS, ...NAMES)), { maxLength: 5 })
    const property = fc.property(
      fc.option(names, { nil: undefined }),
      fc.option(names, { nil: undefined }),
      (some, others) => {
        const before = structuredClone(USER)
        const projected = project(USER, parseProjection(some, others, USER_RESOURCE_TYPE), USER_RESOURCE_TYPE)
        expect(projected.schemas).toEqual(USER.schemas)
        expect(Object.keys(projected).every((name) => name in USER)).toBe(true)
        expect(USER).toEqual(before)
      },
    )
    fc.assert(property, RUNS)
  })
})

describe('any JSON', () => {
  it('is a resource or rejected, and an accepted resource is accepted again', () => {
    const body = fc
      .tuple(fc.constantFrom(USER, {}), json)
      .map(([user, more]) => (isComplex(more) ? { ...user, ...more } : more))
    const property = fc.property(body, (value) => {
      const before = JSON.stringify(value)
      const validated = accepted(() => validateResource(value, reading(USER_RESOURCE_TYPE)))
      expect(JSON.stringify(value)).toBe(before)
      if (validated !== undefined) expectValid(validated.resource)
    })
    fc.assert(property, RUNS)
  })

  it('is a PATCH of a User with a valid result or rejected, and the given user is unchanged', () => {
    const frozen = deepFreeze(structuredClone(USER))
    const property = fc.property(patchBody, (body) => {
      const before = JSON.stringify(body)
      const patched = accepted(() =>
        applyPatch(
          frozen,
          parsePatch(body, reading(USER_RESOURCE_TYPE)).operations,
          reading(USER_RESOURCE_TYPE),
        ),
      )
      expect(JSON.stringify(body)).toBe(before)
      if (patched !== undefined) expectValid(patched.resource)
    })
    fc.assert(property, { ...RUNS, numRuns: 4000 })
  })

  it('is a PATCH of a Group or rejected', () => {
    const property = fc.property(patchBody, (body) => {
      accepted(() => {
        const { members, rest } = splitMembers(
          parsePatch(body, reading(GROUP_RESOURCE_TYPE)).operations,
          reading(GROUP_RESOURCE_TYPE),
        )
        for (const id of applyMemberChanges([{ value: 'a' }], members, TOLERANT))
          expect(typeof id).toBe('string')
        return applyPatch({ displayName: 'Tour Guides' }, rest, reading(GROUP_RESOURCE_TYPE))
      })
    })
    fc.assert(property, RUNS)
  })

  it('that is nested deeply is rejected or truncated', () => {
    for (const [open, close] of [
      ['{"a":', '}'],
      ['[', ']'],
      ['{"name":', '}'],
      ['{"emails":[', ']}'],
    ]) {
      const deep = JSON.parse(`${open?.repeat(50_000)}1${close?.repeat(50_000)}`)
      for (const body of [deep, { userName: 'x', name: deep, emails: [deep], title: deep }]) {
        accepted(() => validateResource(body, reading(USER_RESOURCE_TYPE)))
      }
      for (const path of [undefined, 'name', 'emails', 'title', 'emails[type eq "work"]']) {
        accepted(() =>
          applyPatch(
            USER,
            parsePatch({ Operations: [{ op: 'add', path, value: deep }] }, reading(USER_RESOURCE_TYPE))
              .operations,
            reading(USER_RESOURCE_TYPE),
          ),
        )
      }
    }
  })

  it('changes nothing if applied a second time as a replacement', () => {
    const property = fc.property(fc.constantFrom(...PATHS), json, (path, value) => {
      const apply = (resource: Complex) =>
        applyPatch(
          resource,
          parsePatch({ Operations: [{ op: 'replace', path, value }] }, reading(USER_RESOURCE_TYPE))
            .operations,
          reading(USER_RESOURCE_TYPE),
        ).resource
      const once = accepted(() => apply(USER))
      // The first application may change the value that the filter tests, so that it matches nothing the second time.
      if (once !== undefined && !path.includes('[')) expect(apply(once)).toEqual(once)
    })
    fc.assert(property, RUNS)
  })
})

/** Checks that validation does not change the resource, and that it has "schemas", no empty values, and no duplicates. */
function expectValid(resource: Complex): void {
  expect(validateResource(resource, reading(USER_RESOURCE_TYPE))).toEqual({ resource, ignored: [] })
  expect(() => comparisonDocument(resource, USER_RESOURCE_TYPE.attributes)).not.toThrow()
  expectNoEmptyValues(resource)
}

function expectNoEmptyValues(value: unknown): void {
  if (typeof value !== 'object') return
  expect(value).not.toBeNull()
  const inner = Object.values(value ?? {})
  expect(inner).not.toHaveLength(0)
  inner.forEach(expectNoEmptyValues)
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze)
  return value
}
