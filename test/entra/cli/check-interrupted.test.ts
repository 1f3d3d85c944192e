/** `check` as a process that is stopped: by Ctrl-C, and by a reader that closes its output. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { serveStore, type TestServer } from '../support/http-server.ts'
import { startCli } from '../support/run-cli.ts'
import { ScimStore } from '../support/scim-store.ts'

let store: ScimStore
let server: TestServer

beforeEach(async () => {
  store = new ScimStore()
  server = await serveStore(store)
})

afterEach(() => server.close())

const start = (...options: string[]) =>
  startCli(['check', '--tenant-url', server.tenantUrl, ...options], { ENTRA_SECRET_TOKEN: 't' })

/** Calls `hook` when the first request with the method arrives, at the endpoint or below it. */
function atFirst(wanted: 'POST' | 'DELETE', endpoint: '/Users' | '/Groups', hook: () => void): void {
  const before = store.misbehave
  let isCalled = false
  store.misbehave = (request) => {
    if (!isCalled && request.method === wanted && request.path.startsWith(endpoint)) {
      isCalled = true
      hook()
    }
    return before?.(request)
  }
}

it('deletes its objects after Ctrl-C, and has no verdict', async () => {
  const { child, result } = start()
  atFirst('POST', '/Groups', () => child.kill('SIGINT'))
  const { code, stdout, stderr } = await result
  expect(code).toBe(130)
  expect(stdout).toMatch(/\nInterrupted: no verdict \(until then \d+ success/)
  expect(stdout).not.toContain('Verdict')
  expect(stderr).toContain('Interrupted: deleting the test objects')
  expect([store.users.size, store.groups.size]).toEqual([0, 0])
})

it('deletes its objects if one Ctrl-C arrives twice: from the terminal, and forwarded by npm', async () => {
  const { child, result } = start()
  atFirst('POST', '/Groups', () => child.kill('SIGINT'))
  atFirst('DELETE', '/Groups', () => child.kill('SIGINT'))
  expect((await result).code).toBe(130)
  expect([store.users.size, store.groups.size]).toEqual([0, 0])
})

it.for(['SIGINT', 'SIGTERM'] as const)('--suite gallery ends in order after %s', async (signal) => {
  const { child, result } = start('--suite', 'gallery')
  atFirst('POST', '/Users', () => child.kill(signal))
  const { code, stdout } = await result
  expect(code).toBe(130)
  expect(stdout).toContain('Interrupted')
})

it('deletes its objects when its output is closed', async () => {
  const { child, result } = start()
  atFirst('POST', '/Groups', () => child.stdout?.destroy())
  const { code, stderr } = await result
  expect([code, stderr]).toEqual([130, ''])
  expect([store.users.size, store.groups.size]).toEqual([0, 0])
})
