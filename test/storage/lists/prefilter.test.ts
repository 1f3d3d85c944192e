/**
 * The search for a part of a value in the text of the document, before it is parsed: every match meets it, whatever characters
 * the values have, and most other documents do not.
 */
import { DatabaseSync } from 'node:sqlite'
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Complex } from '../../../src/scim/comparison.ts'
import type { Filter } from '../../../src/scim/filter/ast.ts'
import { compileFilter } from '../../../src/scim/filter/compile.ts'
import { parseFilter } from '../../../src/scim/filter/parser.ts'
import { resolveFilter } from '../../../src/scim/filter/resolve.ts'
import { simplifyFilter } from '../../../src/scim/filter/simplify.ts'
import { D1_LIMITS } from '../../../src/sqlite/limits.ts'
import { migrate } from '../../../src/sqlite/migrations.ts'
import { statement } from '../../../src/storage/database/database.ts'
import { columnsOf } from '../../../src/storage/lists/column-map.ts'
import { toSql } from '../../../src/storage/lists/columns.ts'
import { prefilterOf } from '../../../src/storage/lists/prefilter.ts'
import { RESOURCE_TYPES, typeNamed } from '../../../src/storage/tables/resource-tables.ts'
import { encodeResource } from '../../../src/storage/tables/stored-resources.ts'
import { MIGRATIONS } from '../../support/migrations.ts'
import { TOLERANT } from '../../support/reading.ts'
import { ENTERPRISE } from '../../support/urns.ts'

const USER = typeNamed(RESOURCE_TYPES, 'User')

/** Pieces of values: special in JSON, in patterns of GLOB and in SQL, or with a folding of another length. */
const PIECES = [
  '"',
  '\\',
  '\\"',
  '\\u0041',
  '\u0000',
  '\u0001',
  '\b\t\n\f\r',
  '\u007f',
  '\u2028\u2029',
  '\ud83d\ude00',
  '\u{10ffff}',
  '\ud800',
  'e\u0301',
  'É',
  'o\u0323\u0302',
  'İ',
  'ı',
  'ß',
  'ẞ',
  'ΐ',
  'ς',
  'ﬀ',
  'K',
  '中文',
  '*',
  '?',
  '[a-z]',
  ']',
  '^',
  '%_',
  "'",
  '/',
  '$.title',
  '{"value":"x"}',
  'true',
  'null',
  '1.50',
  '1e3',
  ' ',
  'Quick',
  'ZEBRA',
  'wxyz',
  'hockey puck',
  'z'.repeat(30),
  'zq'.repeat(40),
  'x'.repeat(5_000),
]
const text = fc
  .array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 4 })
  .map((pieces) => pieces.join(''))

const user = fc
  .record({ title: text, value: text, locality: text, department: text, active: fc.boolean() })
  .map(({ title, value, locality, department, active }): Complex => {
    const emails = [{ value: `${value}@example.com`, type: 'work', primary: true }, { value: title }]
    return {
      title,
      active,
      name: { familyName: department, givenName: value },
      emails,
      addresses: [{ locality, type: 'work' }, { locality: title }],
      [ENTERPRISE]: { department },
    }
  })

const PATHS = [
  'title',
  'nickName',
  'userName',
  'name.familyName',
  'emails.value',
  'emails.type',
  'addresses.locality',
  'schemas',
  `${ENTERPRISE}:department`,
]

/** @param texts values of the stored users, of which operands are parts */
function filterOf(texts: readonly string[]): fc.Arbitrary<string> {
  const operand = fc.oneof(
    text,
    fc
      .tuple(fc.constantFrom(...texts), fc.nat(), fc.nat())
      .map(([whole, from, length]) =>
        whole.slice(from % whole.length, (from % whole.length) + 1 + (length % 30)),
      ),
    fc.constantFrom(...texts),
  )
  const operator = fc.constantFrom('eq', 'co', 'sw', 'ew', 'ne', 'gt', 'le')
  // Filters with a NUL or a lone surrogate are refused.
  const literal = operand.map((value) =>
    JSON.stringify(value.slice(0, 900).replaceAll('\u0000', '').toWellFormed()),
  )
  const test = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.tuple(fc.constantFrom(...PATHS), operator, literal).map((parts) => parts.join(' ')),
    },
    fc.constantFrom(
      'title pr',
      'active eq true',
      'active ne false',
      'id co "user"',
      'meta.resourceType co "ser"',
    ),
    fc
      .tuple(operator, literal, fc.constantFrom('and', 'or'), operator, literal)
      .map(([a, x, joint, b, y]) => `addresses[locality ${a} ${x} ${joint} type ${b} ${y}]`),
    fc.tuple(operator, literal).map(([a, x]) => `emails[not (value ${a} ${x})]`),
  )
  const joined = fc
    .tuple(test, fc.constantFrom('and', 'or'), test, fc.boolean())
    .map(([a, joint, b, isNegated]) => (isNegated ? `(${a}) ${joint} not (${b})` : `(${a}) ${joint} (${b})`))
  return fc.oneof(
    test,
    test,
    joined,
    test.map((one) => `not (${one})`),
  )
}

function resolved(filter: string): Filter {
  return simplifyFilter(resolveFilter(parseFilter(filter, TOLERANT), USER, TOLERANT))
}

