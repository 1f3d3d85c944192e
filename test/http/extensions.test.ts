/** Attributes of a tenant's extension schemas work like built-in attributes. */
import { describe, expect, it } from 'vitest'
import { admin, type Client, costOf, expectSameCost, newClient } from '../support/harness.ts'
import { GROUP, USER } from '../support/urns.ts'

const ACME = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User'
const TEAM = 'urn:ietf:params:scim:schemas:extension:acme:2.0:Group'

const USER_SCHEMA = {
  id: ACME,
  description: 'Acme',
  attributes: [
    { name: 'badge', description: 'The number on the badge.' },
    { name: 'code', caseExact: true },
    { name: 'level', type: 'integer' },
    { name: 'rate', type: 'decimal' },
    { name: 'remote', type: 'boolean' },
    { name: 'hired', type: 'dateTime' },
    { name: 'photo', type: 'binary' },
    { name: 'page', type: 'reference' },
    { name: 'tags', multiValued: true },
    { name: 'site', type: 'complex', subAttributes: [{ name: 'code' }, { name: 'floor', type: 'integer' }] },
    {
      name: 'desks',
      type: 'complex',
      multiValued: true,
      subAttributes: [
        { name: 'value' },
        { name: 'type', canonicalValues: ['own', 'shared'] },
        { name: 'primary', type: 'boolean' },
      ],
    },
  ],
}
const VALUES = {
  badge: 'B-1',
  code: 'x',
  level: 7,
  rate: 0.5,
  remote: true,
  hired: '2026-01-31T09:00:00Z',
  photo: 'QUJD',
  page: 'https://acme.example/b1',
  tags: ['one', 'Two'],
  site: { code: 'HQ', floor: 3 },
  desks: [
    { value: 'D1', type: 'own', primary: true },
    { value: 'D2', type: 'shared' },
  ],
}

const put = async (tenantId: string, schema: { id: string; attributes: readonly object[] }) => {
  const answer = await admin('PUT', `/tenants/${tenantId}/schemas/${schema.id}`, schema)
  if (answer.status > 201) throw new Error(JSON.stringify(answer.body))
  return answer.body
}

async function acme(): Promise<Client> {
  const client = await newClient()
  await put(client.tenantId, USER_SCHEMA)
  return client
}

const found = ({ body }: { body: { Resources?: { userName: string }[] } }) =>
  body.Resources?.map(({ userName }) => userName)

