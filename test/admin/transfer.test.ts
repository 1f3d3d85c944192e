import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { MAX_IMPORTED_CLIENTS } from '../../src/scim/limits.ts'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import {
  type DirectoryRecord,
  type ExportPosition,
  exportStart,
  MAX_EXPORT_PAGE_BYTES,
  readExportPage,
} from '../../src/storage/transfer/export.ts'
import exportedFromD1 from '../fixtures/transfer/exported-from-d1.json' with { type: 'json' }
import {
  endLine,
  exported,
  exportOf,
  fileOf,
  groupLine,
  idOf,
  imported,
  type Line,
  memberLine,
  sha256,
  textOf,
  userLine,
  users,
} from '../support/directory-file.ts'
import { admin, type Client, newClient, newToken, ORIGIN, PATCH_OP, send, USER } from '../support/harness.ts'
import { addGroup, addLargeUsers, addMembers } from '../support/large.ts'

const EMPTY = { user: 0, group: 0, membership: 0 }
/** More records than one batch holds. */
const BATCH = 2_500

const stateOf = async (tenantId: string) => (await admin('GET', `/tenants/${tenantId}`)).body
const recordsOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

/** The costs of an export, batch by batch. */
async function pagesOf(id: string) {
  const figures = noFigures()
  const { createdAt } = await stateOf(id)
  const pages: (readonly DirectoryRecord[])[] = []
  const tenant = { id, createdAt: Date.parse(createdAt) }
  const db = openDatabase(env.DB, figures)
  let position: ExportPosition | undefined = exportStart(RESOURCE_TYPES, false)
  while (position !== undefined) {
    const { records, next } = await readExportPage(db, tenant, RESOURCE_TYPES, position)
    if (records.length > 0) pages.push(records)
    position = next
  }
  return { pages, figures }
}

