/**
 * What each role may do. The tests go through all routes of the admin API and of the dashboard, so that a new one without a
 * permission fails here.
 */
import { describe, expect, it } from 'vitest'
import { isPermitted, PERMISSIONS } from '../../src/admin/contract/permissions.ts'
import type { Route } from '../../src/admin/contract/route.ts'
import { ADMIN_API_PATH, ROUTES } from '../../src/admin/contract/routes.ts'
import { PAGES } from '../../src/admin/people/operations.ts'
import { ROLES, type Role } from '../../src/administrators/role.ts'
import { appWithAllRoutes } from '../support/all-routes.ts'
import { Browser } from '../support/dashboard.ts'
import { admin, newClient } from '../support/harness.ts'
import { adminAs, newAdminToken } from '../support/people.ts'

const ROUTE_LIST = Object.entries<Route>(ROUTES)
const UUID = '0198c7a2-5d1e-7c3a-9f04-6b2d8e1a4c57'

/** The path of a route, with ids that do not exist below the tenant. */
function pathOf({ path }: Route, tenantId: string): string {
  return path.replace('{id}', tenantId).replace(/\{\w+\}/g, UUID)
}

async function newTenant(): Promise<string> {
  return (await newClient()).tenantId
}

/** Deletions of tenants come last, because the others need the tenant. */
const IN_ORDER = ROUTE_LIST.toSorted(
  ([a], [b]) => Number(a === 'deleteTenant') - Number(b === 'deleteTenant'),
)

describe('the permissions', () => {
  it('are in the tenant of each route below /tenants/{id}, and of no other', () => {
    for (const [name, { path, permission }] of ROUTE_LIST) {
      const isOfTenant = PERMISSIONS[permission].where === 'tenant'
      expect([name, isOfTenant]).toEqual([name, path.startsWith('/tenants/{id}')])
    }
  })

  it('let a viewer do nothing but read', () => {
    for (const [name, { method, permission }] of ROUTE_LIST) {
      if (method !== 'GET') expect([name, PERMISSIONS[permission].role]).not.toEqual([name, 'viewer'])
    }
  })

  it('exist for each page and each form of the dashboard', async () => {
    const WITHOUT_SIGN_IN = ['/admin/assets/:file', '/admin/sign-in', '/admin/sign-out']
    const { routes } = await appWithAllRoutes()
    const found = routes
      .filter(({ method, path }) => method !== 'ALL' && path.startsWith('/admin'))
      .filter(({ path }) => !path.startsWith(`${ADMIN_API_PATH}/`))
      .filter(({ path }) => !WITHOUT_SIGN_IN.some((prefix) => path.startsWith(prefix)))
      .map(({ method, path }) => `${method} ${path}`)
    expect([...new Set(found)].sort()).toEqual(Object.keys(PAGES).sort())
  })

  it('let no form of the dashboard through that only reads', () => {
    for (const [page, operation] of Object.entries(PAGES)) {
      if (page.startsWith('POST ')) {
        expect([page, PERMISSIONS[ROUTES[operation].permission].role]).not.toEqual([page, 'viewer'])
      }
    }
  })
})

describe('the admin API', () => {
  it.each(ROLES)(
    'holds an administrator with the role "%s" in one tenant to it, on each route',
    async (role: Role) => {
      const [own, foreign] = [await newTenant(), await newTenant()]
      const { token } = await newAdminToken(role, [own])
      const grants = [{ role, tenants: [own] }]
      for (const [name, route] of IN_ORDER) {
        const { method, permission } = route
        const isOwn = isPermitted(grants, permission, own)
        const answer = await adminAs(token, method, pathOf(route, own), method === 'GET' ? undefined : {})
        expect([name, answer.status === 403], JSON.stringify(answer.body)).toEqual([name, !isOwn])
        if (PERMISSIONS[permission].where !== 'tenant') continue
        const other = await adminAs(token, method, pathOf(route, foreign), method === 'GET' ? undefined : {})
        expect([name, other.status, other.body?.error?.code]).toEqual([name, 404, 'notFound'])
      }
      expect((await admin('GET', `/tenants/${foreign}`)).status).toBe(200)
    },
  )

  it.each(['viewer', 'admin'] as const)(
    'refuses what the role "%s" in all tenants does not allow',
    async (role) => {
      const tenantId = await newTenant()
      const { token } = await newAdminToken(role, null)
      for (const [name, route] of IN_ORDER) {
        if (isPermitted([{ role, tenants: 'all' }], route.permission, tenantId)) continue
        const answer = await adminAs(
          token,
          route.method,
          pathOf(route, tenantId),
          route.method === 'GET' ? undefined : {},
        )
        expect([name, answer.status]).toEqual([name, 403])
        expect(answer.body.error).toEqual({
          code: 'forbidden',
          message: expect.stringMatching(
            /^This needs the role "(?:admin|owner)".* Your role is: (?:viewer|admin)\.$/,
          ),
        })
      }
      expect((await admin('GET', `/tenants/${tenantId}`)).status).toBe(200)
    },
  )

  it('lists the tenants of the administrator only', async () => {
    const [own, foreign] = [await newTenant(), await newTenant()]
    const { token } = await newAdminToken('viewer', [own])
    const { body } = await adminAs(token, 'GET', '/tenants')
    expect(body.tenants.map(({ id }: { id: string }) => id)).toEqual([own])
    expect(JSON.stringify(body)).not.toContain(foreign)
  })

  it('takes no other spelling of a path for another tenant', async () => {
    const [own, foreign] = [await newTenant(), await newTenant()]
    const { token } = await newAdminToken('admin', [own])
    const encoded = `%${foreign.charCodeAt(0).toString(16)}${foreign.slice(1)}`
    for (const path of [`/tenants/${encoded}`, `/tenants/${foreign}/`, `/tenants/${own}/../${foreign}`]) {
      expect([path, (await adminAs(token, 'GET', path)).status]).toEqual([path, 404])
    }
  })
})