describe('a resource with an extension', () => {
  it('is stored and returned as sent, with its URN', async () => {
    const client = await acme()
    const user = await client.createUser({ [ACME]: VALUES })
    expect(user).toMatchObject({ schemas: [USER, ACME], [ACME]: VALUES })
    expect((await client.get(`/Users/${user.id}`)).body).toEqual(user)
  })

  it.for<[attribute: string, value: unknown]>([
    ['badge', 7],
    ['level', 1.5],
    ['rate', 'x'],
    ['remote', 'maybe'],
    ['hired', '2026-02-30T00:00:00Z'],
    ['photo', '!'],
    ['tags', 'one'],
    ['site', 'HQ'],
    ['badge', 'x'.repeat(1025)],
  ])('rejects %s: %j', async ([attribute, value]) => {
    const client = await acme()
    const answer = await client.request('POST', '/Users', { userName: 'u', [ACME]: { [attribute]: value } })
    expect(answer).toMatchObject({ status: 400, body: { scimType: 'invalidValue' } })
    expect(answer.body.detail).toContain(`"${ACME}:${attribute}"`)
  })

  it('is changed by a PATCH with a path, a flat key, an object, and elements', async () => {
    const client = await acme()
    const user = await client.createUser({ [ACME]: { badge: 'B', tags: ['one'], desks: VALUES.desks } })
    const answer = await client.patch(
      `/Users/${user.id}`,
      { op: 'replace', path: `${ACME}:badge`, value: 'C' },
      { op: 'add', value: { [`${ACME}:level`]: 8, [ACME]: { site: { code: 'HQ' } } } },
      { op: 'add', path: `${ACME}:site.floor`, value: 4 },
      { op: 'add', path: `${ACME}:tags`, value: ['two', 'ONE'] },
      { op: 'replace', path: `${ACME}:desks[type eq "shared"].value`, value: 'D3' },
      { op: 'remove', path: `${ACME}:desks[value eq "d1"]` },
    )
    expect(answer.body[ACME]).toEqual({
      badge: 'C',
      level: 8,
      tags: ['ONE', 'two'],
      site: { code: 'HQ', floor: 4 },
      desks: [{ value: 'D3', type: 'shared' }],
    })
    const [entry] = await client.log()
    const changed = ((entry?.changes ?? []) as { attribute: string }[]).map(({ attribute }) => attribute)
    expect(changed).toContain(`${ACME}:badge`)
    expect(changed).toContain(`${ACME}:site.floor`)
    const cleared = await client.patch(`/Users/${user.id}`, { op: 'remove', path: ACME })
    expect(cleared.body.schemas).toEqual([USER])
    expect(cleared.body).not.toHaveProperty([ACME])
  })

  it('rejects an unknown attribute in a path and ignores one in a body', async () => {
    const client = await acme()
    const user = await client.createUser({ [ACME]: { badge: 'B', shoe: 42 } })
    expect(user[ACME]).toEqual({ badge: 'B' })
    expect((await client.log())[0]?.ignored).toEqual([`${ACME}:shoe`])
    const answer = await client.patch(`/Users/${user.id}`, { op: 'add', path: `${ACME}:shoe`, value: 1 })
    expect(answer).toMatchObject({ status: 400, body: { scimType: 'invalidPath' } })
  })

  it('does not allow a PATCH or PUT to change an immutable value', async () => {
    const client = await newClient()
    await put(client.tenantId, { id: ACME, attributes: [{ name: 'badge', mutability: 'immutable' }] })
    const user = await client.createUser({})
    const path = `/Users/${user.id}`
    const replace = (value: unknown) => client.patch(path, { op: 'replace', path: `${ACME}:badge`, value })
    expect((await replace('B')).status).toBe(200)
    expect(await replace('C')).toMatchObject({ status: 400, body: { scimType: 'mutability' } })
    const { userName } = user
    expect(await client.request('PUT', path, { userName })).toMatchObject({
      body: { scimType: 'mutability' },
    })
    const same = await client.request('PUT', path, { userName, title: 'x', [ACME]: { badge: 'B' } })
    expect(same.status).toBe(200)
  })

  it('does not allow the removal of a complex value with an immutable sub-attribute', async () => {
    const client = await newClient()
    const once = { name: 'once', mutability: 'immutable' }
    const site = { name: 'site', type: 'complex', subAttributes: [once, { name: 'floor' }] }
    await put(client.tenantId, { id: ACME, attributes: [once, { name: 'badge' }, site] })
    const values = { once: 'a', badge: 'B', site: { once: 'b', floor: '3' } }
    const { id } = await client.createUser({ [ACME]: values })
    for (const operation of [
      { op: 'remove', path: ACME },
      { op: 'replace', path: ACME, value: null },
      { op: 'remove', path: `${ACME}:site` },
      { op: 'replace', value: { [ACME]: { site: null } } },
    ]) {
      const refused = { status: 400, body: { scimType: 'mutability' } }
      expect(await client.patch(`/Users/${id}`, operation)).toMatchObject(refused)
    }
    const removed = await client.patch(`/Users/${id}`, { op: 'remove', path: `${ACME}:badge` })
    expect(removed.body[ACME]).toEqual({ once: 'a', site: values.site })
  })

  it.for([
    `${ACME}:badge eq "b-1"`,
    `${ACME.toUpperCase()}:BADGE sw "B"`,
    `${ACME}:code eq "x"`,
    `${ACME}:level gt 6`,
    `${ACME}:rate le 0.5`,
    `${ACME}:remote eq true`,
    `${ACME}:hired lt "2026-02-01T00:00:00+01:00"`,
    `${ACME}:page co "acme"`,
    `${ACME}:tags eq "two"`,
    `${ACME}:site.floor eq 3`,
    `${ACME}:site[code eq "hq" and floor lt 4]`,
    `${ACME}:desks.type eq "shared"`,
    `${ACME}:desks[type eq "own" and primary eq true]`,
    `${ACME}:desks eq "D2"`,
    `${ACME} pr`,
    `schemas eq "${ACME}"`,
    `not (${ACME}:code ne "x")`,
  ])('matches %s', async (filter) => {
    const client = await acme()
    await client.createUser({ userName: 'with', [ACME]: VALUES })
    await client.createUser({ userName: 'without' })
    await client.createUser({ userName: 'other', [ACME]: { code: 'X', level: 1, tags: ['three'] } })
    const answer = await client.filter('/Users', filter)
    if (filter.endsWith(' pr') || filter.startsWith('schemas'))
      expect(found(answer)).toEqual(['with', 'other'])
    else expect(found(answer)).toEqual(['with'])
  })

  it.for([
    [`${ACME}:level`, ['b', 'a', 'c']],
    [`${ACME}:tags`, ['c', 'b', 'a']],
    [`${ACME}:desks.value`, ['a', 'c', 'b']],
    [`${ACME}:site.code`, ['a', 'b', 'c']],
  ] as const)('is sorted by %s', async ([sortBy, names]) => {
    const client = await acme()
    const create = (userName: string, extension: object) => client.createUser({ userName, [ACME]: extension })
    await create('a', { level: 2, tags: ['z'], site: { code: '1' }, desks: [{ value: '1' }] })
    await create('b', {
      level: 1,
      tags: ['m', 'a'],
      site: { code: '2' },
      desks: [{ value: '0' }, { value: '9', primary: true }],
    })
    await create('c', { level: 10, tags: ['a'], site: { code: '3' }, desks: [{ value: '5' }] })
    expect(found(await client.get(`/Users?sortBy=${encodeURIComponent(sortBy)}`))).toEqual(names)
  })

  it('is projected', async () => {
    const client = await acme()
    const { id } = await client.createUser({ [ACME]: VALUES })
    const get = async (query: string) => (await client.get(`/Users/${id}?${query}`)).body
    expect(await get(`attributes=${ACME}:badge,${ACME}:desks.value`)).toEqual({
      id,
      schemas: [USER, ACME],
      [ACME]: { badge: 'B-1', desks: [{ value: 'D1' }, { value: 'D2' }] },
    })
    expect((await get(`excludedAttributes=${ACME}:badge`))[ACME]).not.toHaveProperty('badge')
    expect(await get(`excludedAttributes=${ACME}`)).not.toHaveProperty([ACME])
  })

  it('may be a group', async () => {
    const client = await newClient()
    await put(client.tenantId, { id: TEAM, attributes: [{ name: 'owner', indexed: true }] })
    const group = await client.createGroup({ displayName: 'g', [TEAM]: { owner: 'Ada' } })
    expect(group).toMatchObject({ schemas: [GROUP, TEAM], [TEAM]: { owner: 'Ada' } })
    await client.createGroup({ displayName: 'h' })
    const answer = await client.patch(`/Groups/${group.id}?attributes=${TEAM}:owner`, {
      op: 'replace',
      path: `${TEAM}:owner`,
      value: 'Bob',
    })
    expect(answer.body[TEAM]).toEqual({ owner: 'Bob' })
    expect((await client.filter('/Groups', `${TEAM}:owner eq "bob"`)).body.totalResults).toBe(1)
  })
})