function directory(users: readonly Complex[]): DatabaseSync {
  const database = new DatabaseSync(':memory:')
  migrate(database, MIGRATIONS)
  Object.assign(database.limits, D1_LIMITS)
  database.exec(`INSERT INTO tenants (id, name, created_at) VALUES ('acme', 'Acme', 0)`)
  const insert = database.prepare(
    `INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified) VALUES ('acme', ?, ?, ?, 1, 0, 0)`,
  )
  for (const [i, one] of users.entries()) {
    const { data, keys } = encodeResource({ ...one, userName: `user ${i}` }, USER)
    insert.run(`id-${i}`, data, keys)
  }
  return database
}

describe('a search in the text of the document', () => {
  it('finds every match of a filter, whatever the values are', { timeout: 120_000 }, () => {
    const users = fc.sample(user, { numRuns: 150, seed: 8259 })
    const texts = users.flatMap(({ title, name }) => [
      String(title),
      ...Object.values(name as Complex).map(String),
    ])
    const database = directory(users)
    const counts = { searched: 0, matches: 0, passedOver: 0 }
    for (const filter of fc.sample(filterOf(texts), { numRuns: 3_000, seed: 3_986 })) {
      const test = resolved(filter)
      const search = prefilterOf(test, USER)
      if (search === undefined) continue
      const condition = compileFilter(test, columnsOf({ type: USER, filter: test, isScanned: true }, 'acme'))
      const { sql: query, params } = statement(
        sql`SELECT coalesce(${toSql(condition)}, 0) AS isMatch, (${toSql(search)}) AS isFound FROM users`,
      )
      const rows = database.prepare(query).all(...params)
      counts.searched++
      counts.matches += rows.filter(({ isMatch }) => isMatch === 1).length
      counts.passedOver += rows.filter(({ isFound }) => isFound === 0).length
      expect(
        rows.filter(({ isMatch, isFound }) => isMatch === 1 && isFound !== 1),
        filter,
      ).toEqual([])
    }
    database.close()
    expect(counts.searched).toBeGreaterThan(600)
    expect(counts.matches).toBeGreaterThan(300)
    expect(counts.passedOver).toBeGreaterThan(counts.searched * 50)
  })

  it.for<[filter: string, parts: readonly string[]]>([
    ['title eq "Engineer"', ['gineer"']],
    ['title co "Engineer"', ['gineer']],
    ['title sw "Chief of Quality Assurance"', ['quality ']],
    // The end of the text of an equal value is its quote.
    ['title eq "HR"', ['hr"']],
    ['title eq "CEO"', ['ceo"']],
    ['title eq "Zoë"', ['zo']],
    ['title ew "a\\"b\\\\c*d"', ['b']],
    ['externalId eq "AbC"', ['AbC"']],
    [`${ENTERPRISE}:department eq "Purchasing"`, ['hasing"']],
    ['addresses[type eq "work" and locality eq "Zurich"]', ['zurich"']],
    ['title eq "Nobody" or nickName co "Bob"', ['body"', 'bob']],
    ['title pr and active eq true and not (title eq "x") and nickName co "Bob"', ['bob']],
    // The longest part of several that are necessary.
    ['title co "b" and nickName co "hockey"', ['hockey']],
    ['(title co "b" or title co "d") and nickName co "h"', ['h']],
  ])('is for the rarest part of the value: %s', ([filter, parts]) => {
    const { values = [] } = prefilterOf(resolved(filter), USER) ?? {}
    expect(values.filter((_, i) => i % 2 === 1)).toEqual(parts.map((part) => `*${part}*`))
    expect(values.filter((_, i) => i % 2 === 0)).toEqual(parts.map((part) => `${`*${part[0]}`.repeat(24)}*`))
  })

  it.for([
    'title ne "Engineer"',
    'title gt "Engineer"',
    'title pr',
    'not (title eq "Engineer")',
    'title eq "Engineer" or title pr',
    'title eq "Engineer" or nickName ne "Bob"',
    'addresses[not (locality eq "Zurich")]',
    'active eq true',
    // Not in the document.
    'id co "quick"',
    'meta.version co "quick"',
    'meta.resourceType eq "User"',
    'groups.display co "quick"',
    'groups[value eq "quick"]',
    // Without characters that JSON leaves as they are and of which a document has few.
    'title eq "Инженер"',
    'title co "\\"\\u0001\\\\"',
    'title co "***???[["',
    'title eq "Sales"',
    'title co ""',
    // Too many alternatives.
    'title eq "b1" or title eq "b2" or title eq "b3" or title eq "b4"',
  ])('is not made for a filter that does not require such a text: %s', (filter) => {
    expect(prefilterOf(resolved(filter), USER)).toBeUndefined()
  })

  it('is not made for documents with very many of its first character, which would take long', () => {
    const database = directory([{ title: 'z'.repeat(1_000) }, { title: 'z' }])
    const search = prefilterOf(resolved('title co "zebra"'), USER)
    const { sql: query, params } = statement(sql`SELECT ${search && toSql(search)} AS isFound FROM users`)
    expect(
      database
        .prepare(query)
        .all(...params)
        .map(({ isFound }) => isFound),
    ).toEqual([1, 0])
    database.close()
  })
})
