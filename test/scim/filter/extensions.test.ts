/**
 * Attributes of a tenant's extension filter and sort like built-in attributes of the same type: in SQL, with and without
 * an index, and in memory. Each user has the same values in both.
 */
import { env } from 'cloudflare:workers'
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Complex } from '../../../src/scim/comparison.ts'
import { compileFilter } from '../../../src/scim/filter/compile.ts'
import { evaluateFilter } from '../../../src/scim/filter/evaluate.ts'
import { parseFilter } from '../../../src/scim/filter/parser.ts'
import { resolveFilter } from '../../../src/scim/filter/resolve.ts'
import { simplifyFilter } from '../../../src/scim/filter/simplify.ts'
import { PROFILES } from '../../../src/scim/profile.ts'
import { noFigures, openDatabase, statement } from '../../../src/storage/database/database.ts'
import { readTogether } from '../../../src/storage/database/query.ts'
import { extensionsQuery } from '../../../src/storage/extensions/stored-extensions.ts'
import { columnsOf } from '../../../src/storage/lists/column-map.ts'
import { toSql } from '../../../src/storage/lists/columns.ts'
import {
  extendedTypes,
  RESOURCE_TYPES,
  type StoredResourceType,
} from '../../../src/storage/tables/resource-tables.ts'
import { admin, type Client, newClient } from '../../support/harness.ts'

const TOLERANT = PROFILES.tolerant
const ACME = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User'
const SEEDS = [7643, 7644]
const FILTERS_IN_A_BATCH = 500

/** Texts that differ in case, composition, script, plane, and characters that are special in SQL or JSON. */
const TEXTS = [
  'Élodie',
  'E\u0301LODIE',
  'Straße',
  'STRASSE',
  '😀',
  '\uffee',
  "O'M",
  'a"b\\c',
  '%_?1',
  '7',
  'True',
  '',
]
const TYPES = ['work', 'home', 'Work']
const TIMES = ['2026-01-31T09:00:00Z', '2026-01-31T11:00:00+02:00', '2011-05-13T04:42:34.5Z']

/** Built-in attributes, and those of the extension with the same values. */
const TWINS = {
  title: 'xTitle',
  externalId: 'xExternalId',
  active: 'xActive',
  name: 'xName',
  emails: 'xEmails',
  x509Certificates: 'xCertificates',
} as const

const list = (...names: readonly string[]) => names.map((name) => ({ name }))
const SCHEMA = {
  id: ACME,
  attributes: [
    { name: 'xTitle', indexed: true },
    { name: 'xExternalId', caseExact: true, indexed: true },
    { name: 'xActive', type: 'boolean' },
    { name: 'xName', type: 'complex', subAttributes: list('givenName', 'familyName') },
    {
      name: 'xEmails',
      type: 'complex',
      multiValued: true,
      subAttributes: [...list('value', 'display', 'type'), { name: 'primary', type: 'boolean' }],
    },
    {
      name: 'xCertificates',
      type: 'complex',
      multiValued: true,
      subAttributes: [{ name: 'value', type: 'binary' }],
    },
    // Without a built-in counterpart. Compared only with the evaluation in memory.
    { name: 'tags', multiValued: true },
    { name: 'numbers', type: 'integer', multiValued: true },
    { name: 'level', type: 'integer', indexed: true },
    { name: 'rate', type: 'decimal' },
    { name: 'at', type: 'dateTime', indexed: true },
    { name: 'site', type: 'complex', subAttributes: [{ name: 'tags', multiValued: true }, ...list('code')] },
  ],
}

let client: Client
let type: StoredResourceType
let resources: readonly (Complex & { id: string })[]

