/**
 * The running time is linear in the size of the input, at sizes that a client can send. Four times the input may take up
 * to nine times as long, because of other processes and garbage collection. Quadratic time would take sixteen times.
 */
import { describe, expect, it } from 'vitest'
import { contains } from '../../src/scim/filter/contains.ts'
import { parseFilter } from '../../src/scim/filter/parser.ts'
import { resolveFilter } from '../../src/scim/filter/resolve.ts'
import { fold } from '../../src/scim/fold.ts'
import { applyPatch } from '../../src/scim/patch/apply.ts'
import { applyMemberChanges, splitMembers } from '../../src/scim/patch/members.ts'
import { parsePatch } from '../../src/scim/patch/parse.ts'
import { parsePath } from '../../src/scim/path.ts'
import { PROFILES } from '../../src/scim/profile.ts'
import { parseProjection, project } from '../../src/scim/projection.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../src/scim/schema/resource-type.ts'
import { validateResource } from '../../src/scim/validation.ts'
import { reading, TOLERANT } from '../support/reading.ts'

const TYPE = USER_RESOURCE_TYPE
const MAX_RATIO = 9
/** Shorter times measure the garbage collector. Quadratic algorithms take longer at these sizes. */
const CLEARLY_FAST_MS = 250

const patch = (operations: readonly unknown[]) =>
  applyPatch(
    { userName: 'x' },
    parsePatch({ Operations: operations }, reading(TYPE)).operations,
    reading(TYPE),
  )
const list = <T>(length: number, make: (i: number) => T) => Array.from({ length }, (_, i) => make(i))

