/** RFC 7643 §5 to §8: the service provider configuration, resource types and schemas. */
import { describe, expect, it } from 'vitest'
import { type Client, GROUP, newClient, send, TENANT_URL, USER } from '../support/harness.ts'
import { CISCO, ENTERPRISE } from './protocol.ts'

interface Definition {
  readonly name: string
  readonly type: string
  readonly multiValued: boolean
  readonly subAttributes?: readonly Definition[]
  readonly [characteristic: string]: unknown
}

async function schemas(
  client: Client,
): Promise<readonly { id: string; attributes: readonly Definition[] }[]> {
  return (await client.get('/Schemas')).body.Resources
}

/** All attribute definitions, including sub-attributes. */
function flat(attributes: readonly Definition[]): readonly Definition[] {
  return attributes.flatMap((attribute) => [attribute, ...flat(attribute.subAttributes ?? [])])
}

describe('RFC 7643 §5, the service provider configuration', () => {
  it('has every required attribute (§5)', async () => {
    const { body } = await send(new Request(`${TENANT_URL}/ServiceProviderConfig`))
    for (const feature of ['patch', 'bulk', 'filter', 'changePassword', 'sort', 'etag']) {
      expect(body[feature], feature).toMatchObject({ supported: expect.any(Boolean) })
    }
    const { bulk, filter } = body
    for (const limit of [bulk.maxOperations, bulk.maxPayloadSize, filter.maxResults]) {
      expect(limit).toBeGreaterThan(0)
    }
  })

  it('shows the authentication schemes without authentication (§5)', async () => {
    const { status, body } = await send(new Request(`${TENANT_URL}/ServiceProviderConfig`))
    expect(status).toBe(200)
    expect(body.authenticationSchemes).toEqual(
      ['oauthbearertoken', 'oauth2'].map((type) =>
        expect.objectContaining({ type, name: expect.any(String), description: expect.any(String) }),
      ),
    )
  })
})

describe('RFC 7643 §6, resource types', () => {
  it('lists the name, endpoint, schema and extensions of each type, whose schemas exist (§6)', async () => {
    const client = await newClient()
    const known = (await schemas(client)).map(({ id }) => id)
    const types = (await client.get('/ResourceTypes')).body.Resources
    expect(types.map(({ name, schema }: Record<string, string>) => [name, schema])).toEqual([
      ['User', USER],
      ['Group', GROUP],
      ['GroupMembership', 'urn:ietf:params:scim:schemas:core:2.0:GroupMembership'],
    ])
    for (const { name, endpoint, schema, schemaExtensions, description } of types) {
      expect(known).toContain(schema)
      expect(description).toEqual(expect.any(String))
      for (const extension of schemaExtensions) {
        expect(known).toContain(extension.schema)
        expect(extension.required).toBe(false)
      }
      expect((await client.get(endpoint)).status, name).toBe(200)
    }
  })

  it('returns the name of the type in every resource (§6)', async () => {
    const client = await newClient()
    expect((await client.createUser()).meta.resourceType).toBe('User')
    expect((await client.createGroup()).meta.resourceType).toBe('Group')
  })
})

