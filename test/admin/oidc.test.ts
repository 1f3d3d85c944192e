/** Sign-in by OpenID Connect, with a provider that does what it should, and with everything that may go wrong. */
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import { parseRoleRules } from '../../src/administrators/role-rules.ts'
import { createApp } from '../../src/app.ts'
import type { OidcSettings, Runtime } from '../../src/runtime.ts'
import { openDatabase } from '../../src/storage/database/database.ts'
import { textOf } from '../support/dashboard.ts'
import { newClient, ORIGIN } from '../support/harness.ts'
import { OidcBrowser } from '../support/oidc-browser.ts'
import { ONE_DATABASE } from '../support/one-database.ts'
import {
  type Behaviour,
  CLIENT_ID,
  CLIENT_SECRET,
  OpenIdProvider,
  unsigned,
} from '../support/openid-provider.ts'
import { TEST_SETTINGS } from '../support/settings.ts'

interface World {
  readonly roles?: string
  readonly oidc?: Partial<OidcSettings>
  readonly isAllowed?: () => boolean
}

async function newWorld({ roles = 'owner: anna@example.com', oidc, isAllowed = () => true }: World = {}) {
  const provider = await OpenIdProvider.create()
  const settings = {
    ...TEST_SETTINGS,
    adminRoles: parseRoleRules(roles),
    oidc: {
      issuer: provider.url,
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      scopes: 'openid email profile',
      groupsClaim: 'groups',
      ...oidc,
    },
  }
  const runtime = {
    ...ONE_DATABASE,
    openDatabase: (_name: unknown, figures: Parameters<typeof openDatabase>[1]) =>
      openDatabase(env.DB, figures),
    now: Date.now,
    newId: () => crypto.randomUUID(),
    isAllowed,
    publicOrigin: ORIGIN,
    fetch: provider.issuer.fetch,
    settings,
  } as unknown as Runtime
  const app = createApp()
  return { provider, runtime, browser: new OidcBrowser(app, runtime), other: new OidcBrowser(app, runtime) }
}

/** Signs in as far as the answer of this server. */
async function signIn(
  world: Awaited<ReturnType<typeof newWorld>>,
  behaviour: Behaviour = {},
  next = '/admin/tenants',
) {
  const { provider, browser } = world
  provider.behaviour = behaviour
  const begun = await browser.get(`/admin/sign-in/oidc?next=${encodeURIComponent(next)}`)
  const back = provider.authorize(begun.location ?? '')
  return { begun, back, answer: await browser.get(back.pathname + back.search) }
}

const pathOf = (url: URL) => url.pathname + url.search

