import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { Browser, fieldValue, type Page, textOf } from '../support/dashboard.ts'
import { imported, textOf as lines, userLine } from '../support/directory-file.ts'
import { Client, costOf, GROUP, newClient, newToken, USER } from '../support/harness.ts'

const HOUR_MS = 60 * 60 * 1000
const SCRIPT = '<script>alert(1)</script>'

async function newPages(options?: Parameters<typeof newClient>[0]) {
  const client = await newClient(options)
  const browser = await new Browser().signIn()
  const path = `/admin/tenants/${client.tenantId}`
  return { client, browser, path }
}

async function createGroup(client: Client, displayName: string, members: readonly { id: string }[] = []) {
  const body = { schemas: [GROUP], displayName, members: members.map(({ id }) => ({ value: id })) }
  return (await client.request('POST', '/Groups', body)).body as { id: string }
}

/** The database costs of a page. */
function cost(page: Page) {
  return costOf({ status: page.status, headers: page.headers, body: undefined })
}

describe('every page', () => {
  it('shows the name <script> as text', async () => {
    const { client, browser, path } = await newPages()
    const user = await client.createUser({ userName: SCRIPT, displayName: '"><img src=x onerror=alert(2)>' })
    const group = await createGroup(client, `${SCRIPT} group`, [user])
    await client.request('POST', '/Users', { schemas: [USER], userName: SCRIPT })
    const log = await browser.get(`${path}/log`)
    const entry = /\/log\/([0-9a-f-]{36})/.exec(log.html)?.[1]
    const paths = [
      '',
      '/users',
      `/users/${user.id}`,
      '/groups',
      `/groups/${group.id}`,
      '/log',
      `/log/${entry}`,
    ]
    const found = `/users?q=${encodeURIComponent(SCRIPT)}`
    const nothing = `/users?q=${encodeURIComponent(`${SCRIPT}?`)}`
    for (const at of [...paths, found, nothing]) {
      const page = await browser.get(`${path}${at}`)
      expect([at, page.status]).toEqual([at, 200])
      expect(page.html).not.toContain('<script>')
      expect(page.html).not.toContain('<img')
      expect(textOf(page.html)).toContain('alert(')
    }
  })

  it('answers in one round trip', async () => {
    const { client, browser, path } = await newPages()
    const user = await client.createUser({ displayName: 'Mirela Osterholt' })
    const group = await createGroup(client, 'Everyone', [user])
    const paths = [
      '',
      '/users',
      '/users?q=mi',
      '/users?q=mi&in=displayName',
      `/users/${user.id}`,
      '/groups',
      `/groups/${group.id}`,
      '/api-keys',
      '/connect',
      '/connect/entra',
      '/log',
      '/settings',
    ]
    for (const at of paths) {
      const page = await browser.get(`${path}${at}`)
      expect([at, page.status, cost(page).roundTrips]).toEqual([at, 200, 1])
    }
    // The names of its clients are read for the entries that it finds.
    expect(cost(await browser.get(`${path}/log?q=x&action=create`)).roundTrips).toBe(2)
    expect(cost(await browser.get('/admin/tenants')).roundTrips).toBe(1)
  })

  it('answers 404 with links for unknown ids and for ids of another tenant', async () => {
    const { client, browser, path } = await newPages()
    const other = await newPages()
    const user = await client.createUser()
    const group = await createGroup(client, 'Mine')
    const log = await browser.get(`${path}/log`)
    const entry = /\/log\/([0-9a-f-]{36})/.exec(log.html)?.[1]
    const absent = '01900000-0000-7000-8000-000000000000'
    const paths = [
      `${path}/users/${absent}`,
      `${other.path}/users/${user.id}`,
      `${other.path}/groups/${group.id}`,
      `${other.path}/log/${entry}`,
      `${path}/api-keys/${absent}/revoke`,
      '/admin/tenants/no-such-tenant',
      '/admin/tenants/no-such-tenant/users',
      '/admin/nowhere',
    ]
    for (const at of paths) {
      const page = await browser.get(at)
      expect([at, page.status]).toEqual([at, 404])
      expect(page.html).toMatch(/<li><a href="\/admin/)
    }
    const [theirs, nobodys] = [user.id, absent].map((id) => `${other.path}/users/${id}`)
    const pages = [await browser.get(theirs ?? ''), await browser.get(nobodys ?? '')]
    expect(pages[0]?.html.replaceAll(user.id, '')).toBe(pages[1]?.html.replaceAll(absent, ''))
  })
})

describe('the overview', () => {
  it('counts users, groups and memberships', async () => {
    const { client, browser, path } = await newPages()
    const users = [await client.createUser({ active: true }), await client.createUser({ active: false })]
    const group = await createGroup(client, 'Both', users)
    await createGroup(client, 'Outer', [group])
    const before = textOf((await browser.get(path)).html)
    expect(before).toContain('Users 2 1 active, 1 inactive')
    expect(before).toContain('Groups 2 of 200')
    expect(before).toContain('Memberships 3')
    await client.request('DELETE', `/Users/${users[0].id}`)
    expect(textOf((await browser.get(path)).html)).toContain('Memberships 2')
    await client.request('DELETE', `/Groups/${group.id}`)
    expect(textOf((await browser.get(path)).html)).toContain('Memberships 0')
  })

  it('warns from 90 % of the group limit on', async () => {
    const { client, browser, path } = await newPages({ groupLimit: 10 })
    for (let i = 0; i < 8; i++) await createGroup(client, `Group ${i}`)
    expect((await browser.get(path)).html).not.toContain('stat warn')
    await createGroup(client, 'Group 8')
    expect(textOf((await browser.get(path)).html)).toContain(
      'Only 1 left. Groups beyond the limit are refused.',
    )
    await createGroup(client, 'Group 9')
    expect(textOf((await browser.get(path)).html)).toContain('The limit is reached. New groups are refused.')
  })

  it('shows refused writes with their reasons, and warns of quarantine', async () => {
    const { client: first, browser, path } = await newPages()
    const { token } = await newToken(first.tenantId, { name: 'Microsoft Entra ID' })
    const client = new Client(first.tenantId, token)
    const { userName } = await client.createUser()
    for (let i = 0; i < 5; i++) await client.createUser()
    expect((await browser.get(path)).html).not.toContain('quarantine')
    for (let i = 0; i < 4; i++) await client.request('POST', '/Users', { schemas: [USER], userName })
    const text = textOf((await browser.get(path)).html)
    expect(text).toContain(`userName "${userName}" is already in use`)
    expect(text).toContain('4 of the latest 10 writes of Microsoft Entra ID were refused.')
    expect(text).toContain('quarantine')
  })

  it('shows that the name of a refused write is empty', async () => {
    const { client, browser, path } = await newPages()
    await client.request('POST', '/Users', { schemas: [USER], userName: '' })
    expect(textOf((await browser.get(path)).html)).toContain('(no name) attribute "userName" is required')
  })

  it('keeps the counts of 30 days when the log is pruned', async () => {
    const { client, browser, path } = await newPages()
    await client.createUser()
    await env.DB.prepare('DELETE FROM provisioning_log WHERE tenant_id = ?').bind(client.tenantId).run()
    const text = textOf((await browser.get(path)).html)
    expect(text).toContain('Last 30 days 1 write')
  })

  it('sums hours into days when a new hour begins, and deletes counts older than the chart', async () => {
    const { client, browser, path } = await newPages()
    const hour = Date.now() - (Date.now() % HOUR_MS)
    const insert = env.DB.prepare(
      `INSERT INTO provisioning_activity (tenant_id, hour, creates, updates, disables, deletes, refused)
       VALUES (?1, ?2, 7, 0, 0, 0, 0)`,
    )
    const hours = [0, hour - 50 * HOUR_MS, hour - 49 * HOUR_MS, hour - 20 * HOUR_MS]
    const insertDay = env.DB.prepare(
      `INSERT INTO provisioning_days (tenant_id, day, creates, updates, disables, deletes, refused)
       VALUES (?1, ?2, 0, 0, 0, 0, 1)`,
    )
    const days = Array.from({ length: 40 }, (_, i) => i * 24 * HOUR_MS)
    await env.DB.batch([
      ...hours.map((at) => insert.bind(client.tenantId, at)),
      ...days.slice(1).map((at) => insertDay.bind(client.tenantId, at)),
    ])
    await client.createUser()
    const text = textOf((await browser.get(path)).html)
    expect(text).toContain('Last 24 hours 8 writes, at most 7 in one hour')
    expect(text).toContain('Last 30 days 22 writes')
    const count = (table: string) =>
      env.DB.prepare(`SELECT count(*) AS rows FROM ${table} WHERE tenant_id = ?`)
        .bind(client.tenantId)
        .first('rows')
    expect(await count('provisioning_activity')).toBe(2)
    expect(await count('provisioning_days')).toBe(33)
  })

  it('is smaller than 30 KB with its style sheet, in gzip', async () => {
    const { client, browser, path } = await newPages()
    for (let i = 0; i < 6; i++) await client.request('POST', '/Users', { schemas: [USER], userName: 7 })
    const page = await browser.get(path)
    const style = await browser.get(/href="([^"]+\.css)"/.exec(page.html)?.[1] ?? '')
    const bytes = (await gzipBytes(page.html)) + (await gzipBytes(style.html))
    expect(bytes).toBeLessThan(30_000)
  })
})

