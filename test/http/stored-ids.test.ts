/**
 * Ids that SQL has stored: the server gives UUIDs, and an import accepts nothing else. A header cannot have characters beyond U+00FF
 * or line breaks, and a path has some characters with a meaning of their own, so addresses have them encoded (RFC 3986 §2.1).
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { addCrowd, addToGroup } from '../support/crowd.ts'
import { Browser } from '../support/dashboard.ts'
import { newClient, TENANT_URL } from '../support/harness.ts'

const IDS = ['Zürich', 'mirela €', 'two\r\nlines', 'a"b\\c', 'a/b?c#d%41', '🦊', '\u0001']

describe.each(IDS)('a user with the id %j', (id) => {
  it('is read, changed and listed, with its address in the headers and in references', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 1, () => id)
    const path = `/Users/${encodeURIComponent(id)}`
    const location = `${TENANT_URL}${path}`
    const found = await client.get(path)
    expect(found).toMatchObject({ status: 200, body: { id, meta: { location } } })
    const headers = (of: typeof found) => [of.headers.get('Location'), of.headers.get('Content-Location')]
    expect(headers(found)).toEqual([location, location])
    const changed = await client.patch(path, { op: 'replace', path: 'title', value: 'Ranger' })
    expect([changed.status, headers(changed)]).toEqual([200, [location, location]])
    const replaced = await client.request('PUT', path, { ...changed.body, title: 'Warden' })
    expect([replaced.status, headers(replaced)]).toEqual([200, [location, location]])
    const unchanged = await client.get(path, { 'If-None-Match': replaced.headers.get('ETag') ?? '' })
    expect([unchanged.status, headers(unchanged)]).toEqual([304, [location, location]])
    const group = await client.createGroup({ displayName: 'Rangers' })
    await addToGroup(client.tenantId, group.id, [id])
    const { body } = await client.get(`/Groups/${group.id}`)
    expect(body.members).toEqual([expect.objectContaining({ value: id, $ref: location })])
    const membership = (await client.get('/GroupMemberships')).body.Resources[0]
    expect(membership.member).toMatchObject({ value: id, $ref: location })
    expect(membership.meta.location).toBe(
      `${TENANT_URL}/GroupMemberships/${group.id}.${encodeURIComponent(id)}`,
    )
    const removed = await client.request('DELETE', path)
    expect(removed.status).toBe(204)
  })

  it('has a page on the dashboard, and its forms lead back to it', async () => {
    const client = await newClient()
    await addCrowd(client.tenantId, 1, () => id)
    const browser = await new Browser().signIn()
    const overview = `/admin/tenants/${client.tenantId}`
    const path = `${overview}/users/${encodeURIComponent(id)}`
    expect((await browser.get(`${overview}/users`)).html).toContain(`href="${path}"`)
    expect((await browser.get(path)).status).toBe(200)
    const owned = await browser.post(`${path}/owner`, { clientId: '' })
    expect(owned).toMatchObject({ status: 303, location: path })
  })
})

describe.each(IDS)('a group with the id %j', (id) => {
  it('is shown in the groups of its members', async () => {
    const client = await newClient()
    const user = await client.createUser()
    await env.DB.prepare(
      `INSERT INTO groups (tenant_id, id, data, keys, version, created_at, last_modified)
       VALUES (?1, ?2, '{"displayName":"Rangers"}', '{"displayName":"rangers"}', 1, 0, 0)`,
    )
      .bind(client.tenantId, id)
      .run()
    await addToGroup(client.tenantId, id, [user.id])
    const group = { value: id, $ref: `${TENANT_URL}/Groups/${encodeURIComponent(id)}`, display: 'Rangers' }
    const { body } = await client.get(`/Users/${user.id}`)
    expect(body.groups).toEqual([expect.objectContaining(group)])
    const listed = await client.get('/Users')
    expect(listed.body.Resources[0].groups).toEqual([expect.objectContaining(group)])
    const patched = await client.patch(`/Groups/${encodeURIComponent(id)}?attributes=displayName`, {
      op: 'replace',
      path: 'displayName',
      value: 'Wardens',
    })
    expect([patched.status, patched.headers.get('Location')]).toEqual([200, group.$ref])
  })
})

it('a tenant with an id that SQL has stored has downloads', async () => {
  const id = 'Zürich "€"'
  await env.DB.prepare('INSERT INTO tenants (id, name, created_at) VALUES (?, ?, 0)').bind(id, id).run()
  const browser = await new Browser().signIn()
  for (const file of ['log.csv', 'users.csv', 'audit.csv']) {
    const page = await browser.get(`/admin/tenants/${encodeURIComponent(id)}/${file}`)
    const name = page.headers.get('Content-Disposition')
    expect([file, page.status, name]).toEqual([
      file,
      200,
      expect.stringMatching(/^attachment; filename="[\w-]+-Z_rich____-\d{4}-\d\d-\d\d\.csv"$/),
    ])
  }
  await env.DB.prepare('DELETE FROM tenants WHERE id = ?').bind(id).run()
})
