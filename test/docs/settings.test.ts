/** The table of docs/operate/settings.md has all settings of the code, with their defaults and the servers that read them. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DEFAULTS } from '../../src/self-hosted/settings.ts'
import { SHARED_DEFAULTS } from '../../src/settings.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const PAGE = readFileSync(join(ROOT, 'docs/operate/settings.md'), 'utf8')
/** `| name | meaning | default | read by |` */
const ROW = /^\| `([A-Z_]+)` \| ([^|]+) \| (?:`([^`]*)`|none) \| (both|Worker|self-hosted) \|$/gm

const rows = [...PAGE.matchAll(ROW)].map(([, name = '', meaning = '', value = '', place = '']) => ({
  name,
  meaning,
  row: [name, value, place],
}))

/** The settings of a Worker alone. src/worker.ts cannot be imported on Node.js. */
function workerDefaults(): readonly (readonly [string, string])[] {
  const source = readFileSync(join(ROOT, 'src/worker.ts'), 'utf8')
  const [, own = ''] = /^const DEFAULTS = \{ \.\.\.SHARED_DEFAULTS, ([^}]+) \}/m.exec(source) ?? []
  return [...own.matchAll(/(\w+): '([^']*)'/g)].map(([, name = '', value = '']) => [name, value])
}

describe('the table of docs/operate/settings.md', () => {
  it('has a row for each setting, with its default and the servers that read it, and no others', () => {
    const worker = workerDefaults()
    expect(worker).not.toEqual([])
    const expected = [
      ...Object.entries(SHARED_DEFAULTS).map(([name, value]) => [name, value, 'both']),
      ...worker.map(([name, value]) => [name, value, 'Worker']),
      ['DATA_FOLDER', 'data', 'self-hosted'],
      ...Object.entries(DEFAULTS)
        .filter(([name]) => !Object.hasOwn(SHARED_DEFAULTS, name))
        .map(([name, value]) => [name, value, 'self-hosted']),
    ]
    expect(rows.map(({ row }) => row)).toEqual(expected)
  })

  it('is the only table of settings', () => {
    const tables = PAGE.match(/^\| Setting \|/gm)
    // The second one has the settings of a tenant.
    expect(tables).toHaveLength(2)
    const others = ['README.md', 'docs/operate/self-hosting.md'].map((file) =>
      readFileSync(join(ROOT, file), 'utf8'),
    )
    expect(others.join('\n')).not.toMatch(/^\| Setting \|/m)
  })
})

it('the command for Deno in docs/operate/self-hosting.md allows every variable', () => {
  const page = readFileSync(join(ROOT, 'docs/operate/self-hosting.md'), 'utf8')
  const [, names = ''] = /--allow-env=(\S+)/.exec(page) ?? []
  expect(names.split(',').toSorted()).toEqual(['DATA_FOLDER', ...Object.keys(DEFAULTS)].toSorted())
})