async function gzipBytes(text: string): Promise<number> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))
  return (await new Response(stream).arrayBuffer()).byteLength
}

describe('users and groups', () => {
  it('lists by name and pages by cursor', async () => {
    const { client, browser, path } = await newPages()
    for (let i = 0; i < 55; i++) await client.createUser({ userName: `user-${String(i).padStart(2, '0')}` })
    const first = await browser.get(`${path}/users`)
    expect(first.html).toContain('>user-00</a>')
    expect(first.html).toContain('>user-49</a>')
    expect(first.html).not.toContain('>user-50</a>')
    const next = /<a href="([^"]+)" rel="next">/.exec(first.html)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const second = await browser.get(next)
    expect(second.html).toContain('>user-50</a>')
    expect(second.html).not.toContain('>user-49</a>')
    expect(second.html).not.toContain('rel="next"')
  })

  it('pages through resources with the same name without reading all of them', async () => {
    const { client, browser, path } = await newPages()
    await fillTenant(client.tenantId, 3_000, "'namesake'")
    const shown = new Set<string>()
    let at = `${path}/users?q=namesake&in=displayName`
    for (let i = 0; i < 4; i++) {
      const page = await browser.get(at)
      expect(cost(page).rowsRead).toBeLessThan(120)
      for (const [, id] of page.html.matchAll(/users\/([0-9a-f-]{36})"/g)) shown.add(id ?? '')
      at = /<a href="([^"]+)" rel="next">/.exec(page.html)?.[1]?.replaceAll('&amp;', '&') ?? ''
    }
    expect(shown.size).toBe(200)
  })

  it('finds resources by the beginning of a name or an id, in any case and any script', async () => {
    const { client, browser, path } = await newPages()
    const nativeObjectId = 'AbC0123456789'
    const urn = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User'
    await client.createUser({
      userName: 'Élodie@quillfern.example',
      displayName: 'Ångström',
      externalId: 'EXT-77',
      schemas: [USER, urn],
      [urn]: { nativeObjectId },
    })
    const finds = async (q: string) => (await browser.get(`${path}/users?q=${encodeURIComponent(q)}`)).html
    for (const q of ['éLODIE', 'ELODIE', 'ångs', 'ÅNGSTRÖM', 'EXT-7', 'abc0', ' Élodie ']) {
      expect([q, (await finds(q)).includes('Élodie@quillfern.example</a>')]).toEqual([q, q !== 'ELODIE'])
    }
    const nothing = await finds('nobody')
    expect(textOf(nothing)).toContain('No match for “nobody” among 1 user.')
    expect(nothing).toContain('/log?q=nobody')
  })

  it('finds what is within a word in a small directory', async () => {
    const { client, browser, path } = await newPages()
    await client.createUser({ userName: 'mirela', displayName: 'Mirela Österholt' })
    await createGroup(client, 'Field Crew South')
    const page = await browser.get(`${path}/users?q=STERHOL`)
    expect(page.html).toContain('>mirela</a>')
    expect(textOf(page.html)).toContain('1 found.')
    expect(cost(page).roundTrips).toBe(1)
    expect(textOf((await browser.get(`${path}/users?q=nobody`)).html)).toContain(
      'the middle of words was compared',
    )
    expect((await browser.get(`${path}/groups?q=eld`)).html).toContain('Field Crew South')
    await fillTenant(client.tenantId, 2_000)
    const large = await browser.get(`${path}/users?q=STERHOL`)
    expect(textOf(large.html)).toContain('No match for “STERHOL” among ')
    expect(cost(large).rowsRead).toBeLessThan(20)
    expect((await browser.get(`${path}/users?q=ÖSTER`)).html).toContain('>mirela</a>')
  })

  it('reads a number of rows that depends on the page, not on the directory', async () => {
    const { client, browser, path } = await newPages()
    await fillTenant(client.tenantId, 3_000)
    const paths = [
      '/users',
      '/users?q=user-0',
      '/users?q=user-0&in=userName',
      '/users?q=Display&in=displayName',
      '',
    ]
    for (const at of paths) {
      const page = await browser.get(`${path}${at}`)
      expect(page.status).toBe(200)
      expect([at, cost(page).rowsRead < 250]).toEqual([at, true])
    }
    const group = /\/groups\/([0-9a-f-]{36})/.exec((await browser.get(`${path}/groups`)).html)?.[1]
    const page = await browser.get(`${path}/groups/${group}`)
    expect(textOf(page.html)).toContain('3,000 members')
    expect(cost(page).rowsRead).toBeLessThan(250)
  })

  it('shows every attribute of a user, its groups and its log', async () => {
    const { client, browser, path } = await newPages()
    const user = await client.createUser({
      userName: 'mirela@quillfern.example',
      name: { givenName: 'Mirela', familyName: 'Osterholt' },
      emails: [{ value: 'mirela@work.example', type: 'work', primary: true }],
      active: true,
    })
    await createGroup(client, 'Field Crew', [user])
    const text = textOf((await browser.get(`${path}/users/${user.id}`)).html)
    for (const part of [
      'name.familyName Osterholt',
      'mirela@work.example',
      'Field Crew',
      'User · create',
      user.id,
    ]) {
      expect(text).toContain(part)
    }
  })
})

