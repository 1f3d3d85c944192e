/**
 * Compares the OpenAPI document with the routes and responses of the app. openapi-document.test.ts validates the document.
 */
import { type Schema, Validator } from '@cfworker/json-schema'
import { inspectRoutes } from 'hono/dev'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { eventTypes } from '../../src/scim/events.ts'
import { schemasOf } from '../../src/scim/schema/resource-type.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import { appWithAllRoutes } from '../support/all-routes.ts'
import { causeClientEvents, causeUnusualDeprovisioning } from '../support/client-health.ts'
import { fileOf, imported, textOf, userLine } from '../support/directory-file.ts'
import { trustOf } from '../support/federation.ts'
import {
  type Answer,
  admin,
  Client,
  GROUP,
  newClient,
  ORIGIN,
  PATCH_OP,
  send,
  USER,
} from '../support/harness.ts'
import { Issuer } from '../support/issuer.ts'
import { formOf, newOauthClient, requestToken } from '../support/oauth.ts'
import { adminAs } from '../support/people.ts'
import { secondSource } from '../support/sources.ts'

const METHODS = ['get', 'post', 'put', 'patch', 'delete']
/** The pages of the dashboard and the document itself are not described. */
const isDescribed = (path: string) =>
  ['/scim/', '/events', '/oauth/', '/.well-known/', '/admin/api', '/healthz'].some((prefix) =>
    path.startsWith(prefix),
  )

// biome-ignore lint/suspicious/noExplicitAny: -- tests assert on what they read
let document: any

beforeAll(async () => {
  document = (await send(new Request(`${ORIGIN}/openapi.json`))).body
})

/** `get /scim/v2/Users/{id}` for each route of the app. */
async function routes(): Promise<readonly string[]> {
  const found = inspectRoutes(await appWithAllRoutes())
    .filter(({ isMiddleware, path }) => !isMiddleware && isDescribed(path) && !path.endsWith('*'))
    .flatMap(({ method, path }) =>
      (method === 'ALL' ? METHODS : [method.toLowerCase()]).map(
        (each) => `${each} ${path.replace(/:(\w+)/g, '{$1}')}`,
      ),
    )
  return [...new Set(found)].sort()
}

/** `get /scim/v2/Users/{id}` for each operation in the document. */
function operations(): readonly string[] {
  return Object.entries<object>(document.paths)
    .flatMap(([path, item]) =>
      Object.keys(item)
        .filter((key) => METHODS.includes(key))
        .map((method) => `${method} ${path}`),
    )
    .sort()
}

/** Validates a response against the document's schema for the operation and status. */
function expectDescribed(method: string, path: string, answer: Answer): void {
  const described = document.paths[path][method].responses[answer.status]
  expect(described, `${method} ${path} ${answer.status}`).toBeDefined()
  const { content } = resolve(described)
  const type = answer.headers.get('Content-Type')?.split(';')[0] ?? ''
  if (answer.body === undefined) {
    expect(content, `${method} ${path} ${answer.status}`).toBeUndefined()
    return
  }
  const schema: Schema = { ...content[type].schema, components: document.components }
  const { valid, errors } = new Validator(schema, '2020-12', false).validate(answer.body)
  expect(errors, `${method} ${path} ${answer.status}: ${JSON.stringify(answer.body)}`).toEqual([])
  expect(valid).toBe(true)
}

function resolve(part: { $ref?: string; content?: unknown }) {
  const [, , section = '', name = ''] = part.$ref?.split('/') ?? []
  return part.$ref === undefined ? part : document.components[section][name]
}