beforeAll(async () => {
  client = await newClient()
  const put = await admin('PUT', `/tenants/${client.tenantId}/schemas/${ACME}`, SCHEMA)
  if (put.status !== 201) throw new Error(JSON.stringify(put.body))
  const db = openDatabase(env.DB, noFigures())
  const { stored } = await readTogether(db, { stored: extensionsQuery(client.tenantId) })
  const [user] = stored === undefined ? [] : extendedTypes(RESOURCE_TYPES, stored.extensions)
  if (user === undefined) throw new Error('no type')
  type = user
  await Promise.all(fc.sample(body, { numRuns: 40, seed: 7643 }).map((own) => client.createUser(own)))
  resources = (await client.get('/Users?count=1000')).body.Resources
})

describe('a filter on attributes of an extension', () => {
  it('selects the same in SQL, in memory, and with built-in attributes', async () => {
    for (const seed of SEEDS) {
      const patterns = fc.sample(composed(twinTest), { numRuns: FILTERS_IN_A_BATCH, seed })
      const [own, builtIn] = await Promise.all([
        compared(patterns.map((pattern) => written(pattern, (name) => `${ACME}:${TWINS[name]}`))),
        compared(patterns.map((pattern) => written(pattern, (name) => name))),
      ])
      for (const [i, pattern] of patterns.entries()) expect(own[i], pattern).toEqual(builtIn[i])
    }
  }, 60_000)

  it('selects the same in SQL as in memory, for all types', async () => {
    for (const seed of SEEDS) {
      await compared(fc.sample(composed(ownTest), { numRuns: FILTERS_IN_A_BATCH, seed }))
    }
  }, 60_000)
})

describe('an order by attributes of an extension', () => {
  it.for(['title', 'externalId', 'active', 'name.familyName', 'emails', 'emails.type'])(
    'is the same as by the built-in attribute: %s',
    async (path) => {
      const [name = '', ...rest] = path.split('.')
      const twin = `${ACME}:${[TWINS[name as keyof typeof TWINS], ...rest].join('.')}`
      const ids = async (sortBy: string, order: string) => {
        const query = `sortBy=${encodeURIComponent(sortBy)}&sortOrder=${order}&count=1000&attributes=id`
        return (await client.get(`/Users?${query}`)).body.Resources
      }
      for (const order of ['ascending', 'descending'])
        expect(await ids(twin, order)).toEqual(await ids(path, order))
    },
  )
})

/** Selects with each filter in SQL and in memory. @returns ids */
async function compared(texts: readonly string[]): Promise<readonly unknown[][]> {
  const filters = texts.map((text) => resolveFilter(parseFilter(text, TOLERANT), type, TOLERANT))
  const statements = filters.map((resolved) => {
    const filter = simplifyFilter(resolved)
    const condition = toSql(compileFilter(filter, columnsOf({ type, filter }, client.tenantId)))
    return statement(
      sql`SELECT id FROM users WHERE tenant_id = ${client.tenantId} AND ${condition} ORDER BY id`,
    )
  })
  const results = await openDatabase(env.DB, noFigures()).batch(statements)
  return results.map(({ rows }, i) => {
    const filter = filters[i]
    const matching = resources.filter((resource) => filter !== undefined && evaluateFilter(filter, resource))
    const selected = rows.map((row) => row.id)
    expect(selected, texts[i]).toEqual(matching.map(({ id }) => id).sort())
    return selected
  })
}

/** Replaces the names of built-in attributes in a pattern, which are between "§". */
function written(pattern: string, nameOf: (name: keyof typeof TWINS) => string): string {
  return pattern.replace(/§(\w+)§/g, (_, name: keyof typeof TWINS) => nameOf(name))
}

const text = fc.constantFrom(...TEXTS)
const literal = fc.oneof(
  { weight: 3, arbitrary: text },
  { weight: 1, arbitrary: text.map((whole) => [...whole].slice(0, 2).join('')) },
  { weight: 1, arbitrary: text.map((whole) => whole.toUpperCase()) },
)
const OPERATORS = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const
const ORDER = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'] as const

const compare = (names: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...names), fc.constantFrom(...OPERATORS), literal)
    .map(([name, operator, value]) => `${name} ${operator} ${JSON.stringify(value)}`)

