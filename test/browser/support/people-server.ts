/**
 * A self-hosted server in the test process to which people sign in by OpenID Connect, and their provider, which has pages of
 * its own. Both listen on free ports of this machine.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ServerType, serve } from '@hono/node-server'
import { parseRoleRules } from '../../../src/administrators/role-rules.ts'
import { startService } from '../../../src/self-hosted/service.ts'
import { MIGRATIONS } from '../../support/migrations.ts'
import { CLIENT_ID, CLIENT_SECRET, OpenIdProvider } from '../../support/openid-provider.ts'
import { serverSettings } from '../../support/server-settings.ts'

type Fetch = (request: Request) => Response | Promise<Response>

interface Listening {
  readonly origin: string
  readonly close: () => Promise<void>
}

export interface PeopleServer extends Listening {
  /** At the provider, the next person to sign in. */
  readonly person: { email: string; groups: readonly string[] }
  /** Sends a request to the admin API as ADMIN_TOKEN. */
  // biome-ignore lint/suspicious/noExplicitAny: -- tests assert on what they read
  readonly admin: (method: string, path: string, body?: unknown) => Promise<any>
}

/** @param roles ADMIN_ROLES */
export async function startPeopleServer(roles: string): Promise<PeopleServer> {
  const person: PeopleServer['person'] = { email: 'nobody@example.com', groups: [] }
  const provider = await startProvider(person)
  const folder = mkdtempSync(join(tmpdir(), 'scim-worker-people-'))
  const oidc = {
    issuer: provider.issuer,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    scopes: 'openid email profile',
    groupsClaim: 'groups',
  }
  const people = { oidc, adminRoles: parseRoleRules(roles) }
  const service = startService(serverSettings(folder, { people }), MIGRATIONS)
  const server = await listen((request) => service.fetch({ request, address: '127.0.0.1' }))
  const admin: PeopleServer['admin'] = async (method, path, body) => {
    const response = await fetch(`${server.origin}/admin/api${path}`, {
      method,
      headers: { Authorization: 'Bearer test-admin-token', 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return await response.json()
  }
  const close = async () => {
    await server.close()
    await service.stop()
    await provider.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return { origin: server.origin, person, admin, close }
}

/** A provider with a page that asks who one is, and one that says that one is signed out. The person has groups at UserInfo. */
async function startProvider(person: PeopleServer['person']) {
  let answer: Fetch = () => new Response(null, { status: 503 })
  const { origin, close } = await listen((request) => answer(request))
  const provider = await OpenIdProvider.create(origin)
  const knowPerson = () => {
    provider.behaviour = {
      claims: { email: person.email, groups: undefined },
      userInfo: { groups: person.groups },
      metadata: { end_session_endpoint: `${origin}/logout` },
    }
  }
  knowPerson()
  answer = async (request) => {
    const url = new URL(request.url)
    if (url.pathname === '/favicon.ico') return new Response(null, { status: 204 })
    if (url.pathname.endsWith('/authorize')) {
      knowPerson()
      return page(
        `<a href="${escaped(provider.authorize(request.url).href)}">Continue as ${person.email}</a>`,
      )
    }
    if (url.pathname === '/logout') {
      const back = url.searchParams.get('post_logout_redirect_uri') ?? ''
      return page(`<h1>Signed out</h1><a href="${escaped(back)}">Back to the application</a>`)
    }
    const body = request.method === 'POST' ? await request.text() : null
    return await provider.issuer.fetch(request.url, {
      method: request.method,
      headers: request.headers,
      body,
    })
  }
  return { issuer: provider.url, close }
}

function page(html: string): Response {
  return new Response(`<!doctype html><html lang="en"><title>Provider</title><main>${html}</main></html>`, {
    headers: { 'Content-Type': 'text/html; charset=utf-8' },
  })
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
}

function listen(fetch: Fetch): Promise<Listening> {
  return new Promise((done) => {
    const server: ServerType = serve({ fetch, hostname: '127.0.0.1', port: 0 }, ({ port }: AddressInfo) => {
      const close = () =>
        new Promise<void>((closed, failed) => {
          server.close((error) => (error === undefined ? closed() : failed(error)))
          if ('closeAllConnections' in server) server.closeAllConnections()
        })
      done({ origin: `http://127.0.0.1:${port}`, close })
    })
  })
}
