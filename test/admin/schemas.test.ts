/** The extension schemas of a tenant in the admin API: accepted and refused schemas, and the stored values. */
import { describe, expect, it } from 'vitest'
import { exported, fileOf, imported, type Line, userLine } from '../support/directory-file.ts'
import { type Answer, admin, newClient } from '../support/harness.ts'
import { ENTERPRISE, USER } from '../support/urns.ts'

const ACME = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User'
const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

const schema = (...attributes: readonly unknown[]) => ({ id: ACME, attributes })
const put = (tenantId: string, body: unknown, urn = ACME) =>
  admin('PUT', `/tenants/${tenantId}/schemas/${urn}`, body)
const list = async (tenantId: string) => (await admin('GET', `/tenants/${tenantId}/schemas`)).body.schemas
const refusal = ({ status, body }: Answer) => [status, body.error?.code, body.error?.field]

describe('PUT /admin/api/tenants/{id}/schemas/{urn}', () => {
  it('adds and changes a schema', async () => {
    const { tenantId } = await newClient()
    const added = await put(tenantId, schema({ name: 'badge' }))
    expect(added.status).toBe(201)
    expect(added.headers.get('Location')).toBe(`/admin/api/tenants/${tenantId}/schemas/${ACME}`)
    expect(added.body).toMatchObject({ id: ACME, resourceType: 'User', state: 'active', indexes: [] })
    const changed = await put(
      tenantId,
      schema({ name: 'badge', indexed: true }, { name: 'level', type: 'integer' }),
    )
    expect(changed.status).toBe(200)
    expect(changed.body.indexes).toEqual([{ attribute: 'badge', state: 'ready' }])
    expect(await admin('GET', `/tenants/${tenantId}/schemas/${ACME.toLowerCase()}`)).toMatchObject({
      status: 200,
      body: changed.body,
    })
    expect(await list(tenantId)).toEqual([changed.body])
  })

  it('takes the URN from the path if the body has no id', async () => {
    const { tenantId } = await newClient()
    const added = await put(tenantId, { attributes: [{ name: 'badge' }] })
    expect(added).toMatchObject({ status: 201, body: { id: ACME, attributes: [{ name: 'badge' }] } })
  })

  it('shows clients the limits of an attribute in its description', async () => {
    const client = await newClient()
    await put(
      client.tenantId,
      schema({ name: 'badge' }, { name: 'level', description: 'Own.' }, { name: 'hired', type: 'dateTime' }),
    )
    const { body } = await client.get(`/Schemas/${ACME}`)
    expect(body.attributes.map(({ description }: { description: string }) => description)).toEqual([
      'At most 1024 characters.',
      'Own. At most 1024 characters.',
      '',
    ])
  })

  it('accepts its own answer, which has members that are not part of a schema', async () => {
    const { tenantId } = await newClient()
    const { state: _, indexes: __, ...body } = (await put(tenantId, schema({ name: 'badge' }))).body
    expect(await put(tenantId, body)).toMatchObject({ status: 200, body })
  })

  it.for<[what: string, body: unknown, field: string | undefined]>([
    ['an array', [], undefined],
    ['another URN', { ...schema({ name: 'a' }), id: 'urn:example:other:User' }, 'id'],
    ['no attributes', { id: ACME }, 'attributes'],
    ['an unknown type', schema({ name: 'a', type: 'text' }), 'attributes[0].type'],
    ['a core attribute', schema({ name: 'a' }, { name: 'username' }), 'attributes[1].name'],
    ['a sixth index', schema(...'abcdef'.split('').map((name) => ({ name, indexed: true }))), 'attributes'],
    ['a 51st attribute', schema(...Array.from({ length: 51 }, (_, i) => ({ name: `a${i}` }))), 'attributes'],
    ['unique values', schema({ name: 'a', uniqueness: 'server' }), 'attributes[0].uniqueness'],
  ])('refuses %s, naming the field', async ([, body, field]) => {
    const { tenantId } = await newClient()
    expect(refusal(await put(tenantId, body))).toEqual([400, 'invalid', field])
    expect(await list(tenantId)).toEqual([])
  })

  it('refuses the URN of a built-in schema in any case', async () => {
    const { tenantId } = await newClient()
    const urn = ENTERPRISE.replace('enterprise', 'Enterprise')
    expect(refusal(await put(tenantId, { ...schema({ name: 'a' }), id: urn }, urn))).toEqual([
      400,
      'invalid',
      'id',
    ])
  })

  it('answers 404 for an unknown tenant', async () => {
    expect(refusal(await put('nobody', schema({ name: 'a' })))).toEqual([404, 'notFound', undefined])
    expect(refusal(await admin('GET', '/tenants/nobody/schemas'))).toEqual([404, 'notFound', undefined])
  })

  it('allows a change of type while no resource has a value', async () => {
    const client = await newClient()
    await put(client.tenantId, schema({ name: 'level' }, { name: 'badge' }))
    await client.createUser({ [ACME]: { badge: 'B' } })
    const changed = schema({ name: 'level', type: 'integer' }, { name: 'badge' })
    expect(await put(client.tenantId, changed)).toMatchObject({ status: 200 })
  })

  it.for<[what: string, attributes: readonly unknown[], field: string]>([
    [
      'another type',
      [
        { name: 'level', type: 'integer' },
        { name: 'sites', multiValued: true },
      ],
      'attributes[0].type',
    ],
    ['a single value', [{ name: 'level' }, { name: 'sites' }], 'attributes[1].multiValued'],
    [
      'case',
      [
        { name: 'level', caseExact: true },
        { name: 'sites', multiValued: true },
      ],
      'attributes[0].caseExact',
    ],
    ['less', [{ name: 'level' }], 'attributes'],
  ])('refuses %s where resources have values', async ([, attributes, field]) => {
    const client = await newClient()
    const before = schema({ name: 'level' }, { name: 'sites', multiValued: true })
    await put(client.tenantId, before)
    const user = await client.createUser({ [ACME]: { level: '7', sites: ['a', 'b'] } })
    const answer = await put(client.tenantId, schema(...attributes))
    expect(refusal(answer)).toEqual([400, 'invalid', field])
    expect(answer.body.error.message).toMatch(/but resources have values/)
    expect((await client.get(`/Users/${user.id}`)).body[ACME]).toEqual({ level: '7', sites: ['a', 'b'] })
  })

  it.for([true, false])(
    'refuses another type of a sub-attribute with stored values (multi-valued: %j)',
    async (multiValued) => {
      const client = await newClient()
      const sites = (type: string) =>
        schema({
          ...{ name: 'sites', type: 'complex', multiValued },
          subAttributes: [
            { name: 'code', type },
            { name: 'floor', type },
          ],
        })
      await put(client.tenantId, sites('string'))
      const value = { code: 'A' }
      await client.createUser({ [ACME]: { sites: multiValued ? [value] : value } })
      expect(refusal(await put(client.tenantId, sites('integer')))).toEqual([
        400,
        'invalid',
        'attributes[0].subAttributes[0].type',
      ])
      const only = sites('string')
      const [attribute] = only.attributes as { subAttributes: unknown[] }[]
      attribute?.subAttributes.pop()
      expect((await put(client.tenantId, only)).status).toBe(200)
    },
  )

  it('changes all sub-attributes of the largest schema at once', async () => {
    const { tenantId } = await newClient()
    const all = (type: string) =>
      schema(
        ...Array.from({ length: 15 }, (_, i) => ({
          ...{ name: `a${i}`, type: 'complex' },
          subAttributes: Array.from({ length: 15 }, (_, j) => ({ name: `s${j}`, type })),
        })),
      )
    expect((await put(tenantId, all('string'))).status).toBe(201)
    expect((await put(tenantId, all('integer'))).status).toBe(200)
  })

  it('accepts the same change several times at the same time', async () => {
    const { tenantId } = await newClient()
    const body = schema({ name: 'badge', indexed: true })
    const answers = await Promise.all(Array.from({ length: 8 }, () => put(tenantId, body)))
    for (const { status } of answers) expect([200, 201]).toContain(status)
    expect((await list(tenantId))[0].indexes).toEqual([{ attribute: 'badge', state: 'ready' }])
  })

  it('keeps all of several changes at the same time', async () => {
    const { tenantId } = await newClient()
    const urns = ['a', 'b', 'c'].map((name) => `urn:example:${name}:User`)
    const answers = await Promise.all(
      urns.map((id) => put(tenantId, { id, attributes: [{ name: 'a' }] }, id)),
    )
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201])
    expect((await list(tenantId)).map(({ id }: { id: string }) => id).sort()).toEqual(urns)
  })
})

