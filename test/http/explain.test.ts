/** Explaining a request: the answer, the log entry and the events of the request itself, and nothing left behind. */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { recallResource } from '../../src/storage/resources/recent-resources.ts'
import { RESOURCE_TYPES, typeNamed } from '../../src/storage/tables/resource-tables.ts'
import { admin, type Client, GROUP, newClient, newToken, PATCH_OP, USER } from '../support/harness.ts'

const USER_TYPE = typeNamed(RESOURCE_TYPES, 'User')
const SEARCH = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest'

let client: Client
let clientId: string
// biome-ignore-start lint/suspicious/noExplicitAny: -- tests assert on what they read
let user: any
let other: any
let group: any
// biome-ignore-end lint/suspicious/noExplicitAny: -- as above

beforeAll(async () => {
  client = await newClient()
  clientId = (await admin('GET', `/tenants/${client.tenantId}/clients`)).body.clients[0].id
  user = await client.createUser({ userName: 'mirela@quillfern.example', displayName: 'Mirela' })
  other = await client.createUser({ userName: 'oana@quillfern.example' })
  group = await client.createGroup({ displayName: 'Field Crew', members: [{ value: user.id }] })
})

function explain(method: string, path: string, body?: unknown, clientId?: string) {
  return admin('POST', `/tenants/${client.tenantId}/explain`, { method, path, body, clientId })
}

function patch(...Operations: readonly unknown[]) {
  return { schemas: [PATCH_OP], Operations }
}

/**
 * All rows of the tenant, of all tables but the audit trail, which names every request of an administrator. The hourly run of
 * the server may come in between: it changes other tenants, and notices the health of clients.
 */
async function wholeTenant(): Promise<Record<string, unknown>> {
  const tables = await env.DB.prepare(
    `SELECT t.name, c.name AS key FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c
     WHERE t.type = 'table' AND t.name <> 'audit_trail' AND t.name NOT LIKE '\\_cf%' ESCAPE '\\'
       AND c.name = CASE t.name WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END`,
  ).all<{ name: string; key: string }>()
  const rows: Record<string, unknown> = {}
  for (const { name, key } of tables.results) {
    const ofTenant = `SELECT * FROM "${name}" WHERE ${key} = ? ORDER BY 1, 2`
    const { results } = await env.DB.prepare(ofTenant).bind(client.tenantId).all<Record<string, unknown>>()
    rows[name] = results.map(({ health: _, health_since: __, ...row }) => row)
  }
  expect(Object.keys(rows)).toContain('users')
  return rows
}

type Row = [
  name: string,
  method: string,
  path: () => string,
  body: (() => unknown) | undefined,
  status: number,
]

const REQUESTS: readonly Row[] = [
  ['a user is created', 'POST', () => '/Users', () => ({ schemas: [USER], userName: 'new@x.example' }), 201],
  ['a user is replaced', 'PUT', () => `/Users/${user.id}`, () => ({ schemas: [USER], userName: 'm' }), 200],
  [
    'a user is disabled',
    'PATCH',
    () => `/Users/${user.id}`,
    () => patch({ op: 'replace', path: 'active', value: false }),
    200,
  ],
  [
    'nothing changes',
    'PATCH',
    () => `/Users/${user.id}`,
    () => patch({ op: 'replace', path: 'displayName', value: 'Mirela' }),
    200,
  ],
  ['a user is deleted', 'DELETE', () => `/Users/${user.id}`, undefined, 204],
  [
    'a group is created',
    'POST',
    () => '/Groups',
    () => ({ schemas: [GROUP], displayName: 'New', members: [{ value: user.id }] }),
    201,
  ],
  [
    'a group is replaced',
    'PUT',
    () => `/Groups/${group.id}`,
    () => ({ schemas: [GROUP], displayName: 'Crew', members: [{ value: other.id }] }),
    200,
  ],
  [
    'a member is added',
    'PATCH',
    () => `/Groups/${group.id}`,
    () => patch({ op: 'add', path: 'members', value: [{ value: other.id }] }),
    204,
  ],
  ['a group is deleted', 'DELETE', () => `/Groups/${group.id}`, undefined, 204],
  ['a taken userName', 'POST', () => '/Users', () => ({ schemas: [USER], userName: user.userName }), 409],
  [
    'a taken displayName',
    'POST',
    () => '/Groups',
    () => ({ schemas: [GROUP], displayName: 'field crew' }),
    409,
  ],
  ['a body without userName', 'POST', () => '/Users', () => ({ schemas: [USER] }), 400],
  ['an unknown user', 'DELETE', () => '/Users/nobody', undefined, 404],
  ['an unknown group', 'DELETE', () => '/Groups/nobody', undefined, 404],
  ['a user is read', 'GET', () => `/Users/${user.id}`, undefined, 200],
  ['users are listed', 'GET', () => '/Users?filter=userName%20sw%20%22m%22', undefined, 200],
  [
    'a search',
    'POST',
    () => '/.search',
    () => ({ schemas: [SEARCH], filter: 'displayName eq "Mirela"' }),
    200,
  ],
  ['a schema is read', 'GET', () => '/Schemas', undefined, 200],
]

