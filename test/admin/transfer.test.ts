import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import exportedFromD1 from '../fixtures/transfer/exported-from-d1.json' with { type: 'json' }
import { addCrowd, addToGroup } from '../support/crowd.ts'
import { type Answer, admin, newClient, ORIGIN, send } from '../support/harness.ts'

const HEADERS = { Authorization: 'Bearer test-admin-token' }
const exported = async (id: string): Promise<string> =>
  (await send(new Request(`${ORIGIN}/admin/api/tenants/${id}/export`, { headers: HEADERS }))).body ?? ''
const imported = (id: string, body: string): Promise<Answer> =>
  send(new Request(`${ORIGIN}/admin/api/tenants/${id}/import`, { method: 'POST', headers: HEADERS, body }))

describe('export and import of a tenant', () => {
  it('move a directory with its ids, versions, times and memberships', async () => {
    const [from, to] = [await newClient(), await newClient()]
    const user = await from.createUser({ userName: 'zoë', emails: [{ value: 'z@x.example', type: 'work' }] })
    await from.patch(`/Users/${user.id}`, { op: 'replace', path: 'title', value: 'Pilot "1"' })
    const inner = await from.createGroup({ displayName: 'Inner', members: [{ value: user.id }] })
    await from.createGroup({ displayName: 'Outer', members: [{ value: inner.id }] })
    const text = await exported(from.tenantId)
    expect(text.trim().split('\n')).toHaveLength(5)
    const answer = await imported(to.tenantId, text)
    expect([answer.status, answer.body]).toEqual([200, { imported: { user: 1, group: 2, membership: 2 } }])
    for (const path of ['/Users', '/Groups']) {
      expect((await to.get(path)).body).toEqual((await from.get(path)).body)
    }
    const records = (lines: string) =>
      lines
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    expect(records(await exported(to.tenantId))).toEqual(records(text))
    const { body } = await admin('GET', `/tenants/${to.tenantId}`)
    expect(body).toMatchObject({ userCount: 1, groupCount: 2 })
    const { results } = await env.DB.prepare('SELECT member_count AS n FROM groups WHERE tenant_id = ?1')
      .bind(to.tenantId)
      .all()
    expect(results).toEqual([{ n: 1 }, { n: 1 }])
  })

  // On SQLite this is the way from Cloudflare to a machine of one's own: names beyond ASCII, groups in a circle.
  it('take what a D1 exported, and give the same again', async () => {
    const to = await newClient()
    const text = exportedFromD1.map((record) => `${JSON.stringify(record)}\n`).join('')
    expect((await imported(to.tenantId, text)).body).toEqual({
      imported: { user: 6, group: 2, membership: 8 },
    })
    expect(await exported(to.tenantId)).toBe(text)
    for (const { kind, id, resource, version, createdAt, lastModified } of exportedFromD1) {
      if (kind === 'membership') continue
      const { status, body } = await to.get(`/${kind === 'user' ? 'Users' : 'Groups'}/${id}`)
      expect(status).toBe(200)
      expect(body).toMatchObject({ ...resource, id, meta: { version: `W/"${version}"` } })
      expect([Date.parse(body.meta.created), Date.parse(body.meta.lastModified)]).toEqual([
        createdAt,
        lastModified,
      ])
    }
    expect((await to.filter('/Users', 'userName sw "ÜNÏ"')).body.totalResults).toBe(6)
  })

  it('move more than a page of each kind', async () => {
    const [from, to] = [await newClient(), await newClient()]
    const ids = await addCrowd(from.tenantId, 1_201, () => crypto.randomUUID())
    for (let i = 0; i < 5; i++) await addToGroup(from.tenantId, (await from.createGroup()).id, ids)
    const answer = await imported(to.tenantId, await exported(from.tenantId))
    expect(answer.body).toEqual({ imported: { user: 1_201, group: 5, membership: 6_005 } })
  })

  it.for([
    ['a broken line', '{"kind":', /line 1: no JSON/],
    ['another kind', '{"kind":"token"}', /line 1: "kind" must be/],
    [
      'an id that is none',
      '{"kind":"user","id":"x","version":1,"createdAt":0,"lastModified":0,"resource":{"userName":"a"}}',
      /line 1: "id" must be a UUID/,
    ],
    [
      'a resource that is none',
      '\n{"kind":"user","id":"x","version":1,"createdAt":0,"lastModified":0,"resource":{}}',
      /line 2: attribute "userName" is required/,
    ],
    [
      'a membership without ends',
      `{"kind":"membership","groupId":"${crypto.randomUUID()}","memberId":"${crypto.randomUUID()}","memberType":"User"}`,
      /a membership names a user or a group that is not there/,
    ],
  ] as const)('refuse %s', async ([, text, message]) => {
    const { tenantId } = await newClient()
    const answer = await imported(tenantId, text)
    expect([400, 409]).toContain(answer.status)
    expect(answer.body.error.message).toMatch(message)
    expect(await exported(tenantId)).toBe('')
  })

  it('refuse a tenant that is not empty, and one that is not there', async () => {
    const client = await newClient()
    await client.createUser()
    expect((await imported(client.tenantId, '')).body.error.message).toMatch(/holds 1 users and 0 groups/)
    expect((await imported('nobody', '')).status).toBe(404)
  })
})