describe('sign-in by OpenID Connect', () => {
  it('asks the provider with PKCE, state and nonce, and opens the page that was wanted', async () => {
    const world = await newWorld()
    const form = await world.browser.get('/admin/sign-in?next=%2Fadmin%2Ftenants')
    expect(form.html).toContain('href="/admin/sign-in/oidc?next=%2Fadmin%2Ftenants"')
    const { begun, answer } = await signIn(world)
    const asked = new URL(begun.location ?? '')
    expect(asked.origin + asked.pathname).toBe(`${world.provider.url}/authorize`)
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({
      client_id: CLIENT_ID,
      redirect_uri: `${ORIGIN}/admin/sign-in/callback`,
      response_type: 'code',
      scope: 'openid email profile',
      code_challenge_method: 'S256',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    })
    expect(answer.status).toBe(200)
    expect(answer.html).toContain('content="0; url=/admin/tenants"')
    const session = answer.setCookies.find((cookie) => cookie.startsWith('__Host-scim_admin='))
    for (const part of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Max-Age=28800'])
      expect(session).toContain(part)
    const page = await world.browser.get('/admin/tenants')
    expect([page.status, textOf(page.html).includes('anna@example.com owner')]).toEqual([200, true])
  })

  it('signs a public client in without a secret', async () => {
    const world = await newWorld({ oidc: { clientSecret: undefined } })
    expect((await signIn(world)).answer.status).toBe(200)
  })

  it('ends the session at sign-out, for every copy of its cookie', async () => {
    const world = await newWorld()
    await signIn(world)
    const copy = new Map(world.browser.cookies)
    expect((await world.browser.post('/admin/sign-out', {})).location).toBe('/admin/sign-in')
    for (const [name, value] of copy) world.browser.cookies.set(name, value)
    expect((await world.browser.get('/admin/tenants')).status).toBe(303)
  })

  it('gives the roles of groups, limited to tenants', async () => {
    const [{ tenantId: own }, { tenantId: foreign }] = [await newClient(), await newClient()]
    const world = await newWorld({
      roles: `admin of ${own}: group "Help desk, 1st"; viewer of ${own}: everyone`,
    })
    await signIn(world, { claims: { groups: ['Help desk, 1st', 'x'] } })
    expect((await world.browser.get(`/admin/tenants/${own}/settings`)).html).toContain('Save')
    expect((await world.browser.get(`/admin/tenants/${foreign}`)).status).toBe(404)
  })

  it('keeps its cookies below 4,096 bytes', async () => {
    const groups = Array.from(
      { length: 90 },
      (_, i) => `CN=Group ${i},OU=${'x'.repeat(80)},DC=example,DC=com`,
    )
    const roles = `${groups.map((group) => `viewer: group "${group}"`).join(';')}; owner: anna@example.com`
    const world = await newWorld({ roles })
    const { begun, answer } = await signIn(
      world,
      { claims: { groups } },
      `/admin/tenants?q=${'x'.repeat(5000)}`,
    )
    expect(answer.status).toBe(200)
    for (const cookie of [...begun.setCookies, ...answer.setCookies]) expect(cookie.length).toBeLessThan(4096)
    expect((await world.browser.get('/admin/tenants')).status).toBe(200)
  })

  it('takes the role away from a session when the rule is gone', async () => {
    const world = await newWorld()
    await signIn(world)
    const settings = { ...world.runtime.settings, adminRoles: parseRoleRules('owner: bob@example.com') }
    const later = new OidcBrowser(createApp(), { ...world.runtime, settings })
    for (const [name, value] of world.browser.cookies) later.cookies.set(name, value)
    const page = await later.get('/admin/tenants')
    expect([page.status, textOf(page.html).includes('has no role here')]).toEqual([403, true])
  })

  it('ends sessions of a provider that is no longer configured', async () => {
    const world = await newWorld({ roles: 'owner: everyone' })
    await signIn(world)
    expect((await world.browser.get('/admin/tenants')).status).toBe(200)
    const { settings } = world.runtime
    for (const oidc of [undefined, { ...settings.oidc, issuer: 'https://another.example' }]) {
      const runtime = { ...world.runtime, settings: { ...settings, oidc } } as unknown as Runtime
      const later = new OidcBrowser(createApp(), runtime)
      for (const [name, value] of world.browser.cookies) later.cookies.set(name, value)
      const page = await later.get('/admin/tenants')
      expect([page.status, page.location]).toEqual([303, '/admin/sign-in?next=%2Fadmin%2Ftenants'])
    }
  })

  it.each<[Record<string, unknown>, string]>([
    [{ preferred_username: 'anna@example.com' }, 'anna@example.com (subject-1)'],
    [{ name: 'Administrator' }, 'Administrator (subject-1)'],
    [{}, 'subject-1'],
    [{ preferred_username: 'bob', sub: 'bob' }, 'bob'],
    [{ name: `${'ä'.repeat(500)}`, sub: 's'.repeat(255) }, `${'ä'.repeat(50)} (${'s'.repeat(100)})`],
  ])('shows nobody as another person: %j', async (claims, shown) => {
    const world = await newWorld({ roles: 'owner: everyone' })
    await signIn(world, { claims: { email: 'anna@example.com', email_verified: false, ...claims } })
    const page = await world.browser.get('/admin/tenants')
    expect([page.status, textOf(page.html).includes(`${shown} owner`)]).toEqual([200, true])
  })

  it.each<[string, Record<string, unknown>]>([
    ['a long address', { email: `${'a'.repeat(242)}@example.com` }],
    ['a long address of other letters', { email: `${'ä'.repeat(242)}@example.com` }],
    ['a damaged address', { email: '\ud800@example.com' }],
    ['a name with a line separator', { email: undefined, name: 'a\u2028b' }],
    ['a group very often', { groups: [...Array.from({ length: 500 }, () => 'staff'), 'boss'] }],
  ])('signs in with %s', async (_, claims) => {
    const world = await newWorld({ roles: 'viewer: everyone, group staff; owner: group boss' })
    const { answer } = await signIn(world, { claims })
    expect(answer.status).toBe(200)
    for (const cookie of answer.setCookies) expect(cookie.length).toBeLessThan(4096)
    const page = await world.browser.get('/admin/tenants')
    expect([page.status, page.html.includes('/admin/administrators')]).toEqual([200, 'groups' in claims])
  })

  it.each<[string, World, Behaviour]>([
    ['whom no rule names', { roles: 'owner: bob@example.com' }, {}],
    ['without rules', { roles: '' }, {}],
    ['whose address is not verified', {}, { claims: { email_verified: false } }],
    [
      'whose address only looks like one in a rule',
      { roles: 'owner: mike@example.com' },
      { claims: { email: 'mi\u212Ae@example.com' } },
    ],
    ['whose group has another case', { roles: 'owner: group Staff' }, {}],
  ])('admits nobody %s', async (_, options, behaviour) => {
    const world = await newWorld(options)
    const { answer } = await signIn(world, behaviour)
    expect([answer.status, textOf(answer.html).includes('has no role here')]).toEqual([403, true])
    expect(world.browser.cookies.has('__Host-scim_admin')).toBe(false)
  })
})

describe('groups from the UserInfo endpoint', () => {
  const roles = 'viewer: group Readers'
  const claims = { groups: undefined }

  it('are asked for if the ID token has none', async () => {
    const world = await newWorld({ roles })
    const { answer } = await signIn(world, { claims, userInfo: { groups: ['Readers'] } })
    expect(answer.status).toBe(200)
    const page = await world.browser.get('/admin/tenants')
    expect([page.status, textOf(page.html).includes('anna@example.com viewer')]).toEqual([200, true])
  })

  it('give nothing but groups', async () => {
    const world = await newWorld({ roles: `${roles}; owner: root@example.com` })
    const userInfo = { groups: ['Others'], email: 'root@example.com', email_verified: true }
    const { answer } = await signIn(world, { claims, userInfo })
    expect([answer.status, textOf(answer.html).includes('anna@example.com, who has no role')]).toEqual([
      403,
      true,
    ])
  })

  it.each<[string, string, Behaviour]>([
    ['the ID token has groups', roles, { claims: { groups: [] }, userInfo: { groups: ['Readers'] } }],
    ['no rule names a group', 'owner: anna@example.com', { claims, userInfo: { groups: [] } }],
    ['the provider has no such endpoint', roles, { claims }],
  ])('are not asked for if %s', async (_, rules, behaviour) => {
    const world = await newWorld({ roles: rules })
    await signIn(world, behaviour)
    expect(world.provider.issuer.requested.filter((url) => url.endsWith('/userinfo'))).toEqual([])
  })

  const ofEndpoint = (answer: () => Response | Promise<Response>) => (url: string) =>
    url.endsWith('/userinfo') ? answer() : undefined

  it.each<[string, string, Partial<Behaviour>]>([
    ['of another person', '"sub"', { userInfo: { sub: 'subject-2', groups: ['Readers'] } }],
    ['of nobody', '"sub"', { userInfo: { sub: undefined, groups: ['Readers'] } }],
    [
      'with megabytes',
      'it answered with more than 200000 bytes',
      { answer: ofEndpoint(() => Response.json({ sub: 'subject-1', groups: ['x'.repeat(300_000)] })) },
    ],
    [
      'that refuses the access token',
      'its UserInfo endpoint refused the access token',
      {
        answer: ofEndpoint(
          () => new Response(null, { status: 401, headers: { 'WWW-Authenticate': 'Bearer' } }),
        ),
      },
    ],
    ['that is not JSON', 'The answer of', { answer: ofEndpoint(() => new Response('<html>')) }],
    [
      'that leads elsewhere',
      'The answer of',
      { answer: ofEndpoint(() => Response.redirect('https://evil.example/', 302)) },
    ],
    ['over http', 'The answer of', { metadata: { userinfo_endpoint: 'http://evil.example/userinfo' } }],
  ])('are refused in an answer %s', async (_, words, behaviour) => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const world = await newWorld({ roles: `${roles}; owner: anna@example.com` })
    const { answer } = await signIn(world, { claims, userInfo: {}, ...behaviour })
    expect([400, 503]).toContain(answer.status)
    expect(textOf(answer.html)).toContain(words)
    expect(world.browser.cookies.has('__Host-scim_admin')).toBe(false)
    expect(world.provider.issuer.requested.filter((url) => url.includes('evil'))).toEqual([])
  })

  it('are not waited for longer than five seconds', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const world = await newWorld({ roles })
      const answer = ofEndpoint(() => new Promise<Response>(() => undefined))
      const asked = signIn(world, { claims, userInfo: {}, answer })
      await vi.waitFor(() => expect(world.provider.issuer.requested.at(-1)).toMatch(/userinfo$/))
      await vi.advanceTimersByTimeAsync(5_000)
      const { status, html } = (await asked).answer
      expect([status, textOf(html).includes('did not answer within 5 seconds')]).toEqual([503, true])
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('sign-out at the provider', () => {
  const END = { end_session_endpoint: 'https://idp.example/logout?realm=acme' }

  it('is offered after sign-out, and comes back to the sign-in page', async () => {
    const world = await newWorld()
    await signIn(world, { metadata: END })
    const { location } = await world.browser.post('/admin/sign-out', {})
    expect(location).toBe('/admin/sign-in?signed-in=provider')
    const page = await world.browser.get(location ?? '')
    expect(page.html).toContain('<a href="/admin/sign-out/oidc">')
    const out = await world.browser.get('/admin/sign-out/oidc?post_logout_redirect_uri=https://evil.example/')
    const url = new URL(out.location ?? '')
    expect(url.origin + url.pathname).toBe('https://idp.example/logout')
    expect(Object.fromEntries(url.searchParams)).toEqual({
      realm: 'acme',
      client_id: CLIENT_ID,
      post_logout_redirect_uri: `${ORIGIN}/admin/sign-in`,
    })
  })

  it.each<[string, Behaviour]>([
    ['has no address for it', {}],
    ['has one with http', { metadata: { end_session_endpoint: 'http://evil.example/logout' } }],
    ['has one with a script', { metadata: { end_session_endpoint: 'javascript:alert(1)' } }],
  ])('is not offered if the provider %s', async (_, behaviour) => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const world = await newWorld()
    await signIn(world, behaviour)
    expect((await world.browser.post('/admin/sign-out', {})).location).toBe('/admin/sign-in')
    const out = await world.browser.get('/admin/sign-out/oidc')
    expect([404, 503]).toContain(out.status)
    expect(out.location).toBeNull()
  })

  it('does not keep a session alive when the provider cannot be reached', async () => {
    const fault = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const world = await newWorld()
    await signIn(world)
    const copy = new Map(world.browser.cookies)
    world.provider.behaviour = { answer: () => Promise.reject(new TypeError('no route')) }
    // Ten minutes later, the metadata is fetched again.
    const later = { ...world.runtime, now: () => Date.now() + 11 * 60_000 }
    const browser = new OidcBrowser(createApp(), later)
    for (const [name, value] of copy) browser.cookies.set(name, value)
    expect((await browser.post('/admin/sign-out', {})).location).toBe('/admin/sign-in')
    expect(fault).toHaveBeenCalled()
    for (const [name, value] of copy) browser.cookies.set(name, value)
    expect((await browser.get('/admin/tenants')).status).toBe(303)
  })

  it('is not offered to those who have signed in with a token', async () => {
    const world = await newWorld()
    world.provider.behaviour = { metadata: END }
    await world.browser.post('/admin/sign-in', { token: TEST_SETTINGS.adminToken ?? '' })
    expect((await world.browser.post('/admin/sign-out', {})).location).toBe('/admin/sign-in')
    expect(world.provider.issuer.requested).toEqual([])
  })

  it('does not ask the provider more often than sign-ins are allowed', async () => {
    const world = await newWorld({ isAllowed: () => false })
    expect((await world.browser.get('/admin/sign-out/oidc')).status).toBe(429)
    expect(world.provider.issuer.requested).toEqual([])
  })
})

describe('an answer of the provider', () => {
  it.each<[string, Behaviour]>([
    ['of another issuer', { claims: { iss: 'https://evil.example' } }],
    ['for another audience', { claims: { aud: 'another-application' } }],
    [
      'for several audiences, of which another one is authorized',
      { claims: { aud: [CLIENT_ID, 'b'], azp: 'b' } },
    ],
    ['with another nonce', { claims: { nonce: 'another' } }],
    ['without a nonce', { claims: { nonce: undefined } }],
    ['that has expired', { claims: { exp: Math.floor(Date.now() / 1000) - 3600 } }],
    ['that is from the future', { claims: { nbf: Math.floor(Date.now() / 1000) + 3600 } }],
    ['without a subject', { claims: { sub: undefined } }],
    ['with "alg": "none"', { idToken: unsigned }],
    ['without a key id', { header: { kid: undefined as unknown as string } }],
    ['that brings its own key', { header: { jwk: { kty: 'RSA' } } }],
    ['that is no token', { idToken: () => 'a.b.c' }],
    ['without an ID token', { token: () => Response.json({ access_token: 'a', token_type: 'Bearer' }) }],
    ['that is not JSON', { token: () => new Response('<html>') }],
    ['with another issuer in its metadata', { metadata: { issuer: 'https://evil.example' } }],
    ['that sends the browser over http', { metadata: { authorization_endpoint: 'http://evil.example/' } }],
    ['with keys over http', { metadata: { jwks_uri: 'http://evil.example/keys' } }],
  ])('is refused %s', async (_, behaviour) => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const world = await newWorld()
    world.provider.behaviour = behaviour
    const begun = await world.browser.get('/admin/sign-in/oidc')
    // A provider whose metadata is refused is not asked at all.
    const back = begun.location === null ? undefined : world.provider.authorize(begun.location)
    const answer = back === undefined ? begun : await world.browser.get(pathOf(back))
    expect([400, 503]).toContain(answer.status)
    expect(answer.html).toContain('role="alert"')
    expect(world.browser.cookies.has('__Host-scim_admin')).toBe(false)
  })

  it('is refused if another key has signed it', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const [world, stranger] = [await newWorld(), await OpenIdProvider.create()]
    await stranger.issuer.rotate('two')
    const [key] = stranger.issuer.keys
    const forge = async (claims: Parameters<typeof unsigned>[0]) =>
      await stranger.issuer.token({ ...claims, iss: world.provider.url }, { kid: 'one' })
    expect(key?.kid).toBe('two')
    const { answer } = await signIn(world, { idToken: forge })
    expect([answer.status, textOf(answer.html).includes('signature')]).toEqual([400, true])
  })

  it('is refused in another browser', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const world = await newWorld()
    const begun = await world.browser.get('/admin/sign-in/oidc')
    const back = world.provider.authorize(begun.location ?? '')
    const answer = await world.other.get(pathOf(back))
    expect([answer.status, textOf(answer.html).includes('was not begun in this browser')]).toEqual([
      400,
      true,
    ])
    // The sign-in that is under way goes on.
    expect((await world.browser.get(pathOf(back))).status).toBe(200)
  })

  it('is refused with the state of another sign-in, which does not end the own one', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const world = await newWorld()
    const foreign = await world.other.get('/admin/sign-in/oidc')
    const begun = await world.browser.get('/admin/sign-in/oidc')
    const planted = world.provider.authorize(foreign.location ?? '')
    expect((await world.browser.get(pathOf(planted))).status).toBe(400)
    const back = world.provider.authorize(begun.location ?? '')
    expect((await world.browser.get(pathOf(back))).status).toBe(200)
  })

  it('is used once, even with a copy of the cookie and a provider that takes a code twice', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const world = await newWorld()
    const begun = await world.browser.get('/admin/sign-in/oidc')
    const copy = new Map(world.browser.cookies)
    const back = world.provider.authorize(begun.location ?? '')
    expect((await world.browser.get(pathOf(back))).status).toBe(200)
    for (const [name, value] of copy) world.other.cookies.set(name, value)
    const again = await world.other.get(pathOf(back))
    expect([again.status, textOf(again.html).includes('was completed before')]).toEqual([400, true])
  })

  it('is refused with a code of another sign-in: PKCE', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const world = await newWorld()
    const stolen = world.provider.authorize((await world.other.get('/admin/sign-in/oidc')).location ?? '')
    const back = world.provider.authorize((await world.browser.get('/admin/sign-in/oidc')).location ?? '')
    back.searchParams.set('code', stolen.searchParams.get('code') ?? '')
    const answer = await world.browser.get(pathOf(back))
    expect([answer.status, textOf(answer.html).includes('invalid_grant')]).toEqual([400, true])
  })

  it('is refused without a code, and says what the provider says, escaped', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const world = await newWorld()
    const begun = await world.browser.get('/admin/sign-in/oidc')
    const state = new URL(begun.location ?? '').searchParams.get('state') ?? ''
    const said = new URLSearchParams({
      state,
      error: 'access_denied',
      error_description: '<script>alert(1)</script>\u202E',
    })
    const answer = await world.browser.get(`/admin/sign-in/callback?${said}`)
    expect(answer.status).toBe(400)
    expect(answer.html).not.toContain('<script>alert')
    expect(textOf(answer.html)).toContain('refused the sign-in')
    expect(textOf(answer.html)).toContain('Ask for access to the application there')
  })

  it.each([
    'https://evil.example/',
    '//evil.example/admin',
    '/\\evil.example',
    '/admin/../..//evil.example',
    '/admin/%2e%2E//evil.example',
    'javascript:alert(1)',
    '/admin"><script>',
  ])('opens no other place than the dashboard: %s', async (next) => {
    const world = await newWorld()
    const { answer } = await signIn(world, {}, next)
    expect(answer.status).toBe(200)
    expect(answer.html).toContain('content="0; url=/admin"')
    expect(answer.html).not.toContain('evil')
  })
})