describe('time is linear in the input', () => {
  it.for<[what: string, size: number, run: (size: number) => unknown]>([
    ['opening parentheses', 100_000, (n) => parseFilter('('.repeat(n), TOLERANT)],
    ['parentheses that match', 50_000, (n) => parseFilter(`${'('.repeat(n)}a pr${')'.repeat(n)}`, TOLERANT)],
    ['negations', 25_000, (n) => parseFilter('not ('.repeat(n), TOLERANT)],
    ['brackets', 50_000, (n) => parseFilter('a['.repeat(n), TOLERANT)],
    ['a long word', 100_000, (n) => parseFilter(`${'a'.repeat(n)}! pr`, TOLERANT)],
    ['a long path', 50_000, (n) => parseFilter(`${'a.'.repeat(n)}! pr`, TOLERANT)],
    ['a long URN', 50_000, (n) => parseFilter(`urn:${'a:'.repeat(n)}! !`, TOLERANT)],
    ['a URN with dots', 30_000, (n) => parseFilter(`urn:${'a.b:'.repeat(n)}1 pr`, TOLERANT)],
    ['a long string', 100_000, (n) => parseFilter(`a eq "${'x'.repeat(n)}"`, TOLERANT)],
    ['a string of escapes', 50_000, (n) => parseFilter(`a eq "${'\\n'.repeat(n)}"`, TOLERANT)],
    ['a string without an end', 100_000, (n) => parseFilter(`a eq "${'x'.repeat(n)}`, TOLERANT)],
    ['escapes without an end', 50_000, (n) => parseFilter(`a eq "${'\\"'.repeat(n)}`, TOLERANT)],
    ['strings', 30_000, (n) => parseFilter('"" '.repeat(n), TOLERANT)],
    ['white space', 100_000, (n) => parseFilter(' '.repeat(n), TOLERANT)],
    ['digits', 100_000, (n) => parseFilter(`a eq ${'1'.repeat(n)}x`, TOLERANT)],
    ['comparisons', 12_000, (n) => parseFilter('a eq "x" or '.repeat(n), TOLERANT)],
    [
      'a value to fold',
      30_000,
      (n) => resolveFilter(parseFilter(`title eq "${'ÄßΣ'.repeat(n)}"`, TOLERANT), TYPE, TOLERANT),
    ],
    ['folding', 100_000, (n) => fold('É'.repeat(n))],
    ['folding of marks', 20_000, (n) => fold(`a${'\u0301\u0323'.repeat(n)}`)],
    [
      'a search for a text that almost occurs',
      50_000,
      (n) => contains('a'.repeat(2 * n), `${'a'.repeat(n / 2)}b${'a'.repeat(n / 2)}`),
    ],
    ['a path of brackets', 50_000, (n) => parsePath('emails['.repeat(n), reading(TYPE))],
    ['a path of dots', 100_000, (n) => parsePath('.'.repeat(n), reading(TYPE))],
    [
      'names of a projection',
      10_000,
      (n) =>
        project(
          { id: 'x', title: 'y' },
          parseProjection(
            list(n, (i) => (i % 2 ? 'name.givenName' : 'x')),
            undefined,
            TYPE,
          ),
          TYPE,
        ),
    ],
    [
      'unknown attributes',
      10_000,
      (n) =>
        validateResource(
          Object.fromEntries([['userName', 'x'], ...list(n, (i) => [`x${i}`, i])]),
          reading(TYPE),
        ),
    ],
    [
      'schemas that must be distinct',
      10_000,
      (n) =>
        validateResource(
          { schemas: [TYPE.schema.id, ...list(n, (i) => `a${i}`)], userName: 'x' },
          reading(TYPE, PROFILES.entra),
        ),
    ],
    [
      'elements of a resource',
      6_000,
      (n) => validateResource({ userName: 'x', emails: list(n, (i) => ({ value: `a${i}` })) }, reading(TYPE)),
    ],
    [
      'elements without a value',
      6_000,
      (n) =>
        validateResource(
          { userName: 'x', addresses: list(n, (i) => ({ locality: `a${i}` })) },
          reading(TYPE),
        ),
    ],
    [
      'elements of one operation',
      6_000,
      (n) => patch([{ op: 'add', path: 'emails', value: list(n, (i) => ({ value: `a${i}` })) }]),
    ],
    [
      'operations that add',
      3_000,
      (n) => patch(list(n, (i) => ({ op: 'add', path: 'emails', value: [{ value: `a${i}` }] }))),
    ],
    [
      'operations that set',
      3_000,
      (n) => patch(list(n, (i) => ({ op: 'replace', path: 'name.givenName', value: `a${i}` }))),
    ],
    [
      'elements to remove',
      4_000,
      (n) =>
        patch([
          { op: 'add', path: 'emails', value: list(n, (i) => ({ value: `a${i}` })) },
          { op: 'remove', path: 'emails', value: list(n, (i) => ({ value: `a${i}` })) },
        ]),
    ],
    [
      'members',
      6_000,
      (n) => members([{ op: 'add', path: 'members', value: list(n, (i) => ({ value: `a${i}` })) }]),
    ],
    [
      'operations on members',
      3_000,
      (n) => members(list(n, (i) => ({ op: 'remove', path: `members[value eq "a${i}"]` }))),
    ],
  ])('%s', async ([, size, run]) => {
    const attempt = async (n: number) => {
      const start = await now()
      try {
        run(n)
      } catch (error) {
        expect(error).toMatchObject({ name: 'ScimError' })
      }
      return (await now()) - start
    }
    // The best of two runs, because of other processes.
    const best = async (n: number) => Math.min(await attempt(n), await attempt(n))
    const large = await best(2 * size)
    if (large > CLEARLY_FAST_MS) expect(large / (await best(size / 2))).toBeLessThan(MAX_RATIO)
  })
})

/** In workerd the clock advances only during I/O. */
async function now(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 0))
  return performance.now()
}

function members(operations: readonly unknown[]) {
  const { members } = splitMembers(
    parsePatch({ Operations: operations }, reading(GROUP_RESOURCE_TYPE)).operations,
    reading(GROUP_RESOURCE_TYPE),
  )
  return applyMemberChanges([], members, TOLERANT)
}