describe('export and import of a tenant', () => {
  it('move a directory with its ids, versions, times and memberships', async () => {
    const [from, to] = [await newClient(), await newClient()]
    const user = await from.createUser({ userName: 'zoë', emails: [{ value: 'z@x.example', type: 'work' }] })
    await from.patch(`/Users/${user.id}`, { op: 'replace', path: 'title', value: 'Pilot "1"' })
    const inner = await from.createGroup({ displayName: 'Inner', members: [{ value: user.id }] })
    await from.createGroup({ displayName: 'Outer', members: [{ value: inner.id }] })
    const text = await exported(from.tenantId)
    expect(text.trim().split('\n')).toHaveLength(6)
    const answer = await imported(to.tenantId, text)
    expect([answer.status, answer.body]).toEqual([200, { imported: { user: 1, group: 2, membership: 2 } }])
    for (const path of ['/Users', '/Groups']) {
      expect((await to.get(path)).body).toEqual((await from.get(path)).body)
    }
    expect(recordsOf(await exported(to.tenantId))).toEqual(recordsOf(text))
    expect(await stateOf(to.tenantId)).toMatchObject({ userCount: 1, groupCount: 2, state: 'ready' })
    const { results } = await env.DB.prepare('SELECT member_count AS n FROM groups WHERE tenant_id = ?1')
      .bind(to.tenantId)
      .all()
    expect(results).toEqual([{ n: 1 }, { n: 1 }])
  })

  it('include the clients on request, without their tokens', async () => {
    const [from, to] = [await newClient(), await newClient({ scope: 'read' })]
    await from.createUser()
    const { clientId } = await newToken(from.tenantId, { name: 'Entra', scope: 'read' })
    const change = { tokenLifetime: 7_200 }
    await admin('PATCH', `/tenants/${from.tenantId}/clients/${clientId}`, change)
    const path = `/admin/api/tenants/${from.tenantId}/export?clients=include`
    const headers = { Authorization: 'Bearer test-admin-token' }
    const { body: text } = await send(new Request(`${ORIGIN}${path}`, { headers }))
    expect(recordsOf(text).map(({ kind }) => kind)).toEqual(['client', 'client', 'user', 'end'])
    const answer = await imported(to.tenantId, text)
    expect([answer.status, answer.body]).toEqual([200, { imported: { ...EMPTY, user: 1 } }])
    const { clients } = (await admin('GET', `/tenants/${to.tenantId}/clients`)).body
    const id = clientId.replace(from.tenantId, to.tenantId)
    expect(clients).toHaveLength(3)
    expect(clients.find((client: Line) => client.id === id)).toMatchObject({
      name: 'Entra',
      scope: 'read',
      tokenLifetime: 7_200,
    })
    expect((await admin('GET', `/tenants/${to.tenantId}/tokens`)).body.tokens).toHaveLength(1)
    const bad = { kind: 'client', clientId: 'x_1', name: 'x', scope: 'all', createdAt: 1 }
    const refused = await imported((await newClient()).tenantId, await fileOf([bad]))
    expect([refused.status, refused.body.error.field]).toEqual([400, 'scope'])
    const short = { ...bad, scope: 'read', tokenLifetime: 60 }
    const tooShort = await imported((await newClient()).tenantId, await fileOf([short]))
    expect([tooShort.status, tooShort.body.error.field]).toEqual([400, 'tokenLifetime'])
  })

  // 200,000 of them fit into half a megabyte of gzip, and took 1.5 s and 42 MB each time they were listed.
  it('are refused if the tenant would have too many clients', async () => {
    const { tenantId } = await newClient()
    const path = `/tenants/${tenantId}/clients`
    const lines = Array.from({ length: MAX_IMPORTED_CLIENTS }, (_, i) => {
      return { kind: 'client', clientId: `x_${i}`, name: 'x', scope: 'read', createdAt: 1 }
    })
    const { status, body } = await imported(tenantId, await fileOf(lines))
    expect([status, body.error.message]).toEqual([
      409,
      expect.stringMatching(
        /lines up to 5000: the tenant would have 5001 clients, the limit of an import is 5000/,
      ),
    ])
    expect((await admin('GET', path)).body.clients.length).toBeLessThanOrEqual(MAX_IMPORTED_CLIENTS)
    // Those that exist already are not counted twice.
    expect((await imported(tenantId, await fileOf(lines.slice(0, -1)))).status).toBe(200)
    expect((await admin('GET', path)).body.clients).toHaveLength(MAX_IMPORTED_CLIENTS)
  })

  // On SQLite this is a move from Cloudflare to a self-hosted server: names beyond ASCII, groups in a circle.
  it('accept a file of an older version from D1, without an end record, and export the same again', async () => {
    const to = await newClient()
    const text = textOf(exportedFromD1)
    const { body } = await imported(to.tenantId, text, '?end=missing')
    expect(body).toEqual({ imported: { user: 6, group: 2, membership: 8 } })
    expect(await exported(to.tenantId)).toBe(text + textOf([await endLine(text)]))
    for (const { kind, id, resource, version, createdAt, lastModified } of exportedFromD1) {
      if (kind === 'membership') continue
      const { status, body } = await to.get(`/${kind === 'user' ? 'Users' : 'Groups'}/${id}`)
      expect(status).toBe(200)
      expect(body).toMatchObject({ ...resource, id, meta: { version: `W/"${version}"` } })
      expect([Date.parse(body.meta.created), Date.parse(body.meta.lastModified)]).toEqual([
        createdAt,
        lastModified,
      ])
    }
    expect((await to.filter('/Users', 'userName sw "ÜNÏ"')).body.totalResults).toBe(6)
  })

  it('move more than one page of each kind', async () => {
    const [from, to] = [await newClient(), await newClient()]
    const people = users(1_201)
    const groups = Array.from({ length: 5 }, (_, i) => groupLine(10_001 + i))
    const members = groups.flatMap((_, i) => people.map((__, j) => memberLine(10_001 + i, j + 1)))
    const expected = { imported: { user: 1_201, group: 5, membership: 6_005 } }
    expect((await imported(from.tenantId, await fileOf([...people, ...groups, ...members]))).body).toEqual(
      expected,
    )
    const text = await exported(from.tenantId)
    expect((await imported(to.tenantId, text)).body).toEqual(expected)
    expect(await exported(to.tenantId)).toBe(text)
  })

  it('read a directory of large documents completely, in pages of bounded size', async () => {
    const { tenantId } = await newClient()
    const sizes = [800, 800, 800, 800, 800, 800, 900, 5, 0, 900, 900, 900, 900, 3].map((kb) => kb * 1000)
    const ids = sizes.map((_, i) => idOf(i + 1))
    await addLargeUsers(
      tenantId,
      sizes.map((characters, i) => ({ id: idOf(i + 1), characters })),
    )
    await addGroup(tenantId, idOf(20), 'n'.repeat(900_000))
    await addGroup(tenantId, idOf(21))
    await addMembers(tenantId, idOf(21), sizes.length)
    const { pages } = await pagesOf(tenantId)
    expect(pages.map((page) => page.length)).toEqual([5, 6, 3, 2, 14])
    for (const page of pages) {
      const bytes = page.reduce((sum, one) => sum + ('resource' in one ? JSON.stringify(one).length : 0), 0)
      expect(bytes).toBeLessThan(MAX_EXPORT_PAGE_BYTES + 10_000)
    }
    const records = recordsOf(await exported(tenantId))
    expect(records.slice(0, 14).map(({ id }) => id)).toEqual(ids)
    expect(records.at(-1)).toMatchObject({ kind: 'end', users: 14, groups: 2, memberships: 14 })
  })

  it('read an ordinary directory with one statement for each page', async () => {
    const { tenantId } = await newClient()
    await imported(tenantId, await fileOf([...users(1_201), groupLine(10_001), memberLine(10_001, 1)]))
    const { pages, figures } = await pagesOf(tenantId)
    expect(pages.map((page) => page.length)).toEqual([500, 500, 201, 1, 1])
    expect(figures.roundTrips).toBe(5)
  })

  it('end with the counts and the SHA-256 of all lines before', async () => {
    const { tenantId } = await newClient()
    expect(recordsOf(await exported(tenantId))).toEqual([
      { kind: 'end', users: 0, groups: 0, memberships: 0, sha256: await sha256('') },
    ])
    await imported(tenantId, await fileOf([userLine(1), groupLine(2), memberLine(2, 1)]))
    const text = await exported(tenantId)
    const before = text.slice(0, text.indexOf('{"kind":"end"'))
    expect(text.slice(before.length)).toBe(textOf([await endLine(before)]))
    expect(recordsOf(text).at(-1)).toMatchObject({ users: 1, groups: 1, memberships: 1 })
  })

  it('accept an empty directory, blank lines, a byte order mark, and CRLF line ends', async () => {
    const { tenantId } = await newClient()
    expect((await imported(tenantId, await fileOf([]))).body).toEqual({ imported: EMPTY })
    const text = await fileOf([userLine(1)])
    const changed = `\uFEFF${text.replaceAll('\n', '\r\n\r\n')}\r\n`
    expect((await imported(tenantId, changed)).body).toEqual({ imported: { ...EMPTY, user: 1 } })
  })

  it('accept resources that fill a row', async () => {
    const { tenantId } = await newClient()
    // Quotation marks are escaped in each of the two JSON documents that contain a row.
    const formatted = '"'.repeat(60_000)
    const addresses = Array.from({ length: 7 }, (_, i) => ({ type: `${i}`, formatted }))
    const long = (number: number) => userLine(number, { addresses })
    const answer = await imported(tenantId, await fileOf([long(1), userLine(2), long(3)]))
    expect(answer.body).toEqual({ imported: { ...EMPTY, user: 3 } })
  })
})