describe('another tenant', () => {
  it('does not have the schema', async () => {
    const [client, other] = [await acme(), await newClient()]
    await client.createUser({ [ACME]: VALUES })
    const user = await other.createUser({ [ACME]: VALUES })
    expect(user).toMatchObject({ schemas: [USER] })
    expect(user).not.toHaveProperty([ACME])
    expect((await other.filter('/Users', `${ACME}:badge pr`)).body.scimType).toBe('invalidFilter')
    expect((await other.get(`/Schemas/${ACME}`)).status).toBe(404)
  })
})

describe('discovery', () => {
  it('shows the schema in /Schemas, /ResourceTypes and /openapi.json', async () => {
    const client = await acme()
    const schema = (await client.get(`/Schemas/${ACME}`)).body
    expect(schema).toMatchObject({ id: ACME, description: 'Acme', meta: { resourceType: 'Schema' } })
    expect(schema.attributes[0]).toMatchObject({ name: 'badge', type: 'string', caseExact: false })
    expect(schema.attributes[0]).not.toHaveProperty('indexed')
    const { Resources } = (await client.get('/Schemas')).body
    expect(Resources.map(({ id }: { id: string }) => id)).toContain(ACME)
    const type = (await client.get('/ResourceTypes/User')).body
    expect(type.schemaExtensions).toContainEqual({ schema: ACME, required: false })
    const document = (await client.get('/../../openapi.json')).body
    expect(document.components.schemas.User.properties[ACME].properties.badge.type).toBe('string')
  })
})

