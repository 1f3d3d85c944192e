/** The extensions of a tenant: the changes of administrators, and the resulting resource types. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Complex } from '../../../src/scim/comparison.ts'
import { PROFILES } from '../../../src/scim/profile.ts'
import { parseProjection, project } from '../../../src/scim/projection.ts'
import type { Reading } from '../../../src/scim/reading.ts'
import { parseExtension } from '../../../src/scim/schema/extension.ts'
import { SchemaRefused } from '../../../src/scim/schema/extension-members.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../../src/scim/schema/resource-type.ts'
import {
  decodeExtensions,
  encodeExtensions,
  NO_EXTENSIONS,
  type TenantExtensions,
  tenantResourceTypes,
  withIndexReady,
  withSchema,
  withState,
} from '../../../src/scim/schema/tenant-extensions.ts'
import { replacementOf, validateResource } from '../../../src/scim/validation.ts'
import { Work } from '../../../src/scim/work.ts'

const TYPES = [USER_RESOURCE_TYPE, GROUP_RESOURCE_TYPE]
const ACME = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User'
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'

const schema = (id: string, ...attributes: readonly Complex[]) => parseExtension({ id, attributes }, TYPES)
const indexed = (...names: readonly string[]) => names.map((name) => ({ name, indexed: true }))
const put = (all: TenantExtensions, id: string, ...attributes: readonly Complex[]) =>
  withSchema(all, schema(id, ...attributes))
const slots = ({ indexes }: TenantExtensions) =>
  Object.fromEntries(indexes.map(({ path, slot, isReady }) => [path[1], [slot, isReady]]))

function typeOf(all: TenantExtensions) {
  const [user] = tenantResourceTypes(TYPES, all)
  if (user === undefined) throw new Error('no User')
  return user
}

function readingOf(all: TenantExtensions): Reading {
  return { type: typeOf(all), profile: PROFILES.tolerant, work: new Work() }
}

function refusedField(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof SchemaRefused) return error.field
    throw error
  }
  return 'nothing was refused'
}

describe('the indexes of a tenant', () => {
  it('assign each attribute a column, which it keeps', () => {
    let all = put(NO_EXTENSIONS, ACME, ...indexed('a', 'b', 'c'))
    expect(slots(all)).toEqual({ a: [1, false], b: [2, false], c: [3, false] })
    for (const index of all.indexes) all = withIndexReady(all, index)
    all = put(all, ACME, ...indexed('d', 'c'), { name: 'a' }, { name: 'b', indexed: true })
    expect(slots(all)).toEqual({ b: [2, true], c: [3, true], d: [1, false] })
  })

  it('are dropped with a removed schema, and rebuilt with a restored one', () => {
    let all = put(NO_EXTENSIONS, ACME, ...indexed('a'))
    for (const index of all.indexes) all = withIndexReady(all, index)
    all = withState(all, ACME, 'removed')
    expect(slots(all)).toEqual({})
    expect(slots(put(all, ACME, ...indexed('a')))).toEqual({ a: [1, false] })
  })
})

describe('withSchema', () => {
  const many = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, i) => ({ name: `${prefix}${i}` }))

  it('allows 50 attributes in total', () => {
    const all = put(NO_EXTENSIONS, ACME, ...many(30, 'a'))
    expect(put(all, 'urn:bb:x:Group', ...many(20, 'b')).extensions).toHaveLength(2)
    expect(refusedField(() => put(all, 'urn:bb:x:Group', ...many(21, 'b')))).toBe('attributes')
    const removed = withState(all, ACME, 'removed')
    expect(refusedField(() => put(removed, 'urn:bb:x:Group', ...many(21, 'b')))).toBe('attributes')
  })

  it('allows 5 indexed attributes in total, not counting removed schemas', () => {
    const all = put(NO_EXTENSIONS, ACME, ...indexed('a', 'b', 'c'))
    const other = indexed('d', 'e', 'f')
    expect(slots(put(all, 'urn:bb:x:Group', ...other.slice(1)))).toMatchObject({
      e: [4, false],
      f: [5, false],
    })
    expect(refusedField(() => put(all, 'urn:bb:x:Group', ...other))).toBe('attributes')
    const removed = withState(all, ACME, 'removed')
    expect(slots(put(removed, 'urn:bb:x:Group', ...other))).toMatchObject({ f: [3, false] })
  })

  it('allows 20 schemas', () => {
    const urns = Array.from({ length: 20 }, (_, i) => `urn:bb:x${i}:User`)
    const all = urns.reduce((some, urn) => put(some, urn, { name: 'a' }), NO_EXTENSIONS)
    expect(refusedField(() => put(all, 'urn:bb:y:User', { name: 'a' }))).toBe('id')
  })

  it('allows 64 K characters in total', () => {
    const long = many(49, 'a').map((attribute) => ({ ...attribute, description: 'x'.repeat(1000) }))
    const values = Array.from({ length: 100 }, () => 'x'.repeat(200))
    expect(put(NO_EXTENSIONS, ACME, ...long).extensions).toHaveLength(1)
    expect(
      refusedField(() => put(NO_EXTENSIONS, ACME, ...long, { name: 'b', canonicalValues: values })),
    ).toBe('attributes')
  })

  it.for([ACME.toUpperCase().replace('URN', 'urn'), `${ACME}:badge`, ACME.replace(/:User$/, '')])(
    'rejects %s, which overlaps another schema',
    (urn) => {
      const all = put(NO_EXTENSIONS, ACME, { name: 'badge' })
      const other = { id: urn, resourceType: 'User', attributes: [{ name: 'a' }] }
      expect(refusedField(() => withSchema(all, parseExtension(other, TYPES)))).toBe('id')
    },
  )
})

describe('encodeExtensions', () => {
  it('is lossless', () => {
    const attribute = fc.record(
      {
        type: fc.constantFrom('string', 'boolean', 'decimal', 'integer', 'dateTime', 'binary', 'reference'),
        multiValued: fc.boolean(),
        description: fc.string({ maxLength: 5 }).filter((text) => !text.includes('\0')),
        returned: fc.constantFrom('always', 'default', 'request'),
      },
      { requiredKeys: [] },
    )
    const named = (attributes: readonly Complex[]) => attributes.map((one, i) => ({ name: `a${i}`, ...one }))
    const schemas = fc.record({
      simple: fc.array(attribute, { minLength: 1, maxLength: 5 }),
      inner: fc.array(attribute, { minLength: 1, maxLength: 3 }),
    })
    fc.assert(
      fc.property(schemas, ({ simple, inner }) => {
        const complex = { name: 'c', type: 'complex', subAttributes: named(inner) }
        const all = put(NO_EXTENSIONS, ACME, ...named(simple), complex)
        const stored = JSON.parse(JSON.stringify(encodeExtensions(all)))
        expect(decodeExtensions(stored)).toEqual(all)
      }),
      { numRuns: 300, seed: 7643 },
    )
  })
})

describe('a resource type with extensions', () => {
  const all = put(
    NO_EXTENSIONS,
    ACME,
    { name: 'badge', returned: 'always' },
    { name: 'note', returned: 'request' },
    { name: 'level', type: 'integer', mutability: 'immutable' },
    {
      name: 'sites',
      type: 'complex',
      multiValued: true,
      subAttributes: [{ name: 'code' }, { name: 'primary', type: 'boolean' }],
    },
  )
  const own = { badge: 'B', note: 'N', level: 7, sites: [{ code: 'x', primary: true }] }
  const body = { schemas: [USER, ACME], userName: 'u', [ACME]: own }
  const { resource } = validateResource(body, readingOf(all))

  it('accepts its attributes and reports unknown ones', () => {
    expect(resource).toEqual(body)
    const { ignored } = validateResource({ userName: 'u', [ACME]: { badge: 'B', x: 1 } }, readingOf(all))
    expect(ignored).toEqual([`${ACME}:x`])
  })

  it('rejects values of another type, and two primary values', () => {
    const check = (extension: Complex) => () =>
      validateResource({ userName: 'u', [ACME]: extension }, readingOf(all))
    expect(check({ level: '7' })).toThrow(`attribute "${ACME}:level" must be an integer, found a string`)
    expect(
      check({
        sites: [
          { code: 'x', primary: true },
          { code: 'y', primary: true },
        ],
      }),
    ).toThrow(`attribute "${ACME}:sites" has more than one primary value`)
  })

  it.for<[attributes: string[] | undefined, excluded: string[] | undefined, shown: Complex | undefined]>([
    [undefined, undefined, { badge: 'B', level: 7, sites: own.sites }],
    [['userName'], undefined, { badge: 'B' }],
    [undefined, [ACME], { badge: 'B' }],
    [undefined, [`${ACME}:level`], { badge: 'B', sites: own.sites }],
    [[`${ACME}:note`], undefined, { badge: 'B', note: 'N' }],
    [[`${ACME}:sites.code`], undefined, { badge: 'B', sites: [{ code: 'x' }] }],
    [[ACME], undefined, own],
  ])('is projected by attributes %j and excludedAttributes %j', ([attributes, excluded, shown]) => {
    const type = typeOf(all)
    expect(project(resource, parseProjection(attributes, excluded, type), type)[ACME]).toEqual(shown)
  })

  it('does not allow a replacement to change immutable values', () => {
    const type = typeOf(all)
    expect(replacementOf(resource, resource, type)).toEqual(resource)
    expect(() => replacementOf(resource, { ...resource, [ACME]: { ...own, level: 8 } }, type)).toThrow(
      'immutable',
    )
    expect(() => replacementOf(resource, { schemas: [USER], userName: 'u' }, type)).toThrow('immutable')
  })

  it('hides a removed extension and keeps its values in a replacement', () => {
    const type = typeOf(withState(all, ACME, 'removed'))
    expect(project(resource, {}, type)).toEqual({ schemas: [USER], userName: 'u' })
    const sent = validateResource({ userName: 'v', [ACME]: { badge: 'C' } }, { ...readingOf(all), type })
    expect(sent).toEqual({ resource: { schemas: [USER], userName: 'v' }, ignored: [ACME] })
    expect(replacementOf(resource, sent.resource, type)).toEqual({ ...body, userName: 'v' })
  })

  it('hides an extension that is being purged and does not keep its values', () => {
    const type = typeOf(withState(all, ACME, 'purging'))
    expect(project(resource, {}, type)).toEqual({ schemas: [USER], userName: 'u' })
    expect(replacementOf(resource, { schemas: [USER], userName: 'v' }, type)).toEqual({
      schemas: [USER],
      userName: 'v',
    })
  })
})
