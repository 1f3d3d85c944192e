import { describe, expect, it } from 'vitest'
import { PAGES } from '../../src/admin/people/operations.ts'
import { ADMIN_TOKEN, Browser } from '../support/dashboard.ts'
import { newClient, ORIGIN } from '../support/harness.ts'

describe('sign-in', () => {
  it('redirects to the sign-in form, and afterwards to the requested page', async () => {
    const browser = new Browser()
    const wanted = '/admin/tenants/default/log?outcome=refused'
    const away = await browser.get(wanted)
    expect(away.status).toBe(303)
    expect(away.location).toBe(`/admin/sign-in?next=${encodeURIComponent(wanted)}`)
    const back = await browser.post('/admin/sign-in', { token: ADMIN_TOKEN, next: wanted })
    expect([back.status, back.location]).toEqual([303, wanted])
  })

  it('sets a cookie for eight hours that scripts and other sites cannot use', async () => {
    const answer = await new Browser().post('/admin/sign-in', { token: ADMIN_TOKEN, next: '/admin' })
    const cookie = answer.headers.get('Set-Cookie') ?? ''
    expect(cookie).toMatch(/^__Host-scim_admin=/)
    for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Path=/', 'Max-Age=28800']) {
      expect(cookie).toContain(attribute)
    }
  })

  it('shows an error beside the field for a wrong token, and does not repeat the token', async () => {
    const browser = new Browser()
    const answer = await browser.post('/admin/sign-in', { token: 'wrong-secret', next: '/admin' })
    expect(answer.status).toBe(401)
    expect(answer.html).toContain('id="token-error"')
    expect(answer.html).not.toContain('wrong-secret')
    expect(browser.cookie).toBe('')
  })

  it('refuses an invented cookie and a changed one', async () => {
    const browser = await new Browser().signIn()
    const real = browser.cookie
    browser.cookie = real.replace(/=(\d+)\./, (_, time) => `=${Number(time) + 1000}.`)
    expect((await browser.get('/admin/tenants')).status).toBe(303)
    browser.cookie = '__Host-scim_admin=1999999999999.00000000-0000-7000-8000-000000000000.AAAA'
    expect((await browser.get('/admin/tenants')).status).toBe(303)
    browser.cookie = real
    expect((await browser.get('/admin/tenants')).status).toBe(200)
  })

  it('ends the session for every copy of its cookie', async () => {
    const browser = await new Browser().signIn()
    const copy = browser.cookie
    const out = await browser.post('/admin/sign-out', {})
    expect([out.status, out.location, browser.cookie]).toEqual([303, '/admin/sign-in', ''])
    browser.cookie = copy
    expect((await browser.get('/admin/tenants')).location).toBe('/admin/sign-in?next=%2Fadmin%2Ftenants')
    browser.cookie = copy
    const { tenantId } = await newClient()
    const write = await browser.post(`/admin/tenants/${tenantId}/settings`, {
      name: 'Taken over',
      groupLimit: '1',
    })
    expect(write.location).toBe('/admin/sign-in')
    const page = await (await new Browser().signIn()).get(`/admin/tenants/${tenantId}/settings`)
    expect(page.html).not.toContain('Taken over')
  })

  it.each([
    'https://evil.example/admin',
    '//evil.example',
    '/admin/../../x',
    '/adminx',
    'javascript:alert(1)',
  ])('goes to no other place after signing in: %s', async (next) => {
    const answer = await new Browser().post('/admin/sign-in', { token: ADMIN_TOKEN, next })
    expect(answer.location).toBe('/admin')
  })

  it('limits the attempts from an address', async () => {
    const browser = new Browser()
    const statuses: number[] = []
    for (let i = 0; i < 12; i++) {
      statuses.push((await browser.post('/admin/sign-in', { token: 'guess', next: '/admin' })).status)
    }
    expect(statuses[0]).toBe(401)
    expect(statuses.at(-1)).toBe(429)
    const right = await browser.post('/admin/sign-in', { token: ADMIN_TOKEN, next: '/admin' })
    expect(right.status).toBe(429)
    expect(right.headers.get('Retry-After')).toBe('60')
  })
})

