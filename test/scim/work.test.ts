/**
 * The cost of hostile input, in units of work instead of time. Each row is a request that once took seconds, because its
 * cost was not proportional to the request and the stored data.
 */
import { describe, expect, it } from 'vitest'
import { type Complex, comparisonKey } from '../../src/scim/comparison.ts'
import { applyDisablingPatch } from '../../src/scim/compatibility/disabling.ts'
import { requireDistinctKeys } from '../../src/scim/compatibility/values.ts'
import { MAX_BODY_BYTES, MAX_ELEMENTS, MAX_MEMBERS, MAX_WORK_UNITS } from '../../src/scim/limits.ts'
import { applyPatch } from '../../src/scim/patch/apply.ts'
import { applyMemberChanges, splitMembers } from '../../src/scim/patch/members.ts'
import { parsePatch } from '../../src/scim/patch/parse.ts'
import { parseProjection, project } from '../../src/scim/projection.ts'
import type { Attribute } from '../../src/scim/schema/definition.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../src/scim/schema/resource-type.ts'
import { validateResource } from '../../src/scim/validation.ts'
import { Work } from '../../src/scim/work.ts'
import { reading, STRICT, TOLERANT } from '../support/reading.ts'

const list = <T>(length: number, make: (i: number) => T) => Array.from({ length }, (_, i) => make(i))
const emails = (count: number): Complex => ({
  userName: 'x',
  emails: list(count, (i) => ({ value: `a${i}@x.example`, type: 'work' })),
})

/** The cost of a PATCH of a user. */
function spentOn(stored: Complex, operations: readonly unknown[]): number {
  const work = new Work('invalidValue', Number.POSITIVE_INFINITY)
  const parsed = parsePatch({ Operations: operations }, reading(USER_RESOURCE_TYPE, TOLERANT, work))
  applyPatch(stored, parsed.operations, reading(USER_RESOURCE_TYPE, TOLERANT, work))
  return work.spent
}

const memberById = (i: number) => `members[value eq "0198a5d2-7c2b-7000-8000-${1e11 + i}"]`

const sizeOf = (...values: readonly unknown[]) => JSON.stringify(values).length

const anyOf = (count: number, comparison: string) => list(count, () => comparison).join(' or ')

