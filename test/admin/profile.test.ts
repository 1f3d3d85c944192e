/**
 * The profile of a tenant: GET and PATCH /admin/api/tenants/{id}, and its effect on the next request of a client.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { admin, costOf, newClient, newToken, ORIGIN, send } from '../support/harness.ts'

describe('the profile of a tenant', () => {
  it('is "tolerant" by default, and can be read and set', async () => {
    const { tenantId } = await newClient()
    const path = `/tenants/${tenantId}`
    expect((await admin('GET', path)).body.profile).toBe('tolerant')
    for (const profile of ['strict', 'entra', 'okta', 'tolerant']) {
      const answer = await admin('PATCH', path, { profile })
      expect([answer.status, answer.body.profile]).toEqual([200, profile])
      expect((await admin('GET', path)).body.profile).toBe(profile)
    }
    expect((await admin('PATCH', path, { name: 'Other' })).body.profile).toBe('tolerant')
  })

  it('can be set at the creation of the tenant, and holds from the first request on', async () => {
    for (const [profile, status] of [
      ['strict', 404],
      ['tolerant', 200],
    ] as const) {
      const id = `made-${profile}`
      const made = await admin('POST', '/tenants', { id, name: 'Made', profile })
      expect([made.status, made.body.profile]).toEqual([201, profile])
      expect((await admin('GET', `/tenants/${id}`)).body).toEqual(made.body)
      const { token } = await newToken(id)
      const headers = { Authorization: `Bearer ${token}` }
      expect((await send(new Request(`${ORIGIN}/scim/v2/users`, { headers }))).status).toBe(status)
    }
    const refused = await admin('POST', '/tenants', { id: 'made', name: 'Made', profile: 'Strict' })
    expect([refused.status, refused.body.error.field]).toEqual([400, 'profile'])
  })

  it.for(['Strict', '', null, 5, ['strict']])(
    'cannot be %j: a 400 names the field and the values allowed',
    async (profile) => {
      const { tenantId } = await newClient()
      const answer = await admin('PATCH', `/tenants/${tenantId}`, { profile, name: 'Other' })
      expect(answer.status).toBe(400)
      expect(JSON.stringify(answer.body)).toContain('profile')
      for (const name of ['tolerant', 'strict', 'entra', 'okta'])
        expect(JSON.stringify(answer.body)).toContain(name)
      expect((await admin('GET', `/tenants/${tenantId}`)).body).toMatchObject({
        name: 'Test',
        profile: 'tolerant',
      })
    },
  )

  it('holds from the next request on, for reads, users and groups, at one round trip for a read', async () => {
    const client = await newClient()
    const [user, group] = [await client.createUser(), await client.createGroup()]
    const requests = () =>
      Promise.all([
        client.get('/users'),
        client.filter('/Users', 'userName eq x'),
        client.patch(`/Users/${user.id}`, { op: 'Replace', path: 'title', value: 'x' }),
        client.patch(`/Groups/${group.id}`, { op: 'Replace', path: 'externalId', value: 'x' }),
      ])
    const statuses = async () => (await requests()).map(({ status }) => status)
    expect(await statuses()).toEqual([200, 200, 200, 204])
    await admin('PATCH', `/tenants/${client.tenantId}`, { profile: 'strict' })
    expect(await statuses()).toEqual([404, 400, 400, 400])
    expect(costOf(await client.get('/Users')).roundTrips).toBe(1)
    await admin('PATCH', `/tenants/${client.tenantId}`, { profile: 'tolerant' })
    expect(await statuses()).toEqual([200, 200, 200, 204])
  })

  it('is the default if a later version of the service has set an unknown one', async () => {
    const client = await newClient()
    await env.DB.prepare('UPDATE tenants SET configuration = ?2 WHERE id = ?1')
      .bind(client.tenantId, JSON.stringify({ profile: 'later' }))
      .run()
    const user = await client.createUser()
    await client.createGroup({ members: [{ value: user.id }] })
    expect((await client.get('/users')).body.totalResults).toBe(1)
    const path = `/tenants/${client.tenantId}`
    expect((await admin('PATCH', path, { name: 'Other' })).status).toBe(200)
    expect((await admin('PATCH', path, { profile: 'strict' })).body.profile).toBe('strict')
    expect((await client.get('/users')).status).toBe(404)
  })
})