describe('protection of forms and pages', () => {
  it('refuses a form from another site', async () => {
    const browser = await new Browser().signIn()
    const form = { id: `x-${crypto.randomUUID().slice(0, 8)}`, name: 'Forged', groupLimit: '1' }
    for (const headers of [{ Origin: 'https://evil.example' }, { Origin: 'null' }]) {
      const answer = await browser.post('/admin/tenants', form, headers)
      expect(answer.status).toBe(403)
      expect(answer.html).toContain('was sent from another site')
    }
    expect((await browser.get(`/admin/tenants/${form.id}`)).status).toBe(404)
  })

  it('accepts forms only, because the check of the origin covers forms only', async () => {
    const browser = await new Browser().signIn()
    const answer = await browser.post('/admin/tenants', {}, { 'Content-Type': 'application/json' })
    expect(answer.status).toBe(415)
  })

  it('sends security headers and forbids inline code', async () => {
    const page = await (await new Browser().signIn()).get('/admin/tenants/default')
    const policy = page.headers.get('Content-Security-Policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(page.headers.get('X-Content-Type-Options')).toBe('nosniff')
    expect(page.headers.get('X-Frame-Options')).toBe('DENY')
    expect(page.headers.get('Cache-Control')).toBe('no-store')
    expect(page.html).not.toMatch(/<script(?![^>]*src=)|<style| style=| on\w+=/)
  })

  it('sends them with every answer: pages, errors, redirects, files, and those of the admin API', async () => {
    const client = await newClient()
    const { id } = await client.createUser()
    const { tenantId } = client
    const pages = Object.keys(PAGES).flatMap((page) => {
      const path = page.replace(':tenant', tenantId).replace(':segment', 'users').replace(/:\w+/g, id)
      return page.startsWith('GET ') ? path.slice('GET '.length) : []
    })
    const api = [
      '',
      '/tenants',
      `/tenants/${tenantId}/export`,
      `/tenants/${tenantId}/log`,
      '/nothing',
      '/tenants/no',
    ]
    const files = ['users.csv', 'groups.csv'].map((file) => `/admin/tenants/${tenantId}/${file}`)
    const errors = [
      '/admin/nothing',
      '/admin/%zz',
      '/admin/sign-in',
      '/admin/sign-in/callback',
      '/admin/tenants/no',
    ]
    const browser = await new Browser().signIn()
    const secured = {
      policy: expect.stringContaining("frame-ancestors 'none'"),
      frames: 'DENY',
      sniffing: 'nosniff',
      referrer: 'same-origin',
      cache: 'no-store',
    }
    const Authorization = `Bearer ${ADMIN_TOKEN}`
    for (const path of [...pages, ...files, ...errors, ...api.map((one) => `/admin/api${one}`)]) {
      for (const headers of path.startsWith('/admin/api') ? [{ Authorization }, {}] : [{}]) {
        const { headers: sent } = await browser.get(path, headers as Record<string, string>)
        expect([path, securityOf(sent)]).toEqual([path, secured])
      }
    }
    for (const headers of [{ Origin: 'https://evil.example' }, { 'Content-Type': 'text/plain' }]) {
      const { headers: sent } = await browser.post('/admin/tenants', {}, headers as Record<string, string>)
      expect(securityOf(sent)).toEqual(secured)
    }
  })

  it('serves a style sheet and a script that may be cached for a year', async () => {
    const browser = new Browser()
    const { html } = await browser.get('/admin/sign-in')
    for (const [, path] of html.matchAll(/(?:href|src)="(\/admin\/assets\/[^"]+)"/g)) {
      const asset = await browser.get(path ?? '')
      expect(asset.status).toBe(200)
      expect(asset.headers.get('Cache-Control')).toBe('public, max-age=31536000, immutable')
    }
    const old = await browser.get('/admin/assets/dashboard-0000000000000000.css')
    expect([old.status, old.headers.get('Cache-Control')]).toEqual([200, 'no-store'])
  })

  it('does not apply to the admin API', async () => {
    const browser = await new Browser().signIn()
    const answer = await browser.get('/admin/api/tenants')
    expect(answer.status).toBe(401)
    expect(answer.headers.get('Content-Type')).toContain('application/json')
    const redirect = await browser.get('/')
    expect([redirect.status, redirect.location]).toEqual([302, '/admin'])
    expect(ORIGIN).toBe('https://scim.test')
  })
})

function securityOf(headers: Headers) {
  return {
    policy: headers.get('Content-Security-Policy'),
    frames: headers.get('X-Frame-Options'),
    sniffing: headers.get('X-Content-Type-Options'),
    referrer: headers.get('Referrer-Policy'),
    cache: headers.get('Cache-Control'),
  }
}