describe('the work of a PATCH', () => {
  // The operations, and the allowed number of units per character sent or stored.
  it.for<[what: string, stored: Complex, operations: readonly unknown[], unitsPerCharacter: number]>([
    [
      'folds one long value once for 2,000 comparisons',
      { userName: 'x', emails: [{ value: 'é'.repeat(300_000) }] },
      list(20, () => ({ op: 'remove', path: `emails[${anyOf(100, 'value eq "x"')}]` })),
      13,
    ],
    [
      'removes 1,000 elements without a value from 1,000 by look-ups',
      { userName: 'x', addresses: list(1_000, (i) => ({ locality: `Town ${i}`, type: 'work' })) },
      [{ op: 'remove', path: 'addresses', value: list(1_000, (i) => ({ locality: `town ${i}` })) }],
      6,
    ],
    [
      'searches a long text for a long text, both adversarial',
      { userName: 'x', emails: [{ value: 'a'.repeat(300_000) }] },
      [{ op: 'remove', path: `emails[value co "${'a'.repeat(500)}b${'a'.repeat(500)}"]` }],
      3,
    ],
    [
      'copies only the changed attribute, not a large one',
      emails(30_000),
      list(100, (i) => ({ op: 'replace', path: 'title', value: `${i}` })),
      0.1,
    ],
    [
      'replaces a list many times',
      emails(1_000),
      list(1_000, (i) => ({ op: 'replace', path: 'emails', value: `${i}` })),
      5,
    ],
  ])('%s', ([, stored, operations, unitsPerCharacter]) => {
    expect(spentOn(stored, operations)).toBeLessThan(unitsPerCharacter * sizeOf(stored, operations))
  })

  // Each operation visits each element. The cost is the product, so the request must be rejected.
  it.for<[what: string, stored: Complex, operation: (i: number) => unknown]>([
    ['remove with a value', emails(1_000), (i) => ({ op: 'remove', path: 'emails', value: `nobody${i}` })],
    ['value paths', emails(1_000), (i) => ({ op: 'remove', path: `emails[value eq "nobody${i}"]` })],
    [
      'paths through elements',
      emails(1_000),
      (i) => ({ op: 'replace', path: 'emails.display', value: `${i}` }),
    ],
    [
      'operations that make a value primary',
      emails(1_000),
      (i) => ({
        op: 'add',
        path: 'emails',
        value: [{ value: `a${i % 1_000}@x.example`, type: 'work', primary: true }],
      }),
    ],
    [
      'operations that change the identity of elements',
      emails(1_000),
      (i) => ({ op: 'replace', path: `emails[value ew "${i}@x.example"].type`, value: `t${i}` }),
    ],
    [
      'operations that copy a long value into each element',
      { userName: 'x', photos: list(1_000, (i) => ({ value: `${i}` })) },
      (i) => ({ op: 'replace', path: 'photos.value', value: 'x'.repeat(60_000) + i }),
    ],
    [
      'comparisons with long values that have a common prefix',
      { userName: 'x', emails: list(100, (i) => ({ value: `${'é'.repeat(900)}${i}` })) },
      () => ({ op: 'remove', path: `emails[${anyOf(60, `value gt "${'é'.repeat(900)}z"`)}]` }),
    ],
  ])('rejects too many %s, names the limit, and does not change the resource', ([, stored, operation]) => {
    const before = JSON.stringify(stored)
    const count = Math.floor(MAX_BODY_BYTES / sizeOf(operation(1_000)))
    const body = { Operations: list(count, operation) }
    const work = new Work()
    const run = () => {
      const { operations } = parsePatch(body, reading(USER_RESOURCE_TYPE, TOLERANT, work))
      return applyPatch(stored, operations, reading(USER_RESOURCE_TYPE, TOLERANT, work))
    }
    expect(run).toThrow(
      expect.objectContaining({
        status: 400,
        scimType: 'invalidValue',
        detail: expect.stringContaining(`exceeds the limit of ${MAX_WORK_UNITS} units of work`),
      }),
    )
    // Work is counted before it is done, so no step exceeds the limit by much.
    expect(work.spent).toBeLessThan(1.1 * MAX_WORK_UNITS)
    expect(JSON.stringify(stored)).toBe(before)
  })

  // Parsing a comparison takes more time than parsing its JSON, because its attribute is looked up and checked.
  it.for<[what: string, path: (i: number) => string]>([
    ['comparisons', (i) => `members[${anyOf(100, `value eq "${i}"`)}]`],
    ['short tests', (i) => `members[display eq "${i}" or ${anyOf(99, 'value pr')}]`],
    ['parentheses', (i) => `members[${'('.repeat(30)}value eq "${i}"${')'.repeat(30)}]`],
    ['long values', (i) => `members[display eq "${i}${'é'.repeat(60_000)}"]`],
    ['members by their ids', memberById],
  ])('of a group counts the parsing of %s', ([, path]) => {
    const count = Math.floor(MAX_BODY_BYTES / sizeOf({ op: 'remove', path: path(1) }))
    const body = { Operations: list(count, (i) => ({ op: 'remove', path: path(i) })) }
    const work = new Work()
    const run = () => parsePatch(body, reading(GROUP_RESOURCE_TYPE, TOLERANT, work))
    expect(run).toThrow(/exceeds the limit of \d+ units of work/)
    // The last value may have 60,000 characters, which count as a whole.
    expect(work.spent).toBeLessThan(1.25 * MAX_WORK_UNITS)
  })

  it('parses a path once, however many operations have it', () => {
    const spent = (count: number) => {
      const work = new Work()
      const operation = { op: 'replace', path: 'emails[type eq "work"].value', value: 'a' }
      parsePatch({ Operations: list(count, () => operation) }, reading(USER_RESOURCE_TYPE, TOLERANT, work))
      return work.spent
    }
    expect(spent(1)).toBeGreaterThan(0)
    expect(spent(1_000)).toBe(spent(1))
  })

  it('looks for what became empty only if a value was removed', () => {
    const remove = { op: 'remove', path: 'addresses.country' }
    const stored: Complex = {
      userName: 'x',
      addresses: list(50, (i) => ({ locality: `${i}`, country: 'X' })),
    }
    const first = spentOn(stored, [remove])
    expect(spentOn(stored, [remove, remove]) - first).toBeLessThan(0.7 * first)
  })

  it('is not counted any more once it is refused', () => {
    const work = new Work('invalidValue', 100)
    for (let i = 0; i < 10; i++) expect(() => work.spend(101)).toThrow('exceeds the limit of 100 units')
    expect(work.spent).toBe(101)
  })

  it('allows 8,000 removals of members by their ids', () => {
    const body = { Operations: list(8_000, (i) => ({ op: 'remove', path: memberById(i) })) }
    expect(parsePatch(body, reading(GROUP_RESOURCE_TYPE)).operations).toHaveLength(8_000)
  })

  // About 40 ns each: three times as long as a letter with an accent, and hundreds of times as long as an ASCII one.
  it.for(['ΐ', '\u0301\u0316'])(
    'counts twelve units for each non-ASCII character to fold: %j',
    (character) => {
      const work = new Work()
      work.fold(character.repeat(100))
      expect(work.spent).toBeGreaterThanOrEqual(12 * 100 * character.length)
    },
  )

  // Each takes 20 to 50 µs, most of it for the stack trace of an error.
  it.for<[what: string, operation: object]>([
    ['paths that cannot be parsed', { op: 'add', path: 'emails[]', value: '0a' }],
    ['paths with an unknown attribute', { op: 'add', path: 'toString[urn:x:y pr]', value: '0a' }],
    ['values that only begin like JSON', { op: 'add', path: 'emails', value: ['{"value":"x",'] }],
  ])('counts 1,700 %s as too many', ([, operation]) => {
    const run = () =>
      spentOn({ userName: 'x' }, [
        ...list(1_700, () => operation),
        { op: 'replace', path: 'active', value: false },
      ])
    expect(run()).toBeGreaterThan(MAX_WORK_UNITS)
  })

  it('counts what each operation copies, at all levels, if a rejected one is omitted', () => {
    const part = (i: number) => Object.fromEntries(list(8, (k) => [`s${k}`, `${i}`]))
    const stored = { userName: 'x', active: true, addresses: list(1_000, part) }
    const work = new Work('invalidValue', Number.POSITIVE_INFINITY)
    const asked = reading(USER_RESOURCE_TYPE, TOLERANT, work)
    const operations = [
      { op: 'add', path: 'emails[type eq "x"', value: '' },
      ...list(100, () => ({ op: 'add', path: 'addresses', value: [] })),
      { op: 'replace', path: 'active', value: false },
      { op: 'replace', path: 'title', value: 5 },
    ]
    applyDisablingPatch(stored, parsePatch({ Operations: operations }, asked), asked)
    expect(work.spent).toBeGreaterThan(100 * 9_000 * 10)
  })

  // Work that was not counted, or as the visit of one value.
  it.for<[what: string, least: number, operations: readonly unknown[]]>([
    [
      'a key without a path',
      1_000 * 80,
      [{ op: 'add', value: Object.fromEntries(list(1_000, (i) => [`k${i}`, 1])) }],
    ],
    [
      'an ignored name',
      1_000 * 250,
      [{ op: 'add', path: 'name', value: Object.fromEntries(list(1_000, (i) => [`k${i}`, 1])) }],
    ],
    [
      'a negation, for each value',
      1_000 * 31 * 10,
      [{ op: 'remove', path: `emails[${'not ('.repeat(30)}type eq "x"${')'.repeat(30)}]` }],
    ],
  ])('counts %s', ([, least, operations]) => {
    expect(spentOn(emails(1_000), operations)).toBeGreaterThan(least)
  })

  it('counts the parsing of a dateTime for each comparison', () => {
    const work = new Work()
    const since: Attribute = {
      ...USER_RESOURCE_TYPE.attributes[0],
      name: 'since',
      type: 'dateTime',
    } as Attribute
    comparisonKey(since, '2026-01-01T00:00:00Z', work)
    expect(work.spent).toBeGreaterThan(120)
  })

  it('counts only copies of changed attributes', () => {
    const stored: Complex = { ...emails(3), roles: [{ value: 'r' }] }
    const { operations } = parsePatch(
      { Operations: [{ op: 'replace', path: 'roles.display', value: 'R' }] },
      reading(USER_RESOURCE_TYPE),
    )
    const { resource } = applyPatch(stored, operations, reading(USER_RESOURCE_TYPE))
    expect(resource.emails).toBe(stored.emails)
    expect(resource.roles).toEqual([{ value: 'r', display: 'R' }])
    expect(stored.roles).toEqual([{ value: 'r' }])
  })

  it('allows 300 operations on a user with 50 values', () => {
    const operations = list(100, (i) => [
      { op: 'replace', path: `emails[value eq "a${i % 50}@x.example"].display`, value: `${i}` },
      { op: 'remove', path: 'emails', value: [{ value: `nobody${i}` }] },
      { op: 'add', path: 'emails', value: [{ value: `b${i}`, primary: true }] },
    ]).flat()
    expect(spentOn(emails(50), operations)).toBeLessThan(MAX_WORK_UNITS / 2)
  })
})

