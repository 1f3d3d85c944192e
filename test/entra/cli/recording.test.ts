/** `record` and `replay` over HTTP on 127.0.0.1: what a cassette keeps and leaves out, and which differences a replay finds. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeCassette } from '../../../src/entra/cli/files/cassette-file.ts'
import { type RecordingProxy, startRecordingProxy } from '../../../src/entra/cli/recording-proxy.ts'
import { parseTenantUrl } from '../../../src/entra/protocol/tenant-url.ts'
import { Recorder } from '../../../src/entra/recording/recorder.ts'
import { serveStore, type TestServer } from '../support/http-server.ts'
import { runCli, startCli } from '../support/run-cli.ts'
import { error, type Misbehaviour, ScimStore } from '../support/scim-store.ts'

const TOKEN = 'a-secret-token-of-the-target'
const PEOPLE = [
  {
    id: 'p1',
    userPrincipalName: 'ada.lovelace@quillfern.example',
    displayName: 'Ada Lovelace',
    mailNickname: 'ada',
  },
  {
    id: 'p2',
    userPrincipalName: 'ben@quillfern.example',
    displayName: 'Ben',
    surname: "O'Hara-Ångström",
    mailNickname: 'ben',
  },
]
const GROUP = { id: 'g1', displayName: 'Finance "Blue Sky" \\ Lab', members: ['p1', 'p2'] }

let folder: string
let store: ScimStore
let server: TestServer
let recorder: Recorder
let proxy: RecordingProxy
const cassette = () => join(folder, 'cassette.har')

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'entra-recording-'))
  store = new ScimStore()
  server = await serveStore(store)
  recorder = new Recorder(server.tenantUrl)
  proxy = await proxyTo(server.tenantUrl, recorder)
})
afterEach(async () => {
  await proxy.close()
  await server.close()
  rmSync(folder, { recursive: true })
})

function proxyTo(tenantUrl: string, into: Recorder): Promise<RecordingProxy> {
  const onExchange = (exchange: Parameters<Recorder['add']>[0]) => into.add(exchange)
  return startRecordingProxy({ port: 0, tenantUrl: parseTenantUrl(tenantUrl), onExchange })
}

/** Provisions a small directory through the proxy, changes it, and returns the text of the cassette. */
async function recordProvisioning(): Promise<string> {
  await provision({ users: PEOPLE, groups: [GROUP] })
  const [ada] = PEOPLE
  await provision({ users: [{ ...ada, displayName: 'Ada King' }], groups: [{ ...GROUP, members: ['p1'] }] })
  writeCassette(cassette(), recorder.cassette('1.0.0'))
  return readFileSync(cassette(), 'utf8')
}

async function provision(directory: object): Promise<void> {
  const file = join(folder, 'people.json')
  writeFileSync(file, JSON.stringify(directory))
  const { code } = await runCli([
    ...['provision', '--directory', file, '--tenant-url', proxy.tenantUrl, '--token', TOKEN],
    ...['--state', join(folder, 'state.json')],
  ])
  expect(code).toBe(0)
}

async function replay(misbehave: Misbehaviour = () => undefined, ...more: string[]) {
  const other = new ScimStore()
  // Other ids than those of the recorded endpoint.
  other.nextIds = ['7', '8', '9', '10']
  other.misbehave = misbehave
  const target = await serveStore(other)
  const result = await runCli([
    ...['replay', cassette(), '--tenant-url', target.tenantUrl, '--token', 't', ...more],
  ])
  await target.close()
  return { ...result, store: other }
}