describe('an import', () => {
  const withLine = (line: Line | string) => (typeof line === 'string' ? `${line}\n` : textOf([line]))
  const without = (line: Line, field: string) => ({ ...line, [field]: undefined })
  const range = 'a whole number from 0 to 253402300799999'

  it.for<readonly [string, Line | string, string | RegExp]>([
    ['a broken line', '{"kind":', /^line 2 is not valid JSON/],
    ['a deep line', '['.repeat(33), /^line 2 is nested deeper than the limit of 32 levels$/],
    [
      'a member twice, of which the last one would give access',
      JSON.stringify(userLine(2)).replace('"active":true', '"active":false,"active":true'),
      /^line 2 has an object with the same member twice$/,
    ],
    [
      'a member twice, in upper and lower case',
      JSON.stringify(userLine(2)).replace('"active":true', '"active":false,"ACTIVE":true'),
      /^line 2 has an object with the same member twice$/,
    ],
    ['a line that is not an object', '[]', /^line 2 must be a JSON object$/],
    [
      'another kind',
      { kind: 'token' },
      '"kind" must be "user", "group", "membership", "client", "schema" or "end", found "token"',
    ],
    ['an invalid id', userLine(2, {}, { id: 'x' }), '"id" must be a UUID in lower case, found "x"'],
    ['no id', without(userLine(2), 'id'), '"id" must be a UUID in lower case, found nothing'],
    [
      'version 0',
      userLine(2, {}, { version: 0 }),
      '"version" must be a whole number from 1 to 999999999999, found 0',
    ],
    [
      'a version near 2^53',
      userLine(2, {}, { version: 2 ** 53 - 1 }),
      /^line 2: "version" must .* found 9007199254740991$/,
    ],
    ['a version as text', userLine(2, {}, { version: '1' }), /^line 2: "version" must .* found "1"$/],
    [
      'a time beyond a Date',
      userLine(2, {}, { createdAt: 2 ** 53 - 1 }),
      `"createdAt" must be ${range}, found 9007199254740991`,
    ],
    [
      'a time after the year 9999',
      userLine(2, {}, { lastModified: 253_402_300_800_000 }),
      `"lastModified" must be ${range}, found 253402300800000`,
    ],
    ['a negative time', userLine(2, {}, { lastModified: -1 }), `"lastModified" must be ${range}, found -1`],
    ['half a millisecond', userLine(2, {}, { createdAt: 1.5 }), `"createdAt" must be ${range}, found 1.5`],
    ['a time that is null', userLine(2, {}, { createdAt: null }), `"createdAt" must be ${range}, found null`],
    [
      'an unknown field',
      userLine(2, {}, { tenantId: 'x' }),
      'unknown field "tenantId", the fields are kind, id, version, createdAt, lastModified, resource',
    ],
    [
      'a resource without a required attribute',
      userLine(2, { userName: undefined }),
      'attribute "userName" is required and must not be empty',
    ],
    [
      'a value of another type',
      userLine(2, { title: 1 }),
      /^line 2: attribute "title" must be a string.*, found a number$/,
    ],
    [
      'half a character',
      '{"kind":"user","id":"01a2097c-0000-7000-8000-000000000002","version":1,"createdAt":0,"lastModified":0,"resource":{"userName":"\\ud800","active":true}}',
      /^line 2: attribute "userName" must be a string of well-formed Unicode/,
    ],
    ['an unknown attribute', userLine(2, { nickname2: 'x' }), '"resource" has unknown attributes: nickname2'],
    [
      'a user without "active"',
      userLine(2, { active: undefined }),
      'attribute "active" must be true or false, found nothing',
    ],
    [
      'a user with "active" null',
      userLine(2, { active: null }),
      'attribute "active" must be true or false, found nothing',
    ],
    [
      'a user with "groups"',
      userLine(2, { groups: [] }),
      'attribute "groups" is not allowed: write a line of the kind "membership" for each value',
    ],
    [
      'a group with "members"',
      groupLine(2, { members: [{ value: idOf(1) }] }),
      'attribute "members" is not allowed: write a line of the kind "membership" for each value',
    ],
    [
      'an unknown type of member',
      memberLine(1, 1, 'Robot'),
      '"memberType" must be "User" or "Group", found "Robot"',
    ],
    [
      'a membership of an unknown resource',
      memberLine(9, 1),
      'no earlier line has the resource of "groupId" or "memberId"',
    ],
    ['a repeated id', userLine(1, { userName: 'x' }), 'an earlier line has the same "id"'],
    [
      'a repeated userName',
      userLine(2, { userName: 'USER-1@quillfern.example' }),
      'an earlier line has the same "userName"',
    ],
    [
      'an end record with another digest',
      { kind: 'end', users: 1, groups: 0, memberships: 0, sha256: '0'.repeat(64) },
      /^line 2: the file was changed: "sha256" is 0+, but the lines before it give [0-9a-f]{64}$/,
    ],
    [
      'an end record with other counts',
      { kind: 'end', users: 2, groups: 0, memberships: 0, sha256: '0'.repeat(64) },
      'the file was changed: "users" is 2, but the lines before it give 1',
    ],
    [
      'an end record without a digest',
      { kind: 'end', users: 1, groups: 0, memberships: 0 },
      '"sha256" must be 64 hexadecimal digits in lower case, found nothing',
    ],
  ])('refuses %s, names the line, and writes nothing', async ([, line, message]) => {
    const client = await newClient()
    const first = textOf([userLine(1)])
    const text = first + withLine(line)
    const whole = text.includes('"kind":"end"') ? text : text + textOf([await endLine(text)])
    const { status, body } = await imported(client.tenantId, whole)
    expect([400, 409]).toContain(status)
    if (typeof message === 'string') expect(body.error.message).toBe(`line 2: ${message}`)
    else expect(body.error.message).toMatch(message)
    expect(await stateOf(client.tenantId)).toMatchObject({ userCount: 0, groupCount: 0, state: 'ready' })
    expect((await client.get('/Users')).body.totalResults).toBe(0)
  })

  // When both were deleted, one tombstone took the place of the other, and the user could not be restored.
  it('refuses an id that resources of two types have, in one batch or in several', async () => {
    const shared = groupLine(1)
    for (const [lines, line] of [
      [[userLine(1), shared], 2],
      [[shared, userLine(2), userLine(1)], 3],
      [[...users(2_501), shared], 2_502],
    ] as const) {
      const { tenantId } = await newClient()
      const { status, body } = await imported(tenantId, await fileOf(lines))
      expect([status, body.error.message.split(';')[0]]).toEqual([
        409,
        `line ${line}: another line has the "id" ${idOf(1)} for a resource of another type`,
      ])
    }
  })

  it('names the line of a repeated name in a batch of thousands', async () => {
    const { tenantId } = await newClient()
    const lines = users(2_000).map((line, i) =>
      i === 1_234 ? userLine(9_999, { userName: 'USER-7@quillfern.example' }) : line,
    )
    const { status, body } = await imported(tenantId, await fileOf(lines))
    expect([status, body.error.message]).toEqual([409, 'line 1235: an earlier line has the same "userName"'])
    expect(await stateOf(tenantId)).toMatchObject({ userCount: 0, state: 'ready' })
  })

  it.for([
    [
      'without its end record',
      (text: string) => text.slice(0, text.indexOf('{"kind":"end"')),
      /^the file is incomplete: the body ends after line 2 without the end record, .*; use "\?end=later" /,
    ],
    ['cut inside its end record', (text: string) => text.slice(0, -20), /^line 3 is not valid JSON/],
    ['that is empty', () => '', /ends after line 0 without the end record/],
    [
      'with a changed value',
      (text: string) => text.replace('true', 'false'),
      /^line 3: the file was changed: "sha256" is /,
    ],
    [
      'without one of its lines',
      (text: string) => text.slice(text.indexOf('\n') + 1),
      /^line 2: the file was changed: "users" is 2, but the lines before it give 1/,
    ],
    [
      'with a line after its end record',
      (text: string) => `${text}${text}`,
      /^line 4: no line may follow the end record$/,
    ],
  ] as const)('refuses a file %s', async ([, edit, message]) => {
    const { tenantId } = await newClient()
    const { status, body } = await imported(tenantId, edit(await fileOf(users(2))))
    expect([status, body.error.code]).toEqual([400, 'invalid'])
    expect(body.error.message).toMatch(message)
    expect(await stateOf(tenantId)).toMatchObject({ userCount: 0, state: 'ready' })
  })

  it.for(['required', 'missing', 'later'])(
    'refuses a file that is cut inside a character (end %s)',
    async (end) => {
      const { tenantId } = await newClient()
      const bytes = new TextEncoder().encode(`${textOf(users(2))}{"é`)
      const { status, body } = await imported(
        tenantId,
        bytes.slice(0, -1),
        end === 'required' ? '' : `?end=${end}`,
      )
      expect([status, body.error.message]).toEqual([400, 'the body ends inside a character'])
      const broken = new TextEncoder().encode(textOf(users(2)))
      broken[20] = 0xff
      expect((await imported(tenantId, broken)).body.error.message).toBe('the body is not UTF-8')
      expect(await stateOf(tenantId)).toMatchObject({ userCount: 0, state: 'ready' })
    },
  )

  it('refuses a line that is too long', async () => {
    const { tenantId } = await newClient()
    const { status, body } = await imported(tenantId, `\n"${'x'.repeat(2_000_000)}`)
    expect([status, body.error.message]).toEqual([413, 'line 2 is too long, the limit is 2000000 characters'])
  })

  it('refuses a tenant that is not empty, an unknown tenant, and unknown query values', async () => {
    const client = await newClient()
    await client.createUser()
    expect((await imported(client.tenantId, '')).body.error.message).toMatch(/ has 1 user$/)
    expect((await imported('nobody', '')).status).toBe(404)
    expect((await imported(client.tenantId, '', '?from=0')).body.error.field).toBe('from')
    expect((await imported(client.tenantId, '', '?end=never')).body.error.field).toBe('end')
  })
})

