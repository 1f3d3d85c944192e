/**
 * The compiled SQL and the evaluation in memory give the same result for every filter. The directories are created over
 * HTTP on the real D1, and filters are evaluated on the returned resources.
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
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../../../src/scim/schema/resource-type.ts'
import { noFigures, openDatabase, type Statement, statement } from '../../../src/storage/database/database.ts'
import { columnsOf } from '../../../src/storage/lists/column-map.ts'
import { toSql } from '../../../src/storage/lists/columns.ts'
import { RESOURCE_TYPES, type StoredResourceType } from '../../../src/storage/tables/resource-tables.ts'
import { type Client, newClient } from '../../support/harness.ts'
import { TOLERANT } from '../../support/reading.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const UMBRELLA = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0'
const CORE = 'urn:ietf:params:scim:schemas:core:2.0'

/** A fixed seed, so that failures are reproducible. */
const SEEDS = [7643, 7644, 9865, 3629]
const FILTERS_IN_A_BATCH = 700
const LISTED_FILTERS = 300

/** Texts that differ in case, composition, script, plane, and characters that are special in SQL or JSON. */
const TEXTS = [
  'Élodie',
  'E\u0301LODIE',
  'Straße',
  'STRASSE',
  'Σίσυφος',
  'ΣΊΣΥΦΟΣ',
  'İstanbul',
  'istanbul',
  'ılık',
  'Ａlice',
  'alice',
  '😀 smile',
  '𐐀deseret',
  '𐐨DESERET',
  '\uffee end of the BMP',
  '\u{10ffff}',
  '中文',
  "O'Malley",
  'a"b\\c',
  '100%_?1',
  '$.x',
  'null',
  'True',
  '7',
  ' ',
  '',
]
const TYPES = ['work', 'home', 'other', 'Work']

describe.for(['User', 'Group'] as const)('a filter on a %s', (name) => {
  const type = name === 'User' ? USER_RESOURCE_TYPE : GROUP_RESOURCE_TYPE
  const table = name === 'User' ? 'users' : 'groups'
  let client: Client
  let resources: readonly (Complex & { id: string })[]

  beforeAll(async () => {
    client = await directory()
    resources = (await client.get(`${type.endpoint}?count=1000`)).body.Resources
  })

  it('selects the same in SQL as in memory', async () => {
    for (const seed of SEEDS) {
      await compare(fc.sample(filterOf(name, resources), { numRuns: FILTERS_IN_A_BATCH, seed }))
    }
  }, 60_000)

  it('selects by the id and the type of each group or member', async () => {
    const [attribute, types] =
      name === 'User' ? ['groups', ['direct', 'indirect']] : ['members', ['User', 'Group']]
    const ids = new Set(
      resources.flatMap((it) => ((it[attribute as string] ?? []) as Complex[]).map(({ value }) => value)),
    )
    const texts = [...ids].flatMap((id) => [
      `${attribute}.value eq "${id}"`,
      `${attribute}[value eq "${id}" and type eq "${types?.[0]}"]`,
      `${attribute}[value eq "${id}" and type eq "${types?.[1]}"]`,
      `${attribute}[value eq "${id}" and not (type eq "${types?.[0]}")]`,
    ])
    // Also in combination with an indexed filter and with another filter, which compile to different SQL.
    const everybody = resources.map(({ id }) => `id eq "${id}"`).join(' or ')
    await compare(
      texts.flatMap((text) => [text, `(${everybody}) and ${text}`, `${text} or externalId eq "7"`]),
    )
  })

  /** Selects with each filter in SQL and in memory. */
  async function compare(texts: readonly string[]) {
    const filters = texts.map((filter) => resolveFilter(parseFilter(filter, TOLERANT), type, TOLERANT))
    for (const isScanned of [false, true]) {
      const selected = await select(filters.map((filter) => where(table, client.tenantId, filter, isScanned)))
      for (const [i, filter] of filters.entries()) {
        const matching = resources.filter((resource) => evaluateFilter(filter, resource))
        expect(selected[i], texts[i]).toEqual(matching.map(({ id }) => id).sort())
      }
    }
  }

  it('lists what it selects, whatever share of the directory that is', async () => {
    const texts = fc.sample(filterOf(name, resources), { numRuns: LISTED_FILTERS, seed: 7644 })
    for (const text of texts) {
      const filter = resolveFilter(parseFilter(text, TOLERANT), type, TOLERANT)
      const matching = resources.flatMap((one) => (evaluateFilter(filter, one) ? [one.id] : []))
      const { body } = await client.filter(
        type.endpoint as '/Users' | '/Groups',
        text,
        '&attributes=id&count=7',
      )
      expect(body.totalResults, text).toBe(matching.length)
      expect(
        body.Resources.map(({ id }: { id: string }) => id),
        text,
      ).toEqual(matching.sort().slice(0, 7))
    }
  }, 60_000)
})

