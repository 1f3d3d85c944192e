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

const start = () => startCli(['check', '--tenant-url', server.tenantUrl], { ENTRA_SECRET_TOKEN: 't' })

/** Calls `hook` when the first group is created. */
function atFirstGroup(hook: () => void): void {
  store.misbehave = ({ method, path }) => {
    if (method === 'POST' && path === '/Groups') hook()
    return undefined
  }
}

it('deletes its objects after Ctrl-C, and has no verdict', async () => {
  const { child, result } = start()
  atFirstGroup(() => child.kill('SIGINT'))
  const { code, stdout, stderr } = await result
  expect(code).toBe(130)
  expect(stdout).toMatch(/\nInterrupted: no verdict \(until then \d+ success/)
  expect(stdout).not.toContain('Verdict')
  expect(stderr).toContain('Interrupted: deleting the test objects')
  expect([store.users.size, store.groups.size]).toEqual([0, 0])
})

it('deletes its objects when its output is closed', async () => {
  const { child, result } = start()
  atFirstGroup(() => child.stdout?.destroy())
  const { code, stderr } = await result
  expect([code, stderr]).toEqual([130, ''])
  expect([store.users.size, store.groups.size]).toEqual([0, 0])
})
