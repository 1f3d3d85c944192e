/**
 * The settings of a Worker: checked by the first request of an isolate, because there is no start before it.
 */
import { createExecutionContext, createScheduledController } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import worker, { type WorkerEnv } from '../src/worker.ts'
import { ORIGIN } from './support/harness.ts'

afterEach(() => vi.restoreAllMocks())

const ask = (its: WorkerEnv, path: string) =>
  Promise.resolve(worker.fetch(new Request(`${ORIGIN}${path}`), its, createExecutionContext()))
const withSettings = (settings: Record<string, unknown>) => ({ ...env, ...settings }) as unknown as WorkerEnv

/** Valid settings of OpenID Connect. */
const OIDC = {
  OIDC_ISSUER: 'https://id.example/realms/acme',
  OIDC_CLIENT_ID: 'scim-worker',
  PUBLIC_URL: 'https://scim.example',
}

describe('a setting whose value is not allowed', () => {
  it.for([
    ['ADMIN_TOKEN', 'short', 'ADMIN_TOKEN must have at least 16 characters, found 5'],
    ['SERVER_TIMING', 'yes', 'SERVER_TIMING must be "0" or "1", found "yes"'],
    ['REQUEST_LOG', '', 'REQUEST_LOG must be "0" or "1", found ""'],
    ['LOG_BODIES', 'no', 'LOG_BODIES must be "0" or "1", found "no"'],
    ['LOG_RETENTION_DAYS', 'soon', 'LOG_RETENTION_DAYS must be a whole number from 1 to 36500, found "soon"'],
    ['LOG_RETENTION_DAYS', '0', 'LOG_RETENTION_DAYS must be a whole number from 1 to 36500, found "0"'],
    ['READ_REPLICATION', 'on', 'READ_REPLICATION must be "0" or "1", found "on"'],
    ['ACCESS_TEAM_DOMAIN', 'acme.cloudflareaccess.com', 'ACCESS_AUD is not set'],
    ['ACCESS_AUD', 'x', 'ACCESS_TEAM_DOMAIN is not set'],
    [
      'FEDERATION_HOSTS',
      'idp.example,https://idp.example',
      'FEDERATION_HOSTS must be hosts separated by commas, such as "idp.example.com,127.0.0.1:9876", found "https://idp.example"',
    ],
  ] as const)('%s=%j is refused and named in the log', async ([name, value, message]) => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    vi.spyOn(console, 'log').mockImplementation(() => undefined)
    const its = withSettings({ [name]: value })
    const answer = await ask(its, '/scim/v2/Users')
    expect([answer.status, answer.headers.get('Retry-After')]).toEqual([503, '5'])
    expect(await answer.json()).toMatchObject({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '503',
      detail: 'the server is misconfigured; its log names the setting',
    })
    const api = await ask(its, '/admin/api/tenants')
    expect([api.status, await api.json()]).toMatchObject([503, { error: { code: 'notConfigured' } }])
    expect((await ask(its, '/admin')).status).toBe(503)
    const health = await ask(its, '/healthz')
    expect([health.status, await health.json()]).toEqual([503, { status: 'unavailable' }])
    const lines = logged.mock.calls
      .map(([line]) => String(line))
      .filter((line) => line.includes('"settings"'))
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { check: 'settings', message: expect.stringContaining(message) },
    ])
    await expect(worker.scheduled(createScheduledController(), its)).rejects.toThrow(message)
  })

  it('reports an invalid team domain', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    vi.spyOn(console, 'log').mockImplementation(() => undefined)
    await ask(withSettings({ ACCESS_TEAM_DOMAIN: 'https://a b/', ACCESS_AUD: 'x' }), '/healthz')
    expect(logged.mock.calls.join()).toContain('ACCESS_TEAM_DOMAIN must be a domain such as')
  })
})

it.for([
  [{ ADMIN_ROLES: 'boss: a@b' }, 'ADMIN_ROLES is invalid: a rule must begin with'],
  [{ OIDC_ISSUER: 'https://id.example' }, 'OIDC_CLIENT_ID is not set; OpenID Connect needs'],
  [{ OIDC_ISSUER: 'https://id.example', OIDC_CLIENT_ID: 'x' }, 'PUBLIC_URL is not set; OpenID Connect needs'],
  [{ ...OIDC, OIDC_ISSUER: 'http://id.example' }, 'OIDC_ISSUER must be an https URL such as'],
  [{ ...OIDC, OIDC_ISSUER: 'https://u:p@id.example' }, 'OIDC_ISSUER must be an https URL such as'],
  [{ ...OIDC, OIDC_SCOPES: 'email' }, 'OIDC_SCOPES must be scopes separated by spaces'],
  [{ ...OIDC, ACCESS_TEAM_DOMAIN: 'acme', ACCESS_AUD: 'x' }, 'are both set; use one way to sign in'],
] as const)('serves nobody with %j', async ([settings, message]) => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  vi.spyOn(console, 'log').mockImplementation(() => undefined)
  expect((await ask(withSettings(settings), '/healthz')).status).toBe(503)
  expect(logged.mock.calls.join()).toContain(message)
})

it.for([
  {},
  OIDC,
  { LOG_RETENTION_DAYS: 7, SERVER_TIMING: 1 },
  { ACCESS_TEAM_DOMAIN: 'https://acme.cloudflareaccess.com/', ACCESS_AUD: 'x', READ_REPLICATION: '0' },
  { FEDERATION_HOSTS: 'idp.example, 127.0.0.1:9876' },
])('serves with %j', async (settings) => {
  expect((await ask(withSettings(settings), '/healthz')).status).toBe(200)
})