describe('the dashboard', () => {
  it('shows a viewer no form, and no link to a page that the viewer may not open', async () => {
    const client = await newClient()
    const { tenantId } = client
    await client.createUser({ externalId: 'e1' })
    await client.request('POST', '/Users', { schemas: [], userName: '' })
    await admin('POST', `/tenants/${tenantId}/webhooks`, {
      url: 'https://hooks.example.com/x',
      types: ['user.created'],
    })
    const { token } = await newAdminToken('viewer', [tenantId])
    const browser = await new Browser().signIn(token)
    const queue = ['/admin', `/admin/tenants/${tenantId}`]
    const seen = new Set<string>()
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      if (seen.has(path) || seen.size > 80) continue
      seen.add(path)
      const page = await browser.get(path)
      expect([path, page.status]).toEqual([path, page.status === 303 ? 303 : 200])
      const forms = [...page.html.matchAll(/<form[^>]*method="post"[^>]*>/g)].map(([form]) => form)
      expect([path, forms.filter((form) => !form.includes('/admin/sign-out'))]).toEqual([path, []])
      for (const [, href = ''] of page.html.matchAll(/href="(\/admin\/?[^"#]*)/g)) {
        if (!href.startsWith('/admin/assets')) queue.push(href.replaceAll('&amp;', '&'))
      }
    }
    expect(seen.size).toBeGreaterThan(12)
  }, 20_000)

  it('shows a viewer the host of a webhook, and not its path, which may hold a secret', async () => {
    const { tenantId } = await newClient()
    const url = 'https://hooks.example.com/services/T0/s3cr3t?key=k3y'
    const { id } = (await admin('POST', `/tenants/${tenantId}/webhooks`, { url })).body
    const path = `/admin/tenants/${tenantId}/webhooks`
    for (const [role, isVisible] of [
      ['viewer', false],
      ['admin', true],
    ] as const) {
      const { token } = await newAdminToken(role, [tenantId])
      const browser = await new Browser().signIn(token)
      const list = (await browser.get(path)).html
      const one = (await browser.get(`${path}/${id}`)).html
      const api = await adminAs(token, 'GET', `/tenants/${tenantId}/webhooks`)
      const single = await adminAs(token, 'GET', `/tenants/${tenantId}/webhooks/${id}`)
      for (const text of [list, one, JSON.stringify(api.body), JSON.stringify(single.body)]) {
        expect([role, text.includes('hooks.example.com')]).toEqual([role, true])
        expect([role, text.includes('s3cr3t')]).toEqual([role, isVisible])
        expect(isVisible || !text.includes('k3y')).toBe(true)
      }
    }
  }, 20_000)

  it('refuses each form of a viewer, and changes nothing', async () => {
    const client = await newClient()
    const user = await client.createUser()
    const { token } = await newAdminToken('viewer', [client.tenantId])
    const browser = await new Browser().signIn(token)
    for (const page of Object.keys(PAGES).filter((key) => key.startsWith('POST '))) {
      const path = page
        .slice('POST '.length)
        .replace(':tenant', client.tenantId)
        .replace(':list', 'users')
        .replace(/:\w+/g, user.id)
      const answer = await browser.post(path, { name: 'Taken over', id: UUID })
      expect([page, answer.status]).toEqual([page, 403])
      expect(answer.html).toContain('This needs the role')
    }
    expect((await admin('GET', `/tenants/${client.tenantId}`)).body.name).not.toBe('Taken over')
  })

  it('shows an administrator of one tenant that tenant, and denies the others', async () => {
    const [own, foreign] = [await newTenant(), await newTenant()]
    const { token } = await newAdminToken('admin', [own])
    const browser = await new Browser().signIn(token)
    expect((await browser.get('/admin')).location).toBe(`/admin/tenants/${own}`)
    const list = await browser.get('/admin/tenants')
    expect(list.html).toContain(own)
    expect(list.html).not.toContain(foreign)
    expect(list.html).not.toContain('Create a tenant')
    expect(list.html).not.toContain('/admin/administrators')
    expect((await browser.get(`/admin/tenants/${foreign}`)).status).toBe(404)
    const settings = await browser.get(`/admin/tenants/${own}/settings`)
    expect(settings.html).toContain('Save')
    expect(settings.html).not.toContain('Delete this tenant')
  })
})
