/**
 * The compilation of filters to SQL: the text of the SQL, and the largest filters on the real D1. The selected rows are
 * tested in differential.test.ts, and the use of indexes in query-plans.test.ts.
 */
import { env } from 'cloudflare:workers'
import { sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { compileFilter } from '../../../src/scim/filter/compile.ts'
import { parseFilter } from '../../../src/scim/filter/parser.ts'
import { resolveFilter } from '../../../src/scim/filter/resolve.ts'
import { fragment } from '../../../src/scim/filter/sql-fragment.ts'
import { MAX_FILTER_COMPARISONS, MAX_FILTER_DEPTH } from '../../../src/scim/limits.ts'
import type { ResourceType } from '../../../src/scim/schema/definition.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../../src/scim/schema/resource-type.ts'
import {
  MAX_BOUND_PARAMETERS,
  noFigures,
  openDatabase,
  statement,
} from '../../../src/storage/database/database.ts'
import { columnsOf } from '../../../src/storage/lists/column-map.ts'
import { toSql } from '../../../src/storage/lists/columns.ts'
import { RESOURCE_TYPES, type StoredResourceType } from '../../../src/storage/tables/resource-tables.ts'
import { TOLERANT } from '../../support/reading.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
// D1 rejects longer statements, only in production: https://developers.cloudflare.com/d1/platform/limits/
// Leaves room for the other parts of a list statement.
const MAX_STATEMENT_BYTES = 100_000 - 5_000

describe('a compiled filter', () => {
  it.for([
    'userName eq "VALUE"',
    'userName ne "VALUE"',
    'displayName co "VALUE"',
    'title sw "VALUE"',
    'title ew "VALUE"',
    'externalId gt "VALUE"',
    'emails[type eq "VALUE" and not (value sw "VALUE")]',
    'emails.value ew "VALUE" or schemas co "VALUE"',
    `${ENTERPRISE}:manager.value le "VALUE"`,
    'name[givenName ge "VALUE"]',
    'groups[value eq "VALUE" or display lt "VALUE"]',
    'meta.version eq "VALUE" and id eq "VALUE"',
  ])('has no values in its text: %s', (filter) => {
    for (const value of ["x' OR 1=1 --", '?1', '$.a', "'); DROP TABLE users; --", 'ẞ']) {
      const written = JSON.stringify(value).slice(1, -1)
      const { strings, values } = compile(filter.replaceAll('VALUE', written), USER_RESOURCE_TYPE)
      const plain = compile(filter.replaceAll('VALUE', 'plain'), USER_RESOURCE_TYPE)
      expect(strings).toEqual(plain.strings)
      expect(values).toHaveLength(strings.length - 1)
      expect(
        values.some((found) => String(found).startsWith(value.toLowerCase().slice(0, 1)) || value === 'ẞ'),
      ).toBe(true)
    }
  })

  // The range of a prefix ends at the next code point. None follows U+10FFFF, and surrogates are skipped.
  it.for<[prefix: string, values: readonly unknown[]]>([
    ['ab', ['ab', 'ac']],
    ['a\ud7ff', ['a\ud7ff', 'a\ue000']],
    ['a\uffff', ['a\uffff', 'a\u{10000}']],
    ['a\u{10ffff}', ['a\u{10ffff}', 'b']],
    ['\u{10ffff}', ['\u{10ffff}']],
    ['', ['']],
  ])('compiles the prefix %j to the range %j', ([prefix, values]) => {
    expect(compile(`externalId sw ${JSON.stringify(prefix)}`, USER_RESOURCE_TYPE).values).toEqual(values)
  })

  it('counts the length of a suffix in code points', () => {
    expect(compile('title ew "😀x"', USER_RESOURCE_TYPE).values).toEqual([2, '😀x'])
  })
})

describe('fragment', () => {
  it('inserts nested fragments and converts other values to parameters', () => {
    const inner = fragment`a = ${1}`
    expect(fragment`(${inner} OR b = ${'?'})`).toEqual({
      strings: ['(a = ', ' OR b = ', ')'],
      values: [1, '?'],
    })
  })
})

describe('the largest filters', () => {
  const texts = (name: string, operator: string) =>
    Array.from({ length: MAX_FILTER_COMPARISONS }, (_, i) => `${name} ${operator} "value ${i}"`)
  const deep = (inner: string, levels: number) => `${'not ('.repeat(levels)}${inner}${')'.repeat(levels)}`

  it.for<[what: string, type: ResourceType, filter: string]>([
    ['comparisons joined by or', USER_RESOURCE_TYPE, texts('userName', 'sw').join(' or ')],
    ['comparisons joined by and', USER_RESOURCE_TYPE, texts('emails.value', 'ne').join(' and ')],
    [
      'comparisons at the deepest level',
      USER_RESOURCE_TYPE,
      deep(texts('title', 'sw').join(' or '), MAX_FILTER_DEPTH),
    ],
    [
      'comparisons at every nesting level',
      USER_RESOURCE_TYPE,
      texts('title', 'co').reduce((inner, test, i) =>
        i % 4 === 3 && i < 4 * MAX_FILTER_DEPTH ? `not (${inner}) or ${test}` : `${inner} and ${test}`,
      ),
    ],
    ['comparisons in one value path', USER_RESOURCE_TYPE, `emails[${texts('value', 'sw').join(' or ')}]`],
    [
      'value paths',
      USER_RESOURCE_TYPE,
      texts('value', 'ew')
        .map((test) => `addresses[locality pr] or emails[${test}]`)
        .slice(0, 50)
        .join(' or '),
    ],
    [
      'the longest path of a user',
      USER_RESOURCE_TYPE,
      texts(`${ENTERPRISE}:manager.displayName`, 'sw').join(' or '),
    ],
    ['members of a group', GROUP_RESOURCE_TYPE, texts('members.display', 'sw').join(' or ')],
    [
      'members of a group in value paths',
      GROUP_RESOURCE_TYPE,
      texts('value', 'sw')
        .map((test) => `members[${test}]`)
        .join(' or '),
    ],
  ])('run on D1: %s', async ([, type, filter]) => {
    const [selected] = await run(filter, type)
    expect(selected?.rows).toBeInstanceOf(Array)
  })

  // Each comparison traverses nested groups.
  it('run on D1: groups of a user', async () => {
    const [selected] = await run(texts('groups.display', 'sw').join(' or '), USER_RESOURCE_TYPE)
    expect(selected?.rows).toBeInstanceOf(Array)
  })

  it('run on D1 with long values', async () => {
    const [selected] = await run(
      ['sw', 'ew', 'lt', 'eq'].map((operator) => `userName ${operator} "${'é'.repeat(15_000)}"`).join(' or '),
      USER_RESOURCE_TYPE,
    )
    expect(selected?.rows).toEqual([])
  })

  function run(filter: string, type: ResourceType) {
    const query = statement(
      sql`SELECT id FROM ${sql.raw(type === USER_RESOURCE_TYPE ? 'users' : 'groups')} WHERE tenant_id = ${'none'} AND ${toSql(compile(filter, type))}`,
    )
    expect(query.params.length).toBeLessThanOrEqual(MAX_BOUND_PARAMETERS)

    expect(new TextEncoder().encode(query.sql).length).toBeLessThan(MAX_STATEMENT_BYTES)
    return openDatabase(env.DB, noFigures()).batch([query])
  }
})

function storedTypeOf({ name }: ResourceType): StoredResourceType {
  const type = RESOURCE_TYPES.find((candidate) => candidate.name === name)
  if (type === undefined) throw new Error(`${name} has no table`)
  return type
}

function compile(filter: string, type: ResourceType) {
  const resolved = resolveFilter(parseFilter(filter, TOLERANT), type, TOLERANT)
  return compileFilter(resolved, columnsOf({ type: storedTypeOf(type), filter: resolved }, 'none'))
}