describe('an import that has begun', () => {
  /** A file with an invalid line after the first batch, and the same file without the error. */
  async function begun() {
    const client = await newClient()
    const lines = users(BATCH + 1)
    const text = textOf(lines)
    const wrong = text.replace(`user-${BATCH + 1}@`, '\\ud800')
    const answer = await imported(client.tenantId, wrong)
    const { importedLines } = await stateOf(client.tenantId)
    return { client, lines, text, file: await fileOf(lines), answer, importedLines: Number(importedLines) }
  }

  const requests = (client: Client): readonly (() => ReturnType<Client['get']>)[] => [
    () => client.get('/Users'),
    () => client.get(`/Users/${idOf(1)}`),
    () => client.get('/Groups'),
    () => client.get('/Schemas'),
    () =>
      client.request('POST', '/.search', {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
      }),
    () => client.request('POST', '/Users', { schemas: [USER], userName: 'new' }),
    () => client.request('POST', '/Users', { schemas: [USER] }),
    () => client.request('PUT', `/Users/${idOf(1)}`, { schemas: [USER], userName: 'new' }),
    () => client.patch(`/Users/${idOf(1)}`, { op: 'replace', path: 'title', value: 'x' }),
    () => client.request('DELETE', `/Users/${idOf(1)}`),
    () => client.request('POST', '/Groups', { displayName: 'new' }),
    () => client.patch(`/Groups/${idOf(1)}`, { op: 'replace', path: 'displayName', value: 'x' }),
    () => client.request('DELETE', `/Groups/${idOf(1)}`),
    () =>
      client.request('POST', '/Bulk', {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
        Operations: [],
      }),
  ]

  it('says which lines are stored and how to continue, and refuses clients', async () => {
    const { client, answer, importedLines } = await begun()
    expect([answer.status, answer.body.error.field]).toEqual([400, 'resource'])
    const [problem, advice] = answer.body.error.message.split('; ')
    expect(problem).toMatch(/^line 2501: attribute "userName" must be a string/)
    expect(advice).toBe(
      `lines 1 to ${importedLines} are stored: correct the file and send it again, or undo the import with DELETE …/import`,
    )
    expect(await stateOf(client.tenantId)).toMatchObject({ state: 'importing', userCount: importedLines })
    for (const request of requests(client)) {
      const { status, headers, body } = await request()
      expect([status, headers.get('Retry-After')]).toEqual([503, '5'])
      expect(body.detail).toBe('the directory is being imported; try again later')
    }
    expect(await client.log()).toEqual([])
    const { status, body } = await exportOf(client.tenantId)
    expect([status, body.error.code]).toEqual([409, 'conflict'])
  })

  it('continues with the corrected file, and then admits clients', async () => {
    const { client, file, lines } = await begun()
    const late = await newToken(client.tenantId)
    const answer = await imported(client.tenantId, file)
    expect([answer.status, answer.body]).toEqual([200, { imported: { ...EMPTY, user: BATCH + 1 } }])
    const state = await stateOf(client.tenantId)
    expect([state.state, 'importedLines' in state]).toEqual(['ready', false])
    for (const token of [client.token, late.token]) {
      const headers = { Authorization: `Bearer ${token}` }
      const { body } = await client.request('GET', '/Users?count=0', undefined, headers)
      expect(body.totalResults).toBe(lines.length)
    }
  })

  it('answers 503 to tokens that are generated meanwhile, and 401 to invalid tokens', async () => {
    const { client } = await begun()
    const { token } = await newToken(client.tenantId)
    const headers = { Authorization: `Bearer ${token}` }
    expect((await client.request('GET', '/Users', undefined, headers)).status).toBe(503)
    expect(
      (await client.request('GET', '/Users', undefined, { Authorization: 'Bearer scim_default_x' })).status,
    ).toBe(401)
  })

  it('can be undone: the tenant is empty, its tokens stay valid, and another file can be imported', async () => {
    const { client } = await begun()
    expect((await admin('DELETE', `/tenants/${client.tenantId}/import`)).status).toBe(204)
    expect(await stateOf(client.tenantId)).toMatchObject({ state: 'ready', userCount: 0, activeUserCount: 0 })
    expect((await client.get('/Users')).body.totalResults).toBe(0)
    expect((await admin('DELETE', `/tenants/${client.tenantId}/import`)).status).toBe(404)
    expect((await imported(client.tenantId, await fileOf(users(1)))).status).toBe(200)
    expect((await admin('DELETE', `/tenants/${client.tenantId}/import`)).status).toBe(404)
    expect((await client.get('/Users')).body.totalResults).toBe(1)
  })

  it('refuses another file, a shorter file, and a part other than the next', async () => {
    const { client, file, text, importedLines } = await begun()
    const answers = [
      await imported(client.tenantId, file.replace('user-9@', 'user-X@')),
      await imported(client.tenantId, textOf(users(3)), '?end=missing'),
      await imported(client.tenantId, text, '?from=2&end=later'),
    ]
    expect(answers.map(({ status }) => status)).toEqual([409, 409, 409])
    expect(answers.map(({ body }) => body.error.message.split(';')[0])).toEqual([
      'the body must begin with the lines that are stored already',
      'the body must begin with the lines that are stored already',
      `"from" must be 1 or ${importedLines + 1}, the line after the stored ones, found 2`,
    ])
    expect(await stateOf(client.tenantId)).toMatchObject({ state: 'importing', importedLines })
  })

  it('continues with the rest of the file, and the end record proves that the file is complete', async () => {
    const { client, file, importedLines } = await begun()
    const from = `?from=${importedLines + 1}`
    const rest = file.split('\n').slice(importedLines).join('\n')
    const refused = await imported(client.tenantId, textOf([userLine(9_999)]) + rest, from)
    expect(refused.body.error.message).toMatch(/"users" is 2501, but the lines before it give 2502/)
    expect((await imported(client.tenantId, rest, from)).body).toEqual({
      imported: { ...EMPTY, user: BATCH + 1 },
    })
  })

  it('accepts parts of any size', async () => {
    const client = await newClient()
    const file = await fileOf([...users(4), groupLine(5), memberLine(5, 1), memberLine(5, 4)])
    const lines = file.trim().split('\n')
    for (const [i, line] of lines.slice(0, -1).entries()) {
      const { status, body } = await imported(client.tenantId, `${line}\n`, `?from=${i + 1}&end=later`)
      expect([status, body.nextLine]).toEqual([202, i + 2])
      expect((await client.get('/Users')).status).toBe(503)
    }
    const { status, body } = await imported(client.tenantId, lines.at(-1) ?? '', `?from=${lines.length}`)
    expect([status, body]).toEqual([200, { imported: { user: 4, group: 1, membership: 2 } }])
    expect(await exported(client.tenantId)).toBe(
      await fileOf(recordsOf(await exported(client.tenantId)).slice(0, -1)),
    )
    expect((await client.get(`/Groups/${idOf(5)}`)).body.members).toHaveLength(2)
  })

  it('stops at the group limit, and continues after the limit was raised', async () => {
    const client = await newClient({ groupLimit: 2 })
    const file = await fileOf([
      ...users(BATCH),
      groupLine(3_001),
      groupLine(3_002),
      groupLine(3_003),
      memberLine(3_003, 1),
    ])
    const { status, body } = await imported(client.tenantId, file)
    expect([status, body.error.message.split(';')[0]]).toEqual([
      409,
      `line ${BATCH + 3}: the file has more groups than the "groupLimit" of the tenant: raise the limit first`,
    ])
    await admin('PATCH', `/tenants/${client.tenantId}`, { groupLimit: 3 })
    expect((await imported(client.tenantId, file)).body).toEqual({
      imported: { user: BATCH, group: 3, membership: 1 },
    })
  })

  it('is deleted with its tenant', async () => {
    const { client, file } = await begun()
    expect((await admin('DELETE', `/tenants/${client.tenantId}`)).status).toBe(204)
    expect((await imported(client.tenantId, file)).status).toBe(404)
    expect((await client.get('/Users')).status).toBe(401)
  })

  it('is stored once if it is sent twice at the same time', async () => {
    const { client, file } = await begun()
    const answers = await Promise.all([imported(client.tenantId, file), imported(client.tenantId, file)])
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([200, 409])
    expect((await client.get('/Users?count=0')).body.totalResults).toBe(BATCH + 1)
  })
})

