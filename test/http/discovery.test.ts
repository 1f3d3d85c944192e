import { describe, expect, it } from 'vitest'
import { costOf, GROUP, newClient, ORIGIN, send, TENANT_URL, USER } from '../support/harness.ts'

describe('discovery', () => {
  it('serves the configuration without authentication', async () => {
    const answer = await send(new Request(`${TENANT_URL}/ServiceProviderConfig`))
    expect(answer.status).toBe(200)
    expect(answer.headers.get('Content-Type')).toBe('application/scim+json')
    expect(answer.body).toMatchObject({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
      patch: { supported: true },
      filter: { supported: true, maxResults: 1000 },
      etag: { supported: true },
      changePassword: { supported: false },
      authenticationSchemes: [
        { type: 'oauthbearertoken', specUri: 'https://www.rfc-editor.org/rfc/rfc6750', primary: true },
        {
          type: 'oauth2',
          specUri: 'https://www.rfc-editor.org/rfc/rfc6749',
          documentationUri: `${ORIGIN}/.well-known/oauth-authorization-server`,
          primary: false,
        },
      ],
      meta: { resourceType: 'ServiceProviderConfig', location: `${TENANT_URL}/ServiceProviderConfig` },
    })
  })

  // Microsoft's validation for the app gallery looks for every mapped attribute there.
  it('lists externalId with the base schemas, to which common attributes belong (RFC 7643 §3.1)', async () => {
    const { body } = await (await newClient()).get('/Schemas')
    const holders = body.Resources.filter(({ attributes }: { attributes: { name: string }[] }) =>
      attributes.some(({ name }) => name === 'externalId'),
    )
    expect(holders.map(({ id }: { id: string }) => id)).toEqual([USER, GROUP])
  })

  it.for(['Schemas', 'ResourceTypes'])(
    'lists /%s and returns each by id, without nulls, in one round trip',
    async (name) => {
      const client = await newClient()
      const answer = await client.get(`/${name}`)
      expect(answer.body).toMatchObject({ startIndex: 1, totalResults: answer.body.Resources.length })
      expect(JSON.stringify(answer.body)).not.toContain('null')
      expect(costOf(answer).roundTrips).toBe(1)
      for (const resource of answer.body.Resources) {
        const byId = await client.get(`/${name}/${resource.id}`)
        expect(byId.body).toEqual(resource)
        expect(byId.body.meta.location).toBe(`${TENANT_URL}/${name}/${resource.id}`)
      }
      expect((await client.get(`/${name}/unknown`)).status).toBe(404)
      expect((await send(new Request(`${TENANT_URL}/${name}`))).status).toBe(401)
    },
  )

  it('describes every attribute of the tutorial', async () => {
    const client = await newClient()
    const { attributes } = (await client.get(`/Schemas/${USER}`)).body
    const names = attributes.map((attribute: { name: string }) => attribute.name)
    expect(names).toEqual(expect.arrayContaining(['userName', 'active', 'displayName', 'name']))
    const cisco = await client.get('/Schemas/urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User')
    expect(cisco.body.attributes).toMatchObject([
      { name: 'nativeObjectId', type: 'string', multiValued: false },
    ])
  })

  it('rejects a filter with 403', async () => {
    const client = await newClient()
    for (const path of ['/Schemas', '/ResourceTypes', '/ServiceProviderConfig']) {
      expect((await client.get(`${path}?filter=name+eq+%22User%22`)).status).toBe(403)
    }
  })
})
