/**
 * The modules that `npm run deploy` uploads, in bare workerd: every part of the server is found and runs, after reads that need
 * none of them.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Directory, makeDirectory, userId, userName } from '../bench/directory.ts'
import { ADMIN_TOKEN, cleanUp, type Peer, start } from '../bench/peers/peer.ts'

const TIMEOUT_MS = 120_000

let directory: Directory
let worker: Peer
beforeAll(async () => {
  directory = await makeDirectory({ users: 3, groups: [{ members: 2 }] })
  worker = await start('workerd', { database: directory.file })
}, TIMEOUT_MS)
afterAll(cleanUp)

function urlOf(path: string): string {
  return `http://127.0.0.1:${worker.port}${path}`
}

async function answerTo(path: string, token?: string, method = 'GET') {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` }
  const response = await fetch(urlOf(path), { method, headers })
  return { status: response.status, text: await response.text() }
}

describe('the deployed modules', { timeout: TIMEOUT_MS }, () => {
  it('serve a directory', async () => {
    const { status, text } = await answerTo(`/scim/v2/Users/${userId(1)}`, directory.token)
    expect([status, text]).toEqual([200, expect.stringContaining(userName(1))])
  })

  it.for([
    ['/admin/sign-in', 200, '<form'],
    ['/openapi.json', 200, '"openapi":"3.1.0"'],
    ['/.well-known/oauth-authorization-server', 200, '"token_endpoint"'],
    ['/oauth/token', 405, 'invalid_request'],
  ] as const)(
    'serve %s, whose part is loaded later, to several requests, the first of which is given up',
    async ([path, status, text]) => {
      const first = fetch(urlOf(path), { signal: AbortSignal.timeout(2) }).catch(() => undefined)
      const answers = await Promise.all(Array.from({ length: 10 }, () => answerTo(path)))
      await first
      for (const answer of answers) expect(answer).toEqual({ status, text: expect.stringContaining(text) })
    },
  )

  it('do the work of a job in an alarm, whose part is loaded later', async () => {
    const job = await answerTo('/admin/api/tenants/default/exports', ADMIN_TOKEN, 'POST')
    const { id } = JSON.parse(job.text)
    await expect
      .poll(async () => (await answerTo(`/admin/api/tenants/default/jobs/${id}`, ADMIN_TOKEN)).text, {
        timeout: 30_000,
      })
      .toContain('"state":"done"')
  })
})