describe('DELETE /admin/api/tenants/{id}/schemas/{urn}', () => {
  const remove = (tenantId: string, query = '') =>
    admin('DELETE', `/tenants/${tenantId}/schemas/${ACME}${query}`)

  it('keeps the stored values until they are purged', async () => {
    const client = await newClient()
    await put(client.tenantId, schema({ name: 'badge' }))
    const user = await client.createUser({ [ACME]: { badge: 'B' } })
    expect((await remove(client.tenantId)).status).toBe(204)
    expect((await list(client.tenantId))[0]).toMatchObject({ id: ACME, state: 'removed' })
    expect((await client.get(`/Users/${user.id}`)).body).not.toHaveProperty([ACME])
    expect(await put(client.tenantId, schema({ name: 'badge', type: 'integer' }))).toMatchObject({
      status: 400,
    })
    expect(await put(client.tenantId, schema({ name: 'badge' }))).toMatchObject({ status: 200 })
    expect((await client.get(`/Users/${user.id}`)).body[ACME]).toEqual({ badge: 'B' })
    expect((await remove(client.tenantId, '?purge=true')).status).toBe(204)
    expect(await list(client.tenantId)).toEqual([])
    expect(await put(client.tenantId, schema({ name: 'badge', type: 'integer' }))).toMatchObject({
      status: 201,
    })
    expect((await client.get(`/Users/${user.id}`)).body).toEqual({
      ...user,
      schemas: [USER],
      [ACME]: undefined,
    })
  })

  it('answers 404 for an unknown schema, and 400 for an unknown value of "purge"', async () => {
    const { tenantId } = await newClient()
    expect(refusal(await remove(tenantId))).toEqual([404, 'notFound', undefined])
    expect(refusal(await remove(tenantId, '?purge=all'))).toEqual([400, 'invalid', 'purge'])
  })
})