/** Adds users and one group with all of them, with the same rows as by a client. */
async function fillTenant(
  tenantId: string,
  count: number,
  displayName = "printf('display %06d', i)",
): Promise<void> {
  const id = (i: string) => `printf('01900000-0000-7000-8000-%012d', ${i})`
  const series = `WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < ${count})`
  const name = `json_object('userName', printf('user-%06d', i), 'displayName', ${displayName}, 'active', json('true'))`
  await env.DB.batch([
    env.DB.prepare(`INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified)
      ${series} SELECT ?, ${id('i')}, ${name}, ${name}, 1, 0, 0 FROM s`).bind(tenantId),
    env.DB.prepare(`INSERT INTO groups (tenant_id, id, data, keys, version, created_at, last_modified, member_count)
      VALUES (?, ${id('0')}, '{"displayName":"Everyone"}', '{"displayName":"everyone"}', 1, 0, 0, ${count})`).bind(
      tenantId,
    ),
    env.DB.prepare(`INSERT INTO memberships (tenant_id, group_id, member_id, member_type)
      ${series} SELECT ?, ${id('0')}, ${id('i')}, 'User' FROM s`).bind(tenantId),
  ])
}

describe('tenants and settings', () => {
  it('creates a tenant, and repeats the typed values after an error', async () => {
    const browser = await new Browser().signIn()
    const id = `acme-${crypto.randomUUID().slice(0, 8)}`
    const form = { id, name: 'Acme & Sons', groupLimit: '300' }
    expect((await browser.post('/admin/tenants', form)).location).toBe(`/admin/tenants/${id}`)
    expect(textOf((await browser.get(`/admin/tenants/${id}`)).html)).toContain('0 of 300')
    const again = await browser.post('/admin/tenants', form)
    expect(again.status).toBe(409)
    expect(again.html).toMatch(/id="tenant-id-error">A tenant with the id/)
    const wrong = await browser.post('/admin/tenants', {
      id: 'Bad Id',
      name: 'Acme & Sons',
      groupLimit: 'many',
    })
    expect(wrong.status).toBe(400)
    expect(wrong.html).toContain('value="Bad Id"')
    expect(wrong.html).toContain('value="Acme &amp; Sons"')
    expect(wrong.html).toContain('value="many"')
    expect(wrong.html).toContain('aria-describedby="tenant-id-hint tenant-id-error"')
  })

  it('changes the name and the group limit', async () => {
    const { browser, path } = await newPages()
    const saved = await browser.post(`${path}/settings`, { name: 'New name', groupLimit: '7' })
    expect([saved.status, saved.location]).toEqual([303, `${path}/settings?done=saved`])
    expect(textOf((await browser.get(path)).html)).toContain('0 of 7')
    const wrong = await browser.post(`${path}/settings`, { name: 'New name', groupLimit: '' })
    expect([wrong.status, /id="tenant-limit-error"/.test(wrong.html)]).toEqual([400, true])
  })

  it('allows shared group names, and says why they cannot be unique again', async () => {
    const { client, browser, path } = await newPages()
    const save = (form: Record<string, string>) =>
      browser.post(`${path}/settings`, { name: 'Test', groupLimit: '200', ...form })
    const chosen = async () =>
      /<option value="(\w+)" selected/.exec((await browser.get(`${path}/settings`)).html)?.[1]
    expect(await chosen()).toBe('true')
    expect((await save({ uniqueGroupNames: 'false' })).status).toBe(303)
    expect(await chosen()).toBe('false')
    // A form of an older version, without the field.
    await save({})
    expect(await chosen()).toBe('false')
    for (let i = 0; i < 60; i++) await client.createGroup({ displayName: 'All Staff' })
    const refused = await save({ uniqueGroupNames: 'true' })
    expect(refused.status).toBe(409)
    expect(textOf(refused.html)).toContain('1 group name is not unique: "All Staff" (60 groups)')
    expect(refused.html).toContain('id="tenant-group-names-error"')
    expect((await save({ uniqueGroupNames: 'perhaps' })).status).toBe(400)
    const first = await browser.get(`${path}/groups`)
    const next = /href="([^"]*after=[^"]*)"/.exec(first.html)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const groupsOn = ({ html }: { html: string }) =>
      [...html.matchAll(/groups\/([0-9a-f-]{36})"/g)].map(String)
    const shown = [...groupsOn(first), ...groupsOn(await browser.get(next))]
    expect(new Set(shown).size).toBe(60)
  })

  it('deletes a tenant only after its name was typed', async () => {
    const { client, browser, path } = await newPages()
    await client.createUser()
    const wrong = await browser.post(`${path}/delete`, { confirmation: 'test' })
    expect([wrong.status, wrong.html.includes('id="delete-name-error"')]).toEqual([400, true])
    expect((await client.get('/Users')).body.totalResults).toBe(1)
    const right = await browser.post(`${path}/delete`, { confirmation: 'Test' })
    expect(right.location).toBe('/admin/tenants?done=deleted')
    expect((await client.get('/Users')).status).toBe(401)
    expect((await browser.get(path)).status).toBe(404)
  })

  it('shows an import in progress on every page, and undoes it', async () => {
    const { client, browser, path } = await newPages()
    await imported(client.tenantId, lines([userLine(1), userLine(2)]), '?end=later')
    for (const page of ['', '/users', '/api-keys', '/log', '/transfer']) {
      const text = textOf((await browser.get(`${path}${page}`)).html)
      expect(text, page).toContain('Stored so far: 2 lines of the file.')
    }
    expect((await browser.get(`${path}/transfer`)).html).toContain(`action="${path}/undo-import"`)
    const undone = await browser.post(`${path}/undo-import`, {})
    expect([undone.status, undone.location]).toEqual([303, `${path}/transfer?done=undone`])
    const transfer = await browser.get(`${path}/transfer?done=undone`)
    expect(textOf(transfer.html)).toContain('The import is undone. The tenant is empty.')
    expect(transfer.html).not.toContain('undo-import')
    expect((await client.get('/Users')).body.totalResults).toBe(0)
    expect((await browser.post(`${path}/undo-import`, {})).location).toBe(`${path}/transfer?done=undone`)
  })

  it('shows a tenant with an interrupted deletion, generates no token for it, and continues', async () => {
    const { client, browser, path } = await newPages()
    await env.DB.prepare(`UPDATE tenants SET state = 'deleting' WHERE id = ?1`).bind(client.tenantId).run()
    const settings = textOf((await browser.get(`${path}/settings`)).html)
    expect(settings).toContain(
      'Being deleted All tokens of this tenant are invalid, and new ones cannot be generated.',
    )
    const after = client.tenantId.slice(0, -1)
    expect(textOf((await browser.get(`/admin/tenants?after=${after}`)).html)).toContain('Test Being deleted')
    const keys = await browser.get(`${path}/api-keys`)
    const form = { id: fieldValue(keys.html, 'id'), name: 'Late', scope: 'provision', expires: '' }
    expect((await browser.post(`${path}/api-keys`, form)).status).toBe(404)
    expect((await browser.post(`${path}/delete`, { confirmation: 'Test' })).location).toBe(
      '/admin/tenants?done=deleted',
    )
    expect((await browser.get(path)).status).toBe(404)
  })
})
