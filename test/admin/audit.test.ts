/** The audit trail of administrators. */
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import type { Route } from '../../src/admin/contract/route.ts'
import { ROUTES } from '../../src/admin/contract/routes.ts'
import { FORM_OPERATIONS, OTHER_OPERATIONS, PAGES } from '../../src/admin/people/operations.ts'
import { createApp } from '../../src/app.ts'
import type { Runtime } from '../../src/runtime.ts'
import {
  insertAuditEntry,
  type NewAuditEntry,
  pruneAudit,
} from '../../src/storage/administrators/audit-trail.ts'
import { type Database, noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { Browser, textOf } from '../support/dashboard.ts'
import { admin, costOf, newClient, ORIGIN } from '../support/harness.ts'
import { ONE_DATABASE } from '../support/one-database.ts'
import { adminAs, newAdminToken } from '../support/people.ts'
import { TEST_SETTINGS } from '../support/settings.ts'

const UUID = '0198c7a2-5d1e-7c3a-9f04-6b2d8e1a4c57'

interface Entry {
  readonly operation: string
  readonly administrator: string
  readonly via: string | null
  readonly source: string
  readonly tenantId: string | null
  readonly target: string | null
  readonly outcome: string
  readonly status: number
  readonly detail: string | null
  readonly changes: readonly unknown[]
  readonly requestId: string
  readonly repeated: number
}

/** The newest entries of a tenant, newest first. */
async function trailOf(tenantId: string): Promise<readonly Entry[]> {
  return (await admin('GET', `/tenants/${tenantId}/audit`)).body.entries
}

async function wholeTrail(): Promise<readonly Entry[]> {
  return (await admin('GET', '/audit')).body.entries
}

describe('the audit trail', () => {
  it('has an entry for each route of the admin API that may write, with who, what and the outcome', async () => {
    const { tenantId } = await newClient()
    const { token, name } = await newAdminToken('owner', null)
    for (const [operation, { method, path, permission }] of Object.entries<Route>(ROUTES)) {
      if ((method === 'GET' && permission !== 'export') || operation === 'deleteTenant') continue
      const answer = await adminAs(
        token,
        method,
        path.replace('{id}', tenantId).replace(/\{\w+\}/g, UUID),
        method === 'GET' ? undefined : {},
      )
      const [entry] = path.startsWith('/tenants/{id}') ? await trailOf(tenantId) : await wholeTrail()
      expect([operation, entry]).toEqual([
        operation,
        expect.objectContaining({
          operation,
          administrator: name,
          via: 'named token',
          source: 'admin API',
          status: answer.status,
          outcome: answer.status < 400 ? 'accepted' : 'refused',
        }),
      ])
    }
  }, 20_000)

  it('has an entry for each form of the dashboard, with the operation of the admin API', async () => {
    const { tenantId } = await newClient()
    const { token, name } = await newAdminToken('viewer', [tenantId])
    const browser = await new Browser().signIn(token)
    for (const [page, operation] of Object.entries(PAGES)) {
      if (!page.startsWith('POST ')) continue
      const path = page.slice('POST '.length).replace(':tenant', tenantId).replace(/:\w+/g, UUID)
      await browser.post(path, {})
      const entries = path.includes(tenantId) ? await trailOf(tenantId) : await wholeTrail()
      // Refusals of one kind within a minute share an entry.
      const named = FORM_OPERATIONS[page] ?? operation
      expect([page, entries.find((entry) => entry.operation === named)]).toEqual([
        page,
        expect.objectContaining({
          administrator: name,
          source: 'dashboard',
          outcome: 'refused',
          status: 403,
        }),
      ])
    }
  }, 20_000)

  it('has the values of settings before and after', async () => {
    const { tenantId } = await newClient()
    await admin('PATCH', `/tenants/${tenantId}`, { groupLimit: 321 })
    const [entry] = await trailOf(tenantId)
    expect(entry).toMatchObject({
      operation: 'updateTenant',
      administrator: 'Administrator',
      via: 'admin token',
    })
    expect(entry?.changes).toEqual([{ field: 'groupLimit', before: 200, after: 321 }])
  })

  it('names what was created, and never a secret', async () => {
    const { tenantId } = await newClient()
    const { body } = await admin('POST', `/tenants/${tenantId}/tokens`, { name: 'Okta' })
    const webhook = { url: 'https://hooks.example.com/services/SECRET', types: ['user.created'] }
    const { body: made } = await admin('POST', `/tenants/${tenantId}/webhooks`, webhook)
    const entries = await trailOf(tenantId)
    expect(entries.find(({ target }) => target === body.id)).toMatchObject({
      operation: 'createToken',
      changes: expect.arrayContaining([{ field: 'name', after: 'Okta' }]),
    })
    const text = JSON.stringify(entries)
    for (const secret of [body.token, made.secret, 'SECRET']) expect(text).not.toContain(secret)
  })

  it('has no refused value of a field that may hold a secret', async () => {
    const { tenantId } = await newClient()
    const wrong = { url: { path: '/SECRET' } }
    const answer = await admin('POST', `/tenants/${tenantId}/webhooks`, wrong)
    expect(answer.body.error.message).toContain('SECRET')
    const explained = { method: 'GET', path: 'Users?filter=password eq "SECRET"' }
    expect((await admin('POST', `/tenants/${tenantId}/explain`, explained)).status).toBe(400)
    expect((await admin('PATCH', `/tenants/${tenantId}`, { groupLimit: -7 })).status).toBe(400)
    const entries = await trailOf(tenantId)
    expect(entries.map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/"groupLimit" must be .*, found -7$/),
      expect.stringMatching(/^"path" must be /),
      expect.stringMatching(/^"url" must be /),
      ...entries.slice(3).map(({ detail }) => detail),
    ])
    expect(JSON.stringify(entries)).not.toContain('SECRET')
  })

  it('has sign-ins and sign-outs, and one entry for the refused ones of a minute', async () => {
    const { token, name } = await newAdminToken('viewer', null)
    const browser = await new Browser().signIn(token)
    await browser.post('/admin/sign-out', {})
    const guesser = new Browser()
    for (let i = 0; i < 3; i++) await guesser.post('/admin/sign-in', { token: 'wrong-secret', next: '' })
    const entries = await wholeTrail()
    const own = entries.filter(({ administrator }) => administrator === name)
    expect(own.map(({ operation, outcome }) => [operation, outcome])).toEqual([
      ['signOut', 'accepted'],
      ['signIn', 'accepted'],
    ])
    const network = guesser.address.replace(/::1$/, '').split(':').slice(0, 2).join(':')
    const refused = entries.filter(
      ({ operation, administrator }) => operation === 'signIn' && administrator.includes(network),
    )
    expect(refused.reduce((sum, { repeated }) => sum + 1 + repeated, 0)).toBe(3)
    expect(refused.length).toBeLessThanOrEqual(2)
    expect(JSON.stringify(entries)).not.toContain('wrong-secret')
  })

  it('has no entry for a read, and one for an export', async () => {
    const { tenantId } = await newClient()
    const before = (await trailOf(tenantId)).length
    await admin('GET', `/tenants/${tenantId}/tokens`)
    expect((await trailOf(tenantId)).length).toBe(before)
    await admin('GET', `/tenants/${tenantId}/export`)
    expect((await trailOf(tenantId))[0]).toMatchObject({ operation: 'exportTenant', outcome: 'accepted' })
  })

  it('has the request id under which the provisioning log has a change of the directory', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const answer = await admin('POST', `/tenants/${client.tenantId}/users/${id}/disable`, {})
    expect(answer.status).toBe(200)
    const [entry] = await trailOf(client.tenantId)
    const [logged] = await client.log()
    expect(entry).toMatchObject({ operation: 'disableUser', target: id, requestId: logged?.requestId })
  })

  it('does not say that a form did what it only has the permission of', async () => {
    const { tenantId } = await newClient()
    const browser = await new Browser().signIn()
    const tenant = `/admin/tenants/${tenantId}`
    const { body: tokens } = await admin('GET', `/tenants/${tenantId}/tokens`)
    const old = tokens.tokens[0].id
    await browser.postFile(`${tenant}/transfer/check`, '')
    await browser.post(`${tenant}/sources/count`, {})
    await browser.post(`${tenant}/api-keys/${old}/rotate`, { id: UUID })
    await browser.post(`${tenant}/api-keys/${old}/keep`, {})
    expect(
      (await trailOf(tenantId))
        .slice(0, 4)
        .map(({ operation, outcome, target }) => [operation, outcome, target]),
    ).toEqual([
      ['keepToken', 'accepted', old],
      ['rotateToken', 'accepted', old],
      ['countSources', 'accepted', null],
      ['checkFile', 'refused', null],
    ])
    const page = textOf((await browser.get(`${tenant}/audit`)).html)
    for (const operation of ['keepToken', 'rotateToken', 'countSources', 'checkFile'] as const) {
      expect(page).toContain(OTHER_OPERATIONS[operation])
    }
  })

  it('has what a form of the dashboard created, and in which tenant', async () => {
    const browser = await new Browser().signIn()
    const id = `t-${crypto.randomUUID().slice(0, 8)}`
    expect((await browser.post('/admin/tenants', { id, name: 'New', groupLimit: '5' })).status).toBe(303)
    const other = `t-${crypto.randomUUID().slice(0, 8)}`
    await admin('POST', '/tenants', { id: other, name: 'New' })
    for (const made of [id, other]) {
      expect(await trailOf(made)).toEqual([
        expect.objectContaining({ operation: 'createTenant', target: made }),
      ])
    }
    const token = { id: crypto.randomUUID(), name: 'Okta', client: '', scope: 'provision', expires: '' }
    expect((await browser.post(`/admin/tenants/${id}/api-keys`, token)).status).toBe(201)
    const webhook = { id: crypto.randomUUID(), url: 'https://hooks.example.com/', all: 'on' }
    expect((await browser.post(`/admin/tenants/${id}/webhooks`, webhook)).status).toBe(201)
    const person = { id: crypto.randomUUID(), name: 'Ada', role: 'viewer', tenants: id, expires: '' }
    expect((await browser.post('/admin/administrators', person)).status).toBe(201)
    expect((await trailOf(id)).slice(0, 2).map(({ target }) => target)).toEqual([webhook.id, token.id])
    expect((await wholeTrail()).find(({ target }) => target === person.id)).toBeDefined()
  })

  it('stays when the tenant is deleted', async () => {
    const { tenantId } = await newClient()
    await admin('DELETE', `/tenants/${tenantId}`)
    const entry = (await wholeTrail()).find((one) => one.tenantId === tenantId)
    expect(entry).toMatchObject({ operation: 'deleteTenant', outcome: 'accepted' })
  })

  it('loses the entries before the retention time, and no others', async () => {
    const db = openDatabase(env.DB, noFigures())
    const { tenantId } = await newClient()
    const entry: NewAuditEntry = {
      time: 1_000,
      administrator: 'Mirela',
      via: null,
      operation: 'undo',
      source: 'dashboard',
      tenantId,
      target: null,
      outcome: 'accepted',
      status: 200,
      detail: null,
      changes: '[]',
      requestId: 'r',
    }
    await insertAuditEntry(db, entry)
    const before = (await trailOf(tenantId)).length
    expect(await pruneAudit(db, 2_000)).toBe(1)
    expect((await trailOf(tenantId)).length).toBe(before - 1)
    expect(await pruneAudit(db, 2_000)).toBe(0)
  })

  it('is paged by a cursor', async () => {
    const first = (await admin('GET', '/audit')).body
    if (first.nextCursor === null) return
    const second = (await admin('GET', `/audit?cursor=${first.nextCursor}`)).body
    expect(Number(second.entries[0].id)).toBeLessThan(Number(first.entries.at(-1).id))
  })
})

