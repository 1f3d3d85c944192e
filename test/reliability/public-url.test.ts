/**
 * The Worker with PUBLIC_URL, which overrides the host of a request.
 */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import worker from '../../src/worker.ts'
import { type Client, newClient, TENANT_URL, USER } from '../support/harness.ts'

afterEach(() => void vi.restoreAllMocks())

const PUBLIC_URL = 'https://scim.quillfern.example'
const ADMIN = { Authorization: 'Bearer test-admin-token' }

type Init = RequestInit<IncomingRequestCfProperties>

async function send(url: string, init: Init, publicUrl = PUBLIC_URL): Promise<Response> {
  const ctx = createExecutionContext()
  const request = new Request<unknown, IncomingRequestCfProperties>(url, { redirect: 'manual', ...init })
  const response = await worker.fetch(request, { ...env, PUBLIC_URL: publicUrl }, ctx)
  await waitOnExecutionContext(ctx)
  return response
}

const createUser = (client: Client) =>
  send(`${TENANT_URL}/Users`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${client.token}`, 'Content-Type': 'application/scim+json' },
    body: JSON.stringify({ schemas: [USER], userName: 'a' }),
  })

describe('PUBLIC_URL', () => {
  it('is the origin of locations, the Tenant URL and the API description', async () => {
    const client = await newClient()
    const created = await createUser(client)
    expect(created.headers.get('Location')).toMatch(`${PUBLIC_URL}/scim/v2/Users/`)
    const path = `https://scim.test/admin/api/tenants/${client.tenantId}/tokens`
    const token = await send(path, { method: 'POST', headers: ADMIN, body: '{"name":"x"}' })
    expect(await token.json()).toMatchObject({ tenantUrl: `${PUBLIC_URL}/scim/v2` })
    const openapi = await send('https://scim.test/openapi.json', {})
    expect(await openapi.json()).toMatchObject({ servers: [{ url: PUBLIC_URL }] })
  })

  it('does not affect bulk operations', async () => {
    const client = await newClient()
    const Operations = [
      { method: 'POST', path: '/Users', bulkId: 'a', data: { schemas: [USER], userName: 'bulk' } },
    ]
    const headers = { Authorization: `Bearer ${client.token}`, 'Content-Type': 'application/scim+json' }
    const answer = await send(`${TENANT_URL}/Bulk`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'], Operations }),
    })
    const [operation] = (await answer.json<{ Operations: { status: string; location: string }[] }>())
      .Operations
    expect([operation?.status, operation?.location.startsWith(PUBLIC_URL)]).toEqual(['201', true])
  })

  it('determines whether the cookie is secure, and the allowed origin of forms', async () => {
    // Like behind a proxy that terminates TLS.
    const signIn = (origin: string, publicUrl?: string) =>
      send(
        'http://127.0.0.1/admin/sign-in',
        {
          method: 'POST',
          headers: { Origin: origin, 'CF-Connecting-IP': crypto.randomUUID() },
          body: new URLSearchParams({ token: 'test-admin-token' }),
        },
        publicUrl,
      )
    const cookie = async (answer: Promise<Response>) => (await answer).headers.get('Set-Cookie')
    expect(await cookie(signIn(PUBLIC_URL))).toMatch(/^__Host-scim_admin=.*; Secure/)
    expect(await cookie(signIn('http://127.0.0.1', ''))).toMatch(/^scim_admin=/)
    expect((await signIn('http://127.0.0.1')).status).toBe(403)
  })

  it.for([
    'scim.example.com',
    'ftp://scim.example.com',
    'https://scim.example.com/scim',
    'https://u@scim.example.com',
    'https://scim.example.com?',
    'https://scim.example.com#',
    'https://',
    'https://a b',
  ])('is rejected as %j with the name of the variable', async (text) => {
    const read = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const answer = await send('https://scim.test/admin/api/tenants', {}, text)
    expect([answer.status, await answer.json()]).toMatchObject([503, { error: { code: 'notConfigured' } }])
    expect(read.mock.calls.join()).toMatch(/PUBLIC_URL must be .* found /)
  })
})