describe('POST /admin/api/tenants/{id}/schemas', () => {
  const post = (tenantId: string, body: unknown, query = '') =>
    admin('POST', `/tenants/${tenantId}/schemas${query}`, body)

  it("imports the extensions in another service provider's /Schemas", async () => {
    const [from, to] = [await newClient(), await newClient()]
    await put(from.tenantId, schema({ name: 'badge', description: 'x' }))
    const answer = await post(to.tenantId, (await from.get('/Schemas')).body)
    expect(answer).toMatchObject({ status: 200, body: { schemas: [{ id: ACME, state: 'active' }] } })
    expect((await to.get(`/Schemas/${ACME}`)).status).toBe(200)
  })

  it('imports the attribute list of Entra', async () => {
    const { tenantId } = await newClient()
    const answer = await post(tenantId, { attributes: [`${ACME}:badge`, 'userName'] })
    expect(answer.body.schemas).toMatchObject([{ id: ACME, attributes: [{ name: 'badge', type: 'string' }] }])
    expect(answer.body.notes).toEqual(['left out, built-in attributes: "userName"'])
  })

  it('imports all schemas or none', async () => {
    const { tenantId } = await newClient()
    const bad = { id: 'urn:example:bad:User', attributes: [{ name: 'id' }] }
    const answer = await post(tenantId, { schemas: [LIST], Resources: [schema({ name: 'a' }), bad] })
    expect(refusal(answer)).toEqual([400, 'invalid', 'Resources[1].attributes[0].name'])
    expect(await list(tenantId)).toEqual([])
  })

  it('requires a resource type, and reads it from the query', async () => {
    const { tenantId } = await newClient()
    const hr = { id: 'urn:example:hr', attributes: [{ name: 'a' }] }
    const missing = await post(tenantId, hr)
    expect(refusal(missing)).toEqual([400, 'invalid', 'resourceType'])
    expect(missing.body.error.message).toContain(
      'add "?resourceType=User" or "?resourceType=Group" to the URL',
    )
    expect(await post(tenantId, hr, '?resourceType=Group')).toMatchObject({
      status: 200,
      body: { schemas: [{ resourceType: 'Group' }] },
    })
    expect(refusal(await post(tenantId, hr, '?resourceType=Device'))).toEqual([
      400,
      'invalid',
      'resourceType',
    ])
  })
})