describe('the OpenAPI document', () => {
  it('describes exactly the routes of the app', async () => {
    expect(operations()).toEqual(await routes())
  })

  it('says which role each operation of the admin API needs', () => {
    const { get, delete: remove } = document.paths['/admin/api/tenants/{id}']
    expect(get.description).toContain('Needs the role "viewer".')
    expect(remove.description).toContain('Needs the role "owner".')
    expect(document.paths['/admin/api/audit'].get.description).toBe('Needs the role "owner" in all tenants.')
  })

  it('lists null among the allowed values of what may be null', () => {
    let found = 0
    JSON.stringify(document, (_, part) => {
      if (!Array.isArray(part?.enum) || ![part.type].flat().includes('null')) return part
      found += 1
      expect(part.enum).toContain(null)
      return part
    })
    expect(found).toBeGreaterThan(0)
  })

  it('describes every attribute of every schema', () => {
    const { User, Group } = document.components.schemas
    for (const { id, attributes } of schemasOf(RESOURCE_TYPES)) {
      const core = id === USER ? User : id === GROUP ? Group : undefined
      const owner = core ?? User.properties[id] ?? Group.properties[id]
      for (const { name } of attributes) expect(owner.properties, `${id}:${name}`).toHaveProperty([name])
    }
    expect(User.properties.userName).toMatchObject({ type: 'string', 'x-scim-uniqueness': 'server' })
    expect(User.properties.emails.items.properties.primary).toMatchObject({ type: 'boolean' })
    expect(User.properties.groups).toMatchObject({ type: 'array', readOnly: true })
  })

  it('describes the responses for users and groups', async () => {
    const client = await newClient()
    const at = async (method: string, template: string, path: string, body?: unknown, headers = {}) => {
      const answer = await client.request(method.toUpperCase(), path, body, headers)
      expectDescribed(method, `/scim/v2${template}`, answer)
      return answer
    }
    const user = await client.createUser({
      name: { givenName: 'Mirela' },
      emails: [{ value: 'mirela@quillfern.example', type: 'work', primary: true }],
      x509Certificates: [{ value: 'MIIB' }],
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { manager: { value: 'm' } },
    })
    const group = await client.createGroup({ displayName: 'Field Crew', members: [{ value: user.id }] })
    await at('post', '/Users', '/Users', { schemas: [USER], userName: 'tavish@quillfern.example' })
    await at('post', '/Users', '/Users', { schemas: [USER], userName: 'TAVISH@quillfern.example' })
    await at('post', '/Users', '/Users', 'no JSON')
    await at('post', '/Users', '/Users', '<user/>', { 'Content-Type': 'text/xml' })
    await at('get', '/Users/{id}', `/Users/${user.id}`)
    await at('get', '/Users/{id}', `/Users/${user.id}`, undefined, { 'If-None-Match': 'W/"1"' })
    await at('get', '/Users/{id}', '/Users/unknown')
    await at('put', '/Users/{id}', `/Users/${user.id}`, user)
    const change = { schemas: [PATCH_OP], Operations: [{ op: 'replace', path: 'active', value: false }] }
    await at('patch', '/Users/{id}', `/Users/${user.id}`, change, { 'If-Match': 'W/"9"' })
    await at('patch', '/Users/{id}', `/Users/${user.id}`, change)
    await at('get', '/Users', '/Users?count=1')
    await at('get', '/Users', '/Users?cursor&count=1')
    await at('get', '/Users', '/Users?filter=shoeSize+pr')
    await at('get', '/Groups/{id}', `/Groups/${group.id}`)
    await at('get', '/Groups', '/Groups')
    const empty = { schemas: [PATCH_OP], Operations: [{ op: 'remove', path: 'members' }] }
    await at('patch', '/Groups/{id}', `/Groups/${group.id}?attributes=members`, empty)
    await at('patch', '/Groups/{id}', `/Groups/${group.id}`, empty)
    const membership = { group: { value: group.id }, member: { value: user.id } }
    const { body } = await at('post', '/GroupMemberships', '/GroupMemberships', membership)
    await at('post', '/GroupMemberships', '/GroupMemberships', membership)
    await at('get', '/GroupMemberships', '/GroupMemberships')
    await at('get', '/GroupMemberships/{id}', `/GroupMemberships/${body.id}`)
    await at('delete', '/GroupMemberships/{id}', `/GroupMemberships/${body.id}`)
    await at('delete', '/GroupMemberships/{id}', `/GroupMemberships/${body.id}`)
    await at('delete', '/Groups/{id}', `/Groups/${group.id}`)
    await at('delete', '/Users/{id}', `/Users/${user.id}`)
  })

  it('describes the responses of searches, bulk requests and discovery', async () => {
    const client = await newClient()
    await client.createUser()
    await client.createGroup()
    const get = async (path: string) => expectDescribed('get', `/scim/v2${path}`, await client.get(path))
    const post = async (path: string, body: unknown) =>
      expectDescribed('post', `/scim/v2${path}`, await client.request('POST', path, body))
    await get('')
    for (const path of ['/ServiceProviderConfig', '/Schemas', '/ResourceTypes', '/Me']) await get(path)
    expectDescribed('get', '/scim/v2/Schemas/{id}', await client.get(`/Schemas/${USER}`))
    expectDescribed('get', '/scim/v2/ResourceTypes/{id}', await client.get('/ResourceTypes/Group'))
    const { examples } = document.components.schemas.SearchRequest
    for (const path of ['/.search', '/Users/.search', '/Groups/.search']) await post(path, examples[0])
    await post('/Bulk', document.components.schemas.BulkRequest.examples[0])
    await post('/Bulk', { schemas: [] })
    expectDescribed(
      'get',
      '/scim/v2/Users',
      await send(new Request(`${ORIGIN}/scim/v2/Users`, { headers: { Authorization: 'Bearer x' } })),
    )
  })

  it('describes the responses of the token endpoint and its metadata', async () => {
    const client = await newOauthClient()
    for (const form of [formOf(client), {}, { ...formOf(client), client_secret: 'x' }]) {
      expectDescribed('post', '/oauth/token', await requestToken(form))
    }
    const path = '/.well-known/oauth-authorization-server'
    expectDescribed('get', path, await send(new Request(`${ORIGIN}${path}`)))
  })

  it('describes the feed, and each type of events', async () => {
    const client = await newClient()
    const user = await client.createUser({
      externalId: 'e1',
      'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User': { nativeObjectId: 'n1' },
    })
    const change = (path: string, value: unknown) =>
      client.patch(`/Users/${user.id}`, { op: 'replace', path, value })
    await change('title', 'Ranger')
    await change('active', false)
    await change('active', true)
    await client.createUser({ addresses: [{ formatted: 'x'.repeat(20_000) }] })
    const group = await client.createGroup({ members: [{ value: user.id }] })
    await client.patch(`/Groups/${group.id}`, { op: 'replace', path: 'displayName', value: 'Field Crew' })
    const other = await secondSource(client)
    await other.createUser({ externalId: 'e1' })
    await other.request('POST', '/Users', { userName: user.userName })
    await client.request('DELETE', `/Users/${user.id}`)
    await client.request('DELETE', `/Groups/${group.id}`)
    await causeClientEvents(client)
    await causeUnusualDeprovisioning(client)
    const { tenantId } = await newClient()
    await imported(tenantId, await fileOf([userLine(1)]))
    const extension = `/tenants/${tenantId}/schemas/urn:example:events:User`
    await admin('PUT', extension, { attributes: [{ name: 'site' }] })
    await admin('DELETE', extension)
    const { token } = (await admin('POST', `/tenants/${tenantId}/tokens`, { name: 'Test' })).body
    const types = new Set<string>()
    for (const reader of [client, new Client(tenantId, token)]) {
      const feed = await reader.feed()
      expectDescribed('get', '/events', feed)
      for (const { type } of feed.body.events) types.add(type)
      expectDescribed('get', '/events', await reader.feed('?limit=0'))
      expectDescribed('get', '/events', await reader.feed('?after=x'))
    }
    expect([...types].toSorted()).toEqual([...eventTypes(RESOURCE_TYPES)].toSorted())
    expectDescribed('get', '/events', await new Client(tenantId, 'x').feed())
    const { requestBody, parameters } = document.webhooks.event.post
    expect(requestBody.content['application/json'].schema).toEqual({ $ref: '#/components/schemas/Event' })
    expect(parameters.map(({ name }: { name: string }) => name)).toEqual([
      'webhook-id',
      'webhook-timestamp',
      'webhook-signature',
    ])
  })

  it('describes the responses for conflicts and owners', async () => {
    const client = await newClient()
    const user = await client.createUser()
    await (await secondSource(client)).request('POST', '/Users', { userName: user.userName })
    const at = async (method: string, template: string, path: string, body?: unknown) => {
      const answer = await admin(method.toUpperCase(), `/tenants/${client.tenantId}${path}`, body)
      expectDescribed(method, `/admin/api/tenants/{id}${template}`, answer)
      return answer
    }
    const { body } = await at('get', '/conflicts', '/conflicts')
    const [{ id }] = body.conflicts
    await at('post', '/conflicts/{conflictId}/dismiss', `/conflicts/${id}/dismiss`)
    await at('post', '/conflicts/{conflictId}/dismiss', `/conflicts/${id}/dismiss`)
    await at('get', '/conflicts', '/conflicts?state=dismissed')
    const owner = '/resources/{resourceId}/owner'
    await at('post', owner, `/resources/${user.id}/owner`, { clientId: null })
    await at('post', owner, '/resources/none/owner', { clientId: null })
    await at('post', '/resources/owner', '/resources/owner', { from: null, to: null })
    await at('post', '/resources/owner', '/resources/owner', { from: null, to: 'none' })
  })

  it('describes the responses for webhooks', async () => {
    const client = await newClient()
    const [all, one] = ['/tenants/{id}/webhooks', '/tenants/{id}/webhooks/{webhookId}']
    const at = async (method: string, template: string, path: string, body?: unknown) => {
      const answer = await admin(method.toUpperCase(), `/tenants/${client.tenantId}/webhooks${path}`, body)
      expectDescribed(method, `/admin/api${template}`, answer)
      return answer
    }
    const { examples } = document.components.schemas.WebhookInput
    const { body } = await at('post', all, '', examples[0])
    await at('post', all, '', { url: 'http://127.0.0.1/' })
    await at('get', all, '')
    await at('get', one, `/${body.id}`)
    await at('get', one, '/unknown')
    await at('patch', one, `/${body.id}`, { state: 'disabled' })
    await at('patch', one, `/${body.id}`, document.components.schemas.WebhookChange.examples[0])
    const added = await at('post', `${one}/secrets`, `/${body.id}/secrets`)
    await at('delete', `${one}/secrets/{secretId}`, `/${body.id}/secrets/${added.body.id}`)
    await at('delete', `${one}/secrets/{secretId}`, `/${body.id}/secrets/${body.secrets[0].id}`)
    await at('post', `${one}/test`, `/${body.id}/test`)
    await at('get', `${one}/deliveries`, `/${body.id}/deliveries`)
    await at('post', `${one}/replay`, `/${body.id}/replay`, { after: null })
    await at('post', `${one}/replay`, `/${body.id}/replay`, { after: 'x' })
    await at('delete', one, `/${body.id}`)
  })

  it('describes the responses for histories, deleted resources and undos', async () => {
    const client = await newClient()
    const { tenantId } = client
    const at = async (method: string, template: string, path: string, body?: unknown) => {
      const answer = await admin(method.toUpperCase(), `/tenants/${tenantId}${path}`, body)
      expectDescribed(method, `/admin/api/tenants/{id}${template}`, answer)
      return answer
    }
    const { id } = await client.createUser({ title: 'Ranger' })
    const gone = await client.createUser()
    await client.createGroup({ members: [{ value: id }, { value: gone.id }] })
    await client.patch(`/Users/${id}`, { op: 'replace', path: 'title', value: 'Warden' })
    await client.request('DELETE', `/Users/${gone.id}`)
    await at('get', '/history/{resourceId}', `/history/${id}`)
    await at('get', '/history/{resourceId}', `/history/${gone.id}`)
    await at('get', '/history/{resourceId}', `/history/${id}?at=${new Date().toISOString()}`)
    await at('get', '/history/{resourceId}', `/history/${id}?at=2000-01-01T00:00:00Z`)
    await at('get', '/history/{resourceId}', '/history/unknown')
    const [all, one] = ['/tombstones', '/tombstones/{resourceId}']
    await at('get', all, '/tombstones')
    await at('get', all, '/tombstones?cursor=x')
    await at('post', `${one}/restore`, `/tombstones/${gone.id}/restore`)
    await at('post', `${one}/restore`, `/tombstones/${gone.id}/restore`)
    await client.request('DELETE', `/Users/${gone.id}`)
    await at('delete', one, `/tombstones/${gone.id}`)
    await at('delete', one, `/tombstones/${gone.id}`)
    await at('delete', all, '/tombstones')
    const clientId = (await admin('GET', `/tenants/${tenantId}/clients`)).body.clients[0].id
    const window = { clientId, from: '2000-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' }
    await at('post', '/undo', '/undo', { ...window, preview: true })
    await at('post', '/undo', '/undo', { ...window, to: '1999-01-01T00:00:00Z' })
    const job = await at('post', '/undo', '/undo', window)
    await at('get', '/undo/{jobId}', `/undo/${job.body.id}`)
    await at('get', '/undo/{jobId}', '/undo/unknown')
    await at('delete', '/undo', '/undo')
  })

  it('describes the responses of the admin API', async () => {
    const client = await newClient()
    const { tenantId } = client
    for (const title of ['Surveyor', 'Pilot']) await client.createUser({ title })
    const at = async (method: string, template: string, path: string, body?: unknown) => {
      const answer = await admin(method.toUpperCase(), path, body)
      expectDescribed(method, `/admin/api${template}`, answer)
      return answer
    }
    const id = `t-${crypto.randomUUID()}`
    await at('post', '/tenants', '/tenants', { id, name: 'Acme' })
    await at('post', '/tenants', '/tenants', { id, name: 'Acme' })
    await at('post', '/tenants', '/tenants', { id: '1' })
    await at('get', '/tenants', '/tenants')
    await at('get', '/tenants/{id}', `/tenants/${id}`)
    await at('get', '/tenants/{id}', '/tenants/unknown')
    await at('patch', '/tenants/{id}', `/tenants/${id}`, { groupLimit: 3 })
    const { body } = await at('post', '/tenants/{id}/tokens', `/tenants/${id}/tokens`, { name: 'Okta' })
    await at('get', '/tenants/{id}/tokens', `/tenants/${id}/tokens`)
    await at('delete', '/tenants/{id}/tokens/{tokenId}', `/tenants/${id}/tokens/${body.id}`)
    const clients = '/tenants/{id}/clients'
    const made = await at('post', clients, `/tenants/${id}/clients`, { name: 'Entra' })
    await at('get', clients, `/tenants/${id}/clients`)
    const secrets = `/tenants/${id}/clients/${made.body.id}/secrets`
    const secret = await at('post', `${clients}/{clientId}/secrets`, secrets, {})
    await at('post', `${clients}/{clientId}/secrets`, secrets, { expiresAt: '2020-01-01T00:00:00Z' })
    await at('get', `${clients}/{clientId}`, `/tenants/${id}/clients/${made.body.id}`)
    const release = `/tenants/${id}/clients/${made.body.id}/guard/release`
    await at('post', `${clients}/{clientId}/guard/release`, release, {})
    await at('post', `${clients}/{clientId}/guard/release`, release, { minutes: 0 })
    await at('patch', '/tenants/{id}', `/tenants/${id}`, {
      deprovisionGuard: { share: 0.2, count: 20, windowMinutes: 60 },
    })
    await at('patch', '/tenants/{id}', `/tenants/${id}`, {
      deprovisionGuard: { share: 0, count: 20, windowMinutes: 60 },
    })
    const federation = `/tenants/${id}/clients/${made.body.id}/federation`
    const trust = trustOf(await Issuer.create())
    await at('put', `${clients}/{clientId}/federation`, federation, trust)
    await at('get', `${clients}/{clientId}`, `/tenants/${id}/clients/${made.body.id}`)
    await at('put', `${clients}/{clientId}/federation`, federation, { ...trust, jwksUri: 'http://x.example' })
    const { jwk } = (await Issuer.create()).keys[0] ?? {}
    await at('put', `${clients}/{clientId}/federation`, federation, { jwks: { keys: [jwk] } })
    await at('get', `${clients}/{clientId}`, `/tenants/${id}/clients/${made.body.id}`)
    await at('delete', `${clients}/{clientId}/federation`, federation)
    await at('delete', `${clients}/{clientId}/federation`, federation)
    await at('patch', `${clients}/{clientId}`, `/tenants/${id}/clients/${made.body.id}`, { scope: 'read' })
    const template = `${clients}/{clientId}/secrets/{secretId}`
    await at('delete', template, `${secrets}/${secret.body.id}`)
    await at('delete', template, `${secrets}/unknown`)
    await at('delete', '/tenants/{id}/secrets/{secretId}', `/tenants/${id}/secrets/${secret.body.id}`)
    await at('delete', `${clients}/{clientId}`, `/tenants/${id}/clients/${made.body.id}`)
    await at('post', '/tenants/{id}/import', `/tenants/${id}/import`, {})
    await at('delete', '/tenants/{id}/import', `/tenants/${id}/import`)
    const part = await imported(id, textOf([userLine(1)]), '?end=later')
    expectDescribed('post', '/admin/api/tenants/{id}/import', part)
    await at('get', '/tenants/{id}', `/tenants/${id}`)
    await at('get', '/tenants/{id}/export', `/tenants/${id}/export`)
    await at('post', '/tenants/{id}/exports', `/tenants/${id}/exports`)
    await at('delete', '/tenants/{id}/import', `/tenants/${id}/import`)
    await at('post', '/tenants/{id}/imports', `/tenants/${id}/imports`, {})
    const job = await at('post', '/tenants/{id}/exports', `/tenants/${tenantId}/exports`)
    await at('get', '/tenants/{id}/jobs/{jobId}', `/tenants/${tenantId}/jobs/${job.body.id}`)
    const fileRoute = '/tenants/{id}/jobs/{jobId}/file'
    const filePath = `/tenants/${tenantId}/jobs/${job.body.id}/file`
    await vi.waitFor(async () => expect((await at('get', fileRoute, filePath)).status).toBe(200), {
      timeout: 20_000,
    })
    const whole = await imported(id, await fileOf([userLine(1)]))
    expectDescribed('post', '/admin/api/tenants/{id}/import', whole)
    await at('delete', '/tenants/{id}', `/tenants/${id}`)
    await at('get', '/tenants/{id}/export', `/tenants/${tenantId}/export`)
    const [schemas, schema] = ['/tenants/{id}/schemas', '/tenants/{id}/schemas/{urn}']
    const { examples } = document.components.schemas.ExtensionSchemaInput
    const path = `/tenants/${tenantId}/schemas`
    await at('put', schema, `${path}/${examples[0].id}`, examples[0])
    await at('put', schema, `${path}/${examples[0].id}`, examples[0])
    await at('put', schema, `${path}/${examples[0].id}`, {})
    await at('get', schema, `${path}/${examples[0].id}`)
    await at('get', schema, `${path}/urn:example:unknown`)
    await at('post', schemas, path, document.components.schemas.SchemaDocument.examples[0])
    await at('post', schemas, path, {})
    await at('get', schemas, path)
    await at('delete', schema, `${path}/${examples[0].id}`)
    await at('delete', schema, `${path}/${examples[0].id}?purge=odd`)
    await at('get', '/tenants/{id}/log', `/tenants/${tenantId}/log`)
    await at('get', '/databases', '/databases')
    await at('post', '/databases/reconcile', '/databases/reconcile')
    await at('get', '/tenants/{id}/log', `/tenants/${tenantId}/log?outcome=odd`)
    const people = '/administrators/tokens'
    const named = { name: 'Nightly report', role: 'viewer', tenants: [tenantId], expiresAt: null }
    const token = await at('post', people, people, named)
    await at('post', people, people, { ...named, tenants: [] })
    await at('get', people, people)
    expectDescribed('get', `/admin/api${people}`, await adminAs(token.body.token, 'GET', people))
    await at('delete', `${people}/{adminTokenId}`, `${people}/${token.body.id}`)
    await at('delete', `${people}/{adminTokenId}`, `${people}/unknown`)
    await at('get', '/audit', '/audit')
    await at('get', '/audit', '/audit?cursor=odd')
    await at('get', '/tenants/{id}/audit', `/tenants/${tenantId}/audit`)
    await at('get', '/tenants/{id}/audit', '/tenants/unknown/audit')
    await at('post', '/tenants/{id}/drift', `/tenants/${tenantId}/drift`, {
      users: [{ userPrincipalName: 'a' }],
    })
    await at('post', '/tenants/{id}/drift', `/tenants/${tenantId}/drift`, {})
    const explain = `/tenants/${tenantId}/explain`
    await at('post', '/tenants/{id}/explain', explain, { method: 'GET', path: '/Users?filter=title%20pr' })
    await at('post', '/tenants/{id}/explain', explain, { method: 'DELETE', path: '/Users/nobody' })
    await at('post', '/tenants/{id}/explain', explain, { method: 'POST', path: '/Bulk' })
    expectDescribed('get', '/healthz', await send(new Request(`${ORIGIN}/healthz`)))
    const anonymous = await send(new Request(`${ORIGIN}/admin/api/tenants`))
    expectDescribed('get', '/admin/api/tenants', anonymous)
  })

  it('describes the extension schemas that are accepted', async () => {
    const { tenantId } = await newClient()
    const { properties } = document.components.schemas.ExtensionSchemaInput
    const { properties: members } = properties.attributes.items
    const urn = 'urn:example:described:User'
    const put = async (attribute: unknown, more = {}) =>
      (await admin('PUT', `/tenants/${tenantId}/schemas/${urn}`, { attributes: [attribute], ...more })).body
    const known = (answer: { error: { message: string } }) =>
      answer.error.message.split('use one of ')[1]?.split(', ').toSorted()
    expect(known(await put({ name: 'a' }, { unknown: 1 }))).toEqual(
      [...Object.keys(properties), 'meta'].toSorted(),
    )
    expect(known(await put({ name: 'a', unknown: 1 }))).toEqual(Object.keys(members).toSorted())
    for (const name of ['type', 'mutability', 'returned', 'uniqueness']) {
      const { error } = await put({ name: 'a', [name]: 'odd' })
      expect(error.message).toBe(
        `"attributes[0].${name}" must be one of ${members[name].enum.join(', ')}, found "odd"`,
      )
    }
    for (const [name, { maxItems }] of Object.entries<{ maxItems?: number }>(members)) {
      if (maxItems === undefined) continue
      const type = name === 'subAttributes' ? 'complex' : 'reference'
      const { error } = await put({ name: 'a', type, [name]: Array.from({ length: maxItems + 1 }, () => '') })
      expect(error.message).toContain(`to ${maxItems} elements, found ${maxItems + 1}`)
    }
    expect(members.subAttributes.items.properties.type.enum).not.toContain('complex')
    expect(properties.resourceType.enum).toEqual(['User', 'Group'])
  })

  it('has examples that the app accepts', async () => {
    const client = await newClient()
    const { User, Group, PatchOp } = document.components.schemas
    const user = await client.createUser(User.examples[0])
    const { members: _, ...example } = Group.examples[0]
    const group = await client.createGroup({ ...example, members: [{ value: user.id }] })
    expect(group.members).toHaveLength(1)
    expect((await client.request('PATCH', `/Users/${user.id}`, PatchOp.examples[0])).body.active).toBe(false)
  })
})
