/** docs/operate/dashboard.md names each page of the navigation with its key. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')
const LAYOUT = readFileSync(join(ROOT, 'src/admin/layout.tsx'), 'utf8')
const PAGE = readFileSync(join(ROOT, 'docs/operate/dashboard.md'), 'utf8')

it('the table of keys is that of the navigation', () => {
  const links = [...LAYOUT.matchAll(/label: (?:'([^']+)'|allOf\([^)]*\)),[^}]*?key: '(.)'/g)]
  const inCode = links.map(([, label = 'Users and Groups', key]) => `${key} ${label}`)
  // A label may be a link, with a remark after a comma.
  const rows = [...PAGE.matchAll(/^\| `g`, then `(.)` \| \[?([\w ]+).* \|$/gm)].map(
    ([, key, label = '']) => `${key} ${label.trim()}`,
  )
  expect(inCode.length).toBeGreaterThan(12)
  expect(rows.toSorted()).toEqual(inCode.toSorted())
})