describe('the work of a body', () => {
  it('allows a body full of members', () => {
    const id = (i: number) => `0198a5d2-7c2b-7000-8000-${String(i).padStart(12, '0')}`
    const members = list(26_000, id)
    expect(sizeOf(members)).toBeGreaterThan(0.9 * MAX_BODY_BYTES)
    const work = new Work()
    validateResource({ displayName: 'x', members }, reading(GROUP_RESOURCE_TYPE, TOLERANT, work))
    expect(work.spent).toBeLessThan(0.9 * MAX_WORK_UNITS)
  })

  it.for<[what: string, role: unknown]>([
    ['one JSON text of many members', `{"value":"x",${list(90_000, (i) => `"k${i}":1`).join()}}`],
    ['many texts that start like JSON but are not', list(1_000, (i) => `{${i}`.padEnd(500, '['))],
    [
      'roles whose values are such texts',
      list(1_000, (i) => ({ value: `{"value":"${i}"${' '.repeat(900)}}` })),
    ],
  ])('includes the parsing of JSON inside texts: %s', ([, roles]) => {
    const work = new Work()
    const body = { userName: 'x', roles: Array.isArray(roles) ? roles : [roles] }
    const spent = () => {
      try {
        validateResource(body, reading(USER_RESOURCE_TYPE, TOLERANT, work))
      } catch (error) {
        expect(error).toMatchObject({ detail: expect.stringContaining('units of work') })
      }
      return work.spent
    }
    expect(spent()).toBeGreaterThan(3.5 * sizeOf(roles))
  })

  // A look for repeated names visits every value: 340,000 empty objects have room in a body.
  it.for<[what: string, value: unknown, leastUnits: number]>([
    ['empty objects', {}, 20_000],
    ['empty arrays', [], 20_000],
    ['arrays of arrays', [[[]]], 40_000],
    ['numbers', 1, 10_000],
  ])('includes each value in which a repeated name could be: %s', ([, value, leastUnits]) => {
    const work = new Work('invalidValue', Number.POSITIVE_INFINITY)
    requireDistinctKeys({ x: list(1_000, () => value) }, STRICT, work)
    expect(work.spent).toBeGreaterThanOrEqual(leastUnits)
  })

  it.for<[attribute: string, limit: number, body: (count: number) => object]>([
    ['emails', MAX_ELEMENTS, (count) => ({ userName: 'x', emails: list(count, (i) => `a${i}`) })],
    ['roles', MAX_ELEMENTS, (count) => ({ userName: 'x', roles: list(count, (i) => `r${i}`) })],
    ['members', MAX_MEMBERS, (count) => ({ displayName: 'x', members: list(count, (i) => `a${i}`) })],
    [
      'schemas',
      MAX_ELEMENTS,
      (count) => ({
        userName: 'x',
        schemas: list(count, (i) => (i === 0 ? USER_RESOURCE_TYPE.schema.id : `a${i}`)),
      }),
    ],
  ])('is limited by the number of %s before they are visited', ([attribute, limit, body]) => {
    const work = new Work()
    const type = attribute === 'members' ? GROUP_RESOURCE_TYPE : USER_RESOURCE_TYPE
    expect(() => validateResource(body(limit + 1), reading(type, TOLERANT, work))).toThrow(
      `attribute "${attribute}" has ${limit + 1} values, the limit is ${limit}`,
    )
    expect(work.spent).toBeLessThan(100)
    expect(() => validateResource(body(limit), reading(type))).not.toThrow()
  })
})

