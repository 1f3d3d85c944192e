/**
 * What can be checked of the commands in the documents without running them: the reasons not to run some, and that the requests to the admin
 * API are routes of the contract. commands.test.ts runs all others.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ADMIN_API_PATH, ROUTES } from '../../src/admin/contract/routes.ts'
import { blocks, NOT_RUN, ROOT } from './blocks.ts'

interface Request {
  readonly page: string
  readonly method: string
  readonly path: string
}

/** `curl` with a URL of the admin API; POST if there is a body, unless another method is given. */
const requests: readonly Request[] = blocks().flatMap(({ page, text }) =>
  text
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .flatMap((line) => {
      const [, path] = /\bcurl .*:8787(\/admin\/api[^\s"?]*)/.exec(line) ?? []
      const [, method = / (?:-d|--data) /.test(line) ? 'POST' : 'GET'] = /-X ([A-Z]+)/.exec(line) ?? []
      return path === undefined ? [] : [{ page, method, path }]
    }),
)

describe('the reasons not to run a block', () => {
  it.for(NOT_RUN)('belong to a block: %s, %s', ([page, beginning]) => {
    expect(blocks().filter((block) => block.page === page && block.text.startsWith(beginning))).toHaveLength(
      1,
    )
  })
})

it('the folder of tokens in the documents, and in what npm start prints, belongs to its owner alone', () => {
  const start = readFileSync(join(ROOT, 'src/local/start.mjs'), 'utf8')
  const texts = [...blocks().map(({ text }) => text), start]
  const made = texts.flatMap((text) => text.match(/\bmkdir [^\n;]*\btrial\b/g) ?? [])
  expect(new Set(made)).toEqual(new Set(['mkdir -p -m 700 trial']))
})

describe('the requests to the admin API in the documents', () => {
  it('are found', () => {
    expect(requests.length).toBeGreaterThan(8)
  })

  it.for(requests)('exist: $page: $method $path', ({ method, path }) => {
    const found = Object.values(ROUTES).filter((route) => {
      const pattern = `${ADMIN_API_PATH}${route.path}`.replaceAll(/\{\w+\}/g, '[^/]+')
      return route.method.toUpperCase() === method && new RegExp(`^${pattern}$`).test(path)
    })
    expect(found.length).toBeGreaterThan(0)
  })
})
