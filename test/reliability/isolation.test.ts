/**
 * Isolation of tenants: requests with ids, names and cursors of another tenant get the responses for resources that do
 * not exist, and change nothing in the other tenant. The requests are generated: every route and method, every operator
 * on every attribute that can identify a resource, and every bulk operation.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { Browser } from '../support/dashboard.ts'
import {
  type Answer,
  admin,
  type Client,
  GROUP,
  newClient,
  newToken,
  PATCH_OP,
  USER,
} from '../support/harness.ts'
import { soundState } from '../support/tenant-state.ts'

const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'
const SEARCH = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest'
const OPERATORS = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const

/** Ids and words that identify a resource: those of the other tenant, and unknown ones. */
interface Names {
  readonly userId: string
  readonly groupId: string
  readonly userName: string
  readonly displayName: string
}

interface Ask {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

let ours: Client
let theirs: Client
let foreign: Names
let unknown: Names

beforeAll(async () => {
  ours = await newClient()
  theirs = await newClient()
  const secret = { userName: 'hidden-person@x', displayName: 'Hidden Crew' }
  const user = await theirs.createUser({ userName: secret.userName, externalId: secret.userName })
  const { id: groupId } = await theirs.createGroup({
    displayName: secret.displayName,
    externalId: secret.displayName,
    members: [{ value: user.id }],
  })
  foreign = { userId: user.id, groupId, ...secret }
  // Words of the same length, so that the length of a response reveals nothing.
  unknown = {
    userId: user.id.replace(/.{12}$/, 'aaaaaaaaaaaa'),
    groupId: groupId.replace(/.{12}$/, 'bbbbbbbbbbbb'),
    userName: 'nobody-at-all@x',
    displayName: 'Nobody Here',
  }
  const own = await ours.createUser({ userName: 'own@x' })
  await ours.createGroup({ displayName: 'Own', members: [{ value: own.id }] })
})

/** The response without ids, names and times. */
function comparable({ status, headers, body }: Answer, { userId, groupId, userName, displayName }: Names) {
  const text = JSON.stringify(body ?? null)
    .replaceAll(userId, '<user>')
    .replaceAll(groupId, '<group>')
    .replaceAll(userName, '<userName>')
    .replaceAll(displayName, '<displayName>')
  const kept = ['content-type', 'etag', 'location', 'retry-after', 'www-authenticate']
  return { status, text, headers: kept.map((name) => headers.get(name)) }
}

/** Every method with every path that identifies a resource. */
function routes({ userId, groupId }: Names): readonly Ask[] {
  const paths = [`/Users/${userId}`, `/Groups/${groupId}`, `/Users/${groupId}`, `/Groups/${userId}`]
  const suffixes = ['', '?attributes=id', '?excludedAttributes=members,groups', '/']
  const patch = { schemas: [PATCH_OP], Operations: [{ op: 'replace', path: 'externalId', value: 'x' }] }
  return paths.flatMap((path) => {
    const put = path.startsWith('/Users')
      ? { schemas: [USER], userName: 'taken-over' }
      : { schemas: [GROUP], displayName: 'Taken over' }
    const headers: readonly Record<string, string>[] = [{}, { 'If-Match': 'W/"1"' }, { 'If-Match': '*' }]
    return [
      ...suffixes.map((suffix) => ({ method: 'GET', path: `${path}${suffix}` })),
      { method: 'GET', path, headers: { 'If-None-Match': 'W/"1"' } },
      { method: 'HEAD', path },
      { method: 'POST', path, body: put },
      ...headers.flatMap((header) => [
        { method: 'PUT', path, body: put, headers: header },
        { method: 'PATCH', path, body: patch, headers: header },
        { method: 'DELETE', path, headers: header },
      ]),
    ]
  })
}

/** Every operator on every attribute that can contain such a value, by GET and by .search, on all endpoints. */
function filters({ userId, groupId, userName, displayName }: Names): readonly Ask[] {
  const users = {
    id: userId,
    userName,
    externalId: userName,
    'groups.value': groupId,
    'groups.display': displayName,
  }
  const groups = {
    id: groupId,
    displayName,
    externalId: displayName,
    'members.value': userId,
    'members.display': userName,
  }
  const texts = (attributes: Readonly<Record<string, string>>) =>
    Object.entries(attributes).flatMap(([name, value]) => [
      ...OPERATORS.filter((operator) => operator === 'eq' || operator.length === 2).map(
        (operator) => `${name} ${operator} ${JSON.stringify(value)}`,
      ),
      `not (${name} eq ${JSON.stringify(value)})`,
    ])
  const places = [
    ['/Users', [...texts(users), `groups[value eq "${groupId}"]`]],
    ['/Groups', [...texts(groups), `members[value eq "${userId}" and type eq "User"]`]],
    ['', [...texts({ id: userId, externalId: userName }), ...texts({ id: groupId })]],
  ] as const
  return places.flatMap(([path, all]) =>
    all.flatMap((filter) => [
      { method: 'GET', path: `${path || '/'}?filter=${encodeURIComponent(filter)}` },
      { method: 'POST', path: `${path}/.search`, body: { schemas: [SEARCH], filter } },
    ]),
  )
}

/** Resources of the other tenant as members, in every notation of a member. */
function references({ userId, groupId }: Names, ownGroup: string): readonly Ask[] {
  return [userId, groupId].flatMap((value) => {
    const path = `/Groups/${ownGroup}`
    const change = (...Operations: readonly object[]) => ({
      method: 'PATCH',
      path: `${path}?attributes=members`,
      body: { schemas: [PATCH_OP], Operations },
    })
    return [
      change({ op: 'add', path: 'members', value: [{ value }] }),
      change({ op: 'add', value: { members: [{ value }] } }),
      change({ op: 'replace', path: 'members', value: [{ value }] }),
      change({ op: 'remove', path: 'members', value: [{ value }] }),
      change({ op: 'remove', path: `members[value eq "${value}"]` }),
      { method: 'PUT', path, body: { schemas: [GROUP], displayName: 'Own', members: [{ value }] } },
      {
        method: 'POST',
        path: '/Groups',
        body: { schemas: [GROUP], displayName: 'Thief', members: [{ value }] },
      },
    ]
  })
}

/** The same requests as operations of a bulk request, separately and all together. */
function bulk(names: Names): readonly Ask[] {
  const operations = routes(names)
    .filter(({ method, path }) => /^(?:PUT|PATCH|DELETE)$/.test(method) && !path.includes('?'))
    .map(({ method, path, body, headers }) => ({ method, path, data: body, version: headers?.['If-Match'] }))
  const request = (Operations: readonly object[]) => ({
    method: 'POST',
    path: '/Bulk',
    body: { schemas: [BULK], Operations },
  })
  return [...operations.map((operation) => request([operation])), request(operations)]
}

async function expectSame(forForeign: readonly Ask[], forUnknown: readonly Ask[]): Promise<void> {
  const before = await soundState(theirs.tenantId)
  for (const [i, ask] of forForeign.entries()) {
    const other = forUnknown[i]
    if (other === undefined) throw new Error('the two lists differ in length')
    const found = await ours.request(ask.method, ask.path, ask.body, ask.headers)
    const expected = await ours.request(other.method, other.path, other.body, other.headers)
    const what = `${ask.method} ${ask.path} ${JSON.stringify(ask.body ?? '')}`
    expect(comparable(found, foreign), what).toEqual(comparable(expected, unknown))
    expect(found.status, what).toBeLessThan(500)
  }
  expect(await soundState(theirs.tenantId)).toEqual(before)
}

describe('the resources of another tenant look like resources that do not exist', () => {
  it('on every route and method', { timeout: 120_000 }, async () => {
    await expectSame(routes(foreign), routes(unknown))
  })

  it('in every filter and search', { timeout: 120_000 }, async () => {
    await expectSame(filters(foreign), filters(unknown))
  })

  it('as members', { timeout: 120_000 }, async () => {
    const own = (await ours.filter('/Groups', 'displayName eq "Own"')).body.Resources[0].id
    await expectSame(references(foreign, own), references(unknown, own))
  })

  it('in every bulk operation', { timeout: 120_000 }, async () => {
    await expectSame(bulk(foreign), bulk(unknown))
  })

  it('when their names are used: both can be created here', async () => {
    const client = await newClient()
    await client.createUser({ userName: foreign.userName })
    await client.createGroup({ displayName: foreign.displayName })
    await soundState(client.tenantId)
  })
})

describe('a value that was issued to one tenant', () => {
  it('is not a valid cursor for another tenant or another token', async () => {
    for (let i = 0; i < 3; i++) await theirs.createUser()
    const { nextCursor } = (await theirs.get('/Users?cursor=&count=1')).body
    expect((await theirs.get(`/Users?cursor=${nextCursor}&count=1`)).status).toBe(200)
    const forged = await ours.get(`/Users?cursor=${nextCursor.slice(0, -1)}_&count=1`)
    const stolen = await ours.get(`/Users?cursor=${nextCursor}&count=1`)
    expect([forged.status, forged.body.scimType]).toEqual([400, 'invalidCursor'])
    expect(stolen.body).toEqual(forged.body)
  })

  it('is not a valid token for another tenant', async () => {
    const { token } = await newToken(theirs.tenantId)
    const renamed = token.replace(theirs.tenantId, ours.tenantId)
    const headers = { Authorization: `Bearer ${renamed}`, 'CF-Connecting-IP': crypto.randomUUID() }
    expect((await ours.request('GET', '/Users', undefined, headers)).status).toBe(401)
  })
})

describe('the administration', () => {
  it('finds tokens, log entries, users and groups only in their own tenant', async () => {
    const { id: tokenId } = await newToken(theirs.tenantId)
    const [entry] = await theirs.log()
    const browser = await new Browser().signIn()
    const page = async (path: string) => {
      const { status, html } = await browser.get(`/admin/tenants/${ours.tenantId}${path}`)
      return { status, html: html.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<id>') }
    }
    for (const [path, id] of [
      ['/users/', foreign.userId],
      ['/groups/', foreign.groupId],
      ['/log/', String(entry?.id)],
    ] as const) {
      const found = await page(`${path}${id}`)
      expect(found.status, path).toBe(404)
      expect(found, path).toEqual(await page(`${path}${unknown.userId}`))
    }
    expect((await page(`/api-keys/${tokenId}/revoke`)).status).toBe(404)
    const revoked = await admin('DELETE', `/tenants/${ours.tenantId}/tokens/${tokenId}`)
    expect(revoked.status).toBe(404)
    const { tokens } = (await admin('GET', `/tenants/${theirs.tenantId}/tokens`)).body
    expect(tokens.find(({ id }: { id: string }) => id === tokenId).revokedAt).toBeNull()
    for (const text of [foreign.userName, foreign.userId]) {
      expect((await page(`/users?q=${encodeURIComponent(text)}`)).html).not.toContain('/users/<id>')
      expect(await ours.log(`?q=${encodeURIComponent(text)}&outcome=accepted`)).toEqual([])
    }
  })
})