describe('the pages of the audit trail', () => {
  it('show who did what, and escape hostile names', async () => {
    const { tenantId } = await newClient()
    const { token, name } = await newAdminToken('admin', [tenantId], { name: '<b>\u202Eexe</b>' })
    expect((await adminAs(token, 'PATCH', `/tenants/${tenantId}`, { groupLimit: 5 })).status).toBe(200)
    const browser = await new Browser().signIn()
    const page = await browser.get(`/admin/tenants/${tenantId}/audit`)
    expect(page.status).toBe(200)
    expect(page.html).not.toContain(name)
    expect(page.html).toContain('&lt;b&gt;')
    expect(textOf(page.html)).toContain('Update tenant')
    expect(textOf(page.html)).toContain('Changes the name, the group limit')
    expect((await browser.get('/admin/audit')).html).toContain(tenantId)
  })

  it('of a change are led to by the entry of the log, and lead to all entries of its target', async () => {
    const client = await newClient()
    const { tenantId } = client
    const { id } = await client.createUser()
    const { token, name } = await newAdminToken('admin', [tenantId])
    const other = await newAdminToken('admin', [tenantId])
    await adminAs(token, 'POST', `/tenants/${tenantId}/users/${id}/disable`, {})
    await adminAs(other.token, 'PATCH', `/tenants/${tenantId}`, { groupLimit: 5 })
    const browser = await new Browser().signIn()
    const log = await browser.get(`/admin/tenants/${tenantId}/log?resource=${id}`)
    const link = /href="([^"]+)">Show who it was</.exec(log.html)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const page = await browser.get(link)
    expect(textOf(page.html)).toContain(`Disable user ${name}`)
    expect(page.html).not.toContain(other.name)
    expect(page.html).toContain(`href="/admin/tenants/${tenantId}/log?resource=${id}"`)
    const unknown = await browser.get(link.replace(/of=[^&]+/, `of=${UUID}`))
    expect(textOf(unknown.html)).toContain('Its entry was not found.')
  })

  it('of a change by an undo name the administrator who started it', async () => {
    const client = await newClient()
    const { tenantId } = client
    const { id } = await client.createUser()
    const browser = await new Browser().signIn((await newAdminToken('admin', [tenantId])).token)
    const tenant = `/admin/tenants/${tenantId}`
    const [created] = await client.log()
    const period = { client: String(created?.clientId), from: '2000-01-01T00:00', to: '2100-01-01T00:00' }
    const { location } = await browser.post(`${tenant}/undo`, period)
    const logOf = () => browser.get(`${tenant}/log?resource=${id}`)
    await vi.waitFor(async () => expect((await logOf()).html).toContain('Show who it was'), {
      timeout: 20_000,
    })
    const link = /href="([^"]+)">Show who it was</.exec((await logOf()).html)?.[1]?.replaceAll('&amp;', '&')
    const page = await browser.get(link ?? '')
    expect(textOf(page.html)).toContain('Undo changes of client')
    expect(page.html).toContain(`href="${location}"`)
  })

  it('are found by a text in their names, ids or reasons, and by their time', async () => {
    const { tenantId } = await newClient()
    const { token, name } = await newAdminToken('admin', [tenantId])
    await adminAs(token, 'PATCH', `/tenants/${tenantId}`, { groupLimit: 5 })
    await adminAs(token, 'POST', `/tenants/${tenantId}/clients`, { name: 'Entra' })
    await adminAs(token, 'POST', `/tenants/${tenantId}/clients`, { name: '' })
    const path = `/admin/tenants/${tenantId}/audit`
    const browser = await new Browser().signIn()
    const found = async (query: string) => textOf((await browser.get(`${path}?${query}`)).html)
    expect(await found('q=CREATE+client')).toMatch(/Create client.*Create client/)
    expect(await found('q=create+client')).not.toContain('Update tenant')
    expect(await found('q=must+be')).toMatch(/"name" must be/)
    expect(await found(`q=${encodeURIComponent(name.toUpperCase())}`)).toContain('Update tenant')
    expect(await found('q=nothing+like+it')).toContain('No entry matches.')
    expect(await found('to=2020-01-01T00:00')).toContain('No entry matches.')
    expect(await found('to=2100-01-01T00:00')).toContain('Update tenant')
    const { status, html } = await browser.get(`${path}?to=yesterday`)
    expect([status, textOf(html)]).toEqual([400, expect.stringContaining('Must be a time in UTC')])
    const file = await browser.get(`${path}.csv?q=create+client`)
    expect(file.html.trim().split('\r\n')).toHaveLength(1 + 2)
    const { entries } = (await admin('GET', `/tenants/${tenantId}/audit?text=createclient`)).body
    expect(entries.map(({ outcome }: Entry) => outcome)).toEqual(['refused', 'accepted'])
    const none = await admin('GET', `/tenants/${tenantId}/audit?to=2020-01-01T00:00:00Z`)
    expect(none.body).toEqual({ entries: [], nextCursor: null })
    expect((await admin('GET', `/tenants/${tenantId}/audit?to=yesterday`)).status).toBe(400)
  })

  it('are looked at for a text by at most 100 in a page, which tells how far it has looked', async () => {
    const { tenantId } = await newClient()
    const insert = env.DB.prepare(
      `INSERT INTO audit_trail (time, administrator, operation, source, tenant_id, outcome, status, changes, request_id)
       SELECT value, iif(value = 1, 'Rare', 'Often'), 'createClient', 'dashboard', ?1, 'accepted', 201, '[]', 'r'
       FROM json_each(?2)`,
    )
    await insert.bind(tenantId, JSON.stringify(Array.from({ length: 250 }, (_, i) => i + 1))).run()
    const browser = await new Browser().signIn()
    const pages: string[] = []
    let next: string | undefined = `/admin/tenants/${tenantId}/audit?q=rare`
    while (next !== undefined) {
      const page = await browser.get(next)
      const { roundTrips, rowsRead } = costOf({ status: page.status, headers: page.headers, body: undefined })
      expect([roundTrips, rowsRead <= 200 || rowsRead]).toEqual([2, true])
      pages.push(textOf(page.html))
      next = /href="([^"]+)">Search older entries</.exec(page.html)?.[1]?.replaceAll('&amp;', '&')
    }
    expect(pages.map((text) => text.includes('No match down to the entry of'))).toEqual([true, true, false])
    expect(pages[2]).toContain('Create client Rare')
    const often = await browser.get(`/admin/tenants/${tenantId}/audit?q=often`)
    expect(often.html.match(/<details/g)?.length).toBeGreaterThanOrEqual(50)
    expect(textOf(often.html)).toContain('Next page')
  })

  it('of a tenant lead to what clients did, and back', async () => {
    const { tenantId } = await newClient()
    const browser = await new Browser().signIn((await newAdminToken('viewer', [tenantId])).token)
    const tenant = `/admin/tenants/${tenantId}`
    const tab = (path: string, label: string, isCurrent: boolean) =>
      `<a href="${tenant}/${path}"${isCurrent ? ' aria-current="page"' : ''}>${label}</a>`
    for (const current of ['log', 'audit']) {
      const { html } = await browser.get(`${tenant}/${current}`)
      expect(html).toContain(tab('log', 'By clients', current === 'log'))
      expect(html).toContain(tab('audit', 'By administrators', current === 'audit'))
    }
    expect((await new Browser().signIn().then((owner) => owner.get('/admin/audit'))).html).not.toContain(
      'By clients',
    )
  })

  it('download as CSV that no spreadsheet takes for a formula', async () => {
    const { tenantId } = await newClient()
    const { token } = await newAdminToken('admin', [tenantId], { name: '=HYPERLINK("x")' })
    await adminAs(token, 'PATCH', `/tenants/${tenantId}`, { groupLimit: 5 })
    const browser = await new Browser().signIn()
    const file = await browser.get(`/admin/tenants/${tenantId}/audit.csv`)
    expect(file.headers.get('Content-Type')).toBe('text/csv; charset=utf-8')
    expect(file.html.split('\r\n')[0]).toBe(
      'time,administrator,via,operation,source,tenantId,target,outcome,status,detail,changes,requestId,repeated',
    )
    expect(file.html).toContain(`"'=HYPERLINK(""x"")"`)
  })

  it('are for owners; those of a tenant for everybody who may read it', async () => {
    const { tenantId } = await newClient()
    const { token } = await newAdminToken('viewer', [tenantId])
    const browser = await new Browser().signIn(token)
    expect((await browser.get('/admin/audit')).status).toBe(403)
    expect((await browser.get(`/admin/tenants/${tenantId}/audit`)).status).toBe(200)
  })
})

