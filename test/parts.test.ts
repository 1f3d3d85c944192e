/**
 * The parts of the server that are loaded when they are first needed: what a request gets that comes before, and while one
 * cannot be loaded. The tests of their routes are those of the dashboard, the admin API and OAuth.
 */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type App, createApp } from '../src/app.ts'
import type { Runtime } from '../src/runtime.ts'
// Loaded now, because the first request of a test would otherwise wait until Vite has transformed them.
import '../src/administration.ts'
import '../src/http/oauth/authorization-server.ts'

const runtime = { settings: { requestLog: false } } as Runtime

/** A path of each part that needs no database, and its answers: when the part is loaded, and when it cannot be loaded. */
const PATHS = [
  [
    '/admin/assets/style.css',
    'administration.ts',
    404,
    { error: expect.objectContaining({ code: 'internal' }) },
  ],
  ['/openapi.json', 'administration.ts', 200, { status: '500' }],
  ['/oauth/token', 'http/oauth/authorization-server.ts', 405, { error: 'server_error' }],
  ['/.well-known/oauth-authorization-server', 'http/oauth/authorization-server.ts', 200, { status: '500' }],
] as const

async function get(app: App, path: string): Promise<Response> {
  return await app.fetch(new Request(`https://scim.test${path}`), runtime)
}

describe('a part that is loaded later', () => {
  afterEach(() => {
    for (const [, file] of PATHS) vi.doUnmock(`../src/${file}`)
    vi.restoreAllMocks()
  })

  it.for(PATHS)('serves all requests for %s that come while it is loaded', async ([path, , status]) => {
    vi.spyOn(console, 'error').mockImplementation(() => {})
    const app = createApp()
    const answers = await Promise.all(Array.from({ length: 5 }, () => get(app, path)))
    expect(answers.map((answer) => answer.status)).toEqual(Array(5).fill(status))
    const ids = answers.map(({ headers }) => headers.get('X-Request-Id'))
    expect(new Set(ids).size).toBe(5)
  })

  it.for(PATHS)(
    'answers %s like every other fault if %s cannot be loaded, and is tried again',
    async ([path, file, status, error]) => {
      const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
      vi.doMock(`../src/${file}`, () => {
        throw new Error('the part is gone')
      })
      const app = createApp()
      const failed = await get(app, path)
      expect([failed.status, await failed.json()]).toEqual([500, expect.objectContaining(error)])
      expect(failed.headers.get('X-Request-Id')).toMatch(/^[\w-]{36}$/)
      expect(JSON.stringify(logged.mock.calls)).toContain('the part is gone')

      vi.doUnmock(`../src/${file}`)
      expect((await get(app, path)).status).toBe(status)
    },
  )
})
