/**
 * /metrics and the files in /healthz?verbose of a self-hosted server.
 */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Service, startService } from '../../src/self-hosted/service.ts'
import { serverSettings } from '../support/server-settings.ts'
import { TEST_SETTINGS } from '../support/settings.ts'
import { MIGRATIONS, temporaryFolder } from './support/files.ts'

const TOKEN = 'a-token-for-metrics'
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
/** A comment, or a name with labels and a number: https://prometheus.io/docs/instrumenting/exposition_formats/ */
const LINE =
  /^(?:# (?:HELP|TYPE) [a-z_]+ .+|[a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)+\})? (?:[\d.]+(?:e[+-]\d+)?|\+Inf))$/

const services: Service[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const service of services.splice(0)) await service.stop()
})

function start(more: Parameters<typeof serverSettings>[1] = {}) {
  const service = startService(serverSettings(temporaryFolder(), more), MIGRATIONS)
  services.push(service)
  return (path: string, token?: string, init: RequestInit = {}, address = '192.0.2.1') => {
    const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) }
    const request = new Request(`http://scim.example${path}`, { headers, ...init })
    return service.fetch({ request, address })
  }
}

type Send = ReturnType<typeof start>

async function newToken(send: Send): Promise<string> {
  const body = JSON.stringify({ name: 'Test' })
  const path = '/admin/api/tenants/default/tokens'
  const answer = await send(path, TEST_SETTINGS.adminToken, { method: 'POST', body })
  return ((await answer.json()) as { readonly token: string }).token
}

async function scrape(send: Send): Promise<ReadonlyMap<string, number>> {
  const answer = await send('/metrics', TOKEN)
  expect(answer.status).toBe(200)
  const lines = (await answer.text()).trimEnd().split('\n')
  expect(lines.filter((line) => !LINE.test(line))).toEqual([])
  const samples = lines.filter((line) => !line.startsWith('#')).map((line) => line.split(/ (?=\S+$)/))
  return new Map(samples.map(([name = '', value]) => [name, Number(value)]))
}