describe('the work of members', () => {
  const members = list(100_000, (i) => ({ value: `${i}`, display: `Person ${i}`, type: 'User' }))
  const changesOf = (count: number) =>
    splitMembers(
      parsePatch(
        { Operations: list(count, () => ({ op: 'remove', path: 'members[type eq "Group"]' })) },
        reading(GROUP_RESOURCE_TYPE),
      ).operations,
      reading(GROUP_RESOURCE_TYPE),
    ).members

  it('allows one value path over 100,000 members and rejects many', () => {
    expect(applyMemberChanges(members, changesOf(1), TOLERANT).size).toBe(100_000)
    expect(() => applyMemberChanges(members, changesOf(2), TOLERANT)).toThrow(/units of work/)
  })
})

describe('the work of a projection', () => {
  it('does not depend on the number of names that a client sends', () => {
    const resource = { id: 'x', ...emails(100) }
    const spent = (names: readonly string[]) => {
      const work = new Work()
      const projection = parseProjection(
        names,
        names.map(() => 'title'),
        USER_RESOURCE_TYPE,
      )
      project(resource, projection, USER_RESOURCE_TYPE, work)
      return work.spent
    }
    const names = list(500, (i) => ['emails.type', 'name.givenName', 'nickName', 'shoeSize'][i % 4] ?? '')
    expect(spent(names)).toBe(spent(names.slice(0, 4)))
    expect(() => spent([...names, 'x'])).toThrow('"attributes" has 501 names, the limit is 500')
  })
})