describe('a client after its tenant was restored', () => {
  // An isolate must not use its remembered content of the former user.
  it('reads the user of the file, not the former one with the same id and version', async () => {
    const before = await newClient()
    const user = await before.createUser({ userName: 'alice', displayName: 'Alice' })
    const text = await exported(before.tenantId)
    const edited = textOf(
      recordsOf(text)
        .slice(0, -1)
        .map((line) => ({ ...line, resource: { ...line.resource, userName: 'alicia', active: false } })),
    )
    expect((await admin('DELETE', `/tenants/${before.tenantId}`)).status).toBe(204)
    await admin('POST', '/tenants', { id: before.tenantId, name: 'Again' })
    expect((await imported(before.tenantId, edited, '?end=missing')).status).toBe(200)
    const { token } = await newToken(before.tenantId)
    const Operations = [{ op: 'replace', path: 'title', value: 'Pilot' }]
    const headers = { Authorization: `Bearer ${token}` }
    const answer = await before.request(
      'PATCH',
      `/Users/${user.id}`,
      { schemas: [PATCH_OP], Operations },
      headers,
    )
    expect([answer.status, answer.body.active, answer.body.userName]).toEqual([200, false, 'alicia'])
    const read = await before.request('GET', `/Users/${user.id}`, undefined, headers)
    expect(read.body).toEqual(answer.body)
  })
})