const twinTest = fc.oneof(
  {
    weight: 5,
    arbitrary: compare([
      '§title§',
      '§externalId§',
      '§name§.givenName',
      '§name§.familyName',
      '§emails§',
      '§emails§.value',
      '§emails§.type',
    ]),
  },
  {
    weight: 2,
    arbitrary: composed(
      fc.oneof(compare(['value', 'type', 'display']), fc.constantFrom('type pr', 'primary eq true')),
    ).map((inner) => `§emails§[${inner}]`),
  },
  { weight: 1, arbitrary: composed(compare(['givenName', 'familyName'])).map((inner) => `§name§[${inner}]`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...['title', 'externalId', 'name', 'emails', 'x509Certificates'].map((name) => `§${name}§ pr`),
      '§active§ eq true',
      '§active§ ne true',
      '§active§ eq null',
      '§emails§.primary ne true',
      '§x509Certificates§.value eq "QUJD"',
      '§x509Certificates§ co "qu"',
    ),
  },
)

const ownTest = fc.oneof(
  { weight: 2, arbitrary: compare([`${ACME}:tags`, `${ACME}:site.code`, `${ACME}:site.tags`]) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.constantFrom('level', 'rate', 'numbers'),
        fc.constantFrom(...ORDER),
        fc.constantFrom(-1, 0, 0.5, 1, 2, 10),
      )
      .map(([name, operator, value]) => `${ACME}:${name} ${operator} ${value}`),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...ORDER), fc.constantFrom(...TIMES))
      .map(([operator, value]) => `${ACME}:at ${operator} "${value}"`),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom('tags', 'numbers', 'level', 'at', 'site', 'site.tags'),
        fc.constantFrom('pr', 'eq null', 'ne null'),
      )
      .filter(([name, test]) => test === 'pr' || name !== 'site')
      .map(([name, test]) => `${ACME}:${name} ${test}`),
  },
)

function composed(leaf: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.letrec<{ filter: string }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'filter' },
      { weight: 4, arbitrary: leaf },
      {
        weight: 2,
        arbitrary: fc
          .tuple(tie('filter'), fc.constantFrom('and', 'or'), tie('filter'))
          .map((parts) => parts.join(' ')),
      },
      { weight: 1, arbitrary: tie('filter').map((filter) => `not (${filter})`) },
      { weight: 1, arbitrary: tie('filter').map((filter) => `(${filter})`) },
    ),
  })).filter
}

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })
const email = fc.record(
  { value: text.filter(Boolean), type: fc.constantFrom(...TYPES), display: text },
  { requiredKeys: ['value'] },
)
const emails = fc
  .array(email, { maxLength: 3 })
  .map((all) => all.map((one, i) => (i === 1 ? { ...one, primary: true } : one)))

const body = fc
  .record({
    shared: fc.record({
      title: optional(text),
      externalId: optional(text.filter(Boolean)),
      active: fc.boolean(),
      name: optional(fc.record({ givenName: text, familyName: text }, { requiredKeys: [] })),
      emails: optional(emails),
      x509Certificates: optional(fc.constant([{ value: 'QUJD' }])),
    }),
    own: fc.record({
      tags: optional(fc.array(text, { maxLength: 3 })),
      numbers: optional(fc.array(fc.constantFrom(0, 1, 2), { maxLength: 3 })),
      level: optional(fc.constantFrom(-1, 0, 1, 10)),
      rate: optional(fc.constantFrom(0, 0.5, 1)),
      at: optional(fc.constantFrom(...TIMES)),
      site: optional(fc.record({ tags: fc.array(text, { maxLength: 2 }), code: text }, { requiredKeys: [] })),
    }),
  })
  .map(({ shared, own }) => {
    const twins = Object.entries(shared).map(([name, value]) => [TWINS[name as keyof typeof TWINS], value])
    return { ...shared, [ACME]: { ...Object.fromEntries(twins), ...own } }
  })