describe('rewind', () => {
  it('does not count a repeated attempt twice', () => {
    const work = new Work('invalidValue', 100, 60)
    for (let i = 0; i < 3; i++) {
      work.rewind(60)
      work.spend(40)
    }
    expect(work.spent).toBe(100)
    expect(() => work.spend(1)).toThrow(/exceeds the limit of 100 units/)
  })
})

describe('a stored document', () => {
  const spent = (value: unknown, count = (work: Work, json: string) => work.readStored(json)) => {
    const work = new Work('invalidValue', Number.POSITIVE_INFINITY)
    count(work, JSON.stringify(value))
    return work.spent
  }
  const lengthOf = (value: unknown) => JSON.stringify(value).length

  it('counts by its objects, members and texts too, because many short ones take longer than one long text', () => {
    for (const [values, factor] of [
      [list(1_000, () => ({ value: 'x' })), 2.5],
      [list(1_000, () => ({ value: 'x', type: 'y' })), 2],
      [list(1_000, (i) => `${i}`), 2.5],
    ] as const) {
      const text = 'x'.repeat(lengthOf(values))
      expect(spent(values)).toBeGreaterThan(factor * spent(text))
      // A text that looks like them is one text.
      expect(spent(JSON.stringify(values))).toBeLessThan(1.5 * spent(text))
    }
  })

  it('counts more if it is written, and more for each text and each character that is folded', () => {
    const write = (work: Work, json: string) => work.writeStored(json)
    const [plain, beyond] = ['a', 'é'].map((start) => list(1_000, (i) => `${start}${1_000 + i}`))
    expect(spent(plain, write)).toBe(2 * spent(plain))
    expect(spent(beyond, write)).toBe(spent(plain, write) + 1_000 * (12 + 16))
    const [one, two] = [['é'.repeat(100)], ['é'.repeat(50), 'é'.repeat(50)]]
    expect(spent(two, write)).toBe(spent(one, write) + 16 + 2 * (spent(two) - spent(one)))
  })

  it('is not refused beyond the limit if that is not wanted', () => {
    const work = new Work('invalidValue', 10)
    work.writeStored('{"a":"é"}', false)
    work.writeValues(1_000, false)
    expect(work.isExhausted).toBe(true)
    expect(() => work.writeStored('{}')).toThrow(/exceeds the limit of 10 units of work/)
    expect(() => new Work('invalidValue', 10).writeValues(1)).toThrow(/exceeds the limit of 10 units/)
  })
})
