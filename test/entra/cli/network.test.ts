/** Responses and connections that no right endpoint has: too long, endless, not trusted; IPv6 and a proxy. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.ts'
import { runCli } from '../support/run-cli.ts'

const servers: Server[] = []
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'entra-network-'))
})

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  rmSync(folder, { recursive: true })
})

async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  return (server.address() as AddressInfo).port
}

const EMPTY_LIST = JSON.stringify({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
  ...{ totalResults: 0, Resources: [] },
})

const emptyList: RequestListener = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/scim+json' })
  response.end(EMPTY_LIST)
}

/** Runs only the connection test. */
function check(tenantUrl: string, ...options: string[]) {
  return runCli([
    'check',
    '--tenant-url',
    tenantUrl,
    '--token',
    'secret-token',
    ...CONNECTION_ONLY,
    ...options,
  ])
}

const CONNECTION_ONLY = ['--dialect', 'old', '--only', 'groups', '--skip', 'token,create-group,group-of-2018']
const FOUND_NONE = 'success         query for a user that does not exist\n'

describe('a response that', () => {
  it.each<[string, RequestListener]>([
    [
      'has 100 MB',
      (_, response) => {
        response.writeHead(200, { 'content-length': String(100e6) })
        const chunk = Buffer.alloc(1e6, ' ')
        for (let count = 0; count < 100; count++) response.write(chunk)
      },
    ],
    [
      'does not end',
      (_, response) => {
        const chunk = Buffer.alloc(1e6, ' ')
        const more = () => {
          while (!response.destroyed && response.write(chunk));
        }
        response.on('drain', more)
        more()
      },
    ],
  ])('%s is no response', async (_, listener) => {
    const port = await listen(createServer(listener))
    const { code, stdout } = await check(`http://127.0.0.1:${port}`)
    expect(stdout).toContain(
      'error           query for a user that does not exist: the response is longer than 10 MiB',
    )
    expect(code).toBe(3)
    expect(stdout.split('\n').length).toBeLessThan(20)
  })
})

describe('a certificate that is not trusted', () => {
  it('is named in clear words, and accepted with --ca', async () => {
    const server = createSecureServer({ key: PRIVATE_KEY, cert: CERTIFICATE }, emptyList)
    const url = `https://127.0.0.1:${await listen(server as unknown as Server)}`
    const refused = await check(url)
    expect(refused.stdout).toContain(
      'the certificate is self-signed. Entra accepts only certificates of public',
    )
    expect(refused.stdout).toContain('--ca FILE')
    expect(refused.code).toBe(3)
    writeFileSync(join(folder, 'ca.pem'), CERTIFICATE)
    const accepted = await check(url, '--ca', join(folder, 'ca.pem'))
    expect(accepted.stdout).toContain(FOUND_NONE)
    const missing = await check(url, '--ca', join(folder, 'none.pem'))
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('certificate of --ca')])
  })
})

describe('an endpoint', () => {
  it('with an IPv6 address is reached', async () => {
    const port = await listen(createServer(emptyList), '::1')
    expect((await check(`http://[::1]:${port}/scim`)).stdout).toContain(FOUND_NONE)
  })

  it('is reached through the proxy of HTTPS_PROXY, which does not see the token', async () => {
    const targets: string[] = []
    const server = createSecureServer({ key: PRIVATE_KEY, cert: CERTIFICATE }, emptyList)
    const port = await listen(server as unknown as Server)
    const proxy = createServer()
    proxy.on('connect', (request, socket) => {
      targets.push(`${request.url} ${JSON.stringify(request.headers).includes('secret-token')}`)
      const tunnel = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        tunnel.pipe(socket).pipe(tunnel)
      })
      tunnel.on('error', () => socket.destroy())
      socket.on('error', () => tunnel.destroy())
    })
    vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${await listen(proxy)}`)
    const { stdout } = await check('https://scim.test.example/scim')
    expect(stdout).toContain('the certificate is self-signed')
    expect(targets[0]).toBe('scim.test.example:443 false')
  })
})