describe('/metrics', () => {
  it('does not exist without METRICS_TOKEN', async () => {
    const send = start()
    expect((await send('/metrics', TOKEN)).status).toBe(404)
  })

  it('refuses any other token, the one of the administrator included, and addresses that guess', async () => {
    const send = start({
      metricsToken: TOKEN,
      rateLimits: { client: 100, tenant: 100, signIn: 100, failedAuthentication: 2 },
    })
    const answers = []
    for (const token of [undefined, TEST_SETTINGS.adminToken, 'a guess', TOKEN]) {
      const answer = await send('/metrics', token, {}, '192.0.2.77')
      answers.push([answer.status, await answer.json(), answer.headers.get('WWW-Authenticate')])
    }
    const message = '/metrics needs the header "Authorization: Bearer …" with METRICS_TOKEN'
    const refused = [401, { error: { code: 'unauthorized', message } }, 'Bearer realm="scim-worker"']
    const many = 'too many requests with invalid tokens; try again later'
    const blocked = [429, { error: { code: 'tooMany', message: many } }, null]
    expect(answers).toEqual([refused, refused, blocked, blocked])
    expect((await send('/metrics', TOKEN, {}, '192.0.2.78')).status).toBe(200)
  })

  it('counts requests by route, method and class of status, with their durations and refusals', async () => {
    const send = start({ metricsToken: TOKEN })
    const token = await newToken(send)
    const body = JSON.stringify({ schemas: [USER], userName: 'jane@acme.example' })
    const created = await send('/scim/v2/Users', token, { method: 'POST', body })
    const { id } = (await created.json()) as { readonly id: string }
    await send(`/scim/v2/Users/${id}`, token)
    await send('/scim/v2/Users/unknown', token)
    await send('/scim/v2/Users', 'not-a-token')
    await send('/odd', undefined, { method: 'PROPFIND' })
    const found = await scrape(send)
    const requests = (method: string, route: string, status: string) =>
      found.get(`scim_http_requests_total{method="${method}",route="${route}",status="${status}"}`)
    expect(requests('POST', '/scim/v2/Users', '2xx')).toBe(1)
    expect(requests('GET', '/scim/v2/Users/:id', '2xx')).toBe(1)
    expect(requests('GET', '/scim/v2/Users/:id', '4xx')).toBe(1)
    expect(requests('other', 'none', '4xx')).toBe(1)
    expect(found.get('scim_http_refused_total{reason="malformed"}')).toBe(1)
    const durations = 'scim_http_request_duration_seconds'
    const labels = 'method="GET",route="/scim/v2/Users/:id"'
    expect(found.get(`${durations}_count{${labels}}`)).toBe(2)
    expect(found.get(`${durations}_bucket{${labels},le="+Inf"}`)).toBe(2)
    expect(found.get(`${durations}_sum{${labels}}`)).toBeGreaterThan(0)
    // Nothing tells one tenant or user from another.
    expect([...found.keys()].filter((name) => /jane|default|acme/.test(name))).toEqual([])
  })

  it('shows that more than 1,000 members are looked up beside the requests of others', async () => {
    // Without the work of timers, which has long batches, too.
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    const send = start({ metricsToken: TOKEN })
    const token = await newToken(send)
    const members = Array.from({ length: 1_001 }, () => ({ value: crypto.randomUUID() }))
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group']
    const name = 'scim_database_batch_seconds_count{database="DB",kind="long"}'
    const long = async () => (await scrape(send)).get(name) ?? 0
    const longFor = async (displayName: string, some: typeof members) => {
      const before = await long()
      const body = JSON.stringify({ schemas, displayName, members: some })
      const answer = await send('/scim/v2/Groups', token, { method: 'POST', body })
      expect([answer.status, await answer.text()]).toEqual([
        400,
        expect.stringContaining(some[0]?.value ?? ''),
      ])
      return (await long()) - before
    }
    // A scrape has long batches, too.
    expect((await longFor('many', members)) - (await longFor('few', members.slice(1)))).toBe(1)
  })

  it('counts a bulk request once', async () => {
    const send = start({ metricsToken: TOKEN })
    const token = await newToken(send)
    const operations = ['a', 'b'].map((userName) => ({
      method: 'POST',
      path: '/Users',
      bulkId: userName,
      data: { schemas: [USER], userName },
    }))
    const body = JSON.stringify({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: operations,
    })
    expect((await send('/scim/v2/Bulk', token, { method: 'POST', body })).status).toBe(200)
    const found = await scrape(send)
    const scim = [...found].filter(([name]) => /^scim_http_requests_total.*\/scim\/v2/.test(name))
    expect(scim.map(([, count]) => count)).toEqual([1])
  })

  it('shows databases, files, jobs, webhooks, events, queues and the process', async () => {
    const send = start({ metricsToken: TOKEN, databaseCount: 2 })
    const token = await newToken(send)
    const webhook = JSON.stringify({ url: 'https://receiver.example/events' })
    const path = '/admin/api/tenants/default/webhooks'
    await send(path, TEST_SETTINGS.adminToken, { method: 'POST', body: webhook })
    const body = JSON.stringify({ schemas: [USER], userName: 'jane' })
    await send('/scim/v2/Users', token, { method: 'POST', body })
    const found = await scrape(send)
    expect(found.get('scim_database_up{database="DB2"}')).toBe(1)
    expect(found.get('scim_database_bytes{database="DB"}')).toBeGreaterThan(0)
    expect(found.get('scim_database_wal_bytes{database="DB"}')).toBeGreaterThan(0)
    expect(found.get('scim_database_batch_seconds_count{database="DB",kind="short"}')).toBeGreaterThan(2)
    expect(found.get('scim_database_writes_waiting{database="DB"}')).toBeGreaterThanOrEqual(0)
    expect(found.get('scim_webhooks_active{database="DB"}')).toBe(1)
    expect(found.get('scim_webhook_events_behind{database="DB"}')).toBe(1)
    expect(found.get('scim_webhook_lag_seconds{database="DB"}')).toBeLessThan(60)
    const newest = found.get('scim_event_newest_timestamp_seconds{database="DB"}') ?? 0
    expect(Math.abs(Date.now() / 1000 - newest)).toBeLessThan(60)
    expect(found.get('scim_requests_in_flight')).toBe(1)
    expect(found.get('process_resident_memory_bytes')).toBeGreaterThan(1_000_000)
    // Litestream does not replicate this file.
    expect([...found.keys()].filter((name) => name.includes('litestream'))).toEqual([])
  })
})

describe('/healthz?verbose', () => {
  it('shows the sizes of the files and the last checkpoint', async () => {
    const send = start({ databaseCount: 2 })
    const answer = await send('/healthz?verbose', TEST_SETTINGS.adminToken)
    const { databases } = (await answer.json()) as { readonly databases: readonly object[] }
    const file = {
      bytes: expect.any(Number),
      walBytes: expect.any(Number),
      checkpointedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    }
    expect(databases).toMatchObject([
      { name: 'DB', file },
      { name: 'DB2', file },
    ])
  })
})