function where(
  table: 'users' | 'groups',
  tenantId: string,
  resolved: Parameters<typeof compileFilter>[0],
  isScanned: boolean,
): Statement {
  const filter = simplifyFilter(resolved)
  const columns = columnsOf({ type: typeIn(table), filter, isScanned }, tenantId)
  const condition = toSql(compileFilter(filter, columns))
  return statement(
    sql`SELECT id FROM ${sql.raw(table)} WHERE tenant_id = ${tenantId} AND ${condition} ORDER BY id`,
  )
}

function typeIn(table: 'users' | 'groups'): StoredResourceType {
  const type = RESOURCE_TYPES.find((candidate) => candidate.table.name === table)
  if (type === undefined) throw new Error(`no type is in ${table}`)
  return type
}

async function select(statements: readonly Statement[]): Promise<readonly unknown[][]> {
  if (statements.length === 0) return []
  const results = await openDatabase(env.DB, noFigures()).batch(statements)
  return results.map(({ rows }) => rows.map((row) => row.id))
}

/** 40 users and 12 groups, some nested, with one cycle. */
async function directory(): Promise<Client> {
  const client = await newClient()
  const bodies = fc.sample(userBody, { numRuns: 40, seed: 7643 })
  const users = await Promise.all(
    bodies.map((body, i) => client.createUser({ ...body, userName: `${TEXTS[i % TEXTS.length]}${i}` })),
  )
  const groups = await Promise.all(
    TEXTS.slice(0, 12).map((text, i) =>
      client.createGroup({
        displayName: `${text}#${i}`,
        ...(i % 3 === 0 ? {} : { externalId: TEXTS[i] }),
        ...(i % 4 === 0 ? { [`${UMBRELLA}:Group`]: { nativeObjectId: TEXTS[i + 2] } } : {}),
        members: users.filter((_, at) => i !== 5 && at % (i + 2) === 0).map(({ id }) => ({ value: id })),
      }),
    ),
  )
  const nest = (outer: number, inner: number) =>
    client.patch(`/Groups/${groups[outer].id}`, {
      op: 'add',
      path: 'members',
      value: [{ value: groups[inner].id }],
    })
  for (const [outer, inner] of [
    [1, 2],
    [2, 3],
    [3, 1],
    [5, 6],
  ] as const) {
    await nest(outer, inner)
  }
  return client
}

const text = fc.constantFrom(...TEXTS)
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })
const elements = (types: readonly string[]) =>
  fc.array(
    fc.record({ value: text, type: fc.constantFrom(...types), display: text }, { requiredKeys: ['value'] }),
    { maxLength: 3 },
  )

const userBody = fc.record({
  externalId: optional(text),
  active: optional(fc.boolean()),
  displayName: optional(text),
  title: optional(text),
  name: optional(fc.record({ givenName: text, familyName: text, formatted: text }, { requiredKeys: [] })),
  emails: optional(elements(TYPES)),
  roles: optional(elements(['a', 'B'])),
  addresses: optional(
    fc.array(fc.record({ locality: text, type: fc.constantFrom(...TYPES) }, { requiredKeys: ['type'] }), {
      maxLength: 2,
    }),
  ),
  x509Certificates: optional(fc.constant([{ value: 'MIIDQzCC' }])),
  photos: optional(fc.constant([{ value: 'https://photos.example/Ä.jpg', type: 'photo' }])),
  [ENTERPRISE]: optional(
    fc.record(
      { employeeNumber: text, department: text, manager: fc.record({ value: text }) },
      { requiredKeys: [] },
    ),
  ),
  [`${UMBRELLA}:User`]: optional(fc.record({ nativeObjectId: text })),
})

const STRING_OPERATORS = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le', 'EQ', 'Sw'] as const
const USER_STRINGS = [
  'userName',
  'USERNAME',
  `${CORE}:User:userName`,
  'id',
  'externalId',
  'displayName',
  'title',
  'name.givenName',
  `${CORE.toUpperCase()}:USER:NAME.FAMILYNAME`,
  'meta.resourceType',
  'meta.version',
  'schemas',
  'emails',
  'emails.value',
  'emails.type',
  'emails.display',
  'roles.type',
  'addresses.locality',
  'groups',
  'groups.value',
  'groups.display',
  'groups.type',
  `${ENTERPRISE}:department`,
  `${ENTERPRISE}:manager`,
  `${ENTERPRISE}:manager.value`,
  `${UMBRELLA}:User:nativeObjectId`,
]
const GROUP_STRINGS = [
  'id',
  'externalId',
  'displayName',
  'meta.version',
  'schemas',
  'members',
  'members.value',
  'members.display',
  'members.type',
  `${UMBRELLA}:Group:nativeObjectId`,
]
const PRESENCE = {
  User: [
    'name',
    'meta',
    'emails',
    'groups',
    'active',
    'addresses',
    'photos.value',
    ENTERPRISE,
    `${UMBRELLA}:User`,
  ],
  Group: ['members', 'meta', 'members.display', `${UMBRELLA}:Group`],
}