describe('RFC 7643 §7, schemas', () => {
  it('identifies each schema by its URI, with name, description and attributes (§7)', async () => {
    const client = await newClient()
    const found = await schemas(client)
    expect(found.map(({ id }) => id)).toEqual(expect.arrayContaining([USER, GROUP, ENTERPRISE, CISCO]))
    for (const schema of found) {
      expect(schema).toMatchObject({
        id: expect.stringMatching(/^urn:/),
        name: expect.any(String),
        description: expect.any(String),
      })
      expect(schema.attributes.length).toBeGreaterThan(0)
    }
  })

  it('describes every attribute with all characteristics of its type (§7)', async () => {
    const client = await newClient()
    for (const { id, attributes } of await schemas(client)) {
      for (const attribute of flat(attributes)) {
        const where = `${id}:${attribute.name}`
        expect(attribute, where).toMatchObject({
          description: expect.any(String),
          multiValued: expect.any(Boolean),
          required: expect.any(Boolean),
          type: expect.stringMatching(/^(string|boolean|decimal|integer|dateTime|binary|reference|complex)$/),
          mutability: expect.stringMatching(/^(readOnly|readWrite|immutable|writeOnly)$/),
          returned: expect.stringMatching(/^(always|never|default|request)$/),
        })
        if (attribute.type === 'string') {
          expect(attribute, where).toMatchObject({
            caseExact: expect.any(Boolean),
            uniqueness: expect.stringMatching(/^(none|server|global)$/),
          })
        }
        if (attribute.type === 'reference') expect(attribute.referenceTypes, where).not.toEqual([])
      }
    }
  })

  it('lists sub-attributes of complex attributes, none of which is complex (§2.3.8, §7)', async () => {
    const client = await newClient()
    for (const { id, attributes } of await schemas(client)) {
      for (const { name, type, subAttributes } of attributes) {
        expect(subAttributes !== undefined, `${id}:${name}`).toBe(type === 'complex')
        for (const sub of subAttributes ?? [])
          expect(sub.type, `${id}:${name}.${sub.name}`).not.toBe('complex')
      }
    }
  })

  it('uses names that conform to the grammar (§2.1)', async () => {
    const client = await newClient()
    for (const { attributes } of await schemas(client)) {
      for (const { name } of flat(attributes)) expect(name).toMatch(/^(\$ref|[A-Za-z][\w$-]*)$/)
    }
  })

  it('uses only data types of the RFC, including extensions (§2.3)', async () => {
    const client = await newClient()
    const extensions = (await schemas(client)).filter(({ id }) => id.includes(':extension:'))
    for (const { type } of extensions.flatMap(({ attributes }) => flat(attributes))) {
      expect(['string', 'complex', 'reference']).toContain(type)
    }
  })
})

describe('RFC 7643 §8.7.1, the schemas as printed', () => {
  it.for([
    [USER, 'userName', { type: 'string', required: true, uniqueness: 'server', caseExact: false }],
    [USER, 'name', { type: 'complex', multiValued: false }],
    [USER, 'active', { type: 'boolean' }],
    [USER, 'profileUrl', { type: 'reference', referenceTypes: ['external'] }],
    [USER, 'emails', { type: 'complex', multiValued: true }],
    [USER, 'phoneNumbers', { type: 'complex', multiValued: true }],
    [USER, 'ims', { type: 'complex', multiValued: true }],
    [USER, 'photos', { type: 'complex', multiValued: true }],
    [USER, 'addresses', { type: 'complex', multiValued: true }],
    [USER, 'groups', { type: 'complex', multiValued: true, mutability: 'readOnly' }],
    [USER, 'entitlements', { type: 'complex', multiValued: true }],
    [USER, 'roles', { type: 'complex', multiValued: true }],
    [USER, 'x509Certificates', { type: 'complex', multiValued: true }],
    [GROUP, 'displayName', { type: 'string', multiValued: false, uniqueness: 'none' }],
    [GROUP, 'members', { type: 'complex', multiValued: true }],
    [ENTERPRISE, 'employeeNumber', { type: 'string' }],
    [ENTERPRISE, 'manager', { type: 'complex', multiValued: false }],
  ] as const)('has %s:%s (§8.7.1)', async ([id, name, characteristics]) => {
    const client = await newClient()
    const { attributes } = (await client.get(`/Schemas/${id}`)).body
    expect(attributes.find((attribute: Definition) => attribute.name === name)).toMatchObject(characteristics)
  })

  it('has the sub-attributes and canonical types of e-mail addresses (§4.1.2, §8.7.1)', async () => {
    const client = await newClient()
    const { attributes } = (await client.get(`/Schemas/${USER}`)).body
    const { subAttributes } = attributes.find(({ name }: Definition) => name === 'emails')
    expect(subAttributes.map(({ name }: Definition) => name)).toEqual(['value', 'display', 'type', 'primary'])
    expect(subAttributes[2].canonicalValues).toEqual(['work', 'home', 'other'])
  })
})