describe('a removed schema', () => {
  const remove = (client: Client, query = '') =>
    admin('DELETE', `/tenants/${client.tenantId}/schemas/${ACME}${query}`)

  it('is neither returned nor accepted, and its values survive all writes of clients', async () => {
    const client = await acme()
    const user = await client.createUser({ userName: 'u', [ACME]: VALUES })
    const path = `/Users/${user.id}`
    await remove(client)
    const shown = (await client.get(path)).body
    expect(shown.schemas).toEqual([USER])
    expect(shown).not.toHaveProperty([ACME])
    const { Resources } = (await client.get('/Users')).body
    expect(Resources[0]).toEqual(shown)
    expect((await client.filter('/Users', `${ACME}:badge pr`)).body.scimType).toBe('invalidFilter')
    for (const filter of [`schemas eq "${ACME}"`, 'schemas co "acme"', `schemas ne "${USER}"`]) {
      expect([filter, found(await client.filter('/Users', filter))]).toEqual([filter, []])
    }
    expect(found(await client.filter('/Users', `schemas eq "${USER}"`))).toEqual(['u'])
    await client.request('PUT', path, { userName: 'v', [ACME]: { badge: 'lost?' } })
    await client.patch(path, { op: 'add', path: 'title', value: 'T' })
    await put(client.tenantId, USER_SCHEMA)
    const again = (await client.get(path)).body
    expect(again).toMatchObject({ userName: 'v', title: 'T', schemas: [USER, ACME], [ACME]: VALUES })
    expect(found(await client.filter('/Users', `${ACME}:badge eq "B-1"`))).toEqual(['v'])
  })

  it('keeps its values in groups too', async () => {
    const client = await newClient()
    const team = { id: TEAM, attributes: [{ name: 'owner' }] }
    await put(client.tenantId, team)
    const group = await client.createGroup({ [TEAM]: { owner: 'Ada' } })
    const path = `/Groups/${group.id}`
    await admin('DELETE', `/tenants/${client.tenantId}/schemas/${TEAM}`)
    expect((await client.request('PUT', path, { displayName: 'Renamed' })).status).toBe(200)
    expect((await client.patch(path, { op: 'add', path: 'externalId', value: 'x' })).status).toBe(204)
    expect((await client.get(path)).body).not.toHaveProperty([TEAM])
    await put(client.tenantId, team)
    expect((await client.get(path)).body).toMatchObject({
      displayName: 'Renamed',
      externalId: 'x',
      schemas: [GROUP, TEAM],
      [TEAM]: { owner: 'Ada' },
    })
  })

  it('is deleted with its values when it is purged, also from users who are restored', async () => {
    const client = await acme()
    const [kept, gone] = [
      await client.createUser({ [ACME]: VALUES }),
      await client.createUser({ [ACME]: VALUES }),
    ]
    await client.patch(`/Users/${kept.id}`, { op: 'replace', path: `${ACME}:badge`, value: 'changed' })
    await client.request('DELETE', `/Users/${gone.id}`)
    expect((await remove(client, '?purge=true')).status).toBe(204)
    await put(client.tenantId, USER_SCHEMA)
    expect((await admin('POST', `/tenants/${client.tenantId}/tombstones/${gone.id}/restore`)).status).toBe(
      200,
    )
    for (const { id } of [kept, gone]) {
      const { body } = await client.get(`/Users/${id}`)
      expect(body.schemas).toEqual([USER])
      expect(body).not.toHaveProperty([ACME])
    }
  })

  it('is deleted with its values when it is purged', async () => {
    const client = await acme()
    const user = await client.createUser({ [ACME]: VALUES })
    expect((await remove(client, '?purge=true')).status).toBe(204)
    await put(client.tenantId, USER_SCHEMA)
    const { [ACME]: _, ...rest } = user
    expect((await client.get(`/Users/${user.id}`)).body).toEqual({ ...rest, schemas: [USER] })
    expect((await client.filter('/Users', `schemas eq "${ACME}"`)).body.totalResults).toBe(0)
  })
})