describe('export and import of a tenant', () => {
  it('include its schemas, and the stored values of removed ones', async () => {
    const [from, to] = [await newClient(), await newClient()]
    const other = 'urn:example:other:User'
    await put(from.tenantId, schema({ name: 'badge', indexed: true }))
    await put(from.tenantId, { id: other, attributes: [{ name: 'old' }] }, other)
    const user = await from.createUser({ userName: 'u', [ACME]: { badge: 'B' }, [other]: { old: 'O' } })
    await admin('DELETE', `/tenants/${from.tenantId}/schemas/${other}`)
    const text = await exported(from.tenantId)
    expect((await imported(to.tenantId, text)).body).toEqual({
      imported: { user: 1, group: 0, membership: 0 },
    })
    expect(await list(to.tenantId)).toEqual(await list(from.tenantId))
    expect((await to.get('/Users')).body).toEqual((await from.get('/Users')).body)
    expect((await to.filter('/Users', `${ACME}:badge eq "b"`)).body.totalResults).toBe(1)
    expect(await exported(to.tenantId)).toBe(text)
    await put(to.tenantId, { id: other, attributes: [{ name: 'old' }] }, other)
    expect((await to.get(`/Users/${user.id}`)).body).toEqual(user)
  })

  const line = (attributes: readonly unknown[], state = 'active') => ({
    kind: 'schema',
    schema: schema(...attributes),
    state,
  })
  it.for<[what: string, lines: readonly Line[], problem: RegExp]>([
    [
      'a schema that is refused',
      [line([{ name: 'id' }])],
      /line 1: .*"attributes\[0\].name" is "id", which would shadow/,
    ],
    [
      'a state that is not known',
      [line([{ name: 'a' }], 'purging')],
      /line 1: "state" must be "active" or "removed"/,
    ],
    [
      'a schema after a user',
      [userLine(1), line([{ name: 'a' }])],
      /line 2: a schema must come before all resources/,
    ],
    // Each of 5,000 such lines took the time of all schemas, at once and before the answer.
    [
      'a second schema with the same URN',
      [line([{ name: 'a' }]), line([{ name: 'b' }])],
      /line 2: an earlier line has the schema "urn:/,
    ],
    ['values of no schema', [userLine(1, { [ACME]: { a: 'x' } })], /line 1: .*unknown attributes/],
    [
      'values of another type',
      [line([{ name: 'a', type: 'integer' }]), userLine(1, { [ACME]: { a: 'x' } })],
      /line 2: .*integer/,
    ],
  ])('refuse %s, naming the line', async ([, lines, problem]) => {
    const { tenantId } = await newClient()
    const { status, body } = await imported(tenantId, await fileOf(lines))
    expect(status).toBe(400)
    expect(body.error.message).toMatch(problem)
  })
})
