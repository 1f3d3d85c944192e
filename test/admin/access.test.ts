import { env } from 'cloudflare:workers'
import { exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { parseRoleRules } from '../../src/administrators/role-rules.ts'
import { createApp } from '../../src/app.ts'
import type { Runtime } from '../../src/runtime.ts'
import { openDatabase } from '../../src/storage/database/database.ts'
import { ORIGIN } from '../support/harness.ts'
import { ONE_DATABASE } from '../support/one-database.ts'

const AUDIENCE = 'aud-of-the-dashboard'

/**
 * Each test has its own team, because keys are kept between requests.
 *
 * @param isNamed whether its own key has a name
 */
async function newTeam(more: readonly JWK[] = [], roles = '', isNamed = true) {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const teamDomain = `team-${crypto.randomUUID()}.cloudflareaccess.com`
  const named = isNamed ? { kid: 'one' } : {}
  const keys = { keys: [{ ...(await exportJWK(publicKey)), ...named, alg: 'RS256', use: 'sig' }, ...more] }
  const fetched: string[] = []
  const access = { accessTeamDomain: teamDomain, accessAudience: AUDIENCE, adminRoles: parseRoleRules(roles) }
  const runtime = runtimeWith(access, async (url) => {
    fetched.push(String(url))
    return Response.json(keys)
  })
  const token = (
    claims: { audience?: string; issuer?: string; expires?: string; groups?: readonly string[] } = {},
    header: JWTHeaderParameters = { alg: 'RS256', kid: 'one' },
  ) =>
    new SignJWT({ email: 'mirela@quillfern.example', custom: { groups: claims.groups } })
      .setProtectedHeader(header)
      .setIssuer(claims.issuer ?? `https://${teamDomain}`)
      .setAudience(claims.audience ?? AUDIENCE)
      .setIssuedAt()
      .setExpirationTime(claims.expires ?? '5 minutes')
      .sign(privateKey)
  return { runtime, token, teamDomain, fetched }
}

function runtimeWith(
  settings: Partial<Runtime['settings']>,
  fetcher: (url: unknown) => Promise<Response>,
): Runtime {
  const base = {
    adminToken: 'test-admin-token',
    serverTiming: false,
    logRetentionDays: '30',
    eventRetentionDays: '30',
    tombstoneDays: 30,
    allowLoopbackWebhooks: false,
    accessTeamDomain: undefined,
    accessAudience: undefined,
  }
  return {
    ...ONE_DATABASE,
    openDatabase: (_name: unknown, figures: Parameters<typeof openDatabase>[1]) =>
      openDatabase(env.DB, figures),
    now: Date.now,
    newId: () => crypto.randomUUID(),
    isAllowed: async () => true,
    fetch: fetcher as typeof fetch,
    settings: { ...base, ...settings },
  } as unknown as Runtime
}

async function get(runtime: Runtime, token?: string) {
  const headers: Record<string, string> = token === undefined ? {} : { 'Cf-Access-Jwt-Assertion': token }
  const request = new Request(`${ORIGIN}/admin/tenants`, { headers, redirect: 'manual' })
  const response = await createApp().fetch(request, runtime)
  return { status: response.status, html: await response.text() }
}

describe('Cloudflare Access', () => {
  it('admits the administrator that Access names, and fetches the keys of the team', async () => {
    const { runtime, token, teamDomain, fetched } = await newTeam()
    const page = await get(runtime, await token())
    expect(page.status).toBe(200)
    expect(page.html).toContain('mirela@quillfern.example')
    expect(page.html).toContain('/cdn-cgi/access/logout')
    expect(fetched).toEqual([`https://${teamDomain}/cdn-cgi/access/certs`])
  })

  it('makes everybody an owner without ADMIN_ROLES', async () => {
    const { runtime, token } = await newTeam()
    expect((await get(runtime, await token())).html).toContain('Create a tenant')
  })

  it.each([
    ['owner: Mirela@quillfern.example', undefined, 200, true],
    ['admin: group staff', ['staff'], 200, false],
    ['viewer: everyone', undefined, 200, false],
    ['owner: group staff', ['others'], 403, false],
    ['owner: bob@quillfern.example', undefined, 403, false],
  ])('gives the roles of the rules "%s" to the groups %j', async (roles, groups, status, isOwner) => {
    const { runtime, token } = await newTeam([], roles)
    const page = await get(runtime, await token(groups === undefined ? {} : { groups }))
    expect([page.status, page.html.includes('Create a tenant')]).toEqual([status, isOwner])
  })

  it('refuses requests without the token of Access, even with a signed-in session', async () => {
    const { runtime } = await newTeam()
    expect((await get(runtime)).status).toBe(403)
    const form = new Request(`${ORIGIN}/admin/sign-in`, {
      method: 'POST',
      redirect: 'manual',
      headers: { Origin: ORIGIN },
      body: new URLSearchParams({ token: 'test-admin-token', next: '/admin' }),
    })
    const response = await createApp().fetch(form, runtime)
    expect([response.status, response.headers.get('Set-Cookie')]).toEqual([303, null])
  })

  it.each([
    ['another application', { audience: 'other' }],
    ['another team', { issuer: 'https://other.cloudflareaccess.com' }],
    ['the past', { expires: '-5 minutes' }],
  ])('refuses a token for %s', async (_, claims) => {
    const { runtime, token } = await newTeam()
    expect((await get(runtime, await token(claims))).status).toBe(403)
  })

  it('refuses a token that was signed with another key', async () => {
    const [team, other] = [await newTeam(), await newTeam()]
    const forged = await other.token({ issuer: `https://${team.teamDomain}` })
    expect((await get(team.runtime, forged)).status).toBe(403)
    expect((await get(team.runtime, 'no.jwt.atall')).status).toBe(403)
  })

  it('refuses a token that does not name one of two keys', async () => {
    const { publicKey } = await generateKeyPair('RS256')
    const { runtime, token } = await newTeam([{ ...(await exportJWK(publicKey)), kid: 'two', alg: 'RS256' }])
    expect((await get(runtime, await token({}, { alg: 'RS256' }))).status).toBe(403)
    expect((await get(runtime, await token())).status).toBe(200)
  })

  it.each<[string, JWTHeaderParameters]>([
    ['without a name', { alg: 'RS256' }],
    ['with an empty name', { alg: 'RS256', kid: '' }],
    ['with the name of none of them', { alg: 'RS256', kid: 'one' }],
  ])('refuses a token %s if no key of the team has a name', async (_, header) => {
    const nameless = async () => {
      const { publicKey } = await generateKeyPair('RS256')
      return { ...(await exportJWK(publicKey)), alg: 'RS256', use: 'sig' }
    }
    const { runtime, token } = await newTeam([await nameless(), await nameless()], '', false)
    expect((await get(runtime, await token({}, header))).status).toBe(403)
  })

  // The header is checked before the signature.
  it.each([
    ['an extension that must be understood', { alg: 'RS256', kid: 'one', crit: ['x'], x: 1 }],
    ['a key that the team has not', { alg: 'RS256', kid: 'two' }],
    ['no algorithm', { kid: 'one' }],
    ['no signature', { alg: 'none' }],
    ['another algorithm', { alg: 'HS256', kid: 'one' }],
    ['an unknown algorithm', { alg: 'X1', kid: 'one' }],
    ['an algorithm that is not a string', { alg: 1 }],
    ['an unencoded payload', { alg: 'RS256', kid: 'one', b64: false, crit: ['b64'] }],
    ['no object', 'text'],
  ])('refuses a token whose header names %s', async (_, header) => {
    const { runtime, token } = await newTeam()
    const [, ...rest] = (await token()).split('.')
    const forged = [btoa(JSON.stringify(header)).replace(/=+$/, ''), ...rest].join('.')
    expect((await get(runtime, forged)).status).toBe(403)
  })

  it.each(['', '..', 'a.b', 'a.b.c', 'a.b.c.d', 'a.b.c.d.e', 'é.a.b', 'e30.é.b', 'e30.e30.', 'e30.e30.a=='])(
    'refuses %j as a token',
    async (text) => {
      const { runtime } = await newTeam()
      expect((await get(runtime, text)).status).toBe(403)
    },
  )

  it.each<[string, () => Response]>([
    [
      'cannot be reached',
      () => {
        throw new TypeError('no network')
      },
    ],
    ['answers with an error', () => new Response('no', { status: 500 })],
    ['answers with something else', () => new Response('<html>')],
    ['answers without keys', () => Response.json({})],
  ])('says that it cannot tell when the server of the keys %s', async (_, answer) => {
    const { token, teamDomain } = await newTeam()
    const settings = { accessTeamDomain: teamDomain, accessAudience: AUDIENCE }
    const broken = runtimeWith(settings, async () => answer())
    expect((await get(broken, await token())).status).toBe(503)
  })
})

describe('a dashboard that is not configured', () => {
  const noFetch = async () => new Response(null, { status: 500 })

  it('refuses requests and names the settings', async () => {
    const page = await get(runtimeWith({ adminToken: undefined }, noFetch))
    expect(page.status).toBe(503)
    for (const name of ['ADMIN_TOKEN', 'ACCESS_TEAM_DOMAIN', 'ACCESS_AUD', 'wrangler secret put']) {
      expect(page.html).toContain(name)
    }
  })

  it('names the missing setting of Access and does not fall back to the token', async () => {
    const page = await get(runtimeWith({ accessTeamDomain: 'acme.cloudflareaccess.com' }, noFetch))
    expect(page.status).toBe(503)
    expect(page.html).toContain('ACCESS_AUD is not set')
  })
})