describe('an indexed attribute', () => {
  const indexed = (...names: readonly string[]) => ({
    id: ACME,
    attributes: ['badge', 'desk', 'level'].map((name) => ({
      name,
      ...(name === 'level' && { type: 'integer' }),
      ...(names.includes(name) && { indexed: true }),
    })),
  })

  it('matches resources from before and after the index was created', async () => {
    const client = await newClient()
    await put(client.tenantId, indexed())
    await client.createUser({ userName: 'before', [ACME]: { badge: 'Ä', desk: 'D', level: 1 } })
    await client.createUser({ userName: 'without' })
    expect((await put(client.tenantId, indexed('badge', 'level'))).indexes).toEqual([
      { attribute: 'badge', state: 'ready' },
      { attribute: 'level', state: 'ready' },
    ])
    await client.createUser({ userName: 'after', [ACME]: { badge: 'ä', level: 2 } })
    const names = async (filter: string) => found(await client.filter('/Users', filter))
    expect(await names(`${ACME}:badge eq "ä"`)).toEqual(['before', 'after'])
    expect(await names(`${ACME}:badge sw "Ä"`)).toEqual(['before', 'after'])
    expect(await names(`${ACME}:level gt 1`)).toEqual(['after'])
    expect(await names(`${ACME}:level eq 1 or ${ACME}:badge eq "x"`)).toEqual(['before'])
    expect(await names(`${ACME}:badge eq "ä" and ${ACME}:level lt 2`)).toEqual(['before'])
  })

  it('matches only its own values if another attribute used the column before', async () => {
    const client = await newClient()
    await put(client.tenantId, indexed('badge'))
    await client.createUser({ userName: 'u', [ACME]: { badge: 'x', desk: 'y' } })
    await client.createUser({ userName: 'v', [ACME]: { badge: 'y' } })
    await put(client.tenantId, indexed('desk'))
    expect(found(await client.filter('/Users', `${ACME}:desk eq "y"`))).toEqual(['u'])
    expect(found(await client.filter('/Users', `${ACME}:badge eq "y"`))).toEqual(['v'])
  })

  it('is filtered by reading few rows, in one round trip', async () => {
    const client = await newClient()
    await put(client.tenantId, indexed('badge'))
    const add = (prefix: string) =>
      Promise.all(
        Array.from({ length: 30 }, (_, i) => client.createUser({ [ACME]: { badge: `${prefix}${i}` } })),
      )
    const cost = async (filter: string) => costOf(await client.filter('/Users', filter))
    await add('a')
    await cost(`${ACME}:badge eq "a7"`)
    const few = await cost(`${ACME}:badge eq "a8"`)
    await add('b')
    expectSameCost(await cost(`${ACME}:badge eq "b8"`), few)
    expect(few).toMatchObject({ roundTrips: 1, rowsWritten: 0 })
  })
})