describe('a cassette', () => {
  it('is an HTTP Archive 1.2 with every request in its order', async () => {
    const { log } = JSON.parse(await recordProvisioning())
    expect(log).toMatchObject({ version: '1.2', creator: { name: 'scim-worker record', version: '1.0.0' } })
    expect(log.entries).toHaveLength(store.received.length)
    expect(log.entries.map(({ request }: { request: { method: string } }) => request.method)).toEqual(
      store.received.map(({ method }) => method),
    )
    for (const entry of log.entries) {
      expect(Object.keys(entry)).toEqual(
        expect.arrayContaining(['startedDateTime', 'time', 'request', 'response', 'cache', 'timings']),
      )
      expect(new Date(entry.startedDateTime).toISOString()).toBe(entry.startedDateTime)
      for (const time of [entry.time, entry.timings.send, entry.timings.wait, entry.timings.receive])
        expect(time).toBeGreaterThanOrEqual(0)
      for (const key of [
        'method',
        'url',
        'httpVersion',
        'cookies',
        'headers',
        'queryString',
        'headersSize',
        'bodySize',
      ])
        expect(entry.request).toHaveProperty(key)
      for (const key of [
        'status',
        'statusText',
        'httpVersion',
        'cookies',
        'headers',
        'content',
        'redirectURL',
      ])
        expect(entry.response).toHaveProperty(key)
    }
  })

  it('has no token, no person and no address of the endpoint', async () => {
    const text = await recordProvisioning()
    expect(text).not.toMatch(/authorization|bearer/i)
    expect(text).not.toContain(TOKEN)
    expect(text).not.toMatch(/ada|lovelace|ben\b|hara|ngstr|quillfern|finance|blue|sky|king/i)
    expect(text).not.toContain('127.0.0.1')
  })

  it('replaces the same value in the same way everywhere', async () => {
    const { log } = JSON.parse(await recordProvisioning())
    const created = log.entries
      .filter(({ request }: { request: { method: string } }) => request.method === 'POST')
      .map(({ request }: { request: { postData: { text: string } } }) => JSON.parse(request.postData.text))
    const [first] = created
    const [local, domain] = first.userName.split('@')
    expect(first.userName).toMatch(/^name\d+\.name\d+@name\d+\.example$/)
    expect(created[1].userName.split('@')[1]).toBe(domain)
    expect(local.split('.')[0].toLowerCase()).toBe(first.externalId)
    const urls = log.entries.map(({ request }: { request: { url: string } }) => request.url)
    expect(urls).toContain(
      `https://scim.example/scim/v2/Users?filter=userName+eq+%22${encodeURIComponent(first.userName)}%22`,
    )
  })

  it('has no address of an endpoint that does not answer, and no body that is nested deeply', async () => {
    const gone = await proxyTo('http://nobody.invalid/scim/v2', recorder)
    const body = `${'['.repeat(1e5)}${']'.repeat(1e5)}`
    const { status } = await fetch(`${gone.tenantUrl}/Users`, { method: 'POST', body })
    await gone.close()
    expect(status).toBe(502)
    const text = JSON.stringify(recorder.cassette('1.0.0'))
    expect(text).toMatch(/no answer: E\w+/)
    expect(text).not.toMatch(/nobody|\[\[\[/)
  })

  it('does not keep a body that is not JSON, or is very large, and passes both on', async () => {
    const page = `<html>ada@quillfern.example</html>`
    store.misbehave = ({ path }) =>
      new Response(path === '/Users/large' ? 'x'.repeat(3_000_000) : page, {
        headers: { 'content-type': 'text/html', 'set-cookie': 'session=secret' },
      })
    expect(await (await fetch(`${proxy.tenantUrl}/Users`)).text()).toBe(page)
    expect((await (await fetch(`${proxy.tenantUrl}/Users/large`)).text()).length).toBe(3_000_000)
    const { log } = recorder.cassette('1')
    expect(log.entries.map(({ comment }) => comment)).toEqual([
      'a body of 34 characters that is not JSON was not kept',
      'an answer of 3000000 bytes was not kept',
    ])
    expect(JSON.stringify(log)).not.toMatch(/ada|secret/)
  })

  it('says where the endpoint ended in the middle of an answer, and ends the answer to the client too', async () => {
    const broken = createServer((_, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('{"id":')
      setTimeout(() => response.destroy(), 20)
    })
    await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve))
    const into = new Recorder(`http://127.0.0.1:${(broken.address() as AddressInfo).port}/scim`)
    const own = await proxyTo(`http://127.0.0.1:${(broken.address() as AddressInfo).port}/scim`, into)
    await expect(fetch(`${own.tenantUrl}/Users`).then((answer) => answer.text())).rejects.toThrow()
    broken.closeAllConnections()
    broken.close()
    const refused = await fetch(`${own.tenantUrl}/Users`)
    expect([refused.status, ((await refused.json()) as { detail: string }).detail]).toEqual([
      502,
      expect.stringContaining('ECONNREFUSED'),
    ])
    expect((await fetch(`${own.tenantUrl}/../elsewhere`)).status).toBe(404)
    await own.close()
    expect(into.cassette('1').log.entries).toMatchObject([
      { response: { status: 0 }, comment: 'the answer ended after 6 bytes, before it was complete' },
      { response: { status: 0 }, comment: expect.stringContaining('no answer') },
    ])
  })
})

describe('replay', () => {
  it('finds no difference at an endpoint that means the same, with other ids', async () => {
    await recordProvisioning()
    const { code, stdout, store: other } = await replay()
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^\n(\d+) requests: \1 answers are the same, 0 differ, 0 skipped\n$/),
    ])
    // The second user was deleted in the recording.
    expect([...other.users.keys()]).toEqual(['7'])
    expect(other.membersOf('9')).toEqual(['7'])
  })

  it('accepts another order, null for nothing, and PATCH without a resource', async () => {
    await recordProvisioning()
    const { code, stdout } = await replay(({ method, path, body }) => {
      if (method !== 'POST' || path !== '/Groups') return undefined
      const { schemas, ...rest } = body as { schemas: string[] }
      const resource = { nickName: null, emails: [], ...rest, schemas: schemas.toReversed(), id: 'g' }
      return Response.json(resource, { status: 201 })
    })
    // The group was answered, but not stored, so only what follows differs.
    expect([code, stdout]).toEqual([1, expect.not.stringContaining('POST')])
  })

  it.each<[string, Misbehaviour, RegExp]>([
    [
      'another status',
      ({ method, path }) => (method === 'POST' && path === '/Groups' ? error(400, 'no') : undefined),
      /POST \/Groups: 400\n {6}status: recorded 201, found 400/,
    ],
    [
      'an answer that is not JSON',
      ({ method }) => (method === 'POST' ? new Response('<html>', { status: 201 }) : undefined),
      /body: recorded "a JSON object", found "not JSON"/,
    ],
    [
      'another value',
      ({ method, path, body }) =>
        method === 'POST' && path === '/Users'
          ? Response.json({ ...(body as object), id: 'x', displayName: 'Somebody' }, { status: 201 })
          : undefined,
      /displayName: recorded "Name\d+ Name\d+", found "Somebody"/,
    ],
    [
      'a missing attribute',
      ({ method, path, body }) =>
        method === 'POST' && path === '/Users'
          ? Response.json({ ...(body as object), id: 'x', externalId: undefined }, { status: 201 })
          : undefined,
      /externalId: recorded "name\d+", found nothing/,
    ],
    [
      'another schema',
      ({ method, path, body }) =>
        method === 'POST' && path === '/Groups'
          ? Response.json({ ...(body as object), id: 'x', schemas: ['urn:other'] }, { status: 201 })
          : undefined,
      /schemas: recorded \["urn:ietf:params:scim:schemas:core:2.0:Group"\], found \["urn:other"\]/,
    ],
    [
      'an empty list',
      ({ method, path }) =>
        method === 'GET' && path.startsWith('/Users/') ? Response.json({ id: '7' }) : undefined,
      /GET \/Users\/7: 200\n/,
    ],
  ])('finds %s', async (_, misbehave, message) => {
    await recordProvisioning()
    const { code, stdout } = await replay(misbehave)
    expect(stdout).toMatch(message)
    expect(code).toBe(1)
  })

  it('compares the scimType of errors, not their words', async () => {
    const har = (scimType: string) => ({
      log: {
        entries: [
          {
            request: {
              method: 'POST',
              url: 'https://x.example/scim/Users',
              postData: { text: '{"userName":"a"}' },
            },
            response: { status: 409, content: { text: JSON.stringify({ scimType, detail: 'other words' }) } },
          },
        ],
      },
    })
    const taken = () => error(409, 'userName "a" is taken', 'uniqueness')
    writeFileSync(cassette(), JSON.stringify(har('uniqueness')))
    expect((await replay(taken)).code).toBe(0)
    writeFileSync(cassette(), JSON.stringify(har('mutability')))
    const { code, stdout } = await replay(taken)
    expect([code, stdout]).toEqual([
      1,
      expect.stringContaining('scimType: recorded "mutability", found "uniqueness"'),
    ])
  })

  it('skips what refers to ids that the cassette does not create, and is not successful then', async () => {
    await recordProvisioning()
    const { log } = JSON.parse(readFileSync(cassette(), 'utf8'))
    log.entries = log.entries.filter(
      ({ request }: { request: { method: string } }) => request.method === 'PATCH',
    )
    writeFileSync(cassette(), JSON.stringify({ log }))
    const { code, stdout, store: other } = await replay()
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/skipped: the id "\w+" is not known from an earlier answer/),
    ])
    expect(other.received).toEqual([])
  })

  it('repeats a request after 429, and stops when the endpoint is gone', async () => {
    await recordProvisioning()
    let asked = 0
    const throttled = await replay(() =>
      ++asked === 2 ? error(429, 'slow', undefined, { 'retry-after': '0' }) : undefined,
    )
    expect(throttled.code).toBe(0)
    const { code, stdout } = await runCli([
      'replay',
      cassette(),
      '--tenant-url',
      'http://127.0.0.1:1/x',
      '--token',
      't',
      '--json',
    ])
    const verdict = JSON.parse(stdout)
    expect([code, verdict.different, verdict.steps.length]).toEqual([1, 3, 3])
    expect(verdict.notSent).toBe(verdict.requests - 3)
  })

  it('reads no more than 10 MiB of an answer that does not end', async () => {
    await recordProvisioning()
    const endless = createServer((_, response) => {
      const send = () => {
        while (!response.destroyed && response.write('x'.repeat(1_000_000)));
        if (!response.destroyed) response.once('drain', send)
      }
      send()
    })
    await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve))
    const tenantUrl = `http://127.0.0.1:${(endless.address() as AddressInfo).port}/scim`
    const { code, stdout } = await runCli(['replay', cassette(), '--tenant-url', tenantUrl, '--token', 't'])
    endless.closeAllConnections()
    endless.close()
    expect([code, stdout]).toEqual([1, expect.stringContaining('found "the response is longer than 10 MiB"')])
  })

  it.each([
    ['{"log":', 'is not valid JSON'],
    ['[]', 'this is not a HAR file'],
    ['{"log":{}}', 'log.entries must be a list, found nothing'],
    ['{"log":{"entries":[{}]}}', 'log.entries[0] must have the objects "request" and "response"'],
    [
      '{"log":{"entries":[{"request":{"method":"GET","url":"/Users"},"response":{"status":"200"}}]}}',
      'log.entries[0].request.url must be an absolute URL, found the string "/Users"',
    ],
    [
      '{"log":{"entries":[{"request":{"method":"GET","url":"https://x.example/index.html"},"response":{"status":200}}]}}',
      'has 1 requests, none of them to /Users, /Groups or another SCIM endpoint',
    ],
    [
      `{"log":{"entries":[${['a', 'b'].map((host) => `{"request":{"method":"GET","url":"https://${host}.example/scim/Users"},"response":{"status":200}}`).join()}]}}`,
      'https://a.example/scim (1 requests)',
    ],
  ])('refuses the file %s', async (text, message) => {
    writeFileSync(cassette(), text)
    const { code, stderr, store: other } = await replay()
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
    expect(other.received).toEqual([])
  })

  it('sends nothing to other hosts or to paths beside the Tenant URL', async () => {
    const entry = (url: string) => ({ request: { method: 'DELETE', url }, response: { status: 204 } })
    const write = (...urls: string[]) =>
      writeFileSync(cassette(), JSON.stringify({ log: { entries: urls.map(entry) } }))
    write('https://x.example/scim/Users/../../admin/api', 'https://x.example/scim/Users/%2e%2e/%2E%2E/admin')
    const beside = await replay()
    expect([beside.code, beside.store.received]).toEqual([2, []])
    expect(beside.stderr).toContain('has 2 requests, none of them to /Users')
    write('https://x.example/scim/Users?a', 'https://evil.example@x.example/scim/Users?b')
    const several = await replay()
    expect([several.code, several.store.received]).toEqual([2, []])
    write('https://evil.example/scim/Users?a', 'https://evil.example/scim/Users?b=//evil.example/Users')
    expect((await replay()).store.received).toHaveLength(2)
  })

  it('reads HAR files of browsers, with bodies in base64', async () => {
    const text = Buffer.from('{"totalResults":0,"Resources":[]}').toString('base64')
    const entries = [
      { request: { method: 'GET', url: 'https://x.example/page' }, response: { status: 200 } },
      {
        request: { method: 'GET', url: 'https://x.example/scim/Users?filter=userName+eq+%22nobody%22' },
        response: { status: 200, content: { text, encoding: 'base64' } },
      },
    ]
    writeFileSync(cassette(), JSON.stringify({ log: { entries } }))
    expect((await replay()).stdout).toContain('1 requests: 0 answers are the same, 1 differ')
    const right = { totalResults: 0, schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'] }
    expect((await replay(() => Response.json({ ...right, schemas: undefined }))).code).toBe(0)
  })
})