describe('an entry that has begun', () => {
  /** An app whose server ends after the change, before the outcome is stored. */
  function endingServer() {
    const open = (figures: ReturnType<typeof noFigures>): Database => {
      const db = openDatabase(env.DB, figures)
      return {
        async batch(statements, isLong) {
          if (statements.some((one) => /^\s*UPDATE audit_trail\b/.test(one.sql))) throw new Error('ended')
          return await db.batch(statements, isLong)
        },
      }
    }
    const runtime = {
      ...ONE_DATABASE,
      openDatabase: (_name: unknown, figures: ReturnType<typeof noFigures>) => open(figures),
      now: Date.now,
      newId: () => crypto.randomUUID(),
      isAllowed: () => true,
      settings: TEST_SETTINGS,
    } as unknown as Runtime
    return async (path: string, body: unknown) => {
      const headers = {
        Authorization: `Bearer ${TEST_SETTINGS.adminToken}`,
        'Content-Type': 'application/json',
      }
      const request = new Request(`${ORIGIN}/admin/api${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      })
      return (await createApp().fetch(request, runtime)).status
    }
  }

  it('is stored in the transaction of the change, so that a crash leaves no change without an entry', async () => {
    const fault = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const { tenantId } = await newClient()
    expect(await endingServer()(`/tenants/${tenantId}/clients`, { name: 'Entra' })).toBe(201)
    expect(fault).toHaveBeenCalled()
    const [entry] = await trailOf(tenantId)
    expect(entry).toMatchObject({
      operation: 'createClient',
      outcome: 'begun',
      status: 0,
      administrator: 'Administrator',
    })
    expect(entry?.changes).toContainEqual({ field: 'name', after: 'Entra' })
    const page = textOf((await (await new Browser().signIn()).get(`/admin/tenants/${tenantId}/audit`)).html)
    expect(page).toContain('Begun Create client')
    expect(page).toContain('its outcome was not stored')
  })

  it('is not left by a change that the database has refused, or by a request that only reads', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const { tenantId } = await newClient()
    const before = (await trailOf(tenantId)).length
    const send = endingServer()
    expect(await send('/tenants', { id: tenantId, name: 'Taken' })).toBe(409)
    expect(await send(`/tenants/${tenantId}/clients`, { name: '' })).toBe(400)
    const after = await trailOf(tenantId)
    expect(after.filter(({ outcome }) => outcome === 'begun')).toEqual([])
    expect(after.length).toBeGreaterThanOrEqual(before)
  })

  it('becomes the entry with the outcome', async () => {
    const { tenantId } = await newClient()
    await admin('POST', `/tenants/${tenantId}/clients`, { name: 'Entra' })
    const entries = (await trailOf(tenantId)).filter(({ operation }) => operation === 'createClient')
    expect(entries.map(({ outcome, status }) => [outcome, status])).toEqual([['accepted', 201]])
    expect(entries[0]?.target).toMatch(new RegExp(`^${tenantId}_`))
  })
})