describe('a provider that fails', () => {
  it.each<[string, Behaviour, string]>([
    ['is unreachable', { answer: () => Promise.reject(new TypeError('no route')) }, 'it cannot be reached'],
    ['has no metadata', { answer: () => new Response('no', { status: 404 }) }, 'The answer of'],
    ['redirects', { answer: () => Response.redirect('https://evil.example/', 302) }, 'The answer of'],
    [
      'sends megabytes',
      { answer: () => new Response('x'.repeat(300_000)) },
      'it answered with more than 200000 bytes',
    ],
  ])('is told in words when it %s', async (_, behaviour, words) => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const world = await newWorld()
    world.provider.behaviour = behaviour
    const answer = await world.browser.get('/admin/sign-in/oidc')
    expect([400, 503]).toContain(answer.status)
    expect(textOf(answer.html)).toContain(words)
    expect(answer.html).toContain('Use the token of an administrator')
  })

  it('is not waited for longer than five seconds', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const world = await newWorld()
      world.provider.behaviour = { answer: () => new Promise<Response>(() => undefined) }
      const asked = world.browser.get('/admin/sign-in/oidc')
      await vi.waitFor(() => expect(world.provider.issuer.requested).toHaveLength(1))
      await vi.advanceTimersByTimeAsync(5_000)
      const answer = await asked
      expect([answer.status, textOf(answer.html).includes('did not answer within 5 seconds')]).toEqual([
        503,
        true,
      ])
    } finally {
      vi.useRealTimers()
    }
  })

  it('says that an ID token is too long', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const world = await newWorld()
    const groups = Array.from({ length: 3_000 }, (_, i) => `group ${i}`)
    const { answer } = await signIn(world, { claims: { groups } })
    expect([answer.status, textOf(answer.html).includes('because of very many groups')]).toEqual([400, true])
  })

  it('says how to mend another secret', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const world = await newWorld()
    const token = () => Response.json({ error: 'invalid_client' }, { status: 401 })
    const { answer } = await signIn(world, { token })
    expect(textOf(answer.html)).toContain('Compare OIDC_CLIENT_ID and OIDC_CLIENT_SECRET')
  })

  it('is not asked more often than sign-ins are allowed', async () => {
    const world = await newWorld({ isAllowed: () => false })
    expect((await world.browser.get('/admin/sign-in/oidc')).status).toBe(429)
    expect((await world.browser.get('/admin/sign-in/callback?state=x')).status).toBe(429)
    expect(world.provider.issuer.requested).toEqual([])
  })
})

it('has no page of OpenID Connect without a provider', async () => {
  const { runtime } = await newWorld()
  const without = { ...runtime, settings: { ...runtime.settings, oidc: undefined } }
  const browser = new OidcBrowser(createApp(), without)
  for (const path of ['/admin/sign-in/oidc', '/admin/sign-in/callback', '/admin/sign-out/oidc']) {
    expect((await browser.get(path)).status).toBe(404)
  }
  expect((await browser.get('/admin/sign-in')).html).not.toContain('oidc')
})
