/** `npm run docs` builds the site without a broken link and without the network. VitePress itself ends with an error at a broken link. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { beforeAll, describe, expect, it } from 'vitest'
import { pageFiles, siteFile } from '../../docs/.vitepress/pages.mjs'
import { ROOT } from './blocks.ts'

const SITE = join(ROOT, 'dist/docs')
const TIMEOUT_MS = 300_000

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, 'src/local/docs.mjs')], { cwd: ROOT, stdio: 'pipe' })
}, TIMEOUT_MS)

describe('the site', () => {
  it('has each page, and no others', () => {
    const built = readdirSync(SITE, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.html'),
    )
    const expected = pageFiles().map((file) => siteFile(file).replace(/\.md$/, '.html'))
    expect(built.toSorted()).toEqual(['404.html', ...expected].toSorted())
  })

  it('loads nothing from another host, except the picture of the button', () => {
    for (const file of readdirSync(SITE, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.html')) continue
      const html = readFileSync(join(SITE, file), 'utf8')
      const loaded = [...html.matchAll(/<(?:script|img|link)\b[^>]*\b(?:src|href)="(https?:[^"]+)"/g)].map(
        ([, url]) => url,
      )
      expect(loaded.filter((url) => url !== 'https://deploy.workers.cloudflare.com/button')).toEqual([])
    }
  })

  it('shows the operations of the OpenAPI document, with links to their schemas', () => {
    const html = readFileSync(join(SITE, 'api/openapi.html'), 'utf8')
    for (const operation of [
      'GET /scim/v2/Users',
      'POST /admin/api/tenants',
      'GET /events',
      'POST /oauth/token',
    ])
      expect(html).toContain(`<code>${operation}</code>`)
    const links = new Set([...html.matchAll(/href="#(schema-[^"]+)"/g)].map(([, anchor]) => anchor))
    expect(links.size).toBeGreaterThan(10)
    for (const anchor of links) expect(html).toContain(`id="${anchor}"`)
  })
})