/** A random filter as text: and, or, not, all operators, value paths; with values that exist, or similar ones. */
function filterOf(name: 'User' | 'Group', resources: readonly Complex[]): fc.Arbitrary<string> {
  const present = [...new Set(strings(resources))]
  const value = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...present) },
    { weight: 3, arbitrary: fc.constantFrom(...present).chain(piece) },
    { weight: 1, arbitrary: text },
    {
      weight: 1,
      arbitrary: fc.string({ unit: 'grapheme', maxLength: 3 }).filter((it) => !it.includes('\0')),
    },
  )
  const compare = (names: readonly string[]) =>
    fc
      .tuple(fc.constantFrom(...names), fc.constantFrom(...STRING_OPERATORS), value)
      .map(([attribute, operator, literal]) => `${attribute} ${operator} ${JSON.stringify(literal)}`)
  const times = resources.map((resource) => String((resource.meta as Complex).created))
  const time = fc.constantFrom(...times, ...times.map(atOffset), '2011-05-13T04:42:34Z')
  const leaves = [
    { weight: 6, arbitrary: compare(name === 'User' ? USER_STRINGS : GROUP_STRINGS) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(
          fc.constantFrom('meta.created', 'meta.lastModified'),
          fc.constantFrom('eq', 'ne', 'gt', 'ge', 'lt', 'le'),
          time,
        )
        .map(([attribute, operator, at]) => `${attribute} ${operator} "${at}"`),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(...PRESENCE[name], 'externalId'), fc.constantFrom('pr', 'eq null', 'ne null'))
        .map((parts) => (parts[1] === 'pr' || parts[0] !== 'active' ? parts.join(' ') : 'active pr')),
    },
    { weight: 2, arbitrary: valuePaths(name, compare) },
    ...(name === 'User'
      ? [
          {
            weight: 1,
            arbitrary: fc.constantFrom(
              'active eq true',
              'active ne true',
              'active eq "False"',
              'active eq null',
              'x509Certificates.value eq "MIIDQzCC"',
              'x509Certificates co "midq"',
              'photos ew "Ä.jpg"',
              'photos.value eq "https://photos.example/ä.jpg"',
              'emails.primary ne true',
            ),
          },
        ]
      : []),
  ]
  return composed(fc.oneof(...leaves))
}

function valuePaths(name: 'User' | 'Group', compare: (names: readonly string[]) => fc.Arbitrary<string>) {
  const inside = (attribute: string, names: readonly string[], more: readonly string[] = []) =>
    composed(fc.oneof(compare(names), fc.constantFrom(`${names[0]} pr`, ...more))).map(
      (filter) => `${attribute}[${filter}]`,
    )
  if (name === 'Group')
    return inside('members', ['value', 'display', 'type'], ['type eq "User"', 'type eq "Group"'])
  return fc.oneof(
    inside('emails', ['value', 'type', 'display'], ['type eq "work"', 'primary eq "True"']),
    inside('groups', ['value', 'display'], ['type eq "direct"', 'type eq "indirect"']),
    inside('name', ['givenName', 'familyName']),
    inside('addresses', ['locality', 'type']),
    inside(ENTERPRISE, ['department', 'manager.value']),
  )
}

function composed(leaf: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.letrec<{ filter: string }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'filter' },
      { weight: 4, arbitrary: leaf },
      {
        weight: 2,
        arbitrary: fc
          .tuple(tie('filter'), fc.constantFrom('and', 'or', 'AND'), tie('filter'))
          .map((parts) => parts.join(' ')),
      },
      { weight: 1, arbitrary: tie('filter').map((filter) => `not (${filter})`) },
      { weight: 1, arbitrary: tie('filter').map((filter) => `(${filter})`) },
    ),
  })).filter
}

/** Prefixes, suffixes and other spellings of a text. */
function piece(whole: string): fc.Arbitrary<string> {
  const characters = [...whole]
  return fc
    .nat({ max: characters.length })
    .chain((at) =>
      fc.constantFrom(
        characters.slice(0, at).join(''),
        characters.slice(at).join(''),
        whole.toUpperCase(),
        whole.toLowerCase(),
        whole.normalize('NFD'),
      ),
    )
}

function atOffset(time: string): string {
  return `${new Date(Date.parse(time) + 2 * 3600_000).toISOString().slice(0, -1)}+02:00`
}

/** These attributes contain the Tenant URL, which SQL filters do not have. */
const NOT_COMPARED = ['$ref', 'location']

function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => (NOT_COMPARED.includes(name) ? [] : strings(inner)))
}
