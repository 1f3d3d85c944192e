/** The deletion of a user who is a member of thousands of groups: it takes long, so it is not done beside requests. */
import { env } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import { addCrowd, addGroups } from '../support/crowd.ts'
import { costOf, newClient } from '../support/harness.ts'

const GROUPS = 2_001

it('deletes a user who is in thousands of groups with all memberships, in two round trips', async () => {
  const client = await newClient({ groupLimit: GROUPS })
  const [user = '', other = ''] = await addCrowd(client.tenantId, 2)
  await addGroups(client.tenantId, GROUPS)
  await env.DB.prepare(
    `INSERT INTO memberships (tenant_id, group_id, member_id, member_type)
     SELECT ?1, g.id, u.id, 'User' FROM groups AS g JOIN users AS u ON u.tenant_id = g.tenant_id WHERE g.tenant_id = ?1`,
  )
    .bind(client.tenantId)
    .run()
  await env.DB.prepare('UPDATE groups SET member_count = 2 WHERE tenant_id = ?1').bind(client.tenantId).run()

  // The first request of a token also checks it.
  await client.get('/Users?count=1')
  const deleted = await client.request('DELETE', `/Users/${user}`)
  expect(deleted.status).toBe(204)
  expect(costOf(deleted).roundTrips).toBe(2)
  expect((await client.get(`/Users/${user}`)).status).toBe(404)
  const group = await client.get('/Groups/group-7')
  expect(group.body.members.map(({ value }: { value: string }) => value)).toEqual([other])
  expect(group.body.meta.version).toBe('W/"2"')
  // A user in few groups is deleted at once.
  const { id } = await client.createUser()
  expect(costOf(await client.request('DELETE', `/Users/${id}`)).roundTrips).toBe(1)
})