describe('an explained request', () => {
  it.for(REQUESTS)('leaves the tenant as it is: %s', async ([, method, path, body, status]) => {
    const before = await wholeTenant()
    const remembered = recallResource(client.tenantId, USER_TYPE, user.id)?.json
    const answer = await explain(method, path(), body?.())
    expect([answer.status, answer.body.status]).toEqual([200, status])
    expect(await wholeTenant()).toEqual(before)
    expect(recallResource(client.tenantId, USER_TYPE, user.id)?.json).toBe(remembered)
  })

  it('has the answer, the changes, the log entry and the events of a PATCH', async () => {
    const body = patch({ op: 'replace', path: 'displayName', value: 'Mirela O.' })
    const { body: explained } = await explain('PATCH', `/Users/${user.id}`, body)
    expect(explained).toMatchObject({
      status: 200,
      answer: { id: user.id, displayName: 'Mirela O.', groups: [{ value: group.id }] },
      refusal: null,
      changes: [{ attribute: 'displayName', old: 'Mirela', new: 'Mirela O.' }],
      log: { action: 'update', outcome: 'accepted', resourceName: user.userName, status: 200 },
      events: [{ type: 'user.updated', resourceId: user.id }],
      eventCount: 1,
      list: null,
    })
    expect((await client.get(`/Users/${user.id}`)).body.displayName).toBe('Mirela')
  })

  it('has the members that a group gains and loses', async () => {
    const body = { schemas: [GROUP], displayName: 'Field Crew', members: [{ value: other.id }] }
    const { body: explained } = await explain('PUT', `/Groups/${group.id}`, body, clientId)
    expect(explained.members).toEqual({ added: [other.id], removed: [user.id] })
    expect(explained.events.map(({ type }: { type: string }) => type)).toEqual([
      'group.members_removed',
      'group.members_added',
    ])
  })

  it('has the groups that a deleted user leaves, as events', async () => {
    const { body: explained } = await explain('DELETE', `/Users/${user.id}`)
    expect(explained).toMatchObject({ status: 204, answer: null, log: { action: 'delete' }, eventCount: 2 })
    expect(explained.events).toMatchObject([
      { type: 'group.members_removed', resourceId: group.id },
      { type: 'user.deleted', resourceId: user.id },
    ])
  })

  it('has the refusal with its reason and its fix, and the log entry of the refusal', async () => {
    const body = { schemas: [USER], userName: user.userName }
    const { body: explained } = await explain('POST', '/Users', body, clientId)
    expect(explained).toMatchObject({
      status: 409,
      refusal: { scimType: 'uniqueness', detail: expect.stringContaining('already in use') },
      log: { outcome: 'refused', status: 409 },
      changes: [],
      eventCount: 0,
    })
    expect(explained.refusal.cause).toMatch(/^Another resource has the value/)
    expect(explained.refusal.fix).toMatch(/^Find the resource that has it/)
  })

  it('has the conflict that it would cause with another source', async () => {
    const { body: explained } = await explain('POST', '/Users', { schemas: [USER], userName: user.userName })
    expect(explained.events).toMatchObject([{ type: 'source.conflict' }])
  })

  it('has the rights of the chosen client', async () => {
    const token = await newToken(client.tenantId, { name: 'Reader', scope: 'read' })
    const before = await wholeTenant()
    const { body: explained } = await explain('DELETE', `/Users/${user.id}`, undefined, token.clientId)
    expect(explained).toMatchObject({ status: 403, refusal: { fix: expect.stringContaining('Provision') } })
    expect(await wholeTenant()).toEqual(before)
    const unknown = await explain('GET', '/Users', undefined, 'nobody')
    expect([unknown.status, unknown.body.error.field]).toEqual([404, 'clientId'])
  })

  it('says which index answers a filter, or how much is looked through', async () => {
    const indexed = await explain('GET', `/Users?filter=${encodeURIComponent('userName eq "x"')}`)
    expect(indexed.body.list).toMatchObject({
      isIndexed: true,
      indexes: ['users_by_user_name'],
      tests: [{ resourceType: 'User', test: 'userName eq', isIndexed: true }],
      scanned: null,
    })
    const scanned = await explain('GET', `/Users?filter=${encodeURIComponent('title co "x"')}`)
    expect(scanned.body.list).toMatchObject({
      isIndexed: false,
      indexes: [],
      tests: [{ test: 'title co', isIndexed: false }],
      scanned: 2,
      indexed: [expect.stringContaining('userName')],
    })
    const search = { schemas: [SEARCH], filter: 'externalId eq "x" and title pr' }
    const searched = await explain('POST', '/Users/.search', search)
    expect(searched.body.list.tests).toEqual([
      { resourceType: 'User', test: 'externalId eq', isIndexed: true },
      { resourceType: 'User', test: 'title pr', isIndexed: false },
    ])
  })

  it('has the whole answer, also if it has more members than a body may have', async () => {
    const large = await newClient()
    const roles = Array.from({ length: 1_000 }, (_, i) => ({ value: `r${i}`, display: 'd', type: 't' }))
    for (let i = 0; i < 14; i++) await large.createUser({ userName: `u${i}`, roles })
    const path = `/tenants/${large.tenantId}/explain`
    const { status, body } = await admin('POST', path, { method: 'GET', path: '/Users?count=14' })
    expect([status, body.status, body.answer.Resources.length]).toEqual([200, 200, 14])
  })

  it('is refused for a bulk request, another path, and an unknown method', async () => {
    const answers = [
      await explain('POST', '/Bulk', { Operations: [] }),
      await explain('POST', '//bulk/', { Operations: [] }),
      await explain('GET', '/../../admin/api/tenants'),
      await explain('GET', 'Users'),
      await explain('HEAD', '/Users'),
    ]
    expect(answers.map(({ status, body }) => [status, body.error.field])).toEqual([
      [400, 'path'],
      [400, 'path'],
      [400, 'path'],
      [400, 'path'],
      [400, 'method'],
    ])
  })

  it('is what the request then does', async () => {
    const body = patch(
      { op: 'replace', path: 'displayName', value: 'Night Crew' },
      { op: 'add', path: 'members', value: [{ value: other.id }] },
    )
    const explained = (await explain('PATCH', `/Groups/${group.id}?attributes=displayName`, body, clientId))
      .body
    const done = await client.request('PATCH', `/Groups/${group.id}?attributes=displayName`, body)
    const [entry] = await client.log()
    const { changes, id: _id, time: _time, ...log } = entry ?? {}
    expect(explained.status).toBe(done.status)
    expect(explained.answer).toEqual(done.body)
    expect(explained.changes).toEqual(
      (changes as { attribute: string }[]).filter(({ attribute }) => attribute !== 'members'),
    )
    expect(log).toMatchObject(explained.log)
    const feed = (await client.feed('?limit=100')).body.events.slice(-explained.eventCount)
    expect(feed.map(({ type }: { type: string }) => type)).toEqual(
      explained.events.map(({ type }: { type: string }) => type),
    )
  })
})