describe('the command record', () => {
  it('writes the cassette on Ctrl-C', async () => {
    const args = ['record', '--tenant-url', server.tenantUrl, '--output', cassette(), '--port', '0']
    const { child, result } = startCli(args)
    let printed = ''
    child.stdout?.on('data', (text) => (printed += text))
    while (!printed.includes('Press Ctrl-C')) await new Promise((resolve) => setTimeout(resolve, 20))
    const [, tenantUrl = ''] = /credentials of the target: (\S+)/.exec(printed) ?? []
    expect(
      (await fetch(`${tenantUrl}/Users?count=1`, { headers: { Authorization: `Bearer ${TOKEN}` } })).status,
    ).toBe(200)
    child.kill('SIGINT')
    expect(await result).toMatchObject({ code: 0, stdout: expect.stringContaining(': 1 requests') })
    expect(store.received[0]?.headers.get('authorization')).toBe(`Bearer ${TOKEN}`)
    expect(JSON.parse(readFileSync(cassette(), 'utf8')).log.entries).toHaveLength(1)
  })

  it.each([
    [
      'a port that is taken',
      () => ['--port', new URL(server.origin).port, '--output', cassette()],
      'the port is in use',
    ],
    [
      'a folder that does not exist',
      () => ['--output', join(folder, 'none/x.har')],
      'no such file or folder',
    ],
    ['a file that exists', () => ['--output', import.meta.filename], 'already exists; use --force'],
    ['no file', () => [], '--output is missing'],
  ])('refuses %s', async (_, more, message) => {
    const { code, stderr } = await runCli(['record', '--tenant-url', server.tenantUrl, ...more()])
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
  })
})
