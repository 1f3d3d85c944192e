/**
 * The indexes that answer filters on indexed attributes of extensions, and the refusal of filters without one.
 */
import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import worker from '../../../src/worker.ts'
import { admin, type Client, newClient, TENANT_URL } from '../../support/harness.ts'
import { noting } from '../../support/query-plans.ts'

const USER = 'urn:ietf:params:scim:schemas:extension:acme:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:extension:acme:2.0:Group'

let client: Client
beforeAll(async () => {
  client = await newClient()
  const put = (id: string, attributes: readonly object[]) =>
    admin('PUT', `/tenants/${client.tenantId}/schemas/${id}`, { id, attributes })
  await put(USER, [
    { name: 'badge', indexed: true },
    { name: 'level', type: 'integer', indexed: true },
    { name: 'desk' },
  ])
  await put(GROUP, [{ name: 'owner', indexed: true }])
  for (let i = 0; i < 20; i++) await client.createUser({ [USER]: { badge: `b${i}`, level: i, desk: 'd' } })
  await client.createGroup({ [GROUP]: { owner: 'o' } })
})

const filtered = (endpoint: 'Users' | 'Groups', filter: string) =>
  `/${endpoint}?filter=${encodeURIComponent(filter)}`

/** True for a SCAN of a table, or a search by the tenant alone; nested groups may be read as a whole. */
function readsTableThrough(step: string): boolean {
  if (/^SCAN (?:users|groups)\b/.test(step)) return true
  // At most one row: the location of a tenant that lives elsewhere.
  if (step === 'SEARCH tenant_locations USING PRIMARY KEY (tenant_id=?)') return false
  return /^SEARCH .*\(tenant_id=\?\)$/.test(step) && !step.includes('memberships_nested')
}

async function plansOf(path: string): Promise<readonly string[]> {
  const { binding, plans } = noting()
  const headers = { Authorization: `Bearer ${client.token}` }
  const response = await worker.fetch(
    new Request(`${TENANT_URL}${path}`, { headers }),
    { ...env, DB: binding as D1Database },
    createExecutionContext(),
  )
  expect(response.status).toBe(200)
  return await plans()
}

describe('an index answers', () => {
  it.for<[path: string, index: RegExp]>([
    [
      filtered('Users', `${USER}:badge eq "b1"`),
      /users USING (COVERING )?INDEX users_by_x1 \(tenant_id=\? AND x1=\?\)/,
    ],
    [filtered('Users', `${USER}:badge sw "b"`), /INDEX users_by_x1 \(tenant_id=\? AND x1>\? AND x1<\?\)/],
    [filtered('Users', `${USER}:level ge 7`), /INDEX users_by_x2 \(tenant_id=\? AND x2>\?\)/],
    [
      filtered('Users', `${USER}:level eq 7 and ${USER}:desk eq "d"`),
      /INDEX users_by_x2 \(tenant_id=\? AND x2=\?\)/,
    ],
    [
      filtered('Users', `${USER}:level eq 7 or ${USER}:badge eq "b1"`),
      /INDEX users_by_x1 \(tenant_id=\? AND x1=\?\)/,
    ],
    [
      filtered('Users', `${USER}:level eq 7 or userName eq "b1"`),
      /INDEX users_by_x2 \(tenant_id=\? AND x2=\?\)/,
    ],
    [
      filtered('Groups', `${GROUP}:owner eq "o"`),
      /groups USING (COVERING )?INDEX groups_by_x3 \(tenant_id=\? AND x3=\?\)/,
    ],
  ])('%s', async ([path, index]) => {
    const plans = await plansOf(path)
    expect(plans.join('\n')).toMatch(index)
    // The scan that is chosen if an index finds most of the directory: for the total, and for the page.
    const scans = plans.filter(readsTableThrough)
    expect(scans.length).toBeLessThanOrEqual(/ (?:and|or) /.test(decodeURIComponent(path)) ? 2 : 0)
    for (const scan of scans)
      expect(scan).toMatch(/^SEARCH users USING (COVERING )?INDEX \w+ \(tenant_id=\?\)$/)
  })
})

describe('in a large directory', () => {
  it('a filter without an index is refused with the indexed attributes of the tenant, one with an index is not', async () => {
    await env.DB.prepare('UPDATE tenants SET user_count = 10000000 WHERE id = ?1').bind(client.tenantId).run()
    const refused = await client.filter('/Users', `${USER}:desk eq "d"`)
    expect(refused).toMatchObject({ status: 400, body: { scimType: 'tooMany' } })
    expect(refused.body.detail).toContain(`no index answers "${USER}:desk eq"`)
    expect(refused.body.detail).toContain('meta.lastModified, badge and level with eq, sw, gt, ge, lt or le')
    for (const filter of [
      `${USER}:badge eq "b1"`,
      `${USER}:level lt 3`,
      `${USER}:badge eq "b1" and ${USER}:desk eq "d"`,
    ]) {
      expect([filter, (await client.filter('/Users', filter)).status]).toEqual([filter, 200])
    }
    for (const filter of [`${USER}:badge co "1"`, `${USER}:level ne 3`, `not (${USER}:badge eq "b1")`]) {
      expect([filter, (await client.filter('/Users', filter)).status]).toEqual([filter, 400])
    }
    expect((await client.get(`/Users?sortBy=${USER}:badge`)).status).toBe(400)
  })
})
